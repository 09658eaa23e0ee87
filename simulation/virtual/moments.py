"""Waits for what a fault waits for: a time, a fact of the plant, a motion of a machine, or a commit of the controller."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection

from packline.core.clock import Clock
from simulation.plant.truth import Fact
from simulation.virtual.faults import MOTION, PlannedFault, When


class Moments:
    """Hears facts, motions and commits, and wakes whoever waits for one."""

    def __init__(self, clock: Clock, machines: Collection[str] = ()) -> None:
        """`machines` names those whose motions are counted: each waits for its own, everybody else for those of all."""
        self._clock, self._machines = clock, frozenset(machines)
        self._facts: Counter[str] = Counter()
        self._waiting: dict[tuple[str, int], list[asyncio.Future[None]]] = {}
        self._at_commit: dict[int, list[Callable[[], None]]] = {}

    async def of(self, fault: PlannedFault) -> None:
        """Wait until a fault is due; for a fact that has happened already, for ever."""
        if fault.when is None:
            await self._clock.sleep(max(fault.at_s - self._clock.monotonic(), 0.0))
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(self._key(fault.when, fault.device), []).append(future)
        await future

    def at_commit(self, number: int, act: Callable[[], None]) -> None:
        """Have `act` called in the moment before the commit of that number is made."""
        self._at_commit.setdefault(number, []).append(act)

    def hear(self, fact: Fact) -> None:
        """Take a fact."""
        self._count(fact.name)

    def moved(self, machine: str, what: str) -> None:
        """Take what happens at a machine: that a motion of it "begins" counts."""
        if what == "begins":
            self._count(MOTION)
            self._count(f"{MOTION} {machine}")

    def commit(self, number: int) -> None:
        """Take the number of the commit that is about to be made."""
        for act in self._at_commit.pop(number, ()):
            act()
        self._wake(("", number))

    def _count(self, name: str) -> None:
        self._facts[name] += 1
        self._wake((name, self._facts[name]))

    def _key(self, when: When, device: str) -> tuple[str, int]:
        if when.commit:
            return "", when.commit
        is_own = when.fact == MOTION and device in self._machines
        return f"{MOTION} {device}" if is_own else when.fact, when.nth

    def _wake(self, key: tuple[str, int]) -> None:
        for future in self._waiting.pop(key, ()) if self._waiting else ():
            if not future.done():
                future.set_result(None)
