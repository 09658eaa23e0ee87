"""Draws an EAN-13, the code on a product's pack, as modules."""

from __future__ import annotations

import numpy as np

from packline.core.identity import has_right_check_digit
from simulation.pictures.paint import Pixels

# GS1 General Specifications 5.2.1.2: number set A by digit; B is the mirrored complement, C the complement
_SET_A = ("0001101", "0011001", "0010011", "0111101", "0100011", "0110001", "0101111", "0111011", "0110111", "0001011")
_PARITY = ("AAAAAA", "AABABB", "AABBAB", "AABBBA", "ABAABB", "ABBAAB", "ABBBAA", "ABABAB", "ABABBA", "ABBABA")
MODULES = 95
QUIET_MODULES = 11


def modules(digits: str) -> str:
    """Give the 95 modules, "1" is dark; raises ValueError unless `digits` are 13 with the right check digit."""
    if len(digits) != 13 or not has_right_check_digit(digits):
        raise ValueError(f"{digits!r} is no EAN-13")
    left = "".join(_coded(d, number_set) for d, number_set in zip(digits[1:7], _PARITY[int(digits[0])], strict=True))
    right = "".join(_coded(d, "C") for d in digits[7:])
    return f"101{left}01010{right}101"


def bars(digits: str, module_px: int, height_px: int) -> Pixels:
    """Draw the symbol with its quiet zones, black on white, three channels."""
    quiet = "0" * QUIET_MODULES
    row = np.array([0 if bit == "1" else 255 for bit in quiet + modules(digits) + quiet], np.uint8)
    line = np.repeat(row, module_px)
    return np.ascontiguousarray(np.broadcast_to(line[None, :, None], (height_px, line.size, 3)))


def _coded(digit: str, number_set: str) -> str:
    plain = _SET_A[int(digit)]
    if number_set == "A":
        return plain
    complement = plain.translate(str.maketrans("01", "10"))
    return complement if number_set == "C" else complement[::-1]
