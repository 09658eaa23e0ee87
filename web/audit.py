"""Writes what people did to the dashboard itself into the journal, beside what the line did."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from packline.store import Store
from packline.store.journal import Entry, append


def note(store: Store, at: datetime, kind: str, subject: str, *, actor: str, **data: Any) -> None:
    """Journal one fact about users, sessions or items; returns after the commit. Never give it a password or a token."""
    entry = Entry(at=at, kind=kind, subject=subject, actor=actor, data=data)
    store.writer.write_now(lambda connection: append(connection, entry))
