"""Lets a machine's one task nap until the next thing is due, and wakes it for what comes up before."""

from __future__ import annotations

import asyncio

from packline.core.clock import Clock


class Waker:
    """A nap that `wake` ends early; a wake-up that comes while nobody naps ends the next nap at once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Let the task do what is due now."""
        self._woken.set()

    async def nap(self, seconds: float) -> bool:
        """Sleep; True if it was woken before that. Without time to sleep an earlier wake-up is used up."""
        if seconds > 0:
            try:
                await self._clock.within(seconds, self._woken.wait())
            except TimeoutError:
                return False
        self._woken.clear()
        return True
