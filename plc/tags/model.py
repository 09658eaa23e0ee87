"""What a machine file says of its tags: where each lies, what its bits mean, and what must hold before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from packline.core.file_part import FilePart
from plc.links import Area

Scalar = bool | int | float | str
Number = int | float
AddressBase = Literal[0, 1, "modicon"]

BITS_A_WORD = 16
ADDRESSES = 0x10000


class TagType(StrEnum):
    """How the raw bits of a tag are read."""

    BOOL = "bool"
    U16 = "u16"
    I16 = "i16"
    U32 = "u32"
    I32 = "i32"
    U64 = "u64"
    I64 = "i64"
    F32 = "f32"
    F64 = "f64"
    STRING = "string"
    BITS = "bits"


class Order(StrEnum):
    """In which order the bytes of a value lie in its registers; A is the most significant byte."""

    ABCD = "ABCD"
    CDAB = "CDAB"
    BADC = "BADC"
    DCBA = "DCBA"


class Access(StrEnum):
    """What the controller may do with a tag."""

    R = "r"
    W = "w"
    RW = "rw"


class Poll(StrEnum):
    """How often a tag is read."""

    FAST = "fast"
    SLOW = "slow"
    ONCE = "once"


WORDS: Mapping[TagType, int] = MappingProxyType(
    {
        TagType.BOOL: 1,
        TagType.U16: 1,
        TagType.I16: 1,
        TagType.BITS: 1,
        TagType.U32: 2,
        TagType.I32: 2,
        TagType.F32: 2,
        TagType.U64: 4,
        TagType.I64: 4,
        TagType.F64: 4,
    }
)
"""Registers of each type; a string says its own length, and a bit field above bit 15 takes two."""

BIT_AREAS = frozenset({Area.COIL, Area.DISCRETE})
WRITABLE_AREAS = frozenset({Area.HOLDING, Area.COIL})
_FIELD_TYPES = frozenset({TagType.BITS, TagType.U16, TagType.U32})
_UNSCALED = frozenset({TagType.BOOL, TagType.STRING, TagType.BITS})

# Modicon's reference numbers: five digits where they suffice, else six; the first tells the area.
_MODICON: tuple[tuple[Area, int, int], ...] = (
    (Area.COIL, 1, 9_999),
    (Area.DISCRETE, 10_001, 19_999),
    (Area.INPUT, 30_001, 39_999),
    (Area.HOLDING, 40_001, 49_999),
    (Area.COIL, 1, 65_536),
    (Area.DISCRETE, 100_001, 165_536),
    (Area.INPUT, 300_001, 365_536),
    (Area.HOLDING, 400_001, 465_536),
)


class Limits(FilePart):
    """[limits]: what the device takes in one request."""

    max_read: int = Field(default=125, ge=1, le=125, description="Modbus: most registers in one read.")
    max_read_bits: int = Field(default=2000, ge=1, le=2000, description="Modbus: most coils or discretes in one read.")
    max_write: int = Field(default=123, ge=1, le=123, description="Modbus: most registers in one write.")
    max_gap: int = Field(
        default=0,
        ge=0,
        le=124,
        description="Modbus: registers (or 16 times as many bits) that may be read for nothing between two tags to save a request; "
        "0 where holes answer exception 2.",
    )
    write_function: Literal["auto", 6, 16] = Field(
        default="auto",
        description="Modbus: function code of register writes; `auto` is 6 for one register and 16 for more.",
    )
    mask_write: bool = Field(
        default=False,
        description="Modbus: the device knows function 22 (mask write). Single bits and bit fields are then changed by the device "
        "itself; else their register is read, changed and written back.",
    )
    max_nodes: int = Field(default=500, ge=1, le=10_000, description="OPC UA: most nodes in one read or write call.")


class Tag(FilePart):
    """[tags.<name>]: one named value of the machine."""

    address: int | None = Field(
        default=None, ge=0, description="Modbus: register or bit number, counted as `address_base` says."
    )
    area: Area | None = Field(
        default=None, description="Modbus: which table it lies in; a modicon number tells it, else it must be said."
    )
    node: str | None = Field(
        default=None,
        min_length=1,
        description="OPC UA: string node id in the file's namespace, or a whole one (`i=2258`, `nsu=urn:x;s=Name`).",
    )
    type: TagType = Field(description="How its bits are read; `bits` is a word of flags or a bit field of one.")
    length: int | None = Field(default=None, ge=1, le=125, description="Registers of a string (two characters each).")
    order: Order | None = Field(
        default=None,
        description="Byte order, if not the machine's `word_order`. One-register values and strings follow only this one.",
    )
    bit: int | None = Field(default=None, ge=0, le=15, description="A `bool` in a register: which bit, 0 the lowest.")
    bits: tuple[Annotated[int, Field(ge=0, le=31)], Annotated[int, Field(ge=0, le=31)]] | None = Field(
        default=None, description="A bit field of `bits`, `u16` or `u32`: lowest and highest bit, 0 the lowest."
    )
    scale: float = Field(default=1.0, allow_inf_nan=False, description="Value = raw * scale + offset; never 0.")
    offset: float = Field(default=0.0, allow_inf_nan=False, description="Value = raw * scale + offset.")
    unit: str = Field(
        default="", max_length=20, description="Unit of the value, as UCUM writes it (`kg`, `mm`, `Cel`)."
    )
    range: tuple[Number, Number] | None = Field(
        default=None, description="Least and greatest value; anything outside is bad, and is never written."
    )
    access: Access = Field(default=Access.R, description="`r` read, `w` written and never read, `rw` both.")
    safe: Scalar | None = Field(
        default=None,
        description="Value that is written when the lease of an output ends, and when the controller starts.",
    )
    sentinels: tuple[Number, ...] = Field(
        default=(), description="Raw values that mean `no value`: they make the tag bad. 0x8000 is found in an i16 too."
    )
    no_merge: bool = Field(default=False, description="Read it alone, never in one request with others.")
    poll: Poll = Field(
        default=Poll.FAST,
        description="`fast` at the machine's poll period, `slow` at `slow_poll_ms`, `once` after each connect.",
    )
    description: str = Field(default="", description="What it means, for people.")

    @property
    def is_read(self) -> bool:
        """Tell whether the controller reads it."""
        return self.access is not Access.W

    @property
    def is_written(self) -> bool:
        """Tell whether the controller may write it."""
        return self.access is not Access.R

    @property
    def is_part(self) -> bool:
        """Tell whether it is only some bits of its registers."""
        return self.bit is not None or self.bits is not None

    @property
    def is_scaled(self) -> bool:
        """Tell whether the value is not the raw number."""
        return self.scale != 1.0 or self.offset != 0.0

    @property
    def words(self) -> int:
        """Give the registers that it takes."""
        if self.type is TagType.STRING:
            return self.length or 1
        if self.type is TagType.BITS and self.bits is not None and self.bits[1] >= BITS_A_WORD:
            return 2
        return WORDS[self.type]

    @model_validator(mode="after")
    def _check_place(self) -> Self:
        if (self.address is None) == (self.node is None):
            raise ValueError("a tag says either its address (modbus) or its node (opcua)")
        if self.node is not None and (self.area or self.length or self.order):
            raise ValueError("area, length and order are for modbus; a node brings its own type")
        if self.node is None and (self.type is TagType.STRING) != (self.length is not None):
            raise ValueError("a string, and only a string, says its length in registers")
        is_short = self.type is TagType.STRING or self.words == 1
        if is_short and self.order in (Order.CDAB, Order.DCBA):
            raise ValueError("a string or one register has no word order: only ABCD, or BADC with its bytes swapped")
        return self

    @model_validator(mode="after")
    def _check_bits(self) -> Self:
        if self.bit is not None and self.type is not TagType.BOOL:
            raise ValueError("bit is for a bool; a field of several bits says bits = [low, high]")
        if self.bits is None:
            return self
        low, high = self.bits
        if self.type not in _FIELD_TYPES:
            raise ValueError("bits are taken of bits, u16 or u32")
        if low > high or (self.type is TagType.U16 and high >= BITS_A_WORD):
            raise ValueError("bits = [low, high] lies within the value, low first")
        return self

    @model_validator(mode="after")
    def _check_figures(self) -> Self:
        if self.scale == 0:
            raise ValueError("another scale: scale 0 makes every value the same")
        if self.type in _UNSCALED and self.is_scaled:
            raise ValueError(f"a {self.type} has no scale and no offset")
        if self.range is not None and self.type in (TagType.BOOL, TagType.STRING):
            raise ValueError(f"a {self.type} has no range")
        if self.range is not None and not self.range[0] <= self.range[1]:
            raise ValueError("range = [least, greatest]")
        if self.sentinels and self.type in (TagType.BOOL, TagType.STRING):
            raise ValueError(f"a {self.type} has no sentinels")
        return self

    @model_validator(mode="after")
    def _check_safe(self) -> Self:
        if self.safe is None:
            return self
        if not self.is_written:
            raise ValueError("a safe value is for a tag that is written: access = 'w' or 'rw'")
        fits = {TagType.BOOL: bool, TagType.STRING: str}.get(self.type)
        is_number = isinstance(self.safe, (int, float)) and not isinstance(self.safe, bool)
        if not (isinstance(self.safe, fits) if fits else is_number):
            raise ValueError(f"the safe value {self.safe!r} is no {self.type}")
        if self.range is not None and isinstance(self.safe, (int, float)):
            if not self.range[0] <= self.safe <= self.range[1]:
                raise ValueError("the safe value lies outside the range")
        return self


class Condition(FilePart):
    """What one tag must show."""

    tag: str = Field(description="Name of the tag.")
    equals: Scalar | None = Field(default=None, description="The value itself.")
    min: Number | None = Field(default=None, description="Least value.")
    max: Number | None = Field(default=None, description="Greatest value.")
    one_of: tuple[Scalar, ...] | None = Field(default=None, min_length=1, description="One of these values.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        has_bounds = self.min is not None or self.max is not None
        if sum((self.equals is not None, has_bounds, self.one_of is not None)) != 1:
            raise ValueError("say exactly one of equals, min/max, one_of")
        return self

    def holds(self, value: Scalar) -> bool:
        """Tell whether `value` is what is wanted; a text never lies between numbers."""
        if self.equals is not None:
            return value == self.equals
        if self.one_of is not None:
            return value in self.one_of
        if isinstance(value, str):
            return False
        return (self.min is None or value >= self.min) and (self.max is None or value <= self.max)

    def wanted(self) -> str:
        """Say in words what is wanted."""
        if self.equals is not None:
            return f"{self.equals}"
        if self.one_of is not None:
            return "one of " + ", ".join(str(one) for one in self.one_of)
        if self.max is None:
            return f"at least {self.min}"
        return f"at most {self.max}" if self.min is None else f"{self.min} to {self.max}"


class Expect(Condition):
    """[expect.<name>]: what must hold at each connect, before anything is written; else the machine is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wired:
    """A tag with its place as it goes over the wire: zero-based, its order settled, its node id whole.

    `count` is in registers, or in bits for coils and discretes; `node` is ("", "") for modbus.
    """

    name: str
    tag: Tag
    area: Area = Area.HOLDING
    start: int = 0
    count: int = 1
    order: Order = Order.ABCD
    node: tuple[str, str] = ("", "")

    @property
    def end(self) -> int:
        """Give the first address behind it."""
        return self.start + self.count

    @property
    def is_bit(self) -> bool:
        """Tell whether it lies among coils or discretes."""
        return self.area in BIT_AREAS


def wire_modbus(name: str, tag: Tag, base: AddressBase, word_order: Order) -> Wired:
    """Settle where a modbus tag lies; raises ValueError that says what does not fit."""
    if tag.address is None:
        raise ValueError(f"tag {name}: a modbus tag says its address")
    area, start = _place(name, tag, tag.address, base)
    count = 1 if area in BIT_AREAS else tag.words
    _check_area(name, tag, area)
    if start < 0 or start + count > ADDRESSES:
        raise ValueError(f"tag {name}: address {tag.address} lies outside the {area} table; is address_base right?")
    has_machine_order = count > 1 and tag.type is not TagType.STRING
    order = tag.order or (word_order if has_machine_order else Order.ABCD)
    return Wired(name=name, tag=tag, area=area, start=start, count=count, order=order)


def wire_opcua(name: str, tag: Tag, namespace: str | None) -> Wired:
    """Settle the node id of an opcua tag as (namespace uri, "s=..." or "i=..."); raises ValueError."""
    if tag.node is None:
        raise ValueError(f"tag {name}: an opcua tag says its node")
    uri, identifier = namespace, tag.node
    if identifier.startswith("nsu="):
        uri, _, identifier = identifier[4:].partition(";")
    if not identifier.startswith(("s=", "i=")):
        identifier = f"s={identifier}"
    if identifier.startswith("i=") and not identifier[2:].isdecimal():
        raise ValueError(f"tag {name}: {tag.node!r} is no node id")
    if uri is None:
        raise ValueError(f"tag {name}: the file names no namespace for {tag.node!r}")
    return Wired(name=name, tag=tag, node=(uri, identifier))


def _place(name: str, tag: Tag, address: int, base: AddressBase) -> tuple[Area, int]:
    if base == "modicon":
        for area, first, last in _MODICON:
            if first <= address <= last and tag.area in (None, area):
                return area, address - first
        raise ValueError(f"tag {name}: {address} is no modicon number" + (f" of {tag.area}" if tag.area else ""))
    if tag.area is None:
        raise ValueError(f"tag {name}: say its area (holding, input, coil or discrete)")
    return tag.area, address - base


def _check_area(name: str, tag: Tag, area: Area) -> None:
    if area in BIT_AREAS and (tag.type is not TagType.BOOL or tag.bit is not None):
        raise ValueError(f"tag {name}: a {area} is a bool and has no bit of its own")
    if area not in BIT_AREAS and tag.type is TagType.BOOL and tag.bit is None:
        raise ValueError(f"tag {name}: a bool in a register says its bit")
    if tag.is_written and area not in WRITABLE_AREAS:
        raise ValueError(f"tag {name}: nobody can write a {area}")
