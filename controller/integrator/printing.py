"""Prints tables for people; programs ask for JSON."""

from __future__ import annotations

from collections.abc import Sequence


def columns(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Give lines with columns as wide as their longest entry."""
    texts = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[n]) for row in texts) for n in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in texts
    )


def shown(value: object) -> str:
    """Give a value as people read it: an f32 has seven digits."""
    if isinstance(value, float):
        return f"{value:.7g}"
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
