"""Answers of the database that still hold: kept by statement and values until somebody writes to their tables."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from typing import Any

MOST_ANSWERS = 1024
"""Answers kept at once from the same tables; one more begins anew."""

Kept = dict[Hashable, Any]


class Answers:
    """What one connection was answered. `known_changes` is the driver's count of changed rows when it was last in step.

    Two things end an answer: a change of one of its tables through this connection, and a commit of any other connection.
    """

    def __init__(self) -> None:
        self.known_changes = 0
        self._data_version = -1
        self._groups: dict[Collection[str], Kept] = {}
        self._of_table: dict[str, list[Kept]] = {}

    def get(self, tables: Collection[str], key: Hashable) -> Any:
        """Give what was read from `tables` under `key` and still holds; None without it."""
        group = self._groups.get(tables)
        return None if group is None else group.get(key)

    def keep(self, tables: Collection[str], key: Hashable, answer: Any) -> None:
        """Keep an answer that was read from `tables` just now."""
        group = self._groups.get(tables)
        if group is None:
            group = self._groups[tables] = {}
            for table in tables:
                self._of_table.setdefault(table, []).append(group)
        if len(group) >= MOST_ANSWERS:
            group.clear()
        group[key] = answer

    def changed(self, tables: Collection[str]) -> None:
        """Note that `tables` are not what they were."""
        for table in tables:
            for group in self._of_table.get(table, ()):
                group.clear()

    def seen_version(self, data_version: int) -> None:
        """Take SQLite's `data_version`: another one means that another connection committed something."""
        if data_version != self._data_version:
            self._data_version = data_version
            self.forget()

    def forget(self) -> None:
        """Keep nothing of what was."""
        for group in self._groups.values():
            group.clear()
