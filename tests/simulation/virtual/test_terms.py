"""What host and buyer said is held against what left: each rule is green where all is well, and red where it is broken."""

from datetime import UTC, datetime, timedelta
from math import inf

import pytest

from simulation.people.marketplace import Move
from simulation.people.receiver import Received
from simulation.virtual.content import address_word
from simulation.virtual.invariants import records
from simulation.virtual.terms import REACTS_S, gone, misaddressed, overtaken, unapproved, unpaid, unwanted

L, M = "PL1", "PL2"
AT = datetime(2026, 1, 5, 8, tzinfo=UTC)
LEFT = {L: "O1"}
LEFT_AT = {L: 9.0}
TEN = (AT + timedelta(seconds=10)).isoformat()


ADDRESSES = {name: {"recipient": "Li", "lines": [name]} for name in ("old", "new", "other")}


def move(taken_s, begun_s=0.5):
    return Move(before=ADDRESSES["old"], begun_s=begun_s, taken_s=taken_s)


def test_what_left_is_what_passed_the_door_and_somebody_heard_of():
    def heard(lpn, name="parcel.handed_over"):
        return Received(n=1, role="buyer", id="1", name=name, order="O1", data={"lpn": lpn})

    events = [heard(L), heard(M), heard("PL3", "parcel.packed")]
    assert gone(events, {L: 9.0, "PL3": 9.0}) == gone(events, LEFT_AT, "buyer") == LEFT
    assert gone(events, LEFT_AT, "merchant") == {}


def test_nothing_leaves_that_its_buyer_does_not_want():
    assert list(unwanted(LEFT, LEFT_AT, {M}, {"O2": 1.0})) == []
    assert list(unwanted(LEFT, LEFT_AT, set(), {"O1": 9.0 - REACTS_S})) == []  # the gate was at work
    assert list(unwanted({}, {}, {L}, {"O1": 1.0})) == []
    assert list(unwanted(LEFT, LEFT_AT, {L}, {})) == [f"unwanted: {L} left, and its buyer had rejected it"]
    assert list(unwanted(LEFT, LEFT_AT, set(), {"O1": 1.0})) == [f"unwanted: {L} left 8.0 s after O1 was cancelled"]


def test_nothing_leaves_that_is_not_bought_and_paid():
    assert list(unpaid(LEFT, LEFT_AT, {})) == list(unpaid(LEFT, LEFT_AT, {"O1": 8.0, "O2": inf})) == []
    for sold_at in (9.1, inf):
        assert list(unpaid(LEFT, LEFT_AT, {"O1": sold_at})) == [f"unpaid: {L} left, and O1 was not bought and paid"]


@pytest.mark.parametrize(
    "asked, why",
    [
        ({L: ""}, None),
        ({L: (AT + timedelta(seconds=8)).isoformat()}, None),
        ({L: TEN}, "its buyer had not said yes"),
        ({M: ""}, "nobody asked its buyer"),
    ],
    ids=["he said yes", "his time was up", "he did not say anything", "he was not asked"],
)
def test_nothing_leaves_before_its_buyer_has_said_yes(asked, why):
    found = [f"unapproved: {L} left, and {why}"] if why else []
    assert list(unapproved(LEFT, LEFT_AT, asked, set(), AT)) == found
    assert list(unapproved(LEFT, LEFT_AT, asked, {"O1"}, AT)) == []  # of this one nobody is asked


@pytest.mark.parametrize(
    "on_label, moved, is_wrong",
    [
        ("new", {}, False),
        ("", {}, False),
        ("old", {}, True),
        ("new", {"O1": move(1.0)}, False),
        ("old", {"O1": move(1.0)}, True),
        ("old", {"O1": move(9.0 - REACTS_S + 0.1)}, False),
        ("old", {"O1": move(inf)}, False),
        ("other", {"O1": move(inf)}, True),
    ],
)
def test_nothing_leaves_with_an_address_that_its_order_has_no_more(on_label, moved, is_wrong):
    words = {name: address_word(to) for name, to in ADDRESSES.items()}
    found = list(misaddressed(LEFT, LEFT_AT, {L: words.get(on_label, "")}, lambda _: ADDRESSES["new"], moved))
    assert found == ([f"address: {L} left with another address than O1 has"] if is_wrong else [])


def test_the_label_of_what_left_in_the_moment_of_a_move_may_be_void_in_the_books():
    glued, void = {L: ("S1", 1)}, {L: ("", 0)}
    assert overtaken(LEFT, LEFT_AT, {"O1": move(9.1, begun_s=8.9)}) == {L}
    assert (
        overtaken(LEFT, LEFT_AT, {"O1": move(2.0)})
        == overtaken(LEFT, LEFT_AT, {"O1": move(12.0, begun_s=11.0)})
        == set()
    )
    assert list(records(glued, void, {L})) == []
    assert len(list(records(glued, void))) == len(list(records(glued, {L: ("S2", 2)}, {L}))) == 1
