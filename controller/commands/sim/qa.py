"""`packline sim qa`: many shifts in which things go wrong, each from a seed; what fails is kept as scenario files, the least of it."""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import random
import sys
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

from controller.commands import numbers
from controller.commands.sim import INTERRUPTED
from controller.commands.sim.judging import judged
from controller.commands.sim.keeping import Keeper, timeline
from controller.commands.sim.scenario import demand_orders, faults_of, load_scenario, shift_of, speed_of
from controller.commands.sim.scenario_file import ExpectPart, FaultPart, Scenario, ShiftPart
from controller.commands.sim.scratch import scratch_folder
from controller.commands.sim.shift.parts import Played
from controller.commands.sim.shift.playing import known_faults, play_or_fall
from controller.commands.sim.stopping import in_order
from controller.commands.sim.tally import EXPECT, Tally, Trial, cause_of, first_of_each_kind, kind_of
from controller.commands.sim.telling import demand_shift, is_scenario
from controller.sites import find_site
from packline.core.clock import WallClock
from simulation.people.demand import TRAITS
from simulation.virtual.breakages import CANARY
from simulation.virtual.faults import PlannedFault, swarm
from simulation.virtual.shrink import shrink

ORDERS = 3
MOST_SEEDS = 1_000_000_000
TURN_0 = 2 / 3
"""The probability that the orders of a seed take their turns from the first on, which is a plain one."""
TWICE_EACH = 100
"""Each so many-th seed is played twice: a campaign whose runs cannot be repeated proves nothing."""


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.add_argument(
        "file",
        type=Path,
        nargs="?",
        help="scenario or site file whose shift is played, with the faults that it names (default: the demo shift)",
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
        "--shrink",
        action="store_true",
        help="find the least faults and orders that fail, for the first seed of each kind of breakage",
    )
    options.add_argument("--out", type=Path, metavar="DIR", help="keep every failing scenario here, with its timeline")
    options.add_argument("--json", action="store_true", help="last line of standard output: the figures as JSON")


def seeds(text: str) -> range:
    """Read A:B."""
    first, _, end = text.partition(":")
    if not (first.isdecimal() and end.isdecimal() and 0 < int(end) - int(first) <= MOST_SEEDS):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not A:B with whole numbers from 0, A below B, and at most {MOST_SEEDS} seeds"
        )
    return range(int(first), int(end))


def run(chosen: argparse.Namespace) -> int:
    """Play all seeds; 0 only if none breaks anything and each that was played twice gave the same journal, 130 if interrupted."""
    logging.disable(logging.CRITICAL)  # what goes wrong here goes wrong on purpose
    out = sys.stderr if chosen.json else sys.stdout
    scenario, beside = _base(chosen)
    keeper, tally, is_interrupted = Keeper(chosen.out), Tally(), False
    began = WallClock().monotonic()
    try:
        _play(scenario, beside, chosen, keeper, tally, out)
        for trial in first_of_each_kind(tally.failed):
            _explain(trial, scenario, beside, chosen, keeper, out)
    except KeyboardInterrupt:
        is_interrupted = True
        where = f", kept in {chosen.out}" if tally.kept else ""
        done = f"{tally.seeds} of {len(chosen.seeds)} done, {len(tally.failed)} failed{where}"
        print(f"interrupted, {done}", file=sys.stderr, flush=True)
    else:
        verdict = (
            "nothing broken" if not tally.failed else f"{numbers.counted(len(tally.failed), 'seed')} broke something"
        )
        happened = f"{tally.struck} faults, {tally.deaths} deaths of the controller"
        print(f"{verdict}: {numbers.counted(tally.seeds, 'shift')}, {happened}", file=out)
    if chosen.json:
        seconds = round(WallClock().monotonic() - began, 1)
        said = {"ok": not (tally.failed or is_interrupted), **tally.as_dict(), "wall_seconds": seconds}
        print(json.dumps({**said, "interrupted": True} if is_interrupted else said), flush=True)
    return INTERRUPTED if is_interrupted else 1 if tally.failed else 0


def _play(
    scenario: Scenario, beside: Path, chosen: argparse.Namespace, keeper: Keeper, tally: Tally, out: TextIO
) -> None:
    """Play the seeds, and keep each that fails in the moment in which that is known: nobody knows when he is interrupted."""
    with contextlib.closing(_trials(scenario, beside, chosen)) as played:
        for trial in played:
            tally.add(trial)
            _say(trial, tally.seeds, len(chosen.seeds), out)
            if not trial.broken:
                continue
            path = keeper.keep(of_seed(scenario, trial.seed), beside, trial.faults, trial.broken, trial.timeline)
            tally.kept += [path] if path else []
            if chosen.first:
                return


def attempt(scenario: Scenario, beside: Path, faults: tuple[PlannedFault, ...]) -> Played:
    """Play a scenario with other faults in a folder of its own; what crashes it is something broken."""
    parts = tuple(FaultPart(**fault.as_dict()) for fault in faults)
    with scratch_folder("qa") as folder:
        return play_or_fall(shift_of(scenario.model_copy(update={"faults": parts}), beside, folder))


def _base(chosen: argparse.Namespace) -> tuple[Scenario, Path]:
    file = find_site(chosen.file) if chosen.file else None
    if file is None:
        scenario = Scenario(shift=ShiftPart(orders=ORDERS))
    else:
        demand_shift(file)
        own = ShiftPart(site=str(file.resolve()), orders=ORDERS)
        scenario = load_scenario(file) if is_scenario(file) else Scenario(shift=own)
        demand_orders(scenario, file, chosen.orders)
    return with_shift(scenario, orders=chosen.orders or scenario.shift.orders), file or Path("scenario.toml")


def of_seed(scenario: Scenario, seed: int) -> Scenario:
    """Give the scenario as a campaign plays it with a seed: in one of three the orders begin with another of their turns."""
    played, chance = with_shift(scenario, seed=seed), random.Random(f"{seed}/turn")  # noqa: S311 - reproducible on purpose
    if scenario.demand.turn is not None or scenario.demand.shares or chance.random() < TURN_0:
        return played
    return _begun_with(played, chance.randrange(len(TRAITS)))


def with_shift(scenario: Scenario, **changes: Any) -> Scenario:
    """Give a scenario whose shift is changed."""
    return scenario.model_copy(update={"shift": scenario.shift.model_copy(update=changes)})


def _trials(scenario: Scenario, beside: Path, chosen: argparse.Namespace) -> Generator[Trial]:
    with scratch_folder("qa") as folder:
        known = known_faults(shift_of(scenario, beside, folder))
    campaign, own = scenario.campaign.campaign(), faults_of(scenario)
    works = (
        (of_seed(scenario, seed), beside, (*own, *swarm(seed, known, scenario.shift.orders, campaign)))
        for seed in chosen.seeds
    )
    if chosen.jobs <= 1:
        yield from map(_trial, works)
    else:
        yield from in_order(_trial, works, chosen.jobs)


def _trial(work: tuple[Scenario, Path, tuple[PlannedFault, ...]]) -> Trial:
    logging.disable(logging.CRITICAL)
    scenario, beside, faults = work
    seed = scenario.shift.seed
    played = attempt(scenario, beside, faults)
    if seed % TWICE_EACH == 0 and attempt(scenario, beside, faults).journal != played.journal:
        played.broken = (*played.broken, f"{CANARY}: played twice, the journals differ")
    broken = judged(played, scenario)
    return Trial(
        seed=seed,
        faults=faults,
        broken=broken,
        journal=played.journal,
        struck=played.struck,
        deaths=played.deaths,
        kinds=dict(played.kinds),
        timeline=_told(played, broken, faults, scenario, beside) if broken else "",
    )


def _told(
    played: Played, broken: tuple[str, ...], faults: tuple[PlannedFault, ...], scenario: Scenario, beside: Path
) -> str:
    return timeline(replace(played, broken=broken), faults, speed_of(scenario, beside))


def _say(trial: Trial, number: int, of: int, out: TextIO) -> None:
    how = f"{numbers.counted(trial.struck, 'fault')}, {numbers.counted(trial.deaths, 'death')}, journal {trial.journal[:12]}"
    print(f"{number}/{of}  seed {trial.seed}: {'; '.join(trial.broken) or 'well'} ({how})", file=out, flush=True)


def _explain(
    trial: Trial, scenario: Scenario, beside: Path, chosen: argparse.Namespace, keeper: Keeper, out: TextIO
) -> None:
    """Say what a failing seed needs to fail; shrunk if that is wanted, and kept like that."""
    faults = trial.faults
    if chosen.shrink and kind_of(trial.broken) != CANARY:  # that one cannot be seen in a single shift
        faults, least = _least(trial, scenario, beside)
        needed = f"{numbers.counted(len(faults), 'fault')} and {numbers.counted(least.shift.orders, 'order')}"
        print(f"seed {trial.seed} fails with {needed}:", file=out)
        played = attempt(least, beside, faults)
        broken = judged(played, least)
        keeper.keep(least, beside, faults, broken, _told(played, broken, faults, least, beside))
    for fault in faults:
        print(f"  {fault.text()}", file=out)
    if keeper.folder is not None:
        print(f"again: packline sim run {keeper.path_of(trial.seed)}", file=out)


def _least(trial: Trial, scenario: Scenario, beside: Path) -> tuple[tuple[PlannedFault, ...], Scenario]:
    whole, cause = of_seed(scenario, trial.seed), cause_of(trial.broken)

    def fails(some: tuple[PlannedFault, ...], orders: int) -> bool:
        if orders != whole.shift.orders and kind_of(trial.broken) == EXPECT:
            return False  # figures are expected of so many orders: with fewer they are missed for no reason
        return is_like_it(some, _lessened(whole, orders))

    def is_like_it(some: tuple[PlannedFault, ...], less: Scenario) -> bool:
        return cause_of(judged(attempt(less, beside, some), less)) == cause

    faults, orders = shrink(trial.faults, whole.shift.orders, fails)
    least = _lessened(whole, orders)
    if orders == 1 or least.demand.shares or orders == whole.shift.orders and kind_of(trial.broken) == EXPECT:
        return faults, least
    alone = _lessened(_begun_with(whole, orders - 1), 1)
    return faults, alone if is_like_it(faults, alone) else least


def _begun_with(scenario: Scenario, n: int) -> Scenario:
    """Give a scenario whose first order is like its `n`th, from 0."""
    turn = ((scenario.demand.turn or 0) + n) % len(TRAITS)
    return scenario.model_copy(update={"demand": scenario.demand.model_copy(update={"turn": turn})})


def _lessened(scenario: Scenario, orders: int) -> Scenario:
    """Give a scenario with fewer orders, of which nobody has said what is expected but what must break."""
    if orders == scenario.shift.orders:
        return scenario
    expect = ExpectPart(broken=scenario.expect.broken)
    return with_shift(scenario, orders=orders).model_copy(update={"expect": expect})
