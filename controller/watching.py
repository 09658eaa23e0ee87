"""Looks after devices also while nobody uses them: a printer that ran out of paper, a scanner or a camera that is gone."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection

from labeling.printer import LabelPrinter, PrinterStatus
from packline.core.clock import Clock
from packline.core.faults import Fault
from packline.core.pictures import Camera
from packline.core.scans import Scanner
from scanning.sight import PixelSight, Sight
from stations.bells import OF_CAMERAS, OF_PRINTERS, OF_SCANNERS, Bells
from stations.looking import LIGHT_OUT
from stations.ports import Offload

LOOK_S = 2.0
CAMERA_LOOK_S = 5.0
"""A look costs the camera a picture, and somebody may be waiting for one of his own."""
STILL_S = 2.0
PRINTER_LOOKS, SCANNER_LOOKS, CAMERA_LOOKS = 2, 3, 3
"""So often in a row something must be seen before it rings: what is just starting rings no bell."""
OLD = -1
"""A printer at work gives its last answer again: that is no new look."""

Note = Callable[[int], None]

log = logging.getLogger("packline.watching")


def _unnoted(_: int) -> None:
    """Nobody wants to know."""


class Watching:
    """One task for each device. The bells are its station's: the same trouble met there by a step rings no second one."""

    def __init__(self, clock: Clock, offload: Offload, sight: Sight | None = None) -> None:
        self._clock = clock
        self._offload = offload
        self._sight = sight or PixelSight()

    async def printer(self, printer: LabelPrinter, bells: Bells | None, note: Callable[[PrinterStatus], None]) -> None:
        """Ask a printer how it is, for ever; `note` takes each answer, for the screen."""

        last: PrinterStatus | None = None

        async def look() -> int | None:
            nonlocal last
            before, last = last, await printer.status()
            note(last)
            return OLD if last is before else next(iter(troubles_of(last)), None)

        await self._mind(printer.name, bells, look, PRINTER_LOOKS, OF_PRINTERS)

    async def scanner(self, scanner: Scanner, bells: Bells | None) -> None:
        """Look for ever whether scans would arrive."""

        async def look() -> int | None:
            return None if scanner.is_connected() else 1006

        await self._mind(scanner.name, bells, look, SCANNER_LOOKS, OF_SCANNERS)

    async def camera(self, camera: Camera, bells: Bells | None, note: Note) -> None:
        """Ask a camera for a picture now and then, for ever; `note` takes its lasting trouble, 0 for none, for the screen."""

        async def look() -> int | None:
            try:
                still = await camera.still(STILL_S)
            except Fault as fault:
                return fault.code
            return LIGHT_OUT if await self._offload(self._sight.is_dark, still.jpeg) else None

        await self._mind(camera.name, bells, look, CAMERA_LOOKS, OF_CAMERAS, note=note, every_s=CAMERA_LOOK_S)

    async def _mind(
        self,
        device: str,
        bells: Bells | None,
        look: Callable[[], Awaitable[int | None]],
        looks: int,
        codes: Collection[int],
        *,
        note: Note = _unnoted,
        every_s: float = LOOK_S,
    ) -> None:
        seen: int | None = None
        times = 0
        while True:
            now = await look()
            if now != OLD:
                times = times + 1 if now == seen else 1
                seen = now
            if times >= looks or seen is None:  # what is well needs no second look to be shown so
                note(seen or 0)
            if bells is not None and times >= looks:
                await self._ring(bells, device, seen, codes)
            await self._clock.sleep(every_s)

    async def _ring(self, bells: Bells, device: str, trouble: int | None, codes: Collection[int]) -> None:
        try:
            await bells.hush(device, but=trouble or 0)
            if trouble is not None:
                await bells.ring(Fault(trouble, where=device), device)
            await bells.forget_old_ones(codes)
        except Fault as fault:  # the books are away; the next look tries again
            log.warning("%s: %s", device, fault)


def troubles_of(status: PrinterStatus) -> tuple[int, ...]:
    """Give all that is wrong with a printer, the worst first; what does not answer tells nothing about its paper."""
    if status.silent:
        return (2103,)
    if not status.connected:
        return (1001,)
    found = tuple(
        code for holds, code in ((status.cover_open, 2102), (not status.paper, 2101), (status.error, 2106)) if holds
    )
    return found or (() if status.online else (2103,))
