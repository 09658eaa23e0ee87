"""Rings one alarm for one cause at a station, whoever notices it, until nobody has that cause any more."""

from __future__ import annotations

from collections.abc import Callable, Collection

from packline.core.faults import Fault
from packline.orders.policy import POLICY
from packline.orders.ports import Desk

OF_PRINTERS = frozenset({2101, 2102, 2103, 2106})
"""Troubles that a printer's own watch finds out about, label or no label."""
OF_SCANNERS = frozenset({1006})
OF_CAMERAS = frozenset({1005, 2201})
OF_STEPS = frozenset(POLICY) - OF_PRINTERS - OF_SCANNERS - OF_CAMERAS


class Bells:
    """One station's alarms by code. Whoever rings (a step, a link, a device's own watch) also stops ringing."""

    def __init__(self, station: str, desk: Desk, changed: Callable[[], None]) -> None:
        self._station = station
        self._desk = desk
        self._changed = changed
        self._ringers: dict[int, set[str]] = {}
        self._from_before = set(POLICY)  # alarms that a run before this one may have left standing

    async def ring(self, fault: Fault, by: str) -> None:
        """Raise the alarm of `fault`, unless it rings already; raises Fault 5002 when it cannot be written down."""
        ringers = self._ringers.setdefault(fault.code, set())
        is_silent = not ringers
        ringers.add(by)
        if not is_silent:
            return
        try:
            await self._desk.raise_alarm(fault, source=self._station)
        except Fault:
            ringers.discard(by)
            raise
        self._changed()

    async def hush(self, by: str, *, but: int = 0) -> None:
        """Take back everything that `by` rings, except code `but`; raises Fault 5002 when it cannot be written down."""
        for code in [c for c, ringers in self._ringers.items() if by in ringers and c != but]:
            await self._still(code, by)

    async def _still(self, code: int, by: str) -> None:
        ringers = self._ringers[code]
        ringers.discard(by)
        if ringers:
            return
        try:
            await self._desk.clear_alarm(code, source=self._station)
        except Fault:
            ringers.add(by)  # it stands: the next to hush takes it back
            raise
        self._changed()

    async def forget_old_ones(self, codes: Collection[int]) -> None:
        """Clear what an earlier run left standing of `codes` and nobody rings now; only the first time does anything."""
        for code in sorted(self._from_before.intersection(codes)):
            if not self._ringers.get(code):
                await self._desk.clear_alarm(code, source=self._station)
            self._from_before.discard(code)
