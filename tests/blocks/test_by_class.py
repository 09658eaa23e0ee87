"""What a block counts for each class, who gave up, who is turned away by class: by hand, to the second."""

import pytest

from tests.blocks.made import at, machine, once, server

KINDS: dict[str, dict] = {"a": {}, "b": {}}


def mixed(a, b, *, to="desk"):
    return {"in-a": at(a, to, mix={"a": 1}), "in-b": at(b, to, mix={"b": 1})}


def of(run, kind, block="desk"):
    start = f"{block}.classes.{kind}."
    return {name.removeprefix(start): value for name, value in run.figures.items() if name.startswith(start)}


def test_each_class_has_its_number_waits_and_times():
    run = once({**mixed([0], [1, 2]), "desk": server(4, service_by_class={"b": 1})}, 10, classes=KINDS)
    assert of(run, "a") == {"number": 0.4, "wait": 0, "sojourn": 4, "lost_share": 0}
    assert of(run, "b") == {"number": 0.8, "wait": 3, "sojourn": 4, "lost_share": 0}
    assert run.figures["desk.number"] == pytest.approx(1.2)


def test_items_without_a_class_are_counted_in_none():
    assert not [name for name in once({"in": at([0], "desk"), "desk": server(4)}).figures if ".classes." in name]


def test_the_loss_of_each_class_is_its_own():
    run = once({**mixed([0, 1], [2, 5]), "desk": server(4, queue=0, full="lose")}, 20, classes=KINDS)
    assert (of(run, "a")["lost_share"], of(run, "b")["lost_share"]) == (0.5, 0.5)
    assert run.figures["desk.lost_share"] == 0.5


def test_shared_work_is_counted_by_class_too():
    run = once({**mixed([0], [0]), "desk": server(2, discipline="shared")}, 8, classes=KINDS)
    assert of(run, "a") == {"number": 0.5, "sojourn": 4, "lost_share": 0}


def test_pieces_of_a_batch_and_parts_of_a_kit_are_of_their_own_class():
    run = once({**mixed([0], [1]), "desk": server(4, batch=2, batch_least=2)}, 10, classes=KINDS)
    assert (of(run, "a")["wait"], of(run, "b")["sojourn"]) == (1, 4)
    kit = {"kind": "assembly", "needs": {"a": 1, "b": 1}, "next": "out"}
    run = once({**mixed([0, 8], [3], to="kit"), "kit": kit}, 10, classes=KINDS)
    assert (of(run, "a", "kit")["number"], of(run, "b", "kit")["number"]) == (0.5, 0)


def test_what_was_there_at_the_warm_up_is_still_counted_there():
    run = once({"in": at([0], "desk", mix={"a": 1}), "desk": server(8)}, 10, classes=KINDS, warmup_s=5)
    assert of(run, "a") == {"number": 0.6, "sojourn": 8}


def test_a_class_may_be_turned_away_where_another_is_not():
    blocks = {**mixed([0, 2], [1, 3]), "desk": server(10, channels=4, balk_by_class={"b": [0, 1]})}
    run = once(blocks, 20, classes=KINDS)
    assert (of(run, "a")["lost_share"], of(run, "b")["lost_share"], run.figures["desk.balked"]) == (0, 1, 2)


def test_the_shelf_of_a_courier_knows_how_long_it_kept_what_then_waits_elsewhere():
    shelf = {"kind": "courier", "every": 6, "next": "desk"}
    figures = once({"in": at([1, 3], "shelf"), "shelf": shelf, "desk": machine(1, queue=9)}, 20).figures
    assert (figures["shelf.sojourn"], figures["desk.sojourn"]) == (4, 1.5)


def test_who_gave_up_has_waited_and_was_not_served_in_time():
    figures = once({"in": at([0, 1, 2], "desk"), "desk": server(4, patience=5, target_s=3)}, 30).figures
    assert figures["desk.wait"] == 1.5, "of those whose work was begun"
    assert figures["desk.reneged_share"] == pytest.approx(1 / 3)
    assert figures["desk.delayed_share"] == pytest.approx(2 / 3)
    assert figures["desk.in_time_share"] == pytest.approx(2 / 3)


def test_where_everybody_gave_up_all_have_waited():
    blocks = {"in": at([1, 2], "desk"), "desk": server(100, patience=5, target_s=3, initial={"": 1})}
    figures = once(blocks, 30, warmup_s=0.5).figures
    assert (figures["desk.delayed_share"], figures["desk.in_time_share"]) == (1, 0)


def test_a_claim_that_grows_faster_overtakes_who_came_before():
    fast = {"a": {"gain": 3.0}, "b": {}}
    blocks = {**mixed([0, 4], [1, 3]), "desk": server(6, discipline="ageing")}
    run = once(blocks, 30, classes=fast)
    assert of(run, "a")["wait"] == 1, "at 6 it is 3 x 2 against 5"
    assert of(run, "b")["wait"] == (11 + 15) / 2
    plain = once(blocks, 30, classes=KINDS)
    assert of(plain, "b")["wait"] == (5 + 9) / 2
