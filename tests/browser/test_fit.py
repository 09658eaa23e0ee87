"""Every page fits a phone, can be used by everybody, and speaks both languages."""

from datetime import timedelta
from pathlib import Path

import axe_playwright_python
import pytest

from packline.core.tokens import sign
from tests.browser.conftest import DESK, PHONE, WALL
from tests.web.stage import READY, SECRET, healthy, say, wound

pytestmark = pytest.mark.browser

PAGES = ["/", "/plan", "/station/label-1", "/station/induct-1", "/orders", "/orders/marketplace-HM-10023", f"/parcels/{READY}", "/exceptions", "/alarms", "/quarantine", "/quarantine/1", "/items", "/recovery", "/users", "/account"]  # fmt: skip
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
CONTRAST = {"type": "rule", "values": ["color-contrast"]}
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
RUN = """only => Promise.race([new Promise(done => setTimeout(done, 40000, null)),
    axe.run(document, {runOnly: only, resultTypes: ['violations'], preload: false}).then(found => ({
        violations: found.violations.map(one => [one.id, one.nodes.map(node => node.target)]), passes: found.passes.length}))])"""
MOST_TRIES = 4
"""On a busy machine axe was seen to come to no end, once in hundreds of runs, on a page that it passed the next time."""


def hurt(site):
    """Let something of everything be wrong."""
    stage = site.stage
    stage.alarm(2101, "printer-1")
    stage.alarm(1001, "arm-1")
    stage.exception(3002, subject=READY, actions=("reprint", "void", "clarify"))
    snapshot = wound(wound(wound(stage.controller.snapshot, "label-1", 2103), "pack-1", 3001), "gate-1", 3002)
    snapshot["stations"][4].update(state="held", hold_by="lin", next=say("held", by="lin"))
    snapshot["stations"][0]["unit"] = "marketplace-HM-10026.1.1"
    snapshot["run"]["recovered"] = {"effects": [{"station": "label-1", "kind": "print", "subject": READY, "was": "sent", "is": "unknown", "witness": "camera"}], "books_older": True, "notes": []}  # fmt: skip
    stage.controller.snapshot = {**snapshot, "alarms": 2}
    stage.hub.poll()


def barriers(page):
    """Give what axe finds on a page: by all rules in the light, then by contrast in the dark, where only colours differ."""
    page.evaluate(AXE)
    light, dark = judged(page, "light", RULES), judged(page, "dark", CONTRAST)
    assert light["passes"] > 10 and dark["passes"] + len(dark["violations"]) == 1
    return [*light["violations"], *dark["violations"]]


def judged(page, scheme, rules):
    for _ in range(MOST_TRIES):
        page.emulate_media(color_scheme=scheme)
        if found := page.evaluate(RUN, rules):
            return found
        page.reload()
        page.evaluate(AXE)
    raise AssertionError("axe came to no end")


def overhang(page, size=PHONE):
    """Give by how many pixels a page is wider than the screen."""
    page.set_viewport_size(size)
    return max(0, page.evaluate("document.documentElement.scrollWidth - innerWidth"))


@pytest.mark.parametrize("path", ["/", "/plan", "/alarms"])
def test_no_page_has_a_barrier_when_all_is_well(path, visit):
    assert barriers(visit(path, role="admin")) == []


@pytest.mark.parametrize("third", range(3))
def test_no_page_has_a_barrier_or_scrolls_sideways_on_a_phone(third, visit, site):
    hurt(site)
    page = visit("/login", role="admin")
    found = {}
    for path in PAGES[third::3]:
        page.set_viewport_size(DESK)
        page.goto(site.url + path)
        found[path] = (barriers(page), overhang(page))

    assert {path: wrong for path, wrong in found.items() if wrong != ([], 0)} == {}


def test_no_page_scrolls_sideways_on_a_phone_in_chinese(visit, site):
    hurt(site)
    page = visit("/", role="admin", locale="zh-CN", viewport=PHONE)
    wide = {path: overhang(page.goto(site.url + path) and page) for path in PAGES}

    assert {path: over for path, over in wide.items() if over} == {}


def test_doors_and_buyers_pages_have_no_barrier_and_fit_a_phone_in_both_languages(visit, site):
    token = sign(SECRET, {"o": "marketplace-HM-10023"}, site.stage.clock.now() + timedelta(hours=1))
    for locale in ("en-GB", "zh-CN"):
        page = visit("/login", role="", locale=locale, viewport=PHONE)
        for path in ("/login", f"/buyer/{token}", "/buyer/none"):
            page.goto(site.url + path)
            assert overhang(page) == 0, (locale, path)
            assert locale == "zh-CN" or barriers(page) == [], path


def test_on_a_phone_what_is_in_trouble_comes_before_the_figures_and_the_rest_after_them(visit, site):
    hurt(site)
    page = visit("/", viewport=PHONE)
    top = {tile.get_attribute("id"): tile.bounding_box()["y"] for tile in page.locator(".tile").all()}
    figures = page.locator(".figures").bounding_box()["y"]
    trouble = {"tile-label-1", "tile-pack-1", "tile-gate-1"}

    assert all((y < figures) == (name in trouble | {"tile-hold-1"}) for name, y in top.items()), (figures, top)


def test_everything_that_is_pressed_at_a_station_is_large_enough_for_a_glove(visit, site):
    hurt(site)
    page = visit("/station/label-1", role="operator", viewport=PHONE)
    small = page.evaluate(
        "[...document.querySelectorAll('main button, main input')].filter(e => e.offsetParent).map(e => [e.textContent, e.getBoundingClientRect()]).filter(([, b]) => b.width < 48 || b.height < 48).map(([t]) => t)"
    )

    assert small == []


def test_a_chinese_browser_gets_chinese_and_the_switch_gives_english(visit):
    page = visit("/", locale="zh-CN")
    assert page.locator("html").get_attribute("lang") == "zh-Hans"
    assert "运行中" in page.locator(".figures").inner_text()

    page.get_by_role("button", name="English").click()
    page.wait_for_selector("html[lang=en]")
    assert "Running" in page.locator(".figures").inner_text()


def test_the_light_can_be_chosen_and_is_remembered(visit):
    page = visit("/", color_scheme="light")
    assert page.locator("html").get_attribute("data-theme") == "auto"

    for chosen in ("light", "dark"):
        page.locator("button[name=theme]").click()
        page.wait_for_selector(f"html[data-theme={chosen}]")
    page.reload()

    assert page.evaluate("getComputedStyle(document.body).colorScheme") == "dark"


def test_the_whole_line_is_on_one_screen_and_its_figures_can_be_read_from_five_metres(visit, site):
    """A figure of 1/200 of the distance is easily read: 25 mm at 5 m, 51 px of the 1080 lines of a 43 inch screen (536 mm high)."""
    hurt(site)
    page = visit("/", viewport=WALL)
    sizes = page.evaluate(
        "[...document.querySelectorAll('.figure dd:not(.sub)')].map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    names = page.evaluate(
        "[...document.querySelectorAll('.tile .state')].map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    bottoms = page.evaluate("[...document.querySelectorAll('.tile')].map(e => e.getBoundingClientRect().bottom)")

    assert min(sizes) >= 51 and min(names) >= 38
    assert max(bottoms) <= 1080


CUT = """[...document.querySelectorAll('.figure > *, .tile .state, .tile .name')]
    .filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.textContent)"""


def test_no_figure_and_no_word_of_the_line_is_cut(visit, site):
    line = {"state": "recovering", "wip_limit": 12, "orders": {"received": 88, "released": 30}}
    site.stage.controller.snapshot["line"].update(line)
    site.stage.hub.poll()
    for locale in ("en-GB", "zh-CN"):
        page = visit("/", locale=locale)
        for width in (360, 1280, 1440, 1920):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(CUT) == [], (locale, width)


COUNT = "for (const one of document.querySelectorAll('.nav a:nth-child(n+4):nth-child(-n+6)')) { one.querySelector('.count')?.remove(); one.insertAdjacentHTML('beforeend', '<span class=count>12</span>') }"
CUT_SHORT = "[...document.querySelectorAll('.tile .next')].filter(one => one.scrollHeight > one.clientHeight + 1).map(one => one.textContent)"


def test_what_is_to_be_done_is_read_to_its_end_and_no_count_moves_the_page_down(visit, site):
    snapshot = wound(wound(site.stage.controller.snapshot, "pack-1", 3001), "gate-1", 2002)
    snapshot["stations"][0]["next"] = say("box", unit="marketplace-HM-10026.1.1", lpn="")
    site.stage.controller.snapshot = snapshot
    site.stage.hub.poll()
    page = visit("/", role="admin")
    top = page.locator("main").bounding_box()["y"]
    page.evaluate(COUNT)

    assert page.locator(".nav .count").all_text_contents() == ["12"] * 3
    assert page.locator("main").bounding_box()["y"] == top
    assert page.evaluate(CUT_SHORT) == []


@pytest.mark.parametrize("size", [(1280, 800), (1440, 900), (1920, 1080)])
def test_the_line_keeps_its_place_when_something_goes_wrong(visit, site, size):
    page = visit("/", viewport={"width": size[0], "height": size[1]})
    boxes = "[...document.querySelectorAll('.tile')].map(tile => JSON.stringify(tile.getBoundingClientRect()))"
    healthy = page.evaluate(boxes)
    site.stage.controller.snapshot = wound(site.stage.controller.snapshot, "label-1", 2102, "held")
    site.stage.hub.poll()
    page.wait_for_selector("#tile-label-1.high")

    assert page.evaluate(boxes) == healthy


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_what_an_unclean_stop_left_to_read_moves_no_station(visit, site, size):
    page = visit("/", viewport=size)
    boxes = "[...document.querySelectorAll('.tile')].map(tile => JSON.stringify(tile.getBoundingClientRect()))"
    healthy = page.evaluate(boxes)
    site.stage.controller.snapshot["run"]["recovered"] = {"effects": [], "books_older": False, "notes": []}
    site.stage.hub.poll()
    page.get_by_role("link", name="Unclean stop").wait_for()

    assert page.evaluate(boxes) == healthy


@pytest.mark.parametrize("size", [(1280, 800), (1440, 900), (1920, 1080)])
@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_the_remedy_of_every_fault_of_a_machine_is_read_to_its_end(visit, site, size, locale):
    page = visit("/", viewport={"width": size[0], "height": size[1]}, locale=locale)
    for code in (2007, 2001, 2103, 2105):
        site.stage.controller.snapshot = wound(healthy(), "label-1", code, "held")
        site.stage.hub.poll()
        page.reload()
        page.wait_for_selector("#tile-label-1 .shout")
        assert page.evaluate(CUT_SHORT) == [], code


def stopped(site):
    """Open the safety circuit of the labelling station."""
    snapshot = wound(site.stage.controller.snapshot, "label-1", 2007, "held")
    snapshot["stations"][2]["devices"][0]["faults"] = [2007]
    site.stage.controller.snapshot = snapshot
    site.stage.hub.poll()


@pytest.mark.parametrize("path", ["/", "/station/pack-1", "/orders", "/plan"])
def test_an_emergency_stop_is_told_on_an_open_page_once_and_goes_when_it_is_over(visit, site, path):
    page = visit(path)
    assert page.locator(".banner.estop").count() == 0
    healthy = site.stage.controller.snapshot
    stopped(site)
    said = page.get_by_role("alert").filter(has_text="Emergency stop.")
    said.wait_for()
    page.mouse.wheel(0, 5000)

    box = page.locator(".banner.estop").bounding_box()
    assert "Safety circuit open at: Labelling" in said.inner_text() and page.locator(".banner.estop").count() == 1
    assert path == "/plan" or abs(box["y"] + box["height"] - DESK["height"]) < 1
    site.stage.controller.snapshot = healthy
    site.stage.hub.poll()
    page.locator(".banner.estop").wait_for(state="detached")


def test_an_emergency_stop_hides_no_station_of_the_wall_and_moves_no_button(visit, site):
    page = visit("/station/label-1", role="operator")
    place = page.locator("h1").bounding_box()
    stopped(site)
    page.locator(".banner.estop").wait_for()
    assert page.locator("h1").bounding_box() == place
    page.set_viewport_size(WALL)
    page.goto(f"{site.url}/")
    bottoms = page.evaluate("[...document.querySelectorAll('.tile')].map(e => e.getBoundingClientRect().bottom)")

    assert max(bottoms) <= page.locator(".banner.estop").bounding_box()["y"]


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_an_emergency_stop_has_no_barrier_and_fits_a_phone(visit, site, locale):
    stopped(site)
    page = visit("/", locale=locale)

    assert barriers(page) == [] and overhang(page) == 0
    assert page.locator(".banner.estop").bounding_box()["height"] < PHONE["height"] / 4


def test_nothing_moves_for_those_who_asked_for_rest(visit, site):
    site.stage.alarm(3002, "label-1")
    page = visit("/alarms", reduced_motion="reduce")

    assert page.evaluate("document.getAnimations().length") == 0


def test_the_door_works_without_a_mouse(visit):
    from tests.web.stage import PASSWORD

    page = visit("/login", role="")
    page.keyboard.type("operator", delay=60)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")

    page.wait_for_selector(".figures")
