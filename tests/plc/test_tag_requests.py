"""Which requests tags are read by, and what an answer to one says of each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plc.links import Area
from plc.tags.answers import Answers
from plc.tags.codec import decode
from plc.tags.model import Limits, Order, Tag, Wired, wire_modbus
from plc.tags.plan import plan, split
from plc.tags.values import Bad
from tests.plc.wired import wired

# -- requests ----------------------------------------------------------------------------------------------------------


@st.composite
def placed(draw: Any) -> list[Wired]:
    tags = []
    for number in range(draw(st.integers(0, 40))):
        area = draw(st.sampled_from(Area))
        is_bit = area in (Area.COIL, Area.DISCRETE)
        kind = "bool" if is_bit else draw(st.sampled_from(["u16", "u32", "f64"]))
        part = Tag(
            address=draw(st.integers(0, 300)),
            area=area,
            type=kind,
            no_merge=draw(st.booleans() if number % 5 == 0 else st.just(False)),
        )
        tags.append(replace(wire_modbus("t", part, 0, Order.ABCD), name=f"t{number}"))
    return tags


LIMITS = st.builds(Limits, max_read=st.integers(4, 125), max_read_bits=st.integers(1, 200), max_gap=st.integers(0, 20))


@given(tags=placed(), limits=LIMITS)
def test_plan_covers_every_tag_once_within_the_limits_and_never_mixes_tables(tags, limits):
    requests = plan(tags, limits).requests
    assert sorted(t.name for r in requests for t in r.tags) == sorted(t.name for t in tags)
    assert len(requests) <= len(tags)
    for request in requests:
        is_bit = request.area in (Area.COIL, Area.DISCRETE)
        assert request.count <= (limits.max_read_bits if is_bit else limits.max_read)
        assert {t.area for t in request.tags} == {request.area}
        assert all(request.start <= t.start and t.end <= request.end for t in request.tags)
        assert len(request.tags) == 1 or not any(t.tag.no_merge for t in request.tags)
        wanted = {address for t in request.tags for address in range(t.start, t.end)}
        assert {request.start, request.end - 1} <= wanted
        gaps = "".join("x" if at in wanted else "." for at in range(request.start, request.end)).split("x")
        assert max(map(len, gaps)) <= limits.max_gap * (16 if is_bit else 1)
        assert request.fill == pytest.approx(len(wanted) / request.count)


@given(tags=placed(), limits=LIMITS)
def test_two_neighbouring_requests_could_not_have_been_one(tags, limits):
    merged = [r for r in plan(tags, limits).requests if not r.tags[0].tag.no_merge]
    for one, other in zip(merged, merged[1:], strict=False):
        if one.area is not other.area:
            continue
        is_bit = one.area in (Area.COIL, Area.DISCRETE)
        gap = limits.max_gap * (16 if is_bit else 1)
        most = limits.max_read_bits if is_bit else limits.max_read
        first = other.tags[0]
        assert first.start - one.end > gap or max(one.end, first.end) - one.start > most


@given(tags=placed(), limits=LIMITS)
def test_refused_request_is_split_until_every_tag_stands_alone(tags, limits):
    left = list(plan(tags, limits).requests)
    alone = []
    while left:
        request = left.pop()
        parts = split(request)
        assert sorted(t.name for p in parts for t in p.tags) == (sorted(t.name for t in request.tags) if parts else [])
        (left.extend(parts) if parts else alone.append(request.tags[0].name))
    assert sorted(alone) == sorted(t.name for t in tags)


def test_two_hundred_scattered_tags_take_ten_times_fewer_requests():
    tags = [replace(wired(address=7 * n), name=f"t{n}") for n in range(200)]
    assert len(plan(tags, Limits(max_gap=6)).requests) <= 20


def test_tag_longer_than_a_request_is_named():
    with pytest.raises(ValueError, match="does not fit"):
        plan([wired("f64")], Limits(max_read=3))


# -- answers -----------------------------------------------------------------------------------------------------------

MIXED = [
    wired("u16", address=3),
    wired("u16", address=4, order=Order.BADC),
    wired("i16", address=5, scale=0.1, sentinels=(0x8000,)),
    wired("bool", address=6, bit=9),
    wired("bits", address=6, bits=(2, 7)),
    wired("u16", address=7, range=(10, 500)),
    wired("f32", address=8, order=Order.CDAB),
    wired("u32", address=9),  # lies on half of the one before
    wired("i64", address=11, order=Order.DCBA),
    wired("string", address=15, length=3),
]
WORDS = st.lists(st.sampled_from([0, 1, 0x4120, 0x7FC0, 0x8000, 0xFFFF]), min_size=15, max_size=15)


def said_of(place: Wired, words: list[int]) -> object:
    """Give what an answer from address 3 on says of a tag, by itself."""
    try:
        return decode(place, words[place.start - 3 : place.end - 3])
    except ValueError as error:
        return Bad(str(error))


@given(answers=st.lists(WORDS, min_size=1, max_size=6))
def test_answers_say_of_each_tag_what_it_says_alone_whatever_has_changed(answers):
    (request,) = plan([replace(tag, name=f"t{n}") for n, tag in enumerate(MIXED)], Limits()).requests
    remembered = Answers(request)
    for words in answers:
        assert list(remembered.outcomes(words)) == [said_of(tag, words) for tag in request.tags]


def test_answer_that_says_nothing_new_gives_the_very_same_outcomes():
    (request,) = plan([replace(wired(address=n), name=f"t{n}") for n in range(3)], Limits()).requests
    answers = Answers(request)
    first = answers.outcomes([1, 2, 3])
    assert answers.outcomes([1, 2, 3]) is first
    assert answers.outcomes([1, 5, 3]) == (1, 5, 3)
    assert first == (1, 2, 3)  # a picture that was taken keeps it


def test_padding_behind_the_bits_that_were_asked_for_means_nothing():
    coils = [Tag(address=n, area=Area.COIL, type="bool") for n in range(2)]
    places = [wire_modbus(f"c{n}", coil, 0, Order.ABCD) for n, coil in enumerate(coils)]
    (request,) = plan(places, Limits()).requests
    answers = Answers(request)
    assert answers.outcomes([True, False, False, False]) == (True, False)
    assert answers.outcomes([True, False, True, True]) == (True, False)
    assert answers.outcomes([False, True]) == (False, True)
