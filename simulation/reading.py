"""Reads what is legible in a label's dots, as the line's own readers would."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageOps

from scanning.codes import Symbology
from scanning.decode import decode
from scanning.gs1 import Kind, parse
from simulation.plant.papers import Legible

_FORMATS = frozenset({Symbology.CODE_128, Symbology.DATA_MATRIX})
_MARGIN_DOTS = 40
_CHEAP_STEPS = 2
"""The dots are clean: what two steps do not read is not there."""


def read_label(bitmap: Image.Image) -> Legible:
    """Give the mark's SSCC, plate and print number; of a label without a legible mark the SSCC alone, or nothing."""
    framed = ImageOps.expand(bitmap.convert("L"), _MARGIN_DOTS, 255)
    codes = decode(np.asarray(framed, np.uint8), formats=_FORMATS, most_steps=_CHEAP_STEPS)
    parsed = [parse(code.text, code.aim) for code in codes]
    mark = next((p for p in parsed if p.kind is Kind.LABEL), None)
    if mark is not None:
        return Legible(sscc=mark.extra["sscc"], lpn=mark.extra["lpn"], print_number=mark.extra["print_number"])
    return Legible(sscc=next((p.value for p in parsed if p.kind is Kind.SSCC), ""))
