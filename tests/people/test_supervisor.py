"""The shift leader looks at the floor and picks the right one of the offered actions."""

import pytest

from simulation.people.remedies import Remedies
from simulation.people.supervisor import Supervisor
from tests.people.rig import say

ALL = ["retry", "done", "not_done", "reprint", "hold", "release", "clarify", "void", "ship_short", "wait", "shipped"]


@pytest.fixture
def known():
    """Give the plates that the host was told of, by order."""
    return {}


@pytest.fixture
def leader(stage, known):
    remedies = Remedies(stage.crew, lambda order: known.get(order, set()))
    return Supervisor(stage.crew, remedies, reaction_s=0.0, again_s=0.0)


def row(code, subject, *, station="label-1", effect="", actions=None, **params):
    return {
        "id": f"x-{code}-{subject}",
        "code": code,
        "station": station,
        "subject": subject,
        "actions": [*ALL, "dismiss"] if actions is None else actions,
        "fault": {"seen": ""},
        "effect": {"kind": effect, "params": params} if effect else None,
    }


async def answer_to(stage, leader, *rows):
    """Let the leader make rounds until something was asked; gives the actions asked for exceptions."""
    stage.desk.rows = list(rows)
    stage.desk.asked.clear()
    await stage.work(leader.run, lambda: stage.desk.asked)
    return [args["action"] for action, args, _ in stage.desk.asked if action == "exception"]


@pytest.mark.parametrize("closed, expected", [(True, "done"), (False, "not_done")])
async def test_seal_in_doubt_is_settled_by_a_look_at_the_carton(stage, leader, closed, expected):
    carton = stage.carton("pack-1", ["TEA"], closed=closed)

    assert await answer_to(stage, leader, row(2005, carton.lpn, effect="seal")) == [expected]


@pytest.mark.parametrize("sticks, expected", [(True, "done"), (False, "not_done")])
async def test_label_in_doubt_is_settled_by_a_look_at_the_carton(stage, leader, sticks, expected):
    carton = stage.carton("label-1", ["TEA"], closed=True)
    stage.label(carton.lpn, printer="printer-label", on=carton if sticks else None)

    assert await answer_to(stage, leader, row(2004, carton.lpn, effect="apply")) == [expected]


@pytest.mark.parametrize("number, expected", [(7, "done"), (6, "not_done")])
async def test_print_in_doubt_is_settled_by_a_look_at_the_printer(stage, leader, number, expected):
    carton = stage.carton("label-1", ["TEA"], closed=True)
    stage.label(carton.lpn, 7, printer="printer-label")

    assert await answer_to(stage, leader, row(2103, carton.lpn, effect="print", print_number=number)) == [expected]


@pytest.mark.parametrize("left, expected", [(True, "done"), (False, "not_done")])
async def test_release_in_doubt_is_settled_by_a_look_through_the_door(stage, leader, left, expected):
    carton = stage.carton("gate-1", ["TEA"], closed=True)
    if left:
        stage.world.leave(carton)

    assert await answer_to(stage, leader, row(3014, carton.lpn, station="gate-1", effect="release")) == [expected]


@pytest.mark.parametrize("code", [2105, 3002, 3003, 3006])
async def test_old_labels_are_off_and_away_before_a_reprint_is_asked(stage, leader, code):
    carton = stage.carton("label-1", ["TEA"], closed=True)
    on, at_printer = stage.label(carton.lpn, 1, on=carton), stage.label(carton.lpn, 2, printer="printer-label")

    assert await answer_to(stage, leader, row(code, carton.lpn)) == ["reprint"]
    assert carton.labels == []
    assert (on.place, at_printer.place) == ("bin", "bin")


async def test_label_that_the_camera_missed_is_looked_at_again_before_it_is_replaced(stage, leader):
    carton = stage.carton("label-1", ["TEA"], closed=True)
    stage.label(carton.lpn, on=carton)
    case = row(2104, carton.lpn, actions=["retry", "reprint", "clarify"])

    asked = [(await answer_to(stage, leader, {**case, "id": f"again-{n}"}))[0] for n in range(3)]

    assert asked == ["retry", "retry", "reprint"]
    assert carton.labels == []


async def test_label_that_is_nowhere_is_printed_again(stage, leader):
    carton = stage.carton("label-1", ["TEA"], closed=True)

    assert await answer_to(stage, leader, row(2104, carton.lpn)) == ["reprint"]


async def test_missing_parcel_that_left_is_called_shipped(stage, leader):
    carton = stage.carton("gate-1", ["TEA"], closed=True)
    stage.world.leave(carton)

    assert await answer_to(stage, leader, row(3007, carton.lpn)) == ["shipped"]


@pytest.mark.parametrize(
    "stands, then", [("bench-1", "gate-1"), ("clarify-1", "gate-1"), ("gate-1", "gate-1"), ("hands", "hands")]
)
async def test_missing_parcel_is_found_and_carried_to_where_the_books_expect_it(stage, leader, stands, then):
    carton = stage.carton(stands, ["TEA"], closed=True)
    missing = row(3007, carton.lpn, actions=["retry", "shipped", "void", "clarify"])

    assert await answer_to(stage, leader, {**missing, "fault": {"seen": "", "expected": "at gate-1"}}) == ["retry"]
    assert carton.place == then


async def test_parcel_that_left_though_the_gate_says_that_it_failed_is_called_shipped(stage, leader):
    carton = stage.carton("gate-1", ["TEA"], closed=True)
    stage.world.leave(carton)
    failed = row(2006, carton.lpn, effect="release", actions=["retry", "clarify", "shipped"])

    assert await answer_to(stage, leader, failed) == ["shipped"]


async def test_what_fails_again_and_again_goes_to_clarification(stage, leader):
    carton = stage.carton("label-1", ["TEA"], closed=True)
    asked = [(await answer_to(stage, leader, {**row(2006, carton.lpn), "id": f"f{n}"}))[0] for n in range(3)]

    assert asked == ["retry", "retry", "clarify"]


async def test_parcel_that_no_scanner_reads_at_the_gate_gets_another_label_by_way_of_clarification(stage, leader):
    carton = stage.carton("gate-1", ["TEA"], closed=True)
    stage.label(carton.lpn, on=carton)
    case = row(3001, "gate-1", station="gate-1", actions=["retry", "clarify"])

    asked = [(await answer_to(stage, leader, {**case, "id": f"n{n}"}))[0] for n in range(2)]
    assert asked == ["retry", "retry"] and carton.place == "gate-1"

    stage.desk.rows = [{**case, "id": "n2"}]
    await stage.work(leader.run, lambda: "n2" in leader._answered)
    assert (carton.place, carton.labels) == ("clarify-1", [])
    wishes = [(action, args) for action, args, _ in stage.desk.asked]
    assert ("parcel", {"lpn": carton.lpn, "action": "reprint"}) in wishes


async def test_note_is_read_and_dismissed_and_a_short_item_is_left_out(stage, leader):
    noted = row(3008, "recovery", station="line", actions=["dismiss"])
    short = row(3013, "u1", station="induct-1", actions=["ship_short", "retry", "void"])

    assert set(await answer_to(stage, leader, noted, short)) <= {"dismiss", "ship_short"}
    assert set(leader.handled.values()) <= {3008, 3013}


async def test_message_in_quarantine_gets_time_to_be_corrected(stage, leader):
    stage.desk.rows = [row(4005, "inbox:3", station="marketplace", actions=["retry", "dismiss"])]
    looks = iter(range(50))
    await stage.work(leader.run, lambda: next(looks, None) is None)

    assert stage.desk.asked == []


async def test_books_older_than_the_floor_send_everybody_to_count(stage, leader, known):
    gone = stage.carton("gate-1", ["TEA"], closed=True)
    stage.world.leave(gone)
    known["m-1"] = {gone.lpn}
    case = row(3016, "m-1", station="marketplace", actions=["shipped", "release", "dismiss"])

    assert await answer_to(stage, leader, case) == ["shipped"]
    assert stage.crew.recount.ordered == 1


async def test_action_that_is_not_offered_is_never_asked_for(stage, leader):
    carton = stage.carton("label-1", ["TEA"])

    assert await answer_to(stage, leader, row(2005, carton.lpn, effect="seal", actions=["clarify"])) == ["clarify"]


async def test_stopped_machine_is_cleared_at_its_panel_and_its_station_released(stage, leader):
    stage.desk.show("induct-1", say("held"), hold_by="software")
    leader.held_s = 0.0
    await stage.work(leader.run, lambda: stage.desk.asked)

    assert stage.desk.asked[0][:2] == ("station", {"station": "induct-1", "action": "release"})


@pytest.mark.parametrize("closed, expected", [(True, "reprint"), (False, "release")])
async def test_parcel_at_clarification_is_decided_without_its_old_label(stage, leader, closed, expected):
    carton = stage.carton("clarify-1", ["TEA"], closed=closed)
    stage.label(carton.lpn, on=carton)
    stage.desk.show("clarify-1", say("decide"), [say("decide", lpn=carton.lpn)])
    await stage.work(leader.run, lambda: stage.desk.asked)

    assert stage.desk.asked[0][:2] == ("parcel", {"lpn": carton.lpn, "action": expected})
    assert carton.labels == []


async def test_answer_that_expired_in_an_outage_is_given_again_under_another_key(stage, leader):
    answers = iter([{"state": "expired"}, {"state": "done"}])
    stage.desk.on_request = lambda action, args: next(answers, {"state": "done"})
    stage.desk.rows = [row(3008, "recovery", actions=["dismiss"])]
    await stage.work(leader.run, lambda: leader.handled)

    keys = [key for _, _, key in stage.desk.asked]
    assert len(keys) == len(set(keys)) >= 2


async def test_an_exception_that_ends_without_an_answer_was_still_one(stage, leader):
    """A wrong order is waited for: its correction closes the row, and nobody had to answer it."""
    stage.desk.rows = [row(4005, "inbox:7", station="marketplace", actions=["retry", "dismiss"])]
    await stage.work(leader.run, lambda: leader.opened)
    stage.desk.rows = []

    assert (list(leader.opened.values()), leader.handled) == ([4005], {})
