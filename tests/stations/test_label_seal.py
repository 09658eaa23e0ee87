"""Is it sealed? A carton whose seal is in doubt is not labelled, and a carton is not sealed twice."""

from __future__ import annotations

import pytest

from packline.core.effects import SEAL, EffectState, Evidence
from packline.orders.model import ParcelState
from packline.orders.policy import rule_for
from stations.kit import Trouble
from stations.print_apply import PACKER_SAYS_S
from tests.stations.fakes import Carton
from tests.stations.line import Life, trouble


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
