"""Says what a scanned text is: carton plate, SSCC, article number, our label, a slot, an action."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from packline.core.identity import Lpn, has_right_check_digit, is_gtin

MOST_CHARACTERS = 512
"""Longer texts are no code of ours; nothing is looked for in them."""


class Kind(StrEnum):
    """What a scanned text is."""

    LPN = "lpn"
    SSCC = "sscc"
    GTIN = "gtin"
    LABEL = "label"
    SLOT = "slot"
    ACTION = "action"
    TEXT = "text"


ACTIONS = frozenset({"OK", "SHORT", "HOLD", "DONE", "NOTDONE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """`value` is the bare identifier (a label's is its LPN); `extra` says more.

    label: `sscc`, `lpn`, `print_number`. GS1 messages: every element string by its application identifier.
    """

    kind: Kind
    value: str
    extra: Mapping[str, Any] = field(default_factory=dict)


def parse(text: str, symbology: str = "") -> Parsed:
    """Say what `text` is; `symbology` is the AIM prefix when the scanner gives it apart. Never raises.

    What is not wholly valid (check digits too) is TEXT, so that nothing half right is taken for a parcel.
    """
    bare, prefix = split_aim(text.strip(_BLANKS), symbology)
    if len(bare) <= MOST_CHARACTERS:
        for reader in _READERS:
            if (found := reader(bare, prefix)) is not None:
                return found
    return Parsed(kind=Kind.TEXT, value=bare)


def split_aim(text: str, symbology: str = "") -> tuple[str, str]:
    """Split `]C1rest` into (`rest`, `]C1`); a text without prefix keeps the `symbology` handed in."""
    if re.match(r"\][A-Za-z][0-9A-Za-z]", text, re.ASCII):
        return text[3:], text[:3]
    return text, symbology


_BLANKS = " \t\r\n\0\x02\x03"


def _lpn(text: str, _prefix: str) -> Parsed | None:
    return Parsed(kind=Kind.LPN, value=text) if Lpn.is_lpn(text) else None


def _label(text: str, _prefix: str) -> Parsed | None:
    found = re.fullmatch(r"PK1\|(\d{18})\|(PL\d{10})\|([1-9]\d{0,8})", text, re.ASCII)
    if not found or not has_right_check_digit(found[1]) or not Lpn.is_lpn(found[2]):
        return None
    extra = {"sscc": found[1], "lpn": found[2], "print_number": int(found[3])}
    return Parsed(kind=Kind.LABEL, value=found[2], extra=extra)


def _slot(text: str, _prefix: str) -> Parsed | None:
    found = re.fullmatch(r"SLOT:([A-Z0-9-]{1,16})", text, re.ASCII)
    return Parsed(kind=Kind.SLOT, value=found[1]) if found else None


def _action(text: str, _prefix: str) -> Parsed | None:
    word = text.removeprefix("DO:")
    return Parsed(kind=Kind.ACTION, value=word) if word != text and word in ACTIONS else None


def _sscc(text: str, prefix: str) -> Parsed | None:
    digits = text.removeprefix("(00)") if text.startswith("(00)") else text.removeprefix("00")
    carries_ai = digits != text
    plain = carries_ai and prefix not in _NOT_GS1 and len(digits) == 18
    return Parsed(kind=Kind.SSCC, value=digits) if plain and has_right_check_digit(digits) else None


def _gtin(text: str, prefix: str) -> Parsed | None:
    if prefix in _GS1_MESSAGE or not is_gtin(text):
        return None
    return Parsed(kind=Kind.GTIN, value=text)


def _message(text: str, prefix: str) -> Parsed | None:
    """Read a GS1 message (FNC1 told by the prefix), bracketed text or a Digital Link."""
    import biip  # noqa: PLC0415 - it takes long to import, and what we print ourselves is read without it

    try:
        found = biip.parse(_for_biip(text, prefix))
    except (biip.ParseError, ValueError):
        return None
    extra = {e.ai.ai: e.value for e in found.gs1_message.element_strings} if found.gs1_message else {}
    if found.sscc and has_right_check_digit(found.sscc.value):
        return Parsed(kind=Kind.SSCC, value=found.sscc.value, extra=extra)
    if found.gtin and is_gtin(found.gtin.value):
        return Parsed(kind=Kind.GTIN, value=found.gtin.value, extra=extra)
    return None


def _for_biip(text: str, prefix: str) -> str:
    if link := re.match(r"https?://[^/?#]+", text, re.IGNORECASE):
        # capitals make a smaller QR code but are not known to biip, and a QR prefix in front would hide the link from it
        return link[0].lower() + text[link.end() :]
    return f"{prefix}{text}" if prefix in _GS1_MESSAGE else f"]C1{_unbracketed(text)}"


def _unbracketed(text: str) -> str:
    found = re.fullmatch(r"\(01\)(\d{14})", text, re.ASCII)
    return f"01{found[1]}" if found else ""


_GS1_MESSAGE = frozenset({"]C1", "]e0", "]d2", "]Q3", "]J1"})
_NOT_GS1 = frozenset({"]C0", "]E0", "]E4", "]A0", "]I0"})
_READERS: tuple[Callable[[str, str], Parsed | None], ...] = (_lpn, _label, _slot, _action, _sscc, _gtin, _message)
