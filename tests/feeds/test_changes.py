"""What a newer version does to work already done; the tables accept every answer."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packline.core.faults import Fault
from packline.orders.changes import changes
from packline.orders.lifecycle import TARGET, order_after, parcel_after, unit_after
from packline.orders.model import (
    PARCEL_GONE,
    Address,
    Order,
    OrderLine,
    OrderState,
    Parcel,
    ParcelState,
    PlaceOrder,
    Purchase,
    Unit,
    UnitState,
)

NOW = datetime(2026, 3, 4, tzinfo=UTC)
HOME = Address(recipient="王小明", lines=("建国路 88 号",), city="北京")
AWAY = Address(recipient="王小明", lines=("12 Long Road",), city="York", country="GB")
LINE = OrderLine(line_no=1, sku="TEA-1", name="Tea", quantity=2, unit_minor=100)
CONTENT = PlaceOrder(
    channel="m",
    external_id="1",
    version=1,
    digest="d1",
    merchant="m1",
    buyer="b",
    placed_at=NOW,
    currency="CNY",
    lines=(LINE,),
    total_minor=200,
    purchase=Purchase.BOUGHT,
    paid=True,
    ship_to=HOME,
)
CONTENTS = st.builds(
    lambda purchase, paid, ship_to, quantity: replace(
        CONTENT,
        version=2,
        digest=f"{purchase} {paid} {ship_to} {quantity}",
        purchase=purchase,
        paid=paid,
        ship_to=ship_to,
        lines=(replace(LINE, quantity=quantity),),
    ),
    st.sampled_from(Purchase),
    st.booleans(),
    st.sampled_from([HOME, AWAY, None]),
    st.sampled_from([2, 2, 3]),
)
UNITS = st.lists(st.sampled_from(UnitState), max_size=3).map(
    lambda states: [
        Unit(unit_id=f"m-1.1.{n}", order_id="m-1", line_no=1, sku="TEA-1", state=state)
        for n, state in enumerate(states)
    ]
)
PARCELS = st.lists(st.tuples(st.sampled_from(ParcelState), st.booleans()), max_size=3).map(
    lambda states: [
        Parcel(lpn=f"PL{n}", order_id="m-1", state=state, sscc=f"sscc-{n}" if labelled else "")
        for n, (state, labelled) in enumerate(states)
    ]
)


def order(state=OrderState.RELEASED, content=CONTENT):
    return Order(order_id="m-1", content=content, state=state, received_at=NOW)


def parcel(state, sscc="s"):
    return Parcel(lpn="PL1", order_id="m-1", state=state, sscc=sscc)


def kinds(events):
    return [event.kind for event in events]


@given(st.sampled_from(OrderState), UNITS, PARCELS, CONTENTS)
def test_tables_accept_whatever_a_newer_version_means(state, units, parcels, new):
    before = order(state)
    try:
        events = changes(before, units, parcels, new)
    except Fault as fault:
        events, code = [], fault.code
    else:
        code = 4005
    assert code == 4005

    rows = {"order": {"m-1": before}, "unit": {u.unit_id: u for u in units}, "parcel": {p.lpn: p for p in parcels}}
    step: dict[str, Any] = {"order": order_after, "unit": unit_after, "parcel": parcel_after}
    for event in events:
        target = TARGET[event.kind]
        rows[target][event.subject] = step[target](rows[target][event.subject], event)
    if events:
        assert rows["order"]["m-1"].content == new


@given(st.sampled_from(OrderState), UNITS, PARCELS, CONTENTS)
def test_nothing_that_is_gone_is_ever_called_back_or_relabelled(state, units, parcels, new):
    gone = {p.lpn for p in parcels if p.state in PARCEL_GONE}
    try:
        events = changes(order(state), units, parcels, new)
    except Fault:
        events = []

    assert not gone & {event.subject for event in events}


@given(UNITS, PARCELS)
def test_after_a_cancellation_every_parcel_here_is_on_its_way_back(units, parcels):
    events = changes(order(), units, parcels, replace(CONTENT, version=2, purchase=Purchase.CANCELLED))

    back = {event.subject for event in events if event.kind == "ParcelReturning"}
    assert back == {p.lpn for p in parcels if p.state not in (*PARCEL_GONE, ParcelState.RETURNING)}


def test_payment_that_arrives_is_one_change():
    before = order(content=replace(CONTENT, paid=False))

    assert kinds(changes(before, [], [parcel(ParcelState.PACKED, "")], replace(CONTENT, version=2))) == ["OrderChanged"]


def test_first_address_needs_no_new_label():
    before = order(content=replace(CONTENT, ship_to=None))

    assert kinds(changes(before, [], [parcel(ParcelState.PACKED, "")], replace(CONTENT, version=2))) == ["OrderChanged"]


def test_cancelled_before_release_is_simply_cancelled():
    new = replace(CONTENT, version=2, purchase=Purchase.CANCELLED)

    assert kinds(changes(order(OrderState.RECEIVED), [], [], new)) == ["OrderCancelled"]


def test_cancelled_after_release_but_untouched_is_cancelled_with_its_units():
    units = [Unit(unit_id="m-1.1.1", order_id="m-1", line_no=1, sku="TEA-1", state=UnitState.WANTED)]
    new = replace(CONTENT, version=2, purchase=Purchase.CANCELLED)

    assert kinds(changes(order(), units, [], new)) == ["UnitReturned", "OrderCancelled"]


def test_other_lines_are_followed_only_before_the_release():
    new = replace(CONTENT, version=2, lines=(replace(LINE, quantity=3),))

    assert kinds(changes(order(OrderState.RECEIVED), [], [], new)) == ["OrderChanged"]
    with pytest.raises(Fault) as caught:
        changes(order(), [], [], new)
    assert caught.value.code == 4005


def test_other_names_and_prices_are_followed_any_time():
    new = replace(CONTENT, version=2, lines=(replace(LINE, name="Green tea", unit_minor=90),))

    assert kinds(changes(order(), [], [], new)) == ["OrderChanged"]


@pytest.mark.parametrize(
    "state, expected",
    [
        (ParcelState.PACKED, ["OrderChanged", "LabelVoided"]),
        (ParcelState.PRINTED, ["OrderChanged", "LabelVoided", "ParcelClarify"]),
        (ParcelState.VERIFIED, ["OrderChanged", "LabelVoided", "ParcelClarify"]),
        (ParcelState.SHIPPED, ["OrderChanged"]),
    ],
)
def test_another_address_voids_the_label_and_one_that_sticks_must_come_off_by_hand(state, expected):
    new = replace(CONTENT, version=2, ship_to=AWAY)

    assert kinds(changes(order(), [], [parcel(state)], new)) == expected


def test_another_address_for_what_is_with_the_courier_needs_a_person():
    with pytest.raises(Fault) as caught:
        changes(order(OrderState.SHIPPED), [], [parcel(ParcelState.SHIPPED)], replace(CONTENT, version=2, ship_to=AWAY))

    assert caught.value.code == 4005


def test_order_that_is_over_hears_nothing_new_in_silence():
    new = replace(CONTENT, version=2, paid=True)

    assert changes(order(OrderState.CLOSED), [], [], new) == []
    with pytest.raises(Fault):
        changes(order(OrderState.RETURNED), [], [], replace(new, digest="d2"))
