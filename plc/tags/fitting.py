"""Makes the reader of tags that fits a link."""

from __future__ import annotations

from typing import cast

from packline.core.clock import Clock
from plc.links import NodeLink, RegisterLink
from plc.tags.node_reader import NodeReader
from plc.tags.reader import TagReader, TagSet
from plc.tags.register_reader import RegisterReader


def reader_for(tags: TagSet, link: object, clock: Clock) -> TagReader | None:
    """Make the reader that fits the link; None if the link carries no tags."""
    # asked by name: a link that wraps another one may pass its methods on without having them itself
    if hasattr(link, "read_registers"):
        return RegisterReader(tags, cast("RegisterLink", link), clock)
    if hasattr(link, "read_nodes"):
        return NodeReader(tags, cast("NodeLink", link), clock)
    return None
