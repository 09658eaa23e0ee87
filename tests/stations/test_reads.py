"""A read is of what is there now, once: of nothing that stood there before, and of no second piece."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from packline.core.scans import Scan
from packline.orders.model import ParcelState, UnitState
from stations.courier_gate import CourierGate
from stations.pack import Pack
from stations.post import Post
from tests.stations.fakes import Carton
from tests.stations.line import Life, trouble
from tests.waiting import until


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


@pytest.mark.parametrize("where", ["pack", "gate"])
async def test_a_read_of_what_stood_there_before_that_comes_late_is_no_answer(life: Life, where: str) -> None:
    """It waited behind another scan while the books were slow, and meanwhile the parcels were changed."""
    hall, clock = life.floor.hall, life.floor.clock
    if where == "pack":
        before, now = [await life.carton(n, n, state="collected", place="to:pack-1") for n in (1, 2)]
        hall.infeed, reader = Carton(lpn=now), life.floor.scan_pack
        late = Scan(text=before, device=reader.name, at=clock.now())
    else:
        gone, hall.at_gate = await life.approved(1, 1), await life.approved(2, 2)
        reader = life.floor.scan_gate
        late = Scan(text=f"00{gone.labels[0].sscc}", device=reader.name, at=clock.now())
    work: Pack | CourierGate = life.pack if where == "pack" else life.gate
    clock.advance(2.0)
    reader.is_blind = True
    asking = asyncio.ensure_future(trouble(work.step()))
    await until(lambda: work._reader.is_asked)
    await work.scanned(late)
    assert (await asking).fault.code == 3001
    assert not hall.seals and hall.gone == []


async def test_a_scan_is_as_old_as_its_coming_whatever_the_readers_own_clock_says(life: Life) -> None:
    async def ready() -> None:
        """Nothing to reconcile."""

    clock = life.floor.clock
    post = Post(life.gate, life.kit, ready=ready)
    post.scan(Scan(text="PL0000000017", device="scan-gate", at=clock.now() - timedelta(days=1)))
    came = clock.now()
    clock.advance(60)
    assert post._scans.get_nowait().at == came
