"""Makes tags of Modbus machines for tests: 16-bit holding registers from address 0 on, unless a test says otherwise."""

from __future__ import annotations

from typing import Any

from plc.tags.model import Order, Tag, TagType, Wired, wire_modbus


def tag(kind: TagType | str = "u16", **parts: Any) -> Tag:
    return Tag(**{"address": 0, "area": "holding", "access": "rw", "type": kind, **parts})


def wired(kind: TagType | str = "u16", *, order: Order = Order.ABCD, **parts: Any) -> Wired:
    return wire_modbus("t", tag(kind, **parts), 0, order)
