"""What falls due by itself: release by work in progress, silent buyers, unpaid orders, what a cancellation just missed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from apscheduler.triggers.interval import IntervalTrigger

from controller.duties import Calendar, Duties, Terms
from packline.core.clock import ManualClock
from packline.core.faults import Fault
from packline.core.identity import Lpn
from packline.orders.model import Event, OrderState, ParcelState, Purchase
from tests.stations.line import Life, Rig, content
from tests.waiting import let_run, until


def duties(life: Life, wip_limit: int = 12, no_answer: str = "ask") -> Duties:
    """Make duties with terms."""
    return Duties(life.kit, Terms(wip_limit=wip_limit, no_answer=no_answer))


async def receive(life: Life, number: object, **changes: Any) -> str:
    """Receive an order without releasing it."""
    new = content(number, **changes)
    await life.kit.record(Event(kind="OrderReceived", subject=new.order_id, data={"content": new}))
    return new.order_id


async def released(life: Life) -> set[str]:
    """Give the external ids of released orders."""
    return {o.content.external_id for o in await life.kit.released()}


async def test_orders_are_released_up_to_the_limit_most_urgent_first(life: Life) -> None:
    await receive(life, 1)
    await receive(life, 2, ship_by=datetime(2026, 1, 5, tzinfo=UTC))
    await receive(life, 3, ship_by=datetime(2026, 1, 3, tzinfo=UTC))
    await duties(life, wip_limit=2).once()
    assert await released(life) == {"HM-2", "HM-3"}
    await duties(life, wip_limit=2).once()
    assert await released(life) == {"HM-2", "HM-3"}


async def test_the_most_urgent_of_a_queue_goes_first_however_long_the_queue_is(life: Life) -> None:
    early = [content(f"W{number}") for number in range(1200)]
    events = [Event(kind="OrderReceived", subject=new.order_id, data={"content": new}) for new in early]
    await life.kit.record(*events)
    await receive(life, "late", ship_by=datetime(2026, 1, 3, tzinfo=UTC))
    await duties(life, wip_limit=1).once()
    assert await released(life) == {"HM-late"}


async def test_an_order_that_gets_another_date_takes_another_place_in_the_queue(life: Life) -> None:
    for number, day in enumerate((4, 5), start=1):
        await receive(life, number, ship_by=datetime(2026, 1, day, tzinfo=UTC))
    sooner = content(2, ship_by=datetime(2026, 1, 3, tzinfo=UTC))
    change = {"content": sooner}
    await life.kit.record(Event(kind="OrderChanged", subject=sooner.order_id, order_id=sooner.order_id, data=change))
    await duties(life, wip_limit=1).once()
    assert await released(life) == {"HM-2"}


async def test_an_order_that_is_set_aside_while_others_are_released_stays_aside(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a person lets it to the floor; its host had it as shipped."""
    names = [await receive(life, number) for number in (1, 2)]
    meanwhile(
        life, monkeypatch, lambda: life.kit.books.record(event("OrderClarify", names[1], reason="host_has_shipped"))
    )
    with pytest.raises(Fault, match="5101"):
        await duties(life).once()
    assert await released(life) == {"HM-1"}
    await duties(life).once()
    assert await released(life) == {"HM-1"} and (await life.the_order(names[1])).state is OrderState.CLARIFY


async def test_books_that_are_found_to_be_old_in_the_middle_of_a_release_release_no_more(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        await receive(life, number)
    young = [True]

    async def found() -> None:
        young.clear()

    meanwhile(life, monkeypatch, found)
    await Duties(life.kit, Terms(wip_limit=5, no_answer="ask"), may_release=lambda: bool(young)).once()
    assert await released(life) == {"HM-1"}


async def test_an_order_that_is_paid_for_while_others_are_taken_back_is_not_taken_back(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    plates = [await life.carton(n, n, state="collected", place=f"H0{n}", paid=False) for n in (1, 2)]
    orders = [(await life.parcel(lpn)).order_id for lpn in plates]
    for order_id in orders:
        await expire(life, order_id)
    paid = content(2, version=2, digest="1" * 64, paid=True)
    meanwhile(life, monkeypatch, lambda: life.kit.books.record(event("OrderChanged", orders[1], content=paid)))
    with pytest.raises(Fault, match="5101"):
        await duties(life).once()
    await duties(life).once()
    assert [(await life.parcel(lpn)).state for lpn in plates] == [ParcelState.RETURNING, ParcelState.COLLECTED]
    assert [row.subject for row in await life.kit.books.open_exceptions()] == orders[:1]


async def test_a_buyer_who_answers_while_other_silent_ones_are_dealt_with_has_answered(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    plates = []
    for n in (1, 2):
        plates.append(await life.carton(n, n))
        await life.label_all(plates[-1])
    life.floor.clock.advance(life.kit.rules.approve_s + 1)
    second = await life.parcel(plates[1])
    answer = Event(kind="ParcelApproved", subject=second.lpn, order_id=second.order_id, actor="buyer")
    meanwhile(life, monkeypatch, lambda: life.kit.books.record(answer))
    with pytest.raises(Fault, match="5101"):
        await duties(life, no_answer="return").once()
    await duties(life, no_answer="return").once()
    assert [(await life.parcel(lpn)).state for lpn in plates] == [ParcelState.RETURNING, ParcelState.APPROVED]


def event(kind: str, order_id: str, **data: Any) -> Event:
    """Make an event of an order."""
    return Event(kind=kind, subject=order_id, order_id=order_id, data=data)


def meanwhile(life: Life, monkeypatch: pytest.MonkeyPatch, other: Callable[[], Awaitable[object]]) -> None:
    """Let somebody else do something just after the first thing that is recorded."""
    record, others = life.kit.books.record, [other]

    async def overtaken(*events: Event) -> None:
        await record(*events)
        if others:
            await others.pop()()

    monkeypatch.setattr(life.kit.books, "record", overtaken)


async def test_an_order_that_may_not_go_keeps_no_other_from_the_floor(life: Life) -> None:
    await receive(life, 1, purchase=Purchase.CANCELLED, ship_by=datetime(2026, 1, 3, tzinfo=UTC))
    await receive(life, 2)
    await duties(life, wip_limit=1).once()
    assert await released(life) == {"HM-2"}


async def test_the_queue_is_not_read_while_the_floor_is_full(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    orders = life.kit.books.orders

    async def counted(states: Any, limit: int = 1000, skip: int = 0) -> Any:
        found = await orders(states, limit, skip)
        if OrderState.RECEIVED in states:
            asked.append(len(found))
        return found

    for number in range(1, 6):
        await receive(life, number)
    await duties(life, wip_limit=2).once()
    monkeypatch.setattr(life.kit.books, "orders", counted)
    await duties(life, wip_limit=2).once()
    assert asked == [1]
    await duties(life, wip_limit=3).once()
    assert asked == [1, 1, 3]
    assert len(await released(life)) == 3


async def test_an_order_whose_cartons_all_wait_in_the_rack_takes_no_place(life: Life) -> None:
    await life.approved(1, 1, place="H01")
    await receive(life, 2)
    await duties(life, wip_limit=1).once()
    assert "HM-2" in await released(life)


async def test_the_screen_counts_orders_in_work_as_their_limit_does(life: Life) -> None:
    await life.approved(1, 1, place="H01")
    await life.carton(2, 2)
    figures = await life.store.figures.count(life.floor.clock.now())
    assert (figures["orders"]["released"], figures["wip"]) == (2, 1)
    await receive(life, 3)
    await duties(life, wip_limit=figures["wip"]).once()
    assert "HM-3" not in await released(life)


async def test_an_order_with_a_carton_on_the_floor_takes_a_place(life: Life) -> None:
    await life.carton(1, 1)
    await receive(life, 2)
    await duties(life, wip_limit=1).once()
    assert "HM-2" not in await released(life)


async def test_a_cancelled_order_is_not_released(life: Life) -> None:
    await receive(life, 1, purchase=Purchase.CANCELLED)
    await duties(life).once()
    assert await released(life) == set()


async def test_an_order_behind_a_thousand_that_wait_for_their_buyers_is_picked_fetched_and_counted(life: Life) -> None:
    """Those have nothing on the floor, so that the limit lets others in; and of all together only a thousand were read."""
    waiting: list[Event] = []
    for new in (content(f"W{number}") for number in range(1000)):
        waiting += [
            Event(kind="OrderReceived", subject=new.order_id, data={"content": new}),
            Event(kind="OrderReleased", subject=new.order_id, order_id=new.order_id),
            Event(kind="UnitShort", subject=f"{new.order_id}.1.1", order_id=new.order_id),
        ]
    await life.kit.record(*waiting)
    order_id, box = await life.order("last"), await life.approved(1, 1, place="H01")
    await life.hold.step()
    assert [task.params["lpn"] for task in life.hold.screen.tasks] == [box.lpn]
    await life.table.step()
    assert [task.params["order"] for task in life.table.screen.tasks] == [order_id]
    await receive(life, "next")
    await duties(life, wip_limit=1).once()
    assert "HM-next" not in await released(life)


async def test_an_error_of_the_program_in_one_duty_stops_neither_the_others_nor_the_line(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One order that no rule foresaw ended every run of the controller, until the supervisor gave it up."""
    life = rig.live()
    lpn, duty = await asked(life), duties(life, no_answer="ship")
    broken = [True]
    orders = life.kit.books.orders

    async def unforeseen(states: Any, limit: int = 1000, skip: int = 0) -> Any:
        if OrderState.RECEIVED in states and broken:
            raise RuntimeError("what?")
        return await orders(states, limit, skip)

    monkeypatch.setattr(life.kit.books, "orders", unforeseen)
    running = asyncio.ensure_future(duty.run())
    await until(lambda: _is_approved(life, lpn), turns=2000)
    alarms = await life.store.desk.standing_alarms()
    assert [(row["code"], row["source"]) for row in alarms] == [(5001, "duty release")] and not running.done()
    broken.clear()
    await until(lambda: _is_quiet(life), turns=2000)
    running.cancel()


async def _is_approved(life: Life, lpn: str) -> bool:
    return (await life.parcel(lpn)).state is ParcelState.APPROVED


async def _is_quiet(life: Life) -> bool:
    return await life.store.desk.standing_alarms() == []


# -- silent buyers -----------------------------------------------------------------------------------------------------


async def asked(life: Life) -> str:
    """Label a parcel whose buyer is asked, and let the time run out."""
    lpn = await life.carton()
    await life.label_all(lpn)
    life.floor.clock.advance(life.kit.rules.approve_s + 1)
    return lpn


@pytest.mark.parametrize(
    "policy, state, approval",
    [
        ("ship", ParcelState.APPROVED, "expired"),
        ("return", ParcelState.RETURNING, "asked"),
        ("ask", ParcelState.VERIFIED, "asked"),
    ],
)
async def test_the_site_says_what_follows_a_buyers_silence(
    life: Life, policy: str, state: ParcelState, approval: str
) -> None:
    lpn = await asked(life)
    for _ in range(3):
        await duties(life, no_answer=policy).once()
    parcel = await life.parcel(lpn)
    assert (parcel.state, parcel.approval) == (state, approval)
    rows = await life.kit.books.open_exceptions()
    assert [(r.code, r.subject) for r in rows] == ([(3011, lpn)] if policy == "ask" else [])


@pytest.mark.parametrize("answer", ["ParcelApproved", "ParcelRejected", "ApprovalAsked", "ParcelReturning"])
@pytest.mark.parametrize("is_same_run", [True, False], ids=["same run", "next run"])
async def test_a_question_about_a_buyer_who_answered_after_all_is_taken_back(
    life: Life, answer: str, is_same_run: bool
) -> None:
    """It could be answered in no way any more but by holding the parcel or sending it back."""
    lpn, first = await asked(life), duties(life)
    await first.once()
    until = (life.floor.clock.now() + timedelta(hours=1)).isoformat()
    await life.record(answer, lpn, **({"until": until} if answer == "ApprovalAsked" else {}))
    await (first if is_same_run else duties(life)).once()
    assert await life.kit.books.open_exceptions() == []


async def test_a_question_about_a_parcel_that_is_held_meanwhile_stays_until_it_is_answered(life: Life) -> None:
    lpn, duty = await asked(life), duties(life)
    await duty.once()
    await life.record("ParcelHeld", lpn)
    await duty.once()
    assert [row.subject for row in await life.kit.books.open_exceptions()] == [lpn]


async def test_a_buyer_who_still_has_time_is_waited_for(life: Life) -> None:
    lpn = await life.carton()
    await life.label_all(lpn)
    await duties(life, no_answer="ship").once()
    assert (await life.parcel(lpn)).state is ParcelState.VERIFIED


async def test_a_held_parcel_does_not_ship_by_silence(life: Life) -> None:
    lpn = await asked(life)
    await life.record("ParcelHeld", lpn)
    await duties(life, no_answer="ship").once()
    assert (await life.parcel(lpn)).state is ParcelState.VERIFIED


async def test_a_parcel_held_instead_of_an_answer_is_asked_about_again_when_the_hold_ends(life: Life) -> None:
    lpn = await asked(life)
    await duties(life).once()
    (row,) = await life.kit.books.open_exceptions()
    await life.resolver.resolve(row.exception_id, "hold", actor="lin", role="operator")
    await duties(life).once()
    assert (await life.parcel(lpn)).held and await life.kit.books.open_exceptions() == []
    await life.resolver.parcel(lpn, "release", actor="lin", role="operator")
    await duties(life).once()
    assert [(r.code, r.subject) for r in await life.kit.books.open_exceptions()] == [(3011, lpn)]


# -- money and cancellations -------------------------------------------------------------------------------------------


async def expire(life: Life, order_id: str) -> None:
    """Let the payment time of an order run out."""
    until_ = (life.floor.clock.now() + timedelta(seconds=10)).isoformat()
    order = await life.the_order(order_id)
    await life.kit.record(
        Event(
            kind="OrderChanged",
            subject=order_id,
            order_id=order_id,
            data={"content": order.content, "pay_until": until_},
        )
    )
    life.floor.clock.advance(11)


async def test_an_order_that_is_not_paid_in_time_goes_back_to_the_shelf(life: Life) -> None:
    lpn = await life.carton(paid=False)
    order_id = (await life.parcel(lpn)).order_id
    await expire(life, order_id)
    for _ in range(3):
        await duties(life).once()
    assert (await life.parcel(lpn)).state is ParcelState.RETURNING
    rows = await life.kit.books.open_exceptions()
    assert [(r.code, r.subject) for r in rows] == [(3012, order_id)]


async def test_an_unpaid_order_that_nobody_touched_is_over_at_once(life: Life) -> None:
    order_id = await life.order(1, paid=False)
    await expire(life, order_id)
    await duties(life).once()
    assert (await life.the_order(order_id)).state is OrderState.RETURNED


async def test_a_paid_order_does_not_expire(life: Life) -> None:
    lpn = await life.carton()
    await expire(life, (await life.parcel(lpn)).order_id)
    await duties(life).once()
    assert (await life.parcel(lpn)).state is ParcelState.PACKED


async def test_what_was_begun_while_the_cancellation_came_in_goes_back_too(life: Life) -> None:
    order_id = await life.order(1)
    order = await life.the_order(order_id)
    cancelled = content(1, version=2, purchase=Purchase.CANCELLED)
    lpn = Lpn.number(3).text
    await life.kit.record(
        Event(kind="OrderChanged", subject=order_id, order_id=order_id, data={"content": cancelled}),
        Event(kind="ParcelOpened", subject=lpn, order_id=order_id, data={"place": "induct-1"}),
    )
    await duties(life).once()
    assert (await life.parcel(lpn)).state is ParcelState.RETURNING and order.content.version == 1


async def test_a_refused_duty_is_tried_again_and_ends_nothing(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    orders = life.kit.books.orders

    async def away(states: Any, limit: int = 1000) -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise Fault(5002, where="database")
        return await orders(states, limit)

    monkeypatch.setattr(life.kit.books, "orders", away)
    running = asyncio.ensure_future(duties(life).run())
    await until(lambda: len(calls) >= 3, turns=2000)
    assert not running.done()
    running.cancel()


# -- the calendar ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [OSError("disk"), RuntimeError("what?")], ids=repr)
async def test_the_calendar_runs_its_jobs_by_our_clock_and_a_failing_job_stays_in_it(error: Exception) -> None:
    clock = ManualClock()
    ran: list[datetime] = []

    async def work() -> None:
        ran.append(clock.now())
        raise error

    trigger = IntervalTrigger(minutes=60, timezone=UTC, start_date=clock.now())
    running = asyncio.ensure_future(Calendar(clock, {"job": (trigger, work)}).run())
    for _ in range(200):
        await let_run()
        clock.advance(60)
    running.cancel()
    assert len(ran) in (3, 4) and {at.minute for at in ran} <= {0, 1}
