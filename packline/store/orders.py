"""Rows of orders."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from packline.orders.model import Order, OrderState, PlaceOrder
from packline.store.schema import orders

_FIELDS = (
    orders.c.order_id,
    orders.c.content,
    orders.c.state,
    orders.c.received_at,
    orders.c.reserve_until,
    orders.c.pay_until,
    orders.c.reason,
    orders.c.priority,
)
_ONE = select(*_FIELDS).where(orders.c.order_id == bindparam("of"))
_IN_STATES = (
    select(*_FIELDS)
    .where(orders.c.state.in_(bindparam("states", expanding=True)))
    .order_by(orders.c.priority, orders.c.received_at, orders.c.order_id)
    .limit(bindparam("most"))
)
_ADD = insert(orders)
_CHANGE = update(orders).where(orders.c.order_id == bindparam("of"))


def order_of(connection: Connection, order_id: str) -> Order | None:
    """Give the order, if the books have it."""
    row = connection.execute(_ONE, {"of": order_id}).first()
    return None if row is None else _order(row)


def orders_in(connection: Connection, states: Collection[OrderState], limit: int) -> list[Order]:
    """Give at most `limit` orders in one of `states`: urgent first, then as they came."""
    rows = connection.execute(_IN_STATES, {"states": list(states), "most": limit})
    return [_order(row) for row in rows]


def add_order(connection: Connection, order: Order) -> None:
    """Insert a new order."""
    row = {"order_id": order.order_id, "received_at": order.received_at, **_changing(order, order.received_at)}
    connection.execute(_ADD, row)


def change_order(connection: Connection, order: Order, at: datetime) -> None:
    """Write an order's row anew."""
    connection.execute(_CHANGE, {"of": order.order_id, **_changing(order, at)})


def received(content: PlaceOrder, at: datetime) -> Order:
    """Give the order that a host's first message makes."""
    return Order(order_id=content.order_id, content=content, state=OrderState.RECEIVED, received_at=at)


def _order(row: Row[*tuple[Any, ...]]) -> Order:
    return Order(
        order_id=row.order_id,
        content=row.content,
        state=row.state,
        received_at=row.received_at,
        reserve_until=row.reserve_until,
        pay_until=row.pay_until,
        reason=row.reason,
        priority=row.priority,
    )


def _changing(order: Order, at: datetime) -> dict[str, Any]:
    return {
        "channel": order.content.channel,
        "external_id": order.content.external_id,
        "merchant": order.content.merchant,
        "version": order.content.version,
        "content": order.content,
        "state": order.state,
        "reserve_until": order.reserve_until,
        "pay_until": order.pay_until,
        "reason": order.reason,
        "priority": order.priority,
        "changed_at": at,
    }
