"""A table of a declared file: unknown keys are mistakes, and no value is taken for one of another kind."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler

_NOT_GUESSED = frozenset({"bool", "int", "float"})


def _demand_kinds(schema: Any) -> None:
    """Make numbers and flags strict wherever they stand; names and choices stay as they are: text is all that TOML has for them."""
    if isinstance(schema, dict):
        kind = schema.get("type")  # where fields are listed, a field may have that name
        if isinstance(kind, str) and kind in _NOT_GUESSED:
            schema["strict"] = True
        for part in schema.values():
            _demand_kinds(part)
    elif isinstance(schema, list | tuple):
        for part in schema:
            _demand_kinds(part)


class FilePart(BaseModel):
    """Base of all tables. `true` is no number and `"30"` is none either: TOML says which is meant, and a guess may cost."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler, /) -> Any:
        schema = handler(source)
        _demand_kinds(schema)
        return schema
