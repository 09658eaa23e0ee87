"""A machine of the twin in the same process: a BlockLink without a wire."""

from __future__ import annotations

from collections.abc import Sequence

from plc.links import LinkDown
from simulation.mounts.blocks import BlockDevice


class MemoryMount:
    """Holds what would be a server; closed, its links are down."""

    def __init__(self, device: BlockDevice) -> None:
        self.device = device
        self.is_open = False

    async def open(self) -> str:
        """Let links connect."""
        self.is_open = True
        return "memory"

    async def close(self) -> None:
        """Drop every link."""
        self.is_open = False

    def link(self) -> MemoryLink:
        """Make a link for a controller."""
        return MemoryLink(self)


class MemoryLink:
    """A BlockLink to one machine; a request takes no time."""

    def __init__(self, mount: MemoryMount) -> None:
        self._mount = mount
        self._is_connected = False

    async def connect(self) -> None:
        """Connect; raises LinkDown while the machine is off."""
        self._is_connected = False
        if not self._mount.is_open:
            raise LinkDown("the machine is off")
        self._is_connected = True

    async def read(self, block: str) -> tuple[int, ...]:
        """Read a block; raises LinkDown."""
        return self._device().read(block)

    async def write(self, block: str, words: Sequence[int]) -> None:
        """Write a block; raises LinkDown."""
        self._device().write(block, words)

    async def close(self) -> None:
        """Close."""
        self._is_connected = False

    def _device(self) -> BlockDevice:
        if not (self._is_connected and self._mount.is_open):
            self._is_connected = False
            raise LinkDown("not connected")
        return self._mount.device
