"""Serves a machine's blocks as holding registers, and its tags in all four tables, over Modbus TCP."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Sequence
from typing import Any

from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerType
from pymodbus.server import ModbusTcpServer, ModbusTlsServer
from pymodbus.simulator import DataType, SimData, SimDevice

from plc.handshake import frames
from plc.links import Area
from plc.machine_file import MachineFile
from simulation.mounts.bank import LEAST, TagBank
from simulation.mounts.blocks import BlockDevice, tags_of
from simulation.mounts.shield import Shield
from simulation.mounts.wire import Busy, Unanswered, Wire, split_address

_WRITES = frozenset({5, 6, 15, 16, 22, 23})
_AREAS = {1: Area.COIL, 2: Area.DISCRETE, 4: Area.INPUT, 5: Area.COIL, 15: Area.COIL}
_BITS_A_WORD = 16


class ModbusMount:
    """One Modbus TCP server; every unit id is answered, as small PLCs do.

    Requests must come one at a time per connection: pymodbus 3.16.1 mixes up the answers of pipelined ones.
    """

    def __init__(
        self, address: str, file: MachineFile, device: BlockDevice, wire: Wire, shield: Shield | None = None
    ) -> None:
        self._host, self._port = split_address(address, 502)
        self._device = device
        self._wire = wire
        self._shield = shield
        blocks = {} if file.is_plain else frames.BLOCK_WORDS
        self._spans = [(block, file.register(block), words) for block, words in blocks.items()]
        self._bank = TagBank(file, tags_of(device, file))
        self._server: ModbusTcpServer | None = None

    async def open(self) -> str:
        """Listen; nothing if it does."""
        if self._server is None:
            await self._listen()
        return f"{self._host}:{self._port}"

    async def _listen(self) -> None:
        unit = SimDevice(id=0, simdata=self._tables(), action=self._act)
        self._server = self._make_server(unit)
        try:
            await self._server.serve_forever(background=True)
        except RuntimeError as error:
            raise _why_not(self._host, self._port) from error
        listening: Any = self._server.transport
        self._port = listening.sockets[0].getsockname()[1]

    def _tables(self) -> Any:
        """Give pymodbus its stores: one for all where there are only holding registers, else coils, discretes, both registers."""
        blocks_end = max([LEAST, *(first + words for _, first, words in self._spans)])
        sizes = self._bank.sizes
        holding = SimData(0, count=max(blocks_end, sizes[Area.HOLDING]), values=0, datatype=DataType.REGISTERS)
        if not any(self._bank.has(area) for area in (Area.COIL, Area.DISCRETE, Area.INPUT)):
            return [holding]
        bits = [
            SimData(0, count=sizes[area], values=False, datatype=DataType.BITS) for area in (Area.COIL, Area.DISCRETE)
        ]
        inputs = SimData(0, count=sizes[Area.INPUT], values=0, datatype=DataType.REGISTERS)
        return ([bits[0]], [bits[1]], [holding], [inputs])

    def _make_server(self, unit: SimDevice) -> ModbusTcpServer:
        if self._shield is None:
            return ModbusTcpServer(unit, address=(self._host, self._port))
        # pymodbus' own framer for TLS takes each piece of a stream for a whole frame
        return ModbusTlsServer(
            unit, framer=FramerType.SOCKET, address=(self._host, self._port), sslctx=self._shield.context()
        )

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        server, self._server = self._server, None
        if server is not None:
            await server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus left it untyped

    async def _act(
        self, function: int, start: int, address: int, count: int, registers: list[int], values: Sequence[int] | None
    ) -> ExcCodes | None:
        """Be called by pymodbus for every access; `registers` is its store from `start` on, `values` None on reads."""
        try:
            return await self._carried(function, start, address, count, registers, values)
        except Busy:
            return ExcCodes.DEVICE_BUSY
        except Unanswered:  # nobody waits any more
            return ExcCodes.DEVICE_FAILURE

    async def _carried(
        self, function: int, start: int, address: int, count: int, registers: list[int], values: Sequence[int] | None
    ) -> ExcCodes | None:
        refused = None
        await self._wire.carry_request()
        if values is None:
            self._refresh(function, start, address, count, registers)
        else:
            refused = self._wire.put(lambda: self._written(function, address, values))
        await self._wire.carry_answer()
        return refused

    def _written(self, function: int, address: int, values: Sequence[int]) -> ExcCodes | None:
        return self._write(function, address, values) if function in _WRITES else ExcCodes.ILLEGAL_FUNCTION

    def _refresh(self, function: int, start: int, address: int, count: int, registers: list[int]) -> None:
        """Bring the store up to now; for bits `start` and `count` are in words of 16, and `address` is a bit."""
        area = _AREAS.get(function, Area.HOLDING)
        if area in (Area.COIL, Area.DISCRETE):
            self._refresh_bits(area, start, address // _BITS_A_WORD, count, registers)
            return
        if self._bank.has(area):
            words = self._bank.read(area, address, min(count, self._bank.sizes[area] - address))
            registers[address - start : address - start + len(words or ())] = words or []
        for block, first, length in self._spans if area is Area.HOLDING else ():
            if first < address + count and address < first + length:
                registers[first - start : first - start + length] = self._wire.shown(self._device.read(block))

    def _refresh_bits(self, area: Area, start: int, word: int, count: int, registers: list[int]) -> None:
        for at in range(word, word + count):
            first = at * _BITS_A_WORD
            bits = self._bank.read(area, first, min(_BITS_A_WORD, self._bank.sizes[area] - first)) or []
            registers[at - start] = sum(bit << place for place, bit in enumerate(bits))

    def _write(self, function: int, address: int, values: Sequence[int]) -> ExcCodes | None:
        area = _AREAS.get(function, Area.HOLDING)
        for block, first, words in self._spans if area is Area.HOLDING else ():
            if block != frames.STATUS and first <= address and address + len(values) <= first + words:
                self._device.write(block, [int(v) for v in values], address - first)
                return None
        return None if self._bank.write(area, address, [int(v) for v in values]) else ExcCodes.ILLEGAL_ADDRESS


def _why_not(host: str, port: int) -> OSError:
    """Find out why nobody can listen there: pymodbus keeps the system's answer to itself."""
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        return error
    return OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))  # it was so, a moment ago
