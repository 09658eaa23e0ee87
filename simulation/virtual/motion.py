"""The plant's time on the virtual loop: SimPy is always at now, so nothing has to catch up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import simpy

from simulation.virtual.loop import VirtualLoop

T = TypeVar("T")


class VirtualMotion:
    """A Motion on a VirtualLoop; to be made while it runs."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self.env = loop.env
        self.speed = loop.rate

    def now(self) -> float:
        """Give the simulated seconds since the start."""
        return float(self.env.now)

    def do(self, act: Callable[[], T]) -> T:
        """Change the plant, and run what begins at once."""
        if self._loop.is_stepping:
            return act()
        result = act()
        self._loop.settle()
        self._loop.happened()
        return result

    async def sleep(self, sim_s: float) -> None:
        """Wait `sim_s` (>= 0) simulated seconds."""
        await self.until(lambda: self.env.timeout(sim_s))

    async def until(self, event: Callable[[], simpy.Event]) -> Any:
        """Wait for the SimPy event that `event` gives; returns its value."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.do(lambda: _tell(event(), future))
        return await future


def _tell(event: simpy.Event, future: asyncio.Future[Any]) -> None:
    """Hand the event's value over when it has happened; a cancelled waiter is no error."""

    def tell(happened: simpy.Event) -> None:
        if not future.done():
            future.set_result(happened.value)

    if event.processed:
        tell(event)
    else:
        event.callbacks.append(tell)
