"""A parcel that nobody sees again is asked for, once, and only where nothing else explains it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from controller.missing import Missing
from stations.post import Post
from stations.screen import Screen
from tests.stations.line import PLACES, Life

MISSING_S = 900.0


class Watch:
    """The duty with a station whose state a test sets."""

    def __init__(self, life: Life) -> None:
        self.life, self.is_waiting, self.empty = life, True, set[str]()
        self._duty = Missing(
            life.kit,
            MISSING_S,
            waits=lambda station: self.is_waiting and station in PLACES.values(),
            sees_nothing=lambda place: place in self.empty,
            is_place={*PLACES.values(), "H01", "H02"}.__contains__,
        )

    async def after(self, seconds: float) -> list[tuple[int, str]]:
        """Look now and after `seconds`; gives what is asked then."""
        await self._duty.once()
        self.life.floor.clock.advance(seconds)
        await self._duty.once()
        return [(row.code, row.subject) for row in await self.life.kit.books.open_exceptions()]


async def sent(life: Life) -> str:
    """Give a parcel that is on its way to the gate."""
    return (await life.approved(1, 1)).lpn


async def test_a_parcel_that_does_not_come_to_a_place_that_waits_is_asked_for_once(life: Life) -> None:
    lpn, watch = await sent(life), Watch(life)
    assert await watch.after(MISSING_S - 1) == []
    assert await watch.after(2) == [(3007, lpn)]
    assert await watch.after(MISSING_S) == [(3007, lpn)]


async def test_a_parcel_in_the_rack_is_asked_for_once_its_plate_was_typed_in_there(life: Life) -> None:
    """So says the remedy of 3015 for a parcel that left the house without a scan."""
    lpn, watch = (await life.approved(1, 1, place="H01")).lpn, Watch(life)
    assert await watch.after(2 * MISSING_S) == []
    await life.scan(life.hold, lpn)
    assert await watch.after(MISSING_S + 1) == [(3007, lpn)]
    (row,) = await life.kit.books.open_exceptions()
    assert "shipped" in row.actions


async def test_before_a_place_in_trouble_or_at_work_is_a_queue_and_nothing_is_missing(life: Life) -> None:
    await sent(life)
    watch = Watch(life)
    watch.is_waiting = False
    assert await watch.after(10 * MISSING_S) == []


async def test_before_a_place_with_another_parcel_nothing_is_missing(life: Life) -> None:
    await sent(life)
    await life.approved(2, 2, place="gate-1")
    assert await Watch(life).after(10 * MISSING_S) == []


async def test_a_parcel_that_turned_up_is_not_asked_for_any_more(life: Life) -> None:
    lpn, watch = await sent(life), Watch(life)
    assert await watch.after(MISSING_S) == [(3007, lpn)]
    await life.record("ParcelArrived", lpn, place="gate-1")
    assert await watch.after(1) == []


async def test_a_parcel_that_a_person_searches_gets_the_whole_time_again(life: Life) -> None:
    lpn, watch = await sent(life), Watch(life)
    assert await watch.after(MISSING_S) == [(3007, lpn)]
    row = (await life.kit.books.open_exceptions())[0]
    await life.kit.books.close_exception(row.exception_id, action="retry", actor="lin")
    assert await watch.after(MISSING_S - 1) == []
    assert await watch.after(1) == [(3007, lpn)]


@pytest.mark.parametrize("lane, place", [("lane-hold", "hold-1"), ("lane-clarify", "clarify-1")])
async def test_a_parcel_that_nobody_brings_from_a_lane_to_its_place_is_asked_for(
    life: Life, lane: str, place: str
) -> None:
    """Put into the rack without a scan it was in no list: its buyer approved, and nobody was ever told to fetch it."""
    lpn, watch = (await life.approved(1, 1, place=f"to:{lane}")).lpn, Watch(life)
    assert await watch.after(MISSING_S - 1) == []
    assert await watch.after(1) == [(3007, lpn)]
    (row,) = await life.kit.books.open_exceptions()
    assert row.fault["expected"] == f"at {place}"
    await life.scan(life.hold, lpn)
    assert await watch.after(1) == []


@pytest.mark.parametrize("place", ["", "label-9", "H99", "to:label-9"])
async def test_a_parcel_taken_off_by_hand_or_known_at_a_place_that_is_none_any_more_is_asked_for(
    life: Life, place: str
) -> None:
    lpn, watch = (await life.approved(1, 1, place=place)).lpn, Watch(life)
    watch.is_waiting = False
    assert await watch.after(MISSING_S - 1) == []
    assert await watch.after(1) == [(3007, lpn)]
    (row,) = await life.kit.books.open_exceptions()
    assert row.fault["expected"] == "a scan of its plate"
    await life.record("ParcelMoved", lpn, place="H01")
    assert await watch.after(1) == []


async def test_a_rack_from_which_there_is_always_something_to_fetch_still_misses_what_does_not_come(life: Life) -> None:
    async def ready() -> None:
        """Nothing to reconcile."""

    rack = Post(life.hold, life.kit, ready=ready)
    await life.approved(1, 1, place="H01")
    await life.hold.step()
    assert rack.screen.state == "working" and rack.waits
    await rack.hold("lin")
    assert not rack.waits


async def test_a_parcel_that_waits_in_the_rack_is_not_missing(life: Life) -> None:
    await life.approved(1, 1, place="H01")
    assert await Watch(life).after(10 * MISSING_S) == []


async def test_a_parcel_that_was_scanned_and_sent_elsewhere_is_not_asked_for_any_more(life: Life) -> None:
    lpn, watch = await sent(life), Watch(life)
    assert await watch.after(MISSING_S) == [(3007, lpn)]
    await life.record("ParcelMoved", lpn, place="to:hold-1")
    assert await watch.after(1) == []


async def test_a_question_of_an_earlier_run_is_taken_back_when_its_parcel_was_seen_meanwhile(life: Life) -> None:
    lpn = await sent(life)
    assert await Watch(life).after(MISSING_S) == [(3007, lpn)]
    await life.record("ParcelArrived", lpn, place="gate-1")
    assert await Watch(life).after(1) == []


async def test_a_parcel_that_its_place_sees_no_more_is_asked_for_until_it_stands_there_again(life: Life) -> None:
    lpn, watch = (await life.approved(1, 1, place="gate-1")).lpn, Watch(life)
    assert await watch.after(MISSING_S) == []
    watch.empty = {"gate-1"}
    assert await watch.after(MISSING_S - 1) == []
    assert await watch.after(1) == [(3007, lpn)]
    watch.empty = set()
    assert await watch.after(1) == []


async def test_one_that_its_place_sees_no_more_holds_up_no_question_after_those_on_their_way_there(life: Life) -> None:
    gone, coming = [(await life.approved(n, n, place=place)).lpn for n, place in ((1, "gate-1"), (2, "to:gate-1"))]
    watch = Watch(life)
    watch.empty = {"gate-1"}
    assert sorted(await watch.after(MISSING_S)) == [(3007, gone), (3007, coming)]


@pytest.mark.parametrize("state, machines, is_seen", [("idle", 1, True), ("working", 1, False), ("idle", 0, False)])
async def test_only_a_station_with_a_sensor_that_has_nothing_to_do_sees_that_nothing_is_there(
    life: Life, state: str, machines: int, is_seen: bool
) -> None:
    async def ready() -> None:
        """Nothing to reconcile."""

    work: Any = SimpleNamespace(
        name="gate-1", kind="courier_gate", machines=[object()] * machines, screen=Screen(), rest=None
    )
    work.screen.state = state
    assert Post(work, life.kit, ready=ready).sees_nothing is is_seen
