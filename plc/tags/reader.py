"""What it is to keep one device's tags fresh: what is due, one request at a time, driven by the task that owns the link."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from plc.links import Value
from plc.tags.model import Limits, Poll, Wired
from plc.tags.values import TagStore

NOTHING_DUE = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class TagSet:
    """The tags of one machine as its file says them; `period_s` gives the time between two reads of each class."""

    wired: Mapping[str, Wired]
    limits: Limits
    period_s: Mapping[Poll, float]
    limit_s: Mapping[str, float]
    sample_ms: int = 20

    def read(self, poll: Poll) -> list[Wired]:
        """Give the tags of a class that are read."""
        return [w for w in self.wired.values() if w.tag.is_read and w.tag.poll is poll]


class TagReader(Protocol):
    """Reads and writes the tags of one device. Its methods raise LinkTrouble when the connection is lost, and nothing else.

    A request that the device refuses makes its tags bad and costs the connection nothing.
    """

    store: TagStore

    async def begin(self) -> None:
        """Start over on a fresh connection: everything is due."""
        ...

    def due_at(self) -> float:
        """Give when the next request is due, on the monotonic clock."""
        ...

    async def step(self) -> None:
        """Do the one request that is due longest; nothing if none is due."""
        ...

    def want(self, names: Iterable[str]) -> None:
        """Make tags due at once."""
        ...

    async def read(self, names: Iterable[str]) -> None:
        """Read tags now, in as few requests as there can be."""
        ...

    async def write(self, name: str, value: Value) -> None:
        """Write one tag in one request; raises LinkRefused too, and ValueError for a value that it cannot hold."""
        ...
