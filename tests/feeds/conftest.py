"""Books, an inbox and an outbox in memory, by the house's own tables; orders as a marketplace writes them."""

import json
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from packline.core.clock import ManualClock
from packline.feeds.ports import InboxKind
from packline.orders.lifecycle import TARGET, order_after, parcel_after, unit_after
from packline.orders.model import Event, Item, Order, OrderState, Parcel, ParcelState, Unit, UnitState
from packline.orders.ports import ExceptionRow, Label

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class InboxRow:
    id: int
    channel: str
    kind: str
    delivery_id: str
    body: bytes
    received_at: datetime
    fault: dict = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Delivery:
    id: int
    event_id: str
    subscriber: str
    role: str
    name: str
    subject: str
    order_id: str
    sequence: int
    at: datetime
    body: dict
    attempts: int = 0


class MemoryBooks:
    def __init__(self, clock):
        self.clock = clock
        self.all_orders, self.all_units, self.all_parcels, self.labels = {}, {}, {}, {}
        self.items = {sku: Item(sku=sku, merchant="m1", name=sku) for sku in ("TEA-1", "CUP-2")}
        self.journal, self.exceptions, self.closed, self.alarms = [], {}, [], {}

    async def order(self, order_id):
        return self.all_orders.get(order_id)

    async def orders(self, states, limit=1000, skip=0):
        return [o for o in self.all_orders.values() if o.state in states][skip : skip + limit]

    async def units(self, *, order_id=None, lpn=None, station=None, states=None):
        return [
            u for u in self.all_units.values() if order_id in (None, u.order_id) and (not states or u.state in states)
        ]

    async def parcel(self, lpn):
        return self.all_parcels.get(lpn)

    async def parcels(self, *, order_id=None, states=None, place=None):
        return [
            p for p in self.all_parcels.values() if order_id in (None, p.order_id) and (not states or p.state in states)
        ]

    async def label(self, sscc):
        return self.labels.get(sscc)

    async def item(self, sku):
        return self.items.get(sku)

    async def record(self, *events):
        kept = dict(self.all_orders), dict(self.all_units), dict(self.all_parcels), dict(self.labels)
        try:
            for event in events:
                self._apply(event)
        except Exception:
            self.all_orders, self.all_units, self.all_parcels, self.labels = kept
            raise
        self.journal.extend(events)

    def _apply(self, event):
        target = TARGET.get(event.kind)
        if event.kind == "OrderReceived":
            self._receive(event)
        elif event.kind == "ParcelOpened":
            self.all_parcels[event.subject] = Parcel(lpn=event.subject, order_id=event.order_id, state=ParcelState.OPEN)
        elif target == "order":
            self.all_orders[event.subject] = order_after(self.all_orders[event.subject], event)
        elif target == "unit":
            self.all_units[event.subject] = unit_after(self.all_units[event.subject], event)
        elif target == "parcel":
            self._move(event)

    def _receive(self, event):
        content = event.data["content"]
        order = Order(order_id=event.subject, content=content, state=OrderState.RECEIVED, received_at=self.clock.now())
        self.all_orders[event.subject] = order
        for line in content.lines:
            for n in range(1, line.quantity + 1):
                unit_id = f"{event.subject}.{line.line_no}.{n}"
                self.all_units[unit_id] = Unit(
                    unit_id=unit_id,
                    order_id=event.subject,
                    line_no=line.line_no,
                    sku=line.sku,
                    state=UnitState.WANTED,
                )

    def _move(self, event):
        before = self.all_parcels[event.subject]
        self.all_parcels[event.subject] = parcel_after(before, event)
        if event.kind == "LabelAssigned":
            sscc = event.data["sscc"]
            self.labels[sscc] = Label(
                sscc=sscc, lpn=event.subject, print_number=1, generation=before.generation + 1, state="assigned"
            )
        if event.kind == "LabelVoided":
            self.labels[before.sscc] = replace(self.labels[before.sscc], state="voided")

    async def open_exception(self, fault, *, station, subject, actions, effect_id=""):
        for row in self.exceptions.values():
            if (row.code, row.station, row.subject) == (fault.code, station, subject):
                return row.exception_id
        number = f"x{len(self.exceptions) + len(self.closed) + 1}"
        self.exceptions[number] = ExceptionRow(
            exception_id=number,
            code=fault.code,
            station=station,
            subject=subject,
            effect_id=effect_id,
            opened_at=self.clock.now(),
            fault=fault.as_dict(),
            actions=tuple(actions),
        )
        return number

    async def close_exception(self, exception_id, *, action, actor, note=""):
        row = self.exceptions.pop(exception_id)
        self.closed.append((row, action, actor, note))

    async def open_exceptions(self, station=None):
        return [row for row in self.exceptions.values() if station in (None, row.station)]

    async def raise_alarm(self, fault, *, source):
        self.alarms[fault.code, source] = fault

    async def clear_alarm(self, code, *, source):
        self.alarms.pop((code, source), None)

    def kinds(self):
        return [event.kind for event in self.journal]


class Stopped(BaseException):
    """The process ended here."""


@contextmanager
def dying_after(books, writes):
    """In this block the process ends at the write after so many; what was written before stays."""
    names, left = ("record", "open_exception", "close_exception"), iter(range(writes))

    def mortal(write):
        async def last(*args, **kwargs):
            if next(left, None) is None:
                raise Stopped
            return await write(*args, **kwargs)

        return last

    kept = {name: getattr(books, name) for name in names}
    for name, write in kept.items():
        setattr(books, name, mortal(write))
    with suppress(Stopped):
        yield
    for name, write in kept.items():
        setattr(books, name, write)


class MemoryInbox:
    def __init__(self, clock):
        self.clock, self.rows, self.states, self.faults = clock, [], {}, {}

    def post(self, body, *, channel="marketplace", kind=InboxKind.FEED):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        number = len(self.rows) + 1
        self.rows.append(
            InboxRow(
                id=number,
                channel=channel,
                kind=kind,
                delivery_id=f"msg-{number}",
                body=body,
                received_at=self.clock.now(),
            )
        )
        self.states[number] = ("pending", "")
        return number

    async def pending(self, limit, after=0):
        waiting = [row for row in self.rows if self.states[row.id][0] == "pending" and row.id > after]
        return [self._row(row) for row in waiting][:limit]

    def _row(self, row):
        return replace(row, fault=self.faults.get(row.id, {}))

    async def mark(self, number, state, reason, fault=None):
        self.states[number] = (str(state), reason)
        self.faults[number] = fault or self.faults.get(number, {})

    async def quarantined(self, naming=""):
        return [
            self._row(row)
            for row in self.rows
            if self.states[row.id][0] == "quarantined" and naming in self.states[row.id][1]
        ]

    async def replay(self, number):
        self.states[number] = ("pending", "")

    async def dismiss(self, *numbers, actor, note):
        there = [number for number in numbers if self.states[number][0] == "quarantined"]
        self.states |= dict.fromkeys(there, ("dismissed", f"dismissed by {actor}: {note}"))
        return len(there)


class MemoryOutbox:
    """Gives what is due by sequence; a claim holds for ever, as long as one run lives."""

    def __init__(self):
        self.rows, self.due, self.state, self.answers, self.tries = {}, {}, {}, {}, {}

    def add(self, subscriber, name="parcel.packed", order_id="marketplace-1", subject="PL1", role="archive", at=NOW):
        number = len(self.rows) + 1
        self.rows[number] = Delivery(
            id=number,
            event_id=f"01EVENT{number:04d}",
            subscriber=subscriber,
            role=role,
            name=name,
            subject=subject,
            order_id=order_id,
            sequence=number,
            at=at,
            body={"order_id": order_id, "state": "packed"},
        )
        self.due[number], self.state[number], self.tries[number] = at, "pending", 0
        return number

    async def claim(self, now, limit, *, without=()):
        due = [n for n in self.rows if self.state[n] == "pending" and self.due[n] <= now]
        ready = [n for n in due if self.rows[n].subscriber not in without][:limit]
        for number in ready:
            self.state[number] = "claimed"
        return [replace(self.rows[n], attempts=self.tries[n]) for n in ready]

    async def sent(self, number):
        self.state[number] = "sent"

    async def failed(self, number, next_at, answer):
        self.state[number], self.due[number], self.answers[number] = "pending", next_at, answer
        self.tries[number] += 1

    async def parked(self, number, answer):
        self.state[number], self.answers[number] = "parked", answer

    async def replay(self, *, to, parked_only):
        again = [n for n, row in self.rows.items() if row.subscriber == to and self.state[n] == "parked"]
        self.state |= dict.fromkeys(again, "pending")
        return len(again)


class Terms:
    reserve_s = 3600.0
    pay_s = 7200.0


def order_data(**changes):
    """One order as the marketplace writes it; two lines, 3 pieces."""
    data = {
        "id": "HM-10023",
        "version": 1,
        "merchant": {"id": "m1", "name": "云山茶行"},
        "buyer": {"id": "b7", "name": "Zoë Müller"},
        "placed_at": "2026-03-04T05:00:00Z",
        "currency": "CNY",
        "lines": [
            {"line": 1, "sku": "TEA-1", "name": "龙井 Longjing", "gtin": "9521321000018", "qty": 2, "unit_minor": 1990},
            {"line": 2, "sku": "CUP-2", "name": "Cup", "qty": 1, "unit_minor": 500},
        ],
        "total_minor": 4480,
        "purchase": "bought",
        "paid": True,
        "ship_to": {
            "recipient": "王小明",
            "lines": ["建国路 88 号"],
            "city": "北京",
            "postcode": "100022",
            "country": "CN",
            "phone": "+86 10 5555 0100",
        },
        "ship_by": None,
        "options": {"approval": True, "split": True, "short": True},
    }
    return {**data, **changes}


def order_message(**changes):
    return {"type": "order.changed", "timestamp": "2026-03-04T05:06:07Z", "data": order_data(**changes)}


def labelled_events(
    lpn="PL0000000017", order_id="marketplace-HM-10023", sscc="095213210000000018", upto="ParcelShipped"
):
    """The way of one parcel in events, up to and including `upto`."""
    way = [
        ("ParcelOpened", {"place": "induct-1", "bench": False}),
        ("ParcelCollected", {}),
        ("ParcelPacked", {}),
        ("LabelAssigned", {"sscc": sscc, "print_number": 1}),
        ("LabelPrinted", {}),
        ("LabelApplied", {}),
        ("LabelVerified", {}),
        ("ParcelApproved", {}),
        ("ParcelShipped", {}),
    ]
    last = [kind for kind, _ in way].index(upto)
    return [Event(kind=k, subject=lpn, order_id=order_id, data=d) for k, d in way[: last + 1]]


@pytest.fixture
def dying(books):
    """End the process in a block: `with dying(2): ...` at its third write."""
    return lambda writes: dying_after(books, writes)


@pytest.fixture
def clock():
    return ManualClock(NOW)


@pytest.fixture
def books(clock):
    return MemoryBooks(clock)


@pytest.fixture
def inbox(clock):
    return MemoryInbox(clock)


@pytest.fixture
def outbox():
    return MemoryOutbox()


@pytest.fixture(scope="session")
def terms():
    return Terms()


@pytest.fixture(scope="session")
def message():
    """Build an order message: `message(version=2, paid=False)`."""
    return order_message


@pytest.fixture(scope="session")
def data():
    return order_data


@pytest.fixture(scope="session")
def way():
    """Build the events of a parcel's way."""
    return labelled_events


@pytest.fixture(scope="session")
def later():
    return lambda seconds: NOW + timedelta(seconds=seconds)


@pytest.fixture(scope="session")
def world():
    """Make a fresh inbox, books and clock; for tests that need many."""

    def make():
        clock = ManualClock(NOW)
        return MemoryInbox(clock), MemoryBooks(clock), clock

    return make
