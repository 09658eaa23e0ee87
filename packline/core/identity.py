"""What things on the floor are called: LPN, SSCC, GTIN, with their check digits."""

from __future__ import annotations

import re
from dataclasses import dataclass

from packline.core.faults import Fault


def check_digit(digits: str) -> int:
    """Give the GS1 modulo-10 check digit for `digits` (weights 3, 1 from the right).

    Source: GS1 General Specifications 7.9.1.
    """
    total = sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(reversed(digits)))
    return -total % 10


def has_right_check_digit(digits: str) -> bool:
    """Tell whether the last of `digits` is the check digit of the others."""
    return digits.isascii() and digits.isdigit() and len(digits) > 1 and check_digit(digits[:-1]) == int(digits[-1])


@dataclass(frozen=True, slots=True)
class Lpn:
    """Licence plate number: `PL`, nine digits, check digit; printed on every carton before it is used."""

    text: str

    @classmethod
    def parse(cls, text: str) -> Lpn:
        """Read an LPN; raises Fault 4101 if it is none."""
        found = re.fullmatch(r"PL(\d{10})", text.strip(), re.ASCII)
        if not found or not has_right_check_digit(found[1]):
            raise Fault(4101, where="scan", seen=text, expected="PL + 9 digits + check digit")
        return cls(text.strip())

    @classmethod
    def number(cls, serial: int) -> Lpn:
        """Make the LPN of `serial` (0..999,999,999)."""
        body = f"{serial:09d}"
        return cls(f"PL{body}{check_digit(body)}")

    @classmethod
    def is_lpn(cls, text: str) -> bool:
        """Tell whether `text` is a valid LPN."""
        return bool(re.fullmatch(r"PL\d{10}", text, re.ASCII)) and has_right_check_digit(text[2:])

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Sscc:
    """Serial shipping container code, 18 digits with check digit (GS1 AI 00)."""

    text: str

    @classmethod
    def parse(cls, text: str) -> Sscc:
        """Read 18 digits, with or without AI `(00)` / `00` in front; raises Fault 4102."""
        digits = text.strip().removeprefix("(00)")
        if len(digits) == 20 and digits.startswith("00"):
            digits = digits[2:]
        if len(digits) != 18 or not has_right_check_digit(digits):
            raise Fault(4102, where="scan", seen=text, expected="18 digits with the right check digit")
        return cls(digits)

    @classmethod
    def build(cls, extension: int, company_prefix: str, serial: int) -> Sscc:
        """Build the SSCC of `serial` under a GS1 company prefix of 7 to 10 digits; raises Fault 4102 on overflow."""
        width = 16 - len(company_prefix)
        body = f"{extension}{company_prefix}{serial:0{width}d}"
        if len(body) != 17 or not body.isdigit():
            raise Fault(4102, where="SSCC serial", seen=str(serial), expected=f"at most {width} digits")
        return cls(body + str(check_digit(body)))

    def __str__(self) -> str:
        return self.text


def is_gtin(text: str) -> bool:
    """Tell whether `text` is a GTIN-8, -12, -13 or -14 with the right check digit."""
    return len(text) in (8, 12, 13, 14) and has_right_check_digit(text)
