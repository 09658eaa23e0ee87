"""Blocks and tags over Modbus TCP: one connection, one request at a time, nothing repeated behind our back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol, TypeVar

from packline.core.faults import Fault
from plc.drivers.guard import FrameGuard, register_rules
from plc.drivers.lean_modbus import LeanChannel
from plc.drivers.library_modbus import LibraryChannel
from plc.handshake import frames
from plc.links import Area, LinkRefused
from plc.machine_file import MachineFile
from plc.security import UNSAID, Reach, Secured

DEFAULT_PORT = 502

T = TypeVar("T")
_READS: Mapping[Area, int] = MappingProxyType({Area.COIL: 1, Area.DISCRETE: 2, Area.HOLDING: 3, Area.INPUT: 4})


class Channel(Protocol):
    """Carries requests to one unit of one device, one at a time and each once; raises LinkTrouble and nothing else.

    Every frame passes the guard before it leaves.
    """

    async def connect(self) -> None:
        """Connect afresh; raises LinkDown, or LinkBarred before anything was asked."""
        ...

    async def read(self, function: int, start: int, count: int) -> Sequence[int]:
        """Read bits (function 1, 2; perhaps padded to whole bytes) or registers (3, 4); `count` is not proved."""
        ...

    async def write(self, function: int, start: int, values: Sequence[int]) -> None:
        """Write by function 5, 6, 15, 16, or 22 with its two masks."""
        ...

    async def close(self) -> None:
        """Close; never raises."""
        ...


class ModbusLink:
    """BlockLink and RegisterLink over pymodbus' client, or over a leaner one where the machine file says so."""

    def __init__(self, file: MachineFile, address: str, reach: Reach = UNSAID) -> None:
        self._file = file
        self._channel = _channel(file, address, reach)

    async def connect(self) -> None:
        """Connect afresh; raises LinkDown, or LinkBarred before anything was asked."""
        await self._channel.connect()

    async def read(self, block: str) -> tuple[int, ...]:
        """Read one block by FC3."""
        return tuple(await self.read_registers(Area.HOLDING, self._file.register(block), frames.BLOCK_WORDS[block]))

    async def write(self, block: str, words: Sequence[int]) -> None:
        """Write one block by one FC16."""
        await self._channel.write(16, self._file.register(block), words)

    async def read_registers(self, area: Area, start: int, count: int) -> Sequence[int]:
        """Read registers by FC3 or FC4."""
        return _whole(await self._channel.read(_READS[area], start, count), count)

    async def read_bits(self, area: Area, start: int, count: int) -> Sequence[bool]:
        """Read bits by FC1 or FC2; the answer may be padded to whole bytes."""
        bits = await self._channel.read(_READS[area], start, count)
        return [bool(bit) for bit in _whole(bits, count, padded=True)]

    async def write_registers(self, start: int, words: Sequence[int], function: int) -> None:
        """Write by one FC6 or FC16."""
        if function == 6 and len(words) != 1:
            raise ValueError(f"function 6 writes one register, not {len(words)}")
        await self._channel.write(function, start, words)

    async def mask_register(self, start: int, kept: int, bits: int) -> None:
        """Change some bits of a register by one FC22."""
        await self._channel.write(22, start, (kept, bits))

    async def write_coils(self, start: int, bits: Sequence[bool]) -> None:
        """Write one coil by FC5, more by one FC15."""
        await self._channel.write(5 if len(bits) == 1 else 15, start, bits)

    async def close(self) -> None:
        """Close; never raises."""
        await self._channel.close()


def _channel(file: MachineFile, address: str, reach: Reach) -> Channel:
    """Make what the file asks for; raises Fault 4201 for an address that is none, or TLS over what has none."""
    host, port = _host_and_port(address)
    head, guard = file.machine, FrameGuard(address, register_rules(file, reach.allow))
    make = LibraryChannel if head.transport == "pymodbus" else LeanChannel
    if make is LeanChannel and isinstance(reach.protection, Secured):
        raise Fault(4201, where=address, seen='transport = "lean" and TLS', expected='transport = "pymodbus" for TLS')
    return make(host, port, unit=head.unit, request_s=head.request_timeout_ms / 1000, reach=reach, guard=guard)


def _whole(items: Sequence[T], count: int, *, padded: bool = False) -> Sequence[T]:
    """Give what was read; raises LinkRefused if a server answers with fewer items than were asked for, or with more."""
    if len(items) < count or (len(items) > count and not padded):
        raise LinkRefused(f"answers {len(items)} items, asked for {count}")
    return items


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not host and port:
        return port, DEFAULT_PORT
    if not host or not port.isdigit():
        raise Fault(4201, where="machine address", seen=address, expected="host:port")
    return host.strip("[]"), int(port)  # an IPv6 address stands in brackets
