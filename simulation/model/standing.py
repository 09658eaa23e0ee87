"""Finds blocks that stand for ever: each is full, and waits for a place in the next of a circle."""

from __future__ import annotations

from collections.abc import Iterator

from simulation.blocks.block import Holder
from simulation.blocks.server import Server
from simulation.model.building import Line


def deadlocks(line: Line) -> list[str]:
    """Give a warning for each circle of blocks that wait for each other's places."""
    holders = [block for block in line.blocks.values() if isinstance(block, Holder)]
    circles = {tuple(circle) for block in holders if (circle := _circle(block, holders))}
    return [f"deadlock: {' -> '.join(circle)} wait for each other's places" for circle in sorted(circles)]


def _circle(block: Holder, holders: list[Holder]) -> list[str]:
    """Give the circle that begins and ends at a block, from the name that is first; empty when there is none."""
    path: list[Holder] = []
    ahead: Holder | None = block
    while ahead is not None and ahead not in path:
        path.append(ahead)
        ahead = next(_waited_for(ahead, holders), None)
    if ahead is not block:
        return []
    names = [one.name for one in path]
    first = names.index(min(names))
    return names[first:] + names[:first]


def _waited_for(block: Holder, holders: list[Holder]) -> Iterator[Holder]:
    """Give the blocks at whose doors a block stands, with all that it has: of a server every channel."""
    if not isinstance(block, Server):
        yield from (one for one in holders if block in one.door)
    elif block.channels and all(channel.is_blocked for channel in block.channels):
        yield from (one for one in holders if any(channel.is_waiting_at(one.door) for channel in block.channels))
