"""What a recording takes from the controller's journal: orders, exceptions, which label a parcel got and what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from simulation.recording.rows import ExceptionRow, Noted, OrderRow

ENDS = {"OrderClosed": "closed", "OrderCancelled": "cancelled", "OrderReturned": "returned"}
KINDS = frozenset(
    {
        *ENDS,
        "OrderReceived",
        "OrderReleased",
        "ParcelOpened",
        "LabelAssigned",
        "LabelVerified",
        "ExceptionOpened",
        "ExceptionClosed",
    }
)
"""Kinds of journal rows that are wanted."""


@dataclass(slots=True)
class Books:
    """Orders by their number, exceptions by theirs, and of each parcel its order, its labels, and whether one was verified."""

    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    exceptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    order_of: dict[str, str] = field(default_factory=dict)
    labels: Counter[str] = field(default_factory=Counter)
    verified: set[str] = field(default_factory=set)

    def order_rows(self) -> tuple[OrderRow, ...]:
        """Give a row for each order, in the order of their coming."""
        return tuple(OrderRow(**order) for order in self.orders.values())

    def exception_rows(self) -> tuple[ExceptionRow, ...]:
        """Give a row for each exception, in the order of their opening."""
        return tuple(ExceptionRow(**found) for found in self.exceptions.values())


def books_of(rows: Iterable[Noted]) -> Books:
    """Read the journal's rows of KINDS, in their order."""
    books = Books()
    for row in rows:
        _take(books, row)
    return books


def _take(books: Books, row: Noted) -> None:
    at_s = round(row.at_s, 2)
    match row.kind:
        case "OrderReceived":
            books.orders.setdefault(row.order, {"id": row.order, "came_s": at_s})
        case "OrderReleased" if row.order in books.orders:
            books.orders[row.order].setdefault("released_s", at_s)
        case "ParcelOpened":
            books.order_of[row.subject] = row.order
        case "LabelAssigned":
            books.labels[row.subject] += 1
        case "LabelVerified":
            books.verified.add(row.subject)
        case "ExceptionOpened":
            books.exceptions[row.data["exception_id"]] = {
                "code": row.data["code"],
                "fault": str((row.data.get("fault") or {}).get("name", "")),
                "station": row.station,
                "subject": row.subject,
                "opened_s": at_s,
            }
        case "ExceptionClosed" if row.data["exception_id"] in books.exceptions:
            opened = books.exceptions[row.data["exception_id"]]
            opened |= {"closed_s": at_s, "action": str(row.data.get("action", ""))}
        case kind if kind in ENDS and row.order in books.orders:
            books.orders[row.order] |= {"ended_s": at_s, "ended": ENDS[kind]}
