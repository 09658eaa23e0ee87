"""Buffers, conveyors, merges, diverts, sources and couriers do what docs/reference/model-file.md says, to the second."""

import math

import pytest

from tests.blocks.made import at, endless, leaves, line_of, machine, once, server


def between(**buffer):
    return {
        "in": endless("a"),
        "a": machine(1, "store"),
        "store": {"kind": "buffer", "next": "b", **buffer},
        "b": machine(2),
    }


# -- buffers -------------------------------------------------------------------------------------------------------------


def test_a_buffer_without_places_is_as_if_it_were_not_there():
    direct = {"in": endless("a"), "a": machine(1, "b"), "b": machine(2)}
    assert leaves(between(capacity=0), 50) == leaves(direct, 50)


def test_a_buffer_and_a_queue_of_the_same_size_are_the_same():
    with_queue = {"in": endless("a"), "a": machine(1, "b"), "b": machine(2, queue=3)}
    one, other = once(between(capacity=3), 50), once(with_queue, 50)
    assert one.figures["throughput"] == other.figures["throughput"]
    assert one.figures["a.states.blocked"] == other.figures["a.states.blocked"]


def test_a_buffer_is_never_above_its_capacity():
    line = line_of(between(capacity=3), 50)
    assert len(line.blocks["store"].number.shares(50)) == 4
    assert line.floor.wip.value == 5, "one at each machine and three between"


def test_a_full_buffer_loses_or_sends_on_what_comes():
    lose = {
        "in": at([0] * 5, "store"),
        "store": {"kind": "buffer", "capacity": 2, "full": "lose", "next": "a"},
        "a": machine(1),
    }
    assert once(lose).figures["store.lost"] == 2
    over = {**lose, "store": {"kind": "buffer", "capacity": 2, "overflow": "b", "next": "a"}, "b": server(1)}
    assert once(over).figures["b.arrivals"] == 2
    passage = {**lose, "store": {"kind": "buffer", "capacity": 0, "full": "lose", "next": "a"}}
    assert once(passage).figures["store.lost"] == 4


def test_last_in_first_out_and_priorities_in_a_buffer():
    kinds = {"first": {"priority": 1}, "second": {"priority": 2}}
    blocks = {
        "in-x": at([0, 1, 2], "store", mix={"second": 1}),
        "in-y": at([3], "store", mix={"first": 1}),
        "store": {"kind": "buffer", "discipline": "lifo", "next": "a"},
        "a": machine(10),
    }
    line = line_of(blocks, 100, classes=kinds)
    assert line.floor.flow.values.tolist() == [10, 17, 28, 39], "0, then the first class, then 2 before 1"


def test_an_item_whose_way_is_full_holds_up_those_behind_it():
    blocks = {
        "in-x": at([0, 1], "store", mix={"x": 1}),
        "in-y": at([2], "store", mix={"y": 1}),
        "store": {"kind": "buffer", "next": "part"},
        "part": {"kind": "divert", "rule": "class", "by_class": {"x": "a"}, "next": "b"},
        "a": machine(10),
        "b": machine(1),
    }
    assert leaves(blocks, classes={"x": {}, "y": {}}) == [10, 11, 20]


# -- ways ----------------------------------------------------------------------------------------------------------------


def parting(rule, a, b, count=6):
    return {
        "in": at(list(range(count)), "part"),
        "part": {"kind": "divert", "rule": rule, "to": ["a", "b"]},
        "a": machine(a),
        "b": machine(b),
    }


def test_by_turns_waits_for_the_one_whose_turn_it_is():
    assert leaves(parting("turns", 10, 1, 4), 60) == [2, 10, 11, 20]


def test_the_first_free_is_taken_in_the_order_of_the_list():
    line = line_of(parting("first_free", 1.5, 1.5), 60)
    assert (line.blocks["a"].went, line.blocks["b"].went) == (3, 3)
    line = line_of(parting("first_free", 0.5, 0.5), 60)
    assert (line.blocks["a"].went, line.blocks["b"].went) == (6, 0)


def test_who_waits_for_either_goes_to_whichever_is_free_first():
    assert leaves(parting("first_free", 10, 3, 3), 60) == [4, 7, 10]


def test_the_shortest_is_the_one_that_holds_the_fewest():
    blocks = parting("shortest", 5, 5, 4) | {"a": server(5), "b": server(5)}
    line = line_of(blocks, 60)
    assert (line.blocks["a"].went, line.blocks["b"].went) == (2, 2)


def test_one_that_has_room_goes_before_one_that_would_lose_it():
    blocks = parting("first_free", 5, 5, 3)
    blocks["a"] |= {"full": "lose"}
    run = once(blocks)
    assert (run.figures["a.arrivals"], run.figures["b.arrivals"], run.figures["a.lost"]) == (1, 1, 1)


def test_a_random_way_is_chosen_once_and_waited_for():
    blocks = {
        "in": endless("m"),
        "m": machine(1, {"a": 0.5, "b": 0.5}),
        "a": machine(9),
        "b": machine(1),
    }
    run = once(blocks, 40_000)
    assert run.figures["a.throughput"] / run.figures["throughput"] == pytest.approx(0.5, abs=0.03)


def merging(rule, **more):
    return {
        "in-a": endless("a", most=4),
        "in-b": endless("b", most=4),
        "a": machine(1, "join"),
        "b": machine(1, "join"),
        "join": {"kind": "merge", "rule": rule, "next": "c", **more},
        "c": machine(3),
    }


def gone_at(rule, until, **more):
    """Give how many of each had gone into the merge."""
    line = line_of(merging(rule, **more), until)
    return line.blocks["a"].went, line.blocks["b"].went


def test_a_merge_serves_who_waited_longest_or_who_stands_first_or_each_in_turn():
    assert gone_at("first_come", 13.5) == (3, 2)
    assert gone_at("priority", 13.5, order=["a", "b"]) == (4, 1)
    assert gone_at("priority", 13.5, order=["b", "a"]) == (1, 4), "a had come first to an empty machine"
    assert gone_at("turns", 13.5, order=["a", "b"]) == (3, 2)


def test_a_merge_loses_nobody_and_leaves_nobody_standing():
    for rule, order in (("first_come", []), ("priority", ["a", "b"]), ("turns", ["b", "a"])):
        assert len(leaves(merging(rule, order=order), 100)) == 8


def test_a_place_behind_a_merge_can_be_kept():
    blocks = merging("first_come")
    blocks["a"]["blocking"] = blocks["b"]["blocking"] = "before"
    assert len(leaves(blocks, 100)) == 8


# -- conveyors -----------------------------------------------------------------------------------------------------------


def conveyed(service, **belt):
    return {
        "in": endless("belt"),
        "belt": {"kind": "conveyor", "zones": 3, "zone_s": 2, "next": "a", **belt},
        "a": machine(service),
    }


def test_an_item_travels_zone_by_zone_and_the_next_follows_when_the_first_zone_is_free():
    assert leaves(conveyed(0.5), 13) == [6.5, 8.5, 10.5, 12.5]


def test_items_close_up_behind_the_one_that_stands():
    line = line_of(conveyed(100), 50)
    assert line.blocks["belt"].number.value == 3
    eyes = line.blocks["belt"].figures()["eyes"]
    assert eyes == pytest.approx([0.84] * 3), "the machine is taken at 6, and each of the next three stops at 8"


def test_a_conveyor_is_starved_busy_or_blocked():
    line = line_of(
        {"in": at([10], "belt"), "belt": {"kind": "conveyor", "zones": 2, "zone_s": 5, "next": "a"}, "a": machine(1)},
        40,
    )
    assert line.blocks["belt"].states() == {"starved": 0.75, "busy": 0.25, "blocked": 0.0}


def test_a_belt_stops_as_a_whole_and_lets_nothing_on_while_it_stands():
    blocks = {
        "in": at([0, 1, 6], "belt"),
        "belt": {"kind": "belt", "travel_s": 4, "gap_s": 1, "next": "a"},
        "a": machine(5),
    }
    line = line_of(blocks, 100)
    assert list(line.floor.left_at) == [9, 14, 19]
    assert line.blocks["belt"].states()["blocked"] * 100 == pytest.approx(5), (
        "from 5, when the second comes, to 9, and 13 to 14"
    )


def test_a_belt_keeps_its_gap():
    blocks = {"in": at([0, 0, 0], "belt"), "belt": {"kind": "belt", "travel_s": 4, "gap_s": 1.5, "next": "out"}}
    assert leaves(blocks) == [4, 5.5, 7]


# -- sources -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "blocked, expected, lost", [("wait", [5, 10, 15, 20], 0), ("lose", [5, 9], 2), ("pause", [5, 10, 15, 20], 0)]
)
def test_what_finds_no_room_waits_is_lost_or_holds_the_source_up(blocked, expected, lost):
    source = {"kind": "source", "every": 2, "first_s": 0, "most": 4, "next": "a", "blocked": blocked}
    run = once({"in": source, "a": machine(5)}, 50)
    if blocked == "lose":
        expected = [5, 11]
    assert leaves({"in": source, "a": machine(5)}, 50) == expected
    assert run.figures["in.lost"] == lost


def test_a_source_that_pauses_counts_from_when_its_item_was_taken():
    source = {"kind": "source", "every": 2, "first_s": 0, "next": "a", "blocked": "pause"}
    run = once({"in": source, "a": machine(5)}, 30)
    assert run.figures["flow"] < 10, "never more than one waits"


def test_a_source_that_waits_counts_the_time_outside():
    run = once({"in": {"kind": "source", "every": 2, "first_s": 0, "next": "a", "most": 3}, "a": machine(5)}, 50)
    assert run.figures["flow"] == pytest.approx((5 + 8 + 11) / 3)


def test_a_profile_makes_arrivals_faster_and_stops_them():
    profile = [{"from_s": 0, "times": 1}, {"from_s": 10, "times": 0}, {"from_s": 20, "times": 2}]
    source = {"kind": "source", "every": 4, "cycle_s": 30, "profile": profile, "next": "out"}
    assert leaves({"in": source}, 37) == [4, 8, 21, 23, 25, 27, 29, 32, 36]


def test_a_saturated_source_never_lets_its_machine_starve_and_nobody_is_early():
    run = once({"in": endless("a"), "a": machine(2)}, 101)
    assert (run.figures["a.states.busy"], run.figures["flow"], run.figures["wip"]) == (1, 2, 1)


# -- people --------------------------------------------------------------------------------------------------------------


def test_a_courier_takes_what_he_can_carry():
    blocks = {"in": at([0, 1, 2, 3], "shelf"), "shelf": {"kind": "courier", "every": 10, "load": 3, "next": "out"}}
    assert leaves(blocks) == [10, 10, 10, 20]


def test_a_full_shelf_lets_the_line_wait():
    blocks = {
        "in": endless("a", most=3),
        "a": machine(1, "shelf"),
        "shelf": {"kind": "courier", "every": 10, "capacity": 1, "next": "out"},
    }
    assert leaves(blocks) == [10, 20, 30]


def test_a_reel_is_changed_before_the_piece_that_it_lacks():
    stock = {"pieces": 2, "change": 30}
    blocks = {
        "in": at([0] * 5, "p"),
        "p": {"kind": "printer", "print": 1, "roll": stock, "queue": math.inf, "next": "out"},
    }
    run = once(blocks, 100)
    assert leaves(blocks) == [1, 2, 33, 34, 65]
    assert run.figures["p.states.setup"] == pytest.approx(0.6)


def test_verdicts_lead_elsewhere():
    blocks = {
        "in": at([0] * 10, "weigh"),
        "weigh": {
            "kind": "checkweigher", "weigh": 1, "weight_kg": 70, "queue": math.inf, "reject": "bin", "next": "out",
        },
        "bin": {"kind": "sink"},
    }  # fmt: skip
    run = once(blocks)
    assert (run.figures["bin.arrivals"], run.figures["weigh.verdicts.reject"], run.figures["weigh.oee.quality"]) == (
        10,
        10,
        0,
    )


def test_a_packer_says_its_states_in_packml_too():
    run = once({"in": endless("p"), "p": {"kind": "packer", "seal": 5, "next": "slow"}, "slow": machine(10)}, 105)
    assert run.figures["p.packml.Suspended"] == run.figures["p.states.blocked"] + run.figures["p.states.starved"]
    assert run.figures["p.packml.Execute"] == run.figures["p.states.busy"]


def test_a_buyer_who_says_nothing_is_silent_after_his_time():
    blocks = {
        "in": at([0], "b"),
        "b": {"kind": "buyer", "answer": 50, "most_s": 20, "silent": "hold", "next": "out"},
        "hold": {"kind": "sink"},
    }
    assert once(blocks).figures["hold.sojourn"] == 20


@pytest.mark.parametrize("after, found", [("resume", 1), ("restart", 1), ("scrap", 0)])
def test_a_verdict_counts_when_the_work_is_done(after, found):
    """Work that is broken off at 1 s and begun again, or whose piece is spoiled, has found nothing by then."""
    weigh = {"kind": "checkweigher", "weigh": 2, "weight_kg": 70, "next": "out"}
    stops = [{"by": "time", "every": 4, "repair": 50, "after": after}]
    run = once({"in": at([3], "weigh"), "weigh": {**weigh, "failures": stops}})
    assert run.figures.get("weigh.verdicts.reject", 0) == found
    assert run.figures["weigh.oee.quality"] == 0
    assert run.figures["weigh.scrapped"] == 1 - found


def test_what_a_piece_is_planned_to_take_is_that_of_its_class():
    blocks = {
        "in": at([0, 10, 20], "a", mix={"slow": 1.0}),
        "others": at([5], "a"),
        "a": machine(1, service_by_class={"slow": 3}),
    }
    assert once(blocks, classes={"slow": {}}).figures["a.oee.effectiveness"] == pytest.approx(1)


def test_a_batch_without_end_has_no_plan_to_be_compared_with():
    run = once({"in": at([0, 0], "a"), "a": machine(1, batch=math.inf)})
    assert math.isnan(run.figures["a.oee.effectiveness"])
    assert run.figures["a.oee.quality"] == 1


@pytest.mark.parametrize("blocking", ["after", "before"])
def test_who_goes_elsewhere_for_want_of_a_place_is_counted_where_there_was_none(blocking):
    blocks = {
        "in": at([0, 0, 0, 0], "a"),
        "a": machine(1, "b", blocking=blocking),
        "b": machine(10, overflow="c"),
        "c": server(1),
    }
    found = once(blocks).figures
    assert (found["b.lost"], found["b.arrivals"], found["c.arrivals"]) == (3, 1, 3)


@pytest.mark.parametrize(
    "more", [{}, {"phases": {"x": {"times": 2, "last": 1000}}}, {"profile": [{"from_s": 0, "times": 2}]}]
)
def test_the_first_arrival_comes_at_the_time_that_was_said_for_it(more):
    every = 10 if not more else 20
    assert leaves({"in": {"kind": "source", "every": every, "first_s": 4, "next": "out", **more}}, 30) == [4, 14, 24]
