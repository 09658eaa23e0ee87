"""What people see when the line moves, when it falls silent, and when it comes back."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from packline.core.clock import ManualClock
from packline.orders.model import Event
from tests.web.stage import READY, START, order, run, say, wound

pytestmark = pytest.mark.browser


COUNTS_BEATS = """
    window.EventSource = class extends EventSource {
        constructor(url) {
            super(url);
            this.addEventListener("beat", () => document.documentElement.toggleAttribute("data-heard-one", true));
        }
    };
"""


def standing_still():
    """Make a clock that moves only when told: no heartbeat comes of itself."""
    return ManualClock(START)


def test_a_change_appears_without_reload(visit, site):
    page = visit("/")
    page.evaluate("window.same = true")
    site.stage.controller.snapshot["line"]["wip"] = 31
    site.stage.hub.poll()

    expect(page.locator(".figure", has_text="In work").locator("dd").first).to_have_text("31")
    assert page.evaluate("window.same")


def test_the_focus_stays_where_it_was_when_the_page_changes(visit, site):
    page = visit("/station/pack-1")
    page.get_by_role("button", name="Hold station").focus()
    site.stage.controller.snapshot["stations"][1]["next"] = say("wait_carton")
    site.stage.hub.poll()

    expect(page.locator("#next")).to_contain_text("Waiting for the next carton")
    expect(page.get_by_role("button", name="Hold station")).to_be_focused()


@pytest.mark.parametrize("clock", [standing_still], indirect=True)
def test_silence_shows_the_banner_within_five_seconds_and_switches_every_button_off(site, visit):
    page = visit("/login", role="", alone=True)
    sign_in(page, "/station/hold-1", site)
    page.clock.install(time=START)
    page.clock.pause_at(START + timedelta(seconds=1))  # however slow the machine is, the page ages only when told
    page.add_init_script(COUNTS_BEATS)
    page.goto(f"{site.url}/station/induct-1")
    expect(page.locator("html[data-heard-one]")).to_have_count(1)  # one that comes late would make the page young again
    hold = page.get_by_role("button", name="Hold station")
    expect(hold).to_be_enabled()

    page.clock.fast_forward(4200)
    expect(hold).to_be_enabled()
    expect(page.locator("#stale")).to_be_hidden()
    page.clock.fast_forward(700)

    expect(page.locator("#stale")).to_be_visible()
    expect(page.locator("#stale")).to_contain_text("No connection")
    assert page.locator("[data-acts]:enabled").count() == 0

    site.stage.clock.advance(2)
    site.stage.hub.poll()
    expect(page.locator("#stale")).to_be_hidden()
    expect(hold).to_be_enabled()


def test_a_silent_controller_shows_the_banner_even_while_the_server_talks(visit, site):
    page = visit("/station/induct-1")
    expect(page.get_by_role("button", name="Hold station")).to_be_enabled()
    site.stage.controller.is_alive = False
    site.stage.clock.advance(5)
    site.stage.hub.poll()

    expect(page.locator("#stale")).to_contain_text("The controller does not answer")
    assert page.locator("[data-acts]:enabled").count() == 0

    site.stage.controller.is_alive = True
    site.stage.clock.advance(2)
    site.stage.hub.poll()
    expect(page.locator("#stale")).to_be_hidden()
    expect(page.get_by_role("button", name="Hold station")).to_be_enabled()


def test_a_page_opened_while_the_controller_is_silent_says_so_at_once(visit, site):
    site.stage.controller.is_alive = False
    site.stage.clock.advance(6)
    site.stage.hub.poll()
    page = visit("/exceptions")

    expect(page.locator("#stale")).to_be_visible()
    assert page.locator("[data-acts]").count() > 0 and page.locator("[data-acts]:enabled").count() == 0


def test_a_new_fragment_does_not_switch_a_button_on_while_the_page_is_stale(visit, site):
    page = visit("/station/induct-1")
    site.stage.controller.is_frozen = True
    site.stage.clock.advance(5)
    site.stage.hub.poll()
    expect(page.locator("#stale")).to_be_visible()
    site.stage.controller.snapshot["stations"][0]["next"] = say("put_back", unit="u", sku="TEA-250")
    site.stage.hub.poll()

    expect(page.locator("#next")).to_contain_text("Put TEA-250 back")
    assert page.locator("[data-acts]:enabled").count() == 0


def test_what_happened_while_the_line_was_cut_is_shown_when_it_is_back(visit, site):
    page = visit("/")
    page.context.set_offline(True)
    site.stage.controller.snapshot["line"]["wip"] = 23
    site.stage.hub.poll()
    page.context.set_offline(False)

    expect(page.locator(".figure", has_text="In work").locator("dd").first).to_have_text("23", timeout=20000)


def test_the_number_of_orders_over_the_list_goes_with_the_list(visit, site):
    page = visit("/orders")
    before = int(page.locator("#total").inner_text().split()[0])
    site.stage.record(Event(kind="OrderReceived", subject="marketplace-HM-10099", data={"content": order(10099)}))
    site.stage.controller.snapshot["seq"] += 1
    site.stage.hub.poll()

    expect(page.locator("#total")).to_have_text(f"{before + 1} orders")
    expect(page.locator("#order-marketplace-HM-10099")).to_be_visible()


def test_a_session_that_ended_leads_to_the_door(visit, site):
    page = visit("/orders")
    site.stage.store.users.end_sessions("supervisor")
    site.stage.clock.advance(31)
    site.stage.hub.poll()

    page.wait_for_url("**/login**", timeout=30000)


def test_a_full_house_of_streams_falls_back_to_asking(visit, site):
    place = site.stage.app.extensions["packline"].gauge
    while place.enter():
        pass
    page = visit_without_stream(visit, site)
    site.stage.controller.snapshot["line"]["wip"] = 29
    site.stage.hub.poll()

    expect(page.locator(".figure", has_text="In work").locator("dd").first).to_have_text("29", timeout=15000)


def test_lists_from_the_books_follow_the_journal(visit, site):
    page = visit("/exceptions")
    expect(page.locator(".case")).to_have_count(1)
    site.stage.exception(3002, subject=READY, actions=("reprint",))
    site.stage.controller.snapshot.update(exceptions=2, seq=200)
    site.stage.hub.poll()

    expect(page.locator(".case")).to_have_count(2)
    expect(page.locator(".case").first).to_contain_text("Wrong label")
    expect(page.locator("#nav .count.critical")).to_have_text("2")


def test_the_menu_shows_what_waits_also_on_a_phone(visit, site):
    site.stage.controller.snapshot = wound(site.stage.controller.snapshot, "label-1", 2103)
    site.stage.hub.poll()
    page = visit("/", viewport={"width": 360, "height": 740})

    expect(page.locator("#bell")).to_contain_text("1")
    site.stage.alarm(2102, "printer-1")
    site.stage.controller.snapshot["seq"] += 1
    site.stage.hub.poll()
    expect(page.locator("#bell a[href='/alarms']")).to_have_text("1")
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    page.locator(".menu summary").click()
    expect(page.get_by_role("link", name="Orders")).to_be_visible()


def sign_in(page, path, site):
    from tests.web.stage import PASSWORD

    page.fill("input[name=user]", "operator")
    page.fill("input[name=password]", PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "login" not in url)
    page.goto(site.url + path)


def visit_without_stream(visit, site):
    page = visit("/login", role="")
    sign_in(page, "/", site)
    return page


def test_what_a_person_opened_to_read_stays_open_when_the_page_goes_on(visit, site):
    page = visit("/quarantine")
    page.locator("#inbox-1 summary").click()
    page.locator("details[open] pre").wait_for()
    site.stage.alarm(2102, "label-1")
    put = site.stage.store.inbox.put_now("marketplace", "msg-18", {}, b"{}", site.stage.clock.now())
    run(site.stage.store.inbox.mark(put.id, "quarantined", "no reason", {}))
    site.stage.controller.snapshot["seq"] += 1
    site.stage.hub.poll()
    expect(page.locator("tr[id^='inbox-']")).to_have_count(2)

    expect(page.locator("#inbox-1 details[open] pre")).to_be_visible()


def test_the_focus_stays_on_the_button_that_a_finger_is_on_when_a_row_comes_above_it(visit, site):
    site.stage.alarm(1006, "label-1")
    page = visit("/alarms", role="operator")
    button = page.get_by_role("button", name="Acknowledge", exact=True)
    button.focus()
    asked = button.get_attribute("hx-vals")
    site.stage.alarm(2007, "gate-1")
    site.stage.controller.snapshot["alarms"] = 2
    site.stage.hub.poll()
    expect(page.locator("tr[id^='alarm-']")).to_have_count(2)

    assert page.evaluate("document.activeElement.getAttribute('hx-vals')") == asked
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("Done")
    assert site.stage.controller.handled[0].args == {"id": 1}
