"""One pace for everything in a process: its loop, its calendar, and the libraries that look at the computer's own time."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

from packline.core.clock import Clock, LoopClock, WallClock
from simulation.virtual.loop import run
from simulation.virtual.paced import paced_loop
from simulation.virtual.sockets import PacedLoop
from simulation.virtual.wall import OF_ASYNCUA, patched_time


def run_paced(
    make: Callable[[], Coroutine[Any, Any, None]], *, factor: float, speed: float = 1.0, began: float | None = None
) -> None:
    """Run what `make` gives on a loop of that pace; to be told to stop is its end."""
    with contextlib.suppress(asyncio.CancelledError):
        run(make(), lambda: paced_loop(factor=factor, speed=speed, began=began))


def calendar(factor: float) -> Clock:
    """Give the clock of the running paced loop: its calendar begins at the computer's and runs `factor` times faster."""
    if factor == 1.0:
        return LoopClock()
    now_s = asyncio.get_running_loop().time()
    return LoopClock(WallClock().now() - timedelta(seconds=now_s))


def patched(loop: PacedLoop, clock: Clock) -> AbstractContextManager[None]:
    """Give asyncua the loop's time where it is another than the computer's."""
    if loop.factor == 1.0:
        return contextlib.nullcontext()
    modules = [importlib.import_module(name) for name in OF_ASYNCUA]
    return patched_time(loop, clock.now() - timedelta(seconds=loop.time()), *modules)
