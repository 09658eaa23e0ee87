"""What people's requests may reach, and how a request looks when it comes from the books."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from packline.core.clock import Clock
from packline.orders.ports import ExceptionRow
from stations.kit import Kit
from stations.post import Post
from stations.resolve import Resolver


class Row(Protocol):
    """A request as the store gives it."""

    @property
    def id(self) -> int: ...

    @property
    def action(self) -> str: ...

    @property
    def args(self) -> Mapping[str, Any]: ...

    @property
    def actor(self) -> str: ...

    @property
    def role(self) -> str: ...

    @property
    def created_at(self) -> datetime: ...


class RequestStore(Protocol):
    """The durable inbox of requests."""

    async def pending(self) -> list[Any]:
        """Give requests that wait, oldest first; those past their time are marked expired and left out."""
        ...

    async def finish(self, id: int, result: Mapping[str, Any], *, state: str = "done") -> None:  # noqa: A002
        """Write the answer: `state` is done or refused."""
        ...


class Marks(Protocol):
    """Where facts about a run are kept durably."""

    async def get(self, name: str, default: Any = None) -> Any: ...
    async def put(self, name: str, value: Any) -> None: ...


class AlarmStore(Protocol):
    """Where alarms are acknowledged."""

    async def acknowledge_alarms(self, alarm_ids: Collection[int], *, actor: str) -> int: ...


class Worker(Protocol):
    """Does what people decide about messages: those that came and were set aside, or those that go out and were given up."""

    async def decide(self, row: ExceptionRow, *, action: str, actor: str, note: str = "") -> None: ...


class Quarantine(Worker, Protocol):
    """Decides about messages that were set aside, one by one as well."""

    async def dismiss(self, inbox_id: int, *, actor: str, note: str = "") -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What requests may reach."""

    kit: Kit
    posts: Mapping[str, Post]
    resolver: Resolver
    requests: RequestStore
    alarms: AlarmStore
    quarantine: Quarantine
    pushes: Worker
    replay: Callable[[int], Awaitable[None]]
    marks: Marks
    clock: Clock
