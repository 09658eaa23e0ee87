"""The printer at the label station: in doubt it is asked after, and no label of another parcel is put on."""

from __future__ import annotations

import pytest

from packline.core.effects import DISCARD, PRINT, Effect, EffectState, Evidence
from packline.orders.model import ParcelState
from packline.orders.policy import rule_for
from stations.kit import Trouble
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


async def asked_of(life: Life, found: Trouble) -> str:
    """Open the question that a step raised, as its station does; gives its id."""
    actions = [action.value for action in rule_for(found.fault.code).actions]
    return await life.kit.books.open_exception(
        found.fault, station="label-1", subject=found.subject, actions=actions, effect_id=found.effect_id
    )


async def test_a_label_at_the_exit_is_not_ours_when_ours_was_not_printed(life: Life) -> None:
    lpn = await life.carton()
    life.floor.hall.stop = Carton(lpn=lpn, sealed=True)
    life.floor.printer.misbehave = "unplugged"
    await trouble(life.label.step())
    assert await life.effect(PRINT, lpn, 1) is EffectState.NOT_EXECUTED
    life.floor.printer.misbehave = ""
    stray = life.floor.hall.peel = Paper(sscc="395213210000009999", lpn="PL0000000994", print_number=77)
    box = await life.label_all(lpn)
    assert life.floor.hall.thrown == [stray] and [paper.lpn for paper in box.labels] == [lpn]


async def test_what_lies_at_the_exit_of_a_silent_printer_is_no_proof_and_a_person_is_asked(life: Life) -> None:
    """It may be half a label: the cover was open for a moment, and what is left of the job waits behind it."""
    lpn = await life.carton()
    life.floor.hall.stop = Carton(lpn=lpn, sealed=True)
    life.floor.printer.misbehave = "silent"
    found = await trouble(life.label.step())
    assert found.fault.code == 2103 and life.floor.hall.peel is not None and life.floor.hall.stuck == []
    assert await life.effect(PRINT, lpn, 1) is EffectState.UNKNOWN
    await life.resolver.resolve(await asked_of(life, found), "done", actor="lin", role="operator")
    box = await life.label_all(lpn)
    assert len(box.labels) == 1 and len(life.floor.hall.printed) == 1


async def test_a_job_that_comes_out_after_a_person_called_it_not_printed_is_thrown_away_and_no_second_print(
    life: Life,
) -> None:
    lpn = await life.carton()
    life.floor.hall.stop = Carton(lpn=lpn, sealed=True)
    life.floor.printer.misbehave = "silent lost"
    found = await trouble(life.label.step())
    old = await life.parcel(lpn)
    await life.resolver.resolve(await asked_of(life, found), "not_done", actor="lin", role="operator")
    assert await life.effect(PRINT, lpn, 1) is EffectState.VOIDED
    life.floor.printer.misbehave = ""
    held = Paper(sscc=old.sscc, lpn=lpn, print_number=old.print_number)

    def comes_out() -> None:
        life.floor.printer.on_prepare = lambda: None
        life.floor.printer._cut(held)

    life.floor.printer.on_prepare = comes_out
    box = await life.label_all(lpn)
    assert life.floor.hall.thrown == [held]
    numbers = [paper.print_number for paper in life.floor.hall.printed]
    assert len(numbers) == len(set(numbers)) == 2 and [p.print_number for p in box.labels] == numbers[1:]


@pytest.mark.parametrize("state", [EffectState.NOT_EXECUTED, EffectState.CONFIRMED])
async def test_not_printed_voids_the_number_whatever_a_counter_said_after_the_question(
    life: Life, state: EffectState
) -> None:
    lpn = await life.carton()
    life.floor.hall.stop = Carton(lpn=lpn, sealed=True)
    life.floor.printer.misbehave = "silent lost"
    found = await trouble(life.label.step())
    row, old = await asked_of(life, found), await life.parcel(lpn)
    await life.kit.ledger.settle(found.effect_id, Evidence(state=state, source="label counter"))
    await life.resolver.resolve(row, "not_done", actor="lin", role="operator")
    life.floor.printer.misbehave = ""
    box = await life.label_all(lpn)
    assert [paper.print_number for paper in box.labels] != [old.print_number]
    assert (await life.parcel(lpn)).generation == 2


async def test_not_printed_said_after_the_label_was_seen_on_its_carton_changes_nothing(life: Life) -> None:
    lpn = await life.carton()
    life.floor.hall.stop = Carton(lpn=lpn, sealed=True)
    life.floor.printer.misbehave = "silent"
    found = await trouble(life.label.step())
    row = await asked_of(life, found)
    await life.kit.ledger.settle(found.effect_id, Evidence(state=EffectState.CONFIRMED, source="label counter"))
    await life.label_all(lpn)
    before = await life.parcel(lpn)
    await life.resolver.resolve(row, "not_done", actor="lin", role="operator")
    assert await life.parcel(lpn) == before and before.state is ParcelState.VERIFIED


async def test_a_word_on_a_print_of_a_parcel_that_was_put_aside_meanwhile_leaves_it_aside(life: Life) -> None:
    lpn = await life.carton()
    life.floor.hall.stop = Carton(lpn=lpn, sealed=True)
    life.floor.printer.misbehave = "silent lost"
    row = await asked_of(life, await trouble(life.label.step()))
    await life.record("ParcelClarify", lpn, reason="sent by a person")
    await life.resolver.resolve(row, "not_done", actor="lin", role="operator")
    parcel = await life.parcel(lpn)
    assert parcel.state is ParcelState.CLARIFY and not parcel.sscc


async def test_a_job_that_no_counter_knows_is_never_printed_again_under_its_number(life: Life) -> None:
    """The printer lost its power, and its counters fell back to before the job: the label lies there, or in a hand."""
    lpn = await life.carton()
    life.floor.hall.stop = Carton(lpn=lpn, sealed=True)
    life.floor.printer.misbehave = "silent"
    await trouble(life.label.step())
    old = await life.parcel(lpn)
    life.floor.printer.misbehave = ""
    life.floor.printer.cuts -= 1
    found = await trouble(life.label.step())
    assert found.fault.code == 2003
    await life.resolver.resolve(await asked_of(life, found), "retry", actor="lin", role="operator")
    box = await life.label_all(lpn)
    numbers = [paper.print_number for paper in life.floor.hall.printed]
    assert len(numbers) == len(set(numbers)) == 2 and [p.print_number for p in box.labels] == numbers[1:]
    assert [paper.print_number for paper in life.floor.hall.thrown] == [old.print_number]
    assert await life.effect(PRINT, lpn, 1) is EffectState.NOT_EXECUTED


async def test_a_job_that_never_left_goes_out_under_its_own_number(life: Life) -> None:
    lpn = await life.carton()
    life.floor.hall.stop = Carton(lpn=lpn, sealed=True)
    life.floor.printer.misbehave = "unplugged"
    found = await trouble(life.label.step())
    assert found.fault.code == 1001
    old = await life.parcel(lpn)
    life.floor.printer.misbehave = ""
    box = await life.label_all(lpn)
    assert [paper.print_number for paper in box.labels] == [old.print_number]


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
