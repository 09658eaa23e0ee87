"""Tags: what their bits mean, in which requests they are read, and how far a value is believed."""

from __future__ import annotations

import math
import struct
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from plc.links import Area
from plc.tags.answers import Answers
from plc.tags.codec import decode, decode_node, encode, encode_node, mask, masked, modulus, put
from plc.tags.model import Condition, Limits, Order, Tag, TagType, Wired, wire_modbus, wire_opcua
from plc.tags.plan import plan, split
from plc.tags.values import Bad, Quality, TagStore

START = datetime(2026, 1, 1, tzinfo=UTC)
ORDERS = st.sampled_from(Order)
WIDE = {
    TagType.U32: st.integers(0, 2**32 - 1),
    TagType.I32: st.integers(-(2**31), 2**31 - 1),
    TagType.U64: st.integers(0, 2**64 - 1),
    TagType.I64: st.integers(-(2**63), 2**63 - 1),
    TagType.F32: st.floats(width=32, allow_nan=False, allow_infinity=False),
    TagType.F64: st.floats(allow_nan=False, allow_infinity=False),
}
SHORT = {
    TagType.U16: st.integers(0, 0xFFFF),
    TagType.I16: st.integers(-0x8000, 0x7FFF),
    TagType.BITS: st.integers(0, 0xFFFF),
}


def tag(kind: TagType | str = "u16", **parts: Any) -> Tag:
    return Tag(**{"address": 0, "area": "holding", "access": "rw", "type": kind, **parts})


def wired(kind: TagType | str = "u16", *, order: Order = Order.ABCD, **parts: Any) -> Wired:
    return wire_modbus("t", tag(kind, **parts), 0, order)


# -- values ------------------------------------------------------------------------------------------------------------


@given(kind=st.sampled_from(list(WIDE)), order=ORDERS, data=st.data())
def test_wide_value_comes_back_in_every_order(kind, order, data):
    value = data.draw(WIDE[kind])
    place = wired(kind, order=order)
    words = encode(place, value)
    assert len(words) == place.count
    assert decode(place, words) == value


@given(kind=st.sampled_from(list(SHORT)), order=st.sampled_from([Order.ABCD, Order.BADC]), data=st.data())
def test_value_of_one_register_comes_back_also_with_its_bytes_swapped(kind, order, data):
    value = data.draw(SHORT[kind])
    place = wire_modbus("t", tag(kind, order=order), 0, Order.DCBA)
    assert place.order is order
    assert decode(place, encode(place, value)) == value


@pytest.mark.parametrize(
    "order, words",
    [
        (Order.ABCD, [0x0A0B, 0x0C0D]),
        (Order.CDAB, [0x0C0D, 0x0A0B]),
        (Order.BADC, [0x0B0A, 0x0D0C]),
        (Order.DCBA, [0x0D0C, 0x0B0A]),
    ],
)
def test_orders_are_those_of_the_manuals(order, words):
    assert decode(wired("u32", order=order), words) == 0x0A0B0C0D
    assert encode(wired("u32", order=order), 0x0A0B0C0D) == tuple(words)


def test_order_of_the_machine_is_not_that_of_single_registers_and_texts():
    assert wired("u16", order=Order.DCBA).order is Order.ABCD
    assert wired("string", length=2, order=Order.DCBA).order is Order.ABCD
    assert wired("f64", order=Order.CDAB).order is Order.CDAB


@given(text=st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=10))
def test_text_comes_back_without_its_padding(text):
    place = wired("string", length=20)
    assert decode(place, encode(place, text)) == text.rstrip(" ")


@given(low=st.integers(0, 15), size=st.integers(1, 16), present=st.integers(0, 0xFFFF), data=st.data())
def test_bit_field_comes_back_and_leaves_the_other_bits_alone(low, size, present, data):
    high = min(15, low + size - 1)
    value = data.draw(st.integers(0, 2 ** (high - low + 1) - 1))
    place = wired("bits", bits=(low, high))
    (word,) = encode(place, value, (present,))
    assert decode(place, [word]) == value
    mask = (2 ** (high - low + 1) - 1) << low
    assert word & ~mask == present & ~mask


@given(
    low=st.integers(0, 31),
    size=st.integers(1, 16),
    order=ORDERS,
    present=st.tuples(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF)),
    data=st.data(),
)
def test_masks_do_what_reading_changing_and_writing_back_does(low, size, order, present, data):
    high = min(31, low + size - 1)
    value = data.draw(st.integers(0, 2 ** (high - low + 1) - 1))
    place = wired("u32", bits=(low, high), order=order, address=5)
    masks = mask(place, value)
    if low // 16 != high // 16:
        assert masks is None
        return
    assert masks is not None
    start, kept, bits = masks
    words = list(present)
    words[start - 5] = masked(words[start - 5], kept, bits)
    assert tuple(words) == encode(place, value, present)


def test_whole_registers_and_coils_have_no_masks_and_a_value_that_does_not_fit_none_either():
    assert mask(wired("u16"), 3) is None
    assert mask(wire_modbus("c", Tag(address=1, area=Area.COIL, type="bool", access="rw"), 0, Order.ABCD), True) is None
    with pytest.raises(ValueError, match="bits 2 to 4"):
        mask(wired("bits", bits=(2, 4)), 8)


@given(bit=st.integers(0, 15), present=st.integers(0, 0xFFFF), value=st.booleans())
def test_bool_in_a_register_comes_back_and_leaves_the_other_bits_alone(bit, present, value):
    place = wired("bool", bit=bit)
    (word,) = encode(place, value, (present,))
    assert decode(place, [word]) is value
    assert (word ^ present) & ~(1 << bit) == 0


@given(
    raw=st.integers(-0x8000, 0x7FFF), scale=st.sampled_from([0.1, 0.01, 2.0, -0.5]), offset=st.sampled_from([0, -40.0])
)
def test_scaled_value_comes_back_to_the_same_raw_number(raw, scale, offset):
    place = wired("i16", scale=scale, offset=offset)
    words = struct.unpack(">H", struct.pack(">h", raw))
    assert encode(place, decode(place, words)) == words


@pytest.mark.parametrize(
    "place, words, why",
    [
        (wired("u16", sentinels=(0xFFFF,)), [0xFFFF], "no value"),
        (wired("i16", sentinels=(0x8000,)), [0x8000], "no value"),
        (wired("i16", sentinels=(-1,)), [0xFFFF], "no value"),
        (wired("u16", range=(0, 100), scale=0.1), [1001], "outside"),
        (wired("f32"), struct.unpack(">2H", struct.pack(">f", math.nan)), "nan"),
        (wired("f32"), struct.unpack(">2H", struct.pack(">f", math.inf)), "inf"),
        (wired("string", length=1), [0xFFFE], "UTF-8"),
        (wired("u32"), [1], "1 of 2"),
    ],
)
def test_raw_thing_that_is_no_value_is_refused_with_its_reason(place, words, why):
    with pytest.raises(ValueError, match=why):
        decode(place, words)


def test_bound_of_a_range_is_good_although_a_float_cannot_hold_it():
    place = wired("f32", range=(0, 0.1))
    assert decode(place, put(place, 0.1)) == pytest.approx(0.1)


@pytest.mark.parametrize(
    "place, value, why",
    [
        (wired("u16"), 70_000, "fit"),
        (wired("u16"), -1, "fit"),
        (wired("u16"), 1.5, "whole"),
        (wired("u16"), "1", "number"),
        (wired("u16", range=(0, 10)), 11, "outside"),
        (wired("u16", sentinels=(7,)), 7, "no value"),
        (wired("f32"), math.nan, "number"),
        (wired("f32"), 1e39, "fit"),
        (wired("bits", bits=(0, 2)), 8, "bits 0 to 2"),
        (wired("bool", bit=0), 2, "true nor false"),
        (wired("string", length=1), "abc", "fit"),
    ],
)
def test_value_that_a_tag_cannot_hold_is_not_written(place, value, why):
    present = (0,) * place.count if place.tag.is_part else ()
    with pytest.raises(ValueError, match=why):
        encode(place, value, present)


@pytest.mark.parametrize("value, is_right", [(3, True), (True, False), (3.0, False), ("3", False), (None, False)])
def test_node_of_another_type_is_no_value(value, is_right):
    node = wire_opcua("t", Tag(node="M.Count", type="u16"), "urn:m")
    if is_right:
        assert decode_node(node, value) == value
    else:
        with pytest.raises(ValueError):
            decode_node(node, value)


def test_node_ids_are_whole_or_in_the_files_namespace():
    def node(text: str) -> tuple[str, str]:
        return wire_opcua("t", Tag(node=text, type="u16", access="rw"), "urn:m").node

    assert node("M.Count") == ("urn:m", "s=M.Count")
    assert node("i=2258") == ("urn:m", "i=2258")
    assert node("nsu=urn:x;s=A;b") == ("urn:x", "s=A;b")
    assert encode_node(wire_opcua("t", Tag(node="a", type="u16", access="w"), "urn:m"), 3) == (3, "u16")


@pytest.mark.parametrize("kind, turn", [("u16", 2**16), ("u32", 2**32), ("i16", None), ("bits", 2**16)])
def test_counter_rolls_over_where_its_type_does(kind, turn):
    assert modulus(tag(kind)) == turn
    assert modulus(tag("u16", bits=(4, 7))) == 16


@pytest.mark.parametrize(
    "number, area, start",
    [
        (1, Area.COIL, 0),
        (10_001, Area.DISCRETE, 0),
        (30_010, Area.INPUT, 9),
        (40_001, Area.HOLDING, 0),
        (465_536, Area.HOLDING, 65_535),
        (300_001, Area.INPUT, 0),
    ],
)
def test_modicon_number_tells_the_table(number, area, start):
    kind = "bool" if area in (Area.COIL, Area.DISCRETE) else "u16"
    place = wire_modbus("t", Tag(address=number, type=kind), "modicon", Order.ABCD)
    assert (place.area, place.start) == (area, start)


@pytest.mark.parametrize(
    "parts, base, why",
    [
        ({"type": "u16", "address": 5}, 0, "say its area"),
        ({"type": "u16", "address": 0, "area": "holding"}, 1, "outside"),
        ({"type": "u32", "address": 65_535, "area": "holding"}, 0, "outside"),
        ({"type": "u16", "address": 20_000_000}, "modicon", "no modicon number"),
        ({"type": "u16", "address": 1, "area": "coil"}, 0, "is a bool"),
        ({"type": "bool", "address": 1, "area": "input"}, 0, "says its bit"),
        ({"type": "u16", "address": 1, "area": "input", "access": "rw"}, 0, "nobody can write"),
    ],
)
def test_tag_that_cannot_lie_there_is_named(parts, base, why):
    with pytest.raises(ValueError, match=why):
        wire_modbus("t", Tag(**parts), base, Order.ABCD)


@pytest.mark.parametrize(
    "parts",
    [
        {"type": "u16"},
        {"type": "u16", "address": 1, "node": "x"},
        {"type": "string", "address": 1},
        {"type": "u16", "address": 1, "length": 2},
        {"type": "u16", "address": 1, "bit": 3},
        {"type": "u16", "address": 1, "bits": (3, 16)},
        {"type": "i16", "address": 1, "bits": (3, 4)},
        {"type": "bits", "address": 1, "bits": (4, 3)},
        {"type": "u16", "address": 1, "scale": 0},
        {"type": "bool", "address": 1, "scale": 2},
        {"type": "bool", "address": 1, "range": (0, 1)},
        {"type": "u16", "address": 1, "range": (2, 1)},
        {"type": "u16", "address": 1, "order": "CDAB"},
        {"type": "u16", "address": 1, "safe": 0},
        {"type": "u16", "address": 1, "safe": "x", "access": "rw"},
        {"type": "u16", "address": 1, "safe": 9, "range": (0, 5), "access": "rw"},
        {"type": "bool", "address": 1, "safe": 0.5, "access": "rw"},
    ],
)
def test_tag_that_contradicts_itself_is_refused(parts):
    with pytest.raises(ValidationError):
        Tag(**parts)


@pytest.mark.parametrize(
    "parts, value, holds",
    [
        ({"equals": 3}, 3, True),
        ({"equals": 3}, 4, False),
        ({"min": 2}, 2, True),
        ({"min": 2, "max": 3}, 4, False),
        ({"max": 3}, "a", False),
        ({"one_of": ("a", "b")}, "b", True),
        ({"one_of": ("a", "b")}, "c", False),
    ],
)
def test_condition_holds_as_it_says(parts, value, holds):
    assert Condition(tag="t", **parts).holds(value) is holds


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


# -- how far a value is believed ---------------------------------------------------------------------------------------


def store() -> TagStore:
    made = TagStore(limits_s={"a": 1.0, "b": 1.0}, told=frozenset({"b"}))
    made.begin()
    return made


def test_value_is_stale_after_its_limit_and_keeps_its_last_value_for_people():
    tags = store()
    tags.keep_one("a", 5, at=None, taken_at=10.0)
    assert tags.get("a", 11.0).quality is Quality.GOOD
    late = tags.get("a", 11.1)
    assert (late.quality, late.value) == (Quality.STALE, 5)
    assert tags.get("b", 11.0).quality is Quality.ABSENT


def test_lost_link_makes_everything_stale_at_once():
    tags = store()
    tags.keep_one("a", 5, at=None, taken_at=10.0)
    tags.begin()
    assert tags.get("a", 10.0).quality is Quality.STALE
    assert tags.taken_at("a") == float("-inf")
    tags.keep_one("a", 6, at=None, taken_at=10.1)
    assert tags.get("a", 10.2).is_good


def test_restart_of_the_machine_makes_everything_stale_at_once():
    tags = store()
    tags.see_boot(3)
    tags.keep_one("a", 5, at=None, taken_at=10.0)
    assert tags.get("a", 10.0).boot == 3
    assert not tags.see_boot(3)
    assert tags.see_boot(4)
    stale = tags.get("a", 10.0)
    assert (stale.quality, stale.reason) == (Quality.STALE, "the machine has started again")


def test_bad_value_has_no_value():
    tags = store()
    tags.keep_one("a", 5, at=None, taken_at=10.0)
    tags.keep_one("a", Bad("raw 65535 means no value"), at=None, taken_at=10.1)
    seen = tags.get("a", 10.2)
    assert (seen.quality, seen.value, seen.reason) == (Quality.BAD, None, "raw 65535 means no value")


def test_older_answer_never_overwrites_a_newer_one():
    tags = store()
    tags.keep_one("a", 6, at=None, taken_at=10.2)
    tags.keep_one("a", 5, at=None, taken_at=10.1)
    assert tags.get("a", 10.3).value == 6


def test_publish_of_a_subscription_confirms_only_its_own_tags_and_only_of_this_connection():
    tags = store()
    tags.keep_one("a", 1, at=None, taken_at=10.0)
    tags.keep_one("b", 2, at=None, taken_at=10.0)
    tags.confirm(taken_at=12.0)
    assert tags.get("a", 12.5).quality is Quality.STALE
    assert tags.get("b", 12.5).quality is Quality.GOOD
    tags.begin()
    tags.confirm(taken_at=13.0)
    assert tags.get("b", 13.0).quality is Quality.STALE


def test_snapshot_stays_as_it_was_and_names_the_parts_too():
    tags = store()
    tags.keep_one("a", 1, at=None, taken_at=10.0)
    seen = tags.snapshot(10.5, {"carton_present": "a"})
    tags.keep_one("a", 2, at=None, taken_at=10.6)
    tags.begin()
    assert (seen["a"].value, seen["carton_present"].value) == (1, 1)
    assert seen["a"].is_good
    assert set(seen) == {"a", "b", "carton_present"}


def test_version_moves_with_a_value_and_not_with_its_confirmation():
    tags = store()
    tags.keep_one("a", 1, at=None, taken_at=10.0)
    before = tags.version
    tags.keep_one("a", 1, at=None, taken_at=11.0)
    assert tags.version == before
    tags.keep_one("a", 2, at=None, taken_at=12.0)
    assert tags.version > before


# -- tags of one request share their time ------------------------------------------------------------------------------


def test_answer_that_says_nothing_new_moves_the_time_of_all_its_tags_and_no_version():
    tags = store()
    sheet, outcomes = tags.sheet(["a", "b"]), (1, Bad("no value"))
    tags.keep(sheet, outcomes, at=None, taken_at=10.0)
    before = tags.version
    tags.keep(sheet, outcomes, at=START, taken_at=12.0)
    assert tags.version == before
    seen = tags.get("a", 12.9)
    assert (seen.value, seen.at, seen.is_good) == (1, START, True)
    assert (tags.get("b", 12.9).quality, tags.get("b", 12.9).reason) == (Quality.BAD, "no value")
    assert tags.get("a", 13.1).quality is Quality.STALE
    tags.keep(sheet, (2, Bad("no value")), at=None, taken_at=13.0)
    assert tags.version > before


def test_same_answer_over_a_new_connection_is_news_and_before_it_nothing_is_believed():
    tags = store()
    sheet = tags.sheet(["a"])
    tags.see_boot(3)
    tags.keep(sheet, (1,), at=None, taken_at=10.0)
    tags.see_boot(4)
    assert tags.get("a", 10.1).reason == "the machine has started again"
    before = tags.version
    tags.keep(sheet, (1,), at=None, taken_at=10.2)
    assert tags.version > before
    assert (tags.get("a", 10.2).is_good, tags.get("a", 10.2).boot) == (True, 4)


def test_picture_does_not_grow_younger_with_later_answers():
    tags = store()
    sheet = tags.sheet(["a"])
    tags.keep(sheet, (1,), at=None, taken_at=10.0)
    late = tags.snapshot(11.5)
    tags.keep(sheet, (1,), at=None, taken_at=11.4)
    assert late["a"].quality is Quality.STALE
    assert tags.get("a", 11.5).is_good


def test_tag_of_two_sheets_is_shown_as_it_was_last_heard_on_any():
    tags = store()
    polled, outcomes = tags.sheet(["a", "b"]), (1, 1)
    tags.keep(polled, outcomes, at=None, taken_at=10.0)
    tags.keep_one("a", 2, at=None, taken_at=10.5)
    assert (tags.get("a", 10.6).value, tags.get("b", 10.6).value) == (2, 1)
    tags.keep(polled, outcomes, at=None, taken_at=10.4)  # asked for before the other one
    assert (tags.get("a", 10.6).value, tags.taken_at("b")) == (2, 10.4)
    before = tags.version
    tags.keep(polled, outcomes, at=None, taken_at=10.6)
    assert (tags.get("a", 10.6).value, tags.taken_at("a")) == (1, 10.6)
    assert tags.version > before
    tags.keep(polled, (9, 9), at=None, taken_at=10.1)
    assert (tags.get("a", 10.6).value, tags.get("b", 10.6).value) == (1, 1)


@given(
    heard=st.lists(
        st.tuples(st.sampled_from(["both", "a", "b", "lost"]), st.integers(0, 2), st.integers(0, 6)), max_size=20
    )
)
def test_sheets_show_what_tags_kept_one_by_one_would(heard):
    shared, single = store(), store()
    sheet = shared.sheet(["a", "b"])
    for what, value, at in heard:
        before, told = shared.version, single.version
        if what == "lost":
            shared.begin()
            single.begin()
        elif what == "both":
            shared.keep(sheet, (value, value), at=None, taken_at=at / 10)
            for name in ("a", "b"):
                single.keep_one(name, value, at=None, taken_at=at / 10)
        else:
            for kept in (shared, single):
                kept.keep_one(what, value, at=None, taken_at=at / 10)
        assert (shared.version != before) is (single.version != told)
        for name in ("a", "b"):
            assert shared.get(name, 1.3) == single.get(name, 1.3)
            assert shared.taken_at(name) == single.taken_at(name)
