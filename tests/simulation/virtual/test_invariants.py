"""Each invariant is green on a history in which all is well, and red on one that was made up to break it."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from simulation.people.receiver import Received
from simulation.plant.truth import Fact
from simulation.virtual.invariants import (
    counts,
    ends,
    liveness,
    order,
    records,
    ship_events,
    signatures,
)
from simulation.virtual.watch import Watch

AT = datetime(2026, 1, 5, tzinfo=UTC)
L, M = "PL1", "PL2"


def label(number, lpn, **more):
    return {"label": number, "sscc": f"S{number}", "print_number": number, "complete": True, "label_lpn": lpn, **more}


def applied(number, lpn, on, by="arm-1", **more):
    return "label_applied", {**label(number, lpn), "lpn": on, "by": by, **more}


WELL: tuple[tuple[str, dict[str, Any]], ...] = (
    ("piece_taken", {"piece": 1, "sku": "A"}),
    ("carton_taken", {"lpn": L}),
    ("boxed", {"lpn": L, "piece": 1, "sku": "A"}),
    ("moved", {"lpn": L, "to": "pack-1"}),
    ("sealed", {"lpn": L, "by": "packer-1"}),
    ("label_printed", label(1, L)),
    applied(1, L, L),
    ("moved", {"lpn": L, "to": "gone"}),
    ("left_door", {"lpn": L, "sscc": ["S1"], "pieces": ["A"]}),
)


def seen(*history, dies_after=None):
    watch = Watch()
    for n, (name, data) in enumerate(history, 1):
        watch.hear(Fact(n=n, name=name, sim_s=float(n), at=AT, data=data))
        if n == dies_after:
            watch.died()
    return watch


def red(*history, **how):
    """Give the names of what is broken in a history."""
    return {found.partition(":")[0] for found in seen(*history, **how).found}


def without(*names):
    return [fact for fact in WELL if fact[0] not in names]


def test_a_history_in_which_all_is_well_breaks_nothing():
    watch = seen(*WELL)
    assert watch.found == []
    assert watch.glued == {L: ("S1", 1)}


@pytest.mark.parametrize(
    "history",
    [
        [fact for fact in WELL if fact[1].get("label") is None],  # no label at all
        [*WELL[:7], ("label_printed", label(2, L)), applied(2, L, L), *WELL[7:]],
        [*WELL[:5], ("label_printed", label(1, M)), applied(1, M, L), *WELL[7:]],
        [*WELL[:5], ("label_printed", label(1, "", sscc="")), applied(1, "", L, sscc=""), *WELL[7:]],
    ],
    ids=["without a label", "with two", "with that of another", "with one that names nobody"],
)
def test_a_carton_leaves_with_one_label_and_its_own(history):
    assert red(*history) == {"label"}


@pytest.mark.parametrize(
    "history",
    [
        without("carton_taken"),
        [*WELL, ("carton_taken", {"lpn": M}), ("carton_taken", {"lpn": M})],
        [*WELL, ("moved", {"lpn": L, "to": "pack-1"})],
        [*WELL, WELL[7]],
        [*WELL, ("boxed", {"lpn": L, "piece": 1, "sku": "A"})],
        [*WELL[:3], ("taken_out", {"lpn": M, "piece": 1, "sku": "A"})],
        [*WELL[:7], applied(1, L, L)],
        [*WELL[:7], ("label_discarded", label(1, L))],
        [*WELL[:6], ("label_removed", {**label(1, L), "lpn": L})],
        [*WELL, ("returned_to_shelf", {"lpn": L, "pieces": []})],
    ],
)
def test_in_is_out_and_scrap_and_work_in_progress_at_every_fact(history):
    assert "conservation" in red(*history)


def test_what_is_told_of_a_carton_is_compared_with_where_it_is():
    empty: Any = SimpleNamespace(cartons={}, places={})
    watch = Watch(empty)
    watch.hear(Fact(n=1, name="carton_taken", sim_s=1.0, at=AT, data={"lpn": L}))
    assert watch.found[0].startswith(f"conservation: {L} is not where")


@pytest.mark.parametrize("name", ["sealed", "label_printed", "label_applied"])
def test_a_restart_repeats_no_physical_action(name):
    again = next(fact for fact in WELL if fact[0] == name)
    begun = WELL[: WELL.index(again) + 1]
    assert "restart" in red(*begun, again, dies_after=len(begun))
    assert "restart" not in red(*begun, again)  # that is another invariant's


def test_what_was_undone_may_be_done_again_by_the_next_controller():
    history = [*WELL[:5], ("cut_open", {"lpn": L}), WELL[4]]
    assert red(*history, dies_after=5) == set()
    removed = [("label_removed", {**label(1, L), "lpn": L}), applied(1, L, L)]
    assert red(*WELL[:7], *removed, dies_after=7) == set()


def test_a_copy_that_a_printer_made_of_itself_repeats_nothing_but_must_not_leave():
    copy = (("label_printed", label(2, L, copy=True)), applied(2, L, L, copy=True))
    assert red(*WELL[:7], *copy, dies_after=7) == set()
    assert red(*WELL[:7], *copy, *WELL[7:]) == {"label"}


def test_half_a_label_that_leaves_is_noticed():
    half = (("label_printed", label(1, L, complete=False)), applied(1, L, L, complete=False))
    assert red(*WELL[:5], *half, *WELL[7:]) == {"label"}


def test_nobody_hears_of_a_label_as_verified_that_was_never_on_the_parcel():
    watch = seen(*WELL[:5])
    watch.told("buyer", "parcel.verified", L, "S1")
    assert watch.found == [f"record: buyer heard that label S1 of {L} was verified, and it was never on it"]
    worn = seen(*WELL)
    worn.told("buyer", "parcel.verified", L, "S1")
    assert worn.found == []
    worn.told("merchant", "parcel.verified", L, "S2")
    assert len(worn.found) == 1


@pytest.mark.parametrize(
    "story, broken",
    [
        (["stopped", "closed", "pressed", "begins", "ends"], False),
        (["begins", "stopped"], False),
        (["stopped", "begins"], True),
        (["begins", "stopped", "ends"], True),
        (["stopped", "closed", "begins"], True),
        (["stopped", "pressed", "closed", "begins"], True),  # a panel leads nothing on while the circuit is open
    ],
)
def test_nothing_moves_after_an_emergency_stop_until_a_person_has_reset_it(story, broken):
    watch = Watch()
    for n, what in enumerate(story):
        watch.moved("arm-1", what, float(n))
    assert bool(watch.found) == broken


def test_what_a_stopped_machine_does_is_seen_by_its_facts_too():
    watch = Watch()
    watch.moved("packer-1", "stopped", 1.0)
    for n, (name, data) in enumerate(WELL[:5], 1):
        watch.hear(Fact(n=n, name=name, sim_s=float(n), at=AT, data=data))
    assert watch.found == ["emergency stop: packer-1 went on, sealed at 5.00 s"]


def heard(n, name, lpn="", order="O1", role="buyer"):
    return Received(n=n, role=role, id=str(n), name=name, order=order, data={"lpn": lpn})


def test_a_subscriber_hears_once_that_a_parcel_left_and_only_if_it_did():
    once = heard(1, "parcel.handed_over", L)
    assert list(ship_events([once, heard(2, "parcel.handed_over", L, role="merchant")], {L})) == []
    assert len(list(ship_events([once, heard(2, "parcel.handed_over", L)], {L}))) == 1
    assert len(list(ship_events([once], set()))) == 1


def test_an_order_ends_in_one_way():
    closed = heard(1, "order.closed")
    assert list(ends([closed, heard(2, "order.closed")])) == []
    assert len(list(ends([closed, heard(2, "order.cancelled")]))) == 1


def test_the_label_that_left_is_the_one_that_the_books_have_recorded():
    glued = {L: ("S1", 1)}
    assert list(records(glued, {L: ("S1", 1)})) == []
    for books in ({}, {L: ("S1", 2)}, {L: ("S2", 1)}):
        assert len(list(records(glued, books))) == 1


def test_an_order_that_is_not_over_at_the_horizon_is_no_life():
    assert list(liveness(["O1"], is_late=False)) == []
    assert list(liveness(["O1"], is_late=True)) == ["liveness: 1 order is not over: O1"]
    many = list(liveness(["O1", "O2", "O3", "O4", "O5"], is_late=True))
    assert many == ["liveness: 5 orders are not over: O1, O2, O3 and 2 more"]
    assert list(liveness([], is_late=True)) == ["liveness: a subscriber was not told all"]


def test_figures_that_must_be_nought_are_named():
    from packline.core.figures import NEVER_ON_THE_FLOOR

    fine = dict.fromkeys(NEVER_ON_THE_FLOOR, 0)
    assert list(counts(fine)) == []
    assert list(counts({**fine, "double_seals": 2})) == ["double_seals: 2"]


def test_nobody_hears_of_a_parcel_that_is_handed_over_before_it_has_left():
    watch = seen(*WELL[:7])
    watch.told("buyer", "parcel.approved", L)
    assert watch.found == []
    watch.told("buyer", "parcel.handed_over", L)
    assert watch.found == [f"ship event: buyer heard that {L} was handed over, and it had not left"]
    gone = seen(*WELL)
    gone.told("buyer", "parcel.handed_over", L)
    assert gone.found == []


@pytest.mark.parametrize(
    "story, broken",
    [
        (["begun", "claimed", "begins"], True),
        (["begun", "claimed", "led_on", "begins"], False),
        (["begun", "claimed", "died", "begun", "begins"], False),  # the next one knows of no second master
        (["begun", "died", "claimed", "begun", "begins"], False),  # nobody's
    ],
)
def test_who_has_lost_a_machine_to_a_second_master_does_not_move_it(story, broken):
    watch = Watch()
    words = {
        "begun": watch.begun,
        "claimed": lambda sim_s: watch.claimed("arm-1", sim_s),
        "begins": lambda sim_s: watch.moved("arm-1", "begins", sim_s),
        "led_on": lambda _: watch.led_on(),
        "died": lambda _: watch.died(),
    }
    for n, word in enumerate(story):
        words[word](n * 60.0)
    assert bool(watch.found) == broken


def test_events_of_an_order_come_in_order_and_under_one_id_each():
    assert list(order({"repeated": 3})) == []
    assert [said.partition(":")[0] for said in order({"overtaken": 1, "renamed": 2})] == [
        "order of events",
        "repeated event",
    ]


def test_a_message_that_its_host_did_not_sign_is_not_taken():
    assert list(signatures(())) == []
    assert list(signatures(["/intake/marketplace"])) == ["forged message: /intake/marketplace took one"]
