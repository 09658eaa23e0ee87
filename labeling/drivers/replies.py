"""Takes apart what an ESC/POS printer says back, byte by byte; pure, and wrong bytes are told as garbage.

Replies are told apart by their fixed bits: DLE EOT 0xx1xx10, status block (ASB) 0xx1xx00 then three of 0xx0xxxx,
GS r 0xx0xxxx, XON 11, XOFF 13, blocks `37 22 .. 00` and `5F .. 00` (Epson's command reference, status chapter).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

MOST_DIGITS = 10
"""A counter answer has 1 to 10 digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RealTime:
    """Answer to DLE EOT n; the byte does not say to which n, so ask one at a time."""

    byte: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusBlock:
    """Four bytes that the printer sends by itself when something changes (ASB)."""

    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Transmitted:
    """Answer to GS r n, in turn with the print data."""

    byte: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessDone:
    """All data before the request with this process id is printed."""

    process_id: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """Value of the maintenance counter that was asked for."""

    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowControl:
    """XON (`is_ready`) or XOFF."""

    is_ready: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbage:
    """Bytes that are no reply; evidence of nothing."""

    data: bytes


Reply = RealTime | StatusBlock | Transmitted | ProcessDone | Counter | FlowControl | Garbage


class ReplyParser:
    """Turns bytes, in pieces of any size, into replies; never raises, holds back at most 11 bytes."""

    def __init__(self) -> None:
        self._begun = bytearray()

    def feed(self, data: bytes) -> list[Reply]:
        """Take `data` and give every reply that is now complete."""
        replies: list[Reply] = []
        for byte in data:
            self._take(byte, replies)
        return replies

    def _take(self, byte: int, replies: list[Reply]) -> None:
        if self._begun and not _continues(bytes(self._begun), byte):
            replies.append(Garbage(data=bytes(self._begun)))
            self._begun.clear()
        if not self._begun:
            if (single := _single(byte)) is not None:
                replies.append(single)
                return
        self._begun.append(byte)
        if (whole := _whole(bytes(self._begun))) is not None:
            replies.append(whole)
            self._begun.clear()


def _single(byte: int) -> Reply | None:
    """Give the reply that one byte is; None if it begins a longer one."""
    if byte in (0x11, 0x13):
        return FlowControl(is_ready=byte == 0x11)
    if byte & 0x93 == 0x12:
        return RealTime(byte=byte)
    if byte & 0x90 == 0x00:
        return Transmitted(byte=byte)
    if byte in _BLOCKS or _begins_status_block(byte):
        return None
    return Garbage(data=bytes((byte,)))


def _begins_status_block(byte: int) -> bool:
    return byte & 0x93 == 0x10


def _continues(begun: bytes, byte: int) -> bool:
    return _BLOCKS.get(begun[0], _block_continues)(begun, byte)


def _block_continues(_begun: bytes, byte: int) -> bool:
    return byte & 0x90 == 0x00


def _process_continues(begun: bytes, byte: int) -> bool:
    if len(begun) == 1:
        return byte == 0x22
    return 0x20 <= byte <= 0x7E if len(begun) < 6 else byte == 0


def _counter_continues(begun: bytes, byte: int) -> bool:
    is_digit = 0x30 <= byte <= 0x39 and len(begun) <= MOST_DIGITS
    return is_digit or (byte == 0 and len(begun) > 1)


_PROCESS, _COUNTER = 0x37, 0x5F
_BLOCKS: dict[int, Callable[[bytes, int], bool]] = {_PROCESS: _process_continues, _COUNTER: _counter_continues}


def _whole(data: bytes) -> Reply | None:
    if data[0] == _PROCESS:
        return ProcessDone(process_id=data[2:6]) if len(data) == 7 else None
    if data[0] == _COUNTER:
        return Counter(value=int(data[1:-1])) if len(data) > 1 and data[-1] == 0 else None
    return StatusBlock(data=data) if len(data) == 4 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What keeps a printer from printing; all False is ready."""

    offline: bool = False
    cover_open: bool = False
    paper_out: bool = False
    error: bool = False

    @classmethod
    def from_real_time(cls, printer: int, cause: int, error: int, paper: int) -> Condition:
        """Read the answers to DLE EOT 1, 2, 3 and 4."""
        return cls(
            offline=bool(printer & 0x08),
            cover_open=bool(cause & 0x04),
            paper_out=bool(cause & 0x20) or paper & 0x60 == 0x60,
            error=bool(cause & 0x40) or bool(error & 0x6C),
        )

    @classmethod
    def from_block(cls, block: StatusBlock) -> Condition:
        """Read a status block."""
        first, second, third, _ = block.data
        return cls(
            offline=bool(first & 0x08),
            cover_open=bool(first & 0x20),
            paper_out=third & 0x0C == 0x0C,
            error=bool(second & 0x6C),
        )

    @property
    def is_unexplained(self) -> bool:
        """Tell whether it is offline and names no cause."""
        return self.offline and not (self.cover_open or self.paper_out or self.error)

    @property
    def fault(self) -> int | None:
        """Give the house code of what must be mended first; None when ready. Offline for no told reason is 2106."""
        rules = ((self.cover_open, 2102), (self.paper_out, 2101), (self.error or self.offline, 2106))
        return next((code for holds, code in rules if holds), None)

    def words(self) -> str:
        """Say all that the printer says of itself: `cover open, no paper`."""
        said = (
            (self.cover_open, "cover open"),
            (self.paper_out, "no paper"),
            (self.error, "an error of its own"),
            (self.is_unexplained, "offline without a reason"),
        )
        return ", ".join(words for holds, words in said if holds) or "ready"
