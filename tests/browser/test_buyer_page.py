"""Buyers before their parcels: looking, turning, answering."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from packline.core.tokens import sign
from tests.browser.conftest import PHONE
from tests.web.stage import READY, SECRET

pytestmark = pytest.mark.browser


def buyer_link(site):
    until = site.stage.clock.now() + timedelta(hours=1)
    return "/buyer/" + sign(SECRET, {"o": "marketplace-HM-10023"}, until)


def test_a_buyer_approves_on_a_phone(visit, site):
    page = visit(buyer_link(site), role="", viewport=PHONE, has_touch=True, is_mobile=True)
    page.get_by_role("button", name="Approve").tap()

    expect(page.get_by_role("button", name="Approve")).to_be_visible()
    until(lambda: site.stage.controller.handled, page)
    asked = {"lpn": READY, "picture": site.stage.store.views.proof(READY)}
    assert site.stage.controller.handled[0].args == {**asked, "answer": "approve", "by": "buyer b-771"}


def test_a_buyer_who_answers_an_older_picture_is_told_to_look_at_the_newest(visit, site):
    site.stage.controller.verdict = ("refused", {"code": 4303})
    page = visit(buyer_link(site), role="")
    page.get_by_role("button", name="Approve").click()

    expect(page.locator(".toast.no")).to_contain_text("a newer picture of your parcel")


def test_a_buyer_who_rejects_is_asked_once_more(visit, site):
    page = visit(buyer_link(site), role="")
    page.get_by_role("button", name="Reject").click()
    assert site.stage.controller.handled == []
    page.get_by_role("button", name="Yes, do it").click()

    until(lambda: site.stage.controller.handled, page)
    assert site.stage.controller.handled[0].args["answer"] == "reject"


def test_pictures_turn_by_keys_and_by_dragging(visit, site):
    page = visit(buyer_link(site), role="")
    spin = page.locator(".spin").first
    first = spin.locator("img").get_attribute("src")
    spin.focus()
    page.keyboard.press("ArrowRight")
    second = spin.locator("img").get_attribute("src")
    box = spin.bounding_box()
    page.mouse.move(box["x"] + 300, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 250, box["y"] + 100, steps=4)
    page.mouse.up()

    assert first != second and spin.get_attribute("aria-valuenow") == "3"


def test_a_buyer_turns_the_table_while_the_item_is_on_it(visit, site):
    site.stage.controller.snapshot["stations"][0].update(order="marketplace-HM-10023", unit="marketplace-HM-10023.1.1")
    site.stage.hub.poll()
    page = visit(buyer_link(site), role="")
    page.get_by_role("button", name="Turn right").click()

    until(lambda: site.stage.controller.handled, page)
    assert site.stage.controller.handled[0].args["step_deg"] == 30


def until(condition, page):
    """Let the page go on until `condition` holds; generous, for slow machines."""
    for _ in range(300):
        if condition():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it did not come")
