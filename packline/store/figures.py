"""The few numbers that a line is judged by, counted from committed rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Table, func, or_, select

from packline.orders.model import ORDER_DONE, OrderState
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


class Figures:
    """Counts."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def count(self, since: datetime) -> dict[str, Any]:
        """Give `seq`, `wip` (orders on the floor that count for its limit), `per_hour` (parcels handed over since `since`, an hour ago),
        `oldest_waiting_at` (when the oldest order that is not shipped came; None without one), `orders` and `parcels`
        by state, `alarms` nobody acknowledged, open `exceptions`.
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
    }


def _by_state(connection: Connection, table: Table, state: Column[Any]) -> dict[str, int]:
    query = select(state, func.count()).select_from(table).group_by(state)
    return {word.value: number for word, number in connection.execute(query)}
