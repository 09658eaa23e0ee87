"""Reads an item master from CSV and says of every bad row which line, which column, what was seen and expected."""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from packline.orders.model import Item

MOST_BYTES = 32 * 1024 * 1024
MOST_TEXT = 200
MOST_BARCODE = 80
MOST_GRAMS = 1_000_000
MOST_MM = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """One mistake. `line` counts from 1, the heading is line 1; `column` is "" for the row as a whole."""

    line: int
    column: str
    seen: str
    expected: str

    def text(self) -> str:
        """Give the one-line form."""
        return f"line {self.line}, {self.column or 'row'}: saw {self.seen!r}, expected {self.expected}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What became of a file: `good` rows taken, and every mistake in the others."""

    good: int = 0
    bad: tuple[BadRow, ...] = field(default_factory=tuple)


class _Wrong(ValueError):
    """A cell that cannot be; the text says what was expected."""


def _text(cell: str) -> str:
    if len(cell) > MOST_TEXT or not cell.isprintable():
        raise _Wrong(f"at most {MOST_TEXT} printable characters")
    return cell


def _required(cell: str) -> str:
    if not cell:
        raise _Wrong("a text")
    return _text(cell)


def _sku(cell: str) -> str:
    if not cell or any(c.isspace() for c in cell):
        raise _Wrong("a text without blanks")
    return _text(cell)


def _barcodes(cell: str) -> tuple[str, ...]:
    codes = tuple(dict.fromkeys(cell.split()))
    if any(len(code) > MOST_BARCODE or not code.isprintable() for code in codes):
        raise _Wrong(f"barcodes of at most {MOST_BARCODE} printable characters, separated by blanks")
    return codes


def _number(most: int, unit: str) -> Callable[[str], int]:
    def read(cell: str) -> int:
        digits = cell or "0"
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 9 and int(digits) <= most):
            raise _Wrong(f"a whole number of {unit} from 0 to {most}")
        return int(digits)

    return read


_COLUMNS: Mapping[str, Callable[[str], Any]] = {
    "sku": _sku,
    "merchant": _required,
    "name": _required,
    "barcodes": _barcodes,
    "weight_g": _number(MOST_GRAMS, "grams"),
    "length_mm": _number(MOST_MM, "millimetres"),
    "width_mm": _number(MOST_MM, "millimetres"),
    "height_mm": _number(MOST_MM, "millimetres"),
    "picture": _text,
    "location": _text,
}
_NEEDED = ("sku", "merchant", "name")


def read_items(data: bytes) -> tuple[list[Item], ImportReport]:
    """Read a CSV file in UTF-8 (with or without a mark) with a heading; never raises for what is in it."""
    if len(data) > MOST_BYTES:
        return [], ImportReport(bad=(BadRow(line=1, column="", seen=f"{len(data)} bytes", expected="at most 32 MiB"),))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        bad = BadRow(line=line, column="", seen=repr(data[error.start : error.end]), expected="UTF-8 text")
        return [], ImportReport(bad=(bad,))
    return _read(csv.reader(io.StringIO(text, newline=""), strict=True))


def _read(rows: Any) -> tuple[list[Item], ImportReport]:
    items: dict[str, Item] = {}
    bad: list[BadRow] = []
    try:
        heading = [cell.strip() for cell in next(rows, [])]
        bad = _wrong_heading(heading)
        if bad:
            return [], ImportReport(bad=tuple(bad))
        for cells in rows:
            _take(heading, cells, rows.line_num, items, bad)
    except csv.Error as error:
        bad.append(BadRow(line=rows.line_num, column="", seen=str(error), expected="comma separated values"))
    return list(items.values()), ImportReport(good=len(items), bad=tuple(bad))


def _wrong_heading(heading: list[str]) -> list[BadRow]:
    unknown = [name for name in heading if name not in _COLUMNS]
    missing = [name for name in _NEEDED if name not in heading]
    twice = sorted({name for name in heading if heading.count(name) > 1})
    return [
        *(BadRow(line=1, column=name, seen=name, expected=_guess(name)) for name in unknown),
        *(BadRow(line=1, column=name, seen="nothing", expected="this column") for name in missing),
        *(BadRow(line=1, column=name, seen=f"{name} twice", expected="each column once") for name in twice),
    ]


def _guess(name: str) -> str:
    near = difflib.get_close_matches(name, sorted(_COLUMNS), 1)
    return f"did you mean {near[0]!r}?" if near else f"one of {', '.join(_COLUMNS)}"


def _take(heading: list[str], cells: list[str], line: int, items: dict[str, Item], bad: list[BadRow]) -> None:
    if not any(cell.strip() for cell in cells):
        return
    if len(cells) != len(heading):
        bad.append(BadRow(line=line, column="", seen=f"{len(cells)} cells", expected=f"{len(heading)} cells"))
        return
    values, wrong = _cells(heading, cells, line)
    if not wrong and values["sku"] in items:
        wrong = [BadRow(line=line, column="sku", seen=values["sku"], expected="each SKU once in a file")]
    bad.extend(wrong)
    if not wrong:
        items[values["sku"]] = Item(**values)


def _cells(heading: list[str], cells: list[str], line: int) -> tuple[dict[str, Any], list[BadRow]]:
    values: dict[str, Any] = {}
    wrong: list[BadRow] = []
    for name, cell in zip(heading, cells, strict=True):
        try:
            values[name] = _COLUMNS[name](cell.strip())
        except _Wrong as error:
            wrong.append(BadRow(line=line, column=name, seen=cell, expected=str(error)))
    return values, wrong
