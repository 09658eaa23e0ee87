"""Turns the house's values into JSON and back."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cache, lru_cache
from typing import Any

from packline.orders.model import Address, OrderLine, PlaceOrder, Purchase

CACHED_ORDERS = 1024
_written = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


class Canonical(dict[str, Any]):
    """Plain JSON that was written already, so that it is written once; nobody changes it."""

    text: str


def canonical(value: Mapping[str, Any]) -> Canonical:
    """Give `value` as JSON has it, together with its text."""
    made = Canonical(plain(value))
    made.text = _written(made)
    return made


def plain(value: Any) -> Any:
    """Give `value` as JSON has it: text keys, lists, ISO times; two equal values give equal JSON."""
    kind = type(value)
    if kind is str:
        return _text(value)
    if kind is int or value is None or kind is bool:
        return value
    if kind is dict:
        return {_text(str(key)): plain(part) for key, part in value.items()}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {_text(str(key)): plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return _plain_rare(value)


def dumps(value: Any) -> str:
    """Give canonical JSON: sorted keys, no blanks, text as it is read."""
    return value.text if type(value) is Canonical else _written(plain(value))


def loads(text: str) -> Any:
    """Read JSON."""
    return json.loads(text)


def time_text(at: datetime) -> str:
    """Give an aware time as sortable text in UTC, microseconds always written."""
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return (at if at.tzinfo is UTC else at.astimezone(UTC)).isoformat(timespec="microseconds")


def place_order(data: Mapping[str, Any]) -> PlaceOrder:
    """Read what `plain` made of a PlaceOrder; raises KeyError, TypeError or ValueError for anything else."""
    known = dict(data)
    ship_to, ship_by = known["ship_to"], known["ship_by"]
    known |= {
        "placed_at": datetime.fromisoformat(known["placed_at"]),
        "lines": tuple(OrderLine(**line) for line in known["lines"]),
        "purchase": Purchase(known["purchase"]),
        "ship_to": ship_to and Address(**{**ship_to, "lines": tuple(ship_to["lines"])}),
        "ship_by": ship_by and datetime.fromisoformat(ship_by),
    }
    return PlaceOrder(**known)


@lru_cache(maxsize=CACHED_ORDERS)
def place_order_of(text: str) -> PlaceOrder:
    """Read a PlaceOrder from its JSON; the same text gives the same (frozen) object, orders are read far more than changed."""
    return place_order(loads(text))


def _text(value: str) -> str:
    # Half a surrogate pair (a scanner's noise) cannot be written as UTF-8.
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


@cache
def _names(cls: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(cls))


def _plain_rare(value: Any) -> Any:
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    if isinstance(value, (set, frozenset)):
        return sorted((plain(part) for part in value), key=dumps)
    if is_dataclass(value) and not isinstance(value, type):
        return {name: plain(getattr(value, name)) for name in _names(type(value))}
    raise TypeError(f"{type(value).__name__} has no JSON form")
