"""What stands on the plan: parcels where the books have them, machines by shape and word, what waits for people."""

from hypothesis import given
from hypothesis import strategies as st

from packline.core.identity import Lpn
from tests.web.stage import READY, WAITING, healthy, on_floor, wound
from web.ground import TALL, WIDE, lay
from web.scene import scene
from web.troubles import EMERGENCY

STATIONS = [station["name"] for station in healthy()["stations"]]
PLACES = st.sampled_from([*STATIONS, *(f"to:{name}" for name in STATIONS), "H01", "H40", "lane-hold", "lane-gate", "lane-clarify", "", "nowhere-9"])  # fmt: skip


def drawn(snapshot, shape=WIDE):
    return scene(snapshot, lay(snapshot["stations"], shape))


def with_floor(*parcels, cases=()):
    return {**healthy(), "floor": {"parcels": list(parcels), "cases": list(cases)}}


def spot(made, name):
    return next(one for one in made.spots if one.station["name"] == name)


def test_parcels_stand_where_the_books_have_them():
    boxes = {box.lpn: (box.station, box.coming) for box in drawn(healthy()).boxes}

    assert boxes[READY] == ("hold-1", False) and boxes[WAITING] == ("pack-1", False)


def test_lanes_and_slots_belong_to_the_station_of_their_kind():
    numbers = [Lpn.number(n).text for n in range(5)]
    places = ("H07", "lane-hold", "lane-gate", "lane-clarify", "to:bench-1")
    made = drawn(with_floor(*(on_floor(lpn, "packed", place) for lpn, place in zip(numbers, places, strict=True))))
    stands = {box.lpn: (box.station, box.coming) for box in made.boxes}

    assert [stands[lpn] for lpn in numbers] == [
        ("hold-1", False), ("hold-1", True), ("gate-1", True), ("clarify-1", True), ("bench-1", True),
    ]  # fmt: skip


@given(st.lists(PLACES, max_size=60))
def test_every_parcel_is_drawn_counted_or_named_and_no_two_lie_on_each_other(places):
    parcels = [on_floor(Lpn.number(n).text, "packed", place) for n, place in enumerate(places)]
    for shape in (WIDE, TALL):
        made = drawn(with_floor(*parcels), shape)

        assert len(made.boxes) + sum(one.hidden for one in made.spots) + len(made.astray) == len(parcels)
        assert sum(one.here + one.coming for one in made.spots) + len(made.astray) == len(parcels)
        assert len({box.at for box in made.boxes}) == len(made.boxes)
        assert not {box.at for box in made.boxes} & {one.hidden_at for one in made.spots}


def test_who_came_first_stands_first():
    first, second = Lpn.number(1).text, Lpn.number(2).text
    made = drawn(with_floor(on_floor(second, "packed", "to:label-1"), on_floor(first, "packed", "to:label-1")))
    at = {box.lpn: box.at for box in made.boxes}

    assert at[first][0] > at[second][0]


def test_an_exception_marks_its_station_with_a_number_and_its_parcel():
    cases = [
        {"code": 3002, "station": "label-1", "subject": READY},
        {"code": 2102, "station": "label-1", "subject": ""},
    ]
    made = drawn({**healthy(), "floor": {**healthy()["floor"], "cases": cases}})

    assert (spot(made, "label-1").cases, spot(made, "label-1").case_severity) == (2, "critical")
    assert {box.lpn: box.severity for box in made.boxes if box.severity} == {READY: "critical"}
    assert [one.cases for one in made.spots if one.station["name"] != "label-1"] == [0] * 6


def test_a_machine_is_told_by_shape_and_word():
    snapshot = healthy()
    devices = snapshot["stations"][2]["devices"]
    for state, shape in (("Execute", "run"), ("Idle", "rest"), ("Held", "pause"), ("Stopped", "stop"), ("Aborted", "abort"), ("Clearing", "turn")):  # fmt: skip
        devices[0]["state"] = state
        mark = spot(drawn(snapshot), "label-1").marks[0]
        assert (mark.shape, mark.family, mark.state) == (shape, "machine_state", state)
    devices[0]["quality"] = "absent"
    mark = spot(drawn(snapshot), "label-1").marks[0]

    assert (mark.shape, mark.family, mark.state, mark.severity) == ("away", "quality", "not_connected", "warning")


def test_scanners_and_cameras_are_shown_only_when_something_is_wrong_with_them():
    snapshot = healthy()
    assert [mark.kind for mark in spot(drawn(snapshot), "gate-1").marks] == ["courier_gate"]
    snapshot["stations"][5]["devices"][1].update(quality="absent", faults=[1006])

    assert [mark.name for mark in spot(drawn(snapshot), "gate-1").marks] == ["gate-1", "scan-gate"]


def test_an_open_safety_circuit_is_told_above_all_else():
    snapshot = wound(healthy(), "label-1", 2103)
    assert drawn(snapshot).stopped == ()
    snapshot["stations"][2]["devices"][0]["faults"] = [EMERGENCY]
    made = drawn(snapshot)

    assert made.stopped == ("label-1",)
    assert spot(made, "label-1").fault["code"] == EMERGENCY and spot(made, "label-1").severity == "critical"


def test_a_parcel_leaves_the_hall_from_the_courier_gate_only():
    made = drawn(with_floor(on_floor(READY, "approved", "gate-1"), on_floor(WAITING, "packed", "pack-1")))

    assert {box.lpn: box.out is not None for box in made.boxes} == {READY: True, WAITING: False}


def test_a_controller_of_another_release_that_tells_of_no_floor_is_drawn_all_the_same():
    snapshot = {name: part for name, part in healthy().items() if name != "floor"}
    for station in snapshot["stations"]:
        del station["leads"]

    assert (drawn(snapshot).boxes, len(drawn(snapshot).spots)) == ((), 7)


def test_an_item_on_the_table_is_drawn_where_things_come_in():
    snapshot = healthy()
    snapshot["stations"][0].update(unit="marketplace-HM-10026.1.1", order="marketplace-HM-10026")
    made = drawn(snapshot)

    assert [(piece.unit, piece.station) for piece in made.pieces] == [("marketplace-HM-10026.1.1", "induct-1")]
    assert made.pieces[0].door[0] < made.pieces[0].at[0] < spot(made, "induct-1").place.slots[0][0]
