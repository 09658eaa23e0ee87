"""The page of alarms: what stands and what is urgent comes first, by the name of the device."""

import re

from tests.web.stage import run


def shown(stage):
    """Give the rows of the page, each as one line of text."""
    page = stage.client("operator").get("/alarms").text
    rows = re.findall(r'<tr id="alarm-.*?</tr>', page, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in rows]


def test_standing_and_urgent_alarms_come_first(stage):
    for code, device in ((1006, "scan-hold"), (1101, "arm-1"), (2101, "printer-1"), (1005, "cam-verify")):
        stage.alarm(code, "label-1", device)
        stage.clock.advance(1)
    run(stage.store.desk.clear_alarm(1101, source="label-1"))

    order = [re.findall(r"\d{4}", row)[0] for row in shown(stage)]
    assert order == ["1005", "2101", "1006", "1101"]


def test_an_alarm_names_its_device_and_leads_to_its_station(stage):
    stage.alarm(2101, "label-1", "printer-1")

    assert "printer-1 Labelling label-1" in shown(stage)[0]
    assert 'href="/station/label-1"' in stage.client("viewer").get("/alarms").text


def test_an_alarm_that_is_over_still_names_the_printer(stage):
    stage.alarm(2102, "label-1", "printer")
    run(stage.store.desk.clear_alarm(2102, source="label-1"))

    assert "printer-1 Labelling label-1" in shown(stage)[0]


def test_one_alarm_of_several_devices_names_them_all_and_a_machines_own_number(stage):
    gate = next(s for s in stage.controller.snapshot["stations"] if s["name"] == "gate-1")
    for device in gate["devices"]:
        device["faults"] = [1006] if device["kind"] == "scanner" else [2002]
        device["own_faults"] = [3] if device["kind"] != "scanner" else []
    stage.hub.poll()
    stage.alarm(1006, "gate-1", "scan-gate")
    stage.alarm(2002, "gate-1", "gate-1 release")

    jam, silent = shown(stage)
    assert "scan-gate, scan-courier" in silent and "gate-1 (its own fault 3)" in jam


def test_what_rings_beside_the_line_is_named_as_it_is(stage):
    stage.alarm(1021, "feed marketplace")

    assert "Host not reachable 1021" in shown(stage)[0] and "feed marketplace" in shown(stage)[0]


def test_a_subscriber_that_is_not_reached_is_named_once(stage):
    stage.alarm(1007, "merchant", "subscriber merchant")

    assert "Subscriber merchant" in shown(stage)[0] and shown(stage)[0].count("merchant") == 1
