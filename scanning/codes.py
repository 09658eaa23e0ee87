"""One decoded symbol and where in the picture it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from math import hypot


class Symbology(StrEnum):
    """The symbologies this line reads; a short list, because every further one brings false reads."""

    CODE_128 = "code128"
    DATA_MATRIX = "datamatrix"
    EAN_13 = "ean13"
    QR = "qr"


EVERY_SYMBOLOGY = frozenset(Symbology)


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """The upright rectangle around a symbol, in picture pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def length(self) -> int:
        """Give its longer side."""
        return max(self.width, self.height)

    def gap(self, other: Box) -> float:
        """Give the distance between the rectangles in pixels, 0 where they touch."""
        across = max(self.left - other.left - other.width, other.left - self.left - self.width, 0)
        down = max(self.top - other.top - other.height, other.top - self.top - self.height, 0)
        return hypot(across, down)

    def overlaps(self, other: Box) -> bool:
        """Tell whether the rectangles share a point, with 2 px of tolerance for readers that differ."""
        return (
            self.left <= other.left + other.width + 2
            and other.left <= self.left + self.width + 2
            and self.top <= other.top + other.height + 2
            and other.top <= self.top + self.height + 2
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One symbol: its text (GS separators kept), its symbology, its place; `aim` is the AIM prefix if the reader told it.

    `stretch` is how far its bars reach by how long it is, 0 where the reader does not tell: readers take two equal symbols above
    each other for one.
    """

    text: str
    symbology: Symbology
    box: Box
    aim: str = ""
    stretch: float = 0.0


def apart(codes: list[Code]) -> list[Code]:
    """Drop second reads of the same symbol at the same place; the same text at two places stays twice."""
    kept: list[Code] = []
    for code in codes:
        at = next((at for at, k in enumerate(kept) if _is_same(k, code)), None)
        if at is None:
            kept.append(code)
        elif code.stretch > kept[at].stretch:
            kept[at] = replace(kept[at], stretch=code.stretch)
    return kept


def _is_same(one: Code, other: Code) -> bool:
    return one.text == other.text and one.symbology == other.symbology and one.box.overlaps(other.box)
