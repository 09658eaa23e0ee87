"""How tests wait: for something that is seen, with a deadline that only a standstill meets; never for a length of time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from inspect import isawaitable
from typing import Any, TypeVar

T = TypeVar("T")

PATIENCE_S = 30.0
"""How long something may take on the wall; a loaded computer is slow, and a test that is red early tells nothing."""
LOOK_S = 0.005
TURNS = 400
"""How many turns of the loop something may take in virtual time."""


async def eventually(holds: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """Look until `holds()` (or what it awaits) is true and give that, while time passes on the wall; raises TimeoutError."""
    async with asyncio.timeout(patience_s):
        while not (seen := await _seen(holds)):
            await asyncio.sleep(LOOK_S)
        return seen


async def until(holds: Callable[[], Any], turns: int = TURNS) -> Any:
    """Turn the loop until `holds()` (or what it awaits) is true and give that; no time passes, on the wall or elsewhere."""
    for _ in range(turns):
        if seen := await _seen(holds):
            return seen
        await let_run()
    raise AssertionError("it never came true")


async def let_run(turns: int = 1) -> None:
    """Give every task that can go on its turn, so that it comes to where it waits; no time passes."""
    for _ in range(turns):
        await asyncio.sleep(0)


def wait_for(holds: Callable[[], T], patience_s: float = PATIENCE_S) -> T:
    """Look until `holds()` is true and give what it gave: for threads and processes, where there is no loop."""
    end = time.monotonic() + patience_s
    while not (seen := holds()):
        assert time.monotonic() < end, "it never came true"
        time.sleep(LOOK_S)
    return seen


@asynccontextmanager
async def serving(work: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Run something beside the test, and cancel it in the end."""
    task = asyncio.ensure_future(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _seen(holds: Callable[[], Any]) -> Any:
    seen = holds()
    return await seen if isawaitable(seen) else seen
