"""Messages become events once, whatever order they come in and however often."""

import asyncio
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packline.core.faults import Fault
from packline.feeds.intake import LOOKED_AT
from packline.feeds.marketplace import read_order
from packline.feeds.ports import InboxKind
from packline.feeds.worker import BATCH_ROWS, PATIENCE_S, IntakeWorker
from packline.orders.model import Event, OrderState, ParcelState, UnitState
from tests.waiting import let_run, until

ORDER = "marketplace-HM-10023"
SSCC = "095213210000000018"


@pytest.fixture
def worker(inbox, books, clock, terms):
    return IntakeWorker(inbox=inbox, books=books, clock=clock, policy=terms)


def delivered(sscc=SSCC):
    data = {"sscc": sscc, "at": "2026-03-04T05:00:00Z", "proof": "signed"}
    return {"type": "parcel.delivered", "timestamp": "2026-03-04T05:06:07Z", "data": data}


def courier_says(inbox, sscc=SSCC):
    return inbox.post(delivered(sscc), channel="kd", kind=InboxKind.COURIER)


async def test_order_is_taken_in_with_its_units_and_deadlines(worker, inbox, books, message, later):
    inbox.post(message(paid=False))

    assert await worker.work() == 1
    order = books.all_orders[ORDER]
    assert (order.state, order.pay_until, order.reserve_until) == (OrderState.RECEIVED, later(7200), None)
    assert len(books.all_units) == 3
    assert inbox.states[1] == ("done", "")


async def test_duplicate_changes_nothing(worker, inbox, books, message):
    inbox.post(message())
    inbox.post(message())
    await worker.work()

    assert books.kinds() == ["OrderReceived"]
    assert inbox.states[2] == ("ignored", "duplicate")


async def test_message_worked_before_a_stop_and_not_marked_is_a_duplicate_after_it(worker, inbox, books, message):
    inbox.post(message())
    await worker.work()
    inbox.states[1] = ("pending", "")
    await worker.work()

    assert books.kinds() == ["OrderReceived"]


async def test_older_version_that_comes_late_changes_nothing(worker, inbox, books, message):
    inbox.post(message(version=3, paid=True))
    inbox.post(message(version=2, paid=False))
    await worker.work()

    assert books.all_orders[ORDER].content.paid
    assert inbox.states[2][0] == "ignored"


@given(versions=st.lists(st.integers(1, 6), min_size=1, max_size=12))
async def test_whatever_the_order_of_arrival_the_newest_version_stands(versions, world, terms, message):
    inbox, books, clock = world()
    for version in versions:
        inbox.post(message(version=version, paid=version % 2 == 0))
    await IntakeWorker(inbox=inbox, books=books, clock=clock, policy=terms).work()

    assert books.all_orders[ORDER].content.version == max(versions)
    assert {state for state, _ in inbox.states.values()} <= {"done", "ignored"}
    assert books.kinds().count("OrderReceived") == 1


@pytest.mark.parametrize("version", [1, 2])
async def test_order_that_is_cancelled_by_the_first_that_is_heard_of_it_is_over_at_once(
    worker, inbox, books, message, version
):
    """The cancellation may come before what it cancels, or alone."""
    inbox.post(message(version=version, purchase="cancelled"))
    inbox.post(message(version=version - 1 or 1, purchase="cancelled" if version == 1 else "bought"))
    await worker.work()

    assert books.all_orders[ORDER].state is OrderState.CANCELLED
    assert books.kinds() == ["OrderReceived", "OrderCancelled"]


async def test_version_that_says_two_things_waits_in_quarantine(worker, inbox, books, message):
    inbox.post(message())
    inbox.post(message(paid=False))
    await worker.work()

    assert inbox.states[2][0] == "quarantined"
    assert [row.code for row in books.exceptions.values()] == [4005]


@pytest.mark.parametrize(
    "changes, code", [({"total_minor": 1}, 4005), ({"currency": "?"}, 4001)], ids=["totals", "shape"]
)
async def test_nonsense_waits_in_quarantine_and_stops_nobody(worker, inbox, books, message, changes, code):
    inbox.post(message(id="HM-1", **changes))
    inbox.post(message(id="HM-2"))
    await worker.work()

    assert list(books.all_orders) == ["marketplace-HM-2"]
    assert inbox.states[1][0] == "quarantined"
    assert str(code) in inbox.states[1][1]
    assert [row.code for row in books.exceptions.values()] == [code]


async def test_corrected_order_is_taken_and_its_old_row_is_closed(worker, inbox, books, message):
    inbox.post(message(total_minor=1))
    await worker.work()
    inbox.post(message(version=2))
    await worker.work()

    assert books.all_orders[ORDER].content.version == 2
    assert books.exceptions == {}
    assert [action for _, action, _, _ in books.closed] == ["superseded"]


async def test_late_copy_of_an_older_version_does_not_hide_the_newer_one_in_quarantine(worker, inbox, books, message):
    for changes in ({"version": 1}, {"version": 3, "total_minor": 1}, {"version": 1}, {"version": 2, "paid": False}):
        inbox.post(message(**changes))
        await worker.work()

    assert [row.fault["where"] for row in books.exceptions.values()] == [f"order {ORDER} version 3"]


async def test_unknown_item_waits_until_it_is_imported_and_the_message_replayed(worker, inbox, books, message):
    cup = books.items.pop("CUP-2")
    inbox.post(message())
    await worker.work()
    row = next(iter(books.exceptions.values()))
    assert (row.code, inbox.states[1][0]) == (4006, "quarantined")

    books.items["CUP-2"] = cup
    await worker.decide(row, action="retry", actor="lin")
    await worker.work()

    assert ORDER in books.all_orders
    assert books.exceptions == {}


async def test_dismissed_message_leaves_the_quarantine_and_is_kept_with_who_and_why(worker, inbox, books, message):
    inbox.post(message(total_minor=1))
    inbox.post(message(id="HM-2", total_minor=1))
    await worker.work()
    first = next(row for row in books.exceptions.values() if row.subject == "inbox:1")
    await worker.decide(first, action="dismiss", actor="lin", note="sent twice")
    await worker.work()

    assert inbox.states[1] == ("dismissed", "dismissed by lin: sent twice")
    assert inbox.states[2][0] == "quarantined"
    assert [row.subject for row in books.exceptions.values()] == ["inbox:2"]


async def test_message_dismissed_in_the_quarantine_takes_its_row_of_the_queue_along(worker, inbox, books, message):
    inbox.post(message(total_minor=1))
    inbox.post(b"no JSON")
    await worker.work()
    assert len(books.exceptions) == 2

    for number in (1, 2):
        await worker.dismiss(number, actor="lin", note="nonsense")
    assert books.exceptions == {}
    assert {(action, note) for _, action, _, note in books.closed} == {("dismiss", "nonsense")}
    with pytest.raises(Fault) as caught:
        await worker.dismiss(1, actor="lin")
    assert caught.value.code == 4301


async def test_unreadable_messages_of_a_sender_are_one_row_that_offers_no_second_try(worker, inbox, books, message):
    for n in range(10):
        inbox.post(message(id=f"HM-{n}", currency="?"))
    courier_says(inbox, sscc=7)
    inbox.post(message(id="HM-77", total_minor=1))
    await worker.work()

    rows = {row.subject: (row.code, row.actions) for row in books.exceptions.values()}
    assert rows == {
        "unreadable:feed:marketplace": (4001, ("dismiss",)),
        "unreadable:courier:kd": (4001, ("dismiss",)),
        "inbox:12": (4005, ("retry", "dismiss")),
    }


async def test_a_message_that_comes_while_the_row_of_its_sender_is_dismissed_is_asked_about(
    worker, inbox, books, message, monkeypatch
):
    inbox.post(message(currency="?"))
    await worker.work()
    (row,) = books.exceptions.values()
    dismiss = inbox.dismiss

    async def slow(*ids, **words):
        done = await dismiss(*ids, **words)
        inbox.post(message(id="HM-2", currency="?"))
        for _ in range(50):
            await asyncio.sleep(0)
        return done

    async def works():
        for _ in range(20):
            await worker.work()
            await asyncio.sleep(0)

    monkeypatch.setattr(inbox, "dismiss", slow)
    await asyncio.gather(worker.decide(row, action="dismiss", actor="lin"), works())
    await worker.work()

    assert inbox.states[2][0] == "quarantined"
    assert [row.subject for row in books.exceptions.values()] == ["unreadable:feed:marketplace"]


async def test_row_of_unreadable_messages_stays_until_the_last_of_them_has_left(worker, inbox, books, message):
    for n in range(3):
        inbox.post(message(id=f"HM-{n}", currency="?"))
    courier_says(inbox, sscc=7)
    await worker.work()
    for number in (1, 2):
        await worker.dismiss(number, actor="lin")
    row = next(row for row in books.exceptions.values() if row.subject == "unreadable:feed:marketplace")

    await worker.decide(row, action="dismiss", actor="lin")
    assert [inbox.states[n][0] for n in (1, 2, 3, 4)] == ["dismissed"] * 3 + ["quarantined"]
    assert [row.subject for row in books.exceptions.values()] == ["unreadable:courier:kd"]


async def test_unreadable_message_is_taken_after_all_when_it_is_replayed_and_its_row_ends(
    worker, inbox, books, message
):
    number = inbox.post(message(currency="?"))
    await worker.work()
    inbox.rows[0] = replace(inbox.rows[0], body=inbox.rows[0].body.replace(b'"?"', b'"CNY"'))
    await inbox.replay(number)
    await worker.work()

    assert inbox.states[number][0] == "done"
    assert books.exceptions == {}


@pytest.mark.parametrize("changes", [{"total_minor": 1}, {"currency": "?"}], ids=["contradiction", "unreadable"])
async def test_later_version_ends_the_wait_of_the_message_and_of_its_row(worker, inbox, books, message, changes):
    inbox.post(message(**changes))
    inbox.post(message(id="HM-9", **changes))
    await worker.work()
    inbox.post(message(version=2))
    await worker.work()

    assert inbox.states[1] == ("ignored", "version 2 was taken")
    assert inbox.states[2][0] == "quarantined"
    assert len(books.exceptions) == 1


async def test_many_messages_that_leave_the_quarantine_together_are_looked_for_together(worker, inbox, books, message):
    """Two thousand orders of an unknown item cost two seconds for each that was tried again, and the line stood still meanwhile."""
    books.items.clear()
    for n in range(BATCH_ROWS):
        inbox.post(message(id=f"HM-{n}"))
    await worker.work()
    books.items |= {sku: sku for sku in ("TEA-1", "CUP-2")}
    for row in list(books.exceptions.values())[1:]:
        await inbox.replay(int(row.subject.removeprefix("inbox:")))
    looks = Looks(books.open_exceptions, inbox.quarantined)
    books.open_exceptions, inbox.quarantined = looks.rows, looks.held
    await worker.work()

    assert [row.subject for row in books.exceptions.values()] == ["inbox:1"]
    assert {(action, actor) for _, action, actor, _ in books.closed} == {("retry", "feed marketplace")}
    assert looks.walks == 2


class Looks:
    """Counts how often all rows of the queue, and all messages in quarantine, are walked through."""

    def __init__(self, rows, held):
        self.walks, self._rows, self._held = 0, rows, held

    async def rows(self, *args):
        return self._counted(await self._rows(*args))

    async def held(self, naming=""):
        found = await self._held(naming)
        return found if naming else self._counted(found)

    def _counted(self, found):
        def walk():
            self.walks += 1
            yield from found

        return type("Walked", (), {"__iter__": lambda _: walk()})()


async def test_rows_that_a_stop_left_behind_are_closed_by_the_sweep(worker, inbox, books, clock, message):
    books.items.clear()
    inbox.post(message())
    await worker.work()
    await inbox.mark(1, "done", "")
    job = asyncio.create_task(worker.run())
    await until(lambda: not books.exceptions)
    job.cancel()

    assert [(action, actor) for _, action, actor, _ in books.closed] == [("retry", "feed")]


async def test_version_taken_by_asking_the_host_ends_the_wait_too(worker, inbox, books, message):
    inbox.post(message(total_minor=1))
    await worker.work()
    await worker.intake.take(read_order("marketplace", json.dumps(message(version=3)).encode()))
    assert inbox.states[1][0] == "quarantined"

    await worker.settle()
    assert inbox.states[1] == ("ignored", "version 3 was taken")
    assert books.exceptions == {}


async def test_order_that_is_cancelled_at_first_sight_is_booked_and_never_worked(worker, inbox, books, message):
    inbox.post(message(purchase="cancelled"))
    await worker.work()

    assert books.all_orders[ORDER].state is OrderState.CANCELLED


async def test_reservation_is_not_prolonged_by_a_newer_version(worker, inbox, books, clock, message, later):
    inbox.post(message(purchase="reserved", paid=False, ship_to=None))
    await worker.work()
    clock.advance(100)
    inbox.post(message(version=2, purchase="reserved", paid=False))
    await worker.work()
    assert books.all_orders[ORDER].reserve_until == later(3600)

    clock.advance(100)
    inbox.post(message(version=3, purchase="bought", paid=False))
    await worker.work()
    assert books.all_orders[ORDER].reserve_until is None
    assert books.all_orders[ORDER].pay_until == later(7400)


async def test_message_from_no_known_door_is_quarantined(worker, inbox, message):
    inbox.post(message(), kind="telegram")
    await worker.work()

    assert inbox.states[1][0] == "quarantined"


async def test_courier_s_door_cannot_place_orders_nor_a_feed_deliver(worker, inbox, books, message):
    inbox.post(message(), channel="kd", kind=InboxKind.COURIER)
    inbox.post(delivered())
    await worker.work()

    assert books.journal == []
    assert [inbox.states[n][0] for n in (1, 2)] == ["quarantined", "quarantined"]


async def released(books, worker, inbox, message):
    inbox.post(message())
    await worker.work()
    await books.record(Event(kind="OrderReleased", subject=ORDER, order_id=ORDER))
    for unit_id in books.all_units:
        for kind in ("UnitInducted", "UnitInspected", "UnitBoxed"):
            await books.record(Event(kind=kind, subject=unit_id, order_id=ORDER))


async def test_delivery_of_the_last_parcel_closes_the_order(worker, inbox, books, message, way):
    await released(books, worker, inbox, message)
    await books.record(*way(), Event(kind="OrderShipped", subject=ORDER, order_id=ORDER))
    courier_says(inbox)
    courier_says(inbox)
    await worker.work()

    assert books.kinds()[-2:] == ["ParcelDelivered", "OrderClosed"]
    assert [inbox.states[n][0] for n in (2, 3)] == ["done", "ignored"]


async def test_order_stays_open_while_another_parcel_is_on_its_way(worker, inbox, books, message, way):
    await released(books, worker, inbox, message)
    await books.record(*way(), *way(lpn="PL0000000024", sscc="095213210000000025"))
    await books.record(Event(kind="OrderShipped", subject=ORDER, order_id=ORDER))
    courier_says(inbox)
    await worker.work()

    assert books.all_orders[ORDER].state is OrderState.SHIPPED


async def test_delivery_that_overtakes_a_stopped_gate_waits_for_it(worker, inbox, books, clock, message, way):
    await released(books, worker, inbox, message)
    await books.record(*way(upto="ParcelApproved"))
    courier_says(inbox)
    assert await worker.work() == 0

    await books.record(way()[-1])
    assert await worker.work() == 1
    assert books.all_parcels["PL0000000017"].state is ParcelState.DELIVERED
    assert books.all_orders[ORDER].state is OrderState.CLOSED


async def test_delivery_of_what_never_left_is_quarantined_after_some_patience(
    worker, inbox, books, clock, message, way
):
    await released(books, worker, inbox, message)
    await books.record(*way(upto="LabelVerified"))
    courier_says(inbox)
    assert await worker.work() == 0
    clock.advance(PATIENCE_S + 1)
    await worker.work()

    assert inbox.states[2][0] == "quarantined"
    assert [row.code for row in books.exceptions.values()] == [3015]


async def test_delivery_that_came_while_nobody_worked_still_waits_for_the_gate(
    worker, inbox, books, clock, message, way
):
    """A controller that was away for an hour must ask the gate before it finds fault with the courier."""
    await released(books, worker, inbox, message)
    await books.record(*way(upto="ParcelApproved"))
    courier_says(inbox)
    clock.advance(3600)

    assert await worker.work() == 0
    assert not books.exceptions


async def test_delivery_under_a_voided_or_unknown_label_is_quarantined(worker, inbox, books, message, way):
    await released(books, worker, inbox, message)
    await books.record(*way(upto="LabelVerified"))
    await books.record(Event(kind="LabelVoided", subject="PL0000000017", order_id=ORDER))
    courier_says(inbox)
    courier_says(inbox, sscc="095213210000000025")
    await worker.work()

    assert sorted(row.code for row in books.exceptions.values()) == [3006, 4106]


async def test_poisonous_message_is_tried_a_few_times_and_then_put_aside(worker, inbox, books, message):
    async def broken(sku):
        raise RuntimeError("a fault of ours")

    books.item = broken
    inbox.post(message())
    for _ in range(3):
        await worker.work()

    assert inbox.states[1][0] == "quarantined"
    assert "RuntimeError" in inbox.states[1][1]


async def test_order_that_moved_while_we_looked_is_looked_at_again(worker, inbox, books, message):
    real, tries = books.record, []

    async def once_refused(*events):
        tries.append(events)
        if len(tries) == 1:
            raise Fault(5101, where="order")
        await real(*events)

    books.record = once_refused
    inbox.post(message())
    await worker.work()
    await worker.work()

    assert inbox.states[1][0] == "done"
    assert books.kinds() == ["OrderReceived"]


def releases_after_a_look(books):
    """The line sends the order to the floor just after the feed looked at its parcels."""
    real = books.parcels

    async def looked(**asked):
        found, books.parcels = await real(**asked), real
        await books.record(Event(kind="OrderReleased", subject=ORDER, order_id=ORDER))
        return found

    books.parcels = looked


async def test_lines_of_an_order_do_not_change_under_the_hands_that_fetch_them(worker, inbox, books, message, data):
    """The order said five, and two were fetched, packed and shipped."""
    inbox.post(message())
    await worker.work()
    one = data()["lines"][0]
    inbox.post(message(version=2, lines=[{**one, "qty": 5}], total_minor=5 * one["unit_minor"]))
    releases_after_a_look(books)
    await worker.work()
    await worker.work()

    assert inbox.states[2][0] == "quarantined" and "other lines" in inbox.states[2][1]
    assert books.all_orders[ORDER].content.version == 1


async def test_order_that_is_cancelled_while_it_goes_to_the_floor_leaves_no_wanted_piece(worker, inbox, books, message):
    inbox.post(message())
    await worker.work()
    inbox.post(message(version=2, purchase="cancelled"))
    releases_after_a_look(books)
    await worker.work()
    await worker.work()

    assert books.all_orders[ORDER].state is OrderState.CANCELLED and inbox.states[2][0] == "done"
    assert {unit.state for unit in books.all_units.values()} == {UnitState.RETURNED}


async def test_order_whose_last_event_was_lost_in_a_stop_is_closed_by_the_sweep(worker, inbox, books, message, way):
    await released(books, worker, inbox, message)
    await books.record(*way())
    parcel = books.all_parcels["PL0000000017"]
    books.all_parcels[parcel.lpn] = replace(parcel, state=ParcelState.DELIVERED)

    assert await worker.intake.close_finished() == 1
    assert books.all_orders[ORDER].state is OrderState.CLOSED
    assert await worker.intake.close_finished() == 0


async def test_late_cancellation_brings_back_what_is_here_and_tells_people_of_what_is_gone(
    worker, inbox, books, message, way
):
    await released(books, worker, inbox, message)
    await books.record(*way(), *way(lpn="PL0000000024", sscc="095213210000000025", upto="ParcelPacked"))
    inbox.post(message(version=2, purchase="cancelled"))
    await worker.work()

    assert books.all_parcels["PL0000000024"].state is ParcelState.RETURNING
    assert books.all_parcels["PL0000000017"].state is ParcelState.SHIPPED
    assert [row.code for row in books.exceptions.values()] == [4302]
    assert all(unit.state is UnitState.BOXED for unit in books.all_units.values())


@pytest.mark.parametrize("writes", [0, 1, 2])
async def test_people_hear_of_a_cancellation_that_came_too_late_also_after_a_stop_in_the_middle(
    worker, inbox, books, message, way, dying, writes
):
    await released(books, worker, inbox, message)
    await books.record(*way())
    inbox.post(message(version=2, purchase="cancelled"))
    with dying(writes):
        await worker.work()
    await worker.work()

    assert [row.code for row in books.exceptions.values()] == [4302]
    assert books.all_orders[ORDER].content.version == 2
    assert books.kinds().count("OrderChanged") == 1


async def test_messages_that_have_to_wait_hold_up_none_behind_them(worker, inbox, books, message, way):
    """A courier that was ahead of the gate for more than one batch of parcels stopped the intake of orders."""
    await released(books, worker, inbox, message)
    await books.record(*way(upto="ParcelApproved"))
    early = [courier_says(inbox) for _ in range(2 * BATCH_ROWS + 1)]
    order = inbox.post(message(id="HM-7"))
    await worker.work()

    assert inbox.states[order][0] == "done"
    assert {inbox.states[number][0] for number in early} == {"pending"}


async def test_orders_of_two_feeds_that_come_to_one_number_are_not_taken_for_one_order(worker, inbox, books, message):
    inbox.post(message(), channel="marketplace")
    inbox.post(message(id="10023", version=2, paid=False), channel="marketplace-HM")
    await worker.work()

    assert books.all_orders[ORDER].content.external_id == "HM-10023" and books.all_orders[ORDER].content.paid
    assert inbox.states[2][0] == "quarantined" and "feed marketplace-HM" in inbox.states[2][1]


async def test_sweep_finds_what_is_here_behind_all_that_is_on_its_way(worker, inbox, books, message, way):
    await released(books, worker, inbox, message)
    await books.record(*way(), Event(kind="OrderShipped", subject=ORDER, order_id=ORDER))
    on_its_way, parcel = books.all_orders.pop(ORDER), books.all_parcels["PL0000000017"]
    for n in range(1001):
        name = f"marketplace-old-{n}"
        books.all_orders[name] = replace(on_its_way, order_id=name)
        books.all_parcels[name] = replace(parcel, lpn=name, order_id=name)
    books.all_orders[ORDER] = replace(on_its_way, state=OrderState.RELEASED)

    assert await worker.intake.close_finished() == 1
    assert books.all_orders[ORDER].state is OrderState.SHIPPED


async def test_an_end_that_was_lost_is_found_behind_a_thousand_that_are_on_their_way(
    worker, inbox, books, message, way
):
    await released(books, worker, inbox, message)
    await books.record(*way(), Event(kind="OrderShipped", subject=ORDER, order_id=ORDER))
    on_its_way, parcel = books.all_orders.pop(ORDER), books.all_parcels["PL0000000017"]
    for n in range(LOOKED_AT):
        name = f"marketplace-old-{n}"
        books.all_orders[name] = replace(on_its_way, order_id=name)
        books.all_parcels[name] = replace(parcel, lpn=name, order_id=name)
    books.all_orders[ORDER] = on_its_way
    books.all_parcels[parcel.lpn] = replace(parcel, state=ParcelState.DELIVERED)

    assert [await worker.intake.close_finished() for _ in range(3)] == [0, 1, 0]
    assert books.all_orders[ORDER].state is OrderState.CLOSED


async def test_worker_runs_until_it_is_stopped_and_wakes_when_called(worker, inbox, books, clock, message):
    job = asyncio.create_task(worker.run())
    await let_run()
    inbox.post(message())
    worker.wake()
    await until(lambda: inbox.states[1][0] == "done")
    job.cancel()

    assert ORDER in books.all_orders
