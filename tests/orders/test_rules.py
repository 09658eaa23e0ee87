"""Pure rules: where a parcel belongs, why something waits, when an order is over, what a person may do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packline.core.faults import FAULTS
from packline.orders.closing import closing, is_collected
from packline.orders.lifecycle import ORDER, PARCEL, UNIT, order_after
from packline.orders.model import (
    ORDER_LEFT,
    PARCEL_DONE,
    PARCEL_GONE,
    Item,
    Order,
    OrderState,
    Parcel,
    ParcelState,
    Purchase,
    UnitState,
)
from packline.orders.policy import ACTION_ROLE, ALSO, POLICY, ROLES, Action, Reaction, actions_for, may, rule_for
from packline.orders.release import label_blockers, order_blockers, pack_blockers, ship_blockers
from packline.orders.routing import destination, needs_bench
from packline.orders.tracking import AUDIENCE, TRACKING, hears
from tests.orders.made import ADDRESS, ORDERS, PARCELS, order, parcel, unit

KINDS = {"collect", "pack", "label", "hold", "gate", "clarify", "shelf", "gone"}


# -- routing and release -----------------------------------------------------------------------------------------------


@given(ORDERS, PARCELS)
def test_every_parcel_of_every_order_has_a_destination(order_: Order, parcel_: Parcel) -> None:
    where = destination(order_, parcel_)
    assert where.kind in KINDS
    assert (where.kind == "gone") == (parcel_.state in PARCEL_GONE)
    if where.kind == "hold":
        assert where.why


@given(ORDERS, PARCELS)
def test_the_gate_is_the_destination_of_exactly_what_may_ship(order_: Order, parcel_: Parcel) -> None:
    goes = destination(order_, parcel_).kind == "gate"
    blocked = ship_blockers(order_, parcel_)
    if goes and order_.content.purchase is not Purchase.CANCELLED:
        assert not blocked
    if not blocked:
        assert goes and parcel_.state is ParcelState.APPROVED and not parcel_.held


@given(ORDERS, PARCELS)
def test_no_parcel_of_an_order_that_has_left_goes_on_by_itself(order_: Order, parcel_: Parcel) -> None:
    if order_.state in ORDER_LEFT:
        assert destination(order_, parcel_).kind in ("clarify", "shelf", "hold", "gone")
        assert ship_blockers(order_, parcel_)


@given(ORDERS, PARCELS)
def test_nothing_is_labelled_that_is_not_bought_paid_and_addressed(order_: Order, parcel_: Parcel) -> None:
    if parcel_.state is ParcelState.PACKED and destination(order_, parcel_).kind == "label":
        assert order_.content.purchase is Purchase.BOUGHT and order_.content.paid and order_.content.ship_to
        assert not label_blockers(order_, parcel_)


@given(ORDERS, PARCELS)
def test_nothing_is_packed_that_is_only_reserved_or_cancelled(order_: Order, parcel_: Parcel) -> None:
    if parcel_.state is ParcelState.COLLECTED and destination(order_, parcel_).kind == "pack":
        assert order_.content.purchase is Purchase.BOUGHT and not pack_blockers(order_, parcel_)


@given(PARCELS)
def test_a_held_parcel_stays_where_nobody_needs_it(parcel_: Parcel) -> None:
    if parcel_.held and parcel_.state not in PARCEL_GONE:
        assert destination(order(), parcel_).kind in ("hold", "clarify")


@pytest.mark.parametrize(
    "changes, why",
    [
        ({"paid": False}, ("not_paid",)),
        ({"ship_to": None}, ("no_address",)),
        ({"purchase": Purchase.RESERVED, "paid": False, "ship_to": None}, ("not_bought", "not_paid", "no_address")),
        ({"purchase": Purchase.CANCELLED}, ("cancelled",)),
    ],
)
def test_a_parcel_that_waits_at_labelling_says_why(changes: dict, why: tuple[str, ...]) -> None:
    where = destination(order(**changes), parcel(ParcelState.PACKED))
    assert (where.kind, where.why) == ("hold", why)


@given(PARCELS)
def test_nothing_of_an_order_that_was_set_aside_is_worked_on(parcel_: Parcel) -> None:
    aside = order(OrderState.CLARIFY)
    assert destination(aside, parcel_).kind not in ("pack", "label", "gate")
    assert ship_blockers(aside, parcel_)


@pytest.mark.parametrize("state", [ParcelState.VERIFIED, ParcelState.APPROVED])
def test_the_gate_says_why_it_keeps_what_is_ready_to_leave(state: ParcelState) -> None:
    """One by one: any of them alone is reason enough."""
    ready: tuple[str, ...] = () if state is ParcelState.APPROVED else ("not_approved",)
    assert ship_blockers(order(), parcel(state)) == ready
    assert ship_blockers(order(), parcel(state, held=True)) == ("held", *ready)
    assert ship_blockers(order(OrderState.CLARIFY), parcel(state)) == ("order_unclear", *ready)
    assert ship_blockers(order(OrderState.CLOSED), parcel(state)) == ("order_over", *ready)
    assert ship_blockers(order(purchase=Purchase.CANCELLED), parcel(state)) == ("cancelled", *ready)


def test_an_order_that_waits_for_release_says_why() -> None:
    waiting = order(OrderState.RECEIVED)
    assert order_blockers(waiting, in_work=3, wip_limit=4) == ()
    assert order_blockers(waiting, in_work=4, wip_limit=4) == ("wip_limit",)
    assert order_blockers(order(OrderState.RECEIVED, purchase=Purchase.CANCELLED), in_work=0, wip_limit=4) == (
        "cancelled",
    )
    for state in set(OrderState) - {OrderState.RECEIVED}:
        assert "not_waiting" in order_blockers(order(state), in_work=0, wip_limit=4)


@given(st.lists(st.tuples(*[st.integers(1, 1000)] * 3), min_size=1, max_size=4))
def test_the_bench_gets_what_fits_the_machine_in_no_position(sizes: list[tuple[int, int, int]]) -> None:
    items = [Item(sku="x", merchant="m", name="x", length_mm=a, width_mm=b, height_mm=c) for a, b, c in sizes]
    most = (400, 300, 250)
    fits = all(all(x <= y for x, y in zip(sorted(s), sorted(most), strict=True)) for s in sizes)
    assert needs_bench(items, most_mm=most) is not fits
    turned = [replace(i, length_mm=i.height_mm, height_mm=i.length_mm) for i in items]
    assert needs_bench(turned, most_mm=most) is not fits


# -- closing -----------------------------------------------------------------------------------------------------------

UNITS = st.lists(st.sampled_from(UnitState), min_size=1, max_size=4)
BOXES = st.lists(st.sampled_from(ParcelState), max_size=3)


@given(st.sampled_from(OrderState), UNITS, BOXES)
def test_what_is_due_is_always_possible_and_leaves_nothing_due(
    state: OrderState, units: list[UnitState], boxes: list[ParcelState]
) -> None:
    now = order(state)
    pieces, parcels = [unit(s, n) for n, s in enumerate(units)], [parcel(s) for s in boxes]
    for due in closing(now, pieces, parcels):
        now = order_after(now, due)
    assert closing(now, pieces, parcels) == []


@given(UNITS, BOXES)
def test_an_order_ends_only_when_nothing_of_it_is_left_in_the_house(
    units: list[UnitState], boxes: list[ParcelState]
) -> None:
    due = closing(order(), [unit(s, n) for n, s in enumerate(units)], [parcel(s) for s in boxes])
    unfinished = {UnitState.WANTED, UnitState.INDUCTED, UnitState.INSPECTED} & set(units)
    assert bool(due) == (not unfinished and all(s in PARCEL_GONE for s in boxes))
    if "OrderShipped" in {e.kind for e in due}:
        assert {ParcelState.SHIPPED, ParcelState.DELIVERED} & set(boxes)
    if "OrderClosed" in {e.kind for e in due}:
        assert set(boxes) <= PARCEL_DONE and ParcelState.DELIVERED in boxes


@pytest.mark.parametrize(
    "units, boxes, due",
    [
        (["boxed"], ["shipped"], ["OrderShipped"]),
        (["boxed"], ["delivered"], ["OrderShipped", "OrderClosed"]),
        (["boxed", "short"], ["shipped", "returned"], ["OrderShipped"]),
        (["returned"], ["returned"], ["OrderReturned"]),
        (["short"], [], ["OrderCancelled"]),
        (["returned", "short"], [], ["OrderReturned"]),
        (["boxed"], ["approved"], []),
        (["boxed", "wanted"], ["shipped"], []),
    ],
)
def test_orders_end_as_their_parts_did(units: list[str], boxes: list[str], due: list[str]) -> None:
    pieces, parcels = [unit(UnitState(s), n) for n, s in enumerate(units)], [parcel(ParcelState(s)) for s in boxes]
    assert [e.kind for e in closing(order(), pieces, parcels)] == due


def test_an_order_does_not_wait_for_a_delivery_that_nobody_can_tell_of() -> None:
    """After a restored backup a parcel may have left under a label that the books have lost."""
    gone = parcel(ParcelState.SHIPPED, sscc="")
    assert [e.kind for e in closing(order(OrderState.SHIPPED), [unit(UnitState.BOXED)], [gone])] == ["OrderClosed"]


@given(UNITS)
def test_collected_means_nothing_is_missing_and_something_is_there(units: list[UnitState]) -> None:
    open_ = {UnitState.WANTED, UnitState.INDUCTED, UnitState.INSPECTED}
    assert is_collected([unit(s) for s in units]) == (not open_ & set(units) and UnitState.BOXED in units)


# -- policy ------------------------------------------------------------------------------------------------------------

STATION_FAULTS = [code for code in FAULTS if code < 4000]
EFFECT_DOUBTS = (2004, 2005, 2103, 3014, 3017)
ON_PARCELS = {Action.REPRINT, Action.HOLD, Action.RELEASE, Action.CLARIFY, Action.VOID, Action.SHIPPED}
SETTLING = {Action.DONE, Action.NOT_DONE, Action.RETRY}
AT_THE_DESK = {Action.SHIP_SHORT, Action.WAIT}
CLOSING = {Action.DISMISS}


def test_every_fault_has_a_rule_and_every_fault_of_the_floor_has_one_of_its_own() -> None:
    assert set(POLICY) <= set(FAULTS)
    assert all(rule_for(code) for code in FAULTS)
    assert [code for code in STATION_FAULTS if code not in POLICY] == []


def test_every_action_that_is_offered_is_known_to_somebody_who_carries_it_out() -> None:
    offered = {action for rule in POLICY.values() for action in rule.actions}
    offered |= {action for actions in ALSO.values() for action in actions}
    assert offered <= ON_PARCELS | SETTLING | AT_THE_DESK | CLOSING
    assert all(len(set(rule.actions)) == len(rule.actions) for rule in POLICY.values())


@pytest.mark.parametrize("code", sorted(POLICY))
def test_what_is_asked_can_be_answered(code: int) -> None:
    rule = POLICY[code]
    if rule.reaction is not Reaction.HOLD:
        assert rule.actions, "an exception without any action stays open for ever"
    if rule.tries:
        assert rule.reaction is not Reaction.HOLD and 0 < rule.tries <= 5


@pytest.mark.parametrize("code", EFFECT_DOUBTS)
def test_a_doubt_about_an_effect_can_be_settled_both_ways_and_never_by_a_blind_retry(code: int) -> None:
    rule = POLICY[code]
    assert rule.reaction is Reaction.ASK and {Action.DONE, Action.NOT_DONE} <= set(rule.actions)
    assert Action.RETRY not in rule.actions and rule.tries == 0


@pytest.mark.parametrize(
    "code, actions",
    [
        (1008, {Action.RETRY, Action.DISMISS}),
        (3015, {Action.RETRY, Action.DISMISS}),
        (3016, {Action.SHIPPED, Action.RELEASE, Action.DISMISS}),
    ],
)
def test_what_came_from_outside_offers_what_its_own_fault_needs(code: int, actions: set[Action]) -> None:
    assert set(rule_for(code).actions) == actions


def test_a_label_that_an_arm_failed_to_put_on_may_be_printed_again_and_a_failed_seal_may_not() -> None:
    assert Action.REPRINT in actions_for(2006, "apply")
    assert Action.SHIPPED in actions_for(2006, "release") and Action.SHIPPED not in actions_for(2006, "seal")
    assert Action.REPRINT not in actions_for(2006, "seal") and Action.REPRINT not in actions_for(2006)


def test_links_hold_and_never_ask() -> None:
    assert all(POLICY[code].reaction is Reaction.HOLD for code in (1001, 1002, 1003, 1004, 1101))


def test_a_supervisor_decides_what_costs_money() -> None:
    for action in (Action.VOID, Action.SHIPPED, Action.DISMISS):
        assert ACTION_ROLE[action] == "supervisor" and not may("operator", action) and may("admin", action)


@given(st.sampled_from(Action), st.sampled_from(ROLES), st.sampled_from(ROLES))
def test_a_higher_role_may_all_that_a_lower_one_may(action: Action, one: str, two: str) -> None:
    low, high = sorted((one, two), key=ROLES.index)
    assert may(high, action) or not may(low, action)


@given(st.sampled_from(Action), st.text(max_size=8).filter(lambda r: r not in ROLES))
def test_who_has_no_role_may_nothing(action: Action, role: str) -> None:
    assert not may(role, action) and not may("viewer", action)


# -- tracking ----------------------------------------------------------------------------------------------------------


def test_the_world_hears_only_of_events_that_exist() -> None:
    known = {kind for _, kind in (*ORDER, *UNIT, *PARCEL)} | {"OrderReceived"}
    assert set(TRACKING) <= known
    assert len(set(TRACKING.values())) == len(TRACKING)


def test_the_buyer_hears_nothing_of_labels_and_strangers_nothing_at_all() -> None:
    assert not hears("buyer", "parcel.labelled") and hears("merchant", "parcel.labelled")
    assert all(hears("archive", name) for name in TRACKING.values())
    assert not any(hears("stranger", name) for name in TRACKING.values())
    assert set(AUDIENCE) == {"merchant", "buyer", "archive"}
    assert ADDRESS.country == "CN"
