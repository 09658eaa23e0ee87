"""The plan in a browser: parcels walk when the journal says so, troubles appear where they are, and time is the test's."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, WALL
from tests.web.stage import LOST, READY, START, WAITING, Stage, furnished_stage, healthy, on_floor, wound
from web.replay import Player, Recording

pytestmark = pytest.mark.browser

MOVING = {"reduced_motion": "no-preference"}
AT = """lpn => document.querySelector(`#box-wide-${lpn}`).getAttribute('transform').match(/[-\\d.]+/g).map(Number)"""


def told(site, *parcels):
    """Let the line tell of other parcels on its floor."""
    site.stage.controller.snapshot["floor"]["parcels"] = list(parcels)
    site.stage.controller.snapshot["seq"] += 1
    site.stage.hub.poll()


def target(page, lpn):
    return [int(part) for part in page.locator(f"#box-wide-{lpn}").get_attribute("data-at").split(",")]


def test_a_parcel_walks_along_the_belt_when_the_journal_says_that_it_moved(visit, site):
    page = visit("/orders", alone=True, **MOVING)
    page.clock.install(time=START)
    page.clock.pause_at(START + timedelta(seconds=1))
    page.goto(f"{site.url}/plan")
    start = page.evaluate(AT, WAITING)
    told(site, on_floor(WAITING, "packed", "to:label-1"), on_floor(READY, "approved", "H03"))
    page.wait_for_function("lpn => document.querySelector(`#box-wide-${lpn}`).dataset.station === 'label-1'", arg=WAITING, polling=100)  # fmt: skip
    seen = [page.evaluate(AT, WAITING)]
    for _ in range(30):
        page.clock.run_for(100)
        seen.append(page.evaluate(AT, WAITING))

    assert seen[0] == start and seen[-1] == target(page, WAITING) and len({tuple(at) for at in seen}) > 4
    assert [x for x, _ in seen] == sorted(x for x, _ in seen) and {y for _, y in seen} == {start[1]}
    expect(page.locator(f"#box-wide-{LOST}")).to_have_count(0)


def test_a_parcel_is_at_its_new_place_at_once_for_those_who_asked_for_rest(visit, site):
    page = visit("/plan")
    told(site, on_floor(WAITING, "packed", "to:bench-1"))
    expect(page.locator(f"#box-wide-{WAITING}")).to_have_attribute("data-station", "bench-1")

    assert page.evaluate(AT, WAITING) == target(page, WAITING)


def test_what_leaves_the_hall_is_seen_to_leave_it(visit, site):
    page = visit("/orders", alone=True, **MOVING)
    page.clock.install(time=START)
    page.clock.pause_at(START + timedelta(seconds=1))
    told(site, on_floor(READY, "approved", "gate-1"))
    page.goto(f"{site.url}/plan")
    told(site)
    expect(page.locator(".ghosts.wide .ghost")).to_have_count(1)
    page.clock.run_for(3000)

    expect(page.locator(".ghost")).to_have_count(0)


def test_an_exception_marks_its_station_and_its_parcel_and_leads_there(visit, site):
    page = visit("/plan")
    site.stage.controller.snapshot = wound(site.stage.controller.snapshot, "label-1", 2103, subject=LOST)
    site.stage.hub.poll()
    spot = page.locator("#spot-wide-label-1")
    expect(spot.locator(".waits")).to_contain_text("Exceptions: 1")
    expect(page.locator(f"#box-wide-{LOST}.high .sign text")).to_have_text("2")

    page.locator(f"#box-wide-{LOST}").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/parcels/{LOST}")
    page.goto(f"{site.url}/plan")
    spot.click()
    page.wait_for_url("**/station/label-1")


CUT = """[...document.querySelectorAll('.plan svg .spot')].filter(one => one.checkVisibility()).flatMap(one => [
    ...[one, one.querySelector('.marks')].filter(part => part.scrollHeight > part.clientHeight + 1),
    ...[one, one.querySelector('.state'), one.querySelector('.top')].filter(part => part.scrollWidth > part.clientWidth + 1),
]).map(one => one.textContent)"""


def test_no_word_of_the_plan_is_cut_and_each_screen_has_its_own_drawing(visit, site):
    site.stage.controller.snapshot = wound(wound(site.stage.controller.snapshot, "label-1", 2103, subject=LOST), "gate-1", 3002)  # fmt: skip
    site.stage.controller.snapshot["stations"][5]["devices"][1].update(quality="absent", faults=[1006])
    site.stage.hub.poll()
    for locale in ("en-GB", "zh-CN"):
        page = visit("/plan", locale=locale)
        for size, shape in ((WALL, "wide"), ({"width": 1280, "height": 800}, "wide"), (PHONE, "tall")):
            page.set_viewport_size(size)
            assert page.locator(f"svg.ground.{shape}").is_visible()
            assert page.evaluate("[...document.querySelectorAll('svg.ground')].filter(one => one.checkVisibility()).length") == 1  # fmt: skip
            assert page.evaluate(CUT) == [], (locale, size)


def test_a_plan_that_grew_old_says_since_when(visit, site):
    page = visit("/plan")
    site.stage.controller.is_alive = False
    site.stage.clock.advance(5)
    site.stage.hub.poll()

    expect(page.locator("#stale")).to_contain_text("As it was at 09:0")
    expect(page.locator("body.stale .plan")).to_have_css("opacity", "0.55")


def test_a_recording_is_watched_by_its_slider(visit, site, front, tmp_path):
    source = furnished_stage(made(tmp_path / "recorded"))
    stations = [{**station, "devices": []} for station in healthy()["stations"]]
    player = Player(Recording(source.store.tape, stations), site.stage.clock, 0.01, waits=False)
    shown = Stage(made(tmp_path / "shown"), site.stage.clock, player=player, guest="replay")
    shown.hub.start()
    front.app = shown.app
    page = visit("/plan", role="")
    parcel = page.locator(f"#box-wide-{READY}")
    expect(parcel).to_have_attribute("data-station", "induct-1")
    page.locator("#replay-part").fill("1000")

    expect(parcel).to_have_attribute("data-station", "hold-1")
    expect(page.locator("#spot-wide-label-1")).to_contain_text("Printer silent")
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Pause")).to_be_focused()
    expect(parcel).to_have_attribute("data-station", "induct-1")
    for one in (shown, source):
        one.close()


def made(folder):
    """Make a folder and give it."""
    folder.mkdir()
    return folder
