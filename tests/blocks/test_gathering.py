"""Siblings, parts, cartons and permits do what docs/reference/model-file.md says: by hand, to the second."""

import math

import pytest

from simulation.validation.chains import stationary
from tests.blocks.made import at, endless, leaves, line_of, machine, once, ran, server

KINDS = {"frame": {}, "wheel": {}, "car": {"priority": 3}}


# -- fork and join -------------------------------------------------------------------------------------------------------


def forked(times, a, b, **join):
    return {
        "in": at(times, "fork"),
        "fork": {"kind": "fork", "to": ["a", "b"]},
        "a": a,
        "b": b,
        "join": {"kind": "join", "next": "out", **join},
    }


def test_siblings_are_worked_on_side_by_side_and_wait_for_each_other():
    blocks = forked([0, 1], server(2, "join"), server(5, "join"))
    run = once(blocks)
    assert leaves(blocks) == [5, 10]
    assert run.figures["flow"] == (5 + 9) / 2
    assert run.figures["join.sojourn"] == (3 + 6 + 0 + 0) / 4
    assert (run.figures["arrivals"], run.figures["made"], run.figures["used"], run.figures["departures"]) == (
        2,
        6,
        6,
        2,
    )


def test_parents_leave_in_the_order_in_which_their_last_sibling_comes():
    blocks = forked([0, 1], server(3, "join", channels=2), server(10, "join", discipline="lifo"))
    blocks["b"] = {"kind": "divert", "rule": "turns", "to": ["slow", "join"]}
    blocks["slow"] = server(10, "join")
    assert leaves(blocks) == [4, 10], "the second overtakes"


def test_a_fork_holds_what_finds_no_room_and_takes_nobody_before_it_is_gone():
    blocks = forked([0, 0], machine(1, "join"), machine(5, "join"))
    line = line_of(blocks, 3)
    assert line.blocks["fork"].held == 1, "a is free at 1 for the second's first sibling, b is not"
    assert leaves(blocks) == [5, 10]
    assert leaves(forked([0, 0, 0], machine(1, "join"), machine(5, "join"))) == [5, 10, 15]


def test_two_siblings_may_go_the_same_way():
    blocks = {"in": at([0], "fork"), "fork": {"kind": "fork", "to": ["a", "a", "a"]}, "a": server(2, "join"),
              "join": {"kind": "join", "next": "out"}}  # fmt: skip
    assert leaves(blocks) == [6]


def test_forks_may_stand_in_forks():
    blocks = {
        "in": at([0], "one"),
        "one": {"kind": "fork", "to": ["two", "c"]},
        "two": {"kind": "fork", "to": ["a", "b"]},
        "a": server(1, "inner"),
        "b": server(2, "inner"),
        "inner": {"kind": "join", "next": "d"},
        "d": server(10, "outer"),
        "c": server(3, "outer"),
        "outer": {"kind": "join", "next": "out"},
    }
    assert leaves(blocks) == [12]


def test_with_a_lost_or_spoiled_sibling_the_others_are_lost_where_they_would_wait():
    lossy = forked([0, 0], server(1, "join", queue=0, full="lose"), server(5, "join"))
    line = line_of(lossy, 100)
    assert list(line.floor.left_at) == [5]
    assert (line.floor.lost, line.floor.wip.value, line.blocks["join"].lost) == (2, 0, 1)
    failures = [{"by": "time", "every": 3, "repair": 90, "after": "scrap"}]
    line = line_of(forked([0], server(1, "join"), server(5, "join", failures=failures)), 50)
    assert (line.floor.scrapped, line.floor.lost, line.floor.wip.value) == (1, 1, 0), "the first waited since 1"


def test_a_sibling_that_leaves_the_line_well_is_not_waited_for():
    blocks = forked([0], server(1, "join"), server(5))
    assert leaves(blocks) == [5, 5]
    assert leaves(forked([0], server(1), server(5, "join"))) == [1, 5]


def test_who_has_no_siblings_passes_a_join():
    assert leaves({"in": at([3], "join"), "join": {"kind": "join", "next": "a"}, "a": machine(1)}) == [4]


def test_a_full_join_holds_up_all_but_the_last_of_a_family():
    blocks = forked([0, 0], machine(1, "join"), machine(5, "join"), capacity=1)
    line = line_of(blocks, 4)
    assert line.blocks["a"].states()["blocked"] == 0.5, "done with the second at 2, when the first still waits"
    assert leaves(blocks) == [5, 10]


def test_joined_ones_stay_until_there_is_room_ahead():
    blocks = forked([0, 0], server(1, "join"), server(1, "join"))
    blocks["join"]["next"] = "m"
    blocks["m"] = machine(10)
    assert leaves(blocks) == [11, 21]
    assert line_of(blocks, 5).blocks["join"].held == 2


# -- assembly ------------------------------------------------------------------------------------------------------------


def assembled(frames, wheels, next_="out", **more):
    return {
        "in-f": at(frames, "put", mix={"frame": 1}),
        "in-w": at(wheels, "put", mix={"wheel": 1}),
        "put": {"kind": "assembly", "needs": {"frame": 1, "wheel": 2}, "makes": "car", "next": next_, **more},
    }


def test_parts_wait_for_each_other_and_what_is_made_is_as_old_as_the_oldest():
    run = once(assembled([4, 5], [0, 1, 7, 9]), classes=KINDS)
    assert run.figures["classes.car.flow"] == (4 + 4) / 2, "0 to 4, and 5 to 9"
    assert run.figures["put.sojourn"] == (4 + 3 + 0 + 4 + 2 + 0) / 6
    assert (run.figures["made"], run.figures["used"], run.figures["departures"]) == (2, 6, 2)


def test_parts_stay_until_there_is_room_for_what_is_made_of_them():
    blocks = assembled([0, 0], [0, 0, 0, 0], "m") | {"m": machine(10)}
    line = line_of(blocks, 5, classes=KINDS)
    assert line.blocks["put"].held == 3
    assert leaves(blocks, classes=KINDS) == [10, 20]


def test_each_class_has_its_places_and_one_that_is_full_does_not_hold_up_the_other():
    blocks = {
        "in-f": endless("f", mix={"frame": 1}),
        "in-w": at([10, 10, 20], "put", mix={"wheel": 1}),
        "f": machine(1, "put"),
        "put": {"kind": "assembly", "needs": {"frame": 1, "wheel": 2}, "places": 2, "next": "out"},
    }
    line = line_of(blocks, 9, classes=KINDS)
    assert (len(line.blocks["put"].lanes["frame"].parts), line.blocks["f"].channels[0].is_blocked) == (2, True)
    assert leaves(blocks, 15, classes=KINDS) == [10]


def test_other_classes_pass_an_assembly():
    blocks = assembled([0], [50]) | {"in-c": at([3], "put", mix={"car": 1})}
    assert leaves(blocks, classes=KINDS) == [3]


def test_a_place_in_an_assembly_can_be_kept():
    blocks = assembled([0, 0], [0], places=2) | {"in-f": at([0, 0, 0], "f", mix={"frame": 1})}
    blocks["f"] = machine(2, "put", blocking="before")
    blocks["in-w"] = at([5, 5, 6, 6], "put", mix={"wheel": 1})
    assert leaves(blocks, classes=KINDS) == [5, 6]
    assert line_of(blocks, 7.5, classes=KINDS).blocks["put"].held == 1, (
        "the third frame was begun at 5 when a place was kept"
    )


# -- packing -------------------------------------------------------------------------------------------------------------


def test_so_many_pieces_go_on_as_one_and_come_out_as_they_were():
    blocks = {
        "in": at([0, 1, 2, 3], "pack"),
        "pack": {"kind": "pack", "pieces": 2, "next": "belt"},
        "belt": server(10, "unpack"),
        "unpack": {"kind": "unpack", "next": "out"},
    }
    run = once(blocks)
    assert leaves(blocks) == [11, 11, 21, 21]
    assert run.figures["flow"] == (11 + 10 + 19 + 18) / 4
    assert (run.figures["belt.arrivals"], run.figures["pack.pack"]) == (2, 2)


def test_a_carton_goes_with_fewer_when_its_first_piece_waited_long_enough():
    blocks = {"in": at([0, 4, 12], "pack"), "pack": {"kind": "pack", "pieces": 3, "wait_s": 5, "next": "box"},
              "box": {"kind": "sink"}}  # fmt: skip
    assert leaves(blocks) == [5, 17]
    assert once(blocks).figures["pack.pack"] == 1.5


def test_who_comes_while_a_carton_finds_no_room_still_goes_in():
    blocks = {"in": at([0, 0, 3, 4], "pack"), "pack": {"kind": "pack", "pieces": 3, "wait_s": 1, "next": "m"},
              "m": machine(10)}  # fmt: skip
    assert leaves(blocks) == [11, 21]
    assert line_of(blocks, 15).floor.used == 4


def test_a_carton_on_a_pallet_comes_apart_step_by_step():
    blocks = {
        "in": at([0] * 4, "carton"),
        "carton": {"kind": "pack", "pieces": 2, "next": "pallet"},
        "pallet": {"kind": "pack", "pieces": 2, "next": "m"},
        "m": server(1, "off"),
        "off": {"kind": "unpack", "next": "apart"},
        "apart": {"kind": "unpack", "next": "out"},
    }
    line = line_of(blocks, 10)
    assert list(line.floor.left_at) == [1] * 4
    assert line.floor.came + line.floor.made == line.floor.used + line.floor.left


def test_what_was_never_packed_becomes_new_ones():
    blocks = {
        "in": at([0, 1], "cut"),
        "cut": {"kind": "unpack", "pieces": 3, "makes": "wheel", "next": "m"},
        "m": machine(2),
    }
    run = once(blocks, classes=KINDS)
    assert leaves(blocks, classes=KINDS) == [2, 4, 6, 8, 10, 12]
    assert run.figures["classes.wheel.departures"] == 6
    assert run.figures["flow"] == (2 + 4 + 6 + 7 + 9 + 11) / 6, "as old as what they come from"


def test_what_was_put_together_comes_apart_again():
    blocks = assembled([2], [0, 1], "m") | {"m": server(5, "apart"), "apart": {"kind": "unpack", "next": "out"}}
    run = once(blocks, classes=KINDS)
    assert (run.figures["classes.wheel.departures"], run.figures["classes.frame.departures"]) == (2, 1)
    assert run.figures["classes.wheel.flow"] == 6.5


# -- permits -------------------------------------------------------------------------------------------------------------


def test_no_more_than_so_many_are_between_a_limit_and_the_way_out():
    blocks = {
        "in": endless("cap"),
        "cap": {"kind": "limit", "most": 2, "next": "a"},
        "a": server(1, "b"),
        "b": server(3),
    }
    line = line_of(blocks, 11)
    assert list(line.floor.left_at) == [4, 7, 10]
    assert (line.floor.wip.value, line.blocks["cap"].inside) == (2, 2)


def test_a_release_ends_the_part_that_is_guarded():
    blocks = {
        "in": at([0, 0, 0], "cap"),
        "cap": {"kind": "limit", "most": 1, "next": "a"},
        "a": server(2, "free"),
        "free": {"kind": "release", "limit": "cap", "next": "b"},
        "b": server(10),
    }
    run = once(blocks)
    assert leaves(blocks) == [12, 22, 32], "a is done at 2, 4 and 6 whatever b does"
    assert (run.figures["cap.sojourn"], run.figures["cap.number"]) == (2, 0.06)
    blocks["b"] = machine(10)
    assert line_of(blocks, 5).floor.wip.value == 3
    assert line_of(blocks, 5).blocks["cap"].inside == 1, "the second is done at 4 and keeps its permit until it passes"


def test_who_is_lost_or_spoiled_gives_the_permit_back():
    blocks = {
        "in": at([0, 0, 0], "cap"),
        "cap": {"kind": "limit", "most": 2, "next": "a"},
        "a": server(5, queue=0, full="lose"),
    }
    line = line_of(blocks, 20)
    assert (line.floor.lost, line.floor.left, line.blocks["cap"].inside) == (2, 1, 0)


def test_a_permit_goes_into_the_carton_and_comes_back_from_each_piece():
    blocks = {
        "in": at([0] * 4, "cap"),
        "cap": {"kind": "limit", "most": 2, "next": "pack"},
        "pack": {"kind": "pack", "pieces": 2, "next": "m"},
        "m": server(5, "free"),
        "free": {"kind": "release", "limit": "cap", "next": "out"},
    }
    assert leaves(blocks) == [5, 10]
    assert line_of(blocks, 20).blocks["cap"].inside == 0


def test_a_parent_keeps_its_permit_until_it_is_joined_or_all_of_it_is_gone():
    blocks = forked([0, 0], server(2, "join"), server(5, "join"))
    blocks["in"]["next"] = "cap"
    blocks["cap"] = {"kind": "limit", "most": 1, "next": "fork"}
    assert leaves(blocks) == [5, 10]
    blocks["a"]["next"] = blocks["b"]["next"] = "out"
    del blocks["join"]
    assert leaves(blocks) == [2, 5, 7, 10]


def test_work_kept_for_a_place_behind_a_limit_needs_a_permit():
    blocks = {
        "in": at([0, 0], "a"),
        "a": server(1, "cap", channels=2, blocking="before"),
        "cap": {"kind": "limit", "most": 1, "next": "b"},
        "b": server(4),
    }
    assert leaves(blocks) == [5, 10]


# -- who comes -----------------------------------------------------------------------------------------------------------


def test_those_who_come_together_come_in_together_or_not_at_all():
    source = {
        "kind": "source",
        "every": 10,
        "first_s": 0,
        "most": 6,
        "size": 3,
        "next": "d",
        "blocked": "lose",
        "together": True,
    }
    run = once({"in": source, "d": server(4, queue=3)})
    assert (run.figures["in.lost"], run.figures["departures"]) == (0, 6), "one of the first is left at 10: 4 places"
    run = once({"in": source, "d": server(4, queue=2)})
    assert (run.figures["in.lost"], run.figures["departures"], run.figures["d.arrivals"]) == (3, 3, 3)


def test_paces_of_a_source_follow_each_other():
    """4 s between arrivals at pace 1: for 10 s, then 10 s of none, then twice as fast for 5 s."""
    phases: dict[str, dict] = {
        "day": {"times": 1, "last": 10},
        "night": {"times": 0, "last": 10},
        "rush": {"times": 2, "last": 5},
    }
    source = {"kind": "source", "every": 4, "phases": phases, "next": "out"}
    assert leaves({"in": source}, 34) == [4, 8, 21, 23, 25, 29, 33]
    phases["day"]["next"] = "rush"
    assert leaves({"in": source}, 16) == [4, 8, 11, 13, 15]


def test_the_way_to_the_next_pace_may_be_drawn():
    phases = {
        "slow": {"times": 0.5, "last": 1, "next": {"slow": 0.5, "fast": 0.5}},
        "fast": {"times": 2, "last": 1, "next": {"slow": 1}},
    }
    run = once({"in": {"kind": "source", "every": 1, "phases": phases, "next": "out"}}, 6000)
    assert run.figures["in.arrival_rate"] == pytest.approx(1, rel=0.05), "2/3 of the time at 0.5, 1/3 at 2"


def test_lost_sales_are_said_with_a_limit():
    """Five are kept, two are ordered at once: with none on hand who comes buys nothing (chain of orders and of those not ordered yet)."""
    blocks = {
        "in": {"kind": "source", "every": {"kind": "exponential", "mean": 1}, "blocked": "lose", "next": "stock"},
        "stock": {"kind": "limit", "most": 5, "next": "order"},
        "order": {"kind": "pack", "pieces": 2, "next": "lead"},
        "lead": {"kind": "server", "channels": math.inf, "service": {"kind": "exponential", "mean": 2}, "next": "open"},
        "open": {"kind": "unpack", "next": "back"},
        "back": {"kind": "release", "limit": "stock", "next": "out"},
    }
    chain = stationary((0, 0), lambda s: _sold(*s))
    lost = sum(share for (waiting, ordered), share in chain.items() if waiting + 2 * ordered == 5)
    assert ran(blocks, 3000, warmup_s=100, replications=6).interval("in.lost_share", 0.999).holds(lost)


def _sold(waiting, ordered):
    is_there = waiting + 2 * ordered < 5
    sale = (0, ordered + 1) if waiting else (1, ordered)
    return [(sale, 1.0 if is_there else 0.0), ((waiting, max(0, ordered - 1)), ordered / 2)]
