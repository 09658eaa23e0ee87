"""A read is of what is there now, once: of nothing that stood there before, and of no second piece."""

from __future__ import annotations

from packline.orders.model import ParcelState, UnitState
from tests.stations.fakes import Carton
from tests.stations.line import Life, trouble


async def test_a_carton_without_readable_plate_is_not_taken_for_the_one_sealed_before_it(life: Life) -> None:
    hall = life.floor.hall
    before = await life.carton(1, 1, state="collected", place="to:pack-1")
    hall.infeed = Carton(lpn=before)
    await life.pack.step()

    now = await life.carton(2, 2, state="collected", place="to:pack-1")
    hall.infeed = Carton(lpn=now)
    life.floor.scan_pack.is_blind = True

    assert (await trouble(life.pack.step())).fault.code == 3001
    assert hall.seals == {before: 1}


async def test_a_parcel_without_readable_label_is_not_taken_for_the_one_that_left_before_it(life: Life) -> None:
    hall = life.floor.hall
    before, now = await life.approved(1, 1), await life.approved(2, 2)
    hall.at_gate = before
    await life.gate.step()
    assert hall.gone == [before]

    hall.at_gate = now
    life.floor.scan_gate.is_blind = True

    assert (await trouble(life.gate.step())).fault.code == 3001
    assert hall.gone == [before]
    assert (await life.parcel(now.lpn)).state is ParcelState.APPROVED


async def test_an_item_scanned_twice_is_one_piece_even_where_two_are_wanted(life: Life) -> None:
    order_id = await life.order(1, {"CUP": 2})
    cup = "4006381333931"
    await life.scan(life.table, cup)

    assert (await life.scan(life.table, cup)).key == "place_on_table"
    states = sorted(unit.state for unit in await life.kit.books.units(order_id=order_id))
    assert states == [UnitState.INDUCTED, UnitState.WANTED]
