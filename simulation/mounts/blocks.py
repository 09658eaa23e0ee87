"""What a machine shows to the protocol that carries it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from plc.handshake.frames import Words
from plc.links import Value
from plc.machine_file import MachineFile

AUTOID_NAMESPACE = "urn:packline:autoid"


class BlockDevice(Protocol):
    """A machine's four blocks, as they are at this moment."""

    def read(self, block: str) -> Words:
        """Give a whole block."""
        ...

    def write(self, block: str, words: Sequence[int], offset: int = 0) -> None:
        """Put words into CMD, HB or STATE and let the machine act on them; raises ValueError beyond the block's end."""
        ...


@runtime_checkable
class TagDevice(Protocol):
    """A machine's tags, as they are at this moment."""

    def tag_values(self) -> Mapping[str, Value]:
        """Give the value of every tag of its file after one scan."""
        ...

    def write_tag(self, name: str, value: Value) -> None:
        """Put a value into a tag that may be written, and let the machine act on it."""
        ...


class NoTags:
    """A machine whose file declares none."""

    def tag_values(self) -> Mapping[str, Value]:
        return {}

    def write_tag(self, name: str, value: Value) -> None:
        raise KeyError(name)


def tags_of(device: BlockDevice, file: MachineFile) -> TagDevice:
    """Give the tags of a device; raises TypeError if its file declares some and it shows none."""
    if isinstance(device, TagDevice):
        return device
    if file.tags:
        raise TypeError(f"{file.model} declares tags, but its device shows none")
    return NoTags()
