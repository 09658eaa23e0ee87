"""A scanner behind tags: shows one read at a time, and the next when the number of that one was written back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

from packline.core.clock import Clock
from packline.core.faults import Fault
from packline.core.scans import Scan
from plc.links import LinkTrouble
from plc.machine_file import MachineFile
from plc.plain_machine import PlainMachine

NUMBER, TEXT, CHECK, TAKEN, TRIGGER = "scan_number", "scan_text", "scan_check", "scan_taken", "scan_trigger"
PARTS = (NUMBER, TEXT, CHECK, TAKEN, TRIGGER)
"""What the tags of a scanner's file must play: [capability]."""
FRESH_S = 2.0
LOOK_S = 5.0
PAUSE_S = 0.02
"""Between two looks at a read that is still being written."""
LAST_TRIGGER = 0xFFFF

log = logging.getLogger(__name__)


def scanner_faults(file: MachineFile) -> list[Fault]:
    """Give Fault 4201 for each part of a scanner that the file does not name a tag for."""
    where = f"{file.model} [capability]"
    if not file.is_plain:
        return [Fault(4201, where=where, seen="a machine with the handshake", expected='[handshake] kind = "none"')]
    missing = [part for part in PARTS if part not in file.parts]
    return [Fault(4201, where=where, seen=f"no {part}", expected=", ".join(PARTS)) for part in missing]


class TagScanner:
    """core.scans.Scanner on a plain machine's tags; raises Fault 4201 for a machine whose file lacks a part.

    A read is known by its number and the scanner's start, so each is told once, however often it is seen. What was shown before
    the first look is taken and not told: nobody knows how old it is.
    """

    def __init__(self, machine: PlainMachine, clock: Clock) -> None:
        for fault in scanner_faults(machine.file):
            raise fault
        self.name = machine.name
        self._machine, self._clock = machine, clock
        self._tags = {part: machine.file.parts[part] for part in PARTS}
        self._last: tuple[int, int] | None = None
        self._asked = 0

    async def scans(self) -> AsyncIterator[Scan]:
        """Give scans as they come, for ever; for one consumer."""
        serving = asyncio.ensure_future(self._machine.run())
        try:
            while not serving.done():
                is_shown = await self._machine.until(lambda: self._is_owed() or serving.done(), LOOK_S)
                scan = await self._take() if is_shown else None
                if scan is not None:
                    yield scan
                elif is_shown:
                    await self._clock.sleep(PAUSE_S)
            serving.result()
        finally:
            serving.cancel()
            await asyncio.wait({serving})

    async def trigger(self) -> None:
        """Ask the scanner to read again; while the link is down this does nothing, and no scan comes."""
        if self.is_connected():
            # what is shown may be from before the last one that we wrote
            self._asked = (max(self._asked, self._number(TRIGGER)) + 1) % (LAST_TRIGGER + 1)
            await self._write(TRIGGER, self._asked)

    def is_connected(self) -> bool:
        """Tell whether scans would arrive now, and could be asked for."""
        return all(self._machine.value(self._tags[part]).is_good for part in (NUMBER, TRIGGER))

    def _is_owed(self) -> bool:
        """Tell whether a read is shown whose number was not written back, or the very first look is to be taken."""
        tags = (self._machine.value(self._tags[part]) for part in (NUMBER, TAKEN))
        is_known = all(tag.is_good for tag in tags)
        return is_known and (self._last is None or self._number(NUMBER) != self._number(TAKEN))

    async def _take(self) -> Scan | None:
        """Read what is shown and write its number back; None for one that was told before, or is still being written."""
        if not await self._machine.fresh([self._tags[part] for part in (NUMBER, TEXT, CHECK, TAKEN)], FRESH_S):
            return None
        if not self._is_owed() or not self._machine.value(self._tags[CHECK]).is_good:
            return None
        number, text = self._number(NUMBER), self._machine.value(self._tags[TEXT])
        if number != self._number(CHECK):
            return None
        read, before = (self._machine.view().boot, number), self._last
        self._last = read
        if number != self._number(TAKEN):
            await self._write(TAKEN, number)
        if before is None or read == before or number == 0:
            return None
        if not text.is_good or not isinstance(text.value, str):
            log.warning("%s: read %s is no text: %s", self.name, number, text.reason)
            return None
        return self._scan(text.value)

    def _scan(self, text: str) -> Scan:
        symbology, text = (text[:3], text[3:]) if text.startswith("]") else ("", text)
        return Scan(text=text, device=self.name, at=self._clock.now(), symbology=symbology)

    async def _write(self, part: str, number: int) -> None:
        try:
            await self._machine.write(self._tags[part], number)
        except (LinkTrouble, Fault) as trouble:  # a number that did not arrive is written again at the next look
            log.info("%s: %s was not written: %s", self.name, part, trouble)

    def _number(self, part: str) -> int:
        return int(self._machine.value(self._tags[part]).value or 0)
