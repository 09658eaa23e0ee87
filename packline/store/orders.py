"""Rows of orders."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from packline.orders.model import Order, OrderState, PlaceOrder
from packline.store.prepared import MOST_QUESTIONS, Change, Question, at_most, made_of, one_of
from packline.store.schema import NEVER, orders

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
_order = made_of(Order, tuple(column.name for column in _FIELDS))
_ONE = Question(select(*_FIELDS).where(orders.c.order_id == bindparam("of")), _order)
AS_THEY_GO = (orders.c.priority, orders.c.ship_by, orders.c.received_at, orders.c.order_id)
"""The order in which orders go to the floor, and in which every list has them."""
_IN_STATES = select(*_FIELDS).order_by(*AS_THEY_GO)
_ADD = Change(insert(orders))
_CHANGE = Change(update(orders).where(orders.c.order_id == bindparam("of")))


def order_of(connection: Connection, order_id: str) -> Order | None:
    """Give the order, if the books have it."""
    return _ONE.first(connection, of=order_id)


def orders_in(connection: Connection, states: Collection[OrderState], limit: int, skip: int) -> list[Order]:
    """Give at most `limit` orders in one of `states` behind the first `skip`: urgent first, then by date, then as they came."""
    return _in_states(tuple(states), limit, skip).all(connection)


@lru_cache(maxsize=MOST_QUESTIONS)
def _in_states(states: tuple[OrderState, ...], limit: int, skip: int) -> Question[Order]:
    """Give the question for these states, built once: it is asked hundreds of times a second."""
    return Question(at_most(_IN_STATES.where(one_of(orders.c.state, states)), limit, skip), _order)


def add_order(connection: Connection, order: Order) -> None:
    """Insert a new order."""
    row = {"order_id": order.order_id, "received_at": order.received_at, **_changing(order, order.received_at)}
    _ADD.run(connection, row)


def change_order(connection: Connection, order: Order, at: datetime) -> None:
    """Write an order's row anew."""
    _CHANGE.run(connection, {"of": order.order_id, **_changing(order, at)})


def received(content: PlaceOrder, at: datetime) -> Order:
    """Give the order that a host's first message makes."""
    return Order(order_id=content.order_id, content=content, state=OrderState.RECEIVED, received_at=at)


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
        "ship_by": order.content.ship_by or NEVER,
        "changed_at": at,
    }
