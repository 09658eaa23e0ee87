"""Lets somebody wait until a screen may show something else."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from packline.core.clock import Clock


class Turns:
    """Counts the moments at which a screen was written; whoever saw the last one waits for the next."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._news = asyncio.Event()
        self.count = 0

    def turn(self) -> None:
        """A screen was written."""
        self.count += 1
        self._news.set()

    async def after(self, count: int, most_s: float) -> None:
        """Wait for another count than `count`, at most `most_s`."""
        if self.count == count:
            self._news.clear()
            with suppress(TimeoutError):
                await self._clock.within(most_s, self._news.wait())
