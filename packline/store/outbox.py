"""Events on their way out: claimed in order per stream, sent, failed, parked, replayed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache, partial
from itertools import zip_longest
from typing import Any

from sqlalchemy import Connection, Select, bindparam, exists, or_, select, update

from packline.core.clock import Clock
from packline.store import outbox_rows
from packline.store.prepared import MOST_QUESTIONS, Change, Question, at_most, made_of, question, word
from packline.store.schema import delivery, outbox, subscriber
from packline.store.writer import Writer

CLAIM_S = 60.0
"""How long a claimed delivery is left to its claimer before it is due again."""

REPLAYED_AT_ONCE = 2000
FURTHEST = timedelta(days=1)
"""No pause is as long: what is due later than this was written while the computer's clock was ahead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event for one subscriber. `sequence` is the journal's number, `attempts` the tries before this one."""

    id: int
    event_id: str
    subscriber: str
    role: str
    name: str
    subject: str
    order_id: str
    sequence: int
    at: datetime
    body: Mapping[str, Any]
    attempts: int


_earlier = delivery.alias("earlier")
_IS_BEHIND = exists().where(
    _earlier.c.subscriber == delivery.c.subscriber,
    _earlier.c.stream == delivery.c.stream,
    _earlier.c.seq < delivery.c.seq,
    _earlier.c.state == word("pending"),
)
_DUE = (
    select(
        delivery.c.id,
        delivery.c.event_id,
        delivery.c.subscriber,
        subscriber.c.role,
        outbox.c.name,
        outbox.c.subject,
        outbox.c.order_id,
        delivery.c.seq.label("sequence"),
        outbox.c.at,
        outbox.c.body,
        delivery.c.attempts,
    )
    .join(outbox, outbox.c.event_id == delivery.c.event_id)
    .join(subscriber, subscriber.c.name == delivery.c.subscriber)
    .where(delivery.c.subscriber == bindparam("to"), delivery.c.state == word("pending"), ~_IS_BEHIND)
    .where(delivery.c.next_at <= bindparam("now"))
    .order_by(delivery.c.next_at, delivery.c.seq, delivery.c.id)
)
"""Of one subscriber, along an index of its own (`ix_delivery_next`), so that it ends with the last row that is wanted: what a subscriber
that is away for days has not heard yet, a million rows, is walked through for nobody."""
_NAMES = question(select(subscriber.c.name).order_by(subscriber.c.name))
_WORD = update(delivery).where(delivery.c.id == bindparam("of"))
_PUT = Change(_WORD)
# A claim that lapsed may have been settled by its next claimer: the first word stands.
_IS_OPEN = delivery.c.state == word("pending")
_SENT = Change(_WORD.where(_IS_OPEN))
_TRIED = Change(_WORD.where(_IS_OPEN).values(attempts=delivery.c.attempts + 1))
_tried = delivery.alias("tried")
_OF_TRIED = {
    name: select(_tried.c[name]).where(_tried.c.id == bindparam("of")).scalar_subquery()
    for name in ("subscriber", "stream", "seq")
}
_BEHIND = Change(
    update(delivery).where(
        delivery.c.subscriber == _OF_TRIED["subscriber"],
        delivery.c.stream == _OF_TRIED["stream"],
        delivery.c.seq > _OF_TRIED["seq"],
        _IS_OPEN,
    )
)
"""What waits behind one that failed is not due before it, or each look would find it, and find that it has to wait."""


class Outbox:
    """What goes out. One delivery per (event, subscriber); the next of a stream waits until the earlier is sent or parked."""

    def __init__(self, writer: Writer, clock: Clock) -> None:
        self._writer = writer
        self._clock = clock

    async def set_subscribers(self, subscribers: Collection[tuple[str, str]]) -> None:
        """Make `subscribers` (name, role) the ones that hear of events from now on."""
        await self._writer.write(lambda connection: outbox_rows.set_subscribers(connection, subscribers))

    async def claim(
        self, now: datetime, limit: int, *, lease_s: float = CLAIM_S, without: Collection[str] = ()
    ) -> list[Delivery]:
        """Take at most `limit` deliveries that are due; nobody else gets them for `lease_s` seconds.

        Each subscriber's come as they fell due, and the subscribers by turns: one that has a long way to catch up leaves room for
        the others. `without` names subscribers that are left in peace now.
        """
        due = _due(_rounded(limit))

        def heads(connection: Connection) -> list[list[Delivery]]:
            names = [row.name for row in _NAMES.all(connection) if row.name not in without]
            return [due.all(connection, to=name, now=now) for name in names]

        # The same question twice: where nothing else can have changed in between, the second answer costs nothing.
        if not any(await self._writer.read(heads)):
            return []
        until = now + timedelta(seconds=lease_s)
        return await self._writer.write(
            lambda connection: _claim(connection, _by_turns(heads(connection), limit), until)
        )

    async def release_claims(self) -> int:
        """Give back what a controller that is gone had claimed, and what was put off while the computer's clock was ahead.

        For the start of the only controller. Gives how many.
        """
        at = self._clock.now()
        is_stray = or_(delivery.c.claimed, delivery.c.next_at > at + FURTHEST)
        change = update(delivery).where(is_stray, delivery.c.state == word("pending"))
        change = change.values(claimed=False, next_at=at)
        return await self._writer.write(lambda connection: connection.execute(change).rowcount)

    async def sent(self, id: int, answer: str = "") -> None:  # noqa: A002 - the column's name
        """Note that the subscriber has it."""
        await self._settle(_SENT, id, state="sent", answer=answer)

    async def failed(self, id: int, next_at: datetime, answer: str) -> None:  # noqa: A002
        """Give it back, due again at `next_at`; counts an attempt."""
        row = {"of": id, "next_at": next_at, "answer": answer, "claimed": False, "changed_at": self._clock.now()}
        await self._writer.write(lambda connection: _put_off(connection, row))

    async def parked(self, id: int, answer: str) -> None:  # noqa: A002
        """Give up on it until a person replays it; the stream goes on."""
        await self._settle(_TRIED, id, state="parked", answer=answer)

    async def replay(
        self,
        *,
        event_ids: Collection[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        to: str | None = None,
        parked_only: bool = False,
    ) -> int:
        """Send again what answers every question asked (at least one): ids, time range [since, until), subscriber.

        Many are chosen piece by piece, so that a million that were parked do not keep the line from its books.
        """
        chosen = _chosen(event_ids, since, until, to, parked_only).order_by(delivery.c.id).limit(REPLAYED_AT_ONCE)
        at = self._clock.now()
        again = {"state": "pending", "attempts": 0, "next_at": at, "claimed": False, "changed_at": at}
        total, last = 0, 0
        while True:
            piece = partial(_again, chosen=chosen.where(delivery.c.id > last), values=again)
            ids = await self._writer.write(piece)
            if not ids:
                return total
            total, last = total + len(ids), ids[-1]

    async def _settle(self, change: Change, id: int, **values: Any) -> None:  # noqa: A002
        row = {"of": id, **values, "claimed": False, "changed_at": self._clock.now()}
        await self._writer.write(lambda connection: change.run(connection, row))


@lru_cache(maxsize=MOST_QUESTIONS)
def _due(most: int) -> Question[Delivery]:
    """Give the question for what is due of one subscriber, built once."""
    names = tuple(column.name for column in _DUE.selected_columns)
    return Question(at_most(_DUE, most), made_of(Delivery, names))


def _by_turns(heads: Collection[list[Delivery]], limit: int) -> list[Delivery]:
    """Give the first of each subscriber, then the second of each, and so on."""
    rounds = zip_longest(*heads)
    return [one for turn in rounds for one in turn if one is not None][:limit]


def _rounded(limit: int) -> int:
    """Give the next power of two, so that there are few questions that differ in their limit alone."""
    return 1 << max(0, limit - 1).bit_length()


def _claim(connection: Connection, due: list[Delivery], until: datetime) -> list[Delivery]:
    _PUT.run_all(connection, [{"of": row.id, "next_at": until, "claimed": True} for row in due])
    return due


def _put_off(connection: Connection, row: Mapping[str, Any]) -> None:
    if _TRIED.run(connection, row):
        _BEHIND.run(connection, {"of": row["of"], "next_at": row["next_at"]})


def _again(connection: Connection, chosen: Select[Any], values: Mapping[str, Any]) -> list[int]:
    ids = list(connection.scalars(chosen))
    _PUT.run_all(connection, [{"of": id, **values} for id in ids])  # noqa: A001 - the column's name
    return ids


def _chosen(
    event_ids: Collection[str] | None, since: datetime | None, until: datetime | None, to: str | None, parked: bool
) -> Select[Any]:
    conditions = [
        *([delivery.c.event_id.in_(list(event_ids))] if event_ids is not None else []),
        *([outbox.c.at >= since] if since is not None else []),
        *([outbox.c.at < until] if until is not None else []),
        *([delivery.c.subscriber == to] if to is not None else []),
        *([delivery.c.state == word("parked")] if parked else []),
    ]
    if not conditions:
        raise ValueError("a replay of everything must be asked for by a time range")
    return select(delivery.c.id).join(outbox, outbox.c.event_id == delivery.c.event_id).where(*conditions)
