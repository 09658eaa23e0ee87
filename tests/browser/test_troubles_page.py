"""What is seen of devices in trouble, and of a machine that was taken."""

import pytest
from playwright.sync_api import expect

from tests.web.stage import say

pytestmark = pytest.mark.browser


def change(site, station, **changes):
    """Change a station of the live picture; `devices` maps a name to what is different about it."""
    found = next(one for one in site.stage.controller.snapshot["stations"] if one["name"] == station)
    for name, different in changes.pop("devices", {}).items():
        next(one for one in found["devices"] if one["name"] == name).update(different)
    found.update(changes)
    site.stage.hub.poll()


def test_a_machine_that_another_controller_took_is_given_back_on_its_stations_page(visit, site):
    change(site, "label-1", state="offline", fault={"code": 1101, "where": "arm-1"}, next=say("fault", code=1101),
           devices={"arm-1": {"owned": False, "faults": [1101]}})  # fmt: skip
    page = visit("/station/label-1", role="operator")

    expect(page.locator("#fault")).to_contain_text("arm-1")
    expect(page.locator("#side .tag", has_text="Not ours")).to_be_visible()
    expect(page.get_by_role("button", name="Hold station")).to_have_count(0)
    page.get_by_role("button", name="Take the machine back").click()
    page.get_by_role("button", name="Yes, do it").click()
    expect(page.locator(".toast")).to_contain_text("Done")

    asked = site.stage.controller.handled[-1]
    assert (asked.action, asked.args) == ("station", {"station": "label-1", "action": "release"})
    change(
        site,
        "label-1",
        state="idle",
        fault=None,
        next=say("wait_carton"),
        devices={"arm-1": {"owned": True, "faults": []}},
    )
    expect(page.get_by_role("button", name="Hold station")).to_be_visible()


def test_a_printer_that_is_out_of_paper_at_an_idle_station_is_seen_from_afar_and_on_its_page(visit, site):
    change(site, "label-1", state="idle", devices={"printer-1": {"faults": [2101], "state": "offline"}})
    page = visit("/")

    tile = page.locator("#tile-label-1.high")
    expect(tile).to_contain_text("Printer out of paper · printer-1")
    expect(tile.locator(".state")).to_have_text("Not ready")
    expect(tile).to_contain_text("Load labels")
    page.goto(f"{site.url}/station/label-1")
    expect(page.locator(".card.fault.high")).to_contain_text("printer-1")
    row = page.locator("#side .devices li", has_text="printer-1")
    expect(row).to_contain_text("Fault")
    expect(row).not_to_contain_text("Good")


def test_a_jam_names_the_machine_and_its_own_number(visit, site):
    change(site, "pack-1", state="held", fault={"code": 2002, "where": "pack-1", "seen": "sent"}, next=say("fault", code=2002),
           devices={"packer-1": {"faults": [2002], "own_faults": [2]}})  # fmt: skip
    page = visit("/")

    expect(page.locator("#tile-pack-1 .shout")).to_contain_text("packer-1 (its own fault 2)")
    page.goto(f"{site.url}/station/pack-1")
    expect(page.locator("#fault")).to_contain_text("packer-1 (its own fault 2)")
    expect(page.locator("#fault")).to_contain_text("Release station")
    expect(page.get_by_role("button", name="Release station")).to_be_visible()


def test_the_indicator_does_not_say_live_while_the_controller_is_gone(visit, site):
    page = visit("/station/induct-1")
    expect(page.locator("#live")).to_have_text("Live")
    site.stage.controller.is_alive = False
    site.stage.hub.poll()

    expect(page.locator("#live")).to_have_text("Not live")
    expect(page.locator("#stale")).to_be_visible()
    assert page.locator("[data-acts]:enabled").count() == 0


def test_a_sentence_calls_a_station_as_its_tile_does(visit, site):
    change(
        site,
        "bench-1",
        next=say("take_to", lpn="PL1", to="hold-1", kind="hold"),
        tasks=[say("take_to", lpn="PL1", to="hold-1", kind="hold")],
    )
    page = visit("/station/bench-1")

    expect(page.locator("#next .say")).to_have_text("Take PL1 to the hold rack.")
    expect(page.locator(".tasks")).to_have_count(0)
