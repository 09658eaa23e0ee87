"""The label station: right label, right parcel, once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from packline.core.effects import APPLY, DISCARD, EJECT, PRINT, SEAL, Effect, EffectState, Evidence
from packline.core.faults import Fault
from packline.orders.changes import changes
from packline.orders.model import Address, ParcelState, Purchase
from packline.orders.policy import Action, actions_for, rule_for
from stations.kit import Trouble
from stations.print_apply import PACKER_SAYS_S
from tests.stations.fakes import Carton, Paper
from tests.stations.line import Life, Rig, content, trouble

ELSEWHERE = Address(recipient="李华", lines=("解放路 9 号",), city="北京", postcode="100000")


async def test_a_packed_carton_is_labelled_verified_and_sent_to_hold(life: Life) -> None:
    lpn = await life.carton()
    box = await life.label_all(lpn)
    parcel = await life.parcel(lpn)
    assert parcel.state is ParcelState.VERIFIED and parcel.approval == "asked"
    assert [(p.lpn, p.print_number) for p in box.labels] == [(lpn, parcel.print_number)]
    assert life.floor.hall.lanes[2] == [box] and parcel.place == "to:lane-hold"


async def test_a_parcel_whose_buyer_wants_no_picture_goes_straight_to_the_gate(life: Life) -> None:
    lpn = await life.carton(approval=False)
    box = await life.label_all(lpn)
    assert life.floor.hall.lanes[1] == [box]
    assert (await life.parcel(lpn)).place == "to:gate-1"


@pytest.mark.parametrize(
    "changes",
    [{"paid": False}, {"ship_to": None}, {"purchase": Purchase.RESERVED}],
    ids=["unpaid", "unaddressed", "reserved"],
)
async def test_unpaid_or_unaddressed_parcel_is_ejected_to_hold_without_a_label(life: Life, changes: dict) -> None:
    lpn = await life.carton(**changes)
    box = await life.label_all(lpn)
    assert life.floor.hall.lanes[2] == [box] and box.labels == [] and life.floor.hall.printed == []
    assert (await life.parcel(lpn)).state is ParcelState.PACKED


async def test_a_parcel_that_waited_for_money_is_labelled_when_it_comes_back(life: Life) -> None:
    lpn = await life.carton(paid=False)
    box = await life.label_all(lpn)
    await life.change(paid=True)
    life.floor.hall.lanes[2].clear()
    life.floor.hall.stop = box
    await life.label_all(lpn)
    assert len(box.labels) == 1 and (await life.parcel(lpn)).state is ParcelState.VERIFIED


# -- what the camera says outweighs the books --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "paper",
    [
        Paper(sscc="395213210000009999", lpn="PL0000000994", print_number=77),
        Paper(sscc="395213210000009999", lpn="PL0000000017", print_number=77),
    ],
    ids=["of another parcel", "of a lost time"],
)
async def test_carton_that_shows_a_foreign_label_gets_none(life: Life, paper: Paper) -> None:
    lpn = await life.carton()
    life.floor.hall.stop = Carton(lpn=lpn, labels=[paper], sealed=True)
    found = await trouble(life.label.step())
    assert found.fault.code == 3003 and found.subject == lpn
    assert life.floor.hall.printed == [] and life.floor.arm.done == []


async def test_carton_that_shows_only_the_bars_of_a_label_gets_none(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    lpn = await life.carton()
    life.floor.hall.stop = Carton(lpn=lpn, sealed=True)
    shown = [(lpn, "code128"), ("00395213210000009999", "code128")]
    monkeypatch.setattr("tests.stations.fakes.codes_on", lambda box: shown)
    assert (await trouble(life.label.step())).fault.code == 3003
    assert life.floor.hall.printed == []


async def test_own_bars_without_a_readable_mark_on_a_carton_that_no_arm_labelled_are_asked_about(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    lpn = await life.carton()
    life.floor.hall.stop = Carton(lpn=lpn, sealed=True)
    life.floor.printer.misbehave = "silent lost"
    await trouble(life.label.step())
    shown = [(lpn, "code128"), (f"00{(await life.parcel(lpn)).sscc}", "code128")]
    monkeypatch.setattr("tests.stations.fakes.codes_on", lambda box: shown)
    assert (await trouble(life.label.step())).fault.code == 3003


async def test_own_label_that_no_arm_put_on_is_asked_about(life: Life) -> None:
    lpn = await life.carton()
    life.floor.hall.stop = Carton(lpn=lpn, sealed=True)
    life.floor.arm.misbehave["apply"] = "refuse"
    await trouble(life.label.step())
    life.floor.hall.stop.labels.append(life.floor.hall.printed[0])
    assert (await trouble(life.label.step())).fault.code == 3003
    assert len(life.floor.hall.stuck) == 0


async def test_stale_picture_is_no_proof(life: Life) -> None:
    """The camera hands out the frame again that once showed this very label on this very carton."""
    lpn = await life.carton()
    hall, camera = life.floor.hall, life.floor.cam_verify
    hall.stop = Carton(lpn=lpn, sealed=True)
    life.floor.arm.misbehave["apply"] = "deaf"
    await trouble(life.label.step())
    paper = hall.printed[0]
    hall.stop.labels.append(paper)
    await camera.still()
    hall.stop.labels.clear()
    camera.stale = camera.last
    with pytest.raises(Fault) as found:
        await life.label.step()
    assert found.value.code == 1005
    assert (await life.parcel(lpn)).state is ParcelState.PRINTED
    assert await life.effect_of_apply(lpn) is EffectState.UNKNOWN


async def test_a_camera_that_was_restarted_is_believed_again(life: Life) -> None:
    lpn = await life.carton()
    life.floor.hall.stop = Carton(lpn=lpn, sealed=True)
    life.floor.cam_verify.frame = 5000
    await life.label._eye.see()
    life.floor.cam_verify.frame = 0
    with pytest.raises(Fault):
        await life.label.step()
    await life.label.step()
    assert (await life.parcel(lpn)).state is ParcelState.VERIFIED


async def test_unreadable_carton_is_asked_about_and_nothing_moves(life: Life) -> None:
    lpn = await life.carton()
    life.floor.hall.stop = Carton(lpn=lpn, readable=False)
    assert (await trouble(life.label.step())).fault.code == 3001
    assert life.floor.arm.done == [] and life.floor.hall.printed == []


async def test_unknown_carton_is_sent_to_clarification_when_there_is_room(life: Life) -> None:
    life.floor.hall.stop = Carton(lpn="PL0000000994")
    life.floor.lane_full[3] = True
    for _ in range(3):
        assert (await trouble(life.label.step())).fault.code == 4106
    assert life.floor.arm.done == [] and life.label.screen.next.key == "lane_full"
    life.floor.lane_full[3] = False
    found = await trouble(life.label.step())
    assert found.subject == "PL0000000994" and [b.lpn for b in life.floor.hall.lanes[3]] == ["PL0000000994"]


async def test_an_eject_of_a_stranger_in_doubt_is_settled_by_the_next_picture(life: Life) -> None:
    stranger = Carton(lpn="PL0000000994", sealed=True)
    life.floor.hall.stop = stranger
    for _ in range(3):
        life.floor.arm.misbehave["eject"] = "half"
        assert (await trouble(life.label.step())).fault.code == 4106
        assert await life.kit.ledger.open_effects() == []
    assert (await trouble(life.label.step())).fault.code == 4106
    assert life.floor.hall.lanes[3] == [stranger]


async def test_an_eject_of_a_stranger_that_no_picture_settles_stays_one_row_until_it_is_gone(life: Life) -> None:
    box = Carton(lpn="PL0000000994", sealed=True)
    life.floor.hall.stop = box
    life.floor.arm.misbehave["eject"] = "half"
    shots = iter([box, Carton(lpn=box.lpn, readable=False), box, Carton(lpn=box.lpn, readable=False)])
    life.floor.cam_verify._look = lambda: next(shots)
    for _ in range(2):
        assert (await trouble(life.label.step())).fault.code == 3001
        (row,) = await life.kit.ledger.open_effects()
        assert row.state is EffectState.UNKNOWN
    life.floor.hall.stop = None
    await life.label.step()
    assert await life.kit.ledger.open_effects() == []


async def test_an_eject_of_a_stranger_that_failed_is_asked_about_and_not_begun_again_and_again(life: Life) -> None:
    life.floor.hall.stop = Carton(lpn="PL0000000994", sealed=True)
    life.floor.arm.misbehave["eject"] = "fail"
    found = await trouble(life.label.step())
    assert (found.fault.code, found.subject) == (2006, "PL0000000994") and found.effect_id


async def test_a_parcel_booked_as_shipped_that_stands_at_the_stop_is_sent_to_clarification(life: Life) -> None:
    box = await life.approved()
    await life.record("ParcelShipped", box.lpn)
    life.floor.hall.stop = box
    found = await trouble(life.label.step())
    assert found.fault.code == 3004 and found.subject == box.lpn
    assert life.floor.hall.lanes[3] == [box]


# -- the printer -------------------------------------------------------------------------------------------------------


async def test_unknown_print_is_never_sent_again(life: Life) -> None:
    lpn = await life.carton()
    life.floor.hall.stop = Carton(lpn=lpn, sealed=True)
    life.floor.printer.misbehave = "silent lost"
    for _ in range(4):
        found = await trouble(life.label.step())
        assert found.fault.code == 2103 and found.effect_id
    assert life.floor.hall.printed == []
    life.floor.printer.misbehave = ""
    await life.resolver._kit.ledger.settle(
        found.effect_id, Evidence(state=EffectState.NOT_EXECUTED, source="person lin")
    )
    await life.label.step()
    assert len(life.floor.hall.printed) == 1


async def test_a_silent_printer_is_believed_when_the_sensor_sees_its_label(life: Life) -> None:
    lpn = await life.carton()
    life.floor.printer.misbehave = "silent"
    box = await life.label_all(lpn)
    assert len(box.labels) == 1 and (await life.parcel(lpn)).state is ParcelState.VERIFIED


async def test_the_sensor_is_no_proof_when_the_counter_contradicts_it(life: Life) -> None:
    """More labels came out than one: what lies at the exit may be anybody's, so no arm touches it."""
    lpn = await life.carton()
    life.floor.hall.stop = Carton(lpn=lpn, sealed=True)
    life.floor.printer.misbehave = "silent lost"
    await trouble(life.label.step())
    life.floor.printer.misbehave = ""
    life.floor.printer.cuts += 3
    life.floor.hall.peel = Paper(sscc="395213210000009999", lpn="PL0000000994", print_number=77)
    found = await trouble(life.label.step())
    assert found.fault.code == 2005
    assert life.floor.hall.stuck == []


async def test_half_a_label_is_never_put_on(life: Life) -> None:
    lpn = await life.carton()
    life.floor.hall.stop = Carton(lpn=lpn, sealed=True)
    life.floor.printer.misbehave = "half"
    found = await trouble(life.label.step())
    assert found.fault.code == 2105
    row = await life.kit.books.open_exception(
        found.fault, station="label-1", subject=lpn, actions=["reprint"], effect_id=found.effect_id
    )
    await life.resolver.resolve(row, "reprint", actor="lin", role="operator")
    box = await life.label_all(lpn)
    assert [p.half for p in box.labels] == [False] and [p.half for p in life.floor.hall.thrown] == [True]
    assert len({p.print_number for p in life.floor.hall.printed}) == 2


async def test_label_waiting_at_the_peel_is_discarded_first(life: Life) -> None:
    lpn = await life.carton()
    stray = Paper(sscc="395213210000009999", lpn="PL0000000994", print_number=77)
    life.floor.hall.peel = stray
    box = await life.label_all(lpn)
    assert life.floor.hall.thrown == [stray]
    assert [p.lpn for p in box.labels] == [lpn]


async def test_label_on_the_pad_is_discarded_first(life: Life) -> None:
    lpn = await life.carton()
    life.floor.hall.pad = Paper(sscc="395213210000009999", lpn="PL0000000994", print_number=77)
    box = await life.label_all(lpn)
    assert [p.lpn for p in box.labels] == [lpn] and not life.floor.hall.wrong_labels()


async def test_a_label_that_cannot_be_thrown_away_is_asked_about(life: Life) -> None:
    lpn = await life.carton()
    life.floor.hall.stop = Carton(lpn=lpn)
    life.floor.hall.peel = Paper(sscc="395213210000009999", lpn="PL0000000994", print_number=77)
    life.floor.arm.acts = {**life.floor.arm.acts, "discard": lambda effect: {}}
    assert (await trouble(life.label.step())).fault.code == 2107
    assert life.floor.hall.printed == []


@pytest.mark.parametrize("how", ["mute", "half"])
async def test_a_discard_in_doubt_is_settled_by_the_sensors(life: Life, how: str) -> None:
    lpn = await life.carton()
    life.floor.hall.peel = Paper(sscc="395213210000009999", lpn="PL0000000994", print_number=77)
    life.floor.arm.misbehave["discard"] = how
    box = await life.label_all(lpn)
    assert [p.lpn for p in box.labels] == [lpn]
    assert await life.kit.ledger.open_effects() == []


async def test_a_discard_that_a_stop_left_in_doubt_is_asked_after_and_settled(rig: Rig) -> None:
    life = rig.live()
    lpn = await life.carton()
    effect = Effect(kind=DISCARD, subject="label-1", generation=1, station="label-1")
    rig.floor.hall.peel = Paper(sscc="395213210000009999", lpn="PL0000000994", print_number=77)
    rig.floor.arm.misbehave["discard"] = "mute"
    await life.kit.ledger.perform(effect, rig.floor.arm)
    again = rig.live()
    await again.label_all(lpn)
    assert await again.effect(DISCARD, "label-1", 1) is EffectState.CONFIRMED
    assert len(rig.floor.hall.thrown) == 1 and await again.kit.ledger.open_effects() == []


async def test_an_old_job_that_comes_out_late_is_not_put_on_the_next_carton(life: Life) -> None:
    """Paper was loaded: the printer brings out what it was given before, just when the next label is begun."""
    lpn = await life.carton()
    late = Paper(sscc="395213210000009999", lpn="PL0000000994", print_number=77)

    def comes_out() -> None:
        life.floor.printer.on_prepare = lambda: None
        life.floor._label_out(late)

    life.floor.printer.on_prepare = comes_out
    box = await life.label_all(lpn)
    assert life.floor.hall.thrown == [late] and [p.lpn for p in box.labels] == [lpn]


async def test_a_label_left_at_the_peel_by_one_parcel_never_goes_on_another(life: Life) -> None:
    """Two cartons are taken off by hand with their labels printed; the first comes back while the second's label lies there."""
    one, two = await life.carton(1, 1), await life.carton(2, 2)
    hall = life.floor.hall
    for lpn in (one, two):
        life.floor.arm.misbehave["apply"] = "refuse"
        hall.stop = Carton(lpn=lpn, sealed=True)
        await trouble(life.label.step())
        assert (await life.parcel(lpn)).state is ParcelState.PRINTED
    assert hall.peel is not None and hall.peel.lpn == two
    hall.stop = None
    box = await life.label_all(one)
    assert [p.lpn for p in box.labels] == [one] and not hall.wrong_labels()
    assert (await life.parcel(one)).state is ParcelState.VERIFIED
    assert (await life.parcel(two)).place == ""
    box = await life.label_all(two)
    assert [p.lpn for p in box.labels] == [two] and not hall.doubles()


async def test_a_label_of_this_visit_that_still_waits_is_put_on_and_not_printed_again(rig: Rig) -> None:
    life = rig.live()
    lpn = await life.carton()
    rig.floor.hall.stop = Carton(lpn=lpn, sealed=True)
    rig.floor.arm.misbehave["apply"] = "refuse"
    await trouble(life.label.step())
    again = rig.live()
    await again.label_all(lpn)
    assert len(rig.floor.hall.printed) == 1 and len(rig.floor.hall.stuck) == 1


# -- the arm -----------------------------------------------------------------------------------------------------------


async def test_unknown_apply_is_settled_by_the_camera_only(life: Life) -> None:
    lpn = await life.carton()
    life.floor.arm.misbehave["apply"] = "mute"
    await life.label_all(lpn)
    row = await life.kit.ledger.find(APPLY, lpn, 1)
    assert row is not None and row.state is EffectState.CONFIRMED
    assert life.floor.arm.done.count(("apply", lpn)) == 1


async def test_unknown_apply_that_the_camera_cannot_see_waits_for_a_person(life: Life) -> None:
    lpn = await life.carton()
    life.floor.hall.stop = Carton(lpn=lpn, sealed=True)
    life.floor.arm.misbehave["apply"] = "deaf"
    for _ in range(3):
        found = await trouble(life.label.step())
        assert found.fault.code == 2005 and found.effect_id
    assert life.floor.hall.stuck == []
    await life.kit.ledger.settle(found.effect_id, Evidence(state=EffectState.NOT_EXECUTED, source="person lin"))
    await life.label_all(lpn)
    assert len(life.floor.hall.stuck) == 1


async def test_an_arm_that_cannot_be_asked_is_asked_again_before_any_picture_counts(life: Life) -> None:
    lpn = await life.carton()
    life.floor.hall.stop = Carton(lpn=lpn, sealed=True)
    life.floor.arm.misbehave["apply"] = "gone"
    shots = life.floor.cam_verify.shots
    assert (await trouble(life.label.step())).fault.code == 1001
    assert life.floor.cam_verify.shots == shots + 1  # the look before, none after
    assert await life.effect_of_apply(lpn) is EffectState.UNKNOWN


async def test_label_that_fell_off_the_pad_is_not_believed(life: Life) -> None:
    lpn = await life.carton()
    life.floor.hall.stop = Carton(lpn=lpn, sealed=True)
    life.floor.arm.acts = {**life.floor.arm.acts, "apply": lambda effect: {"press_n": 42}}
    assert (await trouble(life.label.step())).fault.code == 2104
    assert (await life.parcel(lpn)).state is ParcelState.PRINTED


async def test_wrong_label_on_the_parcel_is_never_verified(life: Life) -> None:
    lpn = await life.carton()
    hall = life.floor.hall
    hall.stop = Carton(lpn=lpn, sealed=True)
    foreign = Paper(sscc="395213210000009999", lpn="PL0000000994", print_number=77)

    def swap(effect: object) -> dict:
        assert hall.stop
        hall.peel = None
        hall.stick(foreign, hall.stop)
        return {}

    life.floor.arm.acts = {**life.floor.arm.acts, "apply": swap}
    assert (await trouble(life.label.step())).fault.code == 3002
    assert (await trouble(life.label.step())).fault.code == 3003
    assert (await life.parcel(lpn)).state is ParcelState.PRINTED and len(hall.printed) == 1


async def test_a_machine_fault_that_failed_a_job_is_asked_about_so_that_it_can_be_answered(life: Life) -> None:
    lpn = await life.carton()
    life.floor.hall.stop = Carton(lpn=lpn, sealed=True)
    life.floor.arm.misbehave["apply"], life.floor.arm.fault = "fail", 2002
    found = await trouble(life.label.step())
    assert found.fault.code == 2006 and "2002" in found.fault.seen
    row = await life.kit.books.open_exception(
        found.fault, station="label-1", subject=lpn, actions=["retry"], effect_id=found.effect_id
    )
    await life.resolver.resolve(row, "retry", actor="lin", role="operator")
    await life.label_all(lpn)
    assert len(life.floor.hall.stuck) == 1


async def test_a_label_that_the_arm_spoilt_can_be_printed_again(life: Life) -> None:
    lpn = await life.carton()
    life.floor.hall.stop = Carton(lpn=lpn, sealed=True)
    life.floor.arm.misbehave["apply"] = "fail"
    found = await trouble(life.label.step())
    assert found.fault.code == 2006 and Action.REPRINT in actions_for(found.fault.code, found.kind)
    row = await life.kit.books.open_exception(
        found.fault, station="label-1", subject=lpn, actions=["reprint"], effect_id=found.effect_id
    )
    await life.resolver.resolve(row, "reprint", actor="lin", role="operator")
    box = await life.label_all(lpn)
    assert [p.print_number for p in box.labels] == [(await life.parcel(lpn)).print_number]
    assert len(life.floor.hall.printed) == 2 and len(life.floor.hall.thrown) == 1


async def test_a_full_lane_is_waited_for(life: Life) -> None:
    lpn = await life.carton()
    life.floor.hall.stop = Carton(lpn=lpn, sealed=True)
    life.floor.lane_full[2] = True
    for _ in range(3):
        await life.label.step()
    assert life.label.screen.next.key == "lane_full" and life.floor.hall.stop is not None
    life.floor.lane_full[2] = False
    await life.label.step()
    assert life.floor.hall.stop is None


async def test_an_eject_in_doubt_is_settled_by_eye_and_camera(life: Life) -> None:
    lpn = await life.carton(paid=False)
    life.floor.arm.misbehave["eject"] = "mute"
    await life.label_all(lpn)
    assert await life.effect(EJECT, lpn, 1) is EffectState.CONFIRMED
    assert (await life.parcel(lpn)).place == "to:lane-hold"


async def test_an_eject_that_did_not_happen_is_done_once_more(life: Life) -> None:
    lpn = await life.carton(paid=False)
    life.floor.arm.misbehave["eject"] = "deaf"
    box = await life.label_all(lpn)
    assert life.floor.hall.lanes[2] == [box]


async def test_an_eject_in_doubt_is_not_decided_from_a_picture_without_a_plate(life: Life) -> None:
    lpn = await life.carton(paid=False)
    box = Carton(lpn=lpn, sealed=True)
    life.floor.hall.stop = box
    life.floor.arm.misbehave["eject"] = "deaf"
    seen = []

    def only_once() -> Carton | None:
        seen.append(1)
        return box if len(seen) == 1 else Carton(lpn=lpn, readable=False)

    life.floor.cam_verify._look = only_once
    assert (await trouble(life.label.step())).fault.code == 3001
    assert await life.effect(EJECT, lpn, 1) is EffectState.UNKNOWN


# -- is it sealed? -----------------------------------------------------------------------------------------------------


async def taken_off_the_packer(life: Life, how: str) -> tuple[str, Carton]:
    """Begin a seal that ends in doubt ("mute": done, "half": not), and set the carton before the label station by hand."""
    lpn = await life.carton(state="collected", place="to:pack-1")
    life.floor.hall.infeed = box = Carton(lpn=lpn)
    life.floor.packer.misbehave["seal"] = how
    assert (await trouble(life.pack.step())).fault.code == 2005
    life.floor.hall.infeed, life.floor.hall.stop = None, box
    return lpn, box


async def asked_whether_sealed(life: Life, lpn: str) -> str:
    """Let the label station ask about the carton at its stop; gives the exception."""
    await life.label.step()
    life.floor.clock.advance(PACKER_SAYS_S)
    found = await trouble(life.label.step())
    assert (found.fault.code, found.subject) == (3017, lpn)
    return await ask(life, found)


async def ask(life: Life, found: Trouble) -> str:
    """Put a trouble of the label station into the queue, as its post does."""
    return await life.kit.books.open_exception(
        found.fault,
        station="label-1",
        subject=found.subject,
        actions=[action.value for action in rule_for(found.fault.code).actions],
        effect_id=found.effect_id,
    )


@pytest.mark.parametrize("how", ["mute", "half"])
async def test_a_seal_in_doubt_is_not_settled_by_a_carton_that_stands_behind_the_packer(life: Life, how: str) -> None:
    lpn, box = await taken_off_the_packer(life, how)
    await asked_whether_sealed(life, lpn)
    assert await life.effect(SEAL, lpn, 1) is EffectState.UNKNOWN
    assert (await life.parcel(lpn)).state is ParcelState.COLLECTED and box.labels == []
    assert (await trouble(life.label.step())).fault.code == 3017  # it stays asked until it is answered


async def test_a_carton_that_a_person_calls_sealed_is_labelled(life: Life) -> None:
    lpn, box = await taken_off_the_packer(life, "mute")
    row = await asked_whether_sealed(life, lpn)
    await life.resolver.resolve(row, "done", actor="lin", role="operator")
    assert await life.effect(SEAL, lpn, 1) is EffectState.CONFIRMED
    assert await life.label_all(lpn) is box
    assert (await life.parcel(lpn)).state is ParcelState.VERIFIED and len(box.labels) == 1


async def test_a_carton_that_a_person_calls_open_goes_back_and_is_sealed_then(life: Life) -> None:
    lpn, box = await taken_off_the_packer(life, "half")
    row = await asked_whether_sealed(life, lpn)
    await life.resolver.resolve(row, "not_done", actor="lin", role="operator")
    life.floor.lane_full[2] = True
    await life.label.step()
    assert life.floor.hall.stop is box  # no room yet, and nobody is asked a second time
    life.floor.lane_full[2] = False
    await life.label_all(lpn)
    assert life.floor.hall.lanes[2] == [box] and box.labels == []
    life.floor.hall.infeed = box
    await life.pack.step()
    assert life.floor.hall.seals == {lpn: 1} and (await life.parcel(lpn)).state is ParcelState.PACKED


@pytest.mark.parametrize("row", ["none", "not_executed", "failed"])
async def test_a_sealed_carton_whose_seal_the_books_have_lost_is_asked_about_instead_of_circling(
    life: Life, row: str
) -> None:
    """A backup came back: the carton was sealed, and even labelled off the line, in the time that is lost."""
    lpn = await life.carton(state="collected", place="to:pack-1")
    box = Carton(lpn=lpn)
    if row != "none":
        life.floor.hall.infeed = box
        life.floor.packer.misbehave["seal"] = "refuse" if row == "not_executed" else "fail"
        await trouble(life.pack.step())
    box.sealed, life.floor.hall.infeed, life.floor.hall.stop = True, None, box
    found = await trouble(life.label.step())
    assert (found.fault.code, found.subject) == (3017, lpn)
    await life.resolver.resolve(await ask(life, found), "done", actor="lin", role="operator")
    await life.label_all(lpn)
    assert (await life.parcel(lpn)).state is ParcelState.VERIFIED and not life.floor.hall.seals


async def test_the_packers_own_word_comes_first_when_its_carton_was_quicker(life: Life) -> None:
    """The line to the packer was lost in mid-job; the carton goes on before the machine can be asked."""
    lpn = await life.carton(state="collected", place="to:pack-1")
    life.floor.hall.infeed = box = Carton(lpn=lpn)
    life.floor.packer.misbehave["seal"] = "gone"
    assert (await trouble(life.pack.step())).fault.code == 1001
    job = next(iter(life.floor.packer.memory))
    life.floor.packer.memory[job] = Evidence(state=EffectState.CONFIRMED, source="machine memory")
    box.sealed, life.floor.hall.infeed, life.floor.hall.stop = True, None, box
    await life.label.step()
    assert life.label.screen.state == "waiting"
    await life.pack.step()
    await life.label_all(lpn)
    assert (await life.parcel(lpn)).state is ParcelState.VERIFIED
    assert await life.kit.books.open_exceptions() == []


async def test_a_held_carton_that_is_not_packed_goes_to_the_rack_without_a_question(life: Life) -> None:
    lpn = await life.carton(state="collected", place="to:pack-1")
    await life.record("ParcelHeld", lpn)
    box = await life.label_all(lpn)
    assert life.floor.hall.lanes[2] == [box]


# -- changes from outside in mid-work ----------------------------------------------------------------------------------


def during(life: Life, act: str, change: Callable[[], Awaitable[None]]) -> None:
    """Let something happen in the books while a machine works."""
    device: Any = life.floor.printer if act == "print" else life.floor.arm
    plain = device.send

    async def send(effect: Any, ticket: Any) -> Any:
        evidence = await plain(effect, ticket)
        if effect.kind.name == act:
            device.send = plain
            await change()
        return evidence

    device.send = send


async def test_a_new_address_while_the_label_is_printed_throws_that_label_away(life: Life) -> None:
    lpn = await life.carton()
    during(life, "print", lambda: life.change(ship_to=ELSEWHERE))
    box = await life.label_all(lpn)
    first, second = life.floor.hall.printed
    assert life.floor.hall.thrown == [first] and box.labels == [second]
    assert (await life.parcel(lpn)).state is ParcelState.VERIFIED
    assert await life.kit.books.open_exceptions() == []


async def worked_out_early(life: Life, **changed: Any) -> Callable[[], Awaitable[None]]:
    """Work out what a change means now, as a feed does that is slow to book it; gives the booking."""
    new = content(1, version=2, digest="1" * 64, **changed)
    order = await life.the_order(new.order_id)
    units = await life.kit.books.units(order_id=new.order_id)
    events = changes(order, units, await life.kit.books.parcels(order_id=new.order_id), new)
    return lambda: life.kit.record(*events)


@pytest.mark.parametrize("act", ["print", "apply"])
@pytest.mark.parametrize("ship_to", [ELSEWHERE, None], ids=["another", "none"])
async def test_a_label_with_an_address_that_the_order_has_no_more_is_not_verified(
    life: Life, act: str, ship_to: Address | None
) -> None:
    """The change was worked out before the label's number was booked: it voids no label."""
    lpn = await life.carton(approval=False)
    during(life, act, await worked_out_early(life, approval=False, ship_to=ship_to))
    box = await life.label_all(lpn)
    parcel = await life.parcel(lpn)
    assert (parcel.state, parcel.reason, parcel.sscc) == (ParcelState.CLARIFY, "address_changed", "")
    assert life.floor.hall.lanes[3] == [box]
    assert await life.effect(PRINT, lpn, 1) is await life.effect(APPLY, lpn, 1) is EffectState.VOIDED


async def test_a_change_that_leaves_the_address_as_it_is_takes_no_label_back(life: Life) -> None:
    lpn = await life.carton()
    during(life, "print", await worked_out_early(life, buyer="another"))
    await life.label_all(lpn)
    assert (await life.parcel(lpn)).state is ParcelState.VERIFIED


async def test_the_label_carries_the_address_that_the_order_has_when_its_number_is_booked(life: Life) -> None:
    lpn = await life.carton()
    life.floor.hall.peel = Paper(sscc="395213210000009999", lpn="PL0000000994", print_number=77)
    during(life, "discard", lambda: life.change(ship_to=ELSEWHERE))
    await life.label_all(lpn)
    row = await life.kit.ledger.find(PRINT, lpn, 1)
    assert row is not None and row.effect.parameters["ship_to"]["city"] == "北京"


async def test_an_order_cancelled_while_its_label_is_printed_goes_to_clarification_without_it(life: Life) -> None:
    lpn = await life.carton()
    during(life, "print", lambda: life.change(purchase=Purchase.CANCELLED))
    box = await life.label_all(lpn)
    assert box.labels == [] and life.floor.hall.lanes[3] == [box]
    nxt = await life.carton(2, 2)
    box = await life.label_all(nxt)
    assert [p.lpn for p in box.labels] == [nxt] and not life.floor.hall.wrong_labels()
    assert await life.kit.books.open_exceptions() == []


async def test_an_order_cancelled_while_the_label_is_put_on_is_not_approved(life: Life) -> None:
    lpn = await life.carton(approval=False)
    during(life, "apply", lambda: life.change(approval=False, purchase=Purchase.CANCELLED))
    box = await life.label_all(lpn)
    assert life.floor.hall.lanes[3] == [box] and (await life.parcel(lpn)).state is ParcelState.RETURNING


async def test_a_reprint_asked_for_while_the_label_is_printed_voids_only_that_label(life: Life) -> None:
    lpn = await life.carton()

    async def reprint() -> None:
        await life.resolver.parcel(lpn, "reprint", actor="lin", role="operator")

    during(life, "print", reprint)
    box = await life.label_all(lpn)
    assert len(life.floor.hall.printed) == 2 and len(box.labels) == 1
    assert (await life.parcel(lpn)).state is ParcelState.VERIFIED


async def test_reprint_voids_the_old_label_and_gives_new_numbers(life: Life) -> None:
    lpn = await life.carton()
    box = await life.label_all(lpn)
    before = await life.parcel(lpn)
    await life.resolver.parcel(lpn, "reprint", actor="lin", role="operator")
    assert await life.effect(PRINT, lpn, 1) is EffectState.VOIDED
    assert await life.effect(APPLY, lpn, 1) is EffectState.VOIDED
    box.labels.clear()
    life.floor.hall.stop = box
    await life.label_all(lpn)
    after = await life.parcel(lpn)
    assert after.sscc != before.sscc and after.print_number != before.print_number and after.generation == 2
    old = await life.kit.books.label(before.sscc)
    assert old is not None and old.state == "voided"


async def test_reprinted_parcel_that_still_shows_its_old_label_gets_no_second_one(life: Life) -> None:
    lpn = await life.carton()
    box = await life.label_all(lpn)
    await life.resolver.parcel(lpn, "reprint", actor="lin", role="operator")
    life.floor.hall.stop = box
    assert (await trouble(life.label.step())).fault.code == 3003
    assert len(life.floor.hall.printed) == 1


async def test_a_rejected_parcel_comes_back_through_the_clarification_lane(life: Life) -> None:
    lpn = await life.carton()
    box = await life.label_all(lpn)
    await life.record("ParcelRejected", lpn)
    life.floor.hall.stop = box
    await life.label_all(lpn)
    assert life.floor.hall.lanes[3] == [box]


async def test_a_parcel_that_comes_back_is_ejected_again_under_a_new_visit(life: Life) -> None:
    lpn = await life.carton(paid=False)
    box = await life.label_all(lpn)
    life.floor.hall.stop = box
    await life.label_all(lpn)
    assert (await life.parcel(lpn)).visits == 2 and life.floor.arm.done.count(("eject", lpn)) == 2


async def test_a_parcel_that_left_unbooked_and_comes_back_is_on_a_new_visit(life: Life) -> None:
    """The controller died between the eject and its booking: the books still have the parcel here."""
    lpn = await life.carton(paid=False)
    box = await life.label_all(lpn)
    await life.record("ParcelMoved", lpn, place="label-1")
    life.floor.hall.lanes[2].clear()
    life.floor.hall.stop = box
    await life.label_all(lpn)
    assert life.floor.hall.lanes[2] == [box] and (await life.parcel(lpn)).visits == 2


async def test_a_carton_for_the_bench_is_not_labelled_by_the_machine(life: Life) -> None:
    order_id = await life.order(5)
    from packline.core.identity import Lpn

    lpn = Lpn.number(5).text
    await life.kit.record(
        life._event("ParcelOpened", lpn, order_id, place="to:bench-1", bench=True),
        life._event("ParcelCollected", lpn, order_id),
        life._event("ParcelPacked", lpn, order_id),
    )
    box = await life.label_all(lpn)
    assert box.labels == [] and life.floor.hall.lanes[2] == [box]


async def test_a_machine_that_is_stale_or_broken_or_unclaimed_holds_the_station(life: Life) -> None:
    arm = life.floor.machines["arm"]
    changes: tuple[tuple[dict[str, Any], int], ...] = (
        ({"quality": "absent"}, 1001),
        ({"quality": "stale"}, 1002),
        ({"quality": "bad"}, 1003),
        ({"faults": (2007,)}, 2007),
        ({"owned": False}, 1002),
        ({"owned": False, "faults": (1101,)}, 1101),
    )
    for change, code in changes:
        before = arm.now
        arm.now = type(before)(**change)
        with pytest.raises(Fault) as found:
            await life.label.step()
        assert found.value.code == code
        arm.now = before
