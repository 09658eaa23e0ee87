"""Sealing, the rack, and the clarification table."""

from __future__ import annotations

import asyncio

import pytest

from packline.core.effects import EJECT, SEAL, Effect, EffectState
from packline.core.faults import Fault
from packline.core.scans import Scan
from packline.orders.model import OrderState, ParcelState, Purchase
from stations.pack import LEAST_MM, MOST_MM, carton_size
from tests.stations.fakes import Carton
from tests.stations.line import ELSEWHERE, ITEMS, Life, Rig, trouble
from tests.waiting import until


async def test_the_carton_that_its_own_plate_names_is_sealed_once(life: Life) -> None:
    lpn = await life.carton(state="collected", place="to:pack-1")
    life.floor.hall.infeed = Carton(lpn=lpn)
    for _ in range(4):
        await life.pack.step()
    assert life.floor.hall.seals == {lpn: 1}
    parcel = await life.parcel(lpn)
    assert parcel.state is ParcelState.PACKED and parcel.place == "to:label-1"
    assert life.pack.screen.next.key == "sealing"  # the belt takes it on: nobody is told to carry it


async def test_a_carton_that_lost_books_had_sealed_is_not_sealed_again(life: Life) -> None:
    """An older backup knows of no seal; the flap sensor does."""
    lpn = await life.carton(state="collected", place="to:pack-1")
    life.floor.hall.infeed = Carton(lpn=lpn, sealed=True)
    await life.pack.step()
    assert not life.floor.hall.seals
    assert (await life.parcel(lpn)).state is ParcelState.PACKED


async def test_a_no_read_at_the_infeed_seals_nothing(life: Life) -> None:
    lpn = await life.carton(state="collected", place="to:pack-1")
    life.floor.hall.infeed = Carton(lpn=lpn)
    life.floor.scan_pack.is_blind = True
    assert (await trouble(life.pack.step())).fault.code == 3001
    assert not life.floor.hall.seals


async def test_a_read_of_the_carton_before_is_not_taken_for_this_one(life: Life) -> None:
    before = await life.carton(1, 1, state="collected", place="to:pack-1")
    now = await life.carton(2, 2, state="collected", place="to:pack-1")
    late = Scan(text=before, device="scan-pack", at=life.floor.clock.now())  # nobody asked
    await life.pack.scanned(late)
    life.floor.hall.infeed = Carton(lpn=now)
    await life.pack.step()
    assert life.floor.hall.seals == {now: 1}
    assert (await life.parcel(before)).state is ParcelState.COLLECTED


async def test_a_plate_scanned_elsewhere_is_answered_and_never_taken_for_the_carton_at_the_infeed(life: Life) -> None:
    here = await life.carton(1, 1, state="collected", place="to:pack-1")
    elsewhere = await life.carton(2, 2, state="collected", place="to:pack-1")
    life.floor.hall.infeed = Carton(lpn=here)
    life.floor.scan_pack.is_blind = True
    step = asyncio.ensure_future(life.pack.step())
    await until(lambda: life.pack._reader.is_asked)
    scan = Scan(text=elsewhere, device="dashboard", at=life.floor.clock.now(), actor="mei")
    answer = await life.pack.scanned(scan)
    assert (answer.key, answer.params["to"]) == ("take_to", "pack-1")
    assert (await trouble(step)).fault.code == 3001
    assert not life.floor.hall.seals and (await life.parcel(elsewhere)).state is ParcelState.COLLECTED


@pytest.mark.parametrize("comes", ["nothing", "open", "closed"])
async def test_nothing_is_meant_for_a_carton_that_its_belt_took_off_after_its_plate_was_read(
    life: Life, comes: str
) -> None:
    """It was sealed in a time that the books have lost; the outfeed takes a closed carton within milliseconds."""
    lpn = await life.carton(1, 1, state="collected", place="to:pack-1")
    other = await life.carton(2, 2, state="collected", place="to:pack-1")
    hall = life.floor.hall
    hall.infeed = Carton(lpn=lpn, sealed=comes != "closed")

    def reads_and_is_gone() -> str:
        hall.infeed = None if comes == "nothing" else Carton(lpn=other, sealed=comes == "closed")
        return lpn

    life.floor.scan_pack._read = reads_and_is_gone
    await life.pack.step()
    assert await life.effect(SEAL, lpn, 1) is None and not hall.seals
    assert (await life.parcel(lpn)).state is ParcelState.COLLECTED


async def test_a_closed_carton_whose_seal_was_meant_is_asked_after_and_never_sealed_again(life: Life) -> None:
    lpn = await life.carton(state="collected", place="to:pack-1")
    life.floor.hall.infeed = Carton(lpn=lpn)
    life.floor.packer.misbehave["seal"] = "mute"
    assert (await trouble(life.pack.step())).fault.code == 2005
    assert life.floor.hall.infeed.sealed
    life.floor.packer.memory.clear()  # the books were restored, or the machine was: it knows of no such job
    found = await trouble(life.pack.step())
    assert await life.effect(SEAL, lpn, 1) is EffectState.NOT_EXECUTED
    assert (found.fault.code, found.subject) == (3017, lpn) and found.effect_id
    assert (await trouble(life.pack.step())).fault.code == 3017
    assert life.floor.hall.seals == {lpn: 1}
    row = await life.kit.books.open_exception(
        found.fault, station="pack-1", subject=lpn, actions=["done", "not_done"], effect_id=found.effect_id
    )
    await life.resolver.resolve(row, "done", actor="lin", role="operator")
    assert (await life.parcel(lpn)).state is ParcelState.PACKED
    await life.pack.step()
    assert life.floor.hall.seals == {lpn: 1} and life.pack.screen.next.key == "sealing"  # the belt takes it on


async def test_a_closed_carton_that_a_person_calls_unsealed_is_sealed_once_its_flaps_are_open(life: Life) -> None:
    lpn = await life.carton(state="collected", place="to:pack-1")
    life.floor.hall.infeed = Carton(lpn=lpn)
    life.floor.packer.misbehave["seal"] = "refuse"
    await trouble(life.pack.step())
    life.floor.hall.infeed.sealed = True  # folded shut by hand
    found = await trouble(life.pack.step())
    row = await life.kit.books.open_exception(
        found.fault, station="pack-1", subject=lpn, actions=["not_done"], effect_id=found.effect_id
    )
    await life.resolver.resolve(row, "not_done", actor="lin", role="operator")
    assert (await trouble(life.pack.step())).fault.code == 3017 and not life.floor.hall.seals
    life.floor.hall.infeed.sealed = False
    await life.pack.step()
    assert life.floor.hall.seals == {lpn: 1} and (await life.parcel(lpn)).state is ParcelState.PACKED


async def test_a_full_outfeed_is_waited_for(life: Life) -> None:
    life.floor.hall.infeed = Carton(lpn=await life.carton(state="collected", place="to:pack-1"))
    life.floor.outfeed_full = True
    await life.pack.step()
    assert life.pack.screen.next.key == "lane_full" and not life.floor.hall.seals


@pytest.mark.parametrize("which", ["unknown", "unbought", "packed"])
async def test_a_carton_that_is_not_to_be_packed_is_sent_on_by_the_screen(life: Life, which: str) -> None:
    lpn, to = "PL0000000994", "clarify-1"
    if which == "unbought":
        lpn = await life.carton(state="collected", place="to:pack-1", purchase=Purchase.RESERVED)
        to = "hold-1"
    elif which == "packed":
        lpn, to = await life.carton(), "label-1"
    life.floor.hall.infeed = Carton(lpn=lpn)
    if which == "unknown":
        found = await trouble(life.pack.step())
        assert (found.fault.code, found.subject) == (4106, lpn)
    else:
        await life.pack.step()
    assert life.pack.screen.next.key == "take_to"
    assert (life.pack.screen.next.params["lpn"], life.pack.screen.next.params["to"]) == (lpn, to)
    assert not life.floor.hall.seals


async def test_a_seal_in_doubt_is_asked_about_while_the_carton_is_there(life: Life) -> None:
    lpn = await life.carton(state="collected", place="to:pack-1")
    life.floor.hall.infeed = Carton(lpn=lpn)
    life.floor.packer.misbehave["seal"] = "mute"
    for _ in range(3):
        found = await trouble(life.pack.step())
    assert found.fault.code == 2005 and found.effect_id
    assert life.floor.hall.seals == {lpn: 1}
    row = await life.kit.books.open_exception(
        found.fault, station="pack-1", subject=lpn, actions=["done"], effect_id=found.effect_id
    )
    await life.resolver.resolve(row, "done", actor="lin", role="operator")
    await life.pack.step()
    assert (await life.parcel(lpn)).state is ParcelState.PACKED and life.floor.hall.seals == {lpn: 1}


async def test_a_seal_in_doubt_is_not_tried_again_when_its_carton_is_brought_back(life: Life) -> None:
    """The packer stopped in the middle, and does not know how far it was; the carton took a walk with its flaps open."""
    lpn = await life.carton(state="collected", place="to:pack-1")
    box = life.floor.hall.infeed = Carton(lpn=lpn)
    life.floor.packer.misbehave["seal"] = "half"
    await trouble(life.pack.step())
    life.floor.hall.infeed = None
    await life.record("ParcelMoved", lpn, place="to:pack-1")
    life.floor.hall.infeed = box
    found = await trouble(life.pack.step())
    assert found.fault.code == 2005 and found.effect_id and life.floor.hall.seals == {}


async def test_an_order_cancelled_while_its_carton_is_sealed_goes_back_without_a_software_fault(life: Life) -> None:
    lpn = await life.carton(state="collected", place="to:pack-1")
    life.floor.hall.infeed = Carton(lpn=lpn)

    async def cancel(_: Effect) -> None:
        await life.change(purchase=Purchase.CANCELLED)

    life.floor.packer.before_send = cancel
    await life.pack.step()
    assert await life.effect(SEAL, lpn, 1) is EffectState.CONFIRMED
    assert (await life.parcel(lpn)).state is ParcelState.RETURNING
    assert await life.kit.books.open_exceptions() == []


def test_a_carton_is_as_large_as_its_items_with_padding_within_the_machines_limits() -> None:
    assert carton_size(ITEMS[:2]) == {"length_mm": 230, "width_mm": 180, "height_mm": 230}
    assert tuple(carton_size([]).values()) == tuple(max(least, 30) for least in LEAST_MM)
    assert carton_size(ITEMS * 20)["height_mm"] == MOST_MM[2]


# -- the rack ----------------------------------------------------------------------------------------------------------


async def verified(life: Life, serial: int = 1, number: object = 1) -> str:
    """Make a verified parcel that waits for its buyer."""
    lpn = await life.carton(serial, number)
    await life.label_all(lpn)
    return lpn


async def test_hold_slots_are_given_one_each_and_kept(life: Life) -> None:
    plates = [await verified(life, n, n) for n in (1, 2, 3)]
    slots = [(await life.scan(life.hold, lpn)).params["slot"] for lpn in plates]
    assert slots == ["H01", "H02", "H03"]
    assert (await life.scan(life.hold, plates[1])).params["slot"] == "H02"
    full = await verified(life, 4, 4)
    with pytest.raises(Fault, match="no free slot"):
        await life.scan(life.hold, full)


async def test_a_parcel_that_is_in_the_rack_before_its_eject_is_told_stays_there_in_the_books(life: Life) -> None:
    """Hands are quick: the plate is scanned at the rack while the arm's word is still on its way."""
    lpn = await life.carton()
    stored = []

    async def store(effect: Effect) -> None:
        if effect.kind is EJECT:
            stored.append((await life.scan(life.hold, lpn)).params["slot"])

    life.floor.arm.after_send = store
    await life.label_all(lpn)
    assert stored == ["H01"]
    assert (await life.parcel(lpn)).place == "H01"


async def test_a_parcel_is_recalled_when_its_buyer_has_answered_and_its_slot_is_free_again(life: Life) -> None:
    lpn = await verified(life)
    await life.scan(life.hold, lpn)
    await life.hold.step()
    assert life.hold.screen.tasks == [] and life.hold.screen.next.key == "idle"
    await life.record("ParcelApproved", lpn)
    await life.hold.step()
    task = life.hold.screen.next
    assert task.key == "fetch" and task.params == {"lpn": lpn, "slot": "H01", "to": "gate-1", "kind": "gate"}
    answer = await life.scan(life.hold, lpn)
    assert answer.key == "take_to" and answer.params["to"] == "gate-1"
    assert (await life.parcel(lpn)).place == "to:gate-1"
    assert (await life.scan(life.hold, await verified(life, 2, 2))).params["slot"] == "H01"


async def test_the_rack_survives_a_restart(rig: Rig) -> None:
    life = rig.live()
    lpn = await verified(life)
    await life.scan(life.hold, lpn)
    await life.record("ParcelApproved", lpn)
    again = rig.live()
    await again.hold.step()
    assert again.hold.screen.next.params["lpn"] == lpn


@pytest.mark.parametrize(
    "event, to", [("ParcelRejected", "clarify-1"), ("ParcelClarify", "clarify-1"), ("LabelVoided", "label-1")]
)
async def test_what_belongs_elsewhere_is_fetched_from_the_rack(life: Life, event: str, to: str) -> None:
    lpn = await verified(life)
    await life.scan(life.hold, lpn)
    await life.record(event, lpn)
    await life.hold.step()
    assert life.hold.screen.next.params["to"] == to


async def test_a_held_parcel_stays_in_the_rack_until_it_is_released(life: Life) -> None:
    lpn = await verified(life)
    await life.scan(life.hold, lpn)
    await life.resolver.parcel(lpn, "hold", actor="lin", role="operator")
    await life.record("ParcelApproved", lpn)
    await life.hold.step()
    assert life.hold.screen.next.key == "idle"
    await life.resolver.parcel(lpn, "release", actor="lin", role="operator")
    await life.hold.step()
    assert life.hold.screen.next.params["to"] == "gate-1"


async def test_the_rack_knows_no_strangers(life: Life) -> None:
    gone = await life.approved()
    await life.record("ParcelShipped", gone.lpn)
    for text, code in (("PL0000000994", 4106), ("SLOT:H01", 4101), (gone.lpn, 3004)):
        with pytest.raises(Fault) as found:
            await life.scan(life.hold, text)
        assert found.value.code == code


async def test_an_open_carton_in_the_rack_is_sent_back_to_induct(life: Life) -> None:
    lpn = await life.carton(state="open", place="H02")
    answer = await life.scan(life.hold, lpn)
    assert answer.params["to"] == "induct-1"


# -- clarification -----------------------------------------------------------------------------------------------------


async def test_a_returned_parcel_is_unpacked_and_ends_its_order(life: Life) -> None:
    lpn = await verified(life)
    sscc = (await life.parcel(lpn)).sscc
    await life.record("ParcelRejected", lpn)
    await life.clarify.step()
    assert life.clarify.screen.next.key == "return_to_shelf"
    assert (await life.scan(life.clarify, lpn)).key == "return_to_shelf"
    assert (await life.scan(life.clarify, "DO:DONE")).key == "done"
    parcel = await life.parcel(lpn)
    assert parcel.state is ParcelState.RETURNED and parcel.place == "shelf"
    label = await life.kit.books.label(sscc)
    assert label is not None and label.state == "voided"
    assert {u.state.value for u in await life.kit.books.units(order_id=parcel.order_id)} == {"returned"}
    assert (await life.the_order(parcel.order_id)).state is OrderState.RETURNED


async def test_an_undecided_parcel_cannot_be_unpacked(life: Life) -> None:
    lpn = await verified(life)
    await life.record("ParcelClarify", lpn, reason="scratched")
    assert (await life.scan(life.clarify, lpn)).key == "decide"
    with pytest.raises(Fault):
        await life.scan(life.clarify, "DO:DONE")
    assert (await life.parcel(lpn)).state is ParcelState.CLARIFY


async def test_clarification_sends_on_what_is_clear(life: Life) -> None:
    lpn = await verified(life)
    answer = await life.scan(life.clarify, lpn)
    assert answer.key == "take_to" and answer.params["to"] == "hold-1"
    assert (await life.parcel(lpn)).place == "to:hold-1"


async def test_the_word_counts_only_after_a_plate(life: Life) -> None:
    for text, code in (("DO:DONE", 4304), ("hello", 4101), ("PL0000000994", 4106)):
        with pytest.raises(Fault) as found:
            await life.scan(life.clarify, text)
        assert found.value.code == code


async def test_an_address_changed_on_a_labelled_parcel_brings_it_to_clarification_and_back_to_the_label(
    life: Life,
) -> None:
    lpn = await verified(life)
    box = life.floor.hall.lanes[2].pop()
    await life.change(ship_to=ELSEWHERE)
    assert (await life.parcel(lpn)).state is ParcelState.CLARIFY
    box.labels.clear()
    await life.resolver.parcel(lpn, "release", actor="lin", role="operator")
    assert (await life.parcel(lpn)).state is ParcelState.PACKED
    life.floor.hall.stop = box
    await life.label_all(lpn)
    assert (await life.parcel(lpn)).state is ParcelState.VERIFIED and len(box.labels) == 1


async def test_nothing_comes_back_from_clarification_as_labelled_when_its_label_was_voided_there(life: Life) -> None:
    lpn = await verified(life)
    await life.record("ParcelClarify", lpn)
    await life.change(ship_to=ELSEWHERE)
    await life.resolver.parcel(lpn, "release", actor="lin", role="operator")
    assert (await life.parcel(lpn)).state is ParcelState.PACKED


@pytest.mark.parametrize("place", ["hold", "clarify"])
@pytest.mark.parametrize("code", ["mark", "bars"])
async def test_a_label_is_not_taken_for_the_plate_of_the_carton_that_it_sticks_on(
    life: Life, place: str, code: str
) -> None:
    """A carton wears the label of another: what is done next would be done to that other parcel."""
    named = await life.approved()
    await life.record("ParcelReturning", named.lpn)
    paper = named.labels[0]
    text = f"PK1|{paper.sscc}|{paper.lpn}|{paper.print_number}" if code == "mark" else f"00{paper.sscc}"
    work = life.hold if place == "hold" else life.clarify
    with pytest.raises(Fault, match="saw a label.*own plate.*Scan the carton's PL number") as found:
        await life.scan(work, text)
    assert found.value.code == 4101
    with pytest.raises(Fault):
        await life.scan(life.clarify, "DO:DONE")
    assert (await life.parcel(named.lpn)).state is ParcelState.RETURNING
