"""Tells whether the line's logic is alive; without it no heartbeat goes to the machines."""

from __future__ import annotations

from packline.core.clock import Clock

TICK_S = 0.1
SILENT_S = 1.0


class Pulse:
    """Ticks in the logic loop; `is_alive` turns false when the loop has not ticked for SILENT_S."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = float("-inf")

    async def run(self) -> None:
        """Tick for ever."""
        while True:
            self._last = self._clock.monotonic()
            await self._clock.sleep(TICK_S)

    def is_alive(self) -> bool:
        """Tell whether the logic ticked lately."""
        return self._clock.monotonic() - self._last < SILENT_S
