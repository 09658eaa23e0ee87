"""What hosts and couriers said, against what was written: the raw messages of the inbox are taken once more."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from controller.replay.moment import Finding, Moment, Terms
from controller.replay.taking import events_of_delivery, events_of_order, read_body
from packline.core.faults import Fault
from packline.feeds.courier import read_delivery
from packline.feeds.ports import InboxKind, InboxState
from packline.orders.model import Event, PlaceOrder
from packline.store.codec import dumps, plain
from packline.store.recorded import Recorded

TOLERANCE_S = 5.0
"""Deadlines are counted from the moment of the decision, which is a little before that of the row."""
_TIMES = frozenset({"reserve_until", "pay_until"})
_BY_FEEDS = frozenset(
    {"OrderReceived", "OrderChanged", "OrderCancelled", "UnitReturned", "ParcelReturning", "LabelVoided"}
)
_SET_ASIDE = "OrderClarify"


class Messages:
    """Judges the rows that a feed or a courier wrote."""

    def __init__(self, recorded: Recorded, terms: Terms) -> None:
        self._policy = terms.site.policy if terms.site else None
        self._due: deque[Event] = deque()
        self._orders: dict[str, deque[tuple[int, int]]] = defaultdict(deque)
        self._deliveries: dict[str, deque[int]] = defaultdict(deque)
        self.unreadable: list[tuple[int, Finding]] = []
        self.has_inbox = recorded.count("inbox") > 0
        for row in recorded.rows("inbox") if self.has_inbox else ():
            self._sort(row)
        for waiting in self._orders.values():
            ordered = sorted(waiting)
            waiting.clear()
            waiting.extend(ordered)

    def judge(self, moment: Moment) -> Iterator[Finding]:
        """Compare one row; a message's first row brings up all that it must have written."""
        actor, kind = str(moment.row["actor"]), moment.event.kind
        if self._due and _is_side_row(moment):
            return
        if kind == _SET_ASIDE:  # taken by asking the host, and kept off the floor: there is no message that says so
            self._due.clear()
            return
        if not self._due:
            if actor.startswith("feed ") and kind in _BY_FEEDS:
                self._due.extend(self._of_feed(moment))
            elif kind == "ParcelDelivered":
                self._due.extend(self._of_courier(moment))
            else:
                return
        if self._due:
            yield from _compare(self._due.popleft(), moment, has_terms=self._policy is not None)

    def left_over(self) -> Iterator[str]:
        """Say which messages are marked as done, and nothing that they must have written is in the journal."""
        for event in self._due:
            yield f"{event.kind} of {event.subject} must follow, and the journal ends"
        for order_id, waiting in self._orders.items():
            for version, inbox_id in waiting:
                yield f"message {inbox_id} (order {order_id} version {version}) is done, and no row of the journal is its"
        for lpn, numbers in self._deliveries.items():
            for inbox_id in numbers:
                yield f"message {inbox_id} (delivery of label {lpn}) is done, and no row of the journal is its"

    def _sort(self, row: Mapping[str, Any]) -> None:
        """Keep what was taken by what it is about; what was set aside as unreadable must be so still."""
        is_done, body = row["state"] == InboxState.DONE, row["body"]
        try:
            if row["kind"] == InboxKind.FEED:
                new = read_body(row["channel"], body)
                if is_done:
                    self._orders[new.order_id].append((new.version, row["id"]))
            elif is_done:
                self._deliveries[read_delivery(body).sscc].append(row["id"])
            else:
                read_delivery(body)
        except Fault as fault:
            if is_done or (row["state"] == InboxState.IGNORED and not row["fault"]):
                seen = f"message {row['id']} of {row['channel']} was taken"
                self.unreadable.append((row["id"], Finding(rule="message", seen=seen, expected=fault.text())))
            return
        code = row["fault"].get("code") if row["state"] == InboxState.QUARANTINED else None
        if code in (4001, 4004):
            seen = f"message {row['id']} of {row['channel']} was refused: {row['fault'].get('seen')}"
            self.unreadable.append((row["id"], Finding(rule="message", seen=seen, expected="it can be read")))

    def _of_feed(self, moment: Moment) -> list[Event]:
        order_id = moment.order_id
        waiting = self._orders.get(order_id)
        if waiting:
            _, inbox_id = waiting.popleft()
            found = moment.recorded.one("inbox", id=inbox_id)
            assert found is not None  # noqa: S101 - it was read a moment ago
            new = read_body(found["channel"], found["body"])
        else:  # the host was asked, and its answer is in no inbox: the row's own content must bring the rest
            content = moment.event.data.get("content")
            if not isinstance(content, PlaceOrder):
                return []
            new = content
        return self._decided(moment, lambda affair: events_of_order(moment.world, affair, new, moment.at, self._policy))

    def _of_courier(self, moment: Moment) -> list[Event]:
        waiting = self._deliveries.get(str(moment.data.get("sscc", "")))
        if not waiting:
            return []
        found = moment.recorded.one("inbox", id=waiting.popleft())
        assert found is not None  # noqa: S101 - it was read a moment ago
        body, courier = found["body"], found["channel"]
        return self._decided(moment, lambda affair: events_of_delivery(moment.world, affair, body, courier, moment.at))

    def _decided(self, moment: Moment, decide: Any) -> list[Event]:
        """Decide by the order as it is now; where the row is another, by the order as it was a moment before."""
        first: list[Event] = []
        for affair in [*moment.affairs(), *([] if moment.world.affair(moment.order_id) else [None])]:
            try:
                events: list[Event] = decide(affair)
            except Fault as fault:
                events = [Event(kind=f"a refusal, {fault.code}", subject=moment.event.subject)]
            first = first or events
            if events and not _difference(events[0], moment, has_terms=self._policy is not None):
                return events
        return first


def _is_side_row(moment: Moment) -> bool:
    """A label that is voided takes back what was done for it, in rows between those that were decided."""
    return moment.event.kind in ("EffectUnknown", "EffectVoided") and moment.data.get("source") == "voided label"


def _compare(due: Event, moment: Moment, *, has_terms: bool) -> Iterator[Finding]:
    if difference := _difference(due, moment, has_terms=has_terms):
        yield difference


def _difference(due: Event, moment: Moment, *, has_terms: bool) -> Finding | None:
    seen_as, due_as = (moment.event.kind, moment.event.subject), (due.kind, due.subject)
    if seen_as != due_as:
        return Finding(rule="message", seen=" of ".join(seen_as), expected=" of ".join(due_as))
    data, expected = dict(moment.data), plain(due.data)
    for name in _TIMES & (data.keys() | expected.keys()):
        ours, theirs = expected.pop(name, None), data.pop(name, None)
        if has_terms and not _is_near(ours, theirs):
            return Finding(rule="deadline", seen=f"{name} {theirs}", expected=f"{name} {ours}")
    for name in sorted(data.keys() | expected.keys()):
        if data.get(name) != expected.get(name):
            return Finding(rule="message", seen=_shown(name, data), expected=_shown(name, expected))
    return None


def _is_near(ours: str | None, theirs: str | None) -> bool:
    if ours is None or theirs is None:
        return ours is theirs
    return abs((datetime.fromisoformat(ours) - datetime.fromisoformat(theirs)).total_seconds()) <= TOLERANCE_S


def _shown(name: str, data: Mapping[str, Any]) -> str:
    return f"{name} {dumps(data[name])[:200]}" if name in data else f"no {name}"
