"""A tired operator reads words: neither a machine's own names and states nor a station's short name."""

import html
import re

import pytest

from plc.machine_file import load_machine, machines_folder
from tests.web.stage import READY, device, say
from web.speech import UNITS
from web.words import load

RAW = re.compile(r"\b(?:label|pack|induct|hold|bench|clarify)-1\b|\bExecute\b|\w+_(?:ddeg|present|count|full)\b")


def shown(client, path, lang="en"):
    """Give the words of a page's middle, without those of its addresses."""
    client.set_cookie("lang", lang)
    main = client.get(path).text.partition("<main")[2].partition("</main>")[0]
    return html.unescape(re.sub(r"<[^>]*>", " ", main))


@pytest.mark.parametrize("lang, words", [("en", ("running", "angle 90°", "item on the table: no")), ("zh", ("运行中", "角度 90°", "转台上有商品：否"))])  # fmt: skip
def test_a_stations_devices_are_told_in_words(furnished, lang, words):
    said = shown(furnished.client("operator"), "/station/induct-1", lang)

    assert all(word in said for word in words)
    assert not RAW.search(said.replace("induct-1", ""))


@pytest.mark.parametrize("path", ["/exceptions", f"/parcels/{READY}", "/orders/marketplace-HM-10023"])
def test_stations_are_called_as_their_tiles_call_them(furnished, path):
    said = shown(furnished.client("supervisor"), path)

    assert "Labelling" in said and not RAW.search(said), RAW.findall(said)


def test_of_two_alike_each_is_told_with_its_short_name(furnished):
    stations = furnished.controller.snapshot["stations"]
    stations.append({**stations[2], "name": "label-2"})
    furnished.hub.poll()

    assert "Labelling label-1" in shown(furnished.client("operator"), "/exceptions")


def test_a_place_without_room_is_called_by_its_name(furnished):
    furnished.controller.snapshot["stations"][1]["next"] = say("lane_full", lane="label-1")
    furnished.hub.poll()
    client = furnished.client("operator")

    assert "No room for another carton at labelling." in shown(client, "/station/pack-1")
    furnished.controller.snapshot["stations"][1]["next"] = say("lane_full", lane=3)
    furnished.hub.poll()
    assert "Lane 3 is full." in shown(client, "/station/pack-1")


def test_a_sensor_that_nobody_named_keeps_the_name_of_its_machines_file(furnished):
    arm = device("arm-9", "applicator", "modbus", "127.0.0.1:1", "Draining", left_guard=1)
    furnished.controller.snapshot["stations"][2]["devices"] = [arm]
    furnished.hub.poll()
    said = shown(furnished.client("operator"), "/station/label-1")

    assert "left_guard 1" in said and "Draining" in said


def test_a_station_without_a_scanner_shows_no_empty_list_of_scans(furnished):
    client = furnished.client("operator")

    assert "Last scans" not in shown(client, "/station/label-1")
    assert "No scan yet." in shown(client, "/station/bench-1")


def test_whatever_the_houses_machines_sense_and_count_has_a_word():
    files = [load_machine(path) for path in machines_folder().glob("*.toml")]
    told = {name for file in files for name in file.inputs} | {
        n for file in files for job in file.jobs.values() for n in job.results
    }
    endings = tuple(ending for ending, _, _ in UNITS)
    stems = {next((name.removesuffix(end) for end in endings if name.endswith(end)), name) for name in told}
    words = load("en").keys()

    assert "parcel_present" in stems and "angle" in stems
    assert {stem for stem in stems if not {f"sensor.{stem}", f"reading.{stem}"} & words} == set()
