"""Whatever strangers, hosts and colleagues send: nobody crashes a page, writes on it, fills the books or speaks for another."""

import html.parser
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from packline.core.clock import ManualClock
from packline.core.ids import SeededIds
from packline.core.tokens import sign
from packline.orders.model import Address, Event, Item, OrderLine, PlaceOrder, Purchase
from packline.store import schema
from tests.web.stage import READY, SECRET, START, run
from web.doors import MOST_NAME_CHARS, Doors, Refused

HALF, DEEP = '"\\ud800x"', "[" * 100_000 + "]" * 100_000
HOLD = '{"action":"station","args":{"station":"label-1","action":"hold"},"key":%s}'
EVIL = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}{0.__class__}"
ORDER = "marketplace-HM-10023"


def link(stage):
    """Give the address of the buyer's page of an order."""
    return f"/buyer/{sign(SECRET, {'o': ORDER}, stage.clock.now() + timedelta(hours=1))}"


@pytest.mark.parametrize(
    "path, body",
    [
        ("/api/login", f'{{"user":{HALF},"password":"x"}}'),
        ("/api/login", f'{{"user":"admin","password":{HALF}}}'),
        ("/api/login", '{"user":"\\u0000","password":"x"}'),
        ("/api/login", DEEP),
        ("/api/login", '"text"'),
        ("/scan", f'{{"text":{HALF},"station":"","key":"a-key-of-a-scan"}}'),
        ("/scan", '{"text":"abcdef","station":"label-1","key":"a-key-of-a-scan\\ud800"}'),
        ("/scan", DEEP),
        ("/api/requests", HOLD % '"a-key-of-a-click\\ud800"'),
        ("/api/requests", HOLD % "{}"),
        ("/api/requests", DEEP),
        ("/api/requests", f'{{"action":"station","args":{DEEP},"key":"a-key-of-a-click"}}'),
        ("{link}/answer", f'{{"lpn":"{READY}","answer":"approve","picture":"p","until":{HALF}}}'),
        ("{link}/answer", '{"lpn":["a"],"answer":"approve"}'),
        ("{link}/answer", DEEP),
        ("{link}/turn", '{"unit":{},"step_deg":1e400}'),
    ],
)
def test_no_body_makes_a_page_fail_or_reaches_the_controller(furnished, path, body):
    client = furnished.client("admin")
    headers = {"X-CSRF-Token": client.csrf, "Content-Type": "application/json"}
    answer = client.post(path.replace("{link}", link(furnished)), data=body, headers=headers)

    assert answer.status_code < 500 and furnished.controller.handled == []


@pytest.mark.parametrize("path", ["/orders?q=%00", "/orders/%00", "/station/%00", "/live/once?view=station:%00", "/login?next=%00"])  # fmt: skip
def test_an_address_with_a_nul_is_no_address(stage, path):
    assert stage.client("viewer").get(path).status_code == 400


def test_a_form_with_a_nul_or_arguments_without_end_is_refused(stage):
    client = stage.client("operator")
    headers = {"X-CSRF-Token": client.csrf, "X-Request-Key": "a-key-of-a-press"}

    assert client.post("/login", data={"user": "\0", "password": "x"}).status_code == 400
    assert client.post("/act", data={"action": "station", "args": DEEP}, headers=headers).status_code == 400


def test_what_a_stranger_types_as_a_name_does_not_fill_the_books(stage):
    stage.app.test_client().post("/api/login", json={"user": "x" * 1_000_000, "password": "y"})

    longest = select(func.max(func.length(schema.journal.c.subject + schema.journal.c.actor)))
    assert stage.store.writer.read_now(lambda db: db.execute(longest).scalar()) <= 2 * MOST_NAME_CHARS


def test_an_answer_for_the_buyer_stands_in_the_books_under_the_name_of_who_gave_it(furnished):
    args = {"lpn": READY, "answer": "approve", "picture": "01J", "by": "buyer b-771"}
    body = {"action": "answer", "args": args, "key": "a-key-of-an-answer"}
    furnished.post(furnished.client("supervisor"), "/api/requests", body)

    (row,) = furnished.controller.handled
    assert (row.actor, row.args["by"]) == ("supervisor", "supervisor")


def test_nobody_can_take_the_key_of_a_buyers_answer_or_of_a_colleague(furnished):
    body = {"lpn": READY, "answer": "approve", "picture": furnished.store.views.proof(READY), "until": ""}
    key = f"answer:{READY}:{body['picture']}::approve"
    for role in ("operator", "supervisor"):
        ack = {"action": "alarm_ack", "args": {"id": 1}, "key": key}
        assert furnished.post(furnished.client(role), "/api/requests", ack).status_code == 200
    furnished.app.test_client().post(f"{link(furnished)}/answer", json=body)

    assert [(row.action, row.actor) for row in furnished.controller.handled] == [
        ("alarm_ack", "operator"),
        ("alarm_ack", "supervisor"),
        ("answer", "buyer b-771"),
    ]


class Asked(ManualClock):
    """Counts who asks for the time, so that a test knows when everybody stands in the queue."""

    def __init__(self):
        super().__init__(START)
        self.times = 0
        self.told = threading.Condition()

    def now(self):
        with self.told:
            self.times += 1
            self.told.notify_all()
        return super().now()


def test_guesses_that_come_together_are_counted_one_by_one(stage):
    clock = Asked()
    doors = Doors(store=stage.store, clock=clock, ids=SeededIds("guesses"))

    def guess(n):
        try:
            doors.enter("operator", f"guess {n}", f"198.51.100.{n}")
        except Refused as refusal:
            return refusal.reason
        return ""

    with ThreadPoolExecutor(20) as pool:
        doors._verifying.acquire()
        doors._verifying.acquire()
        said = [pool.submit(guess, n) for n in range(20)]
        with clock.told:
            clock.told.wait_for(lambda: clock.times >= 20)
        doors._verifying.release()
        doors._verifying.release()
        reasons = [one.result() for one in said]

    assert reasons.count("door.wrong") <= 6 and reasons.count("door.locked") >= 14


class Tags(html.parser.HTMLParser):
    """Collects what a browser would make of a page: its tags and the names of their attributes."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes = set(), set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag if (tag, dict(attrs).get("src")) != ("img", "x") else "img of a stranger")
        self.attributes |= {name for name, _ in attrs}
        if tag == "script" and "src" not in dict(attrs):
            self.tags.add("script of a stranger")


@pytest.fixture
def evil(stage):
    """Give a stage on which a host, a buyer and a machine put what they could into every field."""
    place = PlaceOrder(
        channel="marketplace", external_id="HM-66", version=1, digest="6" * 64, merchant=EVIL, buyer=EVIL, placed_at=START,
        currency="CNY", total_minor=10, purchase=Purchase.BOUGHT, paid=True,
        lines=(OrderLine(line_no=1, sku="EVIL-1", name=EVIL, quantity=1, unit_minor=10),),
        ship_to=Address(recipient=EVIL, lines=(EVIL,), city=EVIL, postcode="1", phone=EVIL, country="CN"),
    )  # fmt: skip
    of: dict[str, Any] = {"order_id": place.order_id, "station": "induct-1"}
    stage.store.items.put_now([Item(sku="EVIL-1", merchant=EVIL, name=EVIL, barcodes=(EVIL,), weight_g=1, length_mm=1, width_mm=1, height_mm=1, location=EVIL)])  # fmt: skip
    stage.record(Event(kind="OrderReceived", subject=place.order_id, actor=EVIL, data={"content": place}))
    stage.record(Event(kind="OrderReleased", subject=place.order_id))
    stage.record(
        Event(kind="ParcelOpened", subject=READY, order_id=place.order_id, data={"place": EVIL, "bench": False})
    )
    unit = f"{place.order_id}.1.1"
    stage.record(Event(kind="UnitInducted", subject=unit, actor=EVIL, **of))
    stage.picture("inspection", unit, place.order_id, "x", EVIL)
    stage.record(Event(kind="ParcelHeld", subject=READY, actor=EVIL, data={"reason": EVIL}, **of))
    stage.exception(3001, station=EVIL, subject=EVIL)
    stage.alarm(1001, EVIL, EVIL)
    put = stage.store.inbox.put_now("marketplace", EVIL, {}, EVIL.encode(), START)
    run(
        stage.store.inbox.mark(
            put.id, "quarantined", EVIL, {"code": 4006, "where": EVIL, "seen": EVIL, "expected": EVIL}
        )
    )
    snapshot = stage.controller.snapshot
    snapshot["stations"][0].update(
        unit=unit, order=place.order_id, parcel=EVIL, next={"key": "pick", "params": {"name": EVIL, "location": EVIL}},
        scans=[{"n": 1, "at": START.isoformat(), "text": EVIL, "result": {"key": EVIL, "params": {"lpn": EVIL}}}],
    )  # fmt: skip
    snapshot["stations"][2].update(hold_by=EVIL, state="held", fault={"code": 2103, "where": EVIL, "seen": EVIL, "remedy": EVIL})  # fmt: skip
    snapshot["floor"]["parcels"] = [{"lpn": EVIL, "state": EVIL, "place": "pack-1", "held": True}]
    stage.hub.poll()
    return stage


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_the_world_writes_is_text_on_every_page_and_in_every_stream(evil, lang):
    client = evil.client("admin")
    client.set_cookie("lang", lang)
    order = "marketplace-HM-66"
    token = sign(SECRET, {"o": order}, evil.clock.now() + timedelta(hours=1))
    paths = ["/", "/plan", "/station/induct-1", "/station/label-1", "/orders", f"/orders/{order}", f"/parcels/{READY}", "/exceptions", "/alarms", "/quarantine", "/quarantine/1", "/items", "/recovery", f"/buyer/{token}", f"/orders?q={EVIL}", f"/nowhere{EVIL}", f"/login?next={EVIL}"]  # fmt: skip
    streams = ["/live/once?view=overview", "/live/once?view=plan", "/live/once?view=station:induct-1"]
    pages = [client.get(path).text for path in paths]
    pages += [message["data"] for path in streams for message in client.get(path).json]
    found = [Tags(page) for page in pages]

    assert "img" in set.union(*(one.tags for one in found))
    assert not {"img of a stranger", "script of a stranger"} & set.union(*(one.tags for one in found))
    assert not [name for one in found for name in one.attributes if name.startswith("on")]
    assert any("{{7*7}}" in page for page in pages) and not any("alert(1)><script>" in page for page in pages)
