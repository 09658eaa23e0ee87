"""Reads strangers' JSON: no duplicate keys, no numbers that are none, no unknown fields, no text that a row cannot hold."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any, NoReturn, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from packline.core.faults import Fault

MOST_BYTES = 1024 * 1024


class Door(BaseModel):
    """A model at the door: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
        raise Fault(4001, where="message", seen=str(error)[:120], expected="JSON in UTF-8") from error


def check(raw: Any, model: type[M]) -> M:
    """Give `raw` as a `model`; raises Fault 4001 for the first thing wrong."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        seen = "nothing" if first["type"] == "missing" else repr(first["input"])[:80]
        place = ".".join(str(part) for part in first["loc"])
        raise Fault(4001, where=f"message [{place[:120]}]", seen=seen, expected=first["msg"]) from error


def words(least: int, most: int) -> AfterValidator:
    """Give the check for one line of text of `least`..`most` characters, white space folded, composed (NFC)."""

    def fold(text: str) -> str:
        line = re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).strip()
        if any(unicodedata.category(char) in ("Cc", "Cs") for char in line):
            raise ValueError("no control characters and no half characters")
        if not least <= len(line) <= most:
            raise ValueError(f"{least} to {most} characters")
        return line

    return AfterValidator(fold)


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")
