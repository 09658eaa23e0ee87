"""Which machine holds the line back: by the longest active period, and by the least time starved or blocked."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

Period = tuple[float, float]
"""Begin and end, in seconds, of a time in which a machine was neither starved nor blocked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How much of the time a machine was the momentary bottleneck: alone, and while the bottleneck shifted."""

    sole: float
    shifting: float

    @property
    def either(self) -> float:
        """Give both together."""
        return self.sole + self.shifting


def active_periods(periods: Mapping[str, Sequence[Period]], begin: float, end: float) -> dict[str, Share]:
    """Give each machine's share of [begin, end] as the momentary bottleneck (Roser, Nakano, Tanaka, WSC 2002).

    At any instant the machine in the longest uninterrupted active period is the bottleneck. Where the period of the
    bottleneck and that of the one after it overlap, the bottleneck shifts, and both are counted. Raises ValueError
    when no time lies between begin and end.
    """
    if end <= begin:
        raise ValueError(f"no time between {begin} and {end}")
    sole, shifting = dict.fromkeys(periods, 0.0), dict.fromkeys(periods, 0.0)
    for lasted, names in _spans(_longest(_within(periods, begin, end))):
        share = lasted / (end - begin)
        for name in names:
            (sole if len(names) == 1 else shifting)[name] += share
    return {name: Share(sole=sole[name], shifting=shifting[name]) for name in periods}


_Named = tuple[float, float, int, str]
"""Begin, end, number and name of a machine's period."""


def _within(periods: Mapping[str, Sequence[Period]], begin: float, end: float) -> list[_Named]:
    return sorted(
        (max(first, begin), min(last, end), n, name)
        for n, (name, own) in enumerate(periods.items())
        for first, last in own
        if last > begin and first < end and last > first
    )


def _longest(known: Sequence[_Named]) -> list[_Named]:
    """Give the periods that are the longest of those open at some instant, in time; ties go to the machine named first.

    One of them ends with its period, or when a longer one begins.
    """
    found: list[_Named] = []
    open_: list[_Named] = []
    next_ = 0
    while next_ < len(known) or open_:
        begins = known[next_][0] if next_ < len(known) else math.inf
        now = min(begins, found[-1][1]) if open_ else begins
        while next_ < len(known) and known[next_][0] <= now:
            open_.append(known[next_])
            next_ += 1
        open_ = [period for period in open_ if period[1] > now]
        if not open_:
            continue
        longest = max(open_, key=lambda period: (period[1] - period[0], -period[2]))
        is_over = not found or found[-1][1] <= now
        if is_over or longest[1] - longest[0] > found[-1][1] - found[-1][0]:
            found.append(longest)
    return found


def _spans(periods: Sequence[_Named]) -> Iterator[tuple[float, list[str]]]:
    """Give each stretch of time in which the same ones of these periods are open: how long it is, and whose they are."""
    edges = sorted((edge, n) for n, (first, last, _, _) in enumerate(periods) for edge in (first, last))
    open_: set[int] = set()
    for (edge, n), (after, _) in pairwise(edges):
        open_ ^= {n}
        if open_ and after > edge:
            yield after - edge, [periods[one][3] for one in sorted(open_)]


def least_waiting(waiting: Mapping[str, float]) -> str | None:
    """Give the machine with the least share of time starved or blocked; None of none. Ties go to the first."""
    return min(waiting, key=lambda name: waiting[name], default=None)
