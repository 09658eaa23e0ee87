"""Views that are asked for all day long: built once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Table, and_, bindparam, case, select

from packline.core.faults import FAULTS, URGENCY, Severity, urgency
from packline.orders.model import Order, Parcel, Unit
from packline.orders.ports import ExceptionRow
from packline.store import schema as s
from packline.store.prepared import Question, at_most, made_of, word
from packline.store.view_rows import DeliveryRow, EffectRow, JournalRow, OrderDetail, PictureRow

T = TypeVar("T")

MOST_ROWS = 500
"""No screen shows more rows of one kind than this."""
_AFTER_DOT = "/"
"""The character after the dot: between the two stand all texts that begin with a dot there, and an index of texts finds them."""


def _names(cls: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(cls))


def _rows(cls: type[T], table: Table, wanted: ColumnElement[bool], *by: ColumnElement[Any]) -> Question[T]:
    names = _names(cls)
    columns = (table.c[name] for name in names)
    return Question(at_most(select(*columns).where(wanted).order_by(*by), MOST_ROWS), made_of(cls, names))


def _exception(values: list[Any]) -> ExceptionRow:
    row = dict(zip(_names(ExceptionRow), values, strict=True))
    return ExceptionRow(**{**row, "actions": tuple(row["actions"])})


def _exceptions(wanted: ColumnElement[bool], *by: ColumnElement[Any]) -> Question[ExceptionRow]:
    columns = (s.exception.c[name] for name in _names(ExceptionRow))
    query = select(*columns).where(wanted).order_by(*by, s.exception.c.opened_at)
    return Question(at_most(query, MOST_ROWS), _exception)


def _urgency(code: ColumnElement[int]) -> ColumnElement[int]:
    """Give `packline.core.faults.urgency` of a code, in SQL; codes that are unknown are a warning there, too."""
    return case({number: urgency(number) for number in FAULTS}, value=code, else_=URGENCY[Severity.WARNING])


def _deliveries(wanted: ColumnElement[bool]) -> Question[DeliveryRow]:
    names = _names(DeliveryRow)
    columns = (s.delivery.c[name] if name in s.delivery.c else s.outbox.c[name] for name in names)
    # By way of the journal, which is indexed by order: each event outside is one of its rows.
    query = select(*columns).join(s.outbox, s.delivery.c.event_id == s.outbox.c.event_id)
    query = query.join(s.journal, s.journal.c.seq == s.outbox.c.seq).where(wanted)
    return Question(
        at_most(query.order_by(s.outbox.c.seq, s.delivery.c.subscriber), MOST_ROWS), made_of(DeliveryRow, names)
    )


_OF: Any = bindparam("of")
ORDER = _rows(Order, s.orders, s.orders.c.order_id == _OF)
EFFECT = _rows(EffectRow, s.effect, s.effect.c.effect_id == _OF)
EXCEPTION = _exceptions(s.exception.c.exception_id == _OF)
# The most urgent first: behind hundreds of messages in quarantine the one that holds a station must still be seen.
OPEN_EXCEPTIONS = _exceptions(s.exception.c.state == word("open"), _urgency(s.exception.c.code))
_UNITS = _rows(Unit, s.unit, s.unit.c.order_id == _OF, s.unit.c.line_no, s.unit.c.n)
_PARCELS = _rows(Parcel, s.parcel, s.parcel.c.order_id == _OF, s.parcel.c.opened_at, s.parcel.c.lpn)
_JOURNAL = _rows(JournalRow, s.journal, s.journal.c.order_id == _OF, s.journal.c.seq.desc())
_PICTURES = _rows(PictureRow, s.picture, s.picture.c.order_id == _OF, s.picture.c.kept_at, s.picture.c.picture_id)
_DELIVERIES = _deliveries(s.journal.c.order_id == _OF)
_EXCEPTIONS_OF = _exceptions(s.exception.c.subject == _OF)
_EXCEPTIONS_BETWEEN = _exceptions(and_(s.exception.c.subject > _OF, s.exception.c.subject < bindparam("until")))


def order_detail(db: Connection, order: Order) -> OrderDetail:
    """Give all that is known of an order."""
    order_id = order.order_id
    parcels = tuple(_PARCELS.all(db, of=order_id))
    return OrderDetail(
        order=order,
        units=tuple(_UNITS.all(db, of=order_id)),
        parcels=parcels,
        journal=tuple(reversed(_JOURNAL.all(db, of=order_id))),
        pictures=tuple(_PICTURES.all(db, of=order_id)),
        deliveries=tuple(_DELIVERIES.all(db, of=order_id)),
        exceptions=_exceptions_about(db, order_id, parcels),
    )


def _exceptions_about(db: Connection, order_id: str, parcels: Sequence[Parcel]) -> tuple[ExceptionRow, ...]:
    """Give the exceptions of an order, its units (whose names begin with the order's and a dot) and its parcels."""
    found = _EXCEPTIONS_BETWEEN.all(db, of=f"{order_id}.", until=f"{order_id}{_AFTER_DOT}")
    for subject in (order_id, *(parcel.lpn for parcel in parcels)):
        found += _EXCEPTIONS_OF.all(db, of=subject)
    return tuple(sorted(found, key=lambda row: row.opened_at))[:MOST_ROWS]
