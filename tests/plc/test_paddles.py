"""Presses of bidding paddles: each is told once, whatever happens between two reads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from packline.core.faults import Fault
from plc.machine_file import shipped_machine
from plc.paddles import PaddleHub, Press
from tests.plc.tables import Tables, TableStand
from tests.waiting import serving

FILE = shipped_machine("paddle_hub")
PADDLES = range(1, 9)


class Hub(TableStand):
    """A hub whose registers the test sets, and what was told of it."""

    def __init__(self) -> None:
        super().__init__(FILE, Tables())
        self.show(model_no=8, starts=1, clock_ms=1000)
        self.hub = PaddleHub(**self.given())
        self.told: list[Press] = []

    async def listen(self) -> None:
        async for press in self.hub.presses():
            self.told.append(press)

    def press(self, paddle: int, *, count: int, at_ms: int, clock_ms: int, force_n: float = 4.0) -> None:
        self.show(**{f"time_{paddle}": at_ms, f"force_{paddle}": force_n, f"duration_{paddle}": 120})
        self.show(**{f"presses_{paddle}": count, "clock_ms": clock_ms})

    def numbers(self) -> list[tuple[int, int]]:
        return [(press.paddle, press.number) for press in self.told]


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    stand = Hub()
    stand.press(1, count=5, at_ms=900, clock_ms=1000)
    async with serving(stand.hub.run()), serving(stand.listen()):
        await stand.do(stand.hub.make_ready())
        await stand.rest(0.1)
        yield stand


async def test_presses_before_the_first_look_are_not_told(hub):
    assert hub.numbers() == []


async def test_a_press_is_told_once_with_force_length_and_its_moment(hub):
    hub.press(3, count=1, at_ms=1150, clock_ms=1200, force_n=7.5)
    await hub.rest(0.5)
    (press,) = hub.told
    assert (press.paddle, press.number, press.force_n, press.duration_ms, press.ended_ms) == (3, 1, 7.5, 120, 1150)
    assert hub.clock.now() - press.at >= timedelta(milliseconds=50)


async def test_presses_of_one_read_are_told_in_the_order_of_the_hubs_clock(hub):
    for paddle, at_ms in ((2, 1190), (7, 1110), (5, 1150)):
        hub.press(paddle, count=1, at_ms=at_ms, clock_ms=1200)
    await hub.rest(0.5)
    assert hub.numbers() == [(7, 1), (5, 1), (2, 1)]


async def test_order_holds_while_the_hubs_clock_rolls_over(hub):
    hub.press(2, count=1, at_ms=20, clock_ms=60)
    hub.press(7, count=1, at_ms=2**32 - 30, clock_ms=60)
    await hub.rest(0.5)
    assert hub.numbers() == [(7, 1), (2, 1)]


async def test_no_press_between_two_reads_is_lost_and_details_belong_to_the_last_one_only(hub):
    hub.press(1, count=8, at_ms=1180, clock_ms=1200)
    await hub.rest(0.5)
    assert hub.numbers() == [(1, 6), (1, 7), (1, 8)]
    assert [press.force_n for press in hub.told] == [None, None, 4.0]


async def test_counter_that_rolls_over_loses_no_press():
    stand = Hub()
    stand.press(4, count=65535, at_ms=900, clock_ms=1000)
    async with serving(stand.hub.run()), serving(stand.listen()):
        await stand.do(stand.hub.make_ready())
        await stand.rest(0.1)
        stand.press(4, count=1, at_ms=1100, clock_ms=1200)
        await stand.rest(0.5)
    assert stand.numbers() == [(4, 0), (4, 1)]


async def test_presses_while_the_hub_is_not_reached_are_told_when_it_is_there_again(hub):
    hub.link.faults.is_cut = True
    await hub.until(lambda: not hub.hub.view().is_good)
    hub.press(1, count=7, at_ms=1500, clock_ms=9000)
    hub.link.faults.is_cut = False
    await hub.do(hub.hub.make_ready())
    await hub.rest(0.5)
    assert hub.numbers() == [(1, 6), (1, 7)]
    assert hub.clock.now() - hub.told[-1].at > timedelta(seconds=7)  # an old press is seen to be old


async def test_hub_that_was_switched_on_again_counts_from_nothing(hub):
    hub.show(starts=2)
    hub.press(1, count=2, at_ms=50, clock_ms=80)
    hub.press(6, count=1, at_ms=40, clock_ms=80)
    await hub.rest(0.5)
    assert hub.numbers() == [(6, 1), (1, 1), (1, 2)]


def test_hub_whose_starts_nobody_counts_is_refused():
    stand = TableStand(FILE.model_copy(update={"capability": {}}), Tables())
    with pytest.raises(Fault) as fault:
        PaddleHub(**stand.given())
    assert (fault.value.code, fault.value.seen) == (4201, "no boot")


async def test_force_out_of_range_is_not_told_but_the_press_is(hub):
    hub.press(3, count=1, at_ms=1150, clock_ms=1200, force_n=900.0)
    await hub.rest(0.5)
    assert hub.numbers() == [(3, 1)]
    assert (hub.told[0].force_n, hub.told[0].duration_ms) == (None, 120)


def test_all_paddles_come_in_one_request_with_the_clock():
    from plc.lint import plans_of
    from plc.tags.model import Poll

    requests = [request for request in plans_of(FILE)[Poll.FAST].requests if request.area == "input"]
    assert len(requests) == 1
    assert {tag.name for tag in requests[0].tags} >= {"clock_ms", *(f"presses_{paddle}" for paddle in PADDLES)}
