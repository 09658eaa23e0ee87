"""Writes what people did to the dashboard itself into the journal, beside what the line did."""

from __future__ import annotations

import asyncio
from typing import Any

from packline.orders.model import Event
from packline.store import Store


def note(store: Store, kind: str, subject: str, *, actor: str, **data: Any) -> None:
    """Journal one fact about users or sessions; returns after the commit. Never give it a password or a token."""
    asyncio.run(store.books.record(Event(kind=kind, subject=subject, actor=actor, data=data)))
