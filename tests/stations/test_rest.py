"""A station that rests: what it says it waits for is all that it waits for, and a wake-up that got lost is no end."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import pytest

from packline.core.clock import ManualClock
from packline.core.faults import Fault
from packline.core.identity import Lpn
from packline.core.scans import Scan
from packline.orders.lifecycle import TARGET
from packline.orders.model import Event, Purchase
from stations.post import LOOK_AGAIN_S, REST_S, Post
from stations.rest import Rest
from stations.screen import Instruction, Screen, say
from tests.stations.line import PLACES, Life, Rig, content
from tests.waiting import let_run, until

EVENTS, ORDERS = 80, 5
MOVES = ("ParcelMoved", "ParcelArrived")
SPOTS = (*PLACES.values(), *(f"to:{name}" for name in PLACES.values()), *("H01", "H02", "H03") * 5, "")


def anything(rng: random.Random, seen: dict[str, list[str]]) -> Event:
    """Draw an event about one of the things that there are; most are refused by the books."""
    kind = rng.choice([*MOVES, *sorted(TARGET)])
    order = rng.choice(seen["orders"])
    subject = {"order": order, "unit": rng.choice(seen["units"]), "parcel": rng.choice(seen["parcels"])}[TARGET[kind]]
    order = order if TARGET[kind] == "order" else next(o for o in seen["orders"] if subject in seen[o])
    data: dict[str, Any] = {"place": rng.choice(SPOTS)} if kind in MOVES else {}
    if kind == "OrderChanged":
        number = seen["orders"].index(order) + 1
        changes = {"purchase": rng.choice([Purchase.BOUGHT, Purchase.CANCELLED]), "paid": rng.random() < 0.8}
        data["content"] = content(number, {"CUP": 2}, version=2, **changes)
    if kind == "UnitBoxed":
        data["lpn"] = next(s for s in seen[order] if s in seen["parcels"])
    if kind == "ParcelResumed":
        data["to"] = "packed"
    if kind == "LabelAssigned":
        data |= {"sscc": f"{rng.randrange(10**18):018d}", "print_number": rng.randrange(10**9)}
    return Event(kind=kind, subject=subject, order_id=order, station="induct-1", data=data)


async def some_orders(life: Life) -> dict[str, list[str]]:
    """Make orders of two pieces and one carton each, at work or waiting; gives ids by sort, and what belongs to each order."""
    seen: dict[str, list[str]] = {"orders": [], "units": [], "parcels": []}
    for number in range(1, ORDERS + 1):
        state = ("wanted", "open", "collected", "packed", "packed")[number - 1]
        if state == "wanted":
            order, lpn = await life.order(number, lines={"CUP": 2}), Lpn.number(99).text
        else:
            lpn = await life.carton(number, number, state, "H01", lines={"CUP": 2})
            order = (await life.parcel(lpn)).order_id
        units = [unit.unit_id for unit in await life.kit.books.units(order_id=order)]
        seen["orders"].append(order)
        seen["units"] += units
        seen["parcels"].append(lpn)
        seen[order] = [*units, lpn]
    return seen


@pytest.mark.parametrize("seed", range(2))
async def test_an_event_that_a_resting_station_does_not_heed_changes_nothing_for_it(rig: Rig, seed: int) -> None:
    life, rng = rig.live(), random.Random(seed)
    works: tuple[Any, ...] = (
        life.label,
        life.pack,
        life.gate,
        life.table,
        life.bench,
        life.hold,
        life.clarify,
        life.door,
    )
    seen, ignored = await some_orders(life), 0
    for _ in range(EVENTS):
        event = anything(rng, seen)
        for work in works:
            work.rest = None
            await work.step()
        shown = [work.screen.as_dict() for work in works]
        try:
            await life.kit.books.record(event)
        except Fault:
            continue
        for work, before in zip(works, shown, strict=True):
            if work.rest is not None and not work.rest.is_ended_by(event):
                ignored += 1
                await work.step()
                assert work.screen.as_dict() == before, (work.name, event)
    assert ignored > EVENTS // 2


class Resting:
    """A station's work that never has anything to do, and waits for what is said about one order."""

    name, kind = "hold-1", "hold"

    def __init__(self) -> None:
        self.screen = Screen()
        self.machines: Sequence[Any] = ()
        self.rest: Rest | None = None
        self.steps = 0
        self.meanwhile = asyncio.Event()
        self.meanwhile.set()

    async def step(self) -> None:
        self.steps += 1
        self.rest = Rest(orders={"market-1"})  # a step may say so before its last question is answered
        await self.meanwhile.wait()

    async def scanned(self, scan: Scan) -> Instruction:
        return say("carton_ok", lpn=scan.text)


def about(order: str) -> Event:
    return Event(kind="OrderChanged", subject=order, order_id=order)


@pytest.fixture
async def resting(life: Life) -> Any:
    """Give a post that has made its first step, its work, and a clock that only the test moves."""

    async def ready() -> None:
        """Nothing to reconcile."""

    work, life.kit.clock = Resting(), ManualClock()
    post = Post(work, life.kit, ready=ready)
    task = asyncio.ensure_future(post.run())
    await until(lambda: work.rest)
    await let_run(8)
    yield post, work, life.kit.clock
    task.cancel()
    await asyncio.wait({task})


async def test_a_resting_station_steps_for_what_it_heeds_and_for_nothing_else(resting: Any) -> None:
    post, work, clock = resting
    post.changed(about("market-2"))
    clock.advance(LOOK_AGAIN_S * 2)
    await let_run(20)
    assert work.steps == 1
    post.changed(about("market-2"), about("market-1"))
    await until(lambda: work.steps == 2)
    await let_run(8)
    post.changed()  # something else changed: nobody knows what
    await until(lambda: work.steps == 3)
    await let_run(8)
    post.scan(Scan(text="X", device="hand", at=clock.now()))
    await until(lambda: work.steps == 4)


async def test_a_wake_up_that_got_lost_costs_a_resting_station_two_seconds_and_no_more(resting: Any) -> None:
    _, work, clock = resting
    clock.advance(REST_S + 0.01)
    await until(lambda: work.steps == 2)


async def test_what_is_recorded_during_a_step_is_looked_at_after_it(resting: Any) -> None:
    post, work, _ = resting
    work.meanwhile.clear()
    post.wake()
    await until(lambda: work.steps == 2)
    post.changed(about("market-2"))  # the step may have read before this
    work.meanwhile.set()
    await until(lambda: work.steps == 3)
