"""Which machine holds the line back: by the longest active period, and by the least time starved or blocked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
    chain = _chain(periods, begin, end)
    for n, (name, first, last) in enumerate(chain):
        before = chain[n - 1][2] if n else first
        after = chain[n + 1][1] if n + 1 < len(chain) else last
        alone_from, alone_to = max(first, before), min(last, after)
        sole[name] += max(0.0, alone_to - alone_from)
        if after < last:
            overlap = last - max(after, first)
            shifting[name] += overlap
            shifting[chain[n + 1][0]] += overlap
    total = end - begin
    return {name: Share(sole=sole[name] / total, shifting=shifting[name] / total) for name in periods}


def _chain(periods: Mapping[str, Sequence[Period]], begin: float, end: float) -> list[tuple[str, float, float]]:
    """Give the periods that are the bottleneck one after the other; ties go to the machine named first."""
    known = sorted(
        (max(first, begin), min(last, end), n, name)
        for n, (name, own) in enumerate(periods.items())
        for first, last in own
        if last > begin and first < end and last > first
    )
    chain: list[tuple[str, float, float]] = []
    open_: list[tuple[float, float, int, str]] = []
    next_ = 0
    now = begin
    while next_ < len(known) or open_:
        while next_ < len(known) and known[next_][0] <= now:
            open_.append(known[next_])
            next_ += 1
        open_ = [period for period in open_ if period[1] > now]
        if not open_:
            if next_ == len(known):
                break
            now = known[next_][0]
            continue
        first, last, _, name = max(open_, key=lambda period: (period[1] - period[0], -period[2]))
        chain.append((name, first, last))
        now = last
    return chain


def least_waiting(waiting: Mapping[str, float]) -> str | None:
    """Give the machine with the least share of time starved or blocked; None of none. Ties go to the first."""
    return min(waiting, key=lambda name: waiting[name], default=None)
