"""Gives a library that mixes `time.monotonic()` with the loop's sleeps the loop's own time.

asyncua does so in its subscriptions and sessions: in virtual time its publishing would drift with the computer's load. pymodbus
needs none of it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

from packline.core.clock import LoopClock

OF_ASYNCUA = (
    "asyncua.client.client",
    "asyncua.common.subscription",
    "asyncua.server.internal_session",
    "asyncua.server.internal_subscription",
    "asyncua.server.uaprocessor",
)
"""The modules of asyncua that do so; named, not imported: that takes a second."""


class LoopTime:
    """What a patched module takes for the module `time`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, epoch: datetime) -> None:
        self._loop, self._epoch_s = loop, epoch.timestamp()

    def monotonic(self) -> float:
        """Give the loop's seconds."""
        return self._loop.time()

    perf_counter = monotonic

    def time(self) -> float:
        """Give the loop's calendar in seconds since 1970."""
        return self._epoch_s + self._loop.time()

    def __getattr__(self, name: str) -> Any:
        """Give everything else of the real one."""
        return getattr(time, name)


@contextmanager
def patched_time(loop: asyncio.AbstractEventLoop, epoch: datetime, *modules: ModuleType) -> Iterator[None]:
    """Let `modules`, each of which has imported `time`, read the loop's time; ends with what they had before."""
    before = [(module, module.time) for module in modules if hasattr(module, "time")]
    for module, _ in before:
        module.time = LoopTime(loop, epoch)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for module, was in before:
            module.time = was  # type: ignore[attr-defined]


class FastClock(LoopClock):
    """A clock that runs `factor` times faster than the computer's, on a paced loop, in threads, and without any loop alike.

    All clocks of a computer that are given the same `began` (of `time.monotonic()`) and `epoch` agree on now.
    """

    def __init__(self, *, factor: float, began: float, epoch: datetime) -> None:
        super().__init__(epoch)
        self._factor, self._began, self._start = factor, began, epoch

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._seconds())

    def monotonic(self) -> float:
        try:
            return super().monotonic()
        except RuntimeError:  # a thread, or a process without a loop
            return self._seconds()

    def _seconds(self) -> float:
        return (time.monotonic() - self._began) * self._factor
