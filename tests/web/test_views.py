"""What the screens read from the books."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from packline.orders.model import Event, OrderState, ParcelState
from packline.orders.policy import Action
from tests.web.stage import LOST, READY, SSCC, WAITING, device, order, run


def test_open_orders_are_listed_urgent_first_then_oldest(furnished):
    page = furnished.store.views.orders()

    assert [row.order.content.external_id for row in page.rows] == ["HM-10023", "HM-10024", "HM-10025", "HM-10026"]
    assert (page.total, page.next_offset) == (4, None)


def test_a_row_counts_pieces_and_names_parcels(furnished):
    row = furnished.store.views.orders().rows[0]

    assert dict(row.units) == {"boxed": 2} and [parcel.lpn for parcel in row.parcels] == [READY]


@pytest.mark.parametrize(
    "search, found",
    [
        ("10024", 1),
        ("harbour", 4),
        (READY, 1),
        (SSCC, 1),
        ("HM-1002%", 0),
        ("_", 0),
        ("nothing", 0),
        ("'; drop table orders", 0),
        (READY[-6:], 1),
        (f"(00){SSCC}", 1),
        (f"00{SSCC}", 1),
        ("cup-bl", 2),
        ("林小雨", 0),
    ],
)
def test_search_knows_numbers_merchants_items_plates_and_labels_and_takes_no_wildcards(furnished, search, found):
    assert furnished.store.views.orders(search=search, group="all").total == found


def test_recipients_are_found_by_those_who_may_read_addresses(furnished):
    def found(role, search):
        return furnished.client(role).get("/orders", query_string={"q": search}).text.count('id="order-')

    assert [found(role, "林小") for role in ("viewer", "operator", "supervisor", "admin")] == [0, 0, 4, 4]
    assert [found("admin", odd) for odd in ("林%", "软件园", "361008", "HM-10024")] == [0, 0, 0, 1]


def test_pages_do_not_overlap_and_end(furnished):
    views = furnished.store.views
    first = views.orders(limit=3)
    second = views.orders(limit=3, offset=first.next_offset)

    seen = [row.order.order_id for page in (first, second) for row in page.rows]
    assert len(seen) == len(set(seen)) == 4 and second.next_offset is None


def test_groups_count_what_they_list(furnished):
    furnished.record(Event(kind="OrderCancelled", subject="marketplace-HM-10026"))
    views = furnished.store.views

    counts = views.order_groups()
    assert counts["done"] == 1 and counts["all"] == 4
    assert {name: views.orders(group=name).total for name in counts} == counts


def test_an_order_is_shown_from_end_to_end(furnished):
    detail = furnished.store.views.order("marketplace-HM-10023")

    assert detail.order.state is OrderState.RELEASED
    assert [row.kind for row in detail.journal][:2] == ["OrderReceived", "OrderReleased"]
    assert len(detail.pictures) == 9 and len(detail.units) == 2
    assert furnished.store.views.order("nobody") is None


def test_a_parcel_is_shown_with_labels_effects_and_evidence(furnished):
    ready, lost = furnished.store.views.parcel(READY), furnished.store.views.parcel(LOST)

    assert ready.parcel.state is ParcelState.VERIFIED
    assert [(label.sscc, label.state) for label in ready.labels] == [(SSCC, "verified")]
    assert [(e.kind, e.state, e.evidence["source"]) for e in lost.effects] == [("print", "unknown", "label counter")]
    assert [row.code for row in lost.exceptions] == [2103]


def test_a_parcels_history_holds_its_items_too(furnished):
    kinds = [row.kind for row in furnished.store.views.parcel(READY).journal]

    assert "UnitInducted" in kinds and kinds.index("UnitBoxed") < kinds.index("LabelVerified") < kinds.index(
        "ApprovalAsked"
    )


def test_a_long_history_shows_its_newest_rows(furnished):
    events = [
        Event(kind="ParcelMoved", subject=WAITING, order_id="marketplace-HM-10024", data={"place": f"H{n:02}"})
        for n in range(600)
    ]
    furnished.record(*events)

    journal = furnished.store.views.parcel(WAITING).journal
    assert len(journal) == 500 and journal[-1].data["place"] == "H599"


def test_alarms_that_ask_come_first(stage):
    stage.alarm(1001, "arm-1")
    stage.clock.advance(1)
    stage.alarm(2101, "printer-1")
    first = stage.store.views.alarms()[-1]
    run(stage.store.desk.acknowledge_alarm(first.id, actor="lin"))

    rows = stage.store.views.alarms()
    assert [(row.code, row.acked_by) for row in rows] == [(2101, ""), (1001, "lin")]
    assert stage.store.views.alarm_count() == 1


def test_quarantine_shows_the_message_and_why(furnished):
    row = furnished.store.views.quarantine().rows[0]

    assert (
        (row.delivery_id, row.channel) == ("msg-17", "marketplace")
        and "unknown SKU" in row.reason
        and "HM-1" in row.body
    )


def test_quarantine_counts_what_it_lists_and_neither_what_was_dismissed_nor_what_goes_through_again(furnished):
    views, inbox = furnished.store.views, furnished.store.inbox
    row = views.quarantine().rows[0]
    assert views.quarantine_count() == views.quarantine().total == 1

    run(inbox.replay(row.id))
    assert views.quarantine_count() == views.quarantine().total == 0
    run(inbox.mark(row.id, "quarantined", "again"))
    assert views.quarantine_count() == 1
    assert run(inbox.dismiss(row.id, actor="lin", note="sent twice")) == 1
    assert views.quarantine_count() == views.quarantine().total == 0

    kept = views.message(row.id)
    assert (kept.state, kept.reason, kept.body) == ("dismissed", "dismissed by lin: sent twice", row.body)
    assert run(inbox.dismiss(row.id, actor="lin")) == 0


def test_a_message_that_was_never_in_quarantine_is_shown_to_nobody(furnished):
    put = furnished.store.inbox.put_now("marketplace", "msg-18", {}, b"{}", furnished.clock.now())

    assert furnished.store.views.message(put.id) is None and furnished.store.views.message(99) is None


def test_items_are_found_by_name_sku_merchant_and_barcode(furnished):
    views = furnished.store.views

    assert [views.items(search=text).total for text in ("tea", "TEA-250", "harbour", "6901234567908", "lamp")] == [
        2,
        1,
        2,
        1,
        0,
    ]
    assert views.items(search="TEA-250").rows[0].barcodes == ("6901234567892",)


def test_every_order_page_says_why_it_waits(furnished):
    page = furnished.client("viewer").get("/orders").text

    for text in ("Waits for the buyer", "Not paid yet", "Enough orders on the floor"):
        assert text in page


def test_what_must_leave_first_is_listed_first_and_what_should_have_left_is_late(furnished):
    now = furnished.clock.now()
    for number, ship_by in ((10101, now + timedelta(hours=3)), (10102, now + timedelta(hours=1)), (10103, None)):
        content = replace(order(number), ship_by=ship_by)
        furnished.record(Event(kind="OrderReceived", subject=content.order_id, data={"content": content}))
    furnished.clock.advance(2 * 3600)
    client = furnished.client("viewer")
    rows = client.get("/orders", query_string={"show": "waiting"}).text.split("<tr id=")[1:]
    named = [re.findall(r"HM-\d+", row)[0] for row in rows]

    assert named[:2] == ["HM-10102", "HM-10101"] and named[-1] == "HM-10103"
    assert [">Late<" in row for row in rows] == [True] + [False] * (len(rows) - 1)
    assert [
        ">Late<" in client.get(f"/orders/marketplace-{name}").text for name in ("HM-10101", "HM-10102", "HM-10103")
    ] == [False, True, False]


def test_addresses_are_masked_below_supervisor(furnished):
    operator, supervisor = (
        furnished.client(role).get("/orders/marketplace-HM-10023").text for role in ("operator", "supervisor")
    )

    assert "13800001234" not in operator and "林小雨" not in operator and "厦门" in operator
    assert "13800001234" in supervisor and "林小雨" in supervisor


def test_a_parcels_page_offers_what_its_state_allows(furnished):
    from web.pages.parcels import actions

    views = furnished.store.views
    assert list(actions(views.parcel(READY).parcel)) == ["hold", "reprint", "clarify", "void"]
    assert list(actions(views.parcel(WAITING).parcel)) == ["hold", "clarify", "void"]
    furnished.record(
        Event(kind="ParcelHeld", subject=WAITING, order_id="marketplace-HM-10024", data={"reason": "held"})
    )
    assert Action.RELEASE in actions(views.parcel(WAITING).parcel)
    furnished.record(
        Event(kind="ParcelApproved", subject=READY, order_id="marketplace-HM-10023"),
        Event(kind="ParcelShipped", subject=READY, order_id="marketplace-HM-10023"),
    )
    assert list(actions(views.parcel(READY).parcel)) == []


def test_items_can_be_imported_and_mistakes_are_named(stage):
    import io

    client = stage.client("supervisor")
    good = "sku,merchant,name,barcodes,weight_g\nNEW-1,Harbour Tea,New thing,4006381333931,120\n"
    page = client.post("/items", data={"file": (io.BytesIO(good.encode()), "items.csv"), "csrf": client.csrf}).text
    assert "1 items imported" in page and stage.store.views.items(search="NEW-1").total == 1

    bad = "sku,merchant,name,barcodes,weight_g\nNEW-2,Harbour Tea,Other,,heavy\n"
    page = client.post("/items", data={"file": (io.BytesIO(bad.encode()), "items.csv"), "csrf": client.csrf}).text
    assert "heavy" in page and stage.store.views.items(search="NEW-2").total == 0


def test_operators_cannot_import_items(stage):
    client = stage.client("operator")

    assert client.post("/items", data={"csrf": client.csrf}).status_code == 403


def test_overview_lists_the_devices_that_no_station_has(furnished):
    assert 'id="beside"' not in furnished.client("viewer").get("/").text
    furnished.controller.snapshot["devices"] = [
        {
            **device("scale-1", "checkweigher", "modbus", "127.0.0.1:15042", "Execute", parcel_present=1),
            "tags": [
                {"name": "weight", "value": 0.82, "unit": "kg", "quality": "good"},
                {"name": "serial", "value": "old", "unit": "", "quality": "stale"},
            ],
        }
    ]
    furnished.hub.poll()
    page = furnished.client("viewer").get("/").text

    assert "Beside the line" in page and "Checkweigher" in page and "weight 0.82 kg" in page
    assert "serial old" not in page  # a stale value is not shown as if it were good


def test_recovery_is_told_on_the_overview_and_explained_on_its_page(furnished):
    finding = {
        "station": "label-1",
        "kind": "print",
        "subject": LOST,
        "was": "sent",
        "is": "unknown",
        "witness": "label counter",
    }
    furnished.controller.snapshot["run"]["recovered"] = {
        "effects": [finding],
        "books_older": True,
        "notes": ["serials_jumped"],
    }
    furnished.hub.poll()
    client = furnished.client("viewer")

    assert "Unclean stop" in client.get("/").text
    page = client.get("/recovery").text
    assert (
        "Not known" in page
        and LOST in page
        and "backup was restored" in page
        and "Serial numbers were advanced" in page
    )


@pytest.mark.parametrize("path", ["/", "/station/pack-1", "/orders", "/exceptions", "/alarms", "/items", "/quarantine"])
def test_every_page_with_live_data_says_an_emergency_stop(furnished, path):
    client = furnished.client("supervisor")
    assert "Emergency stop." not in client.get(path).text
    furnished.controller.snapshot["stations"][2]["devices"][0]["faults"] = [2007]
    furnished.hub.poll()
    page = client.get(path).text

    assert page.count("Emergency stop.") == 1 and "Safety circuit open at: Labelling." in page


@pytest.mark.parametrize("waited_s, shown", [(0, "–"), (0.4, "0<"), (754, "12<")])
def test_a_line_on_which_nothing_waits_shows_no_time(furnished, waited_s, shown):
    furnished.controller.snapshot["line"]["oldest_waiting_s"] = waited_s
    furnished.hub.poll()
    page = furnished.client("viewer").get("/").text

    assert f"<dt>Oldest waiting</dt><dd>{shown}" in page
