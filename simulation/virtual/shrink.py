"""Finds the least that still fails: fewest faults (delta debugging), then fewest orders, then the shortest faults that strike least. Pure.

Often a fault is there only to bring another one about in time: one that lies in wait from the beginning does without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from simulation.virtual.faults import LASTS_S, STRIKES_WITHIN_S, PlannedFault

T = TypeVar("T")

MOST_TRIES = 200
Fails = Callable[[tuple[PlannedFault, ...], int], bool]
"""Tells whether a shift with these faults and so many orders still fails in the same way."""


def shrink(faults: Sequence[PlannedFault], orders: int, fails: Fails) -> tuple[tuple[PlannedFault, ...], int]:
    """Give the least faults and orders that fail; a shift that does not fail is given back as it is."""
    budget = _Budget(fails)
    kept = _alone(least(tuple(faults), lambda some: budget.fails(some, orders)), orders, budget)
    for fewer in (n for n in (1, 2, 3, orders // 2) if 0 < n < orders):
        if budget.fails(kept, fewer):
            orders = fewer
            break
    return _shortened(kept, orders, budget), orders


def least(things: tuple[T, ...], fails: Callable[[tuple[T, ...]], bool]) -> tuple[T, ...]:
    """Give a smallest part of `things`, in their order, that still fails (ddmin, Zeller and Hildebrandt 2002)."""
    if things and fails(()):
        return ()
    parts = 2
    while len(things) > 1:
        size = max(1, len(things) // parts)
        rests = (things[:at] + things[at + size :] for at in range(0, len(things), size))
        found = next((rest for rest in rests if rest and fails(rest)), None)
        if found is not None:
            things, parts = found, max(2, parts - 1)
        elif size == 1:
            break
        else:
            parts = min(len(things), parts * 2)
    return things


class _Budget:
    """Bounds the tries: after MOST_TRIES nothing fails any more, and what was found so far stands."""

    def __init__(self, fails: Fails) -> None:
        self._fails, self._left = fails, MOST_TRIES

    def fails(self, faults: tuple[PlannedFault, ...], orders: int) -> bool:
        self._left -= 1
        return self._left >= 0 and self._fails(faults, orders)


def _alone(faults: tuple[PlannedFault, ...], orders: int, budget: _Budget) -> tuple[PlannedFault, ...]:
    """Do without faults in whose place another one lies in wait."""
    while len(faults) > 1:
        fewer = next((less for less in _without_one(faults) if budget.fails(less, orders)), None)
        if fewer is None:
            break
        faults = least(fewer, lambda some: budget.fails(some, orders))
    return faults


def _without_one(faults: tuple[PlannedFault, ...]) -> Iterator[tuple[PlannedFault, ...]]:
    for n, fault in enumerate(faults):
        for patient in _patient(fault):
            waiting = (*faults[:n], patient, *faults[n + 1 :])
            yield from (waiting[:m] + waiting[m + 1 :] for m in range(len(faults)) if m != n)


def _patient(fault: PlannedFault) -> Iterator[PlannedFault]:
    """Give the fault as it lies in wait: from its moment on, and from the beginning; one that strikes at once cannot."""
    if fault.for_s is not None and fault.times is not None:
        yield replace(fault, for_s=STRIKES_WITHIN_S)
        yield replace(fault, for_s=STRIKES_WITHIN_S, when=None, at_s=0.0)


def _shortened(faults: tuple[PlannedFault, ...], orders: int, budget: _Budget) -> tuple[PlannedFault, ...]:
    for n, fault in enumerate(faults):
        for for_s in LASTS_S if fault.for_s is not None else ():
            shorter = (*faults[:n], replace(fault, for_s=for_s), *faults[n + 1 :])
            if for_s < (fault.for_s or 0.0) and budget.fails(shorter, orders):
                faults = shorter
                break
        once = (*faults[:n], replace(faults[n], times=1), *faults[n + 1 :])
        if (faults[n].times or 1) > 1 and budget.fails(once, orders):
            faults = once
    return faults
