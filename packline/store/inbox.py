"""Messages as they came, kept before anybody is told that they were accepted; none is ever thrown away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from packline.core.clock import Clock
from packline.core.faults import Fault
from packline.store.journal import Entry, append
from packline.store.prepared import MOST_QUESTIONS, Change, Question, at_most, question, word
from packline.store.schema import inbox
from packline.store.writer import Writer

STATES = ("pending", "done", "ignored", "quarantined", "dismissed")
_SET_ASIDE = ("quarantined", "dismissed")
_FIELDS = (
    inbox.c.id,
    inbox.c.channel,
    inbox.c.kind,
    inbox.c.delivery_id,
    inbox.c.headers,
    inbox.c.body,
    inbox.c.received_at,
    inbox.c.state,
    inbox.c.reason,
    inbox.c.fault,
)

_WAITING = (
    select(*_FIELDS).where(inbox.c.state == word("pending"), inbox.c.id > bindparam("after")).order_by(inbox.c.id)
)
_OF = question(select(*_FIELDS).where(inbox.c.id == bindparam("of")))
_SAME = question(
    select(inbox.c.id, inbox.c.sha256).where(
        inbox.c.kind == bindparam("kind"),
        inbox.c.channel == bindparam("channel"),
        inbox.c.delivery_id == bindparam("delivery_id"),
    )
)
_ADD = Change(insert(inbox).returning(inbox.c.id))
_MARK = Change(update(inbox).where(inbox.c.id == bindparam("of")))


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxRow:
    """A message, byte for byte. `kind` is "feed" or "courier", `delivery_id` the sender's name for it.

    `fault` has the parts of what kept it in quarantine, now or before it was replayed.
    """

    id: int
    channel: str
    kind: str
    delivery_id: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    state: str
    reason: str
    fault: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A message in quarantine without its body, and the parts of its fault."""

    id: int
    channel: str
    kind: str
    fault: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """The answer to a message: `is_new` is false for a repetition, `same_body` false for another body under its id."""

    id: int
    is_new: bool
    same_body: bool


class Inbox:
    """What came in. (kind, channel, delivery id) is unique for ever."""

    def __init__(self, writer: Writer, clock: Clock) -> None:
        self._writer = writer
        self._clock = clock

    def put_now(
        self,
        channel: str,
        delivery_id: str,
        headers: Mapping[str, str],
        body: bytes,
        now: datetime,
        *,
        kind: str = "feed",
    ) -> Put:
        """Keep a message; returns after the commit, raises Fault 5002 when the database is busy or full."""
        row = _row(channel, delivery_id, headers, body, now, kind)
        return self._writer.write_now(lambda connection: _put(connection, row))

    async def put(
        self,
        channel: str,
        delivery_id: str,
        headers: Mapping[str, str],
        body: bytes,
        now: datetime,
        *,
        kind: str = "feed",
    ) -> Put:
        """Keep a message that the controller fetched itself."""
        row = _row(channel, delivery_id, headers, body, now, kind)
        return await self._writer.write(lambda connection: _put(connection, row))

    async def pending(self, limit: int = 100, after: int = 0) -> list[InboxRow]:
        """Give at most `limit` messages that nobody worked yet, with ids above `after`, oldest first."""
        return await self._writer.read(
            lambda connection: [InboxRow(**row._asdict()) for row in _next(limit).all(connection, after=after)]
        )

    async def row(self, id: int) -> InboxRow | None:  # noqa: A002 - the column's name
        """Give one message."""
        row = await self._writer.read(lambda connection: _OF.first(connection, of=id))
        return None if row is None else InboxRow(**row._asdict())

    async def mark(self, id: int, state: str, reason: str = "", fault: Mapping[str, Any] | None = None) -> None:  # noqa: A002
        """Write what became of a message, one of STATES; `fault` goes with "quarantined"."""
        if state not in STATES:
            raise ValueError(f"state {state!r} of an inbox row")
        at = self._clock.now()
        row: dict[str, Any] = {"of": id, "state": str(state), "reason": reason, "settled_at": at}
        row |= {} if fault is None else {"fault": fault}
        await self._writer.write(lambda connection: _MARK.run(connection, row))

    async def quarantined(self, naming: str = "") -> list[Held]:
        """Give what waits in quarantine, oldest first, without the bodies; `naming` is a text that the reason holds."""
        columns = (inbox.c.id, inbox.c.channel, inbox.c.kind, inbox.c.fault)
        wanted = inbox.c.reason.contains(naming, autoescape=True)
        query = select(*columns).where(inbox.c.state == "quarantined", wanted).order_by(inbox.c.id)
        return await self._writer.read(lambda connection: [Held(**row._asdict()) for row in connection.execute(query)])

    async def replay(self, id: int) -> None:  # noqa: A002
        """Make a message pending again that is in quarantine or was dismissed; raises Fault 4301 for any other."""
        change = update(inbox).where(inbox.c.id == id, inbox.c.state.in_(_SET_ASIDE))
        change = change.values(state="pending", reason="", settled_at=None)
        if not await self._writer.write(lambda connection: connection.execute(change).rowcount):
            raise Fault(4301, where=f"inbox {id}", seen="a message that is not in quarantine")

    async def dismiss(self, *ids: int, actor: str, note: str = "") -> int:
        """Take messages out of the quarantine, each with a line in the journal; gives how many of them were there."""
        at = self._clock.now()
        return await self._writer.write(
            lambda connection: sum(_dismiss(connection, id, actor, note, at) for id in ids)  # noqa: A001
        )


@lru_cache(maxsize=MOST_QUESTIONS)
def _next(limit: int) -> Question[Any]:
    return question(at_most(_WAITING, limit))


def _dismiss(connection: Connection, id: int, actor: str, note: str, at: datetime) -> bool:  # noqa: A002
    row = connection.execute(
        select(inbox.c.channel, inbox.c.fault).where(inbox.c.id == id, inbox.c.state == "quarantined")
    ).first()
    if row is None:
        return False
    said = f"dismissed by {actor}: {note}" if note else f"dismissed by {actor}"
    connection.execute(update(inbox).where(inbox.c.id == id).values(state="dismissed", reason=said, settled_at=at))
    data = {"code": row.fault.get("code", 0), "note": note}
    append(
        connection,
        Entry(at=at, kind="MessageDismissed", subject=f"inbox:{id}", station=row.channel, actor=actor, data=data),
    )
    return True


def _row(
    channel: str, delivery_id: str, headers: Mapping[str, str], body: bytes, now: datetime, kind: str
) -> dict[str, object]:
    return {
        "channel": channel,
        "kind": kind,
        "delivery_id": delivery_id,
        "headers": dict(headers),
        "body": body,
        "sha256": sha256(body).hexdigest(),
        "received_at": now,
    }


def _put(connection: Connection, row: Mapping[str, object]) -> Put:
    there = _SAME.first(connection, **{name: row[name] for name in ("kind", "channel", "delivery_id")})
    if there is not None:
        return Put(id=there.id, is_new=False, same_body=there.sha256 == row["sha256"])
    return Put(id=int(_ADD.value(connection, row)), is_new=True, same_body=True)
