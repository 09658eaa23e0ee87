"""The way out: only approved parcels pass, exactly once, and what left is booked whatever happened meanwhile."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from packline.core.effects import RELEASE, Effect, EffectState
from packline.core.faults import Fault
from packline.orders.model import OrderState, ParcelState, Purchase
from packline.store import schema
from stations.hand_over import AGAIN_S
from stations.kit import Trouble
from stations.person import Held
from stations.screen import say
from tests.stations.fakes import Carton
from tests.stations.line import ELSEWHERE, Life, Rig, trouble
from tests.waiting import until

GREEN, RED, DARK = 1, 2, 0


async def test_gate_releases_an_approved_parcel_and_ships_it_once(life: Life) -> None:
    box = await life.approved()
    life.floor.hall.at_gate = box
    for _ in range(4):
        await life.gate.step()
    parcel = await life.parcel(box.lpn)
    assert parcel.state is ParcelState.SHIPPED and life.floor.hall.gone == [box]
    assert life.floor.gate.done.count(("release", box.lpn)) == 1
    assert (await life.the_order(parcel.order_id)).state is OrderState.SHIPPED
    assert life.floor.hall.lamp == DARK


@pytest.mark.parametrize("state", ["verified", "held", "rejected", "cancelled", "clarify"])
async def test_gate_releases_only_approved_parcels(life: Life, state: str) -> None:
    box = await life.approved()
    if state == "held":
        await life.record("ParcelHeld", box.lpn)
    elif state == "rejected":
        await life.record("ParcelRejected", box.lpn)
    elif state == "clarify":
        await life.record("ParcelClarify", box.lpn)
    elif state == "cancelled":
        await life.change(purchase=Purchase.CANCELLED)
    else:
        box = await _verified(life)
    life.floor.hall.at_gate = box
    for _ in range(3):
        await life.gate.step()
    assert life.floor.hall.gone == [] and life.floor.hall.lamp == RED
    assert life.gate.screen.next.key == "take_back"
    assert (await life.parcel(box.lpn)).place == "to:hold-1"


@pytest.mark.parametrize("what", ["old label", "gone", "rejected"])
@pytest.mark.parametrize("by", ["hold", "link"])
async def test_a_refusal_that_is_cut_short_is_made_up_for(
    life: Life, monkeypatch: pytest.MonkeyPatch, what: str, by: str
) -> None:
    """A person holds the gate, or its link falls silent, while its scanner reads."""
    box = await life.approved()
    if what == "old label":
        await life.change(ship_to=ELSEWHERE)
    else:
        await life.record({"gone": "ParcelShipped", "rejected": "ParcelRejected"}[what], box.lpn)
    life.floor.hall.at_gate = box
    read = life.gate._reader.read

    async def reading(what: str) -> str:
        seen = await read(what)
        if by == "hold":
            life.gate.screen.hold_by = "lin"
        else:
            life.floor.gate.not_ready = Fault(1002, where="gate-1", seen="an old status")
        return seen

    with monkeypatch.context() as change:
        change.setattr(life.gate._reader, "read", reading)
        with pytest.raises((Held, Fault, Trouble)):
            await life.gate.step()
    life.gate.screen.hold_by, life.floor.gate.not_ready = "", None
    asked: list[int] = []
    for _ in range(3):
        try:
            await life.gate.step()
        except Trouble as found:
            asked.append(found.fault.code)
    assert life.floor.hall.lamp == RED and life.gate.screen.next.key == "take_back"
    assert asked == {"old label": [3006], "gone": [3004], "rejected": []}[what]
    assert ((await life.parcel(box.lpn)).place == "to:hold-1") == (what != "gone")


@pytest.mark.parametrize("what", ["held", "cancelled"])
async def test_what_is_stopped_while_the_lamp_turns_green_does_not_leave(life: Life, what: str) -> None:
    box = await life.approved()
    life.floor.hall.at_gate = box

    async def meanwhile(effect: Effect) -> None:
        if effect.parameters.get("lamp") == GREEN:
            await (life.record("ParcelHeld", box.lpn) if what == "held" else life.change(purchase=Purchase.CANCELLED))

    life.floor.gate.before_send = meanwhile
    for _ in range(2):
        await life.gate.step()
    assert life.floor.hall.gone == [] and life.floor.hall.lamp == RED
    assert life.gate.screen.next.key == "take_back" and await life.effect(RELEASE, box.lpn, 1) is None


async def _verified(life: Life) -> Carton:
    lpn = await life.carton(7, 7)
    return await life.label_all(lpn)


async def test_a_parcel_that_the_gate_did_not_let_through_leaves_when_it_is_brought_back(life: Life) -> None:
    box = await life.approved()
    life.floor.hall.at_gate = box
    life.floor.gate.misbehave["release"] = "fail"
    found = await trouble(life.gate.step())
    assert found.fault.code == 2006
    life.floor.hall.at_gate = None
    await life.record("ParcelMoved", box.lpn, place="to:gate-1")
    life.floor.hall.at_gate = box
    await life.gate.step()
    assert life.floor.hall.gone == [box] and (await life.parcel(box.lpn)).state is ParcelState.SHIPPED


async def test_voided_label_is_refused_at_the_gate_and_names_its_parcel(life: Life) -> None:
    box = await life.approved()
    await life.resolver.parcel(box.lpn, "reprint", actor="lin", role="operator")
    life.floor.hall.at_gate = box
    found = await trouble(life.gate.step())
    assert found.fault.code == 3006 and found.subject == box.lpn
    assert life.floor.hall.gone == [] and life.floor.hall.lamp == RED


@pytest.mark.parametrize("place", ["gate-1", "to:gate-1"])
async def test_a_parcel_whose_label_is_voided_before_the_gate_is_sent_to_the_hold_place_until_it_is_gone(
    life: Life, place: str
) -> None:
    """Its question is soon answered; then its plate is all that a porter can go by, and the hold place knows the way on."""
    box = await life.approved(place=place)
    await life.change(ship_to=ELSEWHERE)
    life.floor.hall.at_gate = box
    assert (await trouble(life.gate.step())).fault.code == 3006
    assert (await life.parcel(box.lpn)).place == "to:hold-1"
    await life.resolver.parcel(box.lpn, "reprint", actor="lin", role="operator")
    life.gate.screen.state, life.gate.screen.next = "asking", say("ask_person", exception="answered by now")
    await life.gate.step()
    assert (life.gate.screen.next.key, life.gate.screen.next.params["lpn"]) == ("take_back", box.lpn)
    assert (await life.scan(life.hold, box.lpn)).params["to"] == "label-1"


async def test_an_old_label_on_some_carton_at_the_gate_moves_no_parcel_that_the_books_have_elsewhere(
    life: Life,
) -> None:
    box = await life.approved(place="H01")
    await life.resolver.parcel(box.lpn, "reprint", actor="lin", role="operator")
    life.floor.hall.at_gate = box
    assert (await trouble(life.gate.step())).fault.code == 3006
    assert (await life.parcel(box.lpn)).place == "H01"


async def test_unknown_label_is_refused_at_the_gate(life: Life) -> None:
    box = await life.approved()
    stranger = "395213210000009999"
    life.floor.hall.at_gate = Carton(lpn=box.lpn, labels=[type(box.labels[0])(stranger, box.lpn, 1)])
    found = await trouble(life.gate.step())
    assert found.fault.code == 4106 and found.subject == stranger
    await life.gate.step()  # it was refused: nothing more until it is taken away
    assert life.gate.screen.next.key == "take_back"


async def test_a_parcel_booked_as_gone_that_stands_at_the_gate_is_an_exception_not_a_software_fault(life: Life) -> None:
    box = await life.approved()
    await life.record("ParcelShipped", box.lpn)
    life.floor.hall.at_gate = box
    found = await trouble(life.gate.step())
    assert found.fault.code == 3004 and life.floor.hall.gone == []


async def test_unreadable_label_is_asked_about(life: Life) -> None:
    life.floor.hall.at_gate = await life.approved()
    life.floor.scan_gate.is_blind = True
    assert (await trouble(life.gate.step())).fault.code == 3001
    assert life.floor.hall.gone == []


@pytest.mark.parametrize("scanned", ["before", "after"])
async def test_a_label_in_the_couriers_hand_opens_no_gate_when_the_fixed_scanner_is_blind(
    life: Life, scanned: str
) -> None:
    """What stands at the gate is another parcel, and may not even leave."""
    held, in_hand = await life.approved(1, 1), await life.approved(2, 2)
    await life.record("ParcelHeld", held.lpn)
    life.floor.hall.at_gate = held
    life.floor.scan_gate.is_blind = True
    for _ in range(3):
        if scanned == "before":
            await life.scan(life.gate, f"00{in_hand.labels[0].sscc}")
        step = asyncio.ensure_future(life.gate.step())
        if scanned == "after":
            await until(lambda: life.gate._reader.is_asked)
            await life.scan(life.gate, f"00{in_hand.labels[0].sscc}")
        assert (await trouble(step)).fault.code == 3001
    assert life.floor.hall.gone == []
    assert (await life.parcel(in_hand.lpn)).state is ParcelState.APPROVED


async def test_the_couriers_own_scanner_asks_whether_a_parcel_may_leave(life: Life) -> None:
    ready, held = await life.approved(1, 1), await life.approved(2, 2)
    await life.record("ParcelHeld", held.lpn)
    assert (await life.scan(life.gate, f"00{ready.labels[0].sscc}")).key == "label_ok"
    assert (await life.scan(life.gate, f"00{held.labels[0].sscc}")).key == "take_back"
    with pytest.raises(Fault, match="4106"):
        await life.scan(life.gate, "00395213210000009999")


async def test_a_parcel_in_the_couriers_hand_is_not_taken_for_the_one_before_the_gate(life: Life) -> None:
    one, two = await life.approved(1, 1), await life.approved(2, 2)
    life.floor.hall.at_gate = one
    await life.scan(life.gate, f"00{two.labels[0].sscc}")
    await life.gate.step()
    assert (await life.parcel(one.lpn)).state is ParcelState.SHIPPED
    assert (await life.parcel(two.lpn)).state is ParcelState.APPROVED


async def test_a_release_in_doubt_whose_parcel_still_stands_there_is_done_again(life: Life) -> None:
    box = await life.approved()
    life.floor.hall.at_gate = box
    life.floor.gate.misbehave["release"] = "deaf"
    await life.gate.step()
    assert await life.effect(RELEASE, box.lpn, 1) is EffectState.NOT_EXECUTED
    await life.gate.step()
    assert life.floor.hall.gone == [box]


async def test_a_release_in_doubt_without_a_parcel_is_asked_about(life: Life) -> None:
    box = await life.approved()
    life.floor.hall.at_gate = box
    life.floor.gate.misbehave["release"] = "mute"
    assert (await trouble(life.gate.step())).fault.code == 2005
    found = await trouble(life.gate.step())
    assert found.subject == box.lpn and found.effect_id
    assert (await life.parcel(box.lpn)).state is ParcelState.APPROVED
    row = await life.kit.books.open_exception(
        found.fault, station="gate-1", subject=box.lpn, actions=["done", "not_done"], effect_id=found.effect_id
    )
    await life.resolver.resolve(row, "done", actor="lin", role="operator")
    await life.gate.step()
    assert (await life.parcel(box.lpn)).state is ParcelState.SHIPPED


@pytest.mark.parametrize("purchase", [Purchase.CANCELLED, Purchase.BOUGHT])
async def test_a_parcel_that_left_is_booked_as_shipped_whatever_was_decided_while_the_gate_was_open(
    life: Life, purchase: Purchase
) -> None:
    box = await life.approved()
    life.floor.hall.at_gate = box

    async def after(effect: Effect) -> None:
        if effect.kind is RELEASE:
            await (
                life.change(purchase=purchase)
                if purchase is Purchase.CANCELLED
                else life.record("ParcelRejected", box.lpn)
            )

    life.floor.gate.after_send = after
    await life.gate.step()
    parcel = await life.parcel(box.lpn)
    assert parcel.state is ParcelState.SHIPPED and parcel.place == "gone"
    assert (await life.the_order(parcel.order_id)).state is OrderState.SHIPPED


@pytest.mark.parametrize("what", ["address", "held"])
async def test_of_a_parcel_that_left_while_its_order_changed_a_person_hears_and_tracking_has_its_label(
    life: Life, what: str
) -> None:
    box = await _verified(life)
    await life.record("ParcelApproved", box.lpn)
    sscc = box.labels[0].sscc
    life.floor.hall.at_gate = box

    async def after(effect: Effect) -> None:
        if effect.kind is RELEASE:
            await (life.change(7, ship_to=ELSEWHERE) if what == "address" else life.record("ParcelHeld", box.lpn))

    life.floor.gate.after_send = after
    await life.gate.step()
    (row,) = await life.kit.books.open_exceptions("gate-1")
    assert (row.code, row.subject, row.actions) == (3018, box.lpn, ("dismiss",))
    assert row.fault["where"] == f"label {sscc}"
    gone, label = await life.parcel(box.lpn), await life.kit.books.label(sscc)
    assert (gone.sscc, gone.print_number) == (sscc, box.labels[0].print_number)
    assert label is not None and label.state == "verified"  # the courier tells its delivery by it
    assert (await life.the_order(gone.order_id)).state is OrderState.SHIPPED
    sent = select(schema.outbox.c.body).where(schema.outbox.c.name == "parcel.handed_over")
    assert [body["sscc"] for body in life.store.writer.read_now(lambda db: db.execute(sent).scalars().all())] == [sscc]


async def test_of_a_parcel_that_left_as_it_should_nobody_is_told(life: Life) -> None:
    box = await life.approved()
    life.floor.hall.at_gate = box
    await life.gate.step()
    assert await life.kit.books.open_exceptions("gate-1") == []


async def test_a_rejected_parcel_that_had_left_before_a_stop_is_booked_after_it(rig: Rig) -> None:
    life = rig.live()
    box = await life.approved(place="gate-1")
    effect = Effect(kind=RELEASE, subject=box.lpn, generation=0, station="gate-1")
    rig.floor.hall.at_gate = box
    await life.kit.ledger.perform(effect, rig.floor.gate)
    await life.record("ParcelRejected", box.lpn)
    again = rig.live()
    await again.gate.step()
    assert (await again.parcel(box.lpn)).state is ParcelState.SHIPPED


async def test_several_parcels_of_an_order_close_it_with_the_last(life: Life) -> None:
    one, two = await life.approved(1, 1), await life.approved(2, 2)
    order_id = (await life.parcel(one.lpn)).order_id
    life.floor.hall.at_gate = one
    await life.gate.step()
    assert (await life.the_order(order_id)).state is OrderState.SHIPPED
    other = (await life.parcel(two.lpn)).order_id
    assert (await life.the_order(other)).state is OrderState.RELEASED


# -- by a person -------------------------------------------------------------------------------------------------------


async def test_a_person_hands_over_with_two_scans_of_the_label(life: Life) -> None:
    box = await life.approved()
    code = f"00{box.labels[0].sscc}"
    assert (await life.scan(life.door, code)).key == "hand_over"
    step = asyncio.ensure_future(life.door.step())
    await until(lambda: life.door._hands.job is not None)
    life.floor.clock.advance(AGAIN_S)
    assert (await life.scan(life.door, code, actor="courier SF")).key == "done"
    await step
    assert (await life.parcel(box.lpn)).state is ParcelState.SHIPPED


async def test_a_label_that_a_bouncing_scanner_reads_twice_is_not_handed_over(life: Life) -> None:
    box = await life.approved()
    code = f"00{box.labels[0].sscc}"
    step = await handing_over(life, box)
    for _ in range(3):  # each comes too soon after the one before
        life.floor.clock.advance(AGAIN_S * 0.9)
        assert (await life.scan(life.door, code)).key == "hand_over"
    assert life.door._hands.job is not None
    assert (await life.parcel(box.lpn)).state is ParcelState.APPROVED
    step.cancel()


@pytest.mark.parametrize("says", ["DO:DONE", "the label"])
async def test_a_parcel_cancelled_while_the_courier_is_asked_is_taken_back(life: Life, says: str) -> None:
    box = await life.approved()
    step = await handing_over(life, box)
    await life.change(purchase=Purchase.CANCELLED)
    life.floor.clock.advance(AGAIN_S)
    answer = await life.scan(life.door, says if says == "DO:DONE" else f"00{box.labels[0].sscc}")
    assert (answer.key, answer.params["lpn"]) == ("take_back", box.lpn)
    await step
    assert (await life.parcel(box.lpn)).state is ParcelState.RETURNING
    assert await life.effect(RELEASE, box.lpn, 1) is EffectState.NOT_EXECUTED


@pytest.mark.parametrize("event", ["ParcelShipped", "ParcelRejected"])
async def test_a_scanned_parcel_that_may_not_leave_any_more_is_dropped_and_blocks_nobody(
    life: Life, event: str
) -> None:
    """The scan was answered in the moment in which the books let it go, or took it back."""
    box, other = await life.approved(1, 1), await life.approved(2, 2)
    await life.scan(life.door, f"00{box.labels[0].sscc}")
    await life.record(event, box.lpn)
    await life.door.step()
    assert life.door.screen.next.key == "place_parcel" and await life.effect(RELEASE, box.lpn, 1) is None
    assert (await life.scan(life.door, f"00{other.labels[0].sscc}")).key == "hand_over"


async def test_a_label_scanned_while_its_departure_is_booked_leaves_the_gate_free(life: Life) -> None:
    box, other = await life.approved(1, 1), await life.approved(2, 2)
    step = await handing_over(life, box)
    book = life.door._departure.book

    async def booked_slowly(lpn: str, witness: str) -> None:
        await life.scan(life.door, f"00{box.labels[0].sscc}")
        await book(lpn, witness)

    life.door._departure.book = booked_slowly  # type: ignore[method-assign]  # no clock and no port can time a scan in its midst
    await life.scan(life.door, "DO:DONE")
    await step
    assert (await life.parcel(box.lpn)).state is ParcelState.SHIPPED
    await life.door.step()
    assert (await life.scan(life.door, f"00{other.labels[0].sscc}")).key == "hand_over"


async def handing_over(life: Life, box: Carton) -> asyncio.Task[None]:
    """Scan a label until the screen waits for the courier; gives the step that waits."""
    await life.scan(life.door, f"00{box.labels[0].sscc}")
    step = asyncio.ensure_future(life.door.step())
    await until(lambda: life.door._hands.job is not None)
    return step


async def test_what_lies_at_the_door_and_may_not_leave_any_more_is_on_its_list(life: Life) -> None:
    box = await life.approved(place="gate-1")
    await life.door.step()
    assert life.door.screen.tasks == []
    await life.change(ship_to=ELSEWHERE)
    await life.resolver.parcel(box.lpn, "reprint", actor="lin", role="operator")
    await life.door.step()
    assert [task.as_dict()["params"] for task in life.door.screen.tasks] == [
        {"lpn": box.lpn, "to": "label-1", "kind": "label"}
    ]


async def test_a_person_may_say_that_the_courier_did_not_take_it(life: Life) -> None:
    box = await life.approved()
    await life.scan(life.door, f"00{box.labels[0].sscc}")
    step = asyncio.ensure_future(life.door.step())
    await until(lambda: life.door._hands.job is not None)
    await life.scan(life.door, "DO:NOTDONE")
    await step
    assert (await life.parcel(box.lpn)).state is ParcelState.APPROVED
    assert await life.effect(RELEASE, box.lpn, 1) is EffectState.NOT_EXECUTED


async def test_a_parcel_rejected_between_the_two_scans_stays(life: Life) -> None:
    box = await life.approved()
    code = f"00{box.labels[0].sscc}"
    await life.scan(life.door, code)
    step = asyncio.ensure_future(life.door.step())
    await until(lambda: life.door._hands.job is not None)
    await life.record("ParcelRejected", box.lpn)
    assert (await life.scan(life.door, code)).key == "take_back"
    await step
    assert (await life.parcel(box.lpn)).state is ParcelState.RETURNING


async def test_the_question_whether_the_courier_took_it_survives_a_restart(rig: Rig) -> None:
    life = rig.live()
    box = await life.approved()
    await life.scan(life.door, f"00{box.labels[0].sscc}")
    step = asyncio.ensure_future(life.door.step())
    await until(lambda: life.door._hands.job is not None)
    step.cancel()
    again = rig.live()
    step = asyncio.ensure_future(again.door.step())
    await until(lambda: again.door._hands.job is not None)
    assert again.door.screen.next.key == "hand_over"
    await again.scan(again.door, "DO:DONE")
    await step
    assert (await again.parcel(box.lpn)).state is ParcelState.SHIPPED


async def test_a_hand_over_that_was_confirmed_before_a_stop_is_booked_after_it(rig: Rig) -> None:
    life = rig.live()
    box = await life.approved(place="gate-1")
    effect = Effect(kind=RELEASE, subject=box.lpn, generation=0, station="gate-1")
    rig.floor.hall.at_gate = box
    await life.kit.ledger.perform(effect, rig.floor.gate)
    await rig.live().door.step()
    assert (await life.parcel(box.lpn)).state is ParcelState.SHIPPED


async def test_the_hand_run_gate_refuses_what_may_not_leave(life: Life) -> None:
    box = await _verified(life)
    assert (await life.scan(life.door, f"00{box.labels[0].sscc}")).key == "take_back"
    approved = await life.approved()
    await life.resolver.parcel(approved.lpn, "reprint", actor="lin", role="operator")
    for text, code in ((f"00{approved.labels[0].sscc}", 3006), ("00395213210000009999", 4106), ("DO:DONE", 4304)):
        with pytest.raises(Fault) as found:
            await life.scan(life.door, text)
        assert found.value.code == code


async def test_one_parcel_at_a_time_at_the_hand_run_gate(life: Life) -> None:
    one, two = await life.approved(1, 1), await life.approved(2, 2)
    await life.scan(life.door, f"00{one.labels[0].sscc}")
    assert (await life.scan(life.door, f"00{two.labels[0].sscc}")).key == "finish_first"
