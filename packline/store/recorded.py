"""Opens the books of a run that is over, or their export, to be read and judged: always a copy, never the file itself."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, LargeBinary, Select, Table, func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from packline.core.clock import Clock
from packline.core.faults import Fault
from packline.core.ids import Ids
from packline.store import Store, open_store
from packline.store.audit import differences
from packline.store.backup import copy_online
from packline.store.codec import place_order, plain
from packline.store.columns import Content, Utc
from packline.store.journal import digest, skipped
from packline.store.schema import metadata
from packline.store.unreadable import NO_VALUE, unreadable
from packline.store.world import World

EXPORTED = (
    "inbox", "item", "orders", "unit", "parcel", "label", "effect", "journal", "outbox", "request", "exception",
)  # fmt: skip
"""What an export holds, in this order: no pictures, no people's passwords."""
END = "end"
"""The table that the last line of an export names; it counts the rows of every other: without it the file may be cut."""
ROWS_AT_ONCE = 1000
_NAMES = tuple(column.name for column in metadata.tables["journal"].c)
_REMEDY = "Name the books of a run (packline.db), the folder that they lie in, or an export of `packline sim replay --export`."
_WHOLE = "Write it again with `packline sim replay JOURNAL --export FILE`: it ends early, or is of a release that wrote no end."
_RECORDING = "a recording of `sim run --record`, which `sim report` reads"

_COMPARED = ("orders", "unit", "parcel")

T = TypeVar("T")
Row = dict[str, Any]
"""A row by the names of its columns, as the schema types them."""


class Recorded:
    """The books of a run, read only. Whatever reads rows raises Fault 5002 for a value that cannot be read, with its place."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def journal(self) -> Iterator[Row]:
        """Give every row of the journal in order."""
        table, after = metadata.tables["journal"], -1
        query = select(table).order_by(table.c.seq).limit(ROWS_AT_ONCE)
        while rows := self._rows(query.where(table.c.seq > after)):
            yield from rows
            after = rows[-1]["seq"]

    def news(self) -> Iterator[Row]:
        """Give every row of the outbox by the number of its event."""
        table, after = metadata.tables["outbox"], -1
        query = select(table).order_by(table.c.seq).limit(ROWS_AT_ONCE)
        while rows := self._rows(query.where(table.c.seq > after)):
            yield from rows
            after = rows[-1]["seq"]

    def rows(self, name: str) -> list[Row]:
        """Give all rows of a table, by its key."""
        table = metadata.tables[name]
        return self._rows(select(table).order_by(*table.primary_key))

    def one(self, name: str, **like: Any) -> Row | None:
        """Give the first row of a table whose columns are as asked; None where there is none."""
        table = metadata.tables[name]
        query = select(table).where(*(table.c[column] == value for column, value in like.items())).limit(1)
        return next(iter(self._rows(query)), None)

    def count(self, name: str) -> int:
        """Count the rows of a table."""
        query = select(func.count()).select_from(metadata.tables[name])
        return int(self._store.writer.read_now(lambda connection: connection.execute(query).scalar_one()))

    def differences(self, world: World) -> list[str]:
        """Say where the rows of orders, units and parcels are not those that the journal gives."""
        return self._ask(_COMPARED, lambda connection: list(differences(connection, world)))

    def export(self, path: Path) -> int:
        """Write what EXPORTED names as one JSON object a line, with "table", and an end; gives how many rows of the books."""
        counts: Counter[str] = Counter()
        with path.open("w", encoding="utf-8") as file:
            for name in EXPORTED:
                rows = self.journal() if name == "journal" else iter(self.rows(name))
                for row in rows:
                    file.write(json.dumps(_out(name, row), ensure_ascii=False) + "\n")
                    counts[name] += 1
            file.write(json.dumps({"table": END, "rows": counts}) + "\n")
        return counts.total()

    def _rows(self, query: Select[Any]) -> list[Row]:
        names = [table.name for table in query.get_final_froms() if isinstance(table, Table)]
        return self._ask(names, lambda connection: [dict(row) for row in connection.execute(query).mappings()])

    def _ask(self, names: Iterable[str], run: Callable[[Connection], T]) -> T:
        try:
            return self._store.writer.read_now(run)
        except NO_VALUE as error:
            raise self._store.writer.read_now(partial(unreadable, names=names, error=error)) from error


@contextmanager
def open_recorded(path: Path, folder: Path, *, clock: Clock, ids: Ids) -> Iterator[Recorded]:
    """Give the books at `path` (a SQLite file, or an export) from a copy in `folder`; raises Fault 5002 for anything else.

    The copy is brought up to this release's schema, so that the books of an older release can be judged as well.
    """
    copy = folder / "recorded.db"
    is_export = _is_text(path)
    if not is_export:
        copy_online(path, copy)
    store = open_store(f"sqlite:///{copy}", clock=clock, ids=ids, inline=True)
    try:
        if is_export:
            store.writer.write_now(lambda connection: _take_in(connection, path))
        yield Recorded(store)
    finally:
        store.close()


def fits(row: Mapping[str, Any], prev: str) -> bool:
    """Tell whether a journal row's hash is that of its content after a row with hash `prev`."""
    content = {name: row[name] for name in _NAMES if name not in ("prev", "hash")}
    return bool(row["prev"] == prev and row["hash"] == digest(prev, content))


def number_after(row: Mapping[str, Any], last: int) -> int:
    """Give the number that a journal row must have after number `last`."""
    return last + 1 + skipped(row["kind"], row["data"])


def _is_text(path: Path) -> bool:
    if not path.is_file():
        raise Fault(5002, where=str(path), seen="no such file", expected="the books of a run", remedy=_REMEDY)
    with path.open("rb") as file:
        return file.read(1) == b"{"


def _out(name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    return {"table": name, **{column: _plain(value) for column, value in row.items()}}


def _plain(value: Any) -> Any:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else plain(value)


def _take_in(connection: Connection, path: Path) -> None:
    connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
    counts: Counter[str] = Counter()
    number, end = 0, None
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                raw = json.loads(line)
                name = raw.pop("table")
                if name == END:
                    end = dict(raw["rows"])
                    continue
                table = metadata.tables[name]
                connection.execute(insert(table), {key: _read(table, key, value) for key, value in raw.items()})
                counts[name] += 1
            except (ValueError, KeyError, TypeError, AttributeError, SQLAlchemyError) as error:
                raise _no_row(f"{path} line {number}", line, error) from error
    _demand_whole(f"{path} line {number}", counts, end)


def _no_row(where: str, line: str, error: Exception) -> Fault:
    """Tell a line that is cut off, and a recording, from a row that is wrong."""
    if not line.endswith("\n"):
        return Fault(5002, where=where, seen="a line that is cut off", expected="a whole export", remedy=_WHOLE)
    is_recording = line.startswith('{"row":')
    said = f"no {error}" if isinstance(error, KeyError) else str(error)
    seen = _RECORDING if is_recording else said.partition("\n")[0][:160]
    return Fault(5002, where=where, seen=seen, expected="a row of an export", remedy=_REMEDY)


def _demand_whole(where: str, counts: Mapping[str, int], end: Mapping[str, int] | None) -> None:
    """Refuse an export that is cut: tables may be left out on purpose, rows not."""
    if end is None:
        seen = "the last line, and no end"
        raise Fault(5002, where=where, seen=seen, expected="a whole export with its end", remedy=_WHOLE)
    for name, found in counts.items():
        if found != end.get(name):
            expected = f"{end.get(name, 0)}, as its end says"
            raise Fault(5002, where=where, seen=f"{found} rows of {name}", expected=expected, remedy=_WHOLE)


def _read(table: Table, name: str, value: Any) -> Any:
    kind = table.c[name].type
    if value is None:
        return None
    if isinstance(kind, Utc):
        return datetime.fromisoformat(value)
    if isinstance(kind, Content):
        return place_order(value)
    return base64.b64decode(value["base64"]) if isinstance(kind, LargeBinary) else value
