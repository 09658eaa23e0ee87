"""What is wrong with a stranger's message is said with its place, in the house's words."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packline.core.faults import Fault
from packline.feeds import courier, marketplace, reconcile
from packline.feeds.marketplace import order_in, read_order, version_in
from packline.feeds.reading import PATTERNS

LIBRARY = re.compile(
    r"Input should|Value error|Extra inputs|Field required|String should|\[type=|Errno|Expecting|recursion|codec|Exceeds"
)


def fault_of(body):
    with pytest.raises(Fault) as caught:
        read_order("marketplace", body if isinstance(body, bytes) else json.dumps(body).encode())
    return caught.value


@pytest.mark.parametrize(
    "changes, seen, expected",
    [
        ({"currency": "yuan"}, 'data.currency: "yuan"', "3 capital letters"),
        ({"id": "a b"}, 'data.id: "a b"', "1 to 40 letters, figures, dots or dashes"),
        ({"version": 0}, "data.version: 0", "a number 1 to 2147483647"),
        ({"version": "1"}, 'data.version: "1"', "a whole number"),
        ({"paid": "yes"}, 'data.paid: "yes"', "true or false"),
        ({"paid": None}, "data.paid: null", "true or false"),
        ({"purchase": "maybe"}, 'data.purchase: "maybe"', "one of reserved, bought, cancelled"),
        ({"surprise": 1}, "data.surprise: 1", "a field that we know"),
        ({"lines": []}, "data.lines: a list", "at least 1 entries"),
        ({"merchant": []}, "data.merchant: a list", "a table of keys and values"),
        ({"ship_to": {"recipient": "x"}}, "data.ship_to.lines: nothing", "a value: this key must be there"),
        (
            {"placed_at": "today"},
            'data.placed_at: "today"',
            "a time with its zone, such as 2026-11-21T09:00:00+08:00",
        ),
        (
            {"placed_at": "0001-01-01T00:00:00+14:00"},
            'data.placed_at: "0001-01-01T00:00:00+14:00"',
            "a year from 2000 to 2100",
        ),
        ({"merchant": {"id": "b", "name": "x" * 201}}, f'data.merchant.name: "{"x" * 79}', "0 to 200 characters"),
        (
            {"merchant": {"id": "b", "name": "a\u0000b"}},
            'data.merchant.name: "a\\u0000b"',
            "no control characters and no half characters",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_field_and_value_are_named_and_what_should_stand_there(message, changes, seen, expected):
    fault = fault_of(message(**changes))

    assert (fault.code, fault.seen, fault.expected) == (4001, seen, expected)


def test_what_tells_of_a_person_is_not_repeated_in_a_reason_that_everybody_reads(message):
    long = "林小雨" * 80
    for changes, place in (
        ({"buyer": {"id": "b", "name": long}}, "data.buyer.name"),
        ({"ship_to": {"phone": long}}, ""),
    ):
        fault = fault_of(message(**changes))
        assert "林" not in fault.text() and fault.seen.startswith(place)


@pytest.mark.parametrize(
    "body, seen",
    [
        (b"", "no JSON from line 1, character 1"),
        (b'{"type": "order.changed", ', "no JSON from line 1, character 27"),
        (b"\xff", "a byte at place 1 that is no UTF-8"),
        (b'{"type": NaN}', "NaN, which is no number"),
        (b'{"a":1,"a":2}', "a key that stands twice in one object"),
        (b"[" * 200_000, "lists and objects nested too deep"),
        (b"1" * 5000, "a number with too many digits"),
    ],
    ids=["empty", "cut", "not-utf-8", "nan", "twin-key", "deep", "huge-number"],
)
def test_what_is_no_json_is_said_plainly(body, seen):
    fault = fault_of(body)

    assert (fault.seen, fault.expected) == (seen, "JSON in UTF-8")


@given(at=st.data())
def test_no_words_of_a_library_reach_people_whatever_a_host_sends(message, at):
    whole = message()
    field = at.draw(st.sampled_from(sorted(whole["data"])))
    whole["data"][field] = at.draw(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just({}) | st.just([{}])
    )
    said = []
    try:
        read_order("marketplace", json.dumps(whole).encode())
    except Fault as fault:
        said = [fault.seen, fault.expected]

    assert not LIBRARY.search(" ".join(said)) and "another value" not in said


def test_every_regular_expression_of_a_message_has_words():
    """A pattern is nothing for a screen."""
    from pydantic import BaseModel

    doors = [
        kind
        for room in (marketplace, courier, reconcile)
        for kind in vars(room).values()
        if isinstance(kind, type) and issubclass(kind, BaseModel)
    ]
    patterns = {
        found for kind in doors for found in re.findall(r'"pattern": "(.*?)"', json.dumps(kind.model_json_schema()))
    }

    assert patterns and patterns <= set(PATTERNS)


def test_an_unreadable_message_names_its_order_as_far_as_it_says_which(message):
    def name(changes):
        return order_in("marketplace", json.dumps(message(**changes)).encode())

    assert name({"currency": "?"}) == "order marketplace-HM-10023 version 1"
    assert version_in(name({"version": 7, "lines": []})) == ("marketplace-HM-10023", 7)
    assert [name(odd) for odd in ({"id": "a b"}, {"id": 5}, {"version": 0}, {"version": True})] == [""] * 4
    assert [order_in("marketplace", body) for body in (b"", b"[]", b'{"data":[]}', b'"data"')] == [""] * 4
    assert version_in("order a version b") is None
