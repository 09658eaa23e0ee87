"""The page of alarms: what stands and what is urgent comes first, by the name of the device."""

import html
import json
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


def test_an_alarm_that_comes_and_goes_is_one_row_with_its_first_and_last_time(stage):
    for _ in range(3):
        stage.alarm(1002, "label-1", "arm-1")
        stage.clock.advance(60)
        run(stage.store.desk.clear_alarm(1002, source="label-1"))
        stage.clock.advance(60)

    (row,) = shown(stage)
    assert "09:00:00 09:04:00 3 Over" in row and "Chattering: 3 times in 10 min" in row


def test_an_alarm_chatters_by_how_often_it_rang_of_late_and_not_in_all(stage):
    for _ in range(4):
        stage.alarm(1002, "label-1", "arm-1")
        run(stage.store.desk.clear_alarm(1002, source="label-1"))
        stage.clock.advance(3600)

    (row,) = shown(stage)
    assert "Chattering" not in row and " 4 Over" in row


def test_all_alarms_of_the_page_are_acknowledged_at_once_and_each_is_asked_for_by_its_number(stage):
    for code in (2007, 1006):
        stage.alarm(code, "label-1")
    numbers = {row.id for row in stage.store.views.alarms()}
    page = stage.client("operator").get("/alarms").text
    (values,) = re.findall(r'id="act-alarms_ack"[^>]*hx-vals="([^"]*)"', page, re.DOTALL)
    asked = json.loads(html.unescape(values))

    assert asked["action"] == "alarms_ack" and set(json.loads(asked["args"])["ids"]) == numbers
    assert "Acknowledge all (2)" in page and "Acknowledge all" not in stage.client("viewer").get("/alarms").text


def test_an_emergency_stop_that_was_acknowledged_stays_active_until_it_is_over(stage):
    stage.alarm(2007, "label-1", "arm-1")
    stage.alarm(1006, "label-1", "scan-hold")
    desk = stage.store.desk
    run(desk.acknowledge_alarms([row.id for row in stage.store.views.alarms()], actor="lin"))

    first, _ = shown(stage)
    assert "2007" in first and "Active Acknowledged by lin" in first and stage.store.views.alarm_count() == 0
    run(desk.clear_alarm(2007, source="label-1"))
    assert any("2007" in row and "Over Acknowledged by lin" in row for row in shown(stage))


def test_what_rings_beside_the_line_is_named_as_it_is(stage):
    stage.alarm(1021, "feed marketplace")

    assert "Host not reachable 1021" in shown(stage)[0] and "Host system marketplace" in shown(stage)[0]


def test_a_subscriber_that_is_not_reached_is_named_once(stage):
    stage.alarm(1007, "merchant", "subscriber merchant")

    assert "Subscriber merchant" in shown(stage)[0] and shown(stage)[0].count("merchant") == 1
