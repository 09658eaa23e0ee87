"""Builds ESC/POS bytes: a label job that ends with its own receipt, and the questions a printer can answer."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from PIL import Image

FRAGMENT_ROWS = 128
"""Rows per GS v 0; small, so that a small receive buffer never holds up the head in mid-picture."""
FEED_LINES = 2
CUT_COUNTER = 50
"""Maintenance counter: runs of the autocutter (Epson's command reference, GS g 2)."""
HEAD_COUNTER = 21
"""Maintenance counter: times the head was energized, one per dot row; not every make has it."""

_ID_FIRST, _ID_LAST = 0x20, 0x7E
TELL_CHANGES = b"\x1da\xff"
"""GS a 255: status blocks at each change; ESC @ takes it back."""
PROCESS_IDS = (_ID_LAST - _ID_FIRST + 1) ** 4


def job(label: Image.Image, process_id: bytes) -> bytes:
    """Give the bytes that print `label` (mode "1", at most 576 wide), feed, cut and then report `process_id`.

    While it prints, the printer tells each change of its state by itself: a cover may be open for shorter than anybody asks.
    """
    printer = _library().Dummy()
    printer.hw("INIT")
    begun = len(printer.output)
    printer.image(label, impl="bitImageRaster", fragment_height=FRAGMENT_ROWS)
    printer.print_and_feed(FEED_LINES)
    printer.cut(feed=False)  # GS V 66 feeds to the cutter by itself
    output = bytes(printer.output)
    return output[:begun] + TELL_CHANGES + output[begun:] + process_id_request(process_id)


def process_id(number: int) -> bytes:
    """Give the four printable characters that stand for `number` (0..81,450,624)."""
    span = _ID_LAST - _ID_FIRST + 1
    return bytes(_ID_FIRST + number // span**power % span for power in (3, 2, 1, 0))


def process_id_request(ident: bytes) -> bytes:
    """Ask to be told when all before is printed: GS ( H function 48; answer `37 22 ident 00`."""
    if len(ident) != 4 or not all(_ID_FIRST <= byte <= _ID_LAST for byte in ident):
        raise ValueError(f"a process id is four characters 20..7E, not {ident!r}")
    return b"\x1d(H\x06\x00\x30\x30" + ident


def real_time_request(n: int) -> bytes:
    """Ask status `n` (1 printer, 2 offline cause, 3 error, 4 paper) past the buffer: DLE EOT n."""
    return bytes((0x10, 0x04, n))


def counter_request(counter: int) -> bytes:
    """Ask a maintenance counter, in turn with the print data: GS g 2; answer `5F digits 00`."""
    return b"\x1dg2\x00" + counter.to_bytes(2, "little")


@cache
def _library() -> Any:
    """Load python-escpos on first use: the loop starts without it, and its import leaves nothing behind."""
    with _own_capabilities():
        capabilities = import_module("escpos.capabilities")
        library = import_module("escpos.printer")
    shutil.rmtree(capabilities.pickle_dir, ignore_errors=True)  # its import makes a folder that nobody removes
    return library


@contextmanager
def _own_capabilities() -> Iterator[None]:
    """Name our one printer profile: parsing all of its 35 takes 0.4 s (2026-11, 2 cores) at each start."""
    names = ("ESCPOS_CAPABILITIES_FILE", "ESCPOS_CAPABILITIES_PICKLE_DIR")
    before = {name: os.environ.pop(name, None) for name in names}
    os.environ[names[0]] = str(Path(__file__).with_name("capabilities.json"))
    try:
        yield
    finally:
        del os.environ[names[0]]
        os.environ.update({name: value for name, value in before.items() if value is not None})
