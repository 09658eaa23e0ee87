"""Lists that know where in the file each of their entries stood, when some have been taken out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class KeptList(list[Any]):
    """A list read from a file; `numbers` are its entries' places there, from 0."""

    def __init__(self, entries: Sequence[Any]) -> None:
        super().__init__(entries)
        self.numbers = list(range(len(entries)))

    def take_out(self, index: int) -> None:
        """Remove the entry that stands at `index` now."""
        del self[index]
        del self.numbers[index]


def kept(value: Any) -> Any:
    """Copy what TOML gives, every list of it as a KeptList."""
    if isinstance(value, Mapping):
        return {key: kept(inner) for key, inner in value.items()}
    return KeptList([kept(inner) for inner in value]) if isinstance(value, list) else value


def place_in_file(left: Any, place: Sequence[Any]) -> tuple[Any, ...]:
    """Give the place in the file of what stands at `place` in `left`, which `kept` made."""
    found: list[Any] = []
    inner = left
    for key in place:
        is_moved = isinstance(inner, KeptList) and isinstance(key, int) and key < len(inner)
        found.append(inner.numbers[key] if is_moved else key)
        inner = _inside(inner, key)
    return tuple(found)


def _inside(outer: Any, key: Any) -> Any:
    if isinstance(outer, Mapping):
        return outer.get(key)
    return outer[key] if isinstance(outer, list) and isinstance(key, int) and key < len(outer) else None
