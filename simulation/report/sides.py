"""One side of a report: the shifts that were played of one scenario, and what is known of their figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from simulation.recording.rows import Recording
from simulation.report.figures import ShiftFigures, figures_of
from simulation.statistics.intervals import Interval, over_replications, paired
from simulation.statistics.student import t_quantile

UNENDED = "not every order ended well"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """`shifts` stand in the order of their seeds; the first is the one that is shown in detail."""

    name: str
    recordings: Sequence[Recording]
    shifts: Sequence[ShiftFigures]

    @property
    def seeds(self) -> list[int]:
        """List the seeds."""
        return [recording.head.seed for recording in self.recordings]

    @property
    def is_well(self) -> bool:
        """Tell whether every shift was."""
        return all(recording.head.is_well for recording in self.recordings)

    def wrongs(self) -> dict[int, tuple[str, ...]]:
        """Give what was wrong in each shift that was not well, by seed."""
        bad = [recording.head for recording in self.recordings if not recording.head.is_well]
        return {head.seed: head.broken or (UNENDED,) for head in bad}

    def names(self) -> list[str]:
        """List the figures that any shift has."""
        return list(dict.fromkeys(name for shift in self.shifts for name in shift.numbers))

    def values(self, name: str) -> list[float]:
        """Give a figure of each shift; nan where one has none."""
        return [shift.numbers.get(name, math.nan) for shift in self.shifts]

    def interval(self, name: str) -> Interval:
        """Give the interval of a figure over the shifts."""
        return over_replications(self.values(name))


def side_of(name: str, recordings: Sequence[Recording]) -> Side:
    """Put shifts together; raises ValueError for none."""
    if not recordings:
        raise ValueError("a side of a report is at least one shift")
    ordered = sorted(recordings, key=lambda recording: recording.head.seed)
    return Side(name=name, recordings=ordered, shifts=[figures_of(recording) for recording in ordered])


def shown_s(sides: Sequence[Side]) -> float:
    """Give the end of the longest shift that is shown: one scale of time for all, so that they can be compared by eye."""
    return max(side.recordings[0].head.ended_s for side in sides)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Second minus first. `is_paired`: seed by seed with common random numbers; `apart` is the half width without them."""

    name: str
    interval: Interval
    apart: float
    is_paired: bool

    @property
    def is_told(self) -> bool:
        """Tell whether the interval leaves zero out: the two differ."""
        return math.isfinite(self.interval.half) and not self.interval.holds(0.0)


def differences(first: Side, second: Side) -> list[Difference]:
    """Give the difference of every figure that both have."""
    common = set(second.names())
    return [_difference(first, second, name) for name in first.names() if name in common]


def _difference(first: Side, second: Side, name: str) -> Difference:
    a, b = first.interval(name), second.interval(name)
    apart = _apart(a, b)
    if first.seeds == second.seeds:
        return Difference(
            name=name, interval=paired(second.values(name), first.values(name)), apart=apart, is_paired=True
        )
    interval = Interval(estimate=b.estimate - a.estimate, half=apart, of=min(a.of, b.of))
    return Difference(name=name, interval=interval, apart=apart, is_paired=False)


def _apart(a: Interval, b: Interval) -> float:
    """Give the half width of a difference of two independent means (Welch; Law, Simulation Modeling and Analysis, 10.2.2)."""
    if a.of < 2 or b.of < 2:
        return math.inf
    p = (1 + a.level) / 2
    va, vb = (a.half / t_quantile(p, a.of - 1)) ** 2, (b.half / t_quantile(p, b.of - 1)) ** 2
    if va + vb == 0:
        return 0.0
    freedom = (va + vb) ** 2 / (va**2 / (a.of - 1) + vb**2 / (b.of - 1))
    return t_quantile(p, freedom) * math.sqrt(va + vb)
