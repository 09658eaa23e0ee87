"""A machine that is away in the middle of a step: shown at once, rung once, taken back when it is there again."""

from __future__ import annotations

import asyncio

import pytest

from packline.core.faults import Fault
from stations.away import Away
from stations.bells import OF_PRINTERS, OF_STEPS, Bells
from stations.screen import Screen, say
from tests.stations.line import Life


@pytest.fixture
def screen() -> Screen:
    return Screen(state="working", next=say("labelling", lpn="PL0000000018", step="apply"))


@pytest.fixture
def bells(life: Life) -> Bells:
    return Bells("label-1", life.kit.books, life.kit.changed)


@pytest.fixture
def away(life: Life, screen: Screen, bells: Bells) -> Away:
    return Away((life.floor.machines["arm"],), screen, bells, life.kit.clock)


async def alarms(life: Life) -> list[int]:
    return [int(row["code"]) for row in await life.store.desk.standing_alarms()]


async def test_a_machine_that_is_away_is_shown_at_once_and_rung_when_it_lasts(
    life: Life, away: Away, screen: Screen
) -> None:
    life.floor.machines["arm"].now.quality = "stale"
    await away.look()
    assert screen.state == "offline" and screen.fault is not None and screen.fault.code == 1002
    assert away.is_away and await alarms(life) == []
    life.floor.clock.advance(3)
    await away.look()
    await away.look()
    assert await alarms(life) == [1002]


async def test_when_it_is_back_the_screen_goes_on_where_it_was(life: Life, away: Away, screen: Screen) -> None:
    life.floor.machines["arm"].now.quality = "absent"
    await away.look()
    life.floor.clock.advance(3)
    await away.look()
    life.floor.machines["arm"].now.quality = "good"
    await away.look()
    assert (screen.state, screen.next.key, screen.fault) == ("working", "labelling", None)
    assert not away.is_away and await alarms(life) == []


async def test_one_trouble_rings_once_whatever_its_cause_looks_like_later(
    life: Life, away: Away, screen: Screen
) -> None:
    arm = life.floor.machines["arm"].now
    arm.quality, arm.faults = "stale", (1002,)
    await away.look()
    life.floor.clock.advance(1.5)
    arm.faults = (1001,)
    await away.look()
    assert screen.fault is not None and screen.fault.code == 1001
    life.floor.clock.advance(1)
    await away.look()
    assert await alarms(life) == []
    life.floor.clock.advance(1)
    await away.look()
    arm.faults = (1003,)
    for _ in range(9):
        life.floor.clock.advance(1)
        await away.look()
    assert await alarms(life) == [1001]
    arm.quality = "good"
    await away.look()
    assert (screen.state, screen.next.key) == ("working", "labelling")


async def test_a_cause_that_keeps_changing_is_rung_in_the_end(life: Life, away: Away) -> None:
    arm = life.floor.machines["arm"].now
    arm.quality = "stale"
    for n in range(6):
        arm.faults = (1002 + n % 2,)
        await away.look()
        life.floor.clock.advance(1)
    assert len(await alarms(life)) == 1


async def test_it_is_not_back_before_it_is_ours_again(life: Life, away: Away, screen: Screen) -> None:
    arm = life.floor.machines["arm"].now
    arm.quality = "absent"
    await away.look()
    life.floor.clock.advance(3)
    await away.look()
    arm.quality, arm.owned = "good", False
    await away.look()
    assert await alarms(life) == [1001]
    arm.faults = (1101,)
    await away.look()
    assert await alarms(life) == []


async def test_what_the_step_said_meanwhile_stays_on_the_screen(life: Life, away: Away, screen: Screen) -> None:
    life.floor.machines["arm"].now.quality = "stale"
    await away.look()
    screen.state, screen.next = "asking", say("ask_person", exception="E1")
    life.floor.machines["arm"].now.quality = "good"
    await away.look()
    assert (screen.state, screen.next.key) == ("asking", "ask_person")


async def test_a_station_that_a_person_holds_keeps_saying_so(life: Life, away: Away, screen: Screen) -> None:
    screen.hold_by = "lin"
    life.floor.machines["arm"].now.quality = "stale"
    await away.look()
    assert screen.state == "working" and screen.fault is None


async def test_one_alarm_for_one_cause_stands_until_nobody_rings_it(life: Life, bells: Bells) -> None:
    paper = Fault(2101, where="printer-1")
    await asyncio.gather(bells.ring(paper, "printer-1"), bells.ring(paper, "step"))
    (row,) = await life.store.desk.standing_alarms()
    assert row["count"] == 1
    await bells.hush("step")
    assert await alarms(life) == [2101]
    await bells.hush("printer-1", but=2101)
    assert await alarms(life) == [2101]
    await bells.hush("printer-1")
    assert await alarms(life) == []


async def test_what_an_earlier_run_left_is_forgotten_once_unless_it_rings_again(life: Life, bells: Bells) -> None:
    for code in (2101, 2103):
        await life.store.desk.raise_alarm(Fault(code, where="printer-1"), source="label-1")
    await bells.ring(Fault(2101, where="printer-1"), "printer-1")
    await bells.forget_old_ones(OF_STEPS)
    assert await alarms(life) == [2101, 2103]
    await bells.forget_old_ones(OF_PRINTERS)
    assert await alarms(life) == [2101]
    await life.store.desk.raise_alarm(Fault(2102, where="printer-1"), source="label-1")
    await bells.forget_old_ones(OF_PRINTERS)
    assert await alarms(life) == [2101, 2102]
