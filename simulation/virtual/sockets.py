"""The virtual loop with real sockets: both ends in this process over the loopback, or the plant alone at a pace of the wall clock."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import Any, TypeVar

import simpy

from simulation.virtual.loop import Events, VirtualLoop

T = TypeVar("T")

MOST_SLEEP_S = 86_400.0
"""What a selector takes for a time-out is bounded; after a day it may look again."""


class LoopbackLoop(VirtualLoop):
    """Virtual time with sockets: before each jump it looks whether one has something, and lets threads finish.

    Delivery over the loopback is done when the sender's call returns, so that one process that holds both ends is as
    reproducible as one without sockets.
    """

    def __init__(self, env: simpy.Environment, **options: Any) -> None:
        self._in_threads = 0
        super().__init__(env, **options)

    def wait_for_news(self, timeout: float | None) -> Events:
        """Look at the sockets; only when all of them are silent, let time pass."""
        self.looks += 1
        events = self._selector.select(0)
        if events or self._ready or self._stopping or timeout == 0:
            return events
        if self._in_threads:  # it wakes us by the loop's own pipe; in virtual time it took none
            return self._selector.select(None)
        self._advance()
        return []

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]
        """Run `func` in a thread; virtual time stands still until it is done."""
        self._in_threads += 1
        future = asyncio.SelectorEventLoop.run_in_executor(self, executor, func, *args)
        future.add_done_callback(self._thread_is_done)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - asyncio's own name
        """Wait for the threads: they are joined by a thread."""
        del timeout
        self._in_threads += 1
        try:
            await super().shutdown_default_executor()
        finally:
            self._in_threads -= 1

    def _thread_is_done(self, _future: asyncio.Future[Any]) -> None:
        self._in_threads -= 1

    def _write_to_self(self) -> None:
        asyncio.SelectorEventLoop._write_to_self(self)  # type: ignore[attr-defined]  # a thread may be the one who calls


class PacedLoop(LoopbackLoop):
    """Scaled real time: `factor` of the loop's seconds pass in one second of the wall clock; it sleeps in the real selector.

    A socket is served at once, also while the next event of the plant is far. Time is frozen within one turn of the loop, so
    that plant and controller agree on now. A process that cannot keep up falls behind and skips nothing; `most_lag_s` tells how
    late, in the loop's seconds, it ever came to what was due.
    """

    def __init__(self, env: simpy.Environment, *, factor: float = 1.0, **options: Any) -> None:
        self.factor = factor
        self.most_lag_s = 0.0
        super().__init__(env, **options)
        self._began = time.monotonic()
        self._from = self._time

    def wall(self, seconds: float) -> float:
        """Give how many of the loop's seconds pass while `seconds` pass on the wall clock: what a wire's time-out must be."""
        return seconds * self.factor

    def wait_for_news(self, timeout: float | None) -> Events:
        """Sleep until a socket, a timer or the plant wants something."""
        self.looks += 1
        events = self._selector.select(self._sleep_s(timeout))
        self._catch_up(self._due_now())
        return events

    def _due_now(self) -> float:
        return self._from + (time.monotonic() - self._began) * self.factor

    def _sleep_s(self, timeout: float | None) -> float | None:
        if timeout == 0:
            return 0.0
        due = self._due_first()
        return None if due == math.inf else min(max(0.0, (due - self._due_now()) / self.factor), MOST_SLEEP_S)

    def _catch_up(self, now: float) -> None:
        queue = self.env._queue
        self.most_lag_s = max(self.most_lag_s, now - self._due_first())
        while queue and queue[0][0] <= now * self.rate:
            self._step()
            if self._ready:
                return
        self._jump(now)

    def _due_first(self) -> float:
        timer = self._scheduled[0][0] if self._scheduled else math.inf
        return min(timer, self.env.peek() / self.rate)
