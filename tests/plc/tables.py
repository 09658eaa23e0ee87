"""A plain machine that is a table of registers, under a clock that the test moves."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from packline.core.clock import ManualClock
from plc.brains import brain_for
from plc.machine_file import MachineFile, shipped_machine
from plc.memory_link import MemoryLink, MemoryMachine, MemoryTables
from plc.tags.codec import put
from tests.waiting import let_run

T = TypeVar("T")
TURNS = 15
STEP_S = 0.01
MOST_STEPS = 6000


class Tables(MemoryTables):
    """Registers that a test sets by the names of tags."""

    def show(self, file: MachineFile, **values: Any) -> None:
        """Set tags as the machine would show them."""
        for name, value in values.items():
            wired = file.wired[name]
            present = [self.words.get((wired.area, wired.start + n), 0) for n in range(wired.count)]
            self.put(wired.area, wired.start, put(wired, value, present))

    def shown(self, file: MachineFile, name: str) -> int:
        """Give the first register or the bit of a tag."""
        wired = file.wired[name]
        return self.words.get((wired.area, wired.start), 0)


class TableStand:
    """The tables, their link, and time."""

    def __init__(self, file: MachineFile, tables: Tables) -> None:
        self.file, self.tables, self.clock = file, tables, ManualClock()
        # the brain is not used: only the link's faults and its tables are
        other = MemoryMachine(brain=brain_for(shipped_machine("applicator"), random.Random(1)), clock=self.clock)
        self.link = MemoryLink(machine=other, clock=self.clock, tables=tables)

    def show(self, **values: Any) -> None:
        """Set tags."""
        self.tables.show(self.file, **values)

    def given(self) -> dict[str, Any]:
        """Give what a plain machine is made of."""
        return {"name": "m1", "file": self.file, "link": self.link, "clock": self.clock, "rng": random.Random(2)}

    async def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Let time pass until `work` is done."""
        task = asyncio.ensure_future(work)
        for _ in range(MOST_STEPS):
            if task.done():
                return task.result()
            await self._step()
        task.cancel()
        raise AssertionError("never ended")

    async def until(self, holds: Callable[[], bool]) -> None:
        """Let time pass until something holds."""
        for _ in range(MOST_STEPS):
            if holds():
                return
            await self._step()
        raise AssertionError("never held")

    async def rest(self, seconds: float) -> None:
        """Let time pass."""
        await self.do(self.clock.sleep(seconds))

    async def _step(self) -> None:
        await let_run(TURNS)
        self.clock.advance(STEP_S)
