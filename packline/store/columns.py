"""Column types: times, words, JSON and orders as the house knows them, all kept as text."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import BigInteger, Integer, Text
from sqlalchemy.engine import CursorResult, Dialect
from sqlalchemy.types import TypeDecorator

from packline.orders.model import PlaceOrder
from packline.store.codec import dumps, loads, place_order_of, time_text

E = TypeVar("E", bound=StrEnum)

Big = BigInteger().with_variant(Integer, "sqlite")
"""64 bits; SQLite's row id must be called INTEGER."""


def new_id(result: CursorResult[Any]) -> int:
    """Give the number that the database gave an inserted row."""
    key = result.inserted_primary_key
    if key is None:
        raise TypeError("no row was inserted")
    return int(key[0])


class Utc(TypeDecorator[datetime]):
    """An aware time as ISO text in UTC, fixed width, so that it sorts and any engine keeps its microseconds."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        return None if value is None else time_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


class Json(TypeDecorator[Any]):
    """JSON as canonical text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else dumps(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else loads(value)


class Content(TypeDecorator[PlaceOrder]):
    """A PlaceOrder as JSON."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: PlaceOrder | None, dialect: Dialect) -> str | None:
        return None if value is None else dumps(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> PlaceOrder | None:
        return None if value is None else place_order_of(value)


class Word(TypeDecorator[E], Generic[E]):
    """A member of a StrEnum as its text."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[E]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: E | str | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> E | None:
        return None if value is None else self.words(value)
