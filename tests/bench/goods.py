"""Orders and labels to measure with: real-looking ones, each with a number of its own."""

import json
from datetime import UTC, datetime

from labeling.content import LabelContent, ShipTo
from packline.core.identity import Lpn, Sscc
from packline.orders.model import Address, Event, OrderLine, PlaceOrder, Purchase

PLACED = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
GOODS = (("TEA-250", "龙井茶 250 g"), ("CUP-BL", "Blue and white teacup"))


def message(number: int) -> bytes:
    """Give a marketplace's message, as the intake gets it."""
    lines = [
        {"line": n, "sku": sku, "name": name, "gtin": "6901234567892", "qty": 1, "unit_minor": 1990}
        for n, (sku, name) in enumerate(GOODS, 1)
    ]
    order = {
        "id": f"HM-{number}",
        "version": 1,
        "merchant": {"id": "harbour-tea", "name": "Harbour Tea"},
        "buyer": {"id": "b-771", "name": "林小雨"},
        "placed_at": PLACED.isoformat(),
        "currency": "CNY",
        "lines": lines,
        "total_minor": 3980,
        "purchase": "bought",
        "paid": True,
        "ship_to": {"recipient": "林小雨", "lines": ["软件园二期 18 号 302"], "city": "厦门", "postcode": "361008", "country": "CN", "phone": "13800001234"},
        "ship_by": None,
        "options": {"approval": True, "split": True, "short": True},
    }  # fmt: skip
    return json.dumps(
        {"type": "order.changed", "timestamp": PLACED.isoformat(), "data": order}, ensure_ascii=False
    ).encode()


def place_order(number: int) -> PlaceOrder:
    """Give the same as a command."""
    return PlaceOrder(
        channel="marketplace",
        external_id=f"HM-{number}",
        version=1,
        digest=f"{number:064x}",
        merchant="Harbour Tea",
        buyer="b-771",
        placed_at=PLACED,
        currency="CNY",
        lines=tuple(
            OrderLine(line_no=n, sku=sku, name=name, quantity=1, unit_minor=1990)
            for n, (sku, name) in enumerate(GOODS, 1)
        ),
        total_minor=3980,
        purchase=Purchase.BOUGHT,
        paid=True,
        ship_to=Address(recipient="林小雨", lines=("软件园二期 18 号 302",), city="厦门", postcode="361008"),
    )


def collected_parcel(number: int) -> list[Event]:
    """Give the events up to a parcel that waits to be packed."""
    order, lpn = place_order(number), Lpn.number(number).text
    return [
        Event(kind="OrderReceived", subject=order.order_id, data={"content": order}),
        Event(kind="OrderReleased", subject=order.order_id),
        Event(kind="ParcelOpened", subject=lpn, order_id=order.order_id, data={"place": "induct-1", "bench": False}),
        Event(kind="ParcelCollected", subject=lpn, order_id=order.order_id, station="induct-1"),
    ]


def packed(number: int) -> Event:
    """Give the event that such a parcel is packed: parcel row, journal, outbox and three deliveries."""
    return Event(
        kind="ParcelPacked",
        subject=Lpn.number(number).text,
        order_id=place_order(number).order_id,
        station="pack-1",
        data={"place": "to:label-1"},
    )


def label(number: int) -> LabelContent:
    """Give the content of a label."""
    return LabelContent(
        lpn=Lpn.number(number).text,
        sscc=Sscc.build(3, "9521321", number).text,
        print_number=number,
        merchant="Harbour Tea",
        order_ref=f"HM-{number}",
        ship_to=ShipTo(
            recipient="Margaret O'Neill-Featherstone",
            phone="07700 900***",
            lines=("Flat 12, Harbour View House", "118-120 Old Customs Quay"),
            city="Bristol",
            postcode="BS1 6XN",
            country="United Kingdom",
        ),
        contents=("2 x Longjing tea 250 g", "1 x Teapot, white porcelain"),
        date="2026-11-21",
    )
