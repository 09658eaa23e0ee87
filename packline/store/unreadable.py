"""Finds the value in the books that cannot be read: somebody wrote it behind the house's back, or another release did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, Table, Text, select, type_coerce

from packline.core.faults import Fault
from packline.store.columns import AsText, Content, Utc, Word
from packline.store.schema import metadata

NO_VALUE = (KeyError, TypeError, ValueError, AttributeError)
"""What reading a text raises that is not what its column holds."""
UNREADABLE = 5002
MOST_SHOWN = 80
REMEDY = "Restore the books from a backup: what is written there was not written by this release."


def unreadable(connection: Connection, names: Iterable[str], error: Exception) -> Fault:
    """Give Fault 5002 with table, row and column of the first value in these tables that cannot be read.

    `error` is what reading raised; it is told where each value by itself is in order.
    """
    every = sorted(names)
    found = (fault for name in every for fault in _of_table(connection, metadata.tables[name]))
    seen, expected = f"{type(error).__name__} {error}"[:MOST_SHOWN], "rows that this release can read"
    told = Fault(UNREADABLE, where=f"table {', '.join(every)}", seen=seen, expected=expected, remedy=REMEDY)
    return next(found, told)


def _of_table(connection: Connection, table: Table) -> Iterator[Fault]:
    kinds = {column.name: column.type for column in table.c if isinstance(column.type, AsText)}
    raw = [type_coerce(column, Text).label(column.name) for column in table.c]
    for row in connection.execute(select(*raw).order_by(*table.primary_key)).mappings():
        for name, kind in kinds.items():
            if not _is_readable(kind, row[name]):
                key = " ".join(str(row[column.name]) for column in table.primary_key)
                seen = repr(row[name])[:MOST_SHOWN]
                where = f"table {table.name} row {key}, {name}"
                yield Fault(UNREADABLE, where=where, seen=seen, expected=_expected(kind), remedy=REMEDY)


def _is_readable(kind: AsText[Any], text: str | None) -> bool:
    if text is None:
        return True
    try:
        kind.back(text)
    except NO_VALUE:
        return False
    return True


def _expected(kind: AsText[Any]) -> str:
    if isinstance(kind, Word):
        return f"one of {', '.join(str(word) for word in kind.words)}"
    if isinstance(kind, Utc):
        return "a time in UTC"
    return "an order as JSON" if isinstance(kind, Content) else "JSON"
