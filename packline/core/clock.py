"""The one place where code learns the time; everything else is handed a Clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar

T = TypeVar("T")


class Clock(Protocol):
    """Tells the time and waits. `monotonic` decides, `now` is only for people and records."""

    def now(self) -> datetime:
        """Give the calendar time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Give seconds since an arbitrary start; never steps back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds` of monotonic time."""
        ...

    async def within(self, seconds: float, work: Awaitable[T]) -> T:
        """Await `work`, at most `seconds`; raises TimeoutError after cancelling it."""
        ...


class LoopClock:
    """Follows the running asyncio loop's time: wall time on an ordinary loop, virtual time on the twin's loop.

    `epoch` is the calendar time at loop time zero; without it the wall clock is read.
    """

    def __init__(self, epoch: datetime | None = None) -> None:
        self._epoch = epoch

    def now(self) -> datetime:
        if self._epoch is None:
            return datetime.now(UTC)
        return self._epoch + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def within(self, seconds: float, work: Awaitable[T]) -> T:
        return await _bounded(seconds, work)


class WallClock:
    """The wall clock for code without a loop (web requests, command line)."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def within(self, seconds: float, work: Awaitable[T]) -> T:
        return await _bounded(seconds, work)


async def _bounded(seconds: float, work: Awaitable[T]) -> T:
    # not wait_for: Python 3.11's forgets a cancellation that comes in the moment of success (gh-86296)
    async with asyncio.timeout(seconds):
        return await work


class ManualClock:
    """A clock that moves only when told; ships here because users' tests need it too."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed = 0.0
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    def advance(self, seconds: float) -> None:
        """Move time forward by `seconds` (>= 0) and wake every sleeper that is due."""
        self._elapsed += seconds
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def sleep(self, seconds: float) -> None:
        due = self._elapsed + seconds
        await asyncio.sleep(0)
        while self._elapsed < due:
            await self._moved.wait()

    async def within(self, seconds: float, work: Awaitable[T]) -> T:
        job = asyncio.ensure_future(work)
        alarm = asyncio.ensure_future(self.sleep(seconds))
        try:
            await asyncio.wait({job, alarm}, return_when=asyncio.FIRST_COMPLETED)
            if not job.done():
                job.cancel()
                await asyncio.wait({job})
                raise TimeoutError
            return job.result()
        finally:
            alarm.cancel()
            job.cancel()
