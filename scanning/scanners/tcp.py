"""A scanner that sends one line per read over TCP; its link heals by itself."""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncGenerator
from contextlib import suppress

from packline.core.backoff import Backoff
from packline.core.clock import Clock
from packline.core.scans import Scan
from scanning.scanners.lines import LineSplitter, read_line
from scanning.scanners.link import OpenLink

log = logging.getLogger(__name__)

TRIGGER = b"+\r\n"
"""The command by which many fixed scanners read once more."""


class LineScanner:
    """Implements Scanner: connects to `address` ("host:port") and turns lines into scans.

    `repeat_ms` > 0 drops the same text coming again from this device within that time. It is 0 unless the device
    itself repeats: two equal items may well follow each other.
    """

    def __init__(
        self,
        *,
        name: str,
        address: str,
        open_link: OpenLink,
        clock: Clock,
        rng: random.Random,
        repeat_ms: int = 0,
    ) -> None:
        self.name = name
        self._link = open_link(address)
        self._address = address
        self._clock = clock
        self._backoff = Backoff(rng=rng)
        self._repeat_s = repeat_ms / 1000
        self._lines = LineSplitter()
        self._is_connected = False
        self._is_lost = False
        self._last: tuple[str, float] | None = None

    def is_connected(self) -> bool:
        """Tell whether scans would arrive now."""
        return self._is_connected

    async def trigger(self) -> None:
        """Ask the scanner to read again; nothing while the link is down."""
        if self._is_connected:
            with suppress(OSError):  # the reading side notices and heals
                await self._link.send(TRIGGER)

    async def scans(self) -> AsyncGenerator[Scan, None]:
        """Give scans for ever; a lost link is opened again after 0.2 to 5 s. For one reader at a time."""
        try:
            while True:
                for scan in await self._receive():
                    yield scan
        finally:
            await self._hang_up()

    async def _receive(self) -> list[Scan]:
        try:
            await self._ensure_link()
            data = await self._link.receive()
        except OSError as error:
            await self._heal(error)
            return []
        self._hear()
        return [scan for line in self._lines.feed(data) if (scan := self._scan(line)) is not None]

    async def _ensure_link(self) -> None:
        if self._is_connected:
            return
        await self._link.connect()
        self._lines.reset()
        self._is_connected = True

    def _hear(self) -> None:
        """Forget the failures only once something is read: a link that opens and breaks at once is not healed."""
        self._backoff.reset()
        if self._is_lost:
            log.info("scanner %s at %s is back", self.name, self._address)
        self._is_lost = False

    async def _heal(self, error: OSError) -> None:
        if not self._is_lost:
            log.warning("1006 scanner %s at %s lost: %s", self.name, self._address, error or "silence")
        self._is_lost = True
        await self._hang_up()
        await self._clock.sleep(self._backoff.next_s())

    async def _hang_up(self) -> None:
        self._is_connected = False
        await self._link.close()

    def _scan(self, line: bytes) -> Scan | None:
        read = read_line(line)
        if read is None or self._is_repeat(read[0]):
            return None
        return Scan(text=read[0], device=self.name, at=self._clock.now(), symbology=read[1])

    def _is_repeat(self, text: str) -> bool:
        now = self._clock.monotonic()
        if self._last is not None and self._last[0] == text and now - self._last[1] < self._repeat_s:
            return True
        self._last = (text, now)
        return False
