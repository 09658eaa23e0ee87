"""Reads a journal once more, from its first row on, for whoever wants to see again what happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, func, select

from packline.orders.lifecycle import TARGET
from packline.store.schema import journal
from packline.store.writer import Writer

_OF_DESK = ("ExceptionOpened", "ExceptionClosed", "AlarmRaised", "AlarmCleared", "AlarmAcknowledged")
KINDS = (*sorted(kind for kind, target in TARGET.items() if target == "parcel"), *_OF_DESK)
"""The kinds of rows that a tape has: what happens to parcels, and what waits for people."""

# The kind is joined with nothing: by the index of kinds each part of the tape would be sorted out of all rows of the journal.
_NEXT = (
    select(journal.c.seq, journal.c.at, journal.c.kind, journal.c.subject, journal.c.order_id, journal.c.station, journal.c.data)
    .where(journal.c.seq > bindparam("after"), journal.c.kind.concat("").in_(KINDS))
    .order_by(journal.c.seq)
    .limit(bindparam("most"))
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TapeRow:
    """One row of the journal, as far as a picture of the floor needs it."""

    seq: int
    at: datetime
    kind: str
    subject: str
    order_id: str
    station: str
    data: Mapping[str, Any]


class Tape:
    """A journal that is read from any number on."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def span(self) -> tuple[datetime, datetime, int] | None:
        """Give when the first and the last row were written, and how many there are; None for an empty journal."""
        return self._writer.read_now(_span)

    def after(self, seq: int, most: int) -> list[TapeRow]:
        """Give at most `most` rows with numbers above `seq`, in their order."""
        return self._writer.read_now(
            lambda db: [_row(row) for row in db.execute(_NEXT, {"after": seq, "most": most}).mappings()]
        )


def _span(db: Connection) -> tuple[datetime, datetime, int] | None:
    found = db.execute(
        select(func.min(journal.c.seq), func.max(journal.c.seq), func.count()).select_from(journal)
    ).one()
    if not found[2]:
        return None
    times = [db.execute(select(journal.c.at).where(journal.c.seq == seq)).scalar_one() for seq in found[:2]]
    return times[0], times[1], found[2]


def _row(row: RowMapping) -> TapeRow:
    return TapeRow(**row)
