"""On hold is what a person put on hold; what a fault stopped is stopped: two words, the same on every page."""

import html
import re

import pytest

from packline.orders.model import Event
from tests.web.stage import READY, healthy, run, say, wound
from web.troubles import line_word
from web.words import load

WORDS = {"en": ("On hold", "Stopped"), "zh": ("人工暂停", "故障停止")}
HELD_BY = {"en": "On hold, by lin", "zh": "由 lin 暂停"}


def held(by, **more):
    """Give the line with its labelling station held by somebody."""
    snapshot = healthy()
    snapshot["line"]["state"] = "holding"
    snapshot["stations"][2].update(state="held", hold_by=by, next=say("held", by=by), **more)
    return snapshot


def stopped():
    return {**wound(healthy(), "label-1", 2102, "held"), "line": {**healthy()["line"], "state": "holding"}}


BY_SOFTWARE = held("software", fault={"code": 5001})


def said(stage, snapshot, path, lang):
    """Give the words of a page without its legend, which explains machines too."""
    stage.controller.snapshot = snapshot
    stage.hub.poll()
    client = stage.client("operator")
    client.set_cookie("lang", lang)
    main = client.get(path).text.partition("<main")[2].partition("</main>")[0].partition('class="legend"')[0]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main)).split())


@pytest.mark.parametrize("lang", WORDS)
@pytest.mark.parametrize("path", ["/", "/plan", "/station/label-1"])
def test_what_a_person_holds_and_what_a_fault_stops_are_told_apart_on_every_page(stage, path, lang):
    on_hold, is_stopped = WORDS[lang]
    by_hand, by_fault, by_software = (said(stage, s, path, lang) for s in (held("lin"), stopped(), BY_SOFTWARE))

    assert HELD_BY[lang] in by_hand and is_stopped not in by_hand
    for text in (by_fault, by_software):
        assert is_stopped in text and on_hold not in text and "software " not in text.replace("software fault", "")


@pytest.mark.parametrize(
    "snapshot, word",
    [
        (held("lin"), ("state", "held")),
        (stopped(), ("state", "stopped")),
        (BY_SOFTWARE, ("state", "stopped")),
        ({**wound(healthy(), "label-1", 2103), "line": {"state": "holding"}}, ("state", "asking")),
        ({"line": {"state": "holding"}, "stations": [*held("lin")["stations"], *stopped()["stations"]]}, ("state", "stopped")),
        (healthy(), ("line", "running")),
        ({"line": {"state": "recovering"}, "stations": held("lin")["stations"]}, ("line", "recovering")),
        ({}, ("line", "unknown")),
    ],
)  # fmt: skip
def test_the_line_is_called_as_the_station_is_that_needs_most(snapshot, word):
    assert line_word(snapshot) == word


def test_a_parcel_on_hold_has_the_same_word_and_in_chinese_not_that_of_the_rack(furnished):
    furnished.record(Event(kind="ParcelHeld", subject=READY, order_id="marketplace-HM-10023", data={"reason": "held"}))
    for lang, (on_hold, _) in WORDS.items():
        words = load(lang)
        assert {words["parcel.held"], words["why.held"], words["state.held"]} == {on_hold}
        client = furnished.client("supervisor")
        client.set_cookie("lang", lang)
        page = client.get(f"/parcels/{READY}").text
        assert on_hold in page and "暂存<" not in page
    assert run(furnished.store.books.parcel(READY)).held
