"""Every page fits a phone, can be used by everybody, and speaks both languages."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe

from packline.core.tokens import sign
from tests.browser.conftest import PHONE
from tests.web.stage import READY, SECRET, say, wound

pytestmark = pytest.mark.browser

PAGES = ["/", "/station/label-1", "/station/induct-1", "/orders", "/orders/marketplace-HM-10023", f"/parcels/{READY}", "/exceptions", "/alarms", "/quarantine", "/quarantine/1", "/items", "/recovery", "/users", "/account"]  # fmt: skip
LOOKS = [("en-GB", "light", False), ("zh-CN", "dark", True)]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


def hurt(site):
    """Let something of everything be wrong."""
    stage = site.stage
    stage.alarm(2101, "printer-1")
    stage.alarm(1001, "arm-1")
    stage.exception(3002, subject=READY, actions=("reprint", "void", "clarify"))
    snapshot = wound(wound(wound(stage.controller.snapshot, "label-1", 2103), "pack-1", 3001), "gate-1", 3002)
    snapshot["stations"][4].update(state="held", hold_by="lin", next=say("held", by="lin"))
    snapshot["run"]["recovered"] = {"effects": [{"station": "label-1", "kind": "print", "subject": READY, "was": "sent", "is": "unknown", "witness": "camera"}], "books_older": True, "notes": []}  # fmt: skip
    stage.controller.snapshot = {**snapshot, "alarms": 2}
    stage.hub.poll()


@pytest.mark.parametrize("locale, theme, wounded", LOOKS)
def test_no_page_has_a_barrier(visit, site, locale, theme, wounded):
    if wounded:
        hurt(site)
    page = visit("/", role="admin", locale=locale, color_scheme=theme)
    found = {}
    for path in PAGES:
        page.goto(site.url + path)
        results = Axe().run(page, options=RULES)
        assert len(results.response["passes"]) > 10
        found[path] = [(v["id"], [n["target"] for n in v["nodes"]]) for v in results.response["violations"]]

    assert {path: violations for path, violations in found.items() if violations} == {}


@pytest.mark.parametrize("locale, theme", [("en-GB", "light"), ("zh-CN", "dark")])
def test_doors_and_buyers_pages_have_no_barrier_and_fit_a_phone(visit, site, locale, theme):
    token = sign(SECRET, {"o": "marketplace-HM-10023"}, site.stage.clock.now() + timedelta(hours=1))
    page = visit("/login", role="", locale=locale, color_scheme=theme, viewport=PHONE)
    for path in ("/login", f"/buyer/{token}", "/buyer/none"):
        page.goto(site.url + path)
        violations = Axe().run(page, options=RULES).response["violations"]
        assert [(v["id"], [n["target"] for n in v["nodes"]]) for v in violations] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_on_a_phone_what_is_in_trouble_comes_before_the_figures_and_the_rest_after_them(visit, site):
    hurt(site)
    page = visit("/", viewport=PHONE)
    top = {tile.get_attribute("id"): tile.bounding_box()["y"] for tile in page.locator(".tile").all()}
    figures = page.locator(".figures").bounding_box()["y"]
    trouble = {"tile-label-1", "tile-pack-1", "tile-gate-1"}

    assert all((y < figures) == (name in trouble | {"tile-hold-1"}) for name, y in top.items()), (figures, top)


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_no_page_scrolls_sideways_on_a_phone(visit, site, locale):
    hurt(site)
    page = visit("/", role="admin", locale=locale, viewport=PHONE)
    wide = {}
    for path in PAGES:
        page.goto(site.url + path)
        wide[path] = page.evaluate("document.documentElement.scrollWidth - innerWidth")

    assert {path: over for path, over in wide.items() if over > 0} == {}


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


def test_the_figures_can_be_read_from_five_metres(visit):
    """A figure of 1/200 of the distance is easily read: 25 mm at 5 m, 51 px of the 1080 lines of a 43 inch screen (536 mm high)."""
    page = visit("/")
    sizes = page.evaluate(
        "[...document.querySelectorAll('.figure dd:not(.sub)')].map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    names = page.evaluate(
        "[...document.querySelectorAll('.tile .state')].map(e => parseFloat(getComputedStyle(e).fontSize))"
    )

    assert min(sizes) >= 51 and min(names) >= 38


def test_the_whole_line_is_on_one_screen(visit, site):
    hurt(site)
    page = visit("/")

    bottoms = page.evaluate("[...document.querySelectorAll('.tile')].map(e => e.getBoundingClientRect().bottom)")
    assert max(bottoms) <= 1080


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
