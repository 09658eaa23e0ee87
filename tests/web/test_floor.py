"""The picture of the line, and which station needs somebody."""

from hypothesis import given
from hypothesis import strategies as st

from packline.core.faults import FAULTS, Severity
from tests.web.stage import healthy, say, station, wound
from web.floor import PLACE, draw, first_thing
from web.troubles import severity

KINDS = st.sampled_from(sorted(PLACE))
STATIONS = st.lists(
    st.builds(
        lambda kind, state: (kind, state), KINDS, st.sampled_from(["idle", "working", "held", "offline", "asking"])
    ),
    max_size=12,
)


def test_the_demo_line_is_drawn_in_the_order_of_the_work():
    floor = draw(healthy())

    placed = {tile.station["name"]: (tile.row, tile.column, tile.width) for tile in floor.tiles}
    assert placed == {
        "induct-1": (1, 1, 1),
        "pack-1": (1, 2, 1),
        "label-1": (1, 3, 1),
        "hold-1": (1, 4, 1),
        "gate-1": (1, 5, 1),
        "bench-1": (2, 2, 2),
        "clarify-1": (2, 4, 2),
    }


def test_all_is_well_on_a_healthy_line():
    floor = draw(healthy())

    assert {tile.severity for tile in floor.tiles} == {""} and floor.silent == () and floor.devices == 13


def test_devices_that_no_station_has_are_counted_too():
    scale = {"name": "scale-1", "quality": "stale"}
    floor = draw({**healthy(), "devices": [scale]})

    assert floor.devices == 14 and floor.silent == (scale,)


def test_a_fault_marks_its_station_and_no_other():
    floor = draw(wound(healthy(), "label-1", 3002))

    assert {tile.station["name"]: tile.severity for tile in floor.tiles if tile.severity} == {"label-1": "critical"}


def test_a_device_that_does_not_answer_marks_its_station():
    snapshot = healthy()
    snapshot["stations"][5]["devices"][1]["quality"] = "absent"
    floor = draw(snapshot)

    assert [tile.severity for tile in floor.tiles if tile.station["name"] == "gate-1"] == ["warning"]
    assert [one["name"] for one in floor.silent] == ["scan-gate"]


def test_a_place_that_waits_shows_its_first_task_as_the_next_thing():
    hold = station("hold-1", "hold", "waiting", say("idle"), tasks=[say("store", lpn="a"), say("fetch", lpn="b")])

    assert first_thing(hold) == (say("store", lpn="a"), [say("fetch", lpn="b")])
    busy = {**hold, "next": say("held", by="lin")}
    assert first_thing(busy)[0] == say("held", by="lin")


@given(STATIONS)
def test_any_site_is_drawn_whole_and_no_two_tiles_overlap(made):
    stations = [station(f"s-{n}", kind, state, say("idle")) for n, (kind, state) in enumerate(made)]
    floor = draw({"stations": stations})
    cells = [(tile.row, column) for tile in floor.tiles for column in range(tile.column, tile.column + tile.width)]

    assert len(floor.tiles) == len(stations)
    assert all(1 <= column <= floor.stages <= 5 for _, column in cells)
    if max((row for row, _ in cells), default=0) < 8:
        assert len(cells) == len(set(cells))


@given(code=st.sampled_from(sorted(FAULTS)))
def test_a_stations_colour_is_its_faults_severity(code):
    one = station("s", "pack", "working", say("idle"), fault={"code": code})

    assert severity(one) == ("" if FAULTS[code].severity is Severity.INFO else FAULTS[code].severity)


def test_a_parcel_that_lies_there_is_not_said_to_be_on_its_way():
    coming = [say("coming", lpn="PL1"), say("coming", lpn="PL2")]
    bench = station("bench-1", "bench", "working", say("close_by_hand", lpn="PL1"), parcel="PL1", tasks=coming)

    assert first_thing(bench)[1] == coming[1:]
