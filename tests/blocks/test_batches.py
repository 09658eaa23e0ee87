"""Work in batches, failures of whole machines, who does not stay, who lets gather, who walks: by hand, to the second."""

import math

import pytest

from tests.blocks.made import at, endless, leaves, line_of, machine, once, server

KINDS: dict[str, dict] = {"a": {}, "b": {}}


# -- batches -------------------------------------------------------------------------------------------------------------


def oven(service, next_="out", **more):
    return server(service, next_, batch=3, **more)


def test_a_batch_is_begun_together_and_leaves_together():
    assert leaves({"in": at([0, 1, 2, 3, 4], "o"), "o": oven(10)}) == [10, 20, 20, 20, 30]


def test_a_batch_waits_for_the_least_number():
    assert leaves({"in": at([0, 1, 2, 3, 4], "o"), "o": oven(10, batch_least=2)}) == [11, 11, 21, 21, 21]
    assert leaves({"in": at([0, 1, 2, 3], "o"), "o": oven(10, batch_least=3)}) == [12, 12, 12]


def test_who_waited_long_enough_is_taken_with_fewer():
    assert leaves({"in": at([0, 1], "o"), "o": oven(10, batch_least=3, batch_wait_s=4)}) == [14, 14]
    assert leaves({"in": at([0, 2, 3], "o"), "o": oven(10, batch_least=2, batch_wait_s=0)}) == [10, 20, 20]


def test_who_waited_long_enough_while_the_oven_was_at_work_is_taken_when_it_is_free():
    assert leaves({"in": at([0, 0, 0, 1], "o"), "o": oven(10, batch_least=3, batch_wait_s=4)}) == [10, 10, 10, 20]


def test_who_comes_while_an_open_batch_has_room_joins_it():
    blocks = {"in": at([0, 1, 2, 3], "o"), "o": oven(10, batch_open=True)}
    run = once(blocks)
    assert leaves(blocks) == [10, 10, 10, 20]
    assert (run.figures["o.wait"], run.figures["o.batches"]) == (7 / 4, 2)
    blocks["o"] |= {"queue": 0, "full": "lose"}
    assert once(blocks).figures["o.lost"] == 1, "three places in the batch, and none to wait"


def test_nobody_joins_a_batch_that_is_down_or_held_up():
    failures = failing("time", 4, 3)
    assert leaves({"in": at([0, 5], "o"), "o": oven(6, batch_open=True, failures=failures)}, 14) == [9], (
        "down from 4 to 7"
    )
    blocks = {
        "in": at([0, 0, 13], "o"),
        "o": oven(10, "m", batch_least=2, batch_open=True, batch_wait_s=9),
        "m": machine(5),
    }
    assert leaves(blocks, 60) == [15, 20, 37]


def test_each_piece_of_a_batch_may_add_its_time():
    assert leaves({"in": at([0, 1, 2], "o"), "o": oven(10, batch_each=1)}) == [11, 23, 23]


def test_a_batch_without_end_takes_everybody():
    assert leaves({"in": at([0, 1, 2, 3, 4, 5], "o"), "o": server(10, batch=math.inf)}) == [10] + [20] * 5


def test_two_ovens_are_filled_one_after_the_other():
    assert leaves({"in": at([0] * 5, "o"), "o": oven(10, channels=2)}) == [10] * 2 + [20] * 3, "1 and 1, then 3"
    both = oven(10, channels=2, batch_least=2)
    assert leaves({"in": at([0] * 5, "o"), "o": both}) == [10] * 4, "two and two, one is left"


def test_a_free_oven_has_room_for_a_batch_and_one_at_work_only_for_its_queue():
    saturated = {"in": endless("o"), "o": machine(10, batch=3, batch_least=3)}
    assert leaves(saturated, 25) == [10] * 3 + [20] * 3
    assert line_of(saturated, 5).floor.wip.value == 3
    lossy = {"in": at([0, 0, 1, 2], "o"), "o": oven(10, batch_least=2, queue=1, full="lose")}
    run = once(lossy)
    assert (run.figures["o.lost"], run.figures["departures"]) == (1, 2), "one place while it works; the last one waits"


def test_what_finds_no_room_ahead_stays_in_the_oven_and_the_oven_waits():
    blocks = {"in": at([0, 0, 0, 0], "o"), "o": oven(10, "m", batch_least=2), "m": machine(4)}
    assert leaves(blocks) == [14, 18, 28, 32]
    line = line_of(blocks, 100)
    assert line.blocks["o"].states()["blocked"] == pytest.approx(0.08), "from 10 to 14, and 24 to 28"


def test_figures_of_batches_count_pieces():
    run = once({"in": at([0, 1, 2, 3, 4], "o"), "o": oven(10)})
    assert (run.figures["o.batch"], run.figures["o.batches"]) == (5 / 3, 3)
    assert run.figures["o.wait"] == (0 + 9 + 8 + 7 + 16) / 5
    assert run.figures["o.queue"] == pytest.approx(0.40)
    assert run.figures["o.sojourn"] == run.figures["flow"]


def test_better_classes_are_taken_into_the_batch_first():
    blocks = {"in-a": at([0, 1, 2, 2], "o", mix={"a": 1}), "in-b": at([3], "o", mix={"b": 1}), "o": oven(10)}
    run = once(blocks, classes={"a": {"priority": 2}, "b": {"priority": 1}})
    assert run.figures["classes.b.flow"] == 17
    assert run.figures["classes.a.flow"] == (10 + 19 + 18 + 28) / 4


def test_a_setup_is_made_for_the_batch_and_its_pieces_wait_so_long():
    run = once({"in": at([0, 0], "o"), "o": oven(10, batch_least=2, setup=5, setup_when="each")})
    assert (run.figures["flow"], run.figures["o.wait"], run.figures["o.queue"]) == (15, 5, 0.1)


def failing(by, every, repair, **more):
    return [{"by": by, "every": every, "repair": repair, **more}]


@pytest.mark.parametrize("after, expected, scrapped", [("resume", [13, 13], 0), ("scrap", [], 2)])
def test_a_failure_does_to_the_batch_what_it_does_to_a_piece(after, expected, scrapped):
    """10 s of work; down from 6 to 9."""
    blocks = {"in": at([0, 0], "o"), "o": oven(10, batch_least=2, failures=failing("time", 6, 3, after=after))}
    line = line_of(blocks, 14)
    assert (list(line.floor.left_at), line.floor.scrapped) == (expected, scrapped)
    assert line.floor.wip.value == 0


def test_counted_stops_come_between_batches():
    blocks = {"in": at([0, 0, 5], "o"), "o": oven(10, batch_least=1, failures=failing("cycles", 1, 3))}
    assert leaves(blocks) == [10, 23, 23]


def test_who_loses_patience_does_not_come_into_the_batch():
    run = once({"in": at([0, 1, 1], "o"), "o": oven(10, patience=5)})
    assert (run.figures["o.reneged"], run.figures["departures"]) == (2, 1)


# -- the whole machine fails ---------------------------------------------------------------------------------------------


def test_a_whole_machine_stops_with_all_of_its_channels_and_goes_on_with_them():
    """5 s of work each from 0 and 1; all down from 3 to 7."""
    blocks = {"in": at([0, 1], "m"), "m": machine(5, channels=2, failures=failing("time", 3, 4, whole=True))}
    line = line_of(blocks, 10.5)
    assert list(line.floor.left_at) == [9, 10]
    assert line.blocks["m"].states()["down"] == pytest.approx(4.5 / 10.5), "down again from 10"


def test_a_whole_machine_that_is_down_takes_nothing_up():
    blocks = {"in": at([2], "m"), "m": machine(1, channels=2, failures=failing("time", 1, 6, whole=True))}
    assert leaves(blocks, 20) == [8]


def test_a_channel_that_is_down_by_itself_goes_on_when_both_are_over():
    own, whole = failing("busy", 2, 3), failing("time", 4, 5, whole=True)
    blocks = {"in": at([0], "m"), "m": machine(4, channels=2, failures=[*own, *whole])}
    line = line_of(blocks, 12.9)
    assert list(line.floor.left_at) == [11], "down by itself from 2 to 5, as a whole from 4 to 9, then 2 s of work"
    blocks["m"]["failures"] = [*failing("busy", 2, 9), *failing("time", 4, 5, whole=True)]
    assert list(line_of(blocks, 14).floor.left_at) == [13], "by itself until 11, and the whole until 9"


def test_the_repair_of_a_whole_machine_takes_one_operator():
    crew = {"kind": "operator", "count": 2}
    failures = failing("time", 2, 3, whole=True, operator=True)
    blocks = {"crew": crew, "in": at([0, 0], "m"),
              "m": machine(4, channels=2, operator="crew", operator_for="stops", failures=failures)}  # fmt: skip
    line = line_of(blocks, 4)
    assert line.blocks["crew"].busy.value == 1
    assert leaves(blocks, 8) == [7, 7]


def test_what_a_whole_failure_spoils_is_all_that_was_in_work():
    failures = failing("time", 2, 3, whole=True, after="scrap")
    line = line_of({"in": at([0, 0, 0], "m"), "m": server(4, channels=2, failures=failures)}, 6)
    assert line.floor.scrapped == 2
    assert line.floor.wip.value == 1


# -- who does not stay, who lets gather ----------------------------------------------------------------------------------


def test_who_finds_too_many_does_not_stay():
    run = once({"in": at([0, 1, 2, 20], "d"), "d": server(5, balk=[0, 0, 1])})
    assert (run.figures["d.balked"], run.figures["d.arrivals"], run.figures["lost"]) == (1, 3, 1)
    assert run.figures["d.lost_share"] == 0.25


def test_who_does_not_stay_may_go_elsewhere():
    blocks = {"in": at([0, 1], "d"), "d": server(5, balk=[0, 1], impatient="e"), "e": server(1)}
    assert leaves(blocks) == [2, 5]


def test_how_many_stay_follows_the_probability():
    blocks = {"in": {"kind": "source", "every": 1, "next": "d"}, "d": server(0.5, balk=[0.3])}
    assert once(blocks, 4000).figures["d.balked"] / 4000 == pytest.approx(0.3, abs=0.03)


def test_nothing_is_begun_before_so_many_are_there_and_then_until_it_is_empty():
    assert leaves({"in": at([0, 1, 5, 6, 7, 20], "d"), "d": server(2, start_at=3)}) == [7, 9, 11, 13, 15]


def test_all_channels_begin_when_enough_are_there():
    assert leaves({"in": at([0, 1, 2, 3], "d"), "d": server(5, channels=2, start_at=3)}) == [7, 7, 12, 12]


def test_a_setup_after_an_idle_time_comes_after_the_gathering():
    blocks = {"in": at([0, 1], "d"), "d": server(2, start_at=2, setup=3, setup_when="idle")}
    assert leaves(blocks) == [6, 8]


# -- who walks -----------------------------------------------------------------------------------------------------------


def walking(rule, at_a, at_b, **more):
    return {
        "in-a": at(at_a, "p", mix={"a": 1}),
        "in-b": at(at_b, "p", mix={"b": 1}),
        "p": {"kind": "polling", "service": 2, "walk": 1, "order": ["a", "b"], "rule": rule, "next": "out", **more},
    }


@pytest.mark.parametrize(
    "rule, a, b",
    [("exhaustive", [2, 4, 6], [9]), ("gated", [2, 8, 10], [5]), ("limited", [2, 8, 12], [5])],
)
def test_who_is_served_at_a_visit(rule, a, b):
    """a comes at 0, 1 and 3, b at 1; the server is at a when the first comes, and walks 1 s."""
    blocks = walking(rule, [0, 1, 3], [1])
    run = once(blocks, classes=KINDS)
    assert run.figures["classes.b.flow"] == b[0] - 1
    assert run.figures["classes.a.flow"] == pytest.approx((sum(a) - 4) / 3)


def test_so_many_are_served_at_a_limited_visit():
    run = once(walking("limited", [0, 0, 0], [0], most=2), classes=KINDS)
    assert run.figures["classes.b.flow"] == 7
    assert run.figures["classes.a.flow"] == (2 + 4 + 10) / 3


def test_the_walk_goes_on_while_nobody_waits():
    line = line_of(walking("exhaustive", [0], [20]), 40, classes=KINDS)
    assert list(line.floor.left_at) == [2, 23], "at b at 3, 5, 7 ... 21"
    assert line.blocks["p"].states()["away"] == pytest.approx(36 / 40)


# -- rates by number -----------------------------------------------------------------------------------------------------


def test_the_speed_follows_the_number():
    """4 s of work each: alone at speed 1; two share 3 in a second."""
    assert leaves({"in": at([0, 2], "d"), "d": server(4, discipline="shared", speeds=[1, 3])}) == [
        pytest.approx(2 + 4 / 3), pytest.approx(2 + 4 / 3 + 2)]  # fmt: skip
