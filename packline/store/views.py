"""What the screens read: plain queries on committed rows, newest first where time matters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, func, or_, select

from packline.core.faults import URGENCY, Severity, severity_of, urgency
from packline.orders.model import ORDER_DONE, Item, Order, OrderState, Parcel
from packline.orders.ports import ABOUT_ALL, ExceptionRow
from packline.store import hot_views as hot
from packline.store import schema as s
from packline.store.orders import AS_THEY_GO
from packline.store.parcel_view import parcel_detail
from packline.store.parcels import proof_of
from packline.store.rows import made, many
from packline.store.search import item_matches, order_matches, sent_to, thing_named
from packline.store.view_rows import (
    AlarmRow,
    EffectRow,
    Found,
    OrderDetail,
    OrderLineView,
    Page,
    ParcelDetail,
    PictureRow,
    QuarantineRow,
    Unreadable,
)
from packline.store.writer import Writer

T = TypeVar("T")
P = ParamSpec("P")

MOST_RINGS = 5000
"""So many rings of alarms are counted at most: a flood must not keep a page waiting."""

ORDER_GROUPS: Mapping[str, tuple[OrderState, ...]] = {
    "open": tuple(state for state in OrderState if state not in ORDER_DONE and state is not OrderState.SHIPPED),
    "waiting": (OrderState.RECEIVED,),
    "floor": (OrderState.RELEASED,),
    "clarify": (OrderState.CLARIFY,),
    "shipped": (OrderState.SHIPPED,),
    "done": tuple(ORDER_DONE),
    "all": tuple(OrderState),
}
"""The filters of the order list, by the states that they show."""


def _reading(
    question: Callable[Concatenate[Views, Connection, P], T],
) -> Callable[Concatenate[Views, P], T]:
    """Run a question on a reading connection; a database in trouble answers Fault 5002."""

    @wraps(question)
    def ask(self: Views, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.writer.read_now(lambda db: question(self, db, *args, **kwargs))

    return ask


class Views:
    """Reads for people; every method is one short read transaction."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer

    # -- orders and parcels

    @_reading
    def orders(
        self,
        db: Connection,
        *,
        search: str = "",
        recipients: bool = False,
        group: str = "open",
        offset: int = 0,
        limit: int = 50,
    ) -> Page:
        """List orders of a group (a key of ORDER_GROUPS), urgent ones first, then by date, then the oldest; done ones newest first.

        `search` looks for numbers, merchants, SKUs, plates and labels; for recipients only with `recipients`, which is for
        those who may read addresses.
        """
        matches = [order_matches(search), *([sent_to(db, search)] if search and recipients else [])]
        wanted = and_(s.orders.c.state.in_(ORDER_GROUPS.get(group, ORDER_GROUPS["all"])), or_(*matches))
        newest = group in ("done", "shipped", "all")
        by = (s.orders.c.received_at.desc(),) if newest else AS_THEY_GO
        query = select(s.orders).where(wanted).order_by(*by)
        total = db.scalar(select(func.count()).select_from(s.orders).where(wanted)) or 0
        found = [made(Order, row) for row in db.execute(query.limit(limit).offset(offset)).mappings()]
        rows = _with_contents(db, found)
        return Page(rows=rows, total=total, offset=offset, limit=limit)

    @_reading
    def order_groups(self, db: Connection) -> dict[str, int]:
        """Count the orders of each group."""
        counted = db.execute(select(s.orders.c.state, func.count()).group_by(s.orders.c.state))
        states: dict[OrderState, int] = {row[0]: row[1] for row in counted}
        return {group: sum(states.get(state, 0) for state in members) for group, members in ORDER_GROUPS.items()}

    @_reading
    def order(self, db: Connection, order_id: str) -> OrderDetail | None:
        """Give all that is known of an order."""
        order = hot.ORDER.first(db, of=order_id)
        return None if order is None else hot.order_detail(db, order)

    @_reading
    def parcel(self, db: Connection, lpn: str) -> ParcelDetail | None:
        """Give all that is known of a parcel."""
        return parcel_detail(db, lpn)

    @_reading
    def proof(self, db: Connection, lpn: str) -> str:
        """Give the id of the picture by which the parcel's label was proved last; "" without one."""
        return proof_of(db, lpn)

    @_reading
    def labels(self, db: Connection) -> dict[str, tuple[str, int]]:
        """Give SSCC and print number of every parcel's label, by plate; "" and 0 for none."""
        parcel = s.parcel.c
        return {
            row.lpn: (row.sscc, row.print_number)
            for row in db.execute(select(parcel.lpn, parcel.sscc, parcel.print_number))
        }

    @_reading
    def find(self, db: Connection, text: str) -> Found | None:
        """Tell what a scanned text names; None when the books know nothing of it."""
        return thing_named(db, text)

    # -- what waits for people

    @_reading
    def exceptions(self, db: Connection) -> list[ExceptionRow]:
        """List open exceptions, the most urgent first, then the oldest."""
        rows = hot.OPEN_EXCEPTIONS.all(db)
        return sorted(rows, key=lambda row: (urgency(row.code), row.opened_at))

    @_reading
    def exception(self, db: Connection, exception_id: str) -> ExceptionRow | None:
        """Give one exception, open or closed."""
        return hot.EXCEPTION.first(db, of=exception_id)

    @_reading
    def effects(self, db: Connection, effect_ids: Sequence[str]) -> dict[str, EffectRow]:
        """Give effects by id."""
        rows = [row for effect_id in effect_ids if (row := hot.EFFECT.first(db, of=effect_id))]
        return {row.effect_id: row for row in sorted(rows, key=lambda row: row.created_at)}

    @_reading
    def known_orders(self, db: Connection, order_ids: Collection[str]) -> set[str]:
        """Give those of `order_ids` that the books know."""
        return set(db.scalars(select(s.orders.c.order_id).where(s.orders.c.order_id.in_(sorted(order_ids)))))

    @_reading
    def exception_counts(self, db: Connection) -> dict[Severity, int]:
        """Count open exceptions by severity."""
        query = select(s.exception.c.code).where(s.exception.c.state == "open")
        counts = Counter(severity_of(code) for code in db.scalars(query))
        return {severity: counts.get(severity, 0) for severity in URGENCY}

    @_reading
    def alarms(self, db: Connection, *, past: int = 50) -> list[AlarmRow]:
        """List alarms: those that ask for an acknowledgement, then standing ones, then `past` old ones."""
        asks, stands = s.alarm.c.acked_at.is_(None), s.alarm.c.cleared_at.is_(None)
        order = (asks.desc(), stands.desc(), s.alarm.c.last_at.desc())
        return list(many(db, AlarmRow, s.alarm, or_(asks, stands, s.alarm.c.id > _recent(past)), *order))

    @_reading
    def alarm_rings(self, db: Connection, since: datetime) -> Counter[tuple[str, int]]:
        """Count by (source, code) how often alarms rang from `since` on; what stood all the time rang once."""
        query = select(s.journal.c.subject, s.journal.c.data)
        query = query.where(s.journal.c.kind == "AlarmRaised", s.journal.c.at >= since).limit(MOST_RINGS)
        return Counter((row.subject, int(row.data.get("code", 0))) for row in db.execute(query))

    @_reading
    def alarm_count(self, db: Connection) -> int:
        """Count the alarms that nobody acknowledged."""
        query = select(func.count()).select_from(s.alarm).where(s.alarm.c.acked_at.is_(None))
        return db.scalar(query) or 0

    @_reading
    def quarantine(self, db: Connection, *, offset: int = 0, limit: int = 50, shown_bytes: int = 4000) -> Page:
        """List messages in quarantine, newest first."""
        held = s.inbox.c.state == "quarantined"
        query = select(s.inbox).where(held).order_by(s.inbox.c.id.desc()).limit(limit).offset(offset)
        total = db.scalar(select(func.count()).select_from(s.inbox).where(held)) or 0
        rows = tuple(_quarantined(row, shown_bytes) for row in db.execute(query).mappings())
        return Page(rows=rows, total=total, offset=offset, limit=limit)

    @_reading
    def quarantine_count(self, db: Connection) -> int:
        """Count messages in quarantine."""
        return db.scalar(select(func.count()).select_from(s.inbox).where(s.inbox.c.state == "quarantined")) or 0

    @_reading
    def message(self, db: Connection, inbox_id: int, *, shown_bytes: int = 64_000) -> QuarantineRow | None:
        """Give a message that is in quarantine or ever was; None for any other."""
        row = db.execute(select(s.inbox).where(s.inbox.c.id == inbox_id)).mappings().first()
        was_held = row is not None and (row["state"] in ("quarantined", "dismissed") or row["fault"])
        return _quarantined(row, shown_bytes) if row is not None and was_held else None

    @_reading
    def unreadable(self, db: Connection) -> dict[tuple[str, int], Unreadable]:
        """Give what is in quarantine of each sender, by subject and code of the exception that tells of all of it."""
        code = func.substr(s.inbox.c.reason, 1, 4)
        counted = select(s.inbox.c.kind, s.inbox.c.channel, code.label("code"), func.count().label("n"))
        groups = counted.add_columns(func.max(s.inbox.c.id).label("newest")).where(s.inbox.c.state == "quarantined")
        found = db.execute(groups.group_by(s.inbox.c.kind, s.inbox.c.channel, code)).all()
        newest = select(s.inbox.c.id, s.inbox.c.fault).where(s.inbox.c.id.in_([row.newest for row in found]))
        faults = {row.id: row.fault for row in db.execute(newest)}
        return {
            (f"{ABOUT_ALL}{row.kind}:{row.channel}", int(row.code)): Unreadable(count=row.n, fault=faults[row.newest])
            for row in found
            if row.code.isdecimal()
        }

    # -- items, pictures, journal

    @_reading
    def items(self, db: Connection, *, search: str = "", offset: int = 0, limit: int = 50) -> Page:
        """List items of the master by name, SKU, merchant or barcode."""
        wanted = item_matches(search)
        query = select(s.item).where(wanted).order_by(s.item.c.sku).limit(limit).offset(offset)
        total = db.scalar(select(func.count()).select_from(s.item).where(wanted)) or 0
        found = list(db.execute(query).mappings())
        aliases = _aliases(db, [row["sku"] for row in found])
        rows = tuple(made(Item, {**row, "barcodes": aliases.get(row["sku"], ())}) for row in found)
        return Page(rows=rows, total=total, offset=offset, limit=limit)

    @_reading
    def picture(self, db: Connection, picture_id: str) -> tuple[PictureRow, bytes] | None:
        """Give a picture and its JPEG bytes."""
        query = (
            select(s.picture, s.picture_blob.c.jpeg).join(s.picture_blob).where(s.picture.c.picture_id == picture_id)
        )
        row = db.execute(query).mappings().first()
        return None if row is None else (made(PictureRow, row), bytes(row["jpeg"]))

    @_reading
    def seq(self, db: Connection) -> int:
        """Give the newest journal number; 0 in empty books."""
        return db.scalar(select(func.max(s.journal.c.seq))) or 0


def _with_contents(db: Connection, found: Sequence[Order]) -> tuple[OrderLineView, ...]:
    ids = [order.order_id for order in found]
    units: dict[str, Counter[str]] = {order_id: Counter() for order_id in ids}
    parcels: dict[str, list[Parcel]] = {order_id: [] for order_id in ids}
    counted = select(s.unit.c.order_id, s.unit.c.state, func.count().label("n")).where(s.unit.c.order_id.in_(ids))
    for row in db.execute(counted.group_by(s.unit.c.order_id, s.unit.c.state)).mappings():
        units[row["order_id"]][str(row["state"])] = row["n"]
    for parcel in many(db, Parcel, s.parcel, s.parcel.c.order_id.in_(ids), s.parcel.c.opened_at):
        parcels[parcel.order_id].append(parcel)
    return tuple(OrderLineView(order=o, units=units[o.order_id], parcels=tuple(parcels[o.order_id])) for o in found)


def _aliases(db: Connection, skus: Sequence[str]) -> dict[str, tuple[str, ...]]:
    query = select(s.item_alias).where(s.item_alias.c.sku.in_(skus)).order_by(s.item_alias.c.position)
    found: dict[str, tuple[str, ...]] = {}
    for row in db.execute(query).mappings():
        found[row["sku"]] = (*found.get(row["sku"], ()), row["barcode"])
    return found


def _recent(past: int) -> ColumnElement[int]:
    newest = select(func.coalesce(func.max(s.alarm.c.id), 0)).scalar_subquery()
    return newest - past


def _quarantined(row: RowMapping, shown_bytes: int) -> QuarantineRow:
    body = bytes(row["body"])[:shown_bytes].decode("utf-8", "replace")
    return made(QuarantineRow, {**row, "body": body})
