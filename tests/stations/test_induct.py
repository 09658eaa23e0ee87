"""The induct station: scanned, photographed from all sides, shown to its buyer, put into the right carton."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from packline.core.faults import Fault
from packline.core.identity import Lpn
from packline.orders.model import OrderState, ParcelState, Purchase, UnitState
from stations.live_stage import MOST_LIVE_WINDOWS
from stations.person import PersonDevice
from stations.screen import SEEN
from stations.turntable import Turntable
from tests.stations.line import Life, Rig
from tests.waiting import let_run, until

CUP, POT, LAMP = "4006381333931", "96385074", "LAMP-1"
ONE, TWO = Lpn.number(11).text, Lpn.number(12).text


async def states(life: Life, order_id: str) -> list[str]:
    """Give the states of an order's units in order."""
    return [u.state.value for u in await life.kit.books.units(order_id=order_id)]


async def shown(life: Life, barcode: str, sku: str) -> None:
    """Scan a piece, lay it on the table and have it photographed."""
    assert (await life.scan(life.table, barcode)).key == "place_on_table"
    life.floor.hall.item_on_table = sku
    await life.table.step()


async def boxed(life: Life, barcode: str, sku: str, lpn: str) -> Any:
    """Show a piece and put it into a carton; gives the answer to the plate."""
    await shown(life, barcode, sku)
    life.floor.hall.item_on_table = ""
    return await life.scan(life.table, lpn)


async def test_an_item_is_photographed_from_all_sides_and_boxed(life: Life) -> None:
    order_id = await life.order(1, {"CUP": 1})
    await life.table.step()
    assert life.table.screen.next.key == "pick" and life.table.screen.next.params["sku"] == "CUP"
    answer = await boxed(life, CUP, "CUP", ONE)
    assert (answer.key, answer.params["to"]) == ("send_on", "pack-1")
    assert life.floor.hall.turns == [0, 90, 180, 270] and life.floor.cam_table.shots == 4
    parcel = await life.parcel(ONE)
    assert parcel.state is ParcelState.COLLECTED and parcel.place == "to:pack-1"
    assert await states(life, order_id) == ["boxed"]


async def test_an_item_that_is_not_on_the_table_is_not_photographed(life: Life) -> None:
    await life.order(1, {"CUP": 1})
    await life.scan(life.table, CUP)
    await life.table.step()
    assert life.table.screen.next.key == "place_on_table" and life.floor.cam_table.shots == 0


async def test_an_item_that_is_taken_off_while_it_is_photographed_is_laid_down_and_photographed_anew(
    life: Life,
) -> None:
    order_id = await life.order(1, {"CUP": 1})
    await life.scan(life.table, CUP)
    life.floor.hall.item_on_table = "CUP"

    def takes_it_off(_: object) -> bytes:
        life.floor.hall.item_on_table = ""
        return b"[]"

    life.floor.cam_table.photograph = takes_it_off
    await life.table.step()
    assert await states(life, order_id) == ["inducted"]
    await life.table.step()
    assert life.table.screen.next.key == "place_on_table"


async def test_an_item_inducted_again_is_turned_again(life: Life) -> None:
    await life.order(1, {"CUP": 1})
    await shown(life, CUP, "CUP")
    await life.scan(life.table, "DO:NOTDONE")
    await shown(life, CUP, "CUP")
    assert life.floor.hall.turns == [0, 90, 180, 270] * 2


async def test_a_restart_in_mid_spin_takes_every_picture_at_its_angle(rig: Rig) -> None:
    life = rig.live()
    await life.order(1, {"CUP": 1})
    await life.scan(life.table, CUP)
    rig.floor.hall.item_on_table = "CUP"
    rig.floor.cam_table.fault = None
    step = asyncio.ensure_future(life.table.step())
    await until(lambda: rig.floor.cam_table.shots == 3)
    step.cancel()
    await asyncio.gather(step, return_exceptions=True)
    rig.floor.hall.turns.clear()
    await rig.live().table.step()
    assert rig.floor.hall.turns == [0, 90, 180, 270]


async def test_an_item_put_back_in_mid_spin_raises_no_alarm(life: Life) -> None:
    order_id = await life.order(1, {"CUP": 1})
    await life.scan(life.table, CUP)
    life.floor.hall.item_on_table = "CUP"
    step = asyncio.ensure_future(life.table.step())
    await until(lambda: life.floor.cam_table.shots == 2)
    await life.scan(life.table, "DO:NOTDONE")
    await step
    assert await states(life, order_id) == ["wanted"]


@pytest.mark.parametrize("barcode, code", [("nonsense", 4103), (POT, 4104), ("DO:OK", 4304), (TWO, 4106)], ids=str)
async def test_wrong_item_or_word_or_plate_is_refused_with_a_reason(life: Life, barcode: str, code: int) -> None:
    await life.order(1, {"CUP": 1})
    with pytest.raises(Fault) as found:
        await life.scan(life.table, barcode)
    assert found.value.code == code


async def test_one_item_at_a_time(life: Life) -> None:
    await life.order(1, {"CUP": 1, "POT": 1})
    await life.scan(life.table, CUP)
    assert (await life.scan(life.table, POT)).key == "finish_first"
    assert (await life.scan(life.table, CUP)).key == "place_on_table"
    assert (await life.scan(life.table, ONE)).key == "place_first"  # not photographed yet: not boxed


async def test_a_plate_that_is_scanned_too_early_is_answered_as_wrong_and_not_with_the_next_instruction(
    life: Life,
) -> None:
    await life.order(1, {"CUP": 1})
    await life.scan(life.table, CUP)
    assert (await life.scan(life.table, TWO)).key == "place_first"
    life.floor.hall.item_on_table = "CUP"
    assert (await life.scan(life.table, TWO)).key == "pictures_first"
    assert await life.kit.books.parcels() == []


async def test_the_most_urgent_order_gets_the_item(life: Life) -> None:
    from datetime import UTC, datetime

    late = await life.order(1, {"CUP": 1}, ship_by=datetime(2026, 1, 9, tzinfo=UTC))
    soon = await life.order(2, {"CUP": 1}, ship_by=datetime(2026, 1, 2, tzinfo=UTC))
    await life.scan(life.table, CUP)
    assert await states(life, soon) == ["inducted"] and await states(life, late) == ["wanted"]


async def test_an_item_far_down_the_pick_list_is_not_refused(life: Life) -> None:
    for number in range(13):
        await life.order(number, {"CUP": 1})
    await life.order(99, {"POT": 1})
    assert (await life.scan(life.table, POT)).key == "place_on_table"
    await life.table.step()
    assert len(life.table.screen.tasks) == 12


# -- consolidation -----------------------------------------------------------------------------------------------------


async def test_several_lines_and_quantities_are_collected_in_one_carton(life: Life) -> None:
    order_id = await life.order(1, {"CUP": 2, "POT": 1})
    for barcode, sku in ((CUP, "CUP"), (POT, "POT")):
        assert (await boxed(life, barcode, sku, ONE)).key == "carton_ok"
        assert (await life.parcel(ONE)).state is ParcelState.OPEN
    assert (await boxed(life, CUP, "CUP", ONE)).key == "send_on"
    assert await states(life, order_id) == ["boxed"] * 3
    assert {u.lpn for u in await life.kit.books.units(order_id=order_id)} == {ONE}


async def test_a_split_order_goes_in_two_cartons_that_are_complete_together(life: Life) -> None:
    await life.order(1, {"CUP": 2})
    assert (await boxed(life, CUP, "CUP", ONE)).key == "carton_ok"
    assert (await boxed(life, CUP, "CUP", TWO)).key == "send_on"
    assert (await life.parcel(ONE)).state is ParcelState.COLLECTED
    await life.table.step()
    assert [t.params["lpn"] for t in life.table.screen.tasks if t.key == "send_on"] == [ONE]
    assert (await life.scan(life.table, ONE)).params["to"] == "pack-1"


async def test_an_order_that_must_not_be_split_refuses_a_second_carton(life: Life) -> None:
    await life.order(1, {"CUP": 2}, split_allowed=False)
    await boxed(life, CUP, "CUP", ONE)
    await shown(life, CUP, "CUP")
    with pytest.raises(Fault, match="must not be split"):
        await life.scan(life.table, TWO)
    assert (await life.scan(life.table, ONE)).key == "send_on"


async def test_carton_of_another_order_is_refused(life: Life) -> None:
    await life.order(1, {"CUP": 2})
    await boxed(life, CUP, "CUP", ONE)
    await life.order(2, {"POT": 1})
    await shown(life, POT, "POT")
    with pytest.raises(Fault) as found:
        await life.scan(life.table, ONE)
    assert found.value.code == 4105
    assert await life.kit.books.units(lpn=ONE) == await life.kit.books.units(order_id="market-HM-1", lpn=ONE)


async def test_the_same_plate_scanned_twice_boxes_once(life: Life) -> None:
    await life.order(1, {"CUP": 2})
    await boxed(life, CUP, "CUP", ONE)
    assert (await life.scan(life.table, ONE)).key == "carton_ok"
    assert len(await life.kit.books.units(lpn=ONE)) == 1


async def looked_at(life: Life) -> None:
    """Show what is to be picked, and let somebody look at it."""
    await life.table.step()
    life.floor.clock.advance(SEEN.total_seconds())


async def test_a_short_that_was_said_of_the_piece_before_gives_up_no_other(life: Life) -> None:
    """A more urgent order comes in the moment in which the card is scanned; or the card is scanned twice."""
    usual = await life.order(1, {"CUP": 1})
    await looked_at(life)
    urgent = await life.order(2, {"POT": 1}, ship_by=datetime(2026, 1, 1, tzinfo=UTC))
    await life.table.step()
    with pytest.raises(Fault) as told:
        await life.scan(life.table, "DO:SHORT")
    assert told.value.code == 4304 and await states(life, usual) == await states(life, urgent) == ["wanted"]
    await looked_at(life)
    await life.scan(life.table, "DO:SHORT")
    with pytest.raises(Fault):
        await life.scan(life.table, "DO:SHORT")
    assert (await states(life, urgent), await states(life, usual)) == (["short"], ["wanted"])


async def test_short_completes_what_is_there(life: Life) -> None:
    order_id = await life.order(1, {"CUP": 1, "POT": 1})
    await boxed(life, CUP, "CUP", ONE)
    await looked_at(life)
    assert (await life.scan(life.table, "DO:SHORT")).key == "done"
    assert await states(life, order_id) == ["boxed", "short"]
    assert (await life.parcel(ONE)).state is ParcelState.COLLECTED


async def test_an_order_with_nothing_but_shorts_is_cancelled(life: Life) -> None:
    order_id = await life.order(1, {"CUP": 1})
    await looked_at(life)
    await life.scan(life.table, "DO:SHORT")
    assert (await life.the_order(order_id)).state is OrderState.CANCELLED


async def test_a_short_that_the_host_does_not_allow_is_asked_about(life: Life) -> None:
    order_id = await life.order(1, {"CUP": 1, "POT": 1}, short_allowed=False)
    await boxed(life, CUP, "CUP", ONE)
    await looked_at(life)
    with pytest.raises(Fault) as found:
        await life.scan(life.table, "DO:SHORT")
    assert found.value.code == 3013 and await states(life, order_id) == ["boxed", "wanted"]
    (row,) = await life.kit.books.open_exceptions("induct-1")
    assert row.actions == ("ship_short", "retry", "void")


async def test_a_piece_that_a_hand_scans_while_it_is_called_short_is_not_short(life: Life) -> None:
    order_id = await life.order(1, {"CUP": 1, "POT": 1})
    await looked_at(life)
    unit = next(u for u in await life.kit.books.units(order_id=order_id) if u.sku == "CUP")
    await life.scan(life.table, CUP)
    with pytest.raises(Fault, match="5101"):
        await life.table.short(unit, await life.the_order(order_id), "lin")
    assert await states(life, order_id) == ["inducted", "wanted"]


async def test_nobody_is_asked_any_more_about_a_piece_that_was_found(life: Life) -> None:
    await life.order(1, {"CUP": 1, "POT": 1}, short_allowed=False)
    await looked_at(life)
    with pytest.raises(Fault):
        await life.scan(life.table, "DO:SHORT")
    (row,) = await life.kit.books.open_exceptions("induct-1")
    unit = next(u for u in await life.kit.books.units() if u.unit_id == row.subject)
    await life.scan(life.table, {"CUP": CUP, "POT": POT}[unit.sku])
    assert await life.kit.books.open_exceptions("induct-1") == []


async def test_two_decisions_at_once_about_the_last_two_pieces_leave_no_carton_open(rig: Rig) -> None:
    life = rig.live(slow=True, stills=1)
    for head_start in range(0, 20, 2):
        order_id = await life.order(head_start, {"CUP": 1, "POT": 1, "LAMP": 1})
        carton = Lpn.number(100 + head_start).text
        await boxed(life, CUP, "CUP", carton)
        await shown(life, POT, "POT")
        lamp = (await life.kit.books.units(order_id=order_id))[2]
        order = await life.the_order(order_id)
        scan = asyncio.ensure_future(life.scan(life.table, carton))
        await let_run(head_start)
        await asyncio.gather(scan, life.table.short(lamp, order, "desk"))
        assert (await life.parcel(carton)).state is ParcelState.COLLECTED


async def test_a_carton_that_strayed_before_its_last_piece_is_asked_for_when_it_is_complete(life: Life) -> None:
    await life.order(1, {"CUP": 3})
    await boxed(life, CUP, "CUP", ONE)
    await boxed(life, CUP, "CUP", ONE)
    await shown(life, CUP, "CUP")
    life.floor.hall.item_on_table = ""
    assert (await life.scan(life.clarify, ONE)).params["to"] == "induct-1"  # found there, and on its way back
    assert (await life.scan(life.table, TWO)).key == "send_on"  # the last piece is in another carton by then
    await life.table.step()
    assert life.table.screen.next.key == "send_on"
    assert life.table.screen.next.params["lpn"] == ONE
    assert (await life.scan(life.table, ONE)).params["to"] == "pack-1"
    assert (await life.parcel(ONE)).place == "to:pack-1"
    await life.table.step()
    assert life.table.screen.next.key == "idle"


async def test_a_carton_on_its_way_back_is_asked_for_after_what_can_be_picked(life: Life) -> None:
    await life.order(1, {"CUP": 1})
    await boxed(life, CUP, "CUP", ONE)
    await life.scan(life.clarify, ONE)
    await life.kit.moved(await life.parcel(ONE), "to:induct-1", "clarify-1")
    await life.order(2, {"CUP": 1})
    await life.table.step()
    assert [task.key for task in life.table.screen.tasks] == ["pick", "send_on"]


async def test_an_open_carton_that_was_brought_back_stands_here_again(life: Life) -> None:
    await life.order(1, {"CUP": 2})
    await boxed(life, CUP, "CUP", ONE)
    await life.scan(life.clarify, ONE)
    assert (await life.parcel(ONE)).place == "to:induct-1"
    assert (await life.scan(life.table, ONE)).key == "carton_ok"
    assert (await life.parcel(ONE)).place == "induct-1"


async def test_a_carton_left_open_by_an_older_stop_is_completed(life: Life) -> None:
    order_id = await life.order(1, {"CUP": 1, "POT": 1})
    await boxed(life, CUP, "CUP", ONE)
    pot = (await life.kit.books.units(order_id=order_id))[1]
    await life.record_unit("UnitShort", pot.unit_id, order_id)
    await life.table.step()
    assert (await life.parcel(ONE)).state is ParcelState.COLLECTED


async def test_a_bulky_piece_sends_its_whole_carton_to_the_bench(life: Life) -> None:
    await life.order(1, {"LAMP": 1})
    answer = await boxed(life, LAMP, "LAMP", ONE)
    assert answer.params["to"] == "bench-1" and (await life.parcel(ONE)).bench


async def test_an_unbought_carton_waits_in_the_rack(life: Life) -> None:
    await life.order(1, {"CUP": 1}, purchase=Purchase.RESERVED)
    await shown(life, CUP, "CUP")
    life.floor.hall.item_on_table = ""
    assert (await life.scan(life.table, ONE)).params["to"] == "hold-1"


# -- cancelled in mid-work ---------------------------------------------------------------------------------------------


async def test_an_item_whose_order_was_cancelled_on_the_table_goes_back_to_its_shelf(life: Life) -> None:
    order_id = await life.order(1, {"CUP": 1})
    await shown(life, CUP, "CUP")
    await life.change(lines={"CUP": 1}, purchase=Purchase.CANCELLED)
    await life.table.step()
    assert life.table.screen.next.key == "put_back"
    with pytest.raises(Fault) as found:
        await life.scan(life.table, ONE)
    assert found.value.code == 4302 and await life.kit.books.parcel(ONE) is None
    with pytest.raises(Fault):
        await life.scan(life.table, "DO:NOTDONE")
    await life.scan(life.table, "DO:DONE")
    assert await states(life, order_id) == ["returned"]
    assert (await life.the_order(order_id)).state is OrderState.RETURNED


async def test_a_cancelled_order_takes_its_open_carton_along(life: Life) -> None:
    await life.order(1, {"CUP": 2})
    await boxed(life, CUP, "CUP", ONE)
    await life.change(lines={"CUP": 2}, purchase=Purchase.CANCELLED)
    await life.table.step()
    assert life.table.screen.next.key == "send_on" and life.table.screen.next.params["to"] == "clarify-1"


# -- the buyer's turn --------------------------------------------------------------------------------------------------


async def test_live_window_is_bounded_and_a_sleeping_buyer_never_blocks_the_table(rig: Rig) -> None:
    life = rig.live(inspect_live_s=5)
    await life.order(1, {"CUP": 1}, purchase=Purchase.RESERVED)
    await shown(life, CUP, "CUP")
    await life.table.step()
    assert life.table.screen.next.key == "buyer_inspects"
    rig.floor.clock.advance(5)
    await life.table.step()
    assert life.table.screen.next.key == "box"


async def test_a_busy_buyer_gets_a_bounded_number_of_windows(rig: Rig) -> None:
    life = rig.live(inspect_live_s=5)
    order_id = await life.order(1, {"CUP": 1}, purchase=Purchase.RESERVED)
    await shown(life, CUP, "CUP")
    unit = (await life.kit.books.units(order_id=order_id))[0].unit_id
    began, spins = rig.floor.clock.monotonic(), 0
    while life.table.is_on_stage(unit):
        await life.table.turn(unit, 45)
        await life.table.step()
        rig.floor.clock.advance(1)
        spins += 1
        assert spins < 100
    assert rig.floor.clock.monotonic() - began <= MOST_LIVE_WINDOWS * 5 + 1
    assert rig.floor.hall.turns[4:6] == [315.0, 0.0]


async def test_buyers_turn_only_while_their_item_is_on_stage(rig: Rig) -> None:
    life = rig.live(inspect_live_s=5)
    order_id = await life.order(1, {"CUP": 1}, purchase=Purchase.RESERVED)
    unit = (await life.kit.books.units(order_id=order_id))[0].unit_id
    for not_yet in (unit, ""):
        with pytest.raises(Fault):
            await life.table.turn(not_yet, 45)
    await shown(life, CUP, "CUP")
    await life.table.turn(unit, 45)
    rig.floor.hall.item_on_table = ""
    await life.scan(life.table, ONE)
    with pytest.raises(Fault):
        await life.table.turn(unit, 45)


async def test_a_bought_item_has_no_live_window(life: Life) -> None:
    await life.order(1, {"CUP": 1})
    await shown(life, CUP, "CUP")
    await life.table.step()
    assert life.table.screen.next.key == "box"


async def test_an_item_bought_on_stage_leaves_it(rig: Rig) -> None:
    life = rig.live(inspect_live_s=50)
    await life.order(1, {"CUP": 1}, purchase=Purchase.RESERVED)
    await shown(life, CUP, "CUP")
    await life.change(lines={"CUP": 1})
    await life.table.step()
    assert life.table.screen.next.key == "box"


async def test_a_restart_on_stage_goes_on_with_the_carton(rig: Rig) -> None:
    life = rig.live(inspect_live_s=50)
    await life.order(1, {"CUP": 1}, purchase=Purchase.RESERVED)
    await shown(life, CUP, "CUP")
    again = rig.live(inspect_live_s=50)
    await again.table.step()
    assert again.table.screen.next.key == "box"


# -- turned by a person ------------------------------------------------------------------------------------------------


async def test_the_table_can_be_turned_by_a_person(life: Life) -> None:
    table: Turntable = life.hand_table
    hands = table._hands
    assert isinstance(hands, PersonDevice)
    order_id = await life.order(1, {"CUP": 1})
    assert (await life.scan(table, CUP)).key == "place_on_table"
    step = asyncio.ensure_future(table.step())
    angles = []
    for word in ("DO:OK", "DO:DONE", "DO:OK", "DO:OK"):
        await until(lambda: hands.job is not None)
        angles.append(table.screen.next.params["angle"])
        await life.scan(table, word)
        await until(lambda: hands.job is None)
    await step
    assert angles == [0, 90, 180, 270]
    assert [u.state for u in await life.kit.books.units(order_id=order_id)] == [UnitState.INSPECTED]


async def test_a_person_at_the_table_may_put_the_item_back_instead(life: Life) -> None:
    table = life.hand_table
    hands = table._hands
    assert isinstance(hands, PersonDevice)
    order_id = await life.order(1, {"CUP": 1})
    await life.scan(table, CUP)
    step = asyncio.ensure_future(table.step())
    await until(lambda: hands.job is not None)
    await life.scan(table, "DO:NOTDONE")
    await step
    assert await states(life, order_id) == ["wanted"]
