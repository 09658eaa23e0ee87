import json
import subprocess
import sys
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select

from packline.core.clock import ManualClock
from packline.orders.model import Event
from packline.store import schema
from packline.store.outbox import REPLAYED_AT_ONCE, Outbox

SUBSCRIBERS = [("shop", "merchant"), ("app", "buyer")]


def opened(number: int) -> list[Event]:
    lpn, order_id = f"PL{number:010d}", f"market-HM-{number}"
    kinds = ("ParcelOpened", "ParcelCollected", "ParcelPacked")
    return [Event(kind=kind, subject=lpn, order_id=order_id) for kind in kinds]


@pytest.fixture
async def told(store, received):
    """Two orders, each accepted and packed: four deliveries for each of two subscribers."""
    await store.outbox.set_subscribers(SUBSCRIBERS)
    for number in (1, 2):
        await store.books.record(received(number), *opened(number))
    return store


def names(deliveries) -> list[tuple[str, str, str]]:
    return [(d.order_id[-1], d.subscriber, d.name) for d in deliveries]


def states(store) -> Counter[tuple[str, str]]:
    """Count the deliveries of each subscriber in each state."""
    rows = store.writer.read_now(
        lambda db: db.execute(select(schema.delivery.c.subscriber, schema.delivery.c.state)).all()
    )
    return Counter((row.subscriber, row.state) for row in rows)


async def test_only_the_first_event_of_an_order_is_due_for_each_subscriber(told, clock):
    due = await told.outbox.claim(clock.now(), 100)

    assert names(due) == [
        ("1", "app", "order.accepted"),
        ("1", "shop", "order.accepted"),
        ("2", "app", "order.accepted"),
        ("2", "shop", "order.accepted"),
    ]
    assert due[0].role == "buyer"
    assert due[0].sequence == 1
    assert due[0].attempts == 0


async def test_event_that_was_written_while_the_clock_was_years_ahead_is_told_after_the_next_start(told, clock):
    put_right = ManualClock(clock.now() - timedelta(days=3000))
    outbox = Outbox(told.writer, put_right)
    await outbox.release_claims()

    assert len(await outbox.claim(put_right.now(), 100)) == 4


async def test_what_waits_behind_a_failed_event_is_not_looked_at_before_it_is_due_again(told, clock, sqlite_only):
    """A subscriber that refuses the events of some orders for days: thousands stood before what was due, at each look."""
    (first, *_) = await told.outbox.claim(clock.now(), 1)
    later = clock.now() + timedelta(hours=1)
    await told.outbox.failed(first.id, later, "500")

    def dues(db):
        columns = (schema.delivery.c.stream, schema.delivery.c.next_at)
        mine = schema.delivery.c.subscriber == first.subscriber
        return {(row.stream, row.next_at) for row in db.execute(select(*columns).where(mine))}

    assert told.writer.read_now(dues) == {(first.order_id, later), ("market-HM-2", clock.now())}
    clock.advance(3600)
    for name in ("order.accepted", "parcel.packed"):
        due = {d.order_id: d for d in await told.outbox.claim(clock.now(), 100, without=["shop"])}
        assert due[first.order_id].name == name
        await told.outbox.sent(due[first.order_id].id)


async def test_a_backlog_of_one_subscriber_leaves_room_for_the_others(store, received, clock):
    await store.outbox.set_subscribers(SUBSCRIBERS)
    for number in range(1, 21):
        await store.books.record(received(number))
    first = await store.outbox.claim(clock.now(), 8, without=["app"])
    for one in first:
        await store.outbox.sent(one.id)

    due = await store.outbox.claim(clock.now(), 8)
    assert Counter(d.subscriber for d in due) == {"app": 4, "shop": 4}
    assert {d.order_id for d in due if d.subscriber == "shop"}.isdisjoint(d.order_id for d in first)


async def test_claimed_delivery_is_left_to_its_claimer_until_the_claim_lapses(told, clock):
    first = await told.outbox.claim(clock.now(), 100, lease_s=60)

    assert await told.outbox.claim(clock.now(), 100) == []
    clock.advance(60)
    assert names(await told.outbox.claim(clock.now(), 100)) == names(first)


async def test_claims_of_a_controller_that_is_gone_can_be_given_back(told, clock):
    first = await told.outbox.claim(clock.now(), 100)

    assert await told.outbox.release_claims() == 4
    assert names(await told.outbox.claim(clock.now(), 100)) == names(first)


async def test_next_event_waits_for_the_earlier_one_and_other_orders_go_on(told, clock):
    for delivery in await told.outbox.claim(clock.now(), 100):
        if delivery.order_id == "market-HM-1":
            await told.outbox.failed(delivery.id, clock.now() + timedelta(seconds=30), "503")
        else:
            await told.outbox.sent(delivery.id)

    assert names(await told.outbox.claim(clock.now(), 100)) == [
        ("2", "app", "parcel.packed"),
        ("2", "shop", "parcel.packed"),
    ]
    clock.advance(30)
    again = await told.outbox.claim(clock.now(), 100)
    assert names(again) == [("1", "app", "order.accepted"), ("1", "shop", "order.accepted")]
    assert [d.attempts for d in again] == [1, 1]


async def test_parked_event_lets_the_later_ones_go_on_until_it_is_replayed(told, clock):
    for delivery in await told.outbox.claim(clock.now(), 100):
        await told.outbox.parked(delivery.id, "410 Gone")

    due = await told.outbox.claim(clock.now(), 100)

    assert {name for _, _, name in names(due)} == {"parcel.packed"}
    assert states(told) == {("app", "pending"): 2, ("app", "parked"): 2, ("shop", "pending"): 2, ("shop", "parked"): 2}
    assert await told.outbox.replay(to="shop", parked_only=True) == 2
    assert names(await told.outbox.claim(clock.now(), 100)) == [
        ("1", "shop", "order.accepted"),
        ("2", "shop", "order.accepted"),
    ]


async def test_subscriber_that_is_left_in_peace_holds_nobody_up(told, clock):
    due = await told.outbox.claim(clock.now(), 100, without=["shop"])

    assert {d.subscriber for d in due} == {"app"}


async def test_replay_of_very_many_events_is_made_in_pieces(told, clock):
    """A million that were parked, in one transaction, kept the line from its books meanwhile."""

    def add(db):
        one = dict(db.execute(select(schema.outbox)).mappings().first())
        rows = [{**one, "event_id": f"E{n}", "subject": f"s{n}"} for n in range(REPLAYED_AT_ONCE)]
        db.execute(schema.outbox.insert(), rows)
        parked = [
            {
                "event_id": row["event_id"], "subscriber": "shop", "seq": row["seq"], "stream": row["event_id"], "state": "parked",
                "next_at": clock.now(), "changed_at": clock.now(),
            }
            for row in rows
        ]  # fmt: skip
        db.execute(schema.delivery.insert(), parked)

    told.writer.write_now(add)
    (one, *_) = await told.outbox.claim(clock.now(), 100, without=["app"])
    await told.outbox.parked(one.id, "410")

    assert await told.outbox.replay(to="shop", parked_only=True) == REPLAYED_AT_ONCE + 1
    assert states(told)["shop", "parked"] == 0


async def test_replay_by_event_and_by_time(told, clock):
    for _ in range(2):
        for delivery in await told.outbox.claim(clock.now(), 100):
            await told.outbox.sent(delivery.id)
    assert await told.outbox.claim(clock.now(), 100) == []

    assert await told.outbox.replay(since=clock.now() + timedelta(seconds=1)) == 0
    assert await told.outbox.replay(since=clock.now(), until=clock.now() + timedelta(seconds=1), to="app") == 4
    (delivery, _) = await told.outbox.claim(clock.now(), 100)
    assert await told.outbox.replay(event_ids=[delivery.event_id]) == 2
    with pytest.raises(ValueError, match="replay of everything"):
        await told.outbox.replay()


async def test_answer_that_comes_after_the_delivery_was_settled_changes_nothing(told, clock):
    delivery, *_ = await told.outbox.claim(clock.now(), 1)
    await told.outbox.sent(delivery.id)

    await told.outbox.failed(delivery.id, clock.now(), "late")
    await told.outbox.parked(delivery.id, "later still")

    assert states(told)["app", "sent"] == 1


async def test_claimer_whose_claim_lapsed_takes_nothing_back_from_the_next_one(told, clock):
    late, *_ = await told.outbox.claim(clock.now(), 1, lease_s=60)
    clock.advance(60)
    (next_one,) = [d for d in await told.outbox.claim(clock.now(), 100, lease_s=60) if d.id == late.id]
    await told.outbox.sent(next_one.id, "200")

    await told.outbox.parked(late.id, "no answer")
    await told.outbox.failed(late.id, clock.now(), "no answer")

    assert states(told)["app", "sent"] == 1
    assert late.id not in [d.id for d in await told.outbox.claim(clock.now(), 100)]


async def test_later_subscribers_hear_of_later_events(told, clock, received):
    await told.outbox.set_subscribers([*SUBSCRIBERS, ("archive", "archive")])
    await told.books.record(received(3))

    due = await told.outbox.claim(clock.now(), 100)

    assert [d.order_id for d in due if d.subscriber == "archive"] == ["market-HM-3"]


CLAIMER = """
import asyncio, json, sys
from packline.core.clock import WallClock
from packline.core.ids import SystemIds
from packline.store import open_store

async def claim(store):
    mine, clock = [], WallClock()
    print("ready", flush=True)
    sys.stdin.readline()
    while claimed := await store.outbox.claim(clock.now(), 3):
        mine += [d.id for d in claimed]
    print(json.dumps(mine), flush=True)

store = open_store(sys.argv[1], clock=WallClock(), ids=SystemIds())
asyncio.run(claim(store))
store.close()
"""


async def test_two_processes_that_claim_at_once_never_get_the_same(store, url, received):
    await store.outbox.set_subscribers(SUBSCRIBERS)
    await store.books.record(*(received(number) for number in range(150)))
    command = [sys.executable, "-c", CLAIMER, url]
    pipe = subprocess.PIPE
    children = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(2)]
    for child in children:
        assert child.stdout
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin
        child.stdin.write("go\n")
        child.stdin.flush()

    claimed = [json.loads(child.communicate(timeout=50)[0]) for child in children]

    assert len(claimed[0]) + len(claimed[1]) == len({*claimed[0], *claimed[1]}) == 300
