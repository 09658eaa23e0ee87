"""The receiver of tracking events: one small server for merchant, buyer and archive; believes only what is signed."""

from __future__ import annotations

import json
import logging
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from sys import intern
from typing import Any

from packline.core.clock import Clock
from packline.core.faults import Fault
from packline.feeds.signing import verify
from simulation.mounts.http import Request, Response

log = logging.getLogger(__name__)

MOST_EVENTS = 500_000
KEPT, BUCKETS = 8, 4096
PREFIX = "packline."
LASTING = frozenset({"parcel.handed_over", "order.closed", "order.cancelled", "order.returned"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One event as it came. `name` is the CloudEvents type without its prefix, `order` the host's own order number."""

    n: int
    role: str
    id: str
    name: str
    order: str
    data: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Give it JSON-ready."""
        return {
            "n": self.n,
            "role": self.role,
            "id": self.id,
            "name": self.name,
            "order": self.order,
            "data": self.data,
        }


Listener = Callable[[Received], Awaitable[None]]


class Lasting:
    """What became of orders and parcels, and the roles that heard of it, as often as they did: little for each of very many."""

    def __init__(self) -> None:
        self._heard: dict[tuple[str, str, str], tuple[str, ...]] = {}
        self._alike: dict[tuple[str, ...], tuple[str, ...]] = {}

    def add(self, event: Received) -> None:
        """Take an event, if it says what became of something."""
        if event.name in LASTING:
            key = (event.name, event.order, str(event.data.get("lpn", "")))
            roles = (*self._heard.get(key, ()), event.role)
            self._heard[key] = self._alike.setdefault(roles, roles)

    def __iter__(self) -> Iterator[Received]:
        """Give them as events again, one at a time, with the plate alone: without their ids, and numbered anew."""
        heard = ((role, *key) for key, roles in self._heard.items() for role in roles)
        for n, (role, name, order, lpn) in enumerate(heard, 1):
            yield Received(n=n, role=role, id="", name=name, order=order, data={"lpn": lpn} if lpn else {})


class Seen:
    """Words that were met before, of which a long shift has more than a million: eight bytes of a digest are kept of each.

    The chance that any two of a million words are taken for one is below 1e-10.
    """

    def __init__(self) -> None:
        self._buckets = [bytearray() for _ in range(BUCKETS)]

    def is_new(self, word: str) -> bool:
        """Tell whether `word` comes for the first time, and remember it."""
        digest = blake2b(word.encode(), digest_size=KEPT + 2).digest()
        bucket, kept = self._buckets[int.from_bytes(digest[KEPT:], "big") % BUCKETS], digest[:KEPT]
        at = bucket.find(kept)
        while at >= 0 and at % KEPT:
            at = bucket.find(kept, at + 1)
        if at < 0:
            bucket += kept
        return at < 0


class Receiver:
    """Keeps each event once by (role, webhook-id); later copies are counted and answered as if new."""

    def __init__(
        self, *, secrets: Mapping[str, str], clock: Clock, file: Path | None = None, keeps_all: bool = True
    ) -> None:
        """`secrets` has the signing secret of each role; with `file` every event is also appended there as a JSON line.

        Without `keeps_all` only what became of orders and parcels is kept.
        """
        self._keeps_all = keeps_all
        self._secrets, self._clock, self._file = secrets, clock, file
        self._seen = Seen()
        self._sequence: dict[str, dict[str, int]] = {role: {} for role in secrets}
        self._listeners: dict[str, list[Listener]] = defaultdict(list)
        self._events: list[Received] = []
        self._lasting = Lasting()
        self.heard = 0
        self.counts: Counter[str] = Counter()

    @property
    def events(self) -> list[Received]:
        """Give what is kept, in the order in which it came; what is kept in brief comes by order and parcel."""
        return list(self.each)

    @property
    def each(self) -> Iterable[Received]:
        """Give the same to be looked through, as often as one likes: of a long shift a list would be large."""
        return self._events if self._keeps_all else self._lasting

    def listen(self, role: str, listener: Listener) -> None:
        """Have `listener` awaited for every new event of `role`, in order."""
        self._listeners[role].append(listener)

    def names(self, role: str, order: str) -> list[str]:
        """List what `role` was told of one order."""
        return [event.name for event in self.events if event.role == role and event.order == order]

    async def handle(self, request: Request) -> Response:
        """Answer POST /events/<role> (204, 400, 401, 404) and GET /events?after=n."""
        if request.method == "GET":
            return self._list(int(request.query.get("after", "0") or 0))
        role = intern(request.path.removeprefix("/events/"))
        if role not in self._secrets:
            return Response.of_text("nobody of that name", 404)
        try:
            # One event comes to every role under one id; a long shift has half a million of them.
            event_id = intern(verify([self._secrets[role]], request.headers, request.body, self._clock.now()))
            event = json.loads(request.body)
        except Fault as fault:
            self.counts["refused"] += 1
            return Response.of_text(fault.text(), 400 if fault.code == 4001 else 401)
        except ValueError as error:
            return Response.of_text(str(error), 400)
        await self._take(role, event_id, event)
        return Response(status=204)

    async def _take(self, role: str, event_id: str, event: Mapping[str, Any]) -> None:
        if len(self._events) >= MOST_EVENTS:
            raise RuntimeError("the receiver is full")
        if not self._seen.is_new(f"{role} {event_id}"):
            self.counts["repeated"] += 1
            return
        self.heard += 1
        data = event.get("data", {})
        if isinstance(lpn := data.get("lpn"), str):
            data["lpn"] = intern(lpn)  # a plate is in some ten events, and is kept of several
        received = Received(
            n=self.heard,
            role=role,
            id=event_id,
            name=intern(str(event.get("type", "")).removeprefix(PREFIX)),
            order=intern(str(data.get("external_id", ""))),
            data=data,
        )
        self._count_order(role, intern(str(event.get("partitionkey", ""))), int(event.get("sequence", 0)))
        self._write(received)
        if self._keeps_all:
            self._events.append(received)
        else:
            self._lasting.add(received)
        for listener in self._listeners[role]:
            await listener(received)

    def _count_order(self, role: str, stream: str, sequence: int) -> None:
        """Count events that were overtaken by a later one of the same order, and those that came under two ids."""
        of_role = self._sequence[role]
        last = of_role.get(stream, 0)
        self.counts["overtaken"] += sequence < last
        if 0 < sequence == last:
            self.counts["renamed"] += 1
        of_role[stream] = max(last, sequence)

    def _list(self, after: int) -> Response:
        return Response.of_json({"events": [event.as_dict() for event in self.events[max(after, 0) :]]})

    def _write(self, received: Received) -> None:
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(received.as_dict(), ensure_ascii=False) + "\n")
