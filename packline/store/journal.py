"""The append-only book: one row per event, each chained to the one before, numbered without gaps but for declared leaps."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from hashlib import sha256
from json.encoder import encode_basestring as _quoted
from typing import Any

from sqlalchemy import Connection, Text, insert, select, type_coerce

from packline.store.codec import canonical, dumps, loads, plain, time_text
from packline.store.prepared import Change, at_most, question
from packline.store.schema import journal

_LAST = question(at_most(select(journal.c.seq, journal.c.hash).order_by(journal.c.seq.desc()), 1))
_APPEND = Change(insert(journal))
_TEXTS = select(
    journal.c.actor,
    type_coerce(journal.c.at, Text),
    type_coerce(journal.c.data, Text),
    journal.c.seq,
    journal.c.kind,
    journal.c.order_id,
    journal.c.station,
    journal.c.subject,
    journal.c.prev,
    journal.c.hash,
).order_by(journal.c.seq)
"""All rows, with times and data as the text that they are kept as."""
PIECEMEAL: Mapping[str, Any] = {"stream_results": True}
"""How a whole journal is asked of a server, which would send all of it at once; SQLite gives row after row anyway."""
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
    """Write `entry` under the next number, in the caller's transaction; gives the number.

    Whoever writes is alone (BEGIN IMMEDIATE, or a lock on a server): numbers become visible in their order.
    """
    last, prev = head(connection)
    seq = last + 1 + skipped(entry.kind, entry.data)
    data = canonical(entry.data)
    names = (entry.kind, entry.order_id, entry.station, entry.subject)
    row = {
        "seq": seq,
        "at": entry.at,
        "kind": entry.kind,
        "subject": entry.subject,
        "order_id": entry.order_id,
        "station": entry.station,
        "actor": entry.actor,
        "data": data,
        "prev": prev,
        "hash": _digest(prev, _line(entry.actor, time_text(entry.at), data.text, seq, *names)),
    }
    _APPEND.run(connection, row)
    _LAST.know(connection, [(seq, row["hash"])])
    return seq


def skipped(kind: str, data: Mapping[str, Any]) -> int:
    """Give how many numbers a row leaves out before its own."""
    return int(data["skipped"]) if kind == LEAP else 0


def head(connection: Connection) -> tuple[int, str]:
    """Give the last number and its hash; (0, "") for an empty book."""
    last = _LAST.first(connection)
    return (last.seq, last.hash) if last else (0, "")


def broken_links(connection: Connection, most: int = 20) -> Iterator[str]:
    """Say, at most `most` times, where the chain of numbers and hashes does not hold."""
    expected, prev, found = 1, "", 0
    for actor, at, data, seq, *names, before, kept in connection.execute(_TEXTS, execution_options=PIECEMEAL):
        leapt = skipped(names[0], loads(data)) if names[0] == LEAP else 0
        if seq != expected + leapt or before != prev or kept != _digest(prev, _line(actor, at, data, seq, *names)):
            yield f"journal {seq}: number or hash does not follow {expected - 1}"
            found += 1
        if found >= most:
            return
        expected, prev = seq + 1, kept


def rows_of(connection: Connection, kinds: Collection[str]) -> Iterator[Entry]:
    """Give the rows of these kinds in their order; one at a time, a long shift has millions of others."""
    query = select(journal).where(journal.c.kind.in_(sorted(kinds))).order_by(journal.c.seq)
    names = [field.name for field in fields(Entry)]
    for row in connection.execute(query, execution_options=PIECEMEAL).mappings():
        yield Entry(**{name: row[name] for name in names})


def contents_hash(connection: Connection) -> str:
    """Hash all rows but what depends on the bytes of pictures: two runs that kept other pixels of the same things agree."""
    whole = sha256()
    for actor, at, data, seq, *names, _before, _digest_of in connection.execute(_TEXTS, execution_options=PIECEMEAL):
        shown = _without_pixels(data) if any(name in data for name in OF_PICTURES) else data
        whole.update(f"{_line(actor, at, shown, seq, *names)}\n".encode())
    return whole.hexdigest()


def digest(prev: str, row: Mapping[str, Any]) -> str:
    """Give the hash of a row's content, chained to that of the row before."""
    names = (row["kind"], row["order_id"], row["station"], row["subject"])
    return _digest(prev, _line(row["actor"], plain(row["at"]), dumps(row["data"]), row["seq"], *names))


def _without_pixels(data: str) -> str:
    return dumps({name: value for name, value in loads(data).items() if name not in OF_PICTURES})


def _line(actor: str, at: str, data: str, seq: int, kind: str, order_id: str, station: str, subject: str) -> str:
    """Put the canonical JSON of a row together of its parts; `at` and `data` are text already, as the row keeps them."""
    return (
        f'{{"actor":{_quoted(actor)},"at":"{at}","data":{data},"kind":{_quoted(kind)},"order_id":{_quoted(order_id)},'
        f'"seq":{seq},"station":{_quoted(station)},"subject":{_quoted(subject)}}}'
    )


def _digest(prev: str, line: str) -> str:
    return sha256(f"{prev}\n{line}".encode()).hexdigest()
