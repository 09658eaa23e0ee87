"""Reads strangers' JSON: no duplicate keys, no numbers that are none, no unknown fields, no text that a row cannot hold.

What is wrong is said in the house's words, with the place, and never in those of a library.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from packline.core import file_words
from packline.core.faults import Fault

MOST_BYTES = 1024 * 1024
MOST_SHOWN_CHARS = 80
MOST_PLACE_CHARS = 120
A_TIME = "a time with its zone, such as 2026-11-21T09:00:00+08:00"
PATTERNS: Mapping[str, str] = {
    r"^[A-Za-z0-9._-]{1,40}$": "1 to 40 letters, figures, dots or dashes",
    r"^[0-9]{0,14}$": "up to 14 digits",
    r"^[A-Z]{2}$": "2 capital letters",
    r"^[A-Z]{3}$": "3 capital letters",
}
"""The words for a message's regular expressions."""


class Plain(ValueError):
    """What is wrong or wanted, in the house's words."""


class Door(BaseModel):
    """A model at the door: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


PERSONAL = frozenset({"buyer", "ship_to", "proof"})
"""Parts of a message that tell of a person."""
NOT_SHOWN = "a text that is not shown here"

M = TypeVar("M", bound=BaseModel)


def read(body: bytes, model: type[M]) -> M:
    """Give `body` as a `model`; raises Fault 4004 (too large) or 4001 with the place, what is seen and expected."""
    if len(body) > MOST_BYTES:
        raise Fault(4004, where="message", seen=f"{len(body)} bytes", expected=f"at most {MOST_BYTES}")
    return check(read_json(body), model)


def read_json(body: bytes) -> Any:
    """Parse JSON more strictly than the standard library; raises Fault 4001."""
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_without_twins, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Fault(4001, where="message", seen=_no_json(error), expected="JSON in UTF-8") from error


def check(raw: Any, model: type[M]) -> M:
    """Give `raw` as a `model`; raises Fault 4001 for the first thing wrong, with its place in the message."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = _clean(".".join(str(part) for part in first["loc"]))[:MOST_PLACE_CHARS]
        value = "nothing" if first["type"] == "missing" else _told(first)
        seen = f"{place}: {value}" if place else value
        raise Fault(4001, where="message", seen=seen, expected=_expected(first, model)) from error


def words(least: int, most: int) -> AfterValidator:
    """Give the check for one line of text of `least`..`most` characters, white space folded, composed (NFC)."""

    def fold(text: str) -> str:
        line = re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).strip()
        if any(unicodedata.category(char) in ("Cc", "Cs") for char in line):
            raise Plain("no control characters and no half characters")
        if not least <= len(line) <= most:
            raise Plain(f"{least} to {most} characters")
        return line

    return AfterValidator(fold)


def _expected(error: Any, model: type[BaseModel]) -> str:
    """Say what should have stood there; what no word is kept for is only another value."""
    kind, own = error["type"], error.get("ctx", {}).get("error")
    if isinstance(own, Plain):
        return str(own)
    if kind.startswith(("datetime", "timezone")):
        return A_TIME
    if kind == "extra_forbidden":
        return "a field that we know"
    return file_words.expected(error, model, PATTERNS, otherwise="another value")


def _no_json(error: ValueError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "lists and objects nested too deep"
    if isinstance(error, UnicodeDecodeError):
        return f"a byte at place {error.start + 1} that is no UTF-8"
    if isinstance(error, json.JSONDecodeError):
        return f"no JSON from line {error.lineno}, character {error.colno}"
    return str(error)[:MOST_SHOWN_CHARS] if isinstance(error, Plain) else "a number with too many digits"


def _told(error: Any) -> str:
    """Show a value, but for a person's own: reasons are read by everybody, and stand in logs."""
    is_personal = bool(PERSONAL.intersection(error["loc"])) and isinstance(error["input"], str)
    return NOT_SHOWN if is_personal else _shown(error["input"])


def _shown(value: Any) -> str:
    """Show a value as the sender wrote it, cut to what a screen can hold."""
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    return _clean(json.dumps(value, ensure_ascii=False))[:MOST_SHOWN_CHARS]


def _clean(text: str) -> str:
    """Half characters cannot be kept in the books, and control characters not be read."""
    line = "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(char) == "Cc" else char for char in text)
    return line.encode("utf-8", "replace").decode("utf-8")


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Plain("a key that stands twice in one object")
    return found


def _no_number(text: str) -> NoReturn:
    raise Plain(f"{text}, which is no number")
