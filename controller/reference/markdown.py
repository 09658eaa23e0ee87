"""Writes Markdown: headings, tables, code, one style for all reference pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

NOTE = "<!-- Made by `make docs`. Change the code, not this page. -->"


def page(title: str, *parts: str) -> str:
    """Give a whole page: title, the note that it is made, and its parts with one blank line between them."""
    return "\n\n".join([NOTE, f"# {title}", *(part.strip("\n") for part in parts if part)]) + "\n"


def table(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Give a table; cells keep their Markdown, bars and line breaks in them are made harmless."""
    lines = [_row(heading), _row(["---"] * len(heading))]
    return "\n".join([*lines, *(_row(row) for row in rows)])


def code(text: object) -> str:
    """Give `text` as inline code; nothing for an empty text."""
    return f"`{text}`" if str(text) else ""


def codes(names: Iterable[object], between: str = ", ") -> str:
    """Give several names as inline code."""
    return between.join(code(name) for name in names)


def block(text: str, language: str = "text") -> str:
    """Give a block of code."""
    return f"```{language}\n{text.rstrip()}\n```"


def first_line(text: str | None) -> str:
    """Give the first paragraph of a docstring as one line; "" for none."""
    return " ".join((text or "").strip().split("\n\n")[0].split())


def _row(cells: Sequence[object]) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(cell: object) -> str:
    return " ".join(str(cell).replace("|", "\\|").split())
