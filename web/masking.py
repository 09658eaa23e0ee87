"""Shows of a message what tells nothing of a person: for those who may look at it, but not at addresses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

MASK = "…"

# by the name of a table, the keys whose values may be seen; a list shows what its tables may show
SEEN: Mapping[str, frozenset[str]] = {
    "": frozenset({"type", "timestamp"}),
    "data": frozenset(
        {"id", "version", "placed_at", "currency", "total_minor", "purchase", "paid", "ship_by", "sscc", "at"}
    ),
    "merchant": frozenset({"id", "name"}),
    "buyer": frozenset({"id"}),
    "lines": frozenset({"line", "sku", "name", "gtin", "qty", "unit_minor"}),
    "ship_to": frozenset({"city", "country"}),
    "options": frozenset({"approval", "split", "short"}),
}


def masked(body: str) -> str | None:
    """Give a message's text with everything masked that is not known to be harmless; None if it cannot be read as JSON."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return json.dumps(_masked(message, ""), ensure_ascii=False, indent=2)


def _masked(value: Any, table: str) -> Any:
    if isinstance(value, dict):
        seen = SEEN.get(table, frozenset())
        return {key: part if key in seen and _is_plain(part) else _masked(part, key) for key, part in value.items()}
    if isinstance(value, list):
        return [_masked(part, table) for part in value]
    return value if value is None or isinstance(value, bool) else MASK


def _is_plain(value: Any) -> bool:
    return not isinstance(value, (dict, list))
