"""Loads declared files (TOML into pydantic) and says precisely everything that is wrong in them."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from packline.core.faults import Fault
from packline.core.file_words import choices, expected, keys_at
from packline.core.kept_lists import KeptList, kept, place_in_file

M = TypeVar("M", bound=BaseModel)
Place = tuple[Any, ...]

MOST_SHOWN = 80
"""Letters of what was seen: a fault is one line."""
MOST_ROUNDS = 50
"""So often a file is mended and read again: what was taken out may leave something else missing."""
_TOML_PLACE = re.compile(r"^(?P<what>.*?) \(at (?P<place>line \d+, column \d+|end of document)\)$")


_SAVE = "Save the file as UTF-8, and see that it is the file you mean."
_PATH = "Check the path, and that you may read the file."


class FileFaults(Exception):  # noqa: N818 - several faults of one file
    """All faults of one file, in the order found."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__("\n".join(f.text() for f in faults))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """What a model finds wrong in itself; `at` is the place inside it, dotted. `remedy` is the house's if it is not said."""

    seen: str
    expected: str
    at: str = ""
    remedy: str = ""


class Wrong(ValueError):  # noqa: N818 - several mistakes of one part
    """Raised by a model's own check, with all that contradicts itself there."""

    def __init__(self, *mistakes: Mistake) -> None:
        self.mistakes = mistakes
        super().__init__("; ".join(f"{m.seen}, expected {m.expected}" for m in mistakes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey(Generic[M]):
    """What was read: every fault, the file as it stands, and the model of what is right in it (None: too little is)."""

    faults: list[Fault]
    raw: Mapping[str, Any]
    model: M | None


def load_toml(path: Path, model: type[M], *, patterns: Mapping[str, str] | None = None) -> M:
    """Read `path` as a `model`; raises FileFaults naming code, place, seen, expected, remedy of each mistake."""
    return _whole(survey(read_toml(path), model, str(path), patterns=patterns))


def parse(raw: dict[str, Any], model: type[M], where: str) -> M:
    """Check `raw` against `model`; raises FileFaults."""
    return _whole(survey(raw, model, where))


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file; raises FileFaults."""
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))  # some editors put a mark in front of UTF-8
    except tomllib.TOMLDecodeError as error:
        found = _TOML_PLACE.match(str(error))
        where, seen = (f"{path} {found['place']}", found["what"]) if found else (str(path), str(error))
        raise FileFaults([Fault(4201, where=where, seen=seen, expected="TOML")]) from error
    except UnicodeDecodeError as error:
        seen = f"bytes that are no UTF-8 from number {error.start} on"
        raise FileFaults([Fault(4201, where=str(path), seen=seen, expected="text in UTF-8", remedy=_SAVE)]) from error
    except OSError as error:
        seen = (error.strerror or type(error).__name__).lower()
        raise FileFaults(
            [Fault(4201, where=str(path), seen=seen, expected="a file that can be read", remedy=_PATH)]
        ) from error


def survey(
    raw: Mapping[str, Any],
    model: type[M],
    where: str,
    *,
    stand_ins: Mapping[str, Any] | None = None,
    patterns: Mapping[str, str] | None = None,
) -> Survey[M]:
    """Find every mistake in `raw`, and make the model of what is right.

    What is wrong is taken out and the rest read again, until it fits. `stand_ins` gives, for dotted places ("*" is any
    name), what stands for a value that is wrong or missing, where without one too much would have to go. `patterns` has
    words for the regular expressions of the model.
    """
    left, found = kept(raw), dict[tuple[str, str], Fault]()
    for again in range(MOST_ROUNDS):
        try:
            return Survey(faults=list(found.values()), raw=raw, model=model.model_validate(left))
        except ValidationError as error:
            items = error.errors(include_url=False)
        for item in items:
            # what is missing in a later round was taken out by us; contradictions may show only then
            if not again or isinstance(item.get("ctx", {}).get("error"), Wrong):
                for fault in _faults(item, left, model, where, patterns or {}):
                    found.setdefault((fault.where, "" if fault.code == 4201 else fault.seen), fault)
        if not _mend(left, items, stand_ins or {}):
            break
    return Survey(faults=list(found.values()), raw=raw, model=None)


def near(word: str, known: Sequence[str] | set[str], *, likeness: float = 0.6) -> str:
    """Suggest the one of `known` that was meant; "" when none is as like as that, from 0 to 1 (all letters the same)."""
    found = difflib.get_close_matches(word, sorted(known), 1, likeness)
    return f"Did you mean {found[0]!r}?" if found else ""


def _whole(read: Survey[M]) -> M:
    if read.model is None or read.faults:
        raise FileFaults(read.faults)
    return read.model


def _faults(
    item: Any, left: Mapping[str, Any], model: type[BaseModel], where: str, patterns: Mapping[str, str]
) -> Iterator[Fault]:
    loc, kind = place_in_file(left, _place(left, item)), item["type"]
    error = item.get("ctx", {}).get("error")
    if isinstance(error, Wrong):
        for mistake in error.mistakes:
            place = (*loc, *([mistake.at] if mistake.at else []))
            yield Fault(
                4201,
                where=_at(where, place),
                seen=mistake.seen,
                expected=mistake.expected,
                remedy=mistake.remedy,
            )
    elif kind == "extra_forbidden":
        key = str(loc[-1])
        remedy = near(key, keys_at(model, loc[:-1]))
        yield Fault(4202, where=_at(where, loc), seen=key, expected="a known key", remedy=remedy)
    else:
        seen = "nothing" if kind == "missing" else _shown(item["input"])
        remedy = near(str(item["input"]), choices(item)) if kind in ("literal_error", "enum") else ""
        yield Fault(
            4201,
            where=_at(where, loc),
            seen=seen,
            expected=expected({**item, "loc": loc}, model, patterns),
            remedy=remedy,
        )


def _shown(value: Any) -> str:
    """Give what stands in the file, as far as a line takes it; a table as its keys and values."""
    text = ", ".join(f"{key} = {one!r}" for key, one in value.items()) if isinstance(value, Mapping) else repr(value)
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 3]}..."


def _at(where: str, place: Place) -> str:
    return f"{where} [{'.'.join(map(str, place))}]" if place else where


def _place(raw: Any, item: Any) -> Place:
    """Give the place in the file: pydantic also names which of several kinds it tried, and that a key itself is wrong."""
    place: list[Any] = []
    inner = raw
    for n, key in enumerate(item["loc"]):
        is_last_missing = item["type"] == "missing" and n == len(item["loc"]) - 1
        if isinstance(inner, Mapping) and (key in inner or is_last_missing):
            inner = inner.get(key)
        elif isinstance(inner, list) and isinstance(key, int) and key <= len(inner):
            inner = inner[key] if key < len(inner) else None
        else:
            continue
        place.append(key)
    return tuple(place)


def _mend(left: dict[str, Any], items: Sequence[Any], stand_ins: Mapping[str, Any]) -> bool:
    """Take out what is wrong, or put something in its place; False when nothing could be done.

    Where a key is missing, the table that lacks it goes, with whatever else is wrong in it.
    """
    places: dict[Place, Any] = {}
    for item in items:
        place = _place(left, item)
        dotted = ".".join(map(str, place))
        instead = next((value for pattern, value in stand_ins.items() if fnmatchcase(dotted, pattern)), None)
        places[place[:-1] if instead is None and item["type"] == "missing" else place] = instead
    done = [_replace(left, place, places[place]) for place in sorted(places, key=_deepest)]
    return any(done)


def _deepest(place: Place) -> tuple[int, list[str]]:
    """Deep places first, and the end of a list before its beginning, so that no place moves before its turn."""
    return -len(place), [f"{9999 - key:04d}" if isinstance(key, int) else str(key) for key in place]


def _replace(left: dict[str, Any], place: Place, instead: Any) -> bool:
    if not place:
        return False
    inner: Any = left
    for key in place[:-1]:
        inner = inner.get(key) if isinstance(inner, dict) else inner[key]
        if not isinstance(inner, (dict, list)):
            return False
    if instead is not None:
        inner[place[-1]] = deepcopy(instead)
    elif isinstance(inner, dict):
        inner.pop(place[-1], None)
    elif isinstance(inner, KeptList) and place[-1] < len(inner):
        inner.take_out(place[-1])
    return True
