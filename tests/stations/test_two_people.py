"""Two people at one place: a word or a slot means the carton in one's own hand, and in doubt nothing is booked."""

from __future__ import annotations

import asyncio

import pytest

from packline.core.faults import Fault
from packline.core.scans import Scan
from packline.orders.model import ParcelState
from stations.screen import SEEN, Instruction
from tests.stations.fakes import Carton
from tests.stations.line import Life
from tests.waiting import until

HAND, SCREEN = "scan-clarify", "dashboard"


async def said(life: Life, work: object, text: str, actor: str = "", device: str = SCREEN) -> Instruction:
    """Scan or say something at a place of people."""
    scan = Scan(text=text, device=device, at=life.floor.clock.now(), actor=actor)
    answer: Instruction = await work.scanned(scan)  # type: ignore[attr-defined]  # one of the rig's works
    return answer


async def refused(life: Life, work: object, text: str, actor: str = "", device: str = SCREEN) -> int:
    """Scan or say something that is refused; gives the fault code."""
    with pytest.raises(Fault) as told:
        await said(life, work, text, actor, device)
    return told.value.code


async def returning(life: Life, *serials: int) -> list[str]:
    """Give parcels that are to be unpacked."""
    lpns = [await life.carton(n, n) for n in serials]
    for lpn in lpns:
        await life.record("ParcelReturning", lpn)
    return lpns


async def test_a_word_about_ones_own_carton_does_not_unpack_that_of_a_colleague(life: Life) -> None:
    mine, yours = await returning(life, 1, 2)
    await said(life, life.clarify, mine, "lin")
    await said(life, life.clarify, yours, "mei")
    life.floor.clock.advance(60)
    assert await refused(life, life.clarify, "DO:DONE", "lin") == 4304
    assert {(await life.parcel(lpn)).state for lpn in (mine, yours)} == {ParcelState.RETURNING}
    assert (await said(life, life.clarify, "DO:DONE", "mei")).params == {"lpn": yours}
    assert await refused(life, life.clarify, "DO:DONE", "lin") == 4304
    await said(life, life.clarify, mine, "lin")
    assert (await said(life, life.clarify, "DO:DONE", "lin")).params == {"lpn": mine}


async def test_a_second_click_on_done_does_not_unpack_what_a_colleague_scans_in_that_moment(life: Life) -> None:
    mine, yours = await returning(life, 1, 2)
    await said(life, life.clarify, mine, "lin")
    await said(life, life.clarify, "DO:DONE", "lin")
    await said(life, life.clarify, yours, device=HAND)
    assert await refused(life, life.clarify, "DO:DONE", "lin") == 4304
    assert (await life.parcel(yours)).state is ParcelState.RETURNING


async def test_a_plate_of_the_hand_scanner_may_be_answered_on_the_dashboard(life: Life) -> None:
    (lpn,) = await returning(life, 1)
    await said(life, life.clarify, lpn, device=HAND)
    life.floor.clock.advance(SEEN.total_seconds())
    assert (await said(life, life.clarify, "DO:DONE", "lin")).params == {"lpn": lpn}


async def test_a_slot_is_that_of_the_carton_in_ones_own_hand(life: Life) -> None:
    mine, yours = (await life.approved(1, 1)).lpn, (await life.approved(2, 2)).lpn
    for lpn in (mine, yours):
        await life.record("ParcelHeld", lpn)
    assert (await said(life, life.hold, mine, "lin")).params["slot"] == "H01"
    assert (await said(life, life.hold, yours, "mei")).params["slot"] == "H02"
    assert await refused(life, life.hold, "SLOT:H03", "lin") == 4304
    assert [(await life.parcel(lpn)).place for lpn in (mine, yours)] == ["H01", "H02"]
    assert (await said(life, life.hold, "SLOT:H03", "mei")).key == "stored"
    assert (await life.parcel(yours)).place == "H03"


async def test_a_word_that_is_late_by_one_parcel_does_not_book_the_next_one_as_gone(life: Life) -> None:
    """The courier's second scan ended the first parcel; the operator's click about it came when the second was scanned."""
    one, two = await life.approved(1, 1), await life.approved(2, 2)

    async def handed_over(box: Carton) -> asyncio.Future[None]:
        await said(life, life.door, f"00{box.labels[0].sscc}", device="scan-courier")
        asked = asyncio.ensure_future(life.door.step())
        await until(lambda: life.door._hands.job is not None)
        return asked

    step = await handed_over(one)
    await said(life, life.door, "DO:DONE", device="scan-courier")
    await step
    step = await handed_over(two)
    assert await refused(life, life.door, "DO:DONE", "lin") == 4304
    assert (await life.parcel(two.lpn)).state is ParcelState.APPROVED
    life.floor.clock.advance(SEEN.total_seconds())
    await said(life, life.door, "DO:DONE", "lin")
    await step
    assert [(await life.parcel(box.lpn)).state for box in (one, two)] == [ParcelState.SHIPPED] * 2
