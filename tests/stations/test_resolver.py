"""What people decide settles the ledger and moves parcels; nothing can be asked that cannot be answered."""

from __future__ import annotations

import pytest

from packline.core.effects import APPLY, PRINT, EffectState, Evidence
from packline.core.faults import FAULTS, Fault
from packline.orders.model import OrderState, ParcelState
from packline.orders.policy import POLICY, Action, Reaction
from tests.stations.fakes import Carton
from tests.stations.line import Life, Rig, trouble

LIN = {"actor": "lin", "role": "supervisor"}


async def ask(life: Life, code: int, subject: str, *, effect_id: str = "", actions: tuple[str, ...] = ()) -> str:
    """Open an exception as a station would; gives its id."""
    offered = actions or tuple(a.value for a in POLICY[code].actions)
    return await life.kit.books.open_exception(
        Fault(code, where="test"), station="label-1", subject=subject, actions=offered, effect_id=effect_id
    )


async def in_doubt(life: Life) -> tuple[str, str]:
    """Leave an application in doubt; gives the plate and the exception."""
    lpn = await life.carton()
    life.floor.hall.stop = Carton(lpn=lpn, sealed=True)
    life.floor.arm.misbehave["apply"] = "deaf"
    found = await trouble(life.label.step())
    return lpn, await ask(life, found.fault.code, lpn, effect_id=found.effect_id)


@pytest.mark.parametrize(
    "action, state", [("done", EffectState.CONFIRMED), ("not_done", EffectState.NOT_EXECUTED)], ids=str
)
async def test_a_persons_answer_settles_the_ledger_and_names_the_person(
    life: Life, action: str, state: EffectState
) -> None:
    lpn, row = await in_doubt(life)
    await life.resolver.resolve(row, action, note="I looked", **LIN)
    assert await life.effect(APPLY, lpn, 1) is state
    assert await life.kit.books.open_exceptions() == []


async def test_answers_by_people_settle_the_ledger_even_if_the_station_was_restarted(rig: Rig) -> None:
    life = rig.live()
    lpn, row = await in_doubt(life)
    again = rig.live()
    await again.resolver.resolve(row, "not_done", **LIN)
    await again.label_all(lpn)
    assert len(rig.floor.hall.stuck) == 1 and len(rig.floor.hall.printed) == 1


@pytest.mark.parametrize("action", ["done", "not_done", "clarify"])
async def test_an_answer_that_comes_after_the_doubt_was_settled_closes_the_question_and_changes_no_evidence(
    life: Life, action: str
) -> None:
    lpn, row = await in_doubt(life)
    effect = await life.kit.ledger.find(APPLY, lpn, 1)
    assert effect is not None
    await life.kit.ledger.settle(effect.effect_id, Evidence(state=EffectState.CONFIRMED, source="machine memory"))
    await life.resolver.resolve(row, action, **LIN)
    assert await life.effect(APPLY, lpn, 1) is EffectState.CONFIRMED
    assert await life.kit.books.open_exceptions() == []


async def test_exceptions_are_the_same_row_after_a_restart(rig: Rig) -> None:
    life = rig.live()
    lpn, row = await in_doubt(life)
    again = rig.live()
    found = await trouble(again.label.step())
    assert await ask(again, found.fault.code, lpn, effect_id=found.effect_id) == row


async def test_only_offered_and_allowed_actions_are_taken(life: Life) -> None:
    lpn, row = await in_doubt(life)
    with pytest.raises(Fault, match="done | not_done | clarify"):
        await life.resolver.resolve(row, "shipped", **LIN)
    void = await ask(life, 3002, lpn)
    with pytest.raises(Fault, match="higher role"):
        await life.resolver.resolve(void, "void", actor="mei", role="operator")
    with pytest.raises(Fault, match="no open exception"):
        await life.resolver.resolve("nonsense", "done", **LIN)
    assert len(await life.kit.books.open_exceptions()) == 2


async def test_clarify_takes_the_parcel_aside(life: Life) -> None:
    lpn, row = await in_doubt(life)
    await life.resolver.resolve(row, "clarify", **LIN)
    assert (await life.parcel(lpn)).state is ParcelState.CLARIFY
    await life.label_all(lpn)
    assert [b.lpn for b in life.floor.hall.lanes[3]] == [lpn]


async def test_void_sends_it_back_and_shipped_books_it_as_gone(life: Life) -> None:
    one = await life.carton(1, 1)
    await life.resolver.resolve(await ask(life, 3002, one), "void", **LIN)
    assert (await life.parcel(one)).state is ParcelState.RETURNING
    two = (await life.approved(2, 2)).lpn
    await life.resolver.resolve(await ask(life, 3007, two), "shipped", **LIN)
    parcel = await life.parcel(two)
    assert parcel.state is ParcelState.SHIPPED
    assert (await life.the_order(parcel.order_id)).state is OrderState.SHIPPED


async def test_reprint_is_refused_for_what_was_never_sealed_or_goes_back(life: Life) -> None:
    opened = await life.carton(1, 1, state="open")
    await life.record("ParcelClarify", opened)
    collected = await life.carton(2, 2, state="collected")
    going = await life.carton(3, 3)
    await life.record("ParcelReturning", going)
    for lpn in (opened, collected, going):
        before = await life.parcel(lpn)
        with pytest.raises(Fault) as found:
            await life.resolver.parcel(lpn, "reprint", **LIN)
        assert found.value.code == 4301 and await life.parcel(lpn) == before


async def test_reprint_in_clarification_brings_it_back_to_the_label(life: Life) -> None:
    lpn = await life.carton()
    await life.label_all(lpn)
    await life.record("ParcelClarify", lpn)
    await life.resolver.parcel(lpn, "reprint", **LIN)
    parcel = await life.parcel(lpn)
    assert parcel.state is ParcelState.PACKED and parcel.sscc == ""
    assert await life.effect(PRINT, lpn, 1) is EffectState.VOIDED


@pytest.mark.parametrize("action", ["hold", "release", "void", "clarify", "reprint", "shipped"])
async def test_nothing_is_done_with_a_parcel_that_is_gone(life: Life, action: str) -> None:
    box = await life.approved()
    await life.record("ParcelShipped", box.lpn)
    with pytest.raises(Fault) as found:
        await life.resolver.parcel(box.lpn, action, **LIN)
    assert found.value.code == 4301


async def test_a_question_about_a_parcel_that_is_gone_can_still_be_closed(life: Life) -> None:
    box = await life.approved()
    await life.record("ParcelShipped", box.lpn)
    await life.resolver.resolve(await ask(life, 3002, box.lpn), "reprint", **LIN)
    assert await life.kit.books.open_exceptions() == []


async def test_release_means_what_the_parcel_waits_for(life: Life) -> None:
    lpn = await life.carton()
    with pytest.raises(Fault, match="held, unclear, or waits"):
        await life.resolver.parcel(lpn, "release", **LIN)
    await life.label_all(lpn)
    await life.resolver.parcel(lpn, "hold", **LIN)
    await life.resolver.parcel(lpn, "release", **LIN)
    assert (await life.parcel(lpn)).state is ParcelState.VERIFIED
    await life.resolver.parcel(lpn, "release", **LIN)
    assert (await life.parcel(lpn)).state is ParcelState.APPROVED
    await life.resolver.parcel(lpn, "clarify", **LIN)
    await life.resolver.parcel(lpn, "release", **LIN)
    assert (await life.parcel(lpn)).state is ParcelState.APPROVED


async def short_of(life: Life) -> tuple[str, str, str]:
    """Give an order with one piece in a carton and one that is not to be had, the carton, and the question about it."""
    lpn = await life.carton(
        state="open", place="induct-1", lines={"CUP": 1, "POT": 1}, boxed=("CUP",), short_allowed=False
    )
    order_id = (await life.parcel(lpn)).order_id
    row = await life.kit.books.open_exception(
        Fault(3013, where="induct-1"),
        station="induct-1",
        subject=f"{order_id}.2.1",
        actions=[a.value for a in POLICY[3013].actions],
    )
    return order_id, lpn, row


async def test_voiding_an_order_that_must_not_ship_short_sends_its_pieces_back(life: Life) -> None:
    """The question was closed and nothing was done: the order went on waiting for a piece that is not there."""
    order_id, lpn, row = await short_of(life)
    await life.resolver.resolve(row, "void", **LIN)
    assert (await life.parcel(lpn)).state is ParcelState.RETURNING and await life.kit.books.open_exceptions() == []
    states = {unit.sku: unit.state.value for unit in await life.kit.books.units(order_id=order_id)}
    assert states == {"CUP": "boxed", "POT": "returned"}
    await life.scan(life.clarify, lpn)
    await life.scan(life.clarify, "DO:DONE")
    assert (await life.the_order(order_id)).state is OrderState.RETURNED


async def test_an_order_with_a_piece_on_a_table_is_voided_when_that_was_put_back(life: Life) -> None:
    order_id, lpn, row = await short_of(life)
    await life.record_unit("UnitInducted", f"{order_id}.2.1", order_id)
    with pytest.raises(Fault, match="4301.*DO:NOTDONE"):
        await life.resolver.resolve(row, "void", **LIN)
    assert (await life.parcel(lpn)).state is ParcelState.OPEN
    await life.record_unit("UnitPutBack", f"{order_id}.2.1", order_id)
    await life.resolver.resolve(row, "void", **LIN)
    assert (await life.parcel(lpn)).state is ParcelState.RETURNING


ANSWERABLE = [code for code in FAULTS if code in POLICY and POLICY[code].reaction is not Reaction.HOLD]
ELSEWHERE = {Action.SHIP_SHORT, Action.WAIT}
"""Carried out by the request desk, which knows the stations."""


@pytest.mark.parametrize("code", ANSWERABLE)
async def test_every_action_that_the_policy_offers_closes_its_question(life: Life, code: int) -> None:
    """A verified parcel stands for the subject; an application in doubt for the effect."""
    for number, action in enumerate(POLICY[code].actions, 1):
        if action in ELSEWHERE:
            continue
        lpn = await life.carton(number, number)
        await life.label_all(lpn)
        row = await ask(life, code, lpn)
        await life.resolver.resolve(row, action.value, **LIN)
        assert row not in {r.exception_id for r in await life.kit.books.open_exceptions()}, action


async def test_a_question_whose_answer_cannot_be_carried_out_stays_open(life: Life) -> None:
    """A parcel that is not packed yet gets no new label; whoever asked still waits."""
    lpn = await life.carton(state="open")
    row = await ask(life, 3003, lpn)
    with pytest.raises(Fault) as fault:
        await life.resolver.resolve(row, "reprint", **LIN)
    assert fault.value.code == 4301
    assert [left.exception_id for left in await life.kit.books.open_exceptions()] == [row]
