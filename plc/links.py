"""What a link to one machine can do, and the three ways in which it can fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol, runtime_checkable

Value = bool | int | float | str

# Modbus Application Protocol V1.1b3, chapter 7: acknowledge, busy, gateway path unavailable, gateway target does not respond
_PASSING = frozenset({5, 6, 10, 11})


class Area(StrEnum):
    """The four tables of a Modbus device."""

    HOLDING = "holding"
    INPUT = "input"
    COIL = "coil"
    DISCRETE = "discrete"


class LinkTrouble(Exception):  # noqa: N818 - the trade's word
    """A request that did not end well. For a write this says nothing about whether the machine got it."""

    code: ClassVar[int] = 1001


class LinkDown(LinkTrouble):
    """There is no connection (house fault 1001); connect again."""

    code = 1001


class LinkSilent(LinkTrouble):
    """The machine did not answer in time (house fault 1002); the connection is not to be used again."""

    code = 1002


class LinkRefused(LinkTrouble):
    """The machine answered with an exception or an unexpected type (house fault 1004); `exception` is Modbus' number of it."""

    code = 1004

    def __init__(self, said: str, *, exception: int | None = None) -> None:
        super().__init__(said)
        self.exception = exception

    @property
    def is_passing(self) -> bool:
        """Tell whether the device says that it is busy, or a gateway that it did not reach it: asked again, it may well answer."""
        return self.exception in _PASSING


class BlockLink(Protocol):
    """Carries the handshake's blocks to and from one machine; one request at a time, each within `request_s` of its maker.

    Every method raises LinkTrouble and nothing else; a cancelled request leaves the link usable or down, never confused.
    """

    async def connect(self) -> None:
        """Connect afresh; whatever was there before is closed."""
        ...

    async def read(self, block: str) -> tuple[int, ...]:
        """Read one whole block ("STATUS") in one request."""
        ...

    async def write(self, block: str, words: Sequence[int]) -> None:
        """Write one whole block ("CMD", "HB", "STATE") in one request."""
        ...

    async def close(self) -> None:
        """Close; never raises."""
        ...


@runtime_checkable
class RegisterLink(Protocol):
    """Carries registers and bits of a Modbus device; zero-based addresses, one request at a time.

    Every method raises LinkTrouble and nothing else. LinkRefused leaves the connection well: the device said no to this request.
    """

    async def connect(self) -> None:
        """Connect afresh; whatever was there before is closed."""
        ...

    async def read_registers(self, area: Area, start: int, count: int) -> Sequence[int]:
        """Read `count` registers of HOLDING or INPUT in one request."""
        ...

    async def read_bits(self, area: Area, start: int, count: int) -> Sequence[bool]:
        """Read `count` bits of COIL or DISCRETE in one request."""
        ...

    async def write_registers(self, start: int, words: Sequence[int], function: int) -> None:
        """Write holding registers in one request by function 6 (one register) or 16."""
        ...

    async def mask_register(self, start: int, kept: int, bits: int) -> None:
        """Change a holding register in one request by function 22: the bits of `kept` stay, the others become those of `bits`."""
        ...

    async def write_coils(self, start: int, bits: Sequence[bool]) -> None:
        """Write coils in one request: function 5 for one, 15 for more."""
        ...

    async def close(self) -> None:
        """Close; never raises."""
        ...


NodeId = tuple[str, str]
"""Namespace uri and identifier ("s=Machine.Speed", "i=2258")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeValue:
    """What a server says of one node: its value, or None with a `status` that tells why; `at` is the source's own time.

    One that `is_watched` no more, or never was, is told of once; whoever wants its value reads it.
    """

    value: Value | Sequence[Value] | None
    status: str = "Good"
    at: datetime | None = None
    is_watched: bool = True

    @property
    def is_good(self) -> bool:
        """Tell whether the server vouches for it."""
        return self.status == "Good"


NodeSink = Callable[[NodeId, NodeValue], None]
"""Is told each change of a subscribed node, in the order of the server's notifications."""


@runtime_checkable
class NodeLink(Protocol):
    """Carries values of OPC UA nodes; every method raises LinkTrouble and nothing else."""

    async def connect(self) -> None:
        """Connect afresh; whatever was there before is closed."""
        ...

    async def read_nodes(self, nodes: Sequence[NodeId]) -> Sequence[NodeValue]:
        """Read values in one call; a node that the server does not know is a value that is not good."""
        ...

    async def write_nodes(self, values: Mapping[NodeId, tuple[Value, str]]) -> None:
        """Write values in one call, each with its tag type ("u16", "f32"); raises LinkRefused if any was refused."""
        ...

    async def subscribe(self, nodes: Sequence[NodeId], sink: NodeSink, *, publish_ms: int, sample_ms: int) -> None:
        """Have `sink` told of changes until the link is closed, with queues so long that none of a publish is lost.

        A node that cannot be watched, or whose server may be silent for too long, is told as such and not again.
        """
        ...

    def silent_s(self) -> float | None:
        """Give the time since the last publish of the subscription that is longest silent: None before the first, infinity once one
        is over.
        """
        ...

    async def close(self) -> None:
        """Close; never raises."""
        ...


TagLink = RegisterLink | NodeLink
