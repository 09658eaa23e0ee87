"""Small facts about the plant's books: the running controller's identity, marks of a clean stop, serials."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from packline.store import journal, serials
from packline.store.prepared import Change, question
from packline.store.schema import meta
from packline.store.writer import Writer

_OF = question(select(meta.c.value).where(meta.c.name == bindparam("of")))
_ADD = Change(insert(meta))
_CHANGE = Change(update(meta).where(meta.c.name == bindparam("of")))


class Meta:
    """Named JSON values, and the serials as a whole."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def get(self, name: str, default: Any = None) -> Any:
        """Give the value kept under `name`."""
        return await self._writer.read(lambda connection: _get(connection, name, default))

    def get_now(self, name: str, default: Any = None) -> Any:
        """Give the value to a caller without a loop."""
        return self._writer.read_now(lambda connection: _get(connection, name, default))

    async def put(self, name: str, value: Any) -> None:
        """Keep `value` (anything with a JSON form) under `name`."""
        await self._writer.write(lambda connection: _put(connection, name, value))

    def put_now(self, name: str, value: Any) -> None:
        """Keep a value for a caller without a loop."""
        self._writer.write_now(lambda connection: _put(connection, name, value))

    def put_first_now(self, name: str, value: Any) -> Any:
        """Keep `value` under `name` unless there is one; gives what is kept. For a caller without a loop."""
        return self._writer.write_now(lambda connection: _put_first(connection, name, value))

    async def jump_serials(self, steps: Mapping[str, int]) -> dict[str, int]:
        """Skip `steps[name]` numbers of each serial, after an older backup came back; gives where they stand.

        The lost later state of the books may have given numbers that are on labels and in machines now.
        """
        return await self._writer.write(lambda connection: serials.jump(connection, steps))

    async def leap_journal(self, by: int, at: datetime) -> None:
        """Skip `by` numbers of the journal, so that no subscriber takes news for an event that it had before the restore."""
        await self._writer.write(lambda connection: journal.leap(connection, by, at))

    async def serials(self) -> dict[str, int]:
        """Give the last number given of every serial."""
        return await self._writer.read(serials.standing)


def _get(connection: Connection, name: str, default: Any) -> Any:
    row = _OF.first(connection, of=name)
    return default if row is None else row.value


def _put_first(connection: Connection, name: str, value: Any) -> Any:
    there = _OF.first(connection, of=name)
    if there is not None:
        return there.value
    _ADD.run(connection, {"name": name, "value": value})
    return value


def _put(connection: Connection, name: str, value: Any) -> None:
    if not _CHANGE.run(connection, {"of": name, "value": value}):
        _ADD.run(connection, {"name": name, "value": value})
