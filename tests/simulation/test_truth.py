"""The truth counts doubles and wrong labels, and only these."""

import pytest

from simulation.plant.truth import Fact
from tests.simulation.bench import InstantMotion, label_for, make_world


@pytest.fixture
def world():
    return make_world(InstantMotion())


def stick(world, carton, lpn, number, sscc="095213210000000773"):
    world.papers.come_out("printer-1", label_for(lpn, number, sscc), complete=True)
    label = world.papers.take("printer-1")
    world.papers.stick(label, carton, by="arm-1")
    return label


def figures(world, *names):
    summary = world.truth.summary()
    return tuple(summary[name] for name in names)


def test_a_right_single_label_is_neither_double_nor_wrong(world):
    carton = world.take_carton()
    stick(world, carton, carton.lpn, 1)
    assert figures(world, "labels_applied", "double_labels", "wrong_labels", "shared_codes") == (1, 0, 0, 0)


def test_second_label_on_the_same_carton_is_a_double_even_with_another_code(world):
    carton = world.take_carton()
    stick(world, carton, carton.lpn, 1)
    stick(world, carton, carton.lpn, 2, "095213210000000780")
    assert figures(world, "double_labels", "wrong_labels") == (1, 0)
    world.papers.peel_off(carton)
    assert figures(world, "double_labels") == (1,)  # it has been there: mending does not unmake it


def test_label_taken_off_and_replaced_is_no_double(world):
    carton = world.take_carton()
    stick(world, carton, carton.lpn, 1)
    world.papers.discard(world.papers.peel_off(carton))
    stick(world, carton, carton.lpn, 2, "095213210000000780")
    assert figures(world, "double_labels", "labels_removed", "labels_discarded") == (0, 1, 1)


def test_label_of_another_carton_is_wrong(world):
    one, other = world.take_carton(), world.take_carton()
    stick(world, one, other.lpn, 1)
    assert figures(world, "wrong_labels", "double_labels") == (1, 0)


def test_one_code_on_two_cartons_is_shared(world):
    one, other = world.take_carton(), world.take_carton()
    stick(world, one, one.lpn, 1)
    stick(world, other, other.lpn, 2)
    assert figures(world, "shared_codes", "wrong_labels") == (1, 0)


def test_same_print_twice_is_a_double_print(world):
    carton = world.take_carton()
    stick(world, carton, carton.lpn, 1)
    world.papers.come_out("printer-1", label_for(carton.lpn, 1), complete=True)
    assert figures(world, "double_prints", "double_labels") == (1, 0)


def test_parcel_that_leaves_is_counted_with_what_is_wrong_about_it(world):
    bare = world.take_carton()
    world.leave(bare)
    good = world.take_carton()
    world.box(world.take_piece("TEA"), good)
    world.seal(good, "packer-1")
    stick(world, good, good.lpn, 1)
    world.leave(good)
    names = ("parcels_shipped", "pieces_shipped", "shipped_unlabelled", "shipped_unsealed", "shipped_empty")
    assert figures(world, *names) == (2, 1, 1, 1, 1)
    left = [fact for fact in world.truth.after(0) if fact.name == "left_door"]
    assert left[1].as_dict()["sscc"] == ["095213210000000773"]
    assert left[1].as_dict()["pieces"] == ["TEA"]


def test_facts_are_numbered_and_read_in_pages(world):
    for _ in range(5):
        world.take_carton()
    assert [fact.n for fact in world.truth.after(2, most=2)] == [3, 4]
    assert world.truth.after(99) == []


def test_facts_that_nobody_keeps_are_told_and_counted_all_the_same(world):
    told: list[Fact] = []
    world.truth.listeners.append(told.append)
    world.truth.keeps_facts = False
    carton = world.take_carton()
    stick(world, carton, carton.lpn, 1)
    assert [fact.n for fact in told] == list(range(1, len(told) + 1))
    assert figures(world, "facts", "labels_applied") == (len(told), 1)
    assert world.truth.count("label_applied") == 1
    assert world.truth.facts == []


def test_plates_are_never_handed_out_twice(world):
    lpns = {world.take_carton().lpn for _ in range(50)}
    assert len(lpns) == 50
