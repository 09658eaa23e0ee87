"""What feeds ask of the inbox and the outbox; the store answers, lists in memory in tests."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


class InboxKind(StrEnum):
    """Which door a message came through; the door decides what it may say."""

    FEED = "feed"
    COURIER = "courier"


class InboxState(StrEnum):
    """What became of a message. Quarantined and dismissed ones can be replayed; they become pending again."""

    PENDING = "pending"
    DONE = "done"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"
    DISMISSED = "dismissed"


class Held(Protocol):
    """A message in quarantine: who sent it, by the feed's or courier's name (`channel`), and the parts of its fault."""

    @property
    def id(self) -> int: ...

    @property
    def channel(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def fault(self) -> Mapping[str, Any]:
        """The parts of what keeps it in quarantine, or kept it there before it was replayed; empty when nothing did."""
        ...


class InboxRow(Held, Protocol):
    """A message as it came, byte for byte; `delivery_id` is its webhook-id."""

    @property
    def delivery_id(self) -> str: ...

    @property
    def body(self) -> bytes: ...

    @property
    def received_at(self) -> datetime: ...


class Inbox(Protocol):
    """The messages that were accepted and not worked yet, and those that wait for a person."""

    async def pending(self, limit: int, after: int = 0) -> Sequence[InboxRow]:
        """Give at most `limit` pending rows with ids above `after`, oldest first."""
        ...

    async def mark(self, row_id: int, /, state: str, reason: str, fault: Mapping[str, Any] | None = None) -> None:
        """Write what became of a row; `fault` goes with the quarantine."""
        ...

    async def quarantined(self, naming: str = "") -> Sequence[Held]:
        """Give what waits in quarantine, oldest first; `naming` is a text that the reason holds."""
        ...

    async def replay(self, row_id: int, /) -> None:
        """Make a quarantined or dismissed row pending again."""
        ...

    async def dismiss(self, *row_ids: int, actor: str, note: str) -> int:
        """Take rows out of the quarantine; gives how many of them were there."""
        ...


class Delivery(Protocol):
    """One event for one subscriber. `sequence` is the journal's, `attempts` counts tries before this one."""

    @property
    def id(self) -> int: ...

    @property
    def event_id(self) -> str: ...

    @property
    def subscriber(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def subject(self) -> str: ...

    @property
    def order_id(self) -> str: ...

    @property
    def sequence(self) -> int: ...

    @property
    def at(self) -> datetime: ...

    @property
    def body(self) -> Mapping[str, Any]: ...

    @property
    def attempts(self) -> int: ...


class Outbox(Protocol):
    """Events that are committed and wait to be told."""

    async def claim(self, now: datetime, limit: int, *, without: Collection[str] = ()) -> Sequence[Delivery]:
        """Take at most `limit` deliveries that are due at `now`; nobody else gets them meanwhile. Each subscriber's come as
        they fell due, and the subscribers by turns; those that `without` names are left in peace.

        Of the events of one order for one subscriber none is given before an earlier one that is neither sent nor
        parked; the claim of a process that died lapses.
        """
        ...

    async def sent(self, row_id: int, /) -> None:
        """Note that the subscriber has it."""
        ...

    async def failed(self, row_id: int, /, next_at: datetime, answer: str) -> None:
        """Give it back, due again at `next_at`; counts an attempt."""
        ...

    async def parked(self, row_id: int, /, answer: str) -> None:
        """Give up on it until a person replays it."""
        ...

    async def replay(self, *, to: str, parked_only: bool) -> int:
        """Make what is parked for subscriber `to` pending again; gives how many."""
        ...
