"""Drives the plant's SimPy clock by the wall clock: `speed` simulated seconds pass in one wall second."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any, TypeVar

import simpy

from packline.core.clock import Clock

T = TypeVar("T")


class Pacer:
    """A Motion slaved to a clock. SimPy runs only in here: in `run`, and in `do` when something outside touches the plant.

    An outside change takes effect at the simulated moment it arrives, not at the next SimPy event: the plant is brought up to
    now first. What SimPy processes raise comes out of `run` or `do`; a broken plant is not played on.
    """

    def __init__(self, env: simpy.Environment, speed: float, clock: Clock) -> None:
        if not speed > 0:
            raise ValueError(f"speed {speed}: must be above 0")
        self.env = env
        self.speed = speed
        self._clock = clock
        self._start: float | None = None
        self._kick = asyncio.Event()
        self._inside = False

    def now(self) -> float:
        """Give the simulated seconds since the start."""
        return float(self.env.now)

    def do(self, act: Callable[[], T]) -> T:
        """Change the plant at the present moment, and run what begins at once."""
        if self._inside:
            return act()
        self._inside = True
        try:
            self._catch_up()
            result = act()
            self._run_due(self.env.now)
        finally:
            self._inside = False
        self._kick.set()
        return result

    async def sleep(self, sim_s: float) -> None:
        """Wait `sim_s` (>= 0) simulated seconds."""
        await self.until(lambda: self.env.timeout(sim_s))

    async def until(self, event: Callable[[], simpy.Event]) -> Any:
        """Wait for the event that `event` gives; returns its value."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.do(lambda: _tell(event(), future))
        return await future

    async def run(self) -> None:
        """Run the plant for ever."""
        while True:
            self._kick.clear()
            self.do(_nothing)
            self._kick.clear()
            wait_s = (self.env.peek() - self._due()) / self.speed
            await self._wait(max(wait_s, 0.0))

    async def _wait(self, wait_s: float) -> None:
        if math.isinf(wait_s):
            await self._kick.wait()
            return
        try:
            await self._clock.within(wait_s, self._kick.wait())
        except TimeoutError:
            return

    def _due(self) -> float:
        if self._start is None:
            self._start = self._clock.monotonic() - self.env.now / self.speed
        return (self._clock.monotonic() - self._start) * self.speed

    def _catch_up(self) -> None:
        due = self._due()
        self._run_due(due)
        if due > self.env.now:
            self.env.run(until=due)

    def _run_due(self, due: float) -> None:
        while self.env.peek() <= due:
            self.env.step()


def _tell(event: simpy.Event, future: asyncio.Future[Any]) -> None:
    """Hand the event's value over when it has happened; a cancelled waiter is no error."""

    def tell(happened: simpy.Event) -> None:
        if not future.done():
            future.set_result(happened.value)

    if event.processed:
        tell(event)
    else:
        event.callbacks.append(tell)


def _nothing() -> None:
    return None
