"""What stands on a parcel's label, checked once at the door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any, ClassVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from packline.core.faults import Fault
from packline.core.identity import Lpn, Sscc

MOST_PRINT_NUMBER = 10**9 - 1
"""Print numbers are 1..999,999,999, so that the small matrix symbol keeps its size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipTo:
    """Where the parcel goes, in the receiver's own script; `phone` is already masked by the caller."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    recipient: str
    lines: tuple[str, ...]
    city: str
    country: str
    postcode: str = ""
    phone: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Give JSON-ready values."""
        return {**asdict(self), "lines": list(self.lines)}


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelContent:
    """One label; `print_number` is unique for every print, so that a double can be told from its original.

    Raises Fault 4101 for a wrong LPN, 4102 for a wrong SSCC, 4001 for impossible numbers.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    lpn: str
    sscc: str
    print_number: int
    merchant: str
    order_ref: str
    ship_to: ShipTo
    parcel_no: int = 1
    parcel_count: int = 1
    contents: tuple[str, ...] = field(default=())
    date: str = ""

    def __post_init__(self) -> None:
        Lpn.parse(self.lpn)
        if Sscc.parse(self.sscc).text != self.sscc:
            raise Fault(4102, where="label content", seen=self.sscc, expected="18 bare digits")
        _require(1 <= self.print_number <= MOST_PRINT_NUMBER, f"print number {self.print_number}", "1..999,999,999")
        numbers = f"parcel {self.parcel_no} of {self.parcel_count}"
        _require(1 <= self.parcel_no <= self.parcel_count, numbers, "a number within the count")

    @property
    def mark(self) -> str:
        """Give the text of the small matrix symbol by which a camera recognises exactly this print."""
        return f"PK1|{self.sscc}|{self.lpn}|{self.print_number}"

    def as_dict(self) -> dict[str, Any]:
        """Give JSON-ready values; `from_dict` reads them back."""
        return {**asdict(self), "contents": list(self.contents), "ship_to": self.ship_to.as_dict()}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> LabelContent:
        """Read what `as_dict` gave; raises Fault 4001 naming the first wrong field, 4101, 4102."""
        try:
            return _reader().validate_python(dict(raw))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(step) for step in first["loc"])
            raise Fault(
                4001, where=f"label content {place}", seen=repr(first["input"])[:80], expected=first["msg"]
            ) from error


@cache
def _reader() -> TypeAdapter[LabelContent]:
    return TypeAdapter(LabelContent)


def _require(holds: bool, seen: str, expected: str) -> None:
    if not holds:
        raise Fault(4001, where="label content", seen=seen, expected=expected)
