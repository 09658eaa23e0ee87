"""What a link to one machine can do, and the three ways in which it can fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Protocol

from plc.machine_file import MachineFile


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
    """The machine answered with an exception or an unexpected type (house fault 1004)."""

    code = 1004


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


OpenLink = Callable[[MachineFile, str], BlockLink]
"""Makes the link to the machine described by a file at an address ("127.0.0.1:5020", "opc.tcp://127.0.0.1:4840/")."""
