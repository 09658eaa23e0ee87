"""The tables of life: every state is reached, nothing unknown changes anything, the end is the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packline.core.faults import Fault
from packline.orders.lifecycle import ORDER, PARCEL, RESUMABLE, TARGET, UNIT, can, order_after, parcel_after, unit_after
from packline.orders.model import (
    ORDER_DONE,
    PARCEL_DONE,
    PARCEL_GONE,
    Order,
    OrderState,
    Parcel,
    ParcelState,
    Purchase,
    UnitState,
)
from tests.orders.made import ADDRESS, FULL, NOW, ORDERS, PARCELS, content, event, order, parcel, unit

ALL_KINDS = sorted({kind for _, kind in (*ORDER, *UNIT, *PARCEL)} | {"ParcelResumed", "Nonsense", ""})
TABLES: list[tuple[str, Mapping[Any, Any], Any, Any]] = [
    ("order", ORDER, OrderState.RECEIVED, OrderState),
    ("unit", UNIT, UnitState.WANTED, UnitState),
    ("parcel", PARCEL, ParcelState.OPEN, ParcelState),
]


@pytest.mark.parametrize("name, table, start, states", TABLES, ids=[t[0] for t in TABLES])
def test_every_state_is_reached_from_the_first(name: str, table: Mapping[Any, Any], start: Any, states: Any) -> None:
    reached, todo = set(), {start}
    while todo:
        reached |= todo
        todo = {after for (before, _), after in table.items() if before in todo} - reached
    assert reached == set(states)


@pytest.mark.parametrize("name, table, start, states", TABLES, ids=[t[0] for t in TABLES])
def test_the_end_is_the_end(name: str, table: Mapping[Any, Any], start: Any, states: Any) -> None:
    ends = {"order": ORDER_DONE, "unit": {UnitState.RETURNED, UnitState.BOXED}, "parcel": PARCEL_DONE}[name]
    stuck = {s for s in states if all(before is not s for before, _ in table)}
    assert stuck <= set(ends)
    for (before, kind), after in table.items():
        if before in ends and before is not UnitState.BOXED:
            raise AssertionError(f"{kind} leads out of {before} to {after}")


def test_from_every_living_state_there_is_a_way_to_an_end() -> None:
    for start in ParcelState:
        reached, todo = set(), {start}
        while todo:
            reached |= todo
            todo = {after for (before, _), after in PARCEL.items() if before in todo} - reached
        assert reached & PARCEL_DONE, start


@given(PARCELS, st.sampled_from(ALL_KINDS))
def test_an_event_that_the_parcel_table_does_not_know_raises_and_changes_nothing(before: Parcel, kind: str) -> None:
    told = event(kind, **FULL.get(kind, {}))
    if kind == "ParcelResumed" or (before.state, kind) in PARCEL:
        return
    copy = replace(before)
    with pytest.raises(Fault) as found:
        parcel_after(before, told)
    assert found.value.code == 5101 and before == copy and not can(before, kind)


@given(PARCELS, st.sampled_from(ALL_KINDS))
def test_an_event_that_the_parcel_table_knows_leads_where_it_says(before: Parcel, kind: str) -> None:
    if (before.state, kind) not in PARCEL:
        return
    after = parcel_after(before, event(kind, **FULL.get(kind, {})))
    assert after.state is PARCEL[before.state, kind]
    assert (after.lpn, after.order_id, after.bench) == (before.lpn, before.order_id, before.bench)
    assert after.generation == before.generation + (kind == "LabelAssigned")
    assert after.visits == before.visits + (kind == "ParcelArrived")


@given(ORDERS, st.sampled_from(ALL_KINDS))
def test_an_order_follows_its_table_and_nothing_else(before: Order, kind: str) -> None:
    if (before.state, kind) in ORDER:
        assert order_after(before, event(kind, before.order_id)).state is ORDER[before.state, kind]
        return
    with pytest.raises(Fault) as found:
        order_after(before, event(kind, before.order_id))
    assert found.value.code == 5101


@given(st.sampled_from(UnitState), st.sampled_from(ALL_KINDS))
def test_a_unit_follows_its_table_and_nothing_else(state: UnitState, kind: str) -> None:
    if (state, kind) in UNIT:
        assert unit_after(unit(state), event(kind)).state is UNIT[state, kind]
        return
    with pytest.raises(Fault):
        unit_after(unit(state), event(kind))


def test_every_event_says_which_row_it_changes() -> None:
    for table, row in ((ORDER, "order"), (UNIT, "unit"), (PARCEL, "parcel")):
        assert {TARGET[kind] for _, kind in table} == {row}
    assert set(TARGET.values()) == {"order", "unit", "parcel"}


# -- what events carry along -------------------------------------------------------------------------------------------

LABEL_EVENTS = {
    "LabelPrinted": ParcelState.PACKED,
    "LabelApplied": ParcelState.PRINTED,
    "LabelVerified": ParcelState.LABELLED,
    "LabelVoided": ParcelState.PRINTED,
}


@pytest.mark.parametrize("kind", sorted(LABEL_EVENTS))
def test_what_happened_to_a_voided_label_did_not_happen_to_the_parcels_label_of_now(kind: str) -> None:
    before = parcel(LABEL_EVENTS[kind], sscc="395213210000009999", print_number=7, generation=1)
    for other in ("", "395213210000000019"):
        with pytest.raises(Fault) as found:
            parcel_after(before, event(kind, sscc=other))
        assert found.value.code == 5101
    parcel_after(before, event(kind, sscc="395213210000009999"))
    parcel_after(before, event(kind))


def test_a_label_that_is_voided_takes_its_numbers_and_the_buyers_word_along_but_not_its_generation() -> None:
    before = parcel(ParcelState.APPROVED, sscc="s", print_number=7, generation=2, approval="approved")
    after = parcel_after(before, event("LabelVoided"))
    assert (after.sscc, after.print_number, after.approval, after.generation) == ("", 0, "", 2)
    assert after.state is ParcelState.PACKED


@pytest.mark.parametrize("resume", [s.value for s in ParcelState])
def test_clarification_gives_back_the_state_before_unless_the_label_was_voided_there(resume: str) -> None:
    aside = parcel(ParcelState.CLARIFY, sscc="s", print_number=7, resume=resume, held=True)
    if ParcelState(resume) not in RESUMABLE:
        with pytest.raises(Fault):
            parcel_after(aside, event("ParcelResumed"))
        return
    back = parcel_after(aside, event("ParcelResumed"))
    assert back.state.value == resume and not back.held and back.resume == ""
    voided = parcel_after(parcel_after(aside, event("LabelVoided")), event("ParcelResumed"))
    assert voided.sscc == "" and voided.state not in (
        ParcelState.PRINTED,
        ParcelState.LABELLED,
        ParcelState.VERIFIED,
        ParcelState.APPROVED,
    )


@given(PARCELS.filter(lambda p: p.state is not ParcelState.CLARIFY))
def test_only_what_lies_aside_can_be_resumed(before: Parcel) -> None:
    with pytest.raises(Fault):
        parcel_after(before, event("ParcelResumed", to="packed"))


def test_a_parcel_remembers_the_state_from_which_it_was_sent_aside() -> None:
    for state in ParcelState:
        if (state, "ParcelClarify") in PARCEL:
            assert parcel_after(parcel(state), event("ParcelClarify", reason="x")).resume == state.value


def test_places_reasons_and_deadlines_are_kept() -> None:
    asked = parcel_after(parcel(ParcelState.VERIFIED), event("ApprovalAsked", until=NOW.isoformat()))
    assert (asked.approval, asked.approve_until) == ("asked", NOW)
    moved = parcel_after(asked, event("ParcelMoved", place="H01", reason="x"))
    assert (moved.place, moved.reason, moved.approve_until) == ("H01", "x", NOW)
    assert parcel_after(moved, event("ParcelMoved", place="")).place == ""
    shipped = parcel_after(replace(moved, state=ParcelState.APPROVED), event("ParcelShipped"))
    assert shipped.place == "gone" and shipped.state in PARCEL_GONE


def test_an_order_takes_its_new_content_and_keeps_its_deadlines() -> None:
    new = content(version=2, purchase=Purchase.RESERVED, ship_to=ADDRESS)
    changed = order_after(order(), event("OrderChanged", "market-HM-1", content=new, reserve_until=NOW.isoformat()))
    assert changed.content is new and changed.reserve_until == NOW and changed.pay_until is None


def test_a_unit_learns_where_it_lies() -> None:
    from packline.orders.model import Event

    inducted = unit_after(unit(), Event(kind="UnitInducted", subject="u", station="induct-1"))
    assert inducted.station == "induct-1"
    boxed = unit_after(replace(inducted, state=UnitState.INSPECTED), event("UnitBoxed", lpn="PL0000000017"))
    assert (boxed.lpn, boxed.station) == ("PL0000000017", "induct-1")


@given(st.sampled_from(UnitState), st.sampled_from(UnitState))
def test_what_was_decided_for_a_unit_in_another_state_is_decided_anew(seen: UnitState, now: UnitState) -> None:
    """A cancellation reads a piece as wanted; a hand scans it before that is written down: it lies on the table now."""
    returned = event("UnitReturned", "u", was=seen.value)
    if seen is now and (now, "UnitReturned") in UNIT:
        assert unit_after(unit(now), returned).state is UnitState.RETURNED
    else:
        with pytest.raises(Fault) as fault:
            unit_after(unit(now), returned)
        assert fault.value.code == 5101
