"""The printer at the label station: in doubt it is asked after, and no label of another parcel is put on."""

from __future__ import annotations

import pytest

from packline.core.effects import DISCARD, Effect, EffectState, Evidence
from packline.orders.model import ParcelState
from tests.stations.fakes import Carton, Paper
from tests.stations.line import Life, Rig, trouble


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
