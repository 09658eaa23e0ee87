"""Column types: times, words, JSON and orders as the house knows them, all kept as text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import BigInteger, Integer, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from packline.orders.model import PlaceOrder
from packline.store.codec import dumps, loads, place_order_of, time_text

E = TypeVar("E", bound=StrEnum)
V = TypeVar("V")

Big = BigInteger().with_variant(Integer, "sqlite")
"""64 bits; SQLite's row id must be called INTEGER."""


class AsText(TypeDecorator[V]):
    """A value kept as text, in the same way whatever the database: `into` gives its text, `back` the value of a text."""

    impl = Text
    cache_ok = True
    into: Callable[[Any], str]
    back: Callable[[str], V]

    def process_bind_param(self, value: V | None, dialect: Dialect) -> str | None:
        return None if value is None else self.into(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> V | None:
        return None if value is None else self.back(value)


class Utc(AsText[datetime]):
    """An aware time as ISO text in UTC, fixed width, so that it sorts and any engine keeps its microseconds."""

    cache_ok = True

    def __init__(self) -> None:
        super().__init__()
        self.into, self.back = time_text, datetime.fromisoformat


class Json(AsText[Any]):
    """JSON as canonical text."""

    cache_ok = True

    def __init__(self) -> None:
        super().__init__()
        self.into, self.back = dumps, loads


class Content(AsText[PlaceOrder]):
    """A PlaceOrder as JSON."""

    cache_ok = True

    def __init__(self) -> None:
        super().__init__()
        self.into, self.back = dumps, place_order_of


class Word(AsText[E], Generic[E]):
    """A member of a StrEnum as its text."""

    cache_ok = True

    def __init__(self, words: type[E]) -> None:
        super().__init__()
        self.words = words
        self.into, self.back = str, {str(word): word for word in words}.__getitem__
