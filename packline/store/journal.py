"""The append-only book: one row per event, each chained to the one before, numbered without gaps but for declared leaps."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, text

from packline.store.codec import canonical, dumps
from packline.store.prepared import Change, at_most, question
from packline.store.schema import journal

_LAST = question(at_most(select(journal.c.seq, journal.c.hash).order_by(journal.c.seq.desc()), 1))
_APPEND = Change(insert(journal))
_SINCE = select(journal).where(journal.c.seq > bindparam("after")).order_by(journal.c.seq)
_HASHED = sorted(column.name for column in journal.c if column.name not in ("prev", "hash"))
_ADVISORY_LOCK = 0x5061636B
OF_PICTURES = frozenset({"sha256"})
LEAP = "JournalLeapt"
"""The one kind of row that skips numbers; its data say how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the journal before it has a number."""

    at: datetime
    kind: str
    subject: str
    order_id: str = ""
    station: str = ""
    actor: str = "controller"
    data: Mapping[str, Any] = field(default_factory=dict)


def leap(connection: Connection, by: int, at: datetime) -> int:
    """Skip `by` numbers, after an older backup came back: subscribers were told events under the lost numbers."""
    return append(connection, Entry(at=at, kind=LEAP, subject="journal", data={"skipped": by}))


def append(connection: Connection, entry: Entry) -> int:
    """Write `entry` under the next number, in the caller's transaction; gives the number."""
    last, prev = head(connection)
    seq = last + 1 + skipped(entry.kind, entry.data)
    row: dict[str, Any] = {
        "seq": seq,
        "at": entry.at,
        "kind": entry.kind,
        "subject": entry.subject,
        "order_id": entry.order_id,
        "station": entry.station,
        "actor": entry.actor,
        "data": canonical(entry.data),
        "prev": prev,
    }
    row["hash"] = digest(prev, row)
    _APPEND.run(connection, row)
    _LAST.know(connection, [(seq, row["hash"])])
    return seq


def skipped(kind: str, data: Mapping[str, Any]) -> int:
    """Give how many numbers a row leaves out before its own."""
    return int(data["skipped"]) if kind == LEAP else 0


def head(connection: Connection) -> tuple[int, str]:
    """Give the last number and its hash; (0, "") for an empty book."""
    if connection.dialect.name == "postgresql":
        # Numbers must become visible in their order; a sequence would let a reader skip a late commit.
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    last = _LAST.first(connection)
    return (last.seq, last.hash) if last else (0, "")


def broken_links(connection: Connection, most: int = 20) -> Iterator[str]:
    """Say, at most `most` times, where the chain of numbers and hashes does not hold."""
    expected, prev, found = 1, "", 0
    for row in connection.execute(_SINCE, {"after": 0}).mappings():
        if (
            row["seq"] != expected + skipped(row["kind"], row["data"])
            or row["prev"] != prev
            or row["hash"] != digest(prev, dict(row))
        ):
            yield f"journal {row['seq']}: number or hash does not follow {expected - 1}"
            found += 1
        if found >= most:
            return
        expected, prev = row["seq"] + 1, row["hash"]


def rows_of(connection: Connection, kinds: Collection[str]) -> Iterator[Entry]:
    """Give the rows of these kinds in their order; one at a time, a long shift has millions of others."""
    query = select(journal).where(journal.c.kind.in_(sorted(kinds))).order_by(journal.c.seq)
    names = [field.name for field in fields(Entry)]
    for row in connection.execute(query).mappings():
        yield Entry(**{name: row[name] for name in names})


def contents_hash(connection: Connection) -> str:
    """Hash all rows but what depends on the bytes of pictures: two runs that kept other pixels of the same things agree."""
    digest = sha256()
    for row in connection.execute(_SINCE, {"after": 0}).mappings():
        content = {name: row[name] for name in _HASHED if name != "data"}
        data = {name: value for name, value in row["data"].items() if name not in OF_PICTURES}
        digest.update(dumps({**content, "data": data}).encode() + b"\n")
    return digest.hexdigest()


def digest(prev: str, row: Mapping[str, Any]) -> str:
    """Give the hash of a row's content, chained to that of the row before."""
    # The canonical JSON of what is hashed, put together of its parts: `data` may be written already.
    parts = ",".join([f'"{name}":{dumps(row[name])}' for name in _HASHED])
    return sha256(f"{prev}\n{{{parts}}}".encode()).hexdigest()
