"""A calendar that can jump, on a clock that does not."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import TypeVar

from packline.core.clock import Clock
from simulation.misbehave import Switch, Switches, at_once

T = TypeVar("T")

JUMP_S = 90.0
JUMPS = frozenset({"clock_forward", "clock_back"})


class JumpingClock:
    """A Clock whose calendar is `offset_s` wrong; what is waited for and measured does not change."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.monotonic = clock.monotonic  # asked more often than anything else
        self.offset_s = 0.0

    def now(self) -> datetime:
        now = self._clock.now()
        return now + timedelta(seconds=self.offset_s) if self.offset_s else now

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)

    async def within(self, seconds: float, work: Awaitable[T]) -> T:
        return await self._clock.within(seconds, work)

    def switches(self) -> Switches:
        """Give the faults of the computer's clock."""
        return {"clock_forward": self._jump(JUMP_S), "clock_back": self._jump(-JUMP_S)}

    def _jump(self, by_s: float) -> Switch:
        def to(offset_s: float) -> None:
            self.offset_s = offset_s

        return Switch(on=lambda _: at_once(lambda: to(by_s)), off=lambda: at_once(lambda: to(0.0)))
