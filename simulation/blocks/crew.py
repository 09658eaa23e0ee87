"""Operators: so many of them, by shifts, for whoever asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any, Protocol

from simulation.blocks.floor import Due, Floor
from simulation.statistics.tallies import Level


class Asker(Protocol):
    """Who asked for an operator, and is told when there is one."""

    def granted(self) -> None:
        """Begin: an operator is here."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """From `from_s` to below `to_s` of each cycle, `count` operators are there."""

    from_s: float
    to_s: float
    count: int


class Crew:
    """Operators. What somebody has begun is finished after the shift's end; nothing new is begun.

    Who asks with the lower priority number is served first, then who asked first.
    """

    kind = "operator"

    def __init__(
        self, floor: Floor, name: str, *, count: int = 1, shifts: Sequence[Shift] = (), cycle_s: float = 86400.0
    ) -> None:
        self.floor = floor
        self.env = floor.env
        self.name = name
        self._shifts = tuple(shifts)
        self._cycle_s = cycle_s
        self._asked: list[tuple[int, int, Asker]] = []
        self._number = 0
        self.there = Level(self.env.now, count if not shifts else self._on_duty(0.0))
        self.busy = Level(self.env.now)
        self.served = 0
        floor.add(self)
        if shifts:
            self._wait_for_change(0.0)

    def reset(self) -> None:
        self.served = 0
        self.there.reset(self.env.now)
        self.busy.reset(self.env.now)

    def ask(self, asker: Asker, priority: int = 0) -> bool:
        """Take an operator now, or be granted one later."""
        if self.busy.value < self.there.value and not self._asked:
            self._give()
            return True
        self._number += 1
        heappush(self._asked, (priority, self._number, asker))
        return False

    def withdraw(self, asker: Asker) -> None:
        """Ask no more."""
        self._asked = [one for one in self._asked if one[2] is not asker]
        self._asked.sort()

    def release(self) -> None:
        """Let an operator go, to whoever waits."""
        self.busy.change(self.env.now, -1)
        self._serve()

    def figures(self) -> dict[str, Any]:
        """Give what was measured since the reset: mean numbers there and busy, and busy as a share of there."""
        now = self.env.now
        there, busy = self.there.mean(now), self.busy.mean(now)
        return {"served": self.served, "there": there, "number": busy, "utilization": busy / there if there else 0.0}

    def _give(self) -> None:
        self.served += 1
        self.busy.change(self.env.now, 1)

    def _serve(self) -> None:
        while self._asked and self.busy.value < self.there.value:
            _, _, asker = heappop(self._asked)
            self._give()
            asker.granted()

    def _on_duty(self, at_s: float) -> int:
        return sum(shift.count for shift in self._shifts if shift.from_s <= at_s < shift.to_s)

    def _wait_for_change(self, at_s: float) -> None:
        """`at_s` is the second of the cycle that it is now; whole edges are kept, so that no rounding passes one by."""
        edges = sorted({edge for s in self._shifts for edge in (s.from_s, s.to_s)} | {self._cycle_s})
        then = next(edge for edge in edges if edge > at_s)

        def change(_due: Due) -> None:
            now_s = then % self._cycle_s
            self.there.change(self.env.now, self._on_duty(now_s) - self.there.value)
            self._serve()
            self._wait_for_change(now_s)

        self.floor.after(then - at_s, change)
