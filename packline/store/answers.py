"""Answers of the database that still hold: kept by statement and values until somebody writes to their tables."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from typing import Any

MOST_ANSWERS = 4096
"""Answers kept at once; one more begins anew."""


class Answers:
    """What one connection was answered. `known_changes` is the driver's count of changed rows when it was last in step.

    Two things end an answer: a change of one of its tables through this connection, and a commit of any other connection.
    """

    def __init__(self) -> None:
        self.known_changes = 0
        self._data_version = -1
        self._kept: dict[Hashable, tuple[int, Any]] = {}
        self._changes: dict[str, int] = {}

    def get(self, key: Hashable, tables: Collection[str]) -> Any:
        """Give what was kept under `key` and still holds; None without it."""
        found = self._kept.get(key)
        return found[1] if found is not None and found[0] == self._stamp(tables) else None

    def keep(self, key: Hashable, tables: Collection[str], answer: Any) -> None:
        """Keep an answer that was read from `tables` just now."""
        if len(self._kept) >= MOST_ANSWERS:
            self._kept.clear()
        self._kept[key] = (self._stamp(tables), answer)

    def changed(self, table: str) -> None:
        """Note that `table` is not what it was."""
        self._changes[table] = self._changes.get(table, 0) + 1

    def seen_version(self, data_version: int) -> None:
        """Take SQLite's `data_version`: another one means that another connection committed something."""
        if data_version != self._data_version:
            self._data_version = data_version
            self._kept.clear()

    def forget(self) -> None:
        """Keep nothing of what was."""
        self._kept.clear()

    def _stamp(self, tables: Collection[str]) -> int:
        # Counts only grow: the sum is the same as before only if each of them is.
        return sum([self._changes.get(table, 0) for table in tables])
