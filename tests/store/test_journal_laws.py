"""Whatever happens to an order, its units and its parcel: rows, labels and journal tell the same story."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from packline.core.clock import ManualClock
from packline.core.faults import Fault
from packline.core.ids import SeededIds
from packline.orders.lifecycle import CREATES, ORDER, PARCEL, UNIT, order_after, parcel_after, unit_after
from packline.orders.model import (
    Address,
    Event,
    Order,
    OrderLine,
    OrderState,
    Parcel,
    ParcelState,
    PlaceOrder,
    Purchase,
    Unit,
    UnitState,
)
from packline.store import open_store
from packline.store.orders import order_of
from packline.store.parcels import parcel_of
from packline.store.schema import journal, label
from packline.store.units import unit_of

AT = datetime(2026, 1, 1, tzinfo=UTC)
books = open_store("sqlite://", clock=ManualClock(AT), ids=SeededIds("laws"))
numbers = count(1)

texts = st.sampled_from(["", "不好", "late", "half \ud83d\ude00"])
times = st.just(AT) | st.just(AT.isoformat()) | st.none()
data = st.fixed_dictionaries(
    {
        "sscc": st.integers(1, 10**9).map(lambda n: f"{n:018d}"),
        "print_number": st.integers(1, 10**9),
        "until": st.just(AT),
    },
    optional={
        "place": texts,
        "reason": texts,
        "lpn": texts,
        "approval": st.just("expired"),
        "to": st.sampled_from(ParcelState),
        "pay_until": times,
        "reserve_until": times,
        "lines": st.integers(1, 3),
    },
)
TABLES: dict[str, Mapping[Any, Any]] = {"order": ORDER, "unit": UNIT, "parcel": PARCEL}
# Two of three steps are such as the table knows, so that the far states are reached.
steps = st.lists(
    st.tuples(st.sampled_from(["parcel", "parcel", "unit", "order"]), st.integers(0, 99), st.integers(0, 2), data),
    max_size=25,
)


def content(number: int, pieces: int) -> PlaceOrder:
    return PlaceOrder(
        channel="market",
        external_id=f"L{number}",
        version=pieces,
        digest="",
        merchant="m",
        buyer="b",
        placed_at=AT,
        currency="CNY",
        lines=(OrderLine(line_no=1, sku="A", name="茶", quantity=pieces, unit_minor=1),),
        total_minor=pieces,
        purchase=Purchase.BOUGHT,
        paid=True,
        ship_to=Address(recipient="王", lines=("1",), city="上海"),
    )


class Model:
    """The same order, first unit and parcel, followed by the pure functions alone."""

    def __init__(self, number: int) -> None:
        first = content(number, 2)
        self.number = number
        self.lpn = f"LPN-{number}"
        self.order = Order(order_id=first.order_id, content=first, state=OrderState.RECEIVED, received_at=AT)
        self.unit = Unit(
            unit_id=f"{first.order_id}.1.1", order_id=first.order_id, line_no=1, sku="A", state=UnitState.WANTED
        )
        self.parcel = Parcel(lpn=self.lpn, order_id=first.order_id, state=ParcelState.OPEN, place="t")

    def kind(self, whose: str, pick: int, wild: bool) -> str:
        state = getattr(self, whose).state
        known = sorted(kind for at, kind in TABLES[whose] if wild or at is state)
        known += ["ParcelResumed"] if whose == "parcel" and (wild or state is ParcelState.CLARIFY) else []
        return known[pick % len(known)] if known else "UnitFound"

    def event(self, whose: str, kind: str, data: dict) -> Event:
        subject = {"order": self.order.order_id, "unit": self.unit.unit_id, "parcel": self.lpn}[whose]
        if kind == "OrderChanged" and "lines" in data:
            data = {**data, "content": content(self.number, data["lines"])}
        return Event(kind=kind, subject=subject, order_id=self.order.order_id, station="s", data=data)

    def follow(self, whose: str, event: Event) -> None:
        if whose == "order":
            self.order = order_after(self.order, event)
        elif whose == "unit":
            self.unit = unit_after(self.unit, event)
        else:
            self.parcel = parcel_after(self.parcel, event)


def run(coroutine) -> None:
    """Inline books never wait: a coroutine of theirs ends at the first step."""
    with suppress(StopIteration):
        coroutine.send(None)


@given(steps)
def test_rows_are_what_the_pure_functions_and_the_journal_say(sequence):
    model = Model(next(numbers))
    run(
        books.books.record(
            Event(kind="OrderReceived", subject=model.order.order_id, data={"content": model.order.content}),
            Event(kind="ParcelOpened", subject=model.lpn, order_id=model.order.order_id, data={"place": "t"}),
        )
    )
    for whose, pick, wild, details in sequence:
        kind = model.kind(whose, pick, wild == 0)
        if kind in CREATES:
            continue
        event = model.event(whose, kind, details)
        if apply(event):
            model.follow(whose, event)

    assert books.writer.read_now(lambda db: snapshot(db, model)) == (model.order, model.unit, model.parcel)
    assert books.writer.read_now(lambda db: live_labels(db, model.lpn)) == (1 if model.parcel.sscc else 0)


def apply(event: Event) -> bool:
    """Record; a refusal must leave no trace."""
    before = books.writer.read_now(length)
    try:
        run(books.books.record(event))
    except Fault:
        assert books.writer.read_now(length) == before
        return False
    return True


def length(db) -> int:
    return db.execute(select(func.count()).select_from(journal)).scalar_one()


def snapshot(db, model: Model) -> tuple:
    return order_of(db, model.order.order_id), unit_of(db, model.unit.unit_id), parcel_of(db, model.lpn)


def live_labels(db, lpn: str) -> int:
    query = select(func.count()).where(label.c.lpn == lpn, label.c.state != "voided")
    return db.execute(query).scalar_one()


def test_the_journal_played_again_gives_all_of_these_rows():
    """Runs after the law above: all its orders are in one book."""
    assert books.audit_now() == []
