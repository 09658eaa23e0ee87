"""Says of a shift that was played what came of it, and whether that is well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from controller.commands.demo import is_well
from controller.commands.sim.expecting import Miss, missed
from controller.commands.sim.scenario_file import Scenario
from controller.commands.sim.shift import Played, Shift


def summary(played: Played, shift: Shift, wall_s: float) -> dict[str, Any]:
    """Give the figures of a run, JSON-ready."""
    return {
        "seed": shift.seed,
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
        "deaths": played.deaths,
    }


def misses_of(played: Played, shift: Shift, scenario: Scenario) -> list[Miss]:
    """Give what the scenario expects and the run misses."""
    return missed(scenario.expect, summary(played, shift, 0.0))


def is_good(played: Played, shift: Shift, scenario: Scenario, misses: Sequence[Miss]) -> bool:
    """Tell whether all is well by the plant's truth and the receiver; what goes wrong on purpose may leave work undone."""
    return not misses and (bool(shift.faults or scenario.expect.broken) or is_well(played.figures, shift.orders))
