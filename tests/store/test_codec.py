import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packline.orders.model import Address, OrderLine, ParcelState, PlaceOrder, Purchase
from packline.store.codec import dumps, loads, place_order, place_order_of, plain, time_text

texts = st.text(st.characters(codec="utf-8"), max_size=30)
zones = st.integers(-12, 14).map(lambda hours: timezone(timedelta(hours=hours)))
times = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=zones)  # noqa: DTZ001
numbers = st.integers(-(2**53), 2**53)
lines = st.builds(OrderLine, line_no=numbers, sku=texts, name=texts, quantity=numbers, unit_minor=numbers, gtin=texts)
addresses = st.builds(
    Address,
    recipient=texts,
    lines=st.lists(texts, max_size=3).map(tuple),
    city=texts,
    postcode=texts,
    country=texts,
    phone=texts,
)
orders = st.builds(
    PlaceOrder,
    channel=texts,
    external_id=texts,
    version=numbers,
    digest=texts,
    merchant=texts,
    buyer=texts,
    placed_at=times,
    currency=texts,
    lines=st.lists(lines, max_size=4).map(tuple),
    total_minor=numbers,
    purchase=st.sampled_from(Purchase),
    paid=st.booleans(),
    ship_to=st.none() | addresses,
    ship_by=st.none() | times,
    approval=st.booleans(),
    split_allowed=st.booleans(),
    short_allowed=st.booleans(),
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=10)
    | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=4),
    max_leaves=20,
)


@given(orders)
def test_order_survives_json(order):
    assert place_order(loads(dumps(order))) == order
    assert place_order_of(dumps(order)) == order


@given(values)
def test_json_of_what_was_read_is_the_same_json(value):
    """The journal's hash is taken of it, and checked from the row."""
    text = dumps(value)

    assert dumps(json.loads(text)) == text
    text.encode()


@given(times, times)
def test_times_sort_as_text(one, other):
    assert (time_text(one) < time_text(other)) == (one < other)
    assert datetime.fromisoformat(time_text(one)) == one


def test_times_without_a_zone_are_refused():
    with pytest.raises(ValueError, match="zone"):
        time_text(datetime(2026, 1, 1))  # noqa: DTZ001


def test_values_of_the_house_have_a_json_form():
    assert plain({1: ParcelState.OPEN, "when": datetime(2026, 1, 1, tzinfo=UTC), "set": {2, 1}, "half": "\ud800"}) == {
        "1": "open",
        "when": "2026-01-01T00:00:00.000000+00:00",
        "set": [1, 2],
        "half": "?",
    }
    assert plain(float("nan")) == "nan"
    with pytest.raises(TypeError):
        plain(object())
