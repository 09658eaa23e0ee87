"""The few numbers that a line is judged by, counted from committed rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Table, bindparam, func, or_, select, text

from packline.orders.model import ORDER_DONE, PARCEL_GONE, OrderState, ParcelState
from packline.orders.release import PARCELS_IN_WORK, UNITS_IN_WORK
from packline.store.schema import alarm, exception, journal, orders, parcel, unit
from packline.store.writer import Writer

_WAITING = tuple(sorted(set(OrderState) - ORDER_DONE - {OrderState.SHIPPED}))

_WITH_PIECES = select(unit.c.order_id).where(unit.c.state.in_(sorted(UNITS_IN_WORK)))
_WITH_CARTONS = select(parcel.c.order_id).where(parcel.c.state.in_(sorted(PARCELS_IN_WORK)))
_IN_WORK = (
    select(func.count())
    .select_from(orders)
    .where(
        orders.c.state == OrderState.RELEASED,
        or_(orders.c.order_id.in_(_WITH_PIECES), orders.c.order_id.in_(_WITH_CARTONS)),
    )
)


MOST_PARCELS = 240
MOST_CASES = 120
"""No picture of the floor tells of more parcels and open exceptions than this; those that moved last are told of."""

_ON_FLOOR = (
    select(parcel.c.lpn, parcel.c.state, parcel.c.place, parcel.c.held)
    .where(parcel.c.state.in_(sorted(set(ParcelState) - PARCEL_GONE)))
    .order_by(parcel.c.changed_at.desc(), parcel.c.lpn)
    .limit(MOST_PARCELS)
)
_CASES = (
    select(exception.c.code, exception.c.station, exception.c.subject)
    .where(exception.c.state == "open")
    .order_by(exception.c.opened_at.desc(), exception.c.exception_id)
    .limit(MOST_CASES)
)


_SHIPPED, _DELIVERED = ParcelState.SHIPPED.value, ParcelState.DELIVERED.value
_LEAVING: Mapping[str, tuple[str, Mapping[str, int]]] = {
    "OrderShipped": ("orders", {OrderState.SHIPPED.value: 1}),
    "OrderClosed": ("orders", {OrderState.SHIPPED.value: -1, OrderState.CLOSED.value: 1}),
    "OrderReturned": ("orders", {OrderState.RETURNED.value: 1}),
    "OrderCancelled": ("orders", {OrderState.CANCELLED.value: 1}),
    "ParcelShipped": ("parcels", {_SHIPPED: 1}),
    "ParcelDelivered": ("parcels", {_SHIPPED: -1, _DELIVERED: 1}),
    "ParcelReturned": ("parcels", {ParcelState.RETURNED.value: 1}),
}
"""Which event brings an order or a parcel into the states that nobody works on any more, and out of one of them into the next."""
_GONE: Mapping[str, frozenset[str]] = {
    part: frozenset(state for table, moves in _LEAVING.values() if table == part for state in moves)
    for part in ("orders", "parcels")
}
_TABLES: Mapping[str, tuple[Table, Column[Any]]] = {
    "orders": (orders, orders.c.state),
    "parcels": (parcel, parcel.c.state),
}
_HERE: Mapping[str, tuple[str, ...]] = {
    "orders": tuple(sorted(set(OrderState) - _GONE["orders"])),
    "parcels": tuple(sorted(set(ParcelState) - _GONE["parcels"])),
}
# The kind is joined with nothing so that no index of kinds is taken: the rows that are new are few, those of a kind are millions.
_KIND = journal.c.kind.concat("").label("event")
_SINCE = (
    select(_KIND, func.count())
    .where(journal.c.seq > bindparam("seq"), _KIND.in_(sorted(_LEAVING)))
    .group_by(text("event"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gone:
    """How many orders and parcels were in a state that nobody works on, by the journal's row `seq`."""

    seq: int
    counts: Mapping[str, Counter[str]]


class Figures:
    """Counts. What is over is counted once, and then followed by the journal: it grows for years, and is asked for each half second."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._gone: _Gone | None = None

    async def count(self, since: datetime) -> dict[str, Any]:
        """Give `seq`, `wip` (orders on the floor that count for its limit), `per_hour` (parcels handed over since `since`, an hour ago),
        `oldest_waiting_at` (when the oldest order that is not shipped came; None without one), `orders` and `parcels`
        by state, `alarms` nobody acknowledged, open `exceptions`, and `floor`: the parcels in the hall, who moved last
        first, and what waits for a decision.
        """
        figures, self._gone = await self._writer.read(lambda connection: _count(connection, since, self._gone))
        return figures


def _count(connection: Connection, since: datetime, known: _Gone | None) -> tuple[dict[str, Any], _Gone]:
    gone = _all_gone(connection) if known is None else _gone_since(connection, known)
    oldest = select(func.min(orders.c.received_at)).where(orders.c.state.in_(_WAITING))
    shipped = select(func.count()).where(journal.c.kind == "ParcelShipped", journal.c.at >= since)
    figures = {
        "seq": gone.seq,
        "wip": connection.execute(_IN_WORK).scalar_one(),
        "per_hour": connection.execute(shipped).scalar_one(),
        "oldest_waiting_at": connection.execute(oldest).scalar(),
        "orders": _by_state(connection, "orders", gone),
        "parcels": _by_state(connection, "parcels", gone),
        "alarms": connection.execute(select(func.count()).where(alarm.c.acked_at.is_(None))).scalar_one(),
        "exceptions": connection.execute(select(func.count()).where(exception.c.state == "open")).scalar_one(),
        "floor": {
            "parcels": [dict(row) for row in connection.execute(_ON_FLOOR).mappings()],
            "cases": [dict(row) for row in connection.execute(_CASES).mappings()],
        },
    }
    return figures, gone


def _by_state(connection: Connection, part: str, gone: _Gone) -> dict[str, int]:
    table, state = _TABLES[part]
    query = select(state, func.count()).select_from(table).where(state.in_(_HERE[part])).group_by(state)
    counted = {word.value: number for word, number in connection.execute(query)}
    return {**counted, **{word: number for word, number in gone.counts[part].items() if number}}


def _all_gone(connection: Connection) -> _Gone:
    counts = {part: Counter[str]() for part in _TABLES}
    for part, (table, state) in _TABLES.items():
        query = select(state, func.count()).select_from(table).where(state.in_(sorted(_GONE[part]))).group_by(state)
        counts[part].update({word.value: number for word, number in connection.execute(query)})
    return _Gone(seq=_newest(connection), counts=counts)


def _gone_since(connection: Connection, known: _Gone) -> _Gone:
    seq = _newest(connection)
    if seq == known.seq:
        return known
    counts = {part: Counter(known.counts[part]) for part in _TABLES}
    for kind, number in connection.execute(_SINCE, {"seq": known.seq}):
        part, moves = _LEAVING[kind]
        for state, by in moves.items():
            counts[part][state] += by * number
    return _Gone(seq=seq, counts=counts)


def _newest(connection: Connection) -> int:
    return connection.execute(select(func.max(journal.c.seq))).scalar() or 0
