"""Says of a shift that was played what came of it, and whether that is well."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from controller.commands import numbers
from controller.commands.demo import is_well
from controller.commands.sim.expecting import Miss, missed, unexpected
from controller.commands.sim.scenario_file import Scenario
from controller.commands.sim.shift.parts import Played, Shift
from controller.commands.sim.tally import EXPECT
from simulation.faults.catalogue import Ends, ends_of
from simulation.virtual.faults import PlannedFault


def summary(played: Played, seed: int, wall_s: float) -> dict[str, Any]:
    """Give the figures of a run, JSON-ready."""
    return {
        "seed": seed,
        **played.figures,
        "virtual_seconds": played.virtual_s,
        "wall_seconds": round(wall_s, 2),
        "journal_rows": played.rows,
        "journal_hash": played.journal,
        "journal_chain": played.chain,
        "truth_hash": played.truth,
        "broken": list(played.broken),
        "faults": played.struck,
        "kinds": dict(played.kinds),
        "not_struck": [fault.as_dict() for fault in played.not_struck],
        "deaths": played.deaths,
    }


def passed_over(faults: Sequence[PlannedFault], planned: int) -> str:
    """Say in one line which of so many planned faults never struck."""
    names = ", ".join(f"{fault.device} {fault.fault} ({_moment(fault)})" for fault in faults)
    return f"{len(faults)} of {numbers.counted(planned, 'fault')} never struck: {names}"


def still_stands(planned: Sequence[PlannedFault], not_struck: Collection[PlannedFault]) -> str:
    """Say in one line which faults nobody ever mended, "" for none: a line cannot end its orders while such a one stands."""
    names = [f"{f.device} {f.fault}" for f in planned if f not in not_struck and _is_for_ever(f)]
    return f"never mended: {', '.join(names)} (for_s says how long a fault lasts)" if names else ""


def _is_for_ever(fault: PlannedFault) -> bool:
    ends = ends_of(fault.device, fault.fault)
    lasts = ends is Ends.MENDED or (ends is Ends.STRIKES and fault.times is None)
    return lasts and fault.for_s is None and not fault.is_kill


def _moment(fault: PlannedFault) -> str:
    return fault.when.text() if fault.when is not None else f"{fault.at_s:g} s"


def misses_of(played: Played, shift: Shift, scenario: Scenario) -> list[Miss]:
    """Give what the scenario expects and the run misses."""
    return missed(scenario.expect, summary(played, shift.seed, 0.0))


def judged(played: Played, scenario: Scenario) -> tuple[str, ...]:
    """Give what was broken and may not be, then what was expected and missed, each with the name of its kind before a colon."""
    found = unexpected(scenario.expect, played.broken)
    if not played.figures:  # it fell over: nobody has counted
        return found
    misses = missed(scenario.expect, summary(played, scenario.shift.seed, 0.0))
    return (*found, *(f"{EXPECT}: {miss.seen}, expected {miss.expected}" for miss in misses))


def is_good(played: Played, shift: Shift, scenario: Scenario, misses: Sequence[Miss]) -> bool:
    """Tell whether all is well by the plant's truth and the receiver; what goes wrong on purpose may leave work undone."""
    if misses or unexpected(scenario.expect, played.broken):
        return False
    return bool(shift.faults or scenario.expect.broken) or is_well(played.figures, shift.orders)
