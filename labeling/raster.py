"""Reads ESC/POS byte streams back: which rows were printed, where the paper was fed and cut, what was asked.

The other side of `labeling.drivers.escpos`: a virtual printer's parser and the tests' independent witness.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from PIL import Image

DOTS_PER_TEXT_LINE = 30
"""What ESC d feeds per line at the default line spacing of 3.75 mm."""


class Row(NamedTuple):
    """One dot row of a raster picture; bits from the left, 1 is black. A label has hundreds."""

    dots: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """The paper moved by `dots` without print."""

    dots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The autocutter ran; this is what the cut counter counts."""

    partial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessIdRequest:
    """`GS ( H` function 48: answer `37 22 process_id 00` when all before it is printed."""

    process_id: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RealTimeRequest:
    """`DLE EOT n`: answer one status byte at once, busy or not."""

    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRequest:
    """`GS r n`: answer in turn, not while offline."""

    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterRequest:
    """`GS g 2`: answer `5F digits 00` in turn, not while offline."""

    counter: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoStatus:
    """`GS a n`: send status blocks by itself on changes (0: stop)."""

    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recover:
    """`DLE ENQ n`: recover from an error; n=2 also drops what is buffered."""

    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Initialize:
    """`ESC @`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Bytes that are no command; this label line sends none."""

    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A command that changes how later data looks; read over."""

    data: bytes


Event = (
    Row
    | Feed
    | Cut
    | ProcessIdRequest
    | RealTimeRequest
    | StatusRequest
    | CounterRequest
    | AutoStatus
    | Recover
    | Initialize
    | Text
    | Setting
)


class RasterReader:
    """Turns bytes, in pieces of any size, into events; never raises. Rows come as soon as their last byte is there."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._row_bytes = 0
        self._rows_left = 0

    def feed(self, data: bytes) -> list[Event]:
        """Take `data` and give every event that is now complete."""
        self._pending += data
        events: list[Event] = []
        taken = 0
        while True:
            taken = self._take_rows(taken, events)
            step = self._next(bytes(self._pending[taken : taken + _LONGEST_COMMAND]))
            if step is None:
                break
            length, event = step
            taken += length
            if event is not None and not isinstance(event, _RasterHead):
                events.append(event)
        del self._pending[:taken]
        return events

    def _take_rows(self, begin: int, events: list[Event]) -> int:
        """Take every row that is there; gives how far that goes."""
        width = self._row_bytes
        count = min(self._rows_left, (len(self._pending) - begin) // width) if self._rows_left else 0
        end = begin + count * width
        events += [Row(bytes(self._pending[at : at + width])) for at in range(begin, end, width or 1)]
        self._rows_left -= count
        return end

    def _next(self, head: bytes) -> Step:
        if self._rows_left:
            return None
        step = _COMMANDS.get(head[0], _plain)(head) if head else None
        if step is not None and isinstance(step[1], _RasterHead):
            self._row_bytes = step[1].row_bytes
            self._rows_left = step[1].rows if self._row_bytes else 0
            return step[0], None
        return step


@dataclass(frozen=True, slots=True, kw_only=True)
class _RasterHead:
    """`GS v 0`: so many rows of so many bytes follow."""

    row_bytes: int
    rows: int


Step = tuple[int, Event | _RasterHead | None] | None
"""How many bytes were understood and what they mean; None: more bytes are needed."""

_LONGEST_COMMAND = 512
"""Bytes looked at at once; of a `GS (` that says it is longer only the head is read over."""


def _plain(head: bytes) -> Step:
    if head[0] == 0x0A:
        return 1, Feed(dots=DOTS_PER_TEXT_LINE)
    return 1, Text(data=head[:1])


@dataclass(frozen=True, slots=True)
class _Row:
    """A fixed-length command: total length and what it means (the whole command is handed in)."""

    length: int
    event: Callable[[bytes], Event]


def _setting(command: bytes) -> Event:
    return Setting(data=command)


_DLE: Mapping[int, _Row] = {
    0x04: _Row(3, lambda c: RealTimeRequest(n=c[2])),
    0x05: _Row(3, lambda c: Recover(n=c[2])),
}
_ESC: Mapping[int, _Row] = {
    ord("@"): _Row(2, lambda _: Initialize()),
    ord("d"): _Row(3, lambda c: Feed(dots=c[2] * DOTS_PER_TEXT_LINE)),
    ord("J"): _Row(3, lambda c: Feed(dots=c[2])),
    ord("2"): _Row(2, _setting),
    **{ord(letter): _Row(3, _setting) for letter in "!-3EGMRSTVat{"},
}
_GS: Mapping[int, _Row] = {
    ord("r"): _Row(3, lambda c: StatusRequest(n=c[2])),
    ord("a"): _Row(3, lambda c: AutoStatus(n=c[2])),
    ord("g"): _Row(6, lambda c: CounterRequest(counter=c[4] | c[5] << 8) if c[2] == ord("2") else Setting(data=c)),
    **{ord(letter): _Row(3, _setting) for letter in "!BHbfhw"},
    **{ord(letter): _Row(4, _setting) for letter in "LWP"},
}


def _by_table(head: bytes, table: Mapping[int, _Row]) -> Step:
    if len(head) < 2:
        return None
    row = table.get(head[1])
    if row is None:
        return 2, Setting(data=head[:2])
    return (row.length, row.event(head[: row.length])) if len(head) >= row.length else None


def _dle(head: bytes) -> Step:
    return _by_table(head, _DLE)


def _esc(head: bytes) -> Step:
    return _by_table(head, _ESC)


def _gs(head: bytes) -> Step:
    special = _GS_SPECIAL.get(head[1]) if len(head) > 1 else None
    return special(head) if special else _by_table(head, _GS)


def _gs_raster(head: bytes) -> Step:
    if len(head) < 8:
        return None
    return 8, _RasterHead(row_bytes=head[4] | head[5] << 8, rows=head[6] | head[7] << 8)


def _gs_cut(head: bytes) -> Step:
    if len(head) < 3:
        return None
    length = 4 if head[2] >= 65 else 3
    return (length, Cut(partial=head[2] in _PARTIAL)) if len(head) >= length else None


_PARTIAL = frozenset({1, 49, 66, 98, 104})


def _gs_function(head: bytes) -> Step:
    length = 5 + (head[3] | head[4] << 8) if len(head) >= 5 else 5
    if length > _LONGEST_COMMAND:
        return 5, Setting(data=head[:5])
    if len(head) < length:
        return None
    command = head[:length]
    if command[2:7] == b"H\x06\x0000":
        return length, ProcessIdRequest(process_id=command[7:11])
    return length, Setting(data=command)


_GS_SPECIAL: Mapping[int, Callable[[bytes], Step]] = {ord("v"): _gs_raster, ord("("): _gs_function, ord("V"): _gs_cut}
_COMMANDS: Mapping[int, Callable[[bytes], Step]] = {0x10: _dle, 0x1B: _esc, 0x1D: _gs}


def picture(rows: Sequence[bytes]) -> Image.Image:
    """Give the dot rows as a picture, mode "1", as wide as the widest; no rows give 8 x 1 white dots."""
    width = max((len(row) for row in rows), default=1)
    packed = b"".join(bytes(0xFF ^ bit for bit in row.ljust(width, b"\0")) for row in rows) or b"\xff"
    return Image.frombytes("1", (8 * width, max(len(rows), 1)), packed)


def pieces(events: Iterable[Event]) -> list[Image.Image]:
    """Give one picture per piece of paper: split at cuts, feeds left out; a last uncut piece counts too."""
    made: list[Image.Image] = []
    rows: list[bytes] = []
    for event in events:
        if isinstance(event, Row):
            rows.append(event.dots)
        elif isinstance(event, Cut):
            made.append(picture(rows))
            rows = []
    return [*made, picture(rows)] if rows else made
