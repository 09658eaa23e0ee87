"""The few numbers that a line is judged by, counted from committed rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Table, func, or_, select

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


class Figures:
    """Counts."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def count(self, since: datetime) -> dict[str, Any]:
        """Give `seq`, `wip` (orders on the floor that count for its limit), `per_hour` (parcels handed over since `since`, an hour ago),
        `oldest_waiting_at` (when the oldest order that is not shipped came; None without one), `orders` and `parcels`
        by state, `alarms` nobody acknowledged, open `exceptions`, and `floor`: the parcels in the hall, who moved last
        first, and what waits for a decision.
        """
        return await self._writer.read(lambda connection: _count(connection, since))


def _count(connection: Connection, since: datetime) -> dict[str, Any]:
    by_state = _by_state(connection, orders, orders.c.state)
    oldest = select(func.min(orders.c.received_at)).where(orders.c.state.in_(_WAITING))
    shipped = select(func.count()).where(journal.c.kind == "ParcelShipped", journal.c.at >= since)
    return {
        "seq": connection.execute(select(func.max(journal.c.seq))).scalar() or 0,
        "wip": connection.execute(_IN_WORK).scalar_one(),
        "per_hour": connection.execute(shipped).scalar_one(),
        "oldest_waiting_at": connection.execute(oldest).scalar(),
        "orders": by_state,
        "parcels": _by_state(connection, parcel, parcel.c.state),
        "alarms": connection.execute(select(func.count()).where(alarm.c.acked_at.is_(None))).scalar_one(),
        "exceptions": connection.execute(select(func.count()).where(exception.c.state == "open")).scalar_one(),
        "floor": {
            "parcels": [dict(row) for row in connection.execute(_ON_FLOOR).mappings()],
            "cases": [dict(row) for row in connection.execute(_CASES).mappings()],
        },
    }


def _by_state(connection: Connection, table: Table, state: Column[Any]) -> dict[str, int]:
    query = select(state, func.count()).select_from(table).group_by(state)
    return {word.value: number for word, number in connection.execute(query)}
