"""Runs a model so often as it says, and says what is known of its figures: estimates with their intervals."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from simulation.blocks.block import Block
from simulation.blocks.conveyor import Belt, Conveyor
from simulation.blocks.floor import Floor
from simulation.blocks.server import Server
from simulation.model.building import Line, build
from simulation.model.effectiveness import effectiveness
from simulation.model.model_file import Model
from simulation.model.settling import Growth, growing
from simulation.model.standing import deadlocks
from simulation.statistics.bottleneck import active_periods, least_waiting
from simulation.statistics.intervals import Interval, antithetic, batch_means, over_replications, paired
from simulation.statistics.tallies import little_residual
from simulation.statistics.warmup import mser5

Figures = dict[str, Any]
NONE_IS_ZERO = re.compile(r".+\.at\.\d+|.+\.verdicts\.\w+|classes\..+\.departures|.+\.classes\.[^.]+\.number|made|used")
"""Figures that a run lacks because it never came to that: so many in a block, a verdict, one of a class. What it lacks was 0."""
Tell = Callable[[str], None]
UNSETTLED = "MSER-5 finds no settled state within the horizon: make it longer"
NOTHING_TO_SETTLE = (
    "MSER-5 looks at the times of those who leave, and nothing left the model: half of the horizon is left out. "
    "Say warmup_s in seconds"
)
PILOTS = 5
"""MSER-5 looks at so many runs of their own; the longest warm-up that one of them needs is taken for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run: its figures by dotted name, its bottleneck, and flow times in the order in which items left."""

    figures: Mapping[str, float]
    bottleneck: Mapping[str, Any]
    flow: Sequence[float]
    warnings: Sequence[str]
    growth: Mapping[str, Growth]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the runs of one model say."""

    model: Model
    seed: int
    warmup_s: float
    runs: Sequence[Run]
    warnings: Sequence[str]

    def values(self, name: str) -> list[float]:
        """Give a figure of every run; where a run has none 0 or nan, as `absent` says."""
        return [run.figures.get(name, absent(name)) for run in self.runs]

    def interval(self, name: str, level: float | None = None) -> Interval:
        """Give the interval of a figure over the runs; raises KeyError for a figure that no run has."""
        if not any(name in run.figures for run in self.runs):
            raise KeyError(name)
        return self._interval(self.values(name), level or self.model.level)

    def names(self) -> list[str]:
        """Give the names of all figures."""
        return list(dict.fromkeys(name for run in self.runs for name in run.figures))

    def difference(self, other: Outcome, name: str) -> Interval:
        """Give the interval of this one's figure minus the other's, run by run (common random numbers)."""
        mine, others = self.values(name), other.values(name)
        if self.model.antithetic:
            return antithetic([a - b for a, b in zip(mine, others, strict=True)], self.model.level)
        return paired(mine, others, self.model.level)

    def _interval(self, values: Sequence[float], level: float) -> Interval:
        if self.model.antithetic and len(values) % 2 == 0:
            return antithetic(values, level)
        return over_replications(values, level)


def absent(name: str) -> float:
    """Give the value of a figure in a run that lacks it: 0 of what never happened, nan of a mean over nobody.

    To leave out the runs in which something rare did not happen would make it look as frequent as in those in which it did.
    """
    return 0.0 if NONE_IS_ZERO.fullmatch(name) else math.nan


def run_model(
    model: Model,
    *,
    seed: int | None = None,
    replications: int | None = None,
    tell: Tell | None = None,
    look: Callable[[Run], None] | None = None,
) -> Outcome:
    """Run a model; `seed` and `replications` stand for those of its file where they are given.

    The same seed gives the same figures. `tell` hears how far it is; `look` gets the first run before there is a second, and may
    raise. Raises ValueError for an odd number of antithetic runs.
    """
    seed = model.seed if seed is None else seed
    count = model.replications if replications is None else replications
    if model.antithetic and count % 2:
        raise ValueError(f"{count} runs are not pairs")
    say = tell or (lambda _text: None)
    warnings: list[str] = []
    warmup_s = _warmup(model, seed, warnings, tell) if model.warmup_s == "mser" else float(model.warmup_s)
    if model.warmup_s == "mser":
        say(f"warm-up by MSER-5: {warmup_s:g} s")
    runs = []
    for n in range(count):
        told = f"run {n + 1} of {count}"
        tell_share = partial(_say_share, say, told, model.horizon_s) if tell is not None else None
        runs.append(run_once(model, seed=seed, number=n, warmup_s=warmup_s, tell=tell_share))
        say(f"{told} is done")
        if look is not None and n == 0:
            look(runs[0])
    for run in runs:
        warnings += [text for text in run.warnings if text not in warnings]
    warnings += growing([run.growth for run in runs])
    return Outcome(model=model, seed=seed, warmup_s=warmup_s, runs=runs, warnings=warnings)


def _floor(model: Model, seed: int, number: int) -> Floor:
    pair = number // 2 if model.antithetic else number
    return Floor(seed=f"{seed}/{pair}", is_mirrored=model.antithetic and number % 2 == 1)


def _say_share(say: Tell, told: str, horizon_s: float, share: float) -> None:
    """Say also the time: of a horizon that is far too long nobody would see a share."""
    say(f"{told}: {share:.0%}, {share * horizon_s:.6g} s of {horizon_s:g} s")


def run_once(
    model: Model, *, seed: int, number: int, warmup_s: float, tell: Callable[[float], None] | None = None
) -> Run:
    """Run once, as replication `number` from 0 on; `tell` hears now and then which share is done."""
    line = build(model, _floor(model, seed, number))
    line.floor.run(model.horizon_s, warmup_s, tell)
    return Run(
        figures=dict(flat(figures_of(line, model))),
        bottleneck=_bottleneck(line),
        flow=line.floor.flow.values,
        warnings=deadlocks(line),
        growth={
            name: Growth(by=block.grown, came=block.came)
            for name, block in line.blocks.items()
            if isinstance(block, Block)
        },
    )


def _warmup(model: Model, seed: int, warnings: list[str], tell: Tell | None) -> float:
    """Run pilots with seeds of their own, and give the longest warm-up; half of the horizon when one has not settled."""
    longest, count = 0.0, min(PILOTS, model.replications)
    for n in range(count):
        told = f"pilot run {n + 1} of {count}"
        tell_share = partial(_say_share, tell, told, model.horizon_s) if tell is not None else None
        line = build(model, Floor(seed=f"{seed}/pilot/{n}"))
        line.floor.run(model.horizon_s, tell=tell_share)
        cut = mser5(line.floor.flow.values)
        if cut is None:
            has_any = bool(line.floor.flow.values)
            warnings.append(UNSETTLED if has_any else NOTHING_TO_SETTLE)
            return model.horizon_s / 2
        longest = max(longest, line.floor.left_at[cut] if cut else 0.0)
    return longest


# -- what a run says -----------------------------------------------------------------------------------------------------


def figures_of(line: Line, model: Model) -> Figures:
    """Give all figures of a line that has run, as nested tables."""
    floor = line.floor
    now = floor.env.now
    lasted = now - floor.since
    throughput = floor.left / lasted
    wip, flow = floor.wip.mean(now), floor.flow.mean()
    system: Figures = {
        "arrivals": floor.came,
        "departures": floor.left,
        "lost": floor.lost,
        "scrapped": floor.scrapped,
        "throughput": throughput,
        "wip": wip,
        "flow": flow,
        "flow_deviation": floor.flow.deviation(),
        **{f"flow_p{percent}": floor.flow.percentile(percent) for percent in (50, 90, 95, 99)},
    }
    is_open = not any(getattr(part, "initial", None) for part in model.blocks.values())
    if floor.made or floor.used:
        system |= {"made": floor.made, "used": floor.used}
    elif floor.left and is_open and not floor.lost and not floor.scrapped:
        system["little_residual"] = little_residual(wip, throughput, flow)
    blocks = {name: block.figures() for name, block in line.blocks.items()}
    for name, block in line.blocks.items():
        if isinstance(block, Server) and not block.is_endless:
            blocks[name]["oee"] = effectiveness(block, model.blocks[name], lasted)
    classes = {kind: {"flow": tally.mean(), "departures": len(tally)} for kind, tally in sorted(floor.flow_of.items())}
    return {"system": system, "blocks": blocks, "classes": classes}


def flat(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, float]]:
    """Give every number of nested tables by its dotted name; `blocks.` and `system.` are left out of it."""
    for key, value in table.items():
        name = f"{before}{key}"
        if isinstance(value, Mapping):
            yield from flat(value, "" if name in ("blocks", "system") else f"{name}.")
        elif isinstance(value, list):
            yield from ((f"{name}.{n}", float(one)) for n, one in enumerate(value))
        else:
            yield name, float(value)


def _bottleneck(line: Line) -> dict[str, Any]:
    """Give the evidence: shares as the longest active period, and shares of time starved or blocked."""
    floor = line.floor
    now = floor.env.now
    periods: dict[str, list[tuple[float, float]]] = {}
    waiting: dict[str, float] = {}
    for name, block in line.blocks.items():
        if isinstance(block, Server) and not block.is_endless:
            states = block.states()
            waiting[name] = states["starved"] + states["blocked"]
            if len(block.channels) == 1:
                periods[name] = block.channels[0].times.active_until(now)
        elif isinstance(block, (Conveyor, Belt)):
            continue
    shares = active_periods(periods, floor.since, now) if len(periods) > 1 else {}
    longest = max(shares, key=lambda name: shares[name].either, default=None)
    return {
        "longest_active": longest,
        "active_shares": {name: {"sole": share.sole, "shifting": share.shifting} for name, share in shares.items()},
        "least_waiting": least_waiting(waiting),
        "waiting_shares": waiting,
    }


def batches(run: Run, level: float) -> dict[str, float]:
    """Give the interval of the mean flow time from batches of one run, and how independent the batches are."""
    found = batch_means(run.flow, level=level)
    return {"estimate": found.interval.estimate, "half": found.interval.half, "von_neumann": found.von_neumann}
