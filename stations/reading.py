"""Asks a fixed scanner what stands before it now; a read of what stood there before the question is no answer."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime

from packline.core.faults import Fault
from packline.core.scans import Scan, Scanner
from stations.kit import Kit, Trouble

READ_S = 1.5


class FixedReader:
    """One station's fixed scanner. Its reads come through the station's queue of scans, where one may wait behind others."""

    def __init__(self, scanner: Scanner, station: str, kit: Kit) -> None:
        self._scanner, self._station, self._kit = scanner, station, kit
        self._question: tuple[datetime, asyncio.Future[str]] | None = None

    @property
    def is_asked(self) -> bool:
        """Tell whether a question waits for its answer."""
        return self._question is not None and not self._question[1].done()

    async def read(self, expected: str) -> str:
        """Give what the scanner reads after this call; raises Trouble 3001 after READ_S without a read."""
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._question = self._kit.clock.now(), answer
        await self._scanner.trigger()
        with contextlib.suppress(TimeoutError):
            return await self._kit.clock.within(READ_S, answer)
        fault = Fault(3001, where=self._station, seen=f"nothing within {READ_S} s", expected=expected)
        raise Trouble(fault, subject=self._station)

    def is_by(self, scan: Scan) -> bool:
        """Tell whether the fixed scanner itself made this scan."""
        return scan.device == self._scanner.name

    def hear(self, scan: Scan, value: str) -> None:
        """Take a scan for the answer if the fixed scanner made it, and after it was asked."""
        if self._question is None or not self.is_by(scan):
            return
        asked_at, answer = self._question
        if not answer.done() and scan.at >= asked_at:
            answer.set_result(value)
