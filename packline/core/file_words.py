"""Says in the house's words what a declared file should have said, where pydantic would say it in its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

KINDS: Mapping[str, str] = {
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), "a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("string_type", "string_unicode"), "text"),
    **dict.fromkeys(("list_type", "tuple_type", "set_type", "frozen_set_type"), "a list"),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "a table of keys and values"),
}
RANGES = frozenset({"greater_than", "greater_than_equal", "less_than", "less_than_equal"})
LENGTHS: Mapping[str, str] = {
    "string_too_short": "at least {min_length} characters",
    "string_too_long": "at most {max_length} characters",
    "too_short": "at least {min_length} entries",
    "too_long": "at most {max_length} entries",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a number may be; None: no limit on that side. `at_least` and `at_most` belong to it, the others do not."""

    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None

    def words(self) -> str:
        """Say it: `1 to 65535`, `above 0 and at most 600`."""
        if self.at_least is not None and self.at_most is not None:
            return f"{self.at_least:g} to {self.at_most:.10g}"
        said = (("at least", self.at_least), ("above", self.above), ("at most", self.at_most), ("below", self.below))
        return " and ".join(f"{name} {limit:.10g}" for name, limit in said if limit is not None)


def expected(item: Mapping[str, Any], model: type[BaseModel], patterns: Mapping[str, str]) -> str:
    """Say what should stand where pydantic's error `item` was found; `patterns` has words for regular expressions."""
    kind, told = item["type"], item.get("ctx", {})
    if kind in KINDS:
        return KINDS[kind]
    if kind in RANGES:
        return _range(item["loc"], model, told)
    if kind in LENGTHS:
        return LENGTHS[kind].format(**told)
    if kind == "missing":
        return "a value: this key must be there"
    if kind in ("literal_error", "enum"):
        return f"one of {', '.join(choices(item))}"
    if kind == "string_pattern_mismatch":
        return patterns.get(told["pattern"], f"text of the form {told['pattern']}")
    return str(item["msg"]).removeprefix("Value error, ")


def choices(item: Mapping[str, Any]) -> list[str]:
    """Give the words that may stand where one of a few was expected."""
    return str(item["ctx"]["expected"]).replace(" or ", ", ").replace("'", "").split(", ")


def keys_at(model: type[BaseModel], loc: tuple[Any, ...]) -> set[str]:
    """Give the keys that the part at `loc` may have; empty where it is no part of ours."""
    found = next((kind for kind in _kinds(_walk(model, loc)) if _is_model(kind)), None)
    return set(found.model_fields) if found is not None else set()


def _range(loc: tuple[Any, ...], model: type[BaseModel], told: Mapping[str, Any]) -> str:
    noun = "a port from" if str(loc[-1]).endswith("port") else "a number"
    limits = _limits(_walk(model, loc)) or Limits(
        at_least=told.get("ge"), above=told.get("gt"), at_most=told.get("le"), below=told.get("lt")
    )
    return f"{noun} {limits.words()}"


def _walk(annotation: Any, loc: tuple[Any, ...]) -> Any:
    """Give the annotation of what stands at `loc`; None where the way is lost."""
    for key in loc:
        annotation = next((found for kind in _kinds(annotation) if (found := _inside(kind, key)) is not None), None)
    return annotation


def _inside(kind: Any, key: Any) -> Any:
    if _is_model(kind):
        field = kind.model_fields.get(key)
        return (
            None
            if field is None
            else Annotated[field.annotation, *field.metadata]
            if field.metadata
            else field.annotation
        )
    origin, args = get_origin(kind), get_args(kind)
    if origin is dict:
        return args[1]
    return args[0] if origin in (list, tuple, frozenset, set) and args else None


def _kinds(annotation: Any) -> Iterator[Any]:
    """Give what an annotation may be, without wrappers."""
    if get_origin(annotation) is Annotated:
        yield from _kinds(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for arg in get_args(annotation):
            yield from _kinds(arg)
    elif annotation is not None:
        yield annotation


def _limits(annotation: Any) -> Limits | None:
    marks = [mark for arg in _annotated(annotation) for mark in _marks(arg)]
    found = {name: getattr(mark, name) for mark in marks for name in ("ge", "gt", "le", "lt") if hasattr(mark, name)}
    if not found:
        return None
    return Limits(at_least=found.get("ge"), above=found.get("gt"), at_most=found.get("le"), below=found.get("lt"))


def _annotated(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) is Annotated:
        yield from get_args(annotation)[1:]
        yield from _annotated(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for arg in get_args(annotation):
            yield from _annotated(arg)


def _marks(arg: Any) -> Iterator[Any]:
    """Pydantic keeps limits as marks of their own, or as the metadata of a field."""
    yield from getattr(arg, "metadata", None) or (arg,)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
