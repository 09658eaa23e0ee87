"""What is asked all day is found by indexes: books of ten million rows answer as books of ten do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from inspect import isawaitable

import pytest
from sqlalchemy import text

from packline.core.effects import PRINT
from packline.core.faults import Fault
from packline.orders.model import Event, OrderState, ParcelState, UnitState
from packline.orders.release import PARCELS_IN_WORK, UNITS_IN_WORK
from packline.store import Store

ORDER, LPN = "market-HM-1", "PL0000000017"
GROWING = (
    "orders", "unit", "parcel", "label", "effect", "effect_history", "journal", "outbox", "delivery", "inbox", "request", "exception",
    "picture",
)  # fmt: skip
"""Tables that grow with every order."""
STATEMENT = re.compile(r"SELECT|UPDATE|DELETE")


def on_parcel(kind: str) -> Event:
    return Event(kind=kind, subject=LPN, order_id=ORDER)


@pytest.fixture
async def books(sqlite_only: None, store: Store, received: Callable[..., Event]) -> Store:
    await store.outbox.set_subscribers([("shop", "merchant"), ("app", "buyer")])
    kinds = ("ParcelOpened", "ParcelCollected", "ParcelPacked")
    await store.books.record(received(), *(on_parcel(kind) for kind in kinds))
    return store


@contextmanager
def heard(store: Store) -> Iterator[list[str]]:
    """Collect the statements that reach SQLite."""
    said: list[str] = []
    driver = store.writer._connected().connection.dbapi_connection
    assert driver is not None
    driver.set_trace_callback(said.append)
    yield said
    driver.set_trace_callback(None)


def walked(store: Store, statement: str) -> list[str]:
    """Give the steps of a plan that read the whole of a table that grows; an index of what is pending is short."""
    whole = re.compile(rf"SCAN ({'|'.join(GROWING)}|earlier)\b(?! USING INDEX ix_delivery_(next|pending))")
    return [step for step in plan_of(store, statement) if whole.match(step)]


def plan_of(store: Store, statement: str) -> list[str]:
    query = text("EXPLAIN QUERY PLAN " + statement.replace(":", r"\:"))
    return [row.detail for row in store.writer.read_now(lambda db: db.execute(query).all())]


ASKED: dict[str, Callable[[Store], object]] = {
    "order": lambda s: s.books.order("market-HM-2"),
    "orders": lambda s: s.books.orders({OrderState.RELEASED}),
    "queue": lambda s: s.books.orders({OrderState.RECEIVED}, 12, 3),
    "units of an order": lambda s: s.books.units(order_id=ORDER),
    "units in a carton": lambda s: s.books.units(lpn=LPN),
    "units at a station": lambda s: s.books.units(station="s", states={UnitState.INDUCTED}),
    "units in work": lambda s: s.books.units(states=UNITS_IN_WORK, released=True),
    "parcels of an order": lambda s: s.books.parcels(order_id=ORDER),
    "parcels at a place": lambda s: s.books.parcels(place="H01"),
    "parcels in work": lambda s: s.books.parcels(states=PARCELS_IN_WORK),
    "parcels to approve": lambda s: s.books.parcels(states={ParcelState.VERIFIED}),
    "label": lambda s: s.books.label("395213210000000019"),
    "old pictures": lambda s: s.pictures.forget(s.pictures._clock.now()),
    "proof": lambda s: s.books.proof(LPN),
    "event": lambda s: s.books.record(on_parcel("ParcelHeld")),
    "exception": lambda s: s.books.open_exception(Fault(3001, where="x"), station="s", subject=LPN, actions=[]),
    "exceptions": lambda s: s.books.open_exceptions(),
    "exceptions at a station": lambda s: s.books.open_exceptions("s"),
    "effect": lambda s: s.ledger.find(PRINT, LPN, 1),
    "effects in doubt": lambda s: s.ledger.open_effects("s"),
    "messages": lambda s: s.inbox.pending(50, 7),
    "quarantine": lambda s: s.inbox.quarantined("order"),
    "message": lambda s: s.inbox.put("market", "m", {}, b"", s.books._clock.now()),
    "requests": lambda s: s.requests.pending(),
    "due": lambda s: s.outbox.claim(s.books._clock.now() + timedelta(hours=1), 100),
    "claims": lambda s: s.outbox.release_claims(),
    "parked": lambda s: s.outbox.replay(to="shop", parked_only=True),
    "tape": lambda s: s.tape.after(7, 100),
    "seq": lambda s: s.views.seq(),
    "what was scanned": lambda s: s.views.find("hello"),
    "page of an order": lambda s: s.views.order(ORDER),
    "page of a parcel": lambda s: s.views.parcel(LPN),
    "exceptions to see": lambda s: s.views.exceptions(),
    "messages to see": lambda s: s.views.quarantine(),
}


@pytest.mark.parametrize("asked", ASKED)
async def test_nothing_that_is_asked_all_day_walks_through_a_table_that_grows(books, asked):
    with heard(books) as said:
        answer = ASKED[asked](books)
        if isawaitable(answer):
            await answer

    statements = [statement for statement in said if STATEMENT.match(statement)]
    assert statements
    assert [found for statement in statements for found in walked(books, statement)] == []


async def test_figures_walk_through_what_is_over_only_once(books, clock):
    await books.figures.count(clock.now())
    await books.books.record(on_parcel("ParcelHeld"))
    with heard(books) as said:
        await books.figures.count(clock.now())

    assert [found for statement in said if STATEMENT.match(statement) for found in walked(books, statement)] == []
    assert not any(re.search("state IN .*'(closed|delivered)'", statement) for statement in said)


async def test_next_events_of_a_subscriber_are_found_in_their_order_and_not_sorted(books, clock):
    with heard(books) as said:
        await books.outbox.claim(clock.now(), 100)
    (due, *_) = [statement for statement in said if "earlier" in statement]

    assert any("INDEX ix_delivery_next" in step for step in plan_of(books, due))
    assert not any("TEMP B-TREE" in step for step in plan_of(books, due))


async def test_a_part_of_a_tape_is_read_from_where_it_begins_and_not_sorted_out_of_all_rows(books):
    with heard(books) as said:
        books.tape.after(2, 100)
    (part,) = [statement for statement in said if STATEMENT.match(statement)]

    assert not any("TEMP B-TREE" in step for step in plan_of(books, part))
