"""What a marketplace may say, and what is turned away."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packline.core.faults import Fault
from packline.feeds.courier import read_delivery
from packline.feeds.marketplace import OrderData, digest, place_order, read_order
from packline.orders.model import Purchase

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


def body_of(value):
    return json.dumps(value).encode()


def code_of(body):
    with pytest.raises(Fault) as caught:
        read_order("marketplace", body)
    return caught.value.code


def test_order_is_read_as_the_host_wrote_it(message):
    order = read_order("marketplace", body_of(message()))

    assert order.order_id == "marketplace-HM-10023"
    assert order.merchant == "m1"
    assert order.purchase is Purchase.BOUGHT
    assert [(line.line_no, line.sku, line.quantity) for line in order.lines] == [(1, "TEA-1", 2), (2, "CUP-2", 1)]
    assert order.ship_to is not None
    assert order.ship_to.recipient == "王小明"


def test_totals_that_do_not_add_up_are_a_contradiction(message):
    assert code_of(body_of(message(total_minor=4481))) == 4005


def test_line_number_twice_is_a_contradiction(message, data):
    line = data()["lines"][0]

    assert code_of(body_of(message(lines=[line, line], total_minor=7960))) == 4005


def test_gtin_with_a_wrong_check_digit_is_a_contradiction(message, data):
    line = {**data()["lines"][0], "gtin": "9521321000017"}

    assert code_of(body_of(message(lines=[line], total_minor=3980))) == 4005


def test_more_pieces_than_a_floor_can_take_are_refused(message, data):
    line = {**data()["lines"][0], "qty": 300, "unit_minor": 0}

    assert code_of(body_of(message(lines=[line, {**line, "line": 2}], total_minor=0))) == 4005


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "a b"},
        {"id": ""},
        {"id": "x" * 41},
        {"id": "王"},
        {"version": 0},
        {"version": "1"},
        {"version": True},
        {"version": 1.0},
        {"version": 2**31},
        {"paid": "yes"},
        {"paid": 1},
        {"purchase": "maybe"},
        {"currency": "yuan"},
        {"placed_at": "2026-03-04T05:00:00"},
        {"placed_at": "0001-01-01T00:00:00+14:00"},
        {"lines": []},
        {"total_minor": -1},
        {"surprise": 1},
        {"ship_to": {"recipient": "x"}},
        {"buyer": {"id": "b", "name": "\ud800"}},
        {"buyer": {"id": "b", "name": "a\u0000b"}},
        {"buyer": {"id": "b", "name": "x" * 201}},
    ],
    ids=str,
)
def test_what_is_not_plain_is_malformed(message, changes):
    assert code_of(body_of(message(**changes))) == 4001


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff",
        b'{"type": NaN}',
        b'{"type":"order.changed","type":"order.changed"}',
        b"[" * 200_000,
        b"1" * 5000,
    ],
    ids=["empty", "cut", "null", "list", "not-utf-8", "nan", "twin-key", "deep", "huge-number"],
)
def test_broken_json_is_malformed_and_nothing_worse(body):
    assert code_of(body) == 4001


def test_more_than_a_mebibyte_is_too_large():
    assert code_of(b" " * (2**20 + 1)) == 4004


@given(JSON)
def test_any_json_is_an_order_or_a_fault(value):
    assert code_of(body_of(value)) == 4001


@given(st.binary(max_size=200))
def test_any_bytes_are_an_order_or_a_fault(body):
    assert code_of(body) == 4001


@given(at=st.data())
def test_a_well_formed_order_with_one_odd_value_is_an_order_or_a_fault(message, at):
    whole = message()
    field = at.draw(st.sampled_from(sorted(whole["data"])))
    whole["data"][field] = at.draw(JSON)

    try:
        order = read_order("marketplace", body_of(whole))
    except Fault as fault:
        code, order = fault.code, None

    assert code in (4001, 4005) if order is None else total_of(order) == order.total_minor


def total_of(order):
    return sum(line.quantity * line.unit_minor for line in order.lines)


@given(order=st.permutations([0, 1]), version=st.integers(1, 1000))
def test_digest_knows_the_content_and_not_its_order_or_version(data, order, version):
    plain = data()
    shuffled = data(lines=[plain["lines"][n] for n in order], version=version)

    assert digest(OrderData(**plain)) == digest(OrderData(**shuffled))
    assert digest(OrderData(**plain)) != digest(OrderData(**data(paid=False)))


def test_white_space_is_folded_and_accents_are_composed(data):
    order = place_order("m", OrderData(**data(buyer={"id": "b"}, ship_to=dirty_address())))

    assert order.ship_to is not None
    assert order.ship_to.recipient == "Zoë Müller"
    assert order.ship_to.lines == ("12 Long Road Flat 3",)


def dirty_address():
    return {
        "recipient": " Zoe\u0308  Mu\u0308ller ",
        "lines": ["12 Long\tRoad\r\nFlat 3"],
        "city": "York",
        "country": "GB",
    }


def delivered(**changes):
    data = {"sscc": "(00)095213210000000018", "at": "2026-03-04T05:00:00Z", "proof": "left with neighbour", **changes}
    return {"type": "parcel.delivered", "timestamp": "2026-03-04T05:06:07Z", "data": data}


def test_delivery_is_read_with_or_without_the_application_identifier():
    assert read_delivery(body_of(delivered())).sscc == "095213210000000018"
    assert read_delivery(body_of(delivered(sscc="095213210000000018"))).proof == "left with neighbour"


@pytest.mark.parametrize("changes, code", [({"sscc": "095213210000000017"}, 4102), ({"at": "soon"}, 4001)])
def test_delivery_of_nothing_we_could_have_labelled_is_refused(changes, code):
    with pytest.raises(Fault) as caught:
        read_delivery(body_of(delivered(**changes)))

    assert caught.value.code == code


@given(JSON)
def test_any_json_is_a_delivery_or_a_fault(value):
    with pytest.raises(Fault):
        read_delivery(body_of(value))
