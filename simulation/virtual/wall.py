"""Gives a library that mixes `time.monotonic()` with the loop's sleeps the loop's own time.

asyncua does so in its subscriptions and sessions: in virtual time its publishing would drift with the computer's load. pymodbus
needs none of it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from types import ModuleType
from typing import Any

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
