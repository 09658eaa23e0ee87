"""Counts over the books for the line's picture: work in progress, throughput, what waits."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from packline.orders.model import PARCEL_GONE, OrderState
from packline.store import schema
from packline.store.writer import Writer

_WORKING = (OrderState.RECEIVED, OrderState.RELEASED, OrderState.CLARIFY)


class Figures:
    """Counted from committed rows, in a handful of questions."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def count(self, since: datetime) -> dict[str, Any]:
        """Give seq, orders and parcels by state, wip (parcels not gone), per_hour (shipped after `since`), oldest_waiting_at,
        alarms (standing, not acknowledged) and exceptions (open).
        """
        return await self._writer.read(lambda connection: _count(connection, since))


def _count(connection: Connection, since: datetime) -> dict[str, Any]:
    parcels = _by_state(connection, schema.parcel.c.state)
    gone = {state.value for state in PARCEL_GONE}
    return {
        "seq": _one(connection, select(func.coalesce(func.max(schema.journal.c.seq), 0))),
        "orders": _by_state(connection, schema.orders.c.state),
        "parcels": parcels,
        "wip": sum(n for state, n in parcels.items() if state not in gone),
        "per_hour": _shipped(connection, since),
        "oldest_waiting_at": _oldest(connection),
        "alarms": _one(connection, _rows(schema.alarm.c.cleared_at.is_(None), schema.alarm.c.acked_at.is_(None))),
        "exceptions": _one(connection, _rows(schema.exception.c.closed_at.is_(None))),
    }


def _by_state(connection: Connection, column: Any) -> dict[str, int]:
    rows = connection.execute(select(column, func.count()).group_by(column))
    return {getattr(state, "value", state): n for state, n in rows}


def _shipped(connection: Connection, since: datetime) -> Any:
    journal = schema.journal.c
    return _one(connection, _rows(journal.kind == "ParcelShipped", journal.at >= since))


def _oldest(connection: Connection) -> Any:
    waiting = schema.orders.c.state.in_(_WORKING)
    return connection.execute(select(func.min(schema.orders.c.received_at)).where(waiting)).scalar()


def _rows(*where: Any) -> Any:
    return select(func.count()).where(*where)


def _one(connection: Connection, question: Any) -> Any:
    return connection.execute(question).scalar_one()
