"""Judges what a line left behind by the plant's truth and the receiver; the books are only compared with them."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from packline.core.clock import WallClock
from packline.core.figures import NEVER_ON_THE_FLOOR
from packline.core.ids import SystemIds
from packline.orders.tracking import TRACKING, hears
from packline.store import open_store
from packline.store.effect_rows import VOIDED_LABEL

Fact = Mapping[str, Any]
Row = dict[str, Any]

PLANT_WITNESSES = frozenset(
    {
        "machine memory",
        "label counter",
        "process id",
        "printer link",
        "camera",
        "camera behind the packer",
        "photo-eye",
        "scanner before the gate",
    }
)
FOREIGN = 3016
OVER = {"closed", "returned", "cancelled"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is left when a campaign is over. `starts` are the moments at which controllers were started."""

    database: Path
    stage: Mapping[str, Any]
    truth: Mapping[str, Any]
    facts: Sequence[Fact]
    events: Sequence[Mapping[str, Any]]
    roles: Mapping[str, str]
    starts: Sequence[datetime]
    is_over: bool = True
    """False while the line still runs: what only the end can show is not asked."""
    is_restored: bool = False
    """The books were replaced by an older copy: what only the lost ones knew is asked of the plant alone."""


def judge(left: Left) -> list[str]:
    """Say everything that is wrong; empty when nothing is."""
    books = Books.read(left.database)
    return [
        *(f"books: {text}" for text in _audit(left.database)),
        *(complaint for rule in (*AT_ANY_TIME, *AT_THE_END) for complaint in rule(left, books)),
    ]


def judge_meanwhile(books: Books, left: Left) -> list[str]:
    """Say what is wrong already while the line runs; `books` must have been read before the plant was asked."""
    return [complaint for rule in AT_ANY_TIME for complaint in rule(left, books)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """The tables that are compared, as rows."""

    orders: list[Row]
    parcels: list[Row]
    labels: list[Row]
    effects: list[Row]
    history: list[Row]
    outbox: list[Row]
    deliveries: list[Row]
    pictures: list[Row]
    verified: list[Row]
    inbox: list[Row]
    requests: list[Row]
    exceptions: list[Row]

    @classmethod
    def read(cls, database: Path) -> Books:
        """Read a database that a controller may have open."""
        with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row

            def rows(query: str) -> list[Row]:
                return [dict(row) for row in connection.execute(query)]

            return cls(
                orders=rows("SELECT * FROM orders"),
                parcels=rows("SELECT * FROM parcel"),
                labels=rows("SELECT * FROM label"),
                effects=rows("SELECT * FROM effect"),
                history=rows(
                    "SELECT h.*, e.kind, e.subject, e.generation, json_extract(h.evidence, '$.source') AS source"
                    " FROM effect_history h JOIN effect e USING (effect_id) ORDER BY h.id"
                ),
                outbox=rows("SELECT * FROM outbox"),
                deliveries=rows("SELECT * FROM delivery"),
                pictures=rows("SELECT * FROM picture"),
                verified=rows(
                    "SELECT seq, at, subject, json_extract(data, '$.picture') AS picture FROM journal"
                    " WHERE kind = 'LabelVerified'"
                ),
                inbox=rows("SELECT id, channel, delivery_id, state, reason FROM inbox"),
                requests=rows("SELECT actor, action, state FROM request"),
                exceptions=rows("SELECT code, subject, state FROM exception"),
            )


def _audit(database: Path) -> list[str]:
    """Check the file and the journal's chain by the store's own means."""
    store = open_store(f"sqlite:///{database}", clock=WallClock(), ids=SystemIds(), inline=True)
    try:
        integrity = store.integrity_now()
        return [*([] if integrity == "ok" else [integrity]), *store.audit_now()]
    finally:
        store.close()


# -- the plant ---------------------------------------------------------------------------------------------------------


def _nothing_that_must_never_be(left: Left, books: Books) -> Iterator[str]:
    for name in NEVER_ON_THE_FLOOR:
        if left.truth["summary"][name]:
            yield f"the plant counts {left.truth['summary'][name]} {name}"


def _everything_is_over(left: Left, books: Books) -> Iterator[str]:
    for number in _waiting(left, books):
        yield f"order {number} is lost: the floor and the subscribers do not agree that it ended"
    for order in books.orders:
        # a courier says "delivered" once: what was said in the lost time stays "shipped" in restored books
        known_as_left = left.is_restored and (order["state"] == "shipped" or _is_with_a_person(order, books))
        if order["state"] not in OVER and not known_as_left:
            yield f"order {order['order_id']} is {order['state']} in the books"
    for message, times in left.stage["backstage"]["turned_away"].items():
        yield f"message {message} was turned away {times} times"
    for row in books.inbox:
        if row["state"] == "pending":
            yield f"message {row['delivery_id']} was never worked"


def _waiting(left: Left, books: Books) -> list[str]:
    """List the orders that host and floor do not agree on, apart from those that a restore left to people."""
    with_people = {row["external_id"] for row in books.orders if left.is_restored and _is_with_a_person(row, books)}
    return [order for order in left.stage["backstage"]["waiting"] if order not in with_people]


def _nothing_is_sent_twice(left: Left, books: Books) -> Iterator[str]:
    """No order gets more pieces out of the door than it has, whatever the books say."""
    cartons: dict[str, set[str]] = defaultdict(set)
    for event in left.events:
        if lpn := event["data"].get("lpn"):
            cartons[event["order"]].add(lpn)
    for order_id, listed in left.stage["backstage"]["packing_list"].items():
        cartons[order_id.partition("-")[2]] |= set(listed)
    for order in books.orders:
        owed: Counter[str] = Counter()
        for line in json.loads(order["content"])["lines"]:
            owed[line["sku"]] += line["quantity"]
        sent: Counter[str] = Counter()
        for lpn in cartons[order["external_id"]]:
            parcel = left.truth["parcels"].get(lpn)
            sent.update(parcel["pieces"] if parcel and parcel["left"] else [])
        if too_many := sent - owed:
            yield f"order {order['order_id']} got too much: {dict(too_many)}"


def _is_with_a_person(order: Row, books: Books) -> bool:
    """Tell whether people were told to search for an order that the books lost sight of."""
    asked = {row["subject"] for row in books.exceptions if row["code"] == FOREIGN}
    return order["state"] == "clarify" and order["order_id"] in asked


# -- effects -----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Done:
    """How often each effect physically happened."""

    prints: Counter[tuple[str, int]] = field(default_factory=Counter)
    applies: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    seals: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    ejects: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, facts: Sequence[Fact]) -> Done:
        """Count."""
        done = cls()
        for fact in facts:
            match fact["name"]:
                case "label_printed" if fact["complete"]:
                    done.prints[fact["sscc"], fact["print_number"]] += 1
                case "label_applied":
                    done.applies[fact["lpn"], fact["sscc"], fact["print_number"]] += 1
                case "sealed":
                    done.seals[fact["lpn"]] += 1
                case "cut_open":
                    done.seals[fact["lpn"]] = 0
                case "left_door":
                    done.left[fact["lpn"]] += 1
                case "moved" if fact["to"].startswith("lane:"):
                    done.ejects[fact["lpn"]] += 1
        return done


def _each_once_effect_happened_as_booked(left: Left, books: Books) -> Iterator[str]:
    done = Done.of(left.facts)
    labels = {(row["lpn"], row["generation"]): (row["sscc"], row["print_number"]) for row in books.labels}
    for row in books.effects:
        name = f"{row['kind']} of {row['subject']}, generation {row['generation']}"
        code = labels.get((row["subject"], row["generation"]), ("", 0))
        times = {
            "print": done.prints[code],
            "apply": done.applies[(row["subject"], *code)],
            "seal": done.seals[row["subject"]],
            "release": done.left[row["subject"]],
        }.get(row["kind"])
        if times is None:
            continue
        if times > 1:
            yield f"{name} happened {times} times"
        if row["state"] == "confirmed" and times != 1:
            yield f"{name} is confirmed and happened {times} times"
        if row["state"] == "not_executed" and times and row["kind"] != "release":
            yield f"{name} is booked as not executed and happened {times} times"
        if row["state"] == "failed" and times and row["kind"] in ("apply", "seal"):
            yield f"{name} is booked as failed and happened {times} times"
        if left.is_over and row["state"] in ("intended", "sent", "unknown") and not _is_settled_otherwise(row, books):
            yield f"{name} is still {row['state']}"
    for (sscc, number), times in done.prints.items():
        if times > 1:
            yield f"print {number} of {sscc or 'an unreadable label'} came out {times} times"
    if left.is_over and not left.is_restored:
        yield from _ejects(done, books)


def _ejects(done: Done, books: Books) -> Iterator[str]:
    booked = Counter(row["subject"] for row in books.effects if (row["kind"], row["state"]) == ("eject", "confirmed"))
    for lpn in {*booked, *done.ejects}:
        if booked[lpn] != done.ejects[lpn]:
            yield f"eject of {lpn} is confirmed {booked[lpn]} times and happened {done.ejects[lpn]} times"


def _is_settled_otherwise(row: Row, books: Books) -> bool:
    """A doubt about a parcel that is gone for good, or whose order a person called over, harms nobody."""
    parcel = next((p for p in books.parcels if p["lpn"] == row["subject"]), None)
    if parcel is None:
        return False
    order = next(order for order in books.orders if order["order_id"] == parcel["order_id"])
    return parcel["state"] in ("delivered", "returned", "shipped") or order["state"] in OVER


def _doubts_end_by_evidence(left: Left, books: Books) -> Iterator[str]:
    people = {row["actor"] for row in books.requests}
    before: dict[str, Row] = {}
    for step in books.history:
        last, before[step["effect_id"]] = before.get(step["effect_id"]), step
        if last is None or last["state"] != "unknown" or step["state"] in ("unknown", "intended"):
            continue
        source = str(step["source"])
        if (source, step["state"]) == (VOIDED_LABEL, "voided"):
            continue  # nobody says what became of it: its number is dead
        by_person = source.startswith("person ")
        if source not in PLANT_WITNESSES and not (by_person and source.removeprefix("person ") in people | FLOOR):
            yield f"the doubt about {step['kind']} of {step['subject']} was ended by {source!r}: {step['state']}"


FLOOR = frozenset({"operator", "courier"})
"""Who speaks by a hand scanner of the floor, where nobody is signed in."""


# -- proof -------------------------------------------------------------------------------------------------------------


def _labels_are_proved_by_new_pictures(left: Left, books: Books) -> Iterator[str]:
    """A picture proves a label only if it was exposed after the label was on, and after the run that judges it began."""
    taken = {row["picture_id"]: datetime.fromisoformat(row["captured_at"]) for row in books.pictures}
    applied: dict[str, list[datetime]] = defaultdict(list)
    for fact in left.facts:
        if fact["name"] == "label_applied":
            applied[fact["lpn"]].append(datetime.fromisoformat(fact["at"]))
    for entry in books.verified:
        at, captured_at = datetime.fromisoformat(entry["at"]), taken.get(entry["picture"])
        begun = max((start for start in left.starts if start <= at), default=None)
        on = [moment for moment in applied[entry["subject"]] if moment <= at]
        if captured_at is None:
            yield f"{entry['subject']} is verified without a picture"
        elif not on:
            yield f"{entry['subject']} is verified before any label was on it"
        elif captured_at <= max(on):
            yield f"{entry['subject']} is verified by a picture older than its label"
        elif begun and captured_at <= begun:
            yield f"{entry['subject']} is verified by a picture older than the run that judged it"


# -- events ------------------------------------------------------------------------------------------------------------


def _every_event_reached_everybody(left: Left, books: Books) -> Iterator[str]:
    heard = {(event["role"], event["id"]) for event in left.events}
    for row in books.outbox:
        for role in left.roles.values():
            if hears(role, row["name"]) and (role, row["event_id"]) not in heard:
                yield f"event {row['name']} of {row['subject']} never reached {role}"
    for row in books.deliveries:
        if row["state"] != "sent":
            yield f"delivery {row['id']} to {row['subscriber']} is {row['state']}"
    if left.stage["summary"]["lost_events"]:
        yield f"the subscribers miss {left.stage['summary']['lost_events']} events"


PARCEL_WAY = ("parcel.packed", "parcel.labelled", "parcel.verified", "parcel.approved", "parcel.handed_over")


def _every_shipped_parcel_was_told_of(left: Left, books: Books) -> Iterator[str]:
    told: dict[tuple[str, str], list[str]] = defaultdict(list)
    for event in left.events:
        if lpn := event["data"].get("lpn"):
            told[event["role"], lpn].append(event["name"])
    gone = {fact["lpn"] for fact in left.facts if fact["name"] == "left_door"}
    for lpn in sorted(gone - set(left.stage["backstage"]["called_shipped"])):
        for role in left.roles.values():
            missing = [name for name in PARCEL_WAY if hears(role, name) and name not in told[role, lpn]]
            if missing:
                yield f"{role} was never told that {lpn} was {', '.join(missing)}"
    for (role, lpn), names in told.items():
        yield from _contradictions(role, lpn, Counter(names), lpn in gone, is_restored=left.is_restored)


def _contradictions(role: str, lpn: str, names: Counter[str], is_gone: bool, *, is_restored: bool) -> Iterator[str]:
    if names["parcel.handed_over"] and names["parcel.returned"]:
        yield f"{role} was told that {lpn} was handed over and that it was returned"
    if names["parcel.handed_over"] and not is_gone:
        yield f"{role} was told that {lpn} was handed over, and it is still here"
    for name in ("parcel.handed_over", "parcel.delivered", "parcel.returned", "parcel.packed"):
        if names[name] > 1 and not is_restored:
            yield f"{role} was told {names[name]} times that {lpn} {name}, as different events"


def _the_same_event_is_the_same_for_everybody(left: Left, books: Books) -> Iterator[str]:
    said: dict[str, tuple[str, str]] = {}
    for event in left.events:
        content = {name: value for name, value in event["data"].items() if name != "link"}
        words = (event["name"], repr(sorted(content.items())))
        if said.setdefault(event["id"], words) != words:
            yield f"event {event['id']} says one thing to {event['role']} and another to others"
    known = set(TRACKING.values())
    for event in left.events:
        if event["name"] not in known:
            yield f"{event['role']} was told of {event['name']!r}, which nobody knows"


AT_ANY_TIME = (
    _nothing_that_must_never_be,
    _nothing_is_sent_twice,
    _each_once_effect_happened_as_booked,
    _doubts_end_by_evidence,
    _labels_are_proved_by_new_pictures,
)
AT_THE_END = (
    _everything_is_over,
    _every_event_reached_everybody,
    _every_shipped_parcel_was_told_of,
    _the_same_event_is_the_same_for_everybody,
)
