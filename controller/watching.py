"""Looks after devices also while nobody uses them: a printer that ran out of paper, a scanner that is gone."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection

from labeling.printer import LabelPrinter, PrinterStatus
from packline.core.clock import Clock
from packline.core.faults import Fault
from packline.core.scans import Scanner
from stations.bells import OF_PRINTERS, OF_SCANNERS, Bells

LOOK_S = 2.0
PRINTER_LOOKS, SCANNER_LOOKS = 2, 3
"""So often in a row something must be seen before it rings: what is just starting rings no bell."""
OLD = -1
"""A printer at work gives its last answer again: that is no new look."""

log = logging.getLogger("packline.watching")


class Watching:
    """One task for each device. The bells are its station's: the same trouble met there by a step rings no second one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def printer(self, printer: LabelPrinter, bells: Bells | None, note: Callable[[PrinterStatus], None]) -> None:
        """Ask a printer how it is, for ever; `note` takes each answer, for the screen."""

        last: PrinterStatus | None = None

        async def look() -> int | None:
            nonlocal last
            before, last = last, await printer.status()
            note(last)
            return OLD if last is before else _trouble(last)

        await self._mind(printer.name, bells, look, PRINTER_LOOKS, OF_PRINTERS)

    async def scanner(self, scanner: Scanner, bells: Bells | None) -> None:
        """Look for ever whether scans would arrive."""

        async def look() -> int | None:
            return None if scanner.is_connected() else 1006

        await self._mind(scanner.name, bells, look, SCANNER_LOOKS, OF_SCANNERS)

    async def _mind(
        self,
        device: str,
        bells: Bells | None,
        look: Callable[[], Awaitable[int | None]],
        looks: int,
        codes: Collection[int],
    ) -> None:
        seen: int | None = None
        times = 0
        while True:
            now = await look()
            if now != OLD:
                times = times + 1 if now == seen else 1
                seen = now
            if bells is not None and times >= looks:
                await self._ring(bells, device, seen, codes)
            await self._clock.sleep(LOOK_S)

    async def _ring(self, bells: Bells, device: str, trouble: int | None, codes: Collection[int]) -> None:
        try:
            await bells.hush(device, but=trouble or 0)
            if trouble is not None:
                await bells.ring(Fault(trouble, where=device), device)
            await bells.forget_old_ones(codes)
        except Fault as fault:  # the books are away; the next look tries again
            log.warning("%s: %s", device, fault)


def _trouble(status: PrinterStatus) -> int | None:
    troubles = (
        (status.silent, 2103),
        (not status.connected, 1001),
        (status.cover_open, 2102),
        (not status.paper, 2101),
        (status.error, 2106),
        (not status.online, 2103),
    )
    return next((code for holds, code in troubles if holds), None)
