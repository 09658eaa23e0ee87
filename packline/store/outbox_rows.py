"""Rows that tell the world: one per event, one delivery per subscriber that hears it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from packline.orders.tracking import hears
from packline.store.prepared import Change, question
from packline.store.schema import delivery, outbox, subscriber

_SUBSCRIBERS = question(select(subscriber.c.name, subscriber.c.role).order_by(subscriber.c.name))
_ADD = Change(insert(outbox))
_ADD_DELIVERY = Change(insert(delivery))


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One event for outside; `name` as in `tracking.TRACKING`, `body` the full state of its subject."""

    event_id: str
    seq: int
    at: datetime
    name: str
    subject: str
    order_id: str
    body: Mapping[str, Any]


def put(connection: Connection, news: News) -> None:
    """Write an event and its deliveries in the caller's transaction."""
    row = {name: getattr(news, name) for name in News.__slots__}
    _ADD.run(connection, row)
    deliveries = [
        {
            "event_id": news.event_id,
            "subscriber": name,
            "seq": news.seq,
            "stream": news.order_id,
            "next_at": news.at,
            "changed_at": news.at,
        }
        for name, role in _SUBSCRIBERS.all(connection)
        if hears(role, news.name)
    ]
    _ADD_DELIVERY.run_all(connection, deliveries)


def set_subscribers(connection: Connection, subscribers: Collection[tuple[str, str]]) -> None:
    """Make `subscribers` (name, role) the ones that hear of events from now on."""
    connection.execute(delete(subscriber))
    if subscribers:
        connection.execute(insert(subscriber), [{"name": name, "role": role} for name, role in subscribers])
