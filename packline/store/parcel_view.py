"""All that the books know of one parcel, on one screen."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select

from packline.orders.model import Order, Parcel, Unit
from packline.orders.ports import ExceptionRow, Label
from packline.store import schema as s
from packline.store.hot_views import MOST_ROWS
from packline.store.rows import made, many
from packline.store.view_rows import DeliveryRow, EffectRow, JournalRow, ParcelDetail, PictureRow


def parcel_detail(db: Connection, lpn: str) -> ParcelDetail | None:
    """Give all that is known of a parcel; None if the books do not know it."""
    row = db.execute(select(s.parcel).where(s.parcel.c.lpn == lpn)).mappings().first()
    if row is None:
        return None
    parcel = made(Parcel, row)
    order = db.execute(select(s.orders).where(s.orders.c.order_id == parcel.order_id)).mappings().one()
    units = _units(db, s.unit.c.lpn == lpn)
    ids = [lpn, *(u.unit_id for u in units)]
    return ParcelDetail(
        parcel=parcel,
        order=made(Order, order),
        units=units,
        labels=many(db, Label, s.label, s.label.c.lpn == lpn, s.label.c.generation),
        effects=many(db, EffectRow, s.effect, s.effect.c.subject.in_(ids), s.effect.c.created_at),
        journal=_journal(db, s.journal.c.subject.in_(ids)),
        pictures=_pictures(db, s.picture.c.subject.in_(ids)),
        deliveries=_deliveries(db, s.journal.c.subject == lpn),
        exceptions=_exceptions(db, s.exception.c.subject == lpn),
    )


def _units(db: Connection, wanted: ColumnElement[bool]) -> tuple[Unit, ...]:
    return many(db, Unit, s.unit, wanted, s.unit.c.line_no, s.unit.c.n)


def _journal(db: Connection, wanted: ColumnElement[bool]) -> tuple[JournalRow, ...]:
    """Give the newest rows, in the order they happened."""
    return tuple(reversed(many(db, JournalRow, s.journal, wanted, s.journal.c.seq.desc())))


def _pictures(db: Connection, wanted: ColumnElement[bool]) -> tuple[PictureRow, ...]:
    return many(db, PictureRow, s.picture, wanted, s.picture.c.kept_at, s.picture.c.picture_id)


def _exceptions(db: Connection, wanted: ColumnElement[bool]) -> tuple[ExceptionRow, ...]:
    query = select(s.exception).where(wanted).order_by(s.exception.c.opened_at).limit(MOST_ROWS)
    rows = db.execute(query).mappings()
    return tuple(made(ExceptionRow, {**row, "actions": tuple(row["actions"])}) for row in rows)


def _deliveries(db: Connection, wanted: ColumnElement[bool]) -> tuple[DeliveryRow, ...]:
    query: Select[Any] = (
        select(s.outbox.c.name, s.outbox.c.subject, s.outbox.c.at, s.delivery)
        .join(s.delivery, s.delivery.c.event_id == s.outbox.c.event_id)
        # By way of the journal, which is indexed by subject: each event outside is one of its rows.
        .join(s.journal, s.journal.c.seq == s.outbox.c.seq)
        .where(wanted)
        .order_by(s.outbox.c.seq, s.delivery.c.subscriber)
        .limit(MOST_ROWS)
    )
    return tuple(made(DeliveryRow, row) for row in db.execute(query).mappings())
