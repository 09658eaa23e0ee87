"""Reads pydantic models as tables of keys, and as JSON Schema with a meaning for every key."""

from __future__ import annotations

import json
from collections.abc import Container, Mapping
from typing import Any

from pydantic import BaseModel

from controller.reference.markdown import code, codes, table

DIALECT = "https://json-schema.org/draft/2020-12/schema"
HEADING = ("key", "type", "default", "allowed", "meaning")

Node = Mapping[str, Any]


class Unexplained(Exception):  # noqa: N818 - says what is missing
    """A key of a model has no meaning in words."""


class Explained:
    """A model with words for each of its keys. `words` maps "Definition.key" to a sentence; they win over the model's.

    Raises Unexplained for a key without words, and for words without a key.
    """

    def __init__(self, model: type[BaseModel], words: Mapping[str, str]) -> None:
        self.schema: dict[str, Any] = model.model_json_schema()
        self.definitions: dict[str, Any] = {model.__name__: self.schema, **self.schema["$defs"]}
        unused = set(words)
        for definition, node in self.definitions.items():
            for key, value in node.get("properties", {}).items():
                name = f"{definition}.{key}"
                if "description" not in value and name not in words:
                    raise Unexplained(f"{name} has no words")
                value["description"] = words.get(name) or _sentence(value["description"])
                unused.discard(name)
        if unused:
            raise Unexplained(f"words without a key: {', '.join(sorted(unused))}")

    def parts(self) -> dict[str, str]:
        """Give every table of the file: its name, and the definition of one such table ("" for a free table)."""
        return {name: _definition(node) for name, node in self.schema["properties"].items()}

    def is_named(self, part: str) -> bool:
        """Tell whether a part is a table of tables, as [machines.<name>]."""
        node = self.schema["properties"][part]
        return isinstance(node.get("additionalProperties"), dict) or "patternProperties" in node

    def meaning_of(self, part: str) -> str:
        """Give the words of a part."""
        return str(self.schema["properties"][part]["description"])

    def meaning(self, definition: str) -> str:
        """Give the words of a definition as a whole."""
        return str(self.definitions[definition].get("description", ""))

    def rows(self, definition: str, without: Container[str] = ()) -> str:
        """Give the table of the keys of a definition, but for those that are told elsewhere."""
        node = self.definitions[definition]
        required = node.get("required", [])
        told = ((key, value) for key, value in node["properties"].items() if key not in without)
        return table(HEADING, (self._row(key, value, key in required) for key, value in told))

    def as_json(self, title: str) -> str:
        """Give the JSON Schema as text."""
        whole = {"$schema": DIALECT, **self.schema, "title": title}
        return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"

    def _row(self, key: str, value: Node, is_required: bool) -> tuple[str, str, str, str, str]:
        default = "required" if is_required else _default(value.get("default"))
        return code(key), self._type(value), default, _allowed(value), str(value.get("description", ""))

    def _type(self, node: Node) -> str:
        if "$ref" in node:
            target = self.definitions[_definition(node)]
            return "one of " + codes(target["enum"]) if "enum" in target else "table"
        if "enum" in node:
            return "one of " + codes(node["enum"])
        if "const" in node:
            return code(node["const"])
        if choices := node.get("anyOf") or node.get("oneOf"):
            return " or ".join(dict.fromkeys(self._type(one) for one in choices if one.get("type") != "null"))
        return self._plain_type(node)

    def _plain_type(self, node: Node) -> str:
        kind = str(node.get("type", "any"))
        if kind == "array":
            items: Node = node.get("items") or next(iter(node.get("prefixItems", ())), {})
            return f"list of {self._type(items)}"
        if kind == "object":
            inner = node.get("additionalProperties") or next(iter(node.get("patternProperties", {}).values()), None)
            return f"table of {self._type(inner)}" if isinstance(inner, dict) and inner else "table"
        return {"string": "text", "integer": "whole number", "boolean": "true or false"}.get(kind, kind)


def _definition(node: Any) -> str:
    """Give the first definition that a node refers to, itself or as the value of a table of tables."""
    if isinstance(node, dict):
        if "$ref" in node:
            return str(node["$ref"]).rpartition("/")[2]
        return next((found for value in node.values() if (found := _definition(value))), "")
    if isinstance(node, list):
        return next((found for value in node if (found := _definition(value))), "")
    return ""


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _default(value: object) -> str:
    is_nothing = value in (None, "") or (isinstance(value, dict) and value and not any(value.values()))
    return "none" if is_nothing else code(json.dumps(value, ensure_ascii=False))


_LIMITS = (
    ("minimum", "at least {}"),
    ("exclusiveMinimum", "above {}"),
    ("maximum", "at most {}"),
    ("exclusiveMaximum", "below {}"),
    ("minLength", "not empty"),
    ("maxLength", "at most {} characters"),
    ("minItems", "at least {} items"),
    ("maxItems", "at most {} items"),
    ("pattern", "`{}`"),
)


def _allowed(node: Node) -> str:
    nodes = [node, *node.get("anyOf", ())]
    if isinstance(node.get("items"), dict):
        nodes.append(node["items"])
    said = [words.format(_plain(one[name])) for one in nodes for name, words in _LIMITS if name in one]
    if node.get("minItems") == node.get("maxItems") is not None:
        said = [f"exactly {node['minItems']} items"]
    return ", ".join(dict.fromkeys(said))


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
