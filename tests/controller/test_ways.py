"""Where stations pass parcels on to, as the plan draws it."""

from pathlib import Path

from controller.commands.sim.watching import standing
from controller.site_file import load_site
from controller.ways import ways_of

DEMO = load_site(Path("sites/demo.toml"))


def test_the_demo_lines_ways_are_those_of_its_site_file():
    assert ways_of(DEMO) == {
        "induct-1": ["pack-1", "bench-1"],
        "pack-1": ["label-1"],
        "label-1": ["gate-1", "hold-1", "clarify-1"],
        "bench-1": ["hold-1"],
        "hold-1": ["gate-1"],
        "gate-1": [],
        "clarify-1": [],
    }


def test_a_line_without_machines_goes_by_its_bench():
    stations = {name: part for name, part in DEMO.stations.items() if part.kind not in ("pack", "print_apply", "hold")}
    ways = ways_of(DEMO.model_copy(update={"stations": stations}))

    assert ways == {"induct-1": ["bench-1"], "bench-1": ["gate-1"], "gate-1": [], "clarify-1": []}


def test_the_stations_of_a_recording_are_those_of_its_site():
    stations = {station["name"]: station for station in standing(DEMO)}

    assert list(stations) == list(DEMO.stations)
    assert (stations["bench-1"]["kind"], stations["bench-1"]["run_by"], stations["bench-1"]["state"]) == (
        "bench",
        "person",
        "idle",
    )
