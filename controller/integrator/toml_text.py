"""Writes values as TOML: what the standard library reads but cannot write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from plc.tags.model import Tag


def toml_value(value: object) -> str:
    """Give a string, number, truth value, list or table of these on one line; raises TypeError for anything else."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        # JSON's escapes are TOML's, but for DEL, which TOML wants escaped (TOML 1.0, "String")
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key(name)} = {toml_value(inner)}" for name, inner in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml_value(inner) for inner in value) + "]"
    raise TypeError(f"{value!r} has no place in TOML")


def key(name: str) -> str:
    """Give a key, in quotes where it must be."""
    is_bare = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if is_bare else toml_value(name)


def table(name: str, values: Mapping[str, Any]) -> str:
    """Give a table with one key a line."""
    lines = [f"[{name}]", *(f"{key(inner)} = {toml_value(value)}" for inner, value in values.items())]
    return "\n".join(lines) + "\n"


def tag_tables(tags: Mapping[str, Tag]) -> str:
    """Give tags as tables of their own, so that they may be put behind any machine file."""
    return "\n".join(
        table(f"tags.{key(name)}", tag.model_dump(mode="json", exclude_defaults=True)) for name, tag in tags.items()
    )
