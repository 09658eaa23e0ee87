"""Numbers that are never given twice: each is durable before it is given."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, insert, select, update

from packline.store.prepared import Change, question
from packline.store.schema import serial

_ADVANCE = Change(
    update(serial)
    .where(serial.c.name == bindparam("of"))
    .values(last=serial.c.last + bindparam("by"))
    .returning(serial.c.last)
)
_START = Change(insert(serial))
_ALL = question(select(serial))


def advance(connection: Connection, name: str, by: int = 1) -> int:
    """Move the serial `name` on by `by` (>= 1) and give where it stands; the first number is 1."""
    last = _ADVANCE.value(connection, {"of": name, "by": by})
    if last is None:
        _START.run(connection, {"name": name, "last": by})
        return by
    return int(last)


def jump(connection: Connection, steps: Mapping[str, int]) -> dict[str, int]:
    """Move several serials on, over numbers that a lost later state of the books may have given; gives where they stand."""
    return {name: advance(connection, name, by) for name, by in steps.items()}


def standing(connection: Connection) -> dict[str, int]:
    """Give the last number given of every serial."""
    return {row.name: row.last for row in _ALL.all(connection)}
