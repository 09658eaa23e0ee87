"""The plan's geometry: any site finds room, no belt runs through a station."""

from itertools import combinations, pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.stage import healthy, say, station
from web.floor import PLACE
from web.ground import TALL, WIDE, lay

KINDS = st.lists(st.sampled_from([*sorted(PLACE), "a kind of its own"]), min_size=1, max_size=12)
SHAPES = pytest.mark.parametrize("shape", [WIDE, TALL], ids=["wide", "tall"])


def site_of(kinds, pairs):
    """Give stations s-0, s-1 ... of these kinds, of which those of `pairs` lead to each other."""
    leads = {n: [f"s-{to % len(kinds)}" for start, to in pairs if start % len(kinds) == n] for n in range(len(kinds))}
    return [station(f"s-{n}", kind, "idle", say("idle"), leads=leads[n]) for n, kind in enumerate(kinds)]


def overlap(a, b):
    return a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]


def crosses(start, end, box):
    """Tell whether a level or upright line runs through the inside of a box."""
    (x0, x1), (y0, y1) = sorted((start[0], end[0])), sorted((start[1], end[1]))
    return x0 < box[0] + box[2] and box[0] < x1 and box[1] < y0 < box[1] + box[3] and y0 == y1 or (
        y0 < box[1] + box[3] and box[1] < y1 and box[0] < x0 < box[0] + box[2] and x0 == x1
    )  # fmt: skip


def whole(place):
    """Give a station with its strip as one box."""
    (x, y, w, h), (sx, sy, sw, sh) = place.tile, place.strip
    left, top = min(x, sx), min(y, sy)
    return left, top, max(x + w, sx + sw) - left, max(y + h, sy + sh) - top


@SHAPES
@given(KINDS, st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=10))
def test_any_site_finds_room_and_no_belt_runs_through_a_station(shape, kinds, pairs):
    ground = lay(site_of(kinds, pairs), shape)
    boxes = [whole(place) for place in ground.places.values()]

    assert len(boxes) == len(kinds)
    assert not any(overlap(a, b) for a, b in combinations(boxes, 2))
    assert all(x >= 0 and y >= 0 and x + w <= ground.width and y + h <= ground.height for x, y, w, h in boxes)
    for belt in ground.belts:
        assert all(0 <= x <= ground.width and 0 <= y <= ground.height for x, y in belt.points)
        for start, end in pairwise(belt.points):
            assert start[0] == end[0] or start[1] == end[1], "belts have right angles only"
            assert not any(crosses(start, end, box) for box in boxes), belt


@SHAPES
@given(KINDS)
def test_parcels_have_places_apart_from_each_other_on_the_strip_of_their_station(shape, kinds):
    for place in lay(site_of(kinds, []), shape).places.values():
        x, y, w, h = place.strip
        assert all(x + 20 <= sx <= x + w - 20 and y + 20 <= sy <= y + h - 20 for sx, sy in place.slots)
        assert all(abs(ax - bx) >= 44 or abs(ay - by) >= 42 for (ax, ay), (bx, by) in combinations(place.slots, 2))


def runs(belt):
    """Give the level and upright lines of a belt: (is it upright, where, from, to)."""
    for (x0, y0), (x1, y1) in pairwise(belt.points):
        yield (True, x0, *sorted((y0, y1))) if x0 == x1 else (False, y0, *sorted((x0, x1)))


def test_on_a_phone_ways_run_so_far_apart_that_one_sees_which_goes_where():
    ground = lay(healthy()["stations"], TALL)
    bent = [belt for belt in ground.belts if not belt.is_straight]

    assert len(bent) >= 3
    for one, other in combinations(bent, 2):
        for (upright, at, begin, end), (is_upright, beside, first, last) in product(runs(one), runs(other)):
            is_clear = upright != is_upright or end < first or last < begin
            assert is_clear or abs(at - beside) >= 16, (one, other)
        assert one.points[-1] != other.points[-1], "each arrowhead has a place of its own"
    assert ground.places["induct-1"].strip[0] <= ground.width // 4, "the stations keep most of the width"


def test_the_demo_line_goes_from_door_to_door():
    ground = lay(healthy()["stations"], WIDE)
    cells = {name: (place.column, place.row) for name, place in ground.places.items()}

    assert cells == {
        "induct-1": (0, 0), "pack-1": (1, 0), "label-1": (2, 0), "hold-1": (3, 0), "gate-1": (4, 0), "bench-1": (1, 1), "clarify-1": (3, 1),
    }  # fmt: skip
    assert {(belt.start, belt.end) for belt in ground.belts if belt.is_straight} == {
        ("induct-1", "pack-1"), ("pack-1", "label-1"), ("label-1", "hold-1"), ("hold-1", "gate-1"),
    }  # fmt: skip
    assert [(door.way, door.station) for door in ground.doors] == [("in", "induct-1"), ("out", "gate-1")]


def test_on_a_phone_the_line_stands_above_what_is_beside_it():
    places = lay(healthy()["stations"], TALL).places

    order = ["induct-1", "pack-1", "label-1", "hold-1", "gate-1", "bench-1", "clarify-1"]
    assert sorted(places, key=lambda name: places[name].row) == order


def test_a_belt_to_a_station_that_is_not_there_is_not_drawn():
    assert lay([station("a", "pack", "idle", say("idle"), leads=["b", "a"])], WIDE).belts == ()


def test_where_nothing_else_packs_the_bench_stands_in_the_line():
    kinds = {"induct-1": "turntable", "gate-1": "courier_gate", "bench-1": "bench", "clarify-1": "clarification"}
    leads = {"induct-1": ["bench-1"], "bench-1": ["gate-1"]}
    ground = lay([station(n, kind, "idle", say("idle"), leads=leads.get(n, [])) for n, kind in kinds.items()], WIDE)

    assert all(belt.is_straight for belt in ground.belts)
    assert {name: (place.column, place.row) for name, place in ground.places.items()} == {
        "induct-1": (0, 0), "bench-1": (1, 0), "gate-1": (2, 0), "clarify-1": (2, 1),
    }  # fmt: skip
