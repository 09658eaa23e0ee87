"""Loads declared files (TOML into pydantic) and says precisely what is wrong in them."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from packline.core.faults import Fault

M = TypeVar("M", bound=BaseModel)


class FileFaults(Exception):  # noqa: N818 - several faults of one file
    """All faults of one file, in the order found."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__("\n".join(f.text() for f in faults))


def load_toml(path: Path, model: type[M]) -> M:
    """Read `path` as a `model`; raises FileFaults naming code, place, seen, expected, remedy of each mistake."""
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FileFaults([Fault(4201, where=str(path), seen=str(error), expected="a readable TOML file")]) from error
    return parse(raw, model, str(path))


def parse(raw: dict[str, Any], model: type[M], where: str) -> M:
    """Check `raw` against `model`; raises FileFaults."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise FileFaults([_fault(model, where, item) for item in error.errors()]) from error


def _fault(model: type[BaseModel], where: str, item: Any) -> Fault:
    place = f"{where} [{'.'.join(str(p) for p in item['loc'])}]"
    if item["type"] == "extra_forbidden":
        key = str(item["loc"][-1])
        known = set(model.model_fields) if len(item["loc"]) == 1 else _known_keys(model) - {key}
        near = difflib.get_close_matches(key, sorted(known), 1)
        hint = f"Did you mean {near[0]!r}?" if near else ""
        return Fault(4202, where=place, seen=key, expected="a known key", remedy=hint)
    seen = "nothing" if item["type"] == "missing" else repr(item["input"])[:80]
    return Fault(4201, where=place, seen=seen, expected=item["msg"])


def _known_keys(model: type[BaseModel], seen: set[type[BaseModel]] | None = None) -> set[str]:
    seen = seen if seen is not None else set()
    if model in seen:
        return set()
    seen.add(model)
    keys = set(model.model_fields)
    for field in model.model_fields.values():
        for inner in _models_in(field.annotation):
            keys |= _known_keys(inner, seen)
    return keys


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for arg in getattr(annotation, "__args__", ()) for m in _models_in(arg)]
