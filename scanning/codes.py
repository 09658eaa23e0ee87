"""One decoded symbol and where in the picture it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
    """One symbol: its text (GS separators kept), its symbology, its place; `aim` is the AIM prefix if the reader told it."""

    text: str
    symbology: Symbology
    box: Box
    aim: str = ""


def apart(codes: list[Code]) -> list[Code]:
    """Drop second reads of the same symbol at the same place; the same text at two places stays twice."""
    kept: list[Code] = []
    for code in codes:
        if not any(k.text == code.text and k.symbology == code.symbology and k.box.overlaps(code.box) for k in kept):
            kept.append(code)
    return kept
