"""Servers do in every corner what docs/reference/model-file.md says: by hand, to the second."""

import math

import pytest

from tests.blocks.made import at, endless, leaves, line_of, machine, once, ran, server

HIGH_LOW = {"high": {"priority": 1}, "low": {"priority": 2}}


def two(service, low_at, high_at, **more):
    """One desk for both classes, at given times."""
    return {
        "in-low": at(low_at, "desk", mix={"low": 1}),
        "in-high": at(high_at, "desk", mix={"high": 1}),
        "desk": {**server(5), "service_by_class": service, **more},
    }


def flows(blocks, **head):
    figures = once(blocks, classes=HIGH_LOW, **head).figures
    return figures["classes.high.flow"], figures["classes.low.flow"]


SERVICE = {"low": 5, "high": 1}


@pytest.mark.parametrize(
    "preempt, expected", [("no", (4, 5)), ("resume", (1, 6)), ("repeat", (1, 8)), ("restart", (1, 8))]
)
def test_who_breaks_off_whom_and_what_becomes_of_the_work(preempt, expected):
    """Low begins at 0 with 5 s of work, high comes at 2 with 1 s."""
    assert flows(two(SERVICE, [0], [2], preempt=preempt)) == expected


def test_equal_priority_never_preempts_first_come():
    assert leaves({"in": at([0, 1], "desk"), "desk": server(5, preempt="resume")}) == [5, 10]


def test_last_come_preempts_with_resume():
    assert leaves({"in": at([0, 1], "desk"), "desk": server(5, preempt="resume", discipline="lifo")}) == [6, 10]


def test_work_broken_off_twice_is_done_once():
    assert flows(two(SERVICE, [0], [1, 3], preempt="resume")) == (1, 7)


def test_least_work_left_preempts_only_what_has_more():
    """At 3 the first has 2 s left: who needs 3 s waits; at 0 s of 5, who needs 1 s at 1 breaks it off."""
    late = flows(two({"low": 5, "high": 3}, [0], [3], preempt="resume", discipline="shortest"))
    assert late == (3, 8), "a class with a better priority goes first whatever its work"
    mix = {"in-a": at([0], "desk", mix={"a": 1}), "in-b": at([3], "desk", mix={"b": 1}),
           "desk": {**server(5, preempt="resume", discipline="shortest"), "service_by_class": {"b": 3}}}  # fmt: skip
    assert leaves(mix, classes={"a": {}, "b": {}}) == [5, 8]


def test_with_several_channels_the_least_worthy_is_broken_off_and_goes_on_where_one_is_free():
    blocks = two({"low": 10, "high": 4}, [0, 1], [2], preempt="resume", channels=2)
    line = line_of(blocks, 100, classes=HIGH_LOW)
    assert list(line.floor.left_at) == [6, 10, 15], "the second low, begun last, waits from 2 to 6"


def test_a_preempted_one_goes_before_those_of_its_class_that_came_later():
    assert leaves(two(SERVICE, [0, 1], [2], preempt="resume"), classes=HIGH_LOW) == [3, 6, 11]


def test_priorities_decide_who_leaves_a_finite_queue_and_not_who_comes_in():
    """One in service, one place: the low at 1 has it, so the high at 2 is lost."""
    run = once(two(SERVICE, [0, 1], [2], queue=1, full="lose"), classes=HIGH_LOW)
    assert (run.figures["desk.lost"], run.figures["departures"]) == (1, 2)
    assert "classes.high.flow" not in run.figures


def test_without_a_free_place_nobody_is_broken_off():
    run = once(two(SERVICE, [0], [2], queue=0, full="lose", preempt="resume"), classes=HIGH_LOW)
    assert (run.figures["desk.lost"], run.figures["classes.low.flow"]) == (1, 5)


def test_a_batch_that_does_not_fit_comes_in_as_far_as_there_is_room():
    run = once({"in": at([0], "desk", size=5), "desk": server(2, queue=2, full="lose")})
    assert (run.figures["desk.arrivals"], run.figures["desk.lost"]) == (3, 2)


def test_a_batch_waits_outside_where_the_door_is_not_closed():
    assert leaves({"in": at([0], "desk", size=5), "desk": server(2, queue=1)}) == [2, 4, 6, 8, 10]


def test_a_place_freed_at_an_instant_can_be_taken_at_that_instant():
    run = once({"in": at([0, 2, 4], "desk", blocked="lose"), "desk": server(2, queue=0)})
    assert (run.figures["in.lost"], run.figures["departures"]) == (0, 3)


def test_patience_ends_waiting_and_not_work():
    run = once({"in": at([0, 1, 2], "desk"), "desk": server(5, patience=4.5)})
    assert (run.figures["desk.reneged"], run.figures["departures"], run.figures["lost"]) == (1, 2, 1)


def test_who_lost_patience_may_go_elsewhere():
    blocks = {"in": at([0, 0], "desk"), "desk": server(5, patience=2, impatient="other"), "other": server(1)}
    assert leaves(blocks) == [3, 5]


def test_a_place_left_by_impatience_is_given_to_whoever_waits_outside():
    blocks = {"in": at([0, 0, 1], "desk"), "desk": server(5, queue=1, patience=2)}
    line = line_of(blocks, 4)
    assert line.floor.wip.value == 2, "one in service, and the third in the place of the second"


def test_a_desk_that_feeds_itself_needs_no_second_place():
    blocks = {"in": at([0], "desk"), "desk": server(1, {"desk": 0.5, "out": 0.5}, queue=0)}
    assert len(leaves(blocks)) == 1


def test_who_comes_back_queues_behind_the_others():
    blocks = {
        "in": at([0, 0], "part", mix={"new": 1}),
        "part": {"kind": "merge", "next": "desk"},
        "desk": server(1, "look"),
        "look": {"kind": "divert", "rule": "turns", "to": ["desk", "out", "out"]},
    }
    assert leaves(blocks, classes={"new": {}}) == [2, 3], (
        "first comes back at 1, the second leaves at 2, the first at 3"
    )


def test_who_breaks_work_off_finds_a_channel_that_was_not_idle():
    blocks = two(SERVICE, [0], [3], preempt="resume", setup=2, setup_when="idle")
    assert flows(blocks) == (1, 8), (
        "2 s of setup and 5 s of work, with 1 s of the other's in between and no second setup"
    )


def test_a_channel_that_failed_while_it_was_idle_is_set_up_all_the_same():
    blocks = {"in": at([0, 11], "desk"), "desk": server(1, setup=2, setup_when="idle", failures=failing("time", 10, 3))}
    assert leaves(blocks) == [3, 16], "idle from 3 on, down from 10 to 13, then 2 s of setup"


def test_setups_are_made_when_they_are_due():
    mix = {"a": at([0, 0, 0], "desk", mix={"x": 1}), "b": at([0.5], "desk", mix={"y": 1})}
    kinds: dict[str, dict] = {"x": {}, "y": {}}
    change = {**mix, "desk": server(1, setup=2, setup_when="change")}
    assert leaves(change, classes=kinds) == [1, 2, 3, 6]
    each = {**mix, "desk": server(1, setup=2, setup_when="each")}
    assert leaves(each, classes=kinds) == [3, 6, 9, 12]
    idle = {"in": at([0, 0, 10], "desk"), "desk": server(1, setup=2, setup_when="idle")}
    assert leaves(idle) == [3, 4, 13]


def test_vacations_are_taken_when_there_is_nothing_to_do():
    many = {"in": at([0, 2], "desk"), "desk": server(1, vacation=3)}
    assert leaves(many) == [1, 5], "away from 1 to 4"
    again = {"in": at([0, 5], "desk"), "desk": server(1, vacation=3)}
    assert leaves(again) == [1, 8], "away from 1 to 4 and from 4 to 7"
    single = {"in": at([0, 5], "desk"), "desk": server(1, vacation=3, vacations="single")}
    assert leaves(single) == [1, 6]


@pytest.mark.parametrize(
    "come, channels, expected",
    [
        ([0, 0], 1, [4, 4]),
        ([0, 1], 1, [3, 4]),
        ([0, 1], 2, [2, 3]),
        ([0, 0, 0], 2, [3, 3, 3]),
        ([0, 0, 3], 1, [4.5, 4.5, 6]),
    ],
)
def test_shared_work_is_shared_alike_and_nobody_is_faster_than_one_channel(come, channels, expected):
    """2 s of work each."""
    blocks = {"in": at(come, "desk"), "desk": server(2, discipline="shared", channels=channels)}
    assert leaves(blocks) == expected


def test_who_is_done_in_a_shared_server_takes_no_work_while_he_waits_for_room():
    blocks = {"in": at([0, 0], "a"), "a": server(2, "b", discipline="shared", queue=1), "b": machine(10)}
    assert leaves(blocks) == [14, 24]
    full = {"in": at([0, 0, 0], "a"), "a": server(2, discipline="shared", queue=1, full="lose")}
    assert once(full).figures["a.lost"] == 1


def test_endless_channels_never_let_anybody_wait():
    run = once({"in": at([0] * 50, "desk"), "desk": server(3, channels=math.inf)})
    assert (run.figures["desk.wait"], run.figures["departures"], run.figures["flow"]) == (0, 50, 3)


# -- blocking ------------------------------------------------------------------------------------------------------------


def test_blocked_after_service_the_piece_stays_on_its_machine():
    blocks = {"in": endless("a"), "a": machine(1, "b"), "b": machine(2)}
    run = once(blocks, 42, warmup_s=2)
    assert run.figures["throughput"] == 0.5
    assert run.figures["a.states.blocked"] == pytest.approx(0.5)


def test_blocked_before_service_the_work_waits_for_the_place():
    blocks = {"in": endless("a"), "a": machine(1, "b", blocking="before"), "b": machine(2)}
    assert leaves(blocks, 13) == [3, 6, 9, 12]


def test_one_place_between_makes_blocking_before_like_none_and_blocking_after():
    before = {"in": endless("a"), "a": machine(1, "b", blocking="before"), "b": machine(2, queue=1)}
    after = {"in": endless("a"), "a": machine(1, "b"), "b": machine(2)}
    assert leaves(before, 50) == leaves(after, 50)


def test_a_place_kept_before_service_is_nobody_elses():
    """b has one place: a keeps it at 0 for its piece of 5 s, so c finds none at 1."""
    blocks = {
        "in-a": at([0], "a"),
        "in-c": at([0], "c"),
        "a": machine(5, "b", blocking="before"),
        "c": machine(1, "b"),
        "b": machine(1),
    }
    assert leaves(blocks) == [6, 7]


def test_who_was_blocked_first_goes_first():
    blocks = {
        "in": at([0], "b"),
        "in-a": at([0], "a"),
        "in-c": at([0], "c"),
        "a": machine(2, "b"),
        "c": machine(1, "b"),
        "b": {**machine(10), "initial": {}},
    }
    line = line_of(blocks, 100)
    assert list(line.floor.left_at) == [10, 20, 30]
    assert line.blocks["a"].sojourn.values[0] == 20, "c, done at 1, goes at 10; a, done at 2, at 20"


def test_blocked_by_each_other_is_said():
    blocks = {"a": machine(1, "b", initial={"": 1}), "b": machine(2, "a", initial={"": 1})}
    assert ran(blocks).warnings == ["deadlock: a -> b wait for each other's places"]


def test_blocked_by_each_other_through_a_full_store_is_said():
    blocks = {
        "a": machine(1, "store", initial={"": 1}),
        "store": {"kind": "buffer", "capacity": 2, "next": "b", "initial": {"": 2}},
        "b": machine(2, "a", initial={"": 1}),
    }
    assert ran(blocks).warnings == ["deadlock: a -> store -> b wait for each other's places"]
    assert not ran({**blocks, "store": {**blocks["store"], "initial": {"": 1}}}).warnings


# -- what is there at the start --------------------------------------------------------------------------------------------


def ring(store=2, **more):
    """Two machines and two stores with three places each: in which order the file has them must not matter."""
    return {
        "s1": {"kind": "buffer", "capacity": 3, "next": "a", "initial": {"": store}},
        "a": machine(1, "s2", initial={"": 1}, **more),
        "s2": {"kind": "buffer", "capacity": 3, "next": "b", "initial": {"": store}},
        "b": machine(1, "s1", initial={"": 1}, **more),
    }


def there(blocks, horizon_s=50):
    run = once(blocks, horizon_s)
    return sum(run.figures[f"{name}.number"] for name in blocks), run.figures["wip"]


@pytest.mark.parametrize("blocking", ["after", "before"])
def test_all_who_are_there_at_the_start_stay_in_a_closed_network(blocking):
    """A store does not pass on to a machine what then takes the place of the machine's own."""
    blocks = ring(blocking=blocking)
    for order in (list(blocks), list(reversed(blocks))):
        assert there({name: blocks[name] for name in order}) == (6, 6)


def test_a_place_ahead_is_kept_only_when_all_have_theirs():
    blocks = {
        "a": machine(1, "b", initial={"": 1}, blocking="before"),
        "b": machine(1, "c", initial={"": 1}, blocking="before"),
        "c": machine(1, "a", blocking="before"),
    }
    assert there(blocks) == (2, 2)
    assert once(blocks).figures["c.departures"] == 33, "with one free place there is one move a second, each in turn"


def test_who_is_there_at_the_start_has_not_come_and_is_not_turned_away():
    line = line_of({"a": server(1, initial={"": 4}, balk=[1])}, 2.5)
    assert (line.blocks["a"].balked, line.blocks["a"].held) == (0, 2)


# -- failures ------------------------------------------------------------------------------------------------------------


def failing(by, every, repair, **more):
    return [{"by": by, "every": every, "repair": repair, **more}]


@pytest.mark.parametrize("after, expected", [("resume", [8]), ("repeat", [10]), ("restart", [10]), ("scrap", [])])
def test_a_failure_at_work_does_to_the_piece_what_it_says(after, expected):
    """4 s of work from 3; it fails at 5 for 1 s, and again at 11."""
    blocks = {"in": at([3], "a"), "a": machine(4, failures=failing("time", 5, 1, after=after))}
    assert leaves(blocks, 50) == expected


def test_a_spoiled_piece_goes_to_the_scrap_or_where_it_is_sent():
    failures = failing("time", 2, 3, after="scrap")
    run = once({"in": at([0], "a"), "a": machine(4, failures=failures)})
    assert (run.figures["a.scrapped"], run.figures["scrapped"], run.figures["wip"]) == (1, 1, 0.02)
    sent = {"in": at([0], "a"), "a": machine(4, failures=failures, scrap="bin"), "bin": {"kind": "sink"}}
    assert once(sent).figures["bin.arrivals"] == 1


def test_by_time_it_fails_also_while_it_has_nothing_to_do():
    blocks = {"in": at([2], "a"), "a": machine(1, failures=failing("time", 1, 3))}
    assert leaves(blocks, 5.5) == [5], "down from 1 to 4"


def test_by_working_time_it_does_not():
    blocks = {"in": at([2, 20], "a"), "a": machine(1, failures=failing("busy", 1.5, 3))}
    assert leaves(blocks) == [3, 24], "the second fails after half a second of work"


def test_work_that_ends_at_the_instant_of_the_failure_is_done():
    blocks = {"in": at([0], "a"), "a": machine(2, failures=failing("time", 2, 7))}
    assert leaves(blocks, 50) == [2]
    blocks = {"in": at([0, 5], "a"), "a": machine(2, failures=failing("busy", 2, 7))}
    assert leaves(blocks, 50) == [2, 14]


def test_by_cycles_it_stops_before_the_next_piece_and_not_while_there_is_none():
    blocks = {"in": at([0, 0, 20], "a"), "a": server(1, failures=failing("cycles", 2, 5))}
    run = once(blocks, 100)
    assert leaves(blocks) == [1, 2, 26]
    assert run.figures["a.states.down"] == pytest.approx(0.05)


def test_a_finished_piece_leaves_a_machine_that_is_down():
    """a is done at 1, blocked until b is free at 5, down from 3 to 13: the piece goes on at 5, the next is begun at 13."""
    blocks = {
        "in": at([0, 0], "a"),
        "in-b": at([0], "b"),
        "a": machine(1, "b", failures=failing("time", 3, 10)),
        "b": machine(5),
    }
    assert leaves(blocks, 16) == [5, 10]
    line = line_of(blocks, 13.5)
    assert line.blocks["a"].sojourn.values[0] == 5


def test_a_machine_that_is_down_does_not_fail_again():
    failures = [*failing("time", 2, 10), *failing("time", 5, 10)]
    line = line_of({"in": endless("a"), "a": machine(100, failures=failures)}, 40)
    assert line.blocks["a"].states()["down"] == pytest.approx(34 / 40), (
        "up 0-2, 12-14, 24-25, 35-36: never both at once"
    )


def test_a_piece_is_passed_on_to_a_channel_that_is_up():
    """Both channels fail at 2 for 10 s... the second piece came to the second channel, which fails at the same instant."""
    failures = failing("busy", 2, 10, passed_on=True)
    line = line_of({"in": at([0], "a"), "a": machine(3, channels=2, failures=failures)}, 100)
    assert list(line.floor.left_at) == [3], "one second is left at 2, and the other channel does it at once"


def test_when_up_again_the_better_one_goes_first():
    """low is at work from 0 to 2, down until 5; high came at 3."""
    blocks = two(SERVICE, [0], [3], preempt="resume", failures=failing("time", 2, 3))
    line = line_of(blocks, 6.5, classes=HIGH_LOW)
    assert list(line.floor.left_at) == [6]


def test_down_machines_keep_their_places():
    """M/M/1/K with breakdowns counts K places whatever the server does: here 2."""
    run = once({"in": at([2, 3, 4], "a"), "a": machine(1, queue=1, full="lose", failures=failing("time", 1, 50))}, 40)
    assert (run.figures["a.lost"], run.figures["a.arrivals"]) == (1, 2)


# -- people --------------------------------------------------------------------------------------------------------------


def test_one_operator_serves_two_machines_one_after_the_other():
    blocks = {
        "crew": {"kind": "operator"},
        "in-a": at([0], "a"),
        "in-b": at([0], "b"),
        "a": machine(3, operator="crew"),
        "b": machine(3, operator="crew"),
    }
    run = once(blocks, 10)
    assert leaves(blocks) == [3, 6]
    assert run.figures["b.states.unmanned"] == pytest.approx(0.3)
    assert run.figures["crew.utilization"] == pytest.approx(0.6)
    assert run.figures["crew.served"] == 2


def test_after_the_shift_nothing_new_is_begun_and_what_is_begun_is_finished():
    crew = {"kind": "operator", "cycle_s": 20, "shifts": [{"from_s": 0, "to_s": 5}]}
    blocks = {"crew": crew, "in": at([0, 0, 0], "a"), "a": server(3, operator="crew")}
    assert leaves(blocks) == [3, 6, 23]


def test_a_repair_waits_for_its_operator_and_keeps_him():
    failures = failing("time", 2, 4, operator=True)
    blocks = {
        "crew": {"kind": "operator"},
        "in-a": at([0], "a"),
        "in-b": at([1], "b"),
        "a": machine(3, operator="crew", operator_for="stops", failures=failures),
        "b": machine(5, operator="crew"),
    }
    line = line_of(blocks, 10.5)
    assert list(line.floor.left_at) == [6], "b has him until 6; the repair ends at 10"
    assert line.blocks["a"].states()["down"] == pytest.approx(8 / 10.5)


def test_an_operator_let_go_by_a_failure_helps_elsewhere():
    failures = failing("time", 1, 10)
    blocks = {
        "crew": {"kind": "operator"},
        "in-a": at([0], "a"),
        "in-b": at([0], "b"),
        "a": machine(3, operator="crew", failures=failures),
        "b": machine(3, operator="crew"),
    }
    assert leaves(blocks, 12) == [4]
