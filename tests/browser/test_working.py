"""People at work: scanning, deciding, answering."""

import pytest
from playwright.sync_api import expect

from tests.web.stage import LOST, READY, WAITING, healthy, run, say, wound
from web.settings import Wedge

pytestmark = pytest.mark.browser


def scan(page, text):
    """Type as a scanner does: at once, with Enter."""
    page.keyboard.type(text, delay=0)
    page.keyboard.press("Enter")


def test_a_scan_anywhere_opens_the_parcel(visit, site):
    page = visit("/")
    for path in ("/", "/orders", "/exceptions", "/items", "/alarms"):
        page.goto(site.url + path)
        scan(page, READY)

        page.wait_for_url(f"**/parcels/{READY}")


def test_a_scan_while_a_field_has_the_focus_leaves_the_field_as_it_was(visit):
    page = visit("/orders")
    field = page.get_by_role("searchbox")
    field.fill("tea")
    field.focus()
    scan(page, "NO-SUCH-CODE")

    expect(page.locator(".toast.no")).to_contain_text("NO-SUCH-CODE")
    expect(field).to_have_value("tea")


NO_SPEAKER = """
window.tones = [];
window.AudioContext = class {
  currentTime = 0;
  createGain() { return { gain: { setValueAtTime() {}, linearRampToValueAtTime() {} }, connect() {} }; }
  createOscillator() {
    const frequency = { value: 0 };
    return { frequency, connect: (next) => next, start: () => window.tones.push(frequency.value), stop() {} };
  }
};
"""


def test_a_scan_is_heard_after_a_first_touch_unless_tones_are_switched_off(visit, site):
    page = visit("/orders")
    page.add_init_script(NO_SPEAKER)
    page.goto(f"{site.url}/orders")
    scan(page, "NO-SUCH-CODE")
    expect(page.locator(".toast.no")).to_have_count(1)
    assert page.evaluate("tones") == []

    page.locator("h1").click()
    scan(page, "NO-SUCH-CODE")
    expect(page.locator(".toast.no")).to_have_count(2)
    assert page.evaluate("tones") == [220, 220]

    switch = page.get_by_role("button", name="Tones after a scan")
    switch.click()
    expect(switch).to_have_attribute("aria-pressed", "false")
    scan(page, "NO-SUCH-CODE")
    expect(page.locator(".toast.no")).to_have_count(3)
    assert page.evaluate("tones") == [220, 220]

    page.reload()
    expect(switch).to_have_attribute("aria-pressed", "false")
    switch.click()
    assert page.evaluate("tones") == [880]


@pytest.mark.parametrize("wedge", [Wedge()], indirect=True)
def test_a_person_who_types_quickly_is_no_scanner(visit, wedge):
    page = visit("/orders")
    page.get_by_role("searchbox").press_sequentially("10024", delay=90)
    page.keyboard.press("Enter")

    page.wait_for_url("**/orders?q=10024")
    expect(page.locator("tbody tr")).to_have_count(1)


TYPED = [
    (Wedge(), [(50 * n, c) for n, c in enumerate("ABCD\n")], ["ABCD"]),
    (Wedge(), [(51 * n, c) for n, c in enumerate("ABCD\n")], []),
    (Wedge(), [(8 * n, c) for n, c in enumerate("ABC\n")], []),
    (Wedge(), [(0, "x"), (900, "A"), (908, "B"), (916, "C"), (924, "D"), (932, "\n")], ["ABCD"]),
    (Wedge(), [(8 * n, c) for n, c in enumerate("ABCD\nEFGH\n")], ["ABCD", "EFGH"]),
    (Wedge(prefix="~"), [(300 * n, c) for n, c in enumerate("~ABCD\n")], ["ABCD"]),
    (Wedge(prefix="~"), [(8 * n, c) for n, c in enumerate("ABCDE\n")], []),
    (Wedge(prefix="~"), [(8 * n, c) for n, c in enumerate("typed~ABCD\n")], ["ABCD"]),
    (Wedge(suffix="#"), [(8 * n, c) for n, c in enumerate("ABCD#\n")], ["ABCD"]),
    (Wedge(suffix="#"), [(8 * n, c) for n, c in enumerate("ABCD\n")], []),
]


def test_the_rule_tells_scans_from_typing(visit):
    page = visit("/items")
    for rule, keys, scans in TYPED:
        settings = {"prefix": rule.prefix, "suffix": rule.suffix, "gap": rule.gap_ms, "least": rule.least_chars}
        found = page.evaluate(
            """([settings, keys]) => {
                const wedge = new packline.Wedge(settings);
                return keys.map(([at, char]) => wedge.take(char === '\\n' ? '' : char, char === '\\n', at)).filter(scan => scan !== null);
            }""",
            [settings, keys],
        )
        assert found == scans, (rule, keys)


def test_a_scan_does_not_press_the_button_that_has_the_focus(visit, site):
    page = visit("/station/hold-1", role="operator")
    page.get_by_role("button", name="Hold station").focus()
    site.stage.controller.verdict = ("done", say("store", lpn=READY, slot="H03"))
    scan(page, READY)

    expect(page.locator(".toast")).to_contain_text("H03")
    assert [row.action for row in site.stage.controller.handled] == ["scan"]


def test_a_scan_under_a_chinese_input_method_is_read_from_the_keys_places(visit):
    page = visit("/")
    page.evaluate(
        """text => {
            for (const char of [...text, 'Enter']) {
                const code = char === 'Enter' ? char : /\\d/.test(char) ? 'Digit' + char : 'Key' + char;
                const key = char === 'Enter' ? 'Enter' : 'Process';
                document.body.dispatchEvent(new KeyboardEvent('keydown', { key, code, shiftKey: /[A-Z]/.test(char) && char !== 'Enter', bubbles: true }));
            }
        }""",
        READY,
    )

    page.wait_for_url(f"**/parcels/{READY}")


def test_a_refused_scan_is_said_with_its_remedy(visit, site):
    from packline.core.faults import Fault

    page = visit("/station/hold-1", role="operator")
    fault = Fault(4101, where="hold-1", seen="XYZ-1")
    site.stage.controller.verdict = ("refused", fault.as_dict())
    scan(page, "XYZ-1")

    expect(page.locator(".toast.no")).to_contain_text("Scan the carton's PL number")


def test_an_exception_is_decided_by_one_click(visit, site):
    page = visit("/exceptions", role="operator")
    page.locator(".case", has_text=LOST).get_by_role("button", name="It was not done").click()

    expect(page.locator(".toast")).to_contain_text("Done")
    row = site.stage.controller.handled[0]
    assert (row.action, row.args["action"], row.actor) == ("exception", "not_done", "operator")


def test_two_clicks_are_two_requests_and_one_click_is_one(visit, site):
    page = visit("/station/induct-1", role="operator")
    button = page.get_by_role("button", name="Not there")
    button.click()
    expect(page.locator(".toast")).to_have_count(1)
    button.click()
    expect(page.locator(".toast")).to_have_count(2)

    assert [row.args["button"] for row in site.stage.controller.handled] == ["SHORT", "SHORT"]
    assert len({row.key for row in site.stage.controller.handled}) == 2


def test_what_cannot_be_undone_asks_and_cancel_changes_nothing(visit, site):
    page = visit(f"/parcels/{READY}")
    page.get_by_role("button", name="Void label and reprint").click()
    expect(page.get_by_role("dialog")).to_contain_text(READY)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert site.stage.controller.handled == []

    page.get_by_role("button", name="Void label and reprint").click()
    page.get_by_role("button", name="Yes, do it").click()
    expect(page.locator(".toast")).to_contain_text("Done")
    assert [row.args for row in site.stage.controller.handled] == [{"lpn": READY, "action": "reprint"}]


def test_a_scan_of_the_parcel_confirms_and_a_scan_of_another_cancels(visit, site):
    page = visit(f"/parcels/{READY}")
    page.get_by_role("button", name="Void label and reprint").click()
    scan(page, LOST)
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("button", name="Void label and reprint").click()
    scan(page, READY)

    expect(page.locator(".toast")).to_contain_text("Done")
    assert [row.args["action"] for row in site.stage.controller.handled] == ["reprint"]
    assert page.url.endswith(READY)


def test_an_alarm_is_acknowledged_where_it_stands(visit, site):
    site.stage.alarm(2101, "printer-1")
    page = visit("/alarms", role="operator")
    page.get_by_role("button", name="Acknowledge").click()

    expect(page.locator(".toast")).to_contain_text("Done")
    assert site.stage.controller.handled[0].action == "alarm_ack"


def test_one_press_acknowledges_the_alarms_that_are_shown_and_the_keyboard_reaches_it(visit, site):
    for code in (2101, 1006, 2007):
        site.stage.alarm(code, "label-1")
    numbers = {row.id for row in site.stage.store.views.alarms()}
    page = visit("/alarms", role="operator")
    page.get_by_role("button", name="Acknowledge all (3)").focus()
    page.keyboard.press("Enter")

    expect(page.locator(".toast")).to_contain_text("Done")
    (request,) = site.stage.controller.handled
    assert (request.action, set(request.args["ids"])) == ("alarms_ack", numbers)


def test_a_yes_is_for_what_was_asked_and_not_for_what_came_in_its_place_meanwhile(visit, site):
    stage = site.stage
    first = stage.exception(2104, actions=("void",))
    stage.controller.snapshot = wound(healthy(), "label-1", 2104, exception=first)
    stage.hub.poll()
    page = visit("/station/label-1")
    page.get_by_role("button", name="Void", exact=True).click()
    page.locator("dialog[open]").wait_for()
    run(stage.store.books.close_exception(first, action="clarify", actor="mei"))
    second = stage.exception(2104, subject=WAITING, actions=("void",))
    stage.controller.snapshot = wound(healthy(), "label-1", 2104, exception=second)
    stage.hub.poll()
    page.locator(f"button[hx-vals*='{second}']").wait_for()
    page.get_by_role("button", name="Yes, do it").click()

    expect(page.locator(".toast")).to_contain_text("meanwhile the page has changed")
    assert stage.controller.handled == []
