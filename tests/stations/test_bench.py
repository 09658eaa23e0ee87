"""The bench: a person packs and labels under the same rules as the machines."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from packline.core.effects import APPLY, PRINT, SEAL, EffectState
from packline.core.faults import Fault
from packline.core.identity import Lpn
from packline.orders.model import ParcelState, Purchase
from stations.bench import Bench
from stations.screen import Screen
from tests.stations.fakes import Carton, Paper
from tests.stations.line import Life, Rig, trouble
from tests.waiting import until


async def bulky(life: Life, serial: int = 1, number: object = 1, **changes: Any) -> str:
    """Make a collected carton for the bench and put it there."""
    order_id = await life.order(number, {"LAMP": 1}, **changes)
    lpn = Lpn.number(serial).text
    await life.kit.record(life._event("ParcelOpened", lpn, order_id, place="to:bench-1", bench=True))
    for unit in await life.kit.books.units(order_id=order_id):
        for kind in ("UnitInducted", "UnitInspected"):
            await life.record_unit(kind, unit.unit_id, order_id)
        await life.record_unit("UnitBoxed", unit.unit_id, order_id, lpn=lpn)
    await life.kit.record(life._event("ParcelCollected", lpn, order_id))
    life.floor.hall.bench = Carton(lpn=lpn)
    return lpn


def job(life: Life) -> Any:
    """Give what the person at the bench is asked for."""
    return life.bench._hands.job


async def asked(life: Life, key: str) -> asyncio.Task[None]:
    """Step the bench until its screen asks for `key`."""
    step = asyncio.ensure_future(life.bench.step())
    await until(lambda: step.done() or (job(life) is not None and life.bench.screen.next.key == key))
    assert not step.done(), life.bench.screen.next
    return step


async def closed(life: Life, lpn: str) -> asyncio.Task[None]:
    """Scan the plate and close the carton by hand; gives the step that goes on."""
    assert (await life.scan(life.bench, lpn)).key == "carton_ok"
    step = await asked(life, "close_by_hand")
    assert (await life.scan(life.bench, "DO:DONE", actor="mei")).key == "done"
    return step


def stuck(life: Life) -> Paper:
    """Stick the label that came out on the carton at the bench; gives the label."""
    paper = life.floor.bench_exit[0]
    assert life.floor.hall.bench
    life.floor.hall.stick(paper, life.floor.hall.bench)
    return paper


async def test_a_person_packs_labels_and_sends_on(life: Life) -> None:
    lpn = await bulky(life)
    step = await closed(life, lpn)
    await until(lambda: job(life) is not None and job(life).kind is APPLY)
    paper = stuck(life)
    assert (await life.scan(life.bench, f"00{paper.sscc}", actor="mei")).key == "label_ok"
    await step
    parcel = await life.parcel(lpn)
    assert parcel.state is ParcelState.VERIFIED and parcel.place == "to:hold-1"
    assert life.bench.screen.next.key == "take_to" and life.bench.screen.next.params["to"] == "hold-1"
    row = await life.kit.ledger.find(SEAL, lpn, 1)
    assert row is not None and row.state is EffectState.CONFIRMED


async def test_where_to_take_a_carton_is_said_until_it_is_there_and_no_longer(life: Life) -> None:
    lpn = await bulky(life)
    step = await closed(life, lpn)
    await until(lambda: job(life) is not None and job(life).kind is APPLY)
    paper = stuck(life)
    await life.scan(life.bench, f"00{paper.sscc}", actor="mei")
    await step
    await life.bench.step()
    assert life.bench.screen.next.key == "take_to"
    await life.kit.moved(await life.parcel(lpn), "H03", "hold-1")
    await life.bench.step()
    assert (life.bench.screen.next.key, life.bench.screen.tasks) == ("wait_carton", [])
    assert life.bench.screen.parcel == ""


async def test_wrong_label_scanned_at_the_bench_is_refused_and_nothing_is_believed(life: Life) -> None:
    other = await life.approved(9, 9)
    lpn = await bulky(life)
    step = await closed(life, lpn)
    await until(lambda: job(life) is not None and job(life).kind is APPLY)
    for text, code in ((f"00{other.labels[0].sscc}", 3002), ("00395213210000009999", 3002), ("DO:DONE", 4304)):
        with pytest.raises(Fault) as found:
            await life.scan(life.bench, text)
        assert found.value.code == code
    assert await life.effect(APPLY, lpn, 1) is EffectState.SENT
    step.cancel()


async def test_the_camera_has_the_last_word_at_the_bench(life: Life) -> None:
    """The person scanned the right label but stuck it nowhere."""
    lpn = await bulky(life)
    step = await closed(life, lpn)
    await until(lambda: job(life) is not None and job(life).kind is APPLY)
    await life.scan(life.bench, f"00{life.floor.bench_exit[0].sscc}")
    with pytest.raises(Exception, match="2104"):
        await step
    assert (await life.parcel(lpn)).state is ParcelState.PRINTED


@pytest.mark.parametrize("before", ["nothing", "another"])
async def test_the_bench_prints_only_for_the_carton_whose_plate_its_camera_sees(life: Life, before: str) -> None:
    """The plate was scanned in a hand; what stands before the camera is nothing, or another carton."""
    lpn = await bulky(life)
    life.floor.hall.bench = None if before == "nothing" else Carton(lpn="PL0000000994")
    step = await closed(life, lpn)
    await until(lambda: step.done() or bool(life.floor.bench_exit))
    assert life.floor.bench_exit == [] and await life.effect(PRINT, lpn, 1) is None
    found = await trouble(step)
    assert (found.fault.code, found.subject) == (3001, lpn)
    life.floor.hall.bench = Carton(lpn=lpn, sealed=True)
    (await asked(life, "stick_label")).cancel()
    assert [paper.lpn for paper in life.floor.bench_exit] == [lpn]


async def test_a_label_in_doubt_at_the_bench_is_void_when_its_parcel_comes_back(life: Life) -> None:
    """The printer swallowed it and was silent; the next parcel's label is the "one cut since" that its counter shows."""
    first = await bulky(life)
    life.floor.bench_printer.misbehave = "silent lost"
    step = await closed(life, first)
    assert (await trouble(step)).fault.code == 2103
    await life.record("ParcelClarify", first, reason="sent by a person")
    await life.bench.step()
    life.floor.bench_printer.misbehave = ""
    await label_by_hand(life, await bulky(life, 2, 2))
    await life.record("ParcelResumed", first, to="packed")
    life.floor.hall.bench = Carton(lpn=first, sealed=True)
    old = (await life.parcel(first)).sscc
    await life.scan(life.bench, first)
    step = await asked(life, "stick_label")
    with pytest.raises(Fault, match="3006"):
        await life.scan(life.bench, f"00{old}")
    step.cancel()
    assert await life.effect(PRINT, first, 1) is EffectState.VOIDED
    assert [paper.lpn for paper in life.floor.hall.printed][1:] == [first]
    assert (await life.parcel(first)).generation == 2


async def test_a_label_in_doubt_is_void_also_when_its_carton_was_only_put_aside(rig: Rig) -> None:
    """Nobody scanned it away: the books have it at the bench, and the next carton there says that it is not."""
    life = rig.live()
    first = await bulky(life)
    life.floor.bench_printer.misbehave = "silent lost"
    assert (await trouble(await closed(life, first))).fault.code == 2103
    life.floor.bench_printer.misbehave = ""
    again = rig.live()
    await label_by_hand(again, await bulky(again, 2, 2))
    assert (await again.parcel(first)).place == ""
    rig.floor.hall.bench = Carton(lpn=first, sealed=True)
    await again.scan(again.bench, first)
    (await asked(again, "stick_label")).cancel()
    assert await again.effect(PRINT, first, 1) is EffectState.VOIDED


async def test_a_label_of_this_visit_is_not_printed_again_at_the_bench(rig: Rig) -> None:
    life = rig.live()
    lpn = await bulky(life)
    step = await closed(life, lpn)
    await until(lambda: job(life) is not None and job(life).kind is APPLY)
    step.cancel()
    again = rig.live()
    await again.scan(again.bench, lpn)
    (await asked(again, "stick_label")).cancel()
    assert len(rig.floor.hall.printed) == 1


async def label_by_hand(life: Life, lpn: str) -> None:
    """Close and label the carton on the bench."""
    step = await closed(life, lpn)
    await until(lambda: job(life) is not None and job(life).kind is APPLY)
    paper = life.floor.bench_exit[-1]
    assert life.floor.hall.bench is not None
    life.floor.hall.stick(paper, life.floor.hall.bench)
    await life.scan(life.bench, f"00{paper.sscc}")
    await step
    assert (await life.parcel(lpn)).state is ParcelState.VERIFIED


async def test_the_job_of_a_person_survives_a_restart_and_is_answered_in_the_next_run(rig: Rig) -> None:
    life = rig.live()
    lpn = await bulky(life)
    step = await closed(life, lpn)
    await until(lambda: job(life) is not None and job(life).kind is APPLY)
    step.cancel()
    again = rig.live()
    await asked(again, "stick_label")
    paper = stuck(again)
    await again.scan(again.bench, f"00{paper.sscc}")
    await until(lambda: again.bench.screen.next.key == "take_to")
    assert (await again.parcel(lpn)).state is ParcelState.VERIFIED
    assert len(rig.floor.bench_exit) == 1


async def test_a_person_who_could_not_do_it_is_asked_again(life: Life) -> None:
    lpn = await bulky(life)
    await life.scan(life.bench, lpn)
    step = await asked(life, "close_by_hand")
    await life.scan(life.bench, "DO:NOTDONE")
    with pytest.raises(Exception, match="2003"):
        await step
    assert await life.effect(SEAL, lpn, 1) is EffectState.NOT_EXECUTED
    step = await asked(life, "close_by_hand")
    step.cancel()


async def test_an_order_cancelled_while_its_carton_is_closed_goes_back(life: Life) -> None:
    lpn = await bulky(life)
    await life.scan(life.bench, lpn)
    step = await asked(life, "close_by_hand")
    await life.change(lines={"LAMP": 1}, purchase=Purchase.CANCELLED)
    await life.scan(life.bench, "DO:DONE")
    await step
    assert (await life.parcel(lpn)).state is ParcelState.RETURNING
    assert life.bench.screen.next.params["to"] == "clarify-1" and life.floor.bench_exit == []


async def test_an_unpaid_bulky_parcel_is_closed_and_waits_in_the_rack(life: Life) -> None:
    lpn = await bulky(life, paid=False)
    step = await closed(life, lpn)
    await step
    assert (await life.parcel(lpn)).state is ParcelState.PACKED
    assert life.bench.screen.next.params["to"] == "hold-1"


async def test_one_carton_at_a_time_and_strangers_are_sent_on(life: Life) -> None:
    lpn = await bulky(life)
    ordinary = await life.carton(2, 2)
    await life.scan(life.bench, lpn)
    assert (await life.scan(life.bench, ordinary)).key == "finish_first"
    life.bench._current = ""
    assert (await life.scan(life.bench, ordinary)).params["to"] == "label-1"
    for text, code in (("PL0000000994", 4106), ("hello", 4101), ("DO:DONE", 4304)):
        with pytest.raises(Fault) as found:
            await life.scan(life.bench, text)
        assert found.value.code == code


async def test_the_bench_lists_what_is_on_its_way(life: Life) -> None:
    lpn = await bulky(life)
    await life.bench.step()
    assert [task.params["lpn"] for task in life.bench.screen.tasks] == [lpn]
    assert life.bench.screen.next.key == "wait_carton"


async def test_packing_alone_can_be_done_by_a_person(life: Life) -> None:
    lpn = await life.carton(state="collected", place="to:pack-1")
    bench = Bench(name="pack-1", kind="pack", kit=life.kit, screen=Screen(), printer=None, eye=None)
    assert (await life.scan(bench, lpn)).key == "carton_ok"
    step = asyncio.ensure_future(bench.step())
    await until(lambda: bench._hands.job is not None)
    await life.scan(bench, "DO:DONE")
    await step
    parcel = await life.parcel(lpn)
    assert parcel.state is ParcelState.PACKED and parcel.place == "to:label-1"


async def test_labelling_alone_can_be_done_by_a_person(life: Life) -> None:
    lpn = await life.carton()
    life.floor.hall.bench = Carton(lpn=lpn, sealed=True)
    bench = life.bench
    bench.name = "label-1"
    await life.scan(bench, lpn)
    step = asyncio.ensure_future(bench.step())
    await until(lambda: bench._hands.job is not None)
    paper = stuck(life)
    await life.scan(bench, f"00{paper.sscc}")
    await step
    assert (await life.parcel(lpn)).state is ParcelState.VERIFIED
