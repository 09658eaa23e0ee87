"""A newer version of an order: what it means for the work already done, whatever that work is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packline.core.faults import Fault
from packline.orders.changes import changes, way_back
from packline.orders.lifecycle import TARGET, order_after, parcel_after, unit_after
from packline.orders.model import Address, OrderState, Parcel, ParcelState, Purchase, UnitState
from tests.orders.made import ADDRESS, content, order, parcel, unit

ELSEWHERE = Address(recipient="李华", lines=("解放路 9 号",), city="北京")
WORKS = st.tuples(
    st.sampled_from(OrderState),
    st.lists(st.sampled_from(UnitState), min_size=1, max_size=3),
    st.lists(st.sampled_from(ParcelState), max_size=2),
)


def things(states: list[ParcelState]) -> list[Parcel]:
    """Make parcels with labels where their state says so."""
    early = (ParcelState.OPEN, ParcelState.COLLECTED)
    return [parcel(s, lpn=f"P{n}", sscc="" if s in early else f"s{n}", print_number=n) for n, s in enumerate(states, 1)]


@given(
    WORKS,
    st.sampled_from(Purchase),
    st.booleans(),
    st.sampled_from([None, ADDRESS, ELSEWHERE]),
)
def test_whatever_the_host_says_next_is_followed_whole_or_refused_whole(
    work: tuple[OrderState, list[UnitState], list[ParcelState]],
    purchase: Purchase,
    paid: bool,
    ship_to: Address | None,
) -> None:
    """Every event that a change brings is one that the tables know: a change never breaks off in the middle."""
    state, units, boxes = work
    now = order(state)
    new = content(version=2, digest="1" * 64, purchase=purchase, paid=paid, ship_to=ship_to)
    pieces = {u.unit_id: u for u in (unit(s, n) for n, s in enumerate(units))}
    parcels = {p.lpn: p for p in things(boxes)}
    try:
        events = changes(now, list(pieces.values()), list(parcels.values()), new)
    except Fault as fault:
        if fault.code != 4005:
            raise
        return
    for told in events:
        target = TARGET[told.kind]
        if target == "order":
            now = order_after(now, told)
        elif target == "unit":
            pieces[told.subject] = unit_after(pieces[told.subject], told)
        else:
            parcels[told.subject] = parcel_after(parcels[told.subject], told)
    for p in parcels.values():
        if p.state in (ParcelState.LABELLED, ParcelState.VERIFIED, ParcelState.APPROVED) and state is not now.state:
            assert p.sscc


@given(st.lists(st.sampled_from(ParcelState), max_size=4), st.lists(st.sampled_from(UnitState), max_size=4))
def test_the_way_back_takes_everything_that_is_not_gone_and_in_no_hand(
    boxes: list[ParcelState], units: list[UnitState]
) -> None:
    parcels, pieces = things(boxes), [unit(s, n) for n, s in enumerate(units)]
    events = way_back(order(), pieces, parcels, "cancelled")
    for told in events:
        if TARGET[told.kind] == "parcel":
            parcels = [parcel_after(p, told) if p.lpn == told.subject else p for p in parcels]
        else:
            pieces = [unit_after(u, told) if u.unit_id == told.subject else u for u in pieces]
    gone = (ParcelState.SHIPPED, ParcelState.DELIVERED, ParcelState.RETURNED, ParcelState.RETURNING)
    assert all(p.state in gone for p in parcels)
    assert not any(u.state in (UnitState.WANTED, UnitState.SHORT) for u in pieces)


def test_another_address_voids_every_label_that_was_ever_given_and_is_still_in_the_house() -> None:
    live = [s for s in ParcelState if s.value not in ("open", "collected", "shipped", "delivered", "returned")]
    for state in live:
        (box,) = things([state])
        for told in changes(order(), [], [box], content(version=2, digest="1" * 64, ship_to=ELSEWHERE)):
            if TARGET[told.kind] == "parcel":
                box = parcel_after(box, told)
        assert box.sscc == "", state
        labelled = (ParcelState.PRINTED, ParcelState.LABELLED, ParcelState.VERIFIED, ParcelState.APPROVED)
        assert (box.state is ParcelState.CLARIFY) == (state in (*labelled, ParcelState.CLARIFY)), state


def test_the_same_content_again_changes_nothing_of_an_order_that_is_over() -> None:
    done = order(OrderState.CLOSED)
    assert changes(done, [], [], replace(done.content, version=2)) == []


@pytest.mark.parametrize(
    "other", [{"quantity": 2}, {"sku": "POT"}, {"line_no": 2}], ids=["more of it", "another article", "another line"]
)
def test_other_goods_are_refused_once_the_order_is_on_the_floor(other: dict[str, Any]) -> None:
    """What lies in the boxes by now is what was ordered then: a person settles it with the host."""
    now = order()
    new = content(version=2, digest="1" * 64, lines=(replace(now.content.lines[0], **other),))
    with pytest.raises(Fault) as fault:
        changes(now, [unit()], [], new)
    assert fault.value.code == 4005
    renamed = content(version=2, digest="1" * 64, lines=(replace(now.content.lines[0], name="Mug", unit_minor=90),))
    assert [event.kind for event in changes(now, [unit()], [], renamed)] == ["OrderChanged"]
