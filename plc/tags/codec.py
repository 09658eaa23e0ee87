"""Turns registers, bits and nodes into values of tags and back. Pure; a raw thing that is no value raises ValueError."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from types import MappingProxyType
from typing import Any

from plc.links import Value
from plc.tags.model import BITS_A_WORD, Order, Tag, TagType, Wired

_FORMATS: Mapping[TagType, str] = MappingProxyType(
    {
        TagType.U16: ">H",
        TagType.I16: ">h",
        TagType.U32: ">I",
        TagType.I32: ">i",
        TagType.U64: ">Q",
        TagType.I64: ">q",
        TagType.F32: ">f",
        TagType.F64: ">d",
    }
)
_FLOATS = frozenset({TagType.F32, TagType.F64})
_SIGNED_BITS: Mapping[TagType, int] = MappingProxyType({TagType.I16: 16, TagType.I32: 32, TagType.I64: 64})
_UNSIGNED_BITS: Mapping[TagType, int] = MappingProxyType(
    {TagType.U16: 16, TagType.BITS: 32, TagType.U32: 32, TagType.U64: 64}
)
_BYTES_IN_ORDER, _WORDS_IN_ORDER = (Order.ABCD, Order.CDAB), (Order.ABCD, Order.BADC)
Decoder = Callable[[Sequence[int]], Value]

ROUNDING = 1e-6
"""Of the greater bound: what a value may lie outside its range by rounding alone."""


# -- values from the machine -------------------------------------------------------------------------------------------


def decode(wired: Wired, raw: Sequence[int]) -> Value:
    """Give the value of a modbus tag from its registers, or from its one bit; raises ValueError."""
    if len(raw) != wired.count:
        raise ValueError(f"{len(raw)} of {wired.count} registers")
    return decoder(wired)(raw)


def decoder(wired: Wired, at: int = 0) -> Decoder:
    """Give what reads a modbus tag out of a whole answer in which it begins at `at`; that raises ValueError.

    What the file settles is settled here, once, and not again for each of the hundred tags of an answer.
    """
    tag = wired.tag
    if wired.is_bit:
        return lambda bits: bool(bits[at])
    if tag.type is TagType.STRING:
        return _text_reader(wired, at)
    raw = _raw_reader(wired, at)
    if tag.type is TagType.BOOL:
        return lambda words: bool(raw(words))
    return _judged(tag, raw)


def decode_node(wired: Wired, value: object) -> Value:
    """Give the value of an opcua tag from what the server sent; raises ValueError for a type that it is not."""
    return node_decoder(wired)(value)


def node_decoder(wired: Wired) -> Callable[[object], Value]:
    """Give what `decode_node` does for one tag."""
    tag = wired.tag

    def raw(value: Any) -> Any:
        if tag.type is TagType.BOOL and tag.bit is not None and isinstance(value, int):
            return bool(value >> tag.bit & 1)
        _demand_kind(tag.type, value)
        return value if tag.bits is None else _field(tag, value)

    return raw if tag.type in (TagType.BOOL, TagType.STRING) else _judged(tag, raw)


def modulus(tag: Tag) -> int | None:
    """Give where a counter of this type rolls over; None for one that does not count in whole steps from 0."""
    if tag.bits is not None:
        return int(2 ** (tag.bits[1] - tag.bits[0] + 1))
    bits = BITS_A_WORD if tag.type is TagType.BITS else _UNSIGNED_BITS.get(tag.type)
    return None if bits is None or tag.is_scaled else int(2**bits)


# -- values to the machine ---------------------------------------------------------------------------------------------


def encode(wired: Wired, value: Value, present: Sequence[int] = ()) -> tuple[int, ...]:
    """Give the registers (or the one bit) of a value; `present` are the registers now, for a tag that is part of them.

    Raises ValueError for a value that the tag cannot hold or must not get.
    """
    check_writable(wired.tag, value)
    return put(wired, value, present)


def put(wired: Wired, value: Value, present: Sequence[int] = ()) -> tuple[int, ...]:
    """Give the registers as the machine itself would show a value, also one out of range; raises ValueError if it cannot."""
    tag = wired.tag
    if wired.is_bit:
        return (int(bool(value)),)
    if tag.type is TagType.STRING:
        return _text_words(str(value), wired)
    if isinstance(value, str):
        raise ValueError(f"{value!r} is no number")
    if not tag.is_part:
        return _in_order(_words(tag.type, _unscaled(tag, value)), wired.order)
    if len(present) != wired.count:
        raise ValueError("a bit field is written into the registers as they are now")
    low, high = _span(tag)
    raw, most = int(_unscaled(tag, value)), (1 << (high - low + 1)) - 1
    if not 0 <= raw <= most:
        raise ValueError(f"{raw} does not fit into bits {low} to {high}")
    whole = _whole(_in_order(present, wired.order)) & ~(most << low) | raw << low
    return _in_order(_split(whole, wired.count), wired.order)


def mask(wired: Wired, value: Value) -> tuple[int, int, int] | None:
    """Give register, the bits of it that stay, and the others as they are to be, for a tag that is part of one register.

    None for a tag that is no part, or lies in two. Raises ValueError as `encode` does.
    """
    if not wired.tag.is_part or not lies_in_one_register(wired):
        return None
    check_writable(wired.tag, value)
    zeros, ones = (put(wired, value, (around,) * wired.count) for around in (0, 0xFFFF))
    kept = [zero ^ one for zero, one in zip(zeros, ones, strict=True)]
    at = next(at for at, bits in enumerate(kept) if bits != 0xFFFF)
    return wired.start + at, kept[at], zeros[at]


def masked(word: int, kept: int, bits: int) -> int:
    """Give what function 22 makes of a register (Modbus Application Protocol V1.1b3, 6.16)."""
    return (word & kept) | (bits & ~kept & 0xFFFF)


def lies_in_one_register(wired: Wired) -> bool:
    """Tell whether all bits of a tag that is part of its registers lie in one of them."""
    low, high = _span(wired.tag)
    return low // BITS_A_WORD == high // BITS_A_WORD


def encode_node(wired: Wired, value: Value) -> tuple[Value, str]:
    """Give what is written to an opcua node, and its tag type; raises ValueError."""
    check_writable(wired.tag, value)
    if wired.tag.is_part:
        raise ValueError("some bits of a node cannot be written alone")
    return put_node(wired, value), wired.tag.type


def put_node(wired: Wired, value: Value) -> Value:
    """Give the raw value as the machine itself would show it, also one out of range; raises ValueError if it cannot."""
    tag = wired.tag
    if tag.type is TagType.BOOL:
        return bool(value)
    if tag.type is TagType.STRING:
        return str(value)
    if isinstance(value, str):
        raise ValueError(f"{value!r} is no number")
    raw = _unscaled(tag, value)
    _words(tag.type, raw)  # raises if it does not fit
    return float(raw) if tag.type in _FLOATS else raw


def check_writable(tag: Tag, value: Value) -> None:
    """Raise ValueError for a value of the wrong kind, out of range, or that would read back as no value."""
    if tag.type is TagType.STRING:
        if not isinstance(value, str):
            raise ValueError(f"{value!r} is no text")
        return
    if isinstance(value, str):
        raise ValueError(f"{value!r} is no number")
    if tag.type is TagType.BOOL:
        if value not in (0, 1):
            raise ValueError(f"{value!r} is neither true nor false")
        return
    if not math.isfinite(value):
        raise ValueError(f"{value} is no number")
    _demand_in_range(tag, value)
    if _is_sentinel(tag, _unscaled(tag, value)):
        raise ValueError(f"{value:g} would mean no value")


# -- numbers -----------------------------------------------------------------------------------------------------------


def _judged(tag: Tag, read: Callable[[Any], Any]) -> Callable[[Any], Value]:
    """Give `read` with its raw number scaled, and refused where it means no value; itself where each number is its own value."""
    is_float, is_scaled = tag.type in _FLOATS, tag.is_scaled
    if not (is_float or is_scaled or tag.sentinels or tag.range):
        return read
    low, high = _bounds(tag, is_float=is_float or is_scaled)
    scale, offset, has_sentinels = tag.scale, tag.offset, bool(tag.sentinels)

    def judged(source: Any) -> Value:
        raw: int | float = read(source)
        if is_float and not math.isfinite(raw):
            raise ValueError(f"the raw value is {raw}")
        if has_sentinels and _is_sentinel(tag, raw):
            raise ValueError(f"raw {raw} means no value")
        value = raw * scale + offset if is_scaled else raw
        if not low <= value <= high:
            raise _outside(tag, value)
        return value

    return judged


def _demand_in_range(tag: Tag, value: int | float) -> None:
    low, high = _bounds(tag, is_float=isinstance(value, float))
    if not low <= value <= high:
        raise _outside(tag, value)


def _bounds(tag: Tag, *, is_float: bool) -> tuple[int | float, int | float]:
    if tag.range is None:
        return -math.inf, math.inf
    low, high = tag.range
    # an f32 of 0.1 reads back as 0.10000000149: the bound itself must not be bad
    slack = ROUNDING * max(abs(low), abs(high)) if is_float else 0
    return low - slack, high + slack


def _outside(tag: Tag, value: int | float) -> ValueError:
    low, high = tag.range or (-math.inf, math.inf)
    return ValueError(f"{value:g} is outside {low:g} to {high:g}")


def _unscaled(tag: Tag, value: Value) -> int | float:
    assert not isinstance(value, str)  # noqa: S101 - checked by check_writable
    if not tag.is_scaled:
        if tag.type not in _FLOATS and value != int(value):
            raise ValueError(f"{value:g} is no whole number")
        return value if tag.type in _FLOATS else int(value)
    raw = (value - tag.offset) / tag.scale
    return raw if tag.type in _FLOATS else round(raw)


def _is_sentinel(tag: Tag, raw: int | float) -> bool:
    if not tag.sentinels:
        return False
    if tag.type is TagType.F32:  # -99.9 comes as -99.90000153: what the manual writes is not what a float holds
        return _as_f32(raw) in map(_as_f32, tag.sentinels)
    bits = _SIGNED_BITS.get(tag.type)  # manuals write 0x8000 also where the type is signed
    return raw in tag.sentinels or (bits is not None and int(raw) % 2**bits in tag.sentinels)


def _as_f32(number: int | float) -> int | float:
    try:
        return float(struct.unpack(">f", struct.pack(">f", number))[0])
    except OverflowError:
        return number


def _raw_reader(wired: Wired, at: int) -> Callable[[Sequence[int]], Any]:
    """Give what reads the raw number of a tag, or of its bits."""
    number, tag = _number_reader(wired, at), wired.tag
    if not tag.is_part:
        return number
    low, high = _span(tag)
    mask = (1 << (high - low + 1)) - 1
    return lambda words: number(words) >> low & mask


def _number_reader(wired: Wired, at: int) -> Callable[[Sequence[int]], Any]:
    """Give what reads the registers of a tag as one number."""
    form = _FORMATS.get(wired.tag.type) or (">H", ">I")[wired.count - 1]
    if wired.count == 1 and wired.order in _BYTES_IN_ORDER:
        return itemgetter(at) if form == ">H" else lambda words: (words[at] ^ 0x8000) - 0x8000  # two's complement
    pack, unpack, part = _packer(wired), struct.Struct(form).unpack, _part(wired, at)
    return lambda words: unpack(pack(*words[part]))[0]


def _text_reader(wired: Wired, at: int) -> Decoder:
    pack, part = _packer(wired), _part(wired, at)
    return lambda words: _text(pack(*words[part]))


def _packer(wired: Wired) -> Callable[..., bytes]:
    """Give what makes bytes of registers, the bytes of each in their right order."""
    return struct.Struct(f"{'>' if wired.order in _BYTES_IN_ORDER else '<'}{wired.count}H").pack


def _part(wired: Wired, at: int) -> slice:
    """Give where a tag's registers are in an answer, the most significant one first."""
    end = at + wired.count
    return slice(at, end) if wired.order in _WORDS_IN_ORDER else slice(end - 1, at - 1 if at else None, -1)


def _field(tag: Tag, whole: int) -> int:
    if tag.bits is None:
        return whole
    low, high = tag.bits
    return whole >> low & (1 << (high - low + 1)) - 1


def _span(tag: Tag) -> tuple[int, int]:
    if tag.bits is not None:
        return tag.bits
    return (tag.bit or 0, tag.bit or 0)


def _words(kind: TagType, raw: int | float) -> tuple[int, ...]:
    form = ">H" if kind is TagType.BITS else _FORMATS[kind]
    try:
        return _unpack_words(struct.pack(form, raw))
    except (struct.error, OverflowError) as error:
        raise ValueError(f"{raw:g} does not fit into {kind}") from error


# -- words and bytes ---------------------------------------------------------------------------------------------------


def _in_order(words: Sequence[int], order: Order) -> tuple[int, ...]:
    """Bring registers into big-endian order, or from it: each order is its own inverse."""
    swapped = tuple(words) if order in _BYTES_IN_ORDER else tuple(_swap(word) for word in words)
    return swapped if order in _WORDS_IN_ORDER else swapped[::-1]


def _swap(word: int) -> int:
    return (word & 0xFF) << 8 | word >> 8


def _bytes(words: Sequence[int]) -> bytes:
    return struct.pack(f">{len(words)}H", *words)


def _unpack_words(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f">{len(data) // 2}H", data)


def _whole(words: Sequence[int]) -> int:
    return int.from_bytes(_bytes(words), "big")


def _split(whole: int, count: int) -> tuple[int, ...]:
    return _unpack_words(whole.to_bytes(2 * count, "big"))


# -- texts -------------------------------------------------------------------------------------------------------------


def _text(data: bytes) -> str:
    """Read UTF-8 up to the first NUL; blanks behind it are padding."""
    try:
        return data.split(b"\0", 1)[0].decode("utf-8").rstrip(" ")
    except UnicodeDecodeError as error:
        raise ValueError("the text is no UTF-8; is the order right?") from error


def _text_words(text: str, wired: Wired) -> tuple[int, ...]:
    data = text.encode("utf-8")
    if len(data) > 2 * wired.count or b"\0" in data:
        raise ValueError(f"{text!r} does not fit into {2 * wired.count} characters")
    return _in_order(_unpack_words(data.ljust(2 * wired.count, b"\0")), wired.order)


def _demand_kind(kind: TagType, value: object) -> None:
    if kind is TagType.BOOL:
        is_right = isinstance(value, bool)
    elif kind is TagType.STRING:
        is_right = isinstance(value, str)
    elif kind in _FLOATS:
        is_right = isinstance(value, (int, float)) and not isinstance(value, bool)
    else:
        is_right = isinstance(value, int) and not isinstance(value, bool)
    if not is_right:
        raise ValueError(f"the node is no {kind} but {type(value).__name__}")
