"""What the screens read: plain queries on committed rows, newest first where time matters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    Table,
    Text,
    and_,
    cast,
    func,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB

from packline.core.faults import FAULTS, Severity
from packline.core.identity import Lpn
from packline.orders.model import ORDER_DONE, Item, Order, OrderState, Parcel, Unit
from packline.orders.ports import ABOUT_ALL, ExceptionRow, Label
from packline.store import hot_views as hot
from packline.store import schema as s
from packline.store.parcels import proof_of
from packline.store.view_rows import (
    AlarmRow,
    DeliveryRow,
    EffectRow,
    Found,
    JournalRow,
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

URGENCY = {Severity.CRITICAL: 0, Severity.HIGH: 1, Severity.WARNING: 2, Severity.INFO: 3}

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
        """List orders of a group (a key of ORDER_GROUPS), urgent ones first, then the oldest; done ones newest first.

        `search` looks for numbers, merchants, SKUs, plates and labels; for recipients only with `recipients`, which is for
        those who may read addresses.
        """
        matches = [_order_matches(search), *([_sent_to(db, search)] if search and recipients else [])]
        wanted = and_(s.orders.c.state.in_(ORDER_GROUPS.get(group, ORDER_GROUPS["all"])), or_(*matches))
        newest = group in ("done", "shipped", "all")
        by = s.orders.c.received_at.desc() if newest else s.orders.c.received_at
        query = select(s.orders).where(wanted).order_by(*([] if newest else [s.orders.c.priority]), by)
        total = db.scalar(select(func.count()).select_from(s.orders).where(wanted)) or 0
        found = [_make(Order, row) for row in db.execute(query.limit(limit).offset(offset)).mappings()]
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
        row = db.execute(select(s.parcel).where(s.parcel.c.lpn == lpn)).mappings().first()
        if row is None:
            return None
        parcel = _make(Parcel, row)
        order = db.execute(select(s.orders).where(s.orders.c.order_id == parcel.order_id)).mappings().one()
        units = _units(db, s.unit.c.lpn == lpn)
        ids = [lpn, *(u.unit_id for u in units)]
        return ParcelDetail(
            parcel=parcel,
            order=_make(Order, order),
            units=units,
            labels=_many(db, Label, s.label, s.label.c.lpn == lpn, s.label.c.generation),
            effects=_many(db, EffectRow, s.effect, s.effect.c.subject.in_(ids), s.effect.c.created_at),
            journal=_journal(db, s.journal.c.subject.in_(ids)),
            pictures=_pictures(db, s.picture.c.subject.in_(ids)),
            deliveries=_deliveries(db, s.outbox.c.subject == lpn),
            exceptions=_exceptions(db, s.exception.c.subject == lpn),
        )

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
        sscc = _bare(text)
        if Lpn.is_lpn(text) and db.scalar(select(s.parcel.c.lpn).where(s.parcel.c.lpn == text)):
            return Found(kind="parcel", key=text)
        if lpn := db.scalar(select(s.label.c.lpn).where(s.label.c.sscc == sscc)):
            return Found(kind="label", key=lpn)
        if order_id := db.scalars(_order_named(text)).first():
            return Found(kind="order", key=order_id)
        if sku := db.scalars(_item_named(text)).first():
            return Found(kind="item", key=sku)
        return None

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
        return list(_many(db, AlarmRow, s.alarm, or_(asks, stands, s.alarm.c.id > _recent(past)), *order))

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
        wanted = _item_matches(search)
        query = select(s.item).where(wanted).order_by(s.item.c.sku).limit(limit).offset(offset)
        total = db.scalar(select(func.count()).select_from(s.item).where(wanted)) or 0
        found = list(db.execute(query).mappings())
        aliases = _aliases(db, [row["sku"] for row in found])
        rows = tuple(_make(Item, {**row, "barcodes": aliases.get(row["sku"], ())}) for row in found)
        return Page(rows=rows, total=total, offset=offset, limit=limit)

    @_reading
    def picture(self, db: Connection, picture_id: str) -> tuple[PictureRow, bytes] | None:
        """Give a picture and its JPEG bytes."""
        query = (
            select(s.picture, s.picture_blob.c.jpeg).join(s.picture_blob).where(s.picture.c.picture_id == picture_id)
        )
        row = db.execute(query).mappings().first()
        return None if row is None else (_make(PictureRow, row), bytes(row["jpeg"]))

    @_reading
    def seq(self, db: Connection) -> int:
        """Give the newest journal number; 0 in empty books."""
        return db.scalar(select(func.max(s.journal.c.seq))) or 0


def severity_of(code: int) -> Severity:
    """Give the severity of a fault code; unknown ones are a warning."""
    return FAULTS[code].severity if code in FAULTS else Severity.WARNING


def urgency(code: int) -> int:
    """Give 0 (critical) .. 3 (information) for sorting."""
    return URGENCY[severity_of(code)]


def _make(cls: type[T], row: RowMapping | Mapping[str, Any]) -> T:
    names = [field.name for field in fields(cls)]  # type: ignore[arg-type]  # T is a dataclass in this file
    return cls(**{name: row[name] for name in names})


def _many(
    db: Connection, cls: type[T], table: Table, wanted: ColumnElement[bool], *by: ColumnElement[Any]
) -> tuple[T, ...]:
    query = select(table).where(wanted).order_by(*by).limit(hot.MOST_ROWS)
    return tuple(_make(cls, row) for row in db.execute(query).mappings())


def _units(db: Connection, wanted: ColumnElement[bool]) -> tuple[Unit, ...]:
    return _many(db, Unit, s.unit, wanted, s.unit.c.line_no, s.unit.c.n)


def _journal(db: Connection, wanted: ColumnElement[bool]) -> tuple[JournalRow, ...]:
    """Give the newest rows, in the order they happened."""
    return tuple(reversed(_many(db, JournalRow, s.journal, wanted, s.journal.c.seq.desc())))


def _pictures(db: Connection, wanted: ColumnElement[bool]) -> tuple[PictureRow, ...]:
    return _many(db, PictureRow, s.picture, wanted, s.picture.c.kept_at, s.picture.c.picture_id)


def _exceptions(db: Connection, wanted: ColumnElement[bool]) -> tuple[ExceptionRow, ...]:
    query = select(s.exception).where(wanted).order_by(s.exception.c.opened_at).limit(hot.MOST_ROWS)
    rows = db.execute(query).mappings()
    return tuple(_make(ExceptionRow, {**row, "actions": tuple(row["actions"])}) for row in rows)


def _deliveries(db: Connection, wanted: ColumnElement[bool]) -> tuple[DeliveryRow, ...]:
    query: Select[Any] = (
        select(s.outbox.c.name, s.outbox.c.subject, s.outbox.c.at, s.delivery)
        .join(s.delivery, s.delivery.c.event_id == s.outbox.c.event_id)
        .where(wanted)
        .order_by(s.outbox.c.seq, s.delivery.c.subscriber)
        .limit(hot.MOST_ROWS)
    )
    return tuple(_make(DeliveryRow, row) for row in db.execute(query).mappings())


def _with_contents(db: Connection, found: Sequence[Order]) -> tuple[OrderLineView, ...]:
    ids = [order.order_id for order in found]
    units: dict[str, Counter[str]] = {order_id: Counter() for order_id in ids}
    parcels: dict[str, list[Parcel]] = {order_id: [] for order_id in ids}
    counted = select(s.unit.c.order_id, s.unit.c.state, func.count().label("n")).where(s.unit.c.order_id.in_(ids))
    for row in db.execute(counted.group_by(s.unit.c.order_id, s.unit.c.state)).mappings():
        units[row["order_id"]][str(row["state"])] = row["n"]
    for parcel in _many(db, Parcel, s.parcel, s.parcel.c.order_id.in_(ids), s.parcel.c.opened_at):
        parcels[parcel.order_id].append(parcel)
    return tuple(OrderLineView(order=o, units=units[o.order_id], parcels=tuple(parcels[o.order_id])) for o in found)


def _order_matches(search: str) -> ColumnElement[bool]:
    if not search:
        return s.orders.c.order_id.is_not(None)
    own = (s.orders.c.order_id, s.orders.c.external_id, s.orders.c.merchant)
    named = (column.icontains(search, autoescape=True) for column in own)
    sku = select(s.unit.c.order_id).where(s.unit.c.sku.icontains(search, autoescape=True))
    lpn = select(s.parcel.c.order_id).where(s.parcel.c.lpn.icontains(search, autoescape=True))
    label = select(s.parcel.c.order_id).join(s.label, s.label.c.lpn == s.parcel.c.lpn)
    sscc = label.where(s.label.c.sscc.contains(_bare(search), autoescape=True))
    return or_(*named, *(s.orders.c.order_id.in_(of) for of in (sku, lpn, sscc)))


def _sent_to(db: Connection, search: str) -> ColumnElement[bool]:
    """The recipient stands in the order's content, which is kept as JSON; each engine has its own way in."""
    content = type_coerce(s.orders.c.content, Text)
    if db.dialect.name == "postgresql":
        recipient = func.jsonb_extract_path_text(cast(content, JSONB), "ship_to", "recipient")
    else:
        recipient = func.json_extract(content, "$.ship_to.recipient")
    return type_coerce(recipient, Text).icontains(search, autoescape=True)


def _bare(text: str) -> str:
    """Give the 18 digits of a label's number without what stands before them in its code."""
    digits = text.removeprefix("(00)")
    return digits[2:] if len(digits) == 20 and digits.startswith("00") else digits


def _order_named(text: str) -> Select[Any]:
    return select(s.orders.c.order_id).where(or_(s.orders.c.order_id == text, s.orders.c.external_id == text)).limit(1)


def _item_named(text: str) -> Select[Any]:
    alias = select(s.item_alias.c.sku).where(s.item_alias.c.barcode == text)
    return select(s.item.c.sku).where(or_(s.item.c.sku == text, s.item.c.sku.in_(alias))).limit(1)


def _item_matches(search: str) -> ColumnElement[bool]:
    if not search:
        return s.item.c.sku.is_not(None)
    alias = select(s.item_alias.c.sku).where(s.item_alias.c.barcode == search)
    named = (c.icontains(search, autoescape=True) for c in (s.item.c.sku, s.item.c.name, s.item.c.merchant))
    return or_(*named, s.item.c.sku.in_(alias))


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
    return _make(QuarantineRow, {**row, "body": body})
