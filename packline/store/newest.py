"""The newest schema as one script: what all migrations together make of an empty SQLite database."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

HEAD_SQL = Path(__file__).parent / "migrations" / "head.sql"
"""`python -m packline.store.migrate` writes it anew."""
_BETWEEN = ";\n\n"


def statements() -> list[str]:
    """Give its statements, in order."""
    return HEAD_SQL.read_text("utf-8").split(_BETWEEN)


def script(made: Sequence[str]) -> str:
    """Give the text of the script that consists of the statements `made`."""
    return _BETWEEN.join(made) + "\n"
