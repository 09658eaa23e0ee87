"""What people ask of the controller: durable rows with an actor, a key and an expiry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from packline.core.clock import Clock
from packline.core.faults import Fault
from packline.store.prepared import MOST_QUESTIONS, Change, Question, at_most, question, word
from packline.store.schema import request
from packline.store.writer import Writer

ACTUATION_S = 5.0
"""A click made during an outage never moves a machine later."""
ANSWER_S = 86_400.0
EXPIRY_S: Mapping[str, float] = {"answer": ANSWER_S}
"""How long a request may wait, by action; any other may move a machine and waits ACTUATION_S."""
_IS_NEW = request.c.state == word("new")
_WAITING = select(request).where(_IS_NEW).order_by(request.c.id)
_ALL_WAITING = question(_WAITING)
_OF = question(select(request).where(request.c.id == bindparam("of")))
_OF_KEY = question(select(request).where(request.c.key == bindparam("key")))
_ADD = Change(insert(request).returning(request.c.id))
_FINISH = Change(update(request).where(request.c.id == bindparam("of"), _IS_NEW))


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. `state` is new | done | refused | expired; `result` is what the controller said."""

    id: int
    key: str
    action: str
    args: Mapping[str, Any]
    actor: str
    role: str
    created_at: datetime
    expires_at: datetime
    state: str
    result: Mapping[str, Any]


class Requests:
    """The same key again gives the first request and its answer; nothing is done twice."""

    def __init__(self, writer: Writer, clock: Clock) -> None:
        self._writer = writer
        self._clock = clock

    def put_now(
        self,
        *,
        key: str,
        action: str,
        args: Mapping[str, Any],
        actor: str,
        role: str,
        expires_s: float | None = None,
    ) -> Request:
        """Keep a request (or give the one with this key); returns after the commit. For callers without a loop."""
        row = self._row(key, action, args, actor, role, expires_s)
        return self._writer.write_now(lambda connection: _put(connection, row))

    async def put(
        self,
        *,
        key: str,
        action: str,
        args: Mapping[str, Any],
        actor: str,
        role: str,
        expires_s: float | None = None,
    ) -> Request:
        """Do the same on a loop."""
        row = self._row(key, action, args, actor, role, expires_s)
        return await self._writer.write(lambda connection: _put(connection, row))

    def get_now(self, id: int) -> Request | None:  # noqa: A002 - the column's name
        """Give a request with its result so far."""
        return self._writer.read_now(lambda connection: _get(connection, id))

    async def get(self, id: int) -> Request | None:  # noqa: A002
        """Do the same on a loop."""
        return await self._writer.read(lambda connection: _get(connection, id))

    async def pending(self, limit: int = 100) -> list[Request]:
        """Give at most `limit` new requests, oldest first; those that are too late are marked expired instead."""
        now = self._clock.now()
        rows = await self._writer.read(lambda connection: _new(limit).all(connection))
        if any(_is_late(row, now) for row in rows):
            await self._writer.write(lambda connection: _expire(connection, now))
        return [_request(row) for row in rows if not _is_late(row, now)]

    async def finish(self, id: int, result: Mapping[str, Any], *, state: str = "done") -> None:  # noqa: A002
        """Write what was done or why it was refused ("done" | "refused"); the first answer stands."""
        at = self._clock.now()
        if state not in ("done", "refused"):
            raise ValueError(f"state {state!r} of a finished request")
        row = {"of": id, "state": state, "result": dict(result), "finished_at": at}
        await self._writer.write(lambda connection: _FINISH.run(connection, row))

    def _row(
        self, key: str, action: str, args: Mapping[str, Any], actor: str, role: str, expires_s: float | None
    ) -> dict[str, Any]:
        at = self._clock.now()
        patience_s = EXPIRY_S.get(action, ACTUATION_S) if expires_s is None else expires_s
        return {
            "key": key,
            "action": action,
            "args": dict(args),
            "actor": actor,
            "role": role,
            "created_at": at,
            "expires_at": at + timedelta(seconds=patience_s),
            "result": {},
        }


@lru_cache(maxsize=MOST_QUESTIONS)
def _new(limit: int) -> Question[Any]:
    return question(at_most(_WAITING, limit))


def _put(connection: Connection, row: dict[str, Any]) -> Request:
    there = _OF_KEY.first(connection, key=row["key"])
    if there is not None:
        return _request(there)
    return Request(id=int(_ADD.value(connection, row)), state="new", **row)


def _get(connection: Connection, wanted: int) -> Request | None:
    row = _OF.first(connection, of=wanted)
    return None if row is None else _request(row)


def _is_late(row: Any, now: datetime) -> bool:
    """Tell whether a request is too old, or from a time that is yet to come: the clock was put back, and nobody knows how old it is.

    What differs by less than the request may wait is let pass.
    """
    return bool(now >= row.expires_at or row.created_at - now > row.expires_at - row.created_at)


def _expire(connection: Connection, now: datetime) -> None:
    for row in _ALL_WAITING.all(connection):
        if not _is_late(row, now):
            continue
        fault = Fault(
            5102, where=f"request {row.action}", seen=f"{row.expires_at:%H:%M:%S}", expected="an answer in time"
        )
        result = {**fault.as_dict(), "text": fault.text()}
        _FINISH.run(connection, {"of": row.id, "state": "expired", "result": result, "finished_at": now})


def _request(row: Any) -> Request:
    fields = row._asdict()
    del fields["finished_at"]
    return Request(**fields)
