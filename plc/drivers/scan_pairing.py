"""Pairs a reader's counter with its texts, so that equal reads in a row are told apart and none is told twice. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

SETTLE_S = 0.1
KEPT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Count:
    number: int
    at: datetime | None
    settles_at: float


@dataclass(slots=True, kw_only=True)
class ScanPairing:
    """Takes texts and counts in any order; a count takes the text of its own source time, or the newest before it.

    Values of separate OPC UA items are not ordered among each other, so a count waits up to 0.1 s for its text. A count that
    jumped, after a lost link, gives the newest text once: the reads between are gone, and `missed` says how many.
    """

    last: int | None = None
    newest: int | None = None
    """The last number that was told, be its read complete or not."""
    missed: int = 0
    _texts: deque[tuple[datetime | None, str]] = field(default_factory=lambda: deque(maxlen=KEPT))
    _counts: deque[_Count] = field(default_factory=lambda: deque(maxlen=KEPT))

    def text(self, text: str, at: datetime | None) -> None:
        """Take a text and its source time."""
        self._texts.append((at, text))

    def counted(self, number: int, at: datetime | None, now: float) -> None:
        """Take a count; the very first is only the base line, and so is the 0 of a reader that has started again."""
        before, self.newest = self.newest, number
        if before is None or (number == 0 and not self._counts):
            self.last = number
        elif number not in (before, 0):
            self.missed += max(0, number - before - 1)
            self._counts.append(_Count(number=number, at=at, settles_at=now + SETTLE_S))

    def take(self, now: float) -> list[tuple[str, datetime | None]]:
        """Give the reads that are complete now, in order, with their source times."""
        reads: list[tuple[str, datetime | None]] = []
        while self._counts and (text := self._match(self._counts[0], now)) is not None:
            count = self._counts.popleft()
            self.last = count.number
            reads.append((text, count.at))
        return reads

    def is_waiting(self) -> bool:
        """Tell whether a count still waits for its text."""
        return bool(self._counts)

    def forget_texts(self) -> None:
        """Start afresh on a new link, which tells the newest text again; the last count stays."""
        self._texts.clear()
        self._counts.clear()
        self.newest = self.last

    def _match(self, count: _Count, now: float) -> str | None:
        timed = [(at, text) for at, text in self._texts if at is not None and count.at is not None and at <= count.at]
        if timed and timed[-1][0] == count.at:
            return timed[-1][1]
        if now < count.settles_at:
            return None
        if timed:
            return timed[-1][1]
        return self._texts[-1][1] if self._texts else None
