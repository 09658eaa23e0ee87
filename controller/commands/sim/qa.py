"""`packline sim qa`: many shifts in which things go wrong, each from a seed; the least that fails is kept as a scenario file."""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import multiprocessing
import sys
from collections import Counter
from collections.abc import Generator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from controller.commands import numbers
from controller.commands.sim.scenario import as_toml, load_scenario, shift_of
from controller.commands.sim.scenario_file import FaultPart, Scenario, ShiftPart
from controller.commands.sim.scratch import scratch_folder
from controller.commands.sim.shift import Played, known_faults, play
from controller.sites import find_site
from packline.core.clock import WallClock
from simulation.virtual.faults import PlannedFault, swarm
from simulation.virtual.shrink import shrink

ORDERS = 3
TWICE_EACH = 100
"""Each so many-th seed is played twice: a campaign whose runs cannot be repeated proves nothing."""
MOST_SHOWN = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One seed: what was planned, what was broken, and what the journal ended in."""

    seed: int
    faults: tuple[PlannedFault, ...]
    broken: tuple[str, ...]
    journal: str
    struck: int = 0
    deaths: int = 0
    kinds: Mapping[str, int] = field(default_factory=dict)


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.add_argument(
        "file", type=Path, nargs="?", help="scenario file whose [shift] is played (default: the demo shift)"
    )
    options.add_argument(
        "--seeds", type=seeds, default=range(20), metavar="A:B", help="seeds A to B - 1 (default 0:20)"
    )
    options.add_argument(
        "--orders", type=numbers.orders, help=f"orders of each shift (default: the file's, or {ORDERS})"
    )
    options.add_argument("--jobs", type=numbers.jobs, default=1, metavar="N", help="processes at once (default 1)")
    options.add_argument("--first", action="store_true", help="end at the first seed that fails")
    options.add_argument(
        "--shrink", action="store_true", help="find the least faults and orders of the first seed that fails"
    )
    options.add_argument("--out", type=Path, metavar="DIR", help="keep failing scenarios and their timelines here")
    options.add_argument("--json", action="store_true", help="last line of standard output: the figures as JSON")


def seeds(text: str) -> range:
    """Read A:B."""
    first, _, end = text.partition(":")
    if not (first.isdigit() and end.isdigit() and int(first) < int(end)):
        raise argparse.ArgumentTypeError(f"{text!r} is not A:B with A below B")
    return range(int(first), int(end))


def run(chosen: argparse.Namespace) -> int:
    """Play all seeds; 0 only if none breaks anything and each that was played twice gave the same journal."""
    logging.disable(logging.CRITICAL)  # what goes wrong here goes wrong on purpose
    out = sys.stderr if chosen.json else sys.stdout
    scenario, beside = _base(chosen)
    began = WallClock().monotonic()
    trials: list[Trial] = []
    with contextlib.closing(_trials(scenario, beside, chosen)) as played:
        for trial in played:
            trials.append(trial)
            _say(trial, len(trials), len(chosen.seeds), out)
            if trial.broken and chosen.first:
                break
    failed = [trial for trial in trials if trial.broken]
    kept = [_keep(trial, scenario, beside, chosen, out) for trial in failed[:1]]
    reached: Counter[str] = Counter()
    for trial in trials:
        reached.update(trial.kinds)
    said = {
        "seeds": len(trials),
        "failed": [trial.seed for trial in failed],
        "broken": dict(Counter(kind_of(trial.broken) for trial in failed)),
        "faults": sum(trial.struck for trial in trials),
        "deaths": sum(trial.deaths for trial in trials),
        "kinds": dict(sorted(reached.items())),
        "kept": [str(path) for path in kept if path],
        "wall_seconds": round(WallClock().monotonic() - began, 1),
    }
    verdict = "nothing broken" if not failed else f"{len(failed)} seeds broke something"
    print(
        f"{verdict}: {said['seeds']} shifts, {said['faults']} faults, {said['deaths']} deaths of the controller",
        file=out,
    )
    if chosen.json:
        print(json.dumps(said), flush=True)
    return 1 if failed else 0


def kind_of(broken: tuple[str, ...]) -> str:
    """Give what was broken first, without its particulars."""
    return broken[0].partition(":")[0] if broken else ""


def attempt(scenario: Scenario, beside: Path, faults: tuple[PlannedFault, ...]) -> Played:
    """Play a scenario with other faults in a folder of its own; what crashes it is something broken."""
    parts = tuple(FaultPart(**fault.as_dict()) for fault in faults)
    with scratch_folder("qa") as folder:
        try:
            return play(shift_of(scenario.model_copy(update={"faults": parts}), beside, folder))
        except Exception as error:  # noqa: BLE001 - a line or a plant that falls over is what is looked for
            return Played(broken=(f"crash: {type(error).__name__} {error}"[:300],))


def _base(chosen: argparse.Namespace) -> tuple[Scenario, Path]:
    file = find_site(chosen.file) if chosen.file else None
    scenario = load_scenario(file) if file else Scenario(shift=ShiftPart(orders=ORDERS))
    return with_shift(scenario, orders=chosen.orders or scenario.shift.orders), file or Path("scenario.toml")


def with_shift(scenario: Scenario, **changes: Any) -> Scenario:
    """Give a scenario whose shift is changed."""
    return scenario.model_copy(update={"shift": scenario.shift.model_copy(update=changes)})


def _trials(scenario: Scenario, beside: Path, chosen: argparse.Namespace) -> Generator[Trial]:
    with scratch_folder("qa") as folder:
        known = known_faults(shift_of(scenario, beside, folder))
    campaign = scenario.campaign.campaign()
    work = [
        (with_shift(scenario, seed=seed), beside, swarm(seed, known, scenario.shift.orders, campaign))
        for seed in chosen.seeds
    ]
    if chosen.jobs <= 1:
        yield from map(_trial, work)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(chosen.jobs, mp_context=context)
    try:
        yield from pool.map(_trial, work)
    finally:
        pool.shutdown(cancel_futures=True)


def _trial(work: tuple[Scenario, Path, tuple[PlannedFault, ...]]) -> Trial:
    logging.disable(logging.CRITICAL)
    scenario, beside, faults = work
    seed = scenario.shift.seed
    played = attempt(scenario, beside, faults)
    broken = played.broken
    if seed % TWICE_EACH == 0 and attempt(scenario, beside, faults).journal != played.journal:
        broken = (*broken, "canary: played twice, the journals differ")
    return Trial(
        seed=seed,
        faults=faults,
        broken=broken,
        journal=played.journal,
        struck=played.struck,
        deaths=played.deaths,
        kinds=dict(played.kinds),
    )


def _say(trial: Trial, number: int, of: int, out: TextIO) -> None:
    how = f"{trial.struck} faults, {trial.deaths} deaths, journal {trial.journal[:12]}"
    print(f"{number}/{of}  seed {trial.seed}: {'; '.join(trial.broken) or 'well'} ({how})", file=out, flush=True)


def _keep(trial: Trial, scenario: Scenario, beside: Path, chosen: argparse.Namespace, out: TextIO) -> Path | None:
    """Shrink a failing seed and write it down."""
    least, kind = with_shift(scenario, seed=trial.seed), kind_of(trial.broken)
    faults = trial.faults
    if chosen.shrink:

        def fails(some: tuple[PlannedFault, ...], orders: int) -> bool:
            return kind_of(attempt(with_shift(least, orders=orders), beside, some).broken) == kind

        faults, orders = shrink(faults, least.shift.orders, fails)
        least = with_shift(least, orders=orders)
        print(f"seed {trial.seed} fails with {len(faults)} faults and {orders} orders:", file=out)
    for fault in faults:
        print(f"  {fault.text()}", file=out)
    if chosen.out is None:
        return None
    chosen.out.mkdir(parents=True, exist_ok=True)
    played = attempt(least, beside, faults)
    path = Path(chosen.out) / f"seed-{trial.seed}.toml"
    path.write_text(as_toml(least, faults, played.broken), "utf-8")
    path.with_suffix(".timeline.txt").write_text(timeline(played, faults), "utf-8")
    print(f"again: packline sim run {path}", file=out)
    return path


def timeline(played: Played, faults: tuple[PlannedFault, ...]) -> str:
    """Give what happened in the plant, line by line, and what was planned to go wrong."""
    lines = [*(f"fault    {fault.text()}" for fault in faults), *(f"broken   {what}" for what in played.broken), ""]
    lines += [f"{fact.sim_s:10.3f}  {fact.name:18} {_details(fact.data)}" for fact in played.facts]
    return "\n".join(lines) + "\n"


def _details(data: dict[str, Any]) -> str:
    return "  ".join(f"{name} {value}" for name, value in data.items())[: MOST_SHOWN * 4]
