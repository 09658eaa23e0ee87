"""Waits for what a fault waits for: a time, a fact of the plant, or a commit of the controller."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from packline.core.clock import Clock
from simulation.plant.truth import Fact
from simulation.virtual.faults import PlannedFault, When


class Moments:
    """Hears facts and commits, and wakes whoever waits for one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._facts: Counter[str] = Counter()
        self._waiting: dict[tuple[str, int], list[asyncio.Future[None]]] = {}
        self._at_commit: dict[int, list[Callable[[], None]]] = {}

    async def of(self, fault: PlannedFault) -> None:
        """Wait until a fault is due; for a fact that has happened already, for ever."""
        if fault.when is None:
            await self._clock.sleep(max(fault.at_s - self._clock.monotonic(), 0.0))
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(_key(fault.when), []).append(future)
        await future

    def at_commit(self, number: int, act: Callable[[], None]) -> None:
        """Have `act` called in the moment before the commit of that number is made."""
        self._at_commit.setdefault(number, []).append(act)

    def hear(self, fact: Fact) -> None:
        """Take a fact."""
        self._facts[fact.name] += 1
        self._wake((fact.name, self._facts[fact.name]))

    def commit(self, number: int) -> None:
        """Take the number of the commit that is about to be made."""
        for act in self._at_commit.pop(number, ()):
            act()
        self._wake(("", number))

    def _wake(self, key: tuple[str, int]) -> None:
        for future in self._waiting.pop(key, ()) if self._waiting else ():
            if not future.done():
                future.set_result(None)


def _key(when: When) -> tuple[str, int]:
    return ("", when.commit) if when.commit else (when.fact, when.nth)
