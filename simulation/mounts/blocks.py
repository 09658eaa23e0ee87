"""What a machine shows to the protocol that carries it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from plc.handshake.frames import Words


class BlockDevice(Protocol):
    """A machine's four blocks, as they are at this moment."""

    def read(self, block: str) -> Words:
        """Give a whole block."""
        ...

    def write(self, block: str, words: Sequence[int], offset: int = 0) -> None:
        """Put words into CMD, HB or STATE and let the machine act on them; raises ValueError beyond the block's end."""
        ...
