"""The arm at the label station: what it says is believed only as far as the camera shows it."""

from __future__ import annotations

from packline.core.effects import APPLY, EJECT, EffectState, Evidence
from packline.orders.model import ParcelState
from packline.orders.policy import Action, actions_for
from tests.stations.fakes import Carton, Paper
from tests.stations.line import Life, trouble


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
