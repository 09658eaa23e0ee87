"""The books for those who are no station: what they record is told to the line, as the stations' own is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from packline.feeds.intake import IntakeBooks
from packline.orders.model import Event


def announced(books: IntakeBooks, tell: Callable[..., None]) -> IntakeBooks:
    """Give `books` whose events are handed to `tell` once they are committed."""
    return cast("IntakeBooks", _Announced(books, tell))


class _Announced:
    """Everything but `record` is the books' own."""

    def __init__(self, books: IntakeBooks, tell: Callable[..., None]) -> None:
        self._books, self._tell = books, tell

    def __getattr__(self, name: str) -> Any:
        return getattr(self._books, name)

    async def record(self, *events: Event) -> None:
        """Commit events, then tell of them."""
        await self._books.record(*events)
        self._tell(*events)
