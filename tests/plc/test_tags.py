"""What the bits of a tag mean, and what a tag cannot be."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from plc.links import Area
from plc.tags.codec import decode, decode_node, encode, encode_node, mask, masked, modulus, put
from plc.tags.model import Condition, Order, Tag, TagType, wire_modbus, wire_opcua
from tests.plc.wired import tag, wired

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
        (wired("f32", sentinels=(-99.9,)), struct.unpack(">2H", struct.pack(">f", -99.9)), "no value"),
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
        (wired("f32", sentinels=(-99.9,)), -99.9, "no value"),
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
