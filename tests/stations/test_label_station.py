"""The label station: right label, right parcel, once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from packline.core.effects import Effect, EffectState
from packline.core.faults import Fault
from packline.core.identity import Lpn
from packline.orders.model import Event, ParcelState, Purchase
from stations.label_job import FRESH_S
from tests.stations.fakes import Carton, Paper, codes_on, nothing
from tests.stations.line import Life, trouble


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


async def test_carton_whose_own_older_label_shows_only_its_mark_gets_no_second_one(life: Life) -> None:
    lpn = await life.carton()
    await life.label_all(lpn)
    old = life.floor.hall.printed[0]
    await life.resolver.parcel(lpn, "reprint", actor="lin", role="supervisor")
    life.floor.hall.stop = Carton(lpn=lpn, labels=[old], sealed=True)
    codes = codes_on(life.floor.hall.stop)
    marks_alone = [code for code in codes if not code[0].startswith("00")]
    life.floor.cam_verify.photograph = lambda _: json.dumps(marks_alone).encode()
    found = await trouble(life.label.step())
    assert found.fault.code == 3003 and len(life.floor.hall.printed) == 1


async def test_a_label_names_what_lies_in_its_own_carton(life: Life) -> None:
    """Its order is split: the other piece lies in another carton."""
    order_id = await life.order(lines={"CUP": 1, "POT": 1})
    for serial, unit in ((1, f"{order_id}.1.1"), (2, f"{order_id}.2.1")):
        plate = Lpn.number(serial).text
        await life.kit.record(
            Event(kind="ParcelOpened", subject=plate, order_id=order_id, data={"place": "to:label-1"})
        )
        for kind in ("UnitInducted", "UnitInspected"):
            await life.record_unit(kind, unit, order_id)
        await life.record_unit("UnitBoxed", unit, order_id, lpn=plate)
    lpn = Lpn.number(1).text
    for kind in ("ParcelCollected", "ParcelPacked"):
        await life.record(kind, lpn)
    seen = []

    async def look(effect: Effect) -> None:
        seen.append(effect.parameters["contents"])

    life.floor.printer.before_send = look
    await life.label_all(lpn)
    assert seen == [["CUP it is"]]


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


async def test_a_label_that_took_long_to_print_is_not_put_on_the_carton_that_was_set_down_meanwhile(life: Life) -> None:
    first, other = await life.carton(1, 1), await life.carton(2, 2)
    life.floor.hall.stop = Carton(lpn=first, sealed=True)

    async def changed(_: Effect) -> None:
        life.floor.printer.before_send = nothing
        life.floor.clock.advance(FRESH_S + 1)
        life.floor.hall.stop = Carton(lpn=other, sealed=True)

    life.floor.printer.before_send = changed
    found = await trouble(life.label.step())
    assert (found.fault.code, found.subject) == (3001, first) and life.floor.hall.stuck == []
    box = await life.label_all(other)
    assert [paper.lpn for paper in box.labels] == [other] and life.floor.hall.wrong_labels() == []
    back = await life.label_all(first)
    assert [paper.lpn for paper in back.labels] == [first] and life.floor.hall.doubles() == []


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


# -- again, or not at all -----------------------------------------------------------------------------------------------


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
