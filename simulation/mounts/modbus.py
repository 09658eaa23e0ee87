"""Serves a machine's blocks as holding registers over Modbus TCP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerType
from pymodbus.server import ModbusTcpServer, ModbusTlsServer
from pymodbus.simulator import DataType, SimData, SimDevice

from plc.handshake import frames
from plc.machine_file import MachineFile
from simulation.mounts.blocks import BlockDevice
from simulation.mounts.shield import Shield
from simulation.mounts.wire import Wire, split_address

_WRITES = frozenset({6, 16, 22, 23})
_LEAST_REGISTERS = 256
"""Foreign clients like to read round numbers; registers without a meaning read 0."""


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
        self._spans = [(block, file.register(block), words) for block, words in frames.BLOCK_WORDS.items()]
        self._server: ModbusTcpServer | None = None

    async def open(self) -> str:
        """Listen; nothing if it does."""
        if self._server is None:
            await self._listen()
        return f"{self._host}:{self._port}"

    async def _listen(self) -> None:
        end = max(_LEAST_REGISTERS, *(first + words for _, first, words in self._spans))
        registers = SimData(0, count=end, values=0, datatype=DataType.REGISTERS)
        unit = SimDevice(id=0, simdata=[registers], action=self._act)
        self._server = self._make_server(unit)
        await self._server.serve_forever(background=True)
        listening: Any = self._server.transport
        self._port = listening.sockets[0].getsockname()[1]

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
            await server.shutdown()  # type: ignore[no-untyped-call]

    async def _act(
        self, function: int, start: int, address: int, count: int, registers: list[int], values: Sequence[int] | None
    ) -> ExcCodes | None:
        """Be called by pymodbus for every access; `registers` is its store from `start` on, `values` None on reads."""
        await self._wire.carry_request()
        if values is None:
            self._refresh(start, address, count, registers)
            refused = None
        else:
            refused = self._write(address, values) if function in _WRITES else ExcCodes.ILLEGAL_FUNCTION
        await self._wire.carry_answer()
        return refused

    def _refresh(self, start: int, address: int, count: int, registers: list[int]) -> None:
        for block, first, words in self._spans:
            if first < address + count and address < first + words:
                registers[first - start : first - start + words] = self._device.read(block)

    def _write(self, address: int, values: Sequence[int]) -> ExcCodes | None:
        for block, first, words in self._spans:
            if block != frames.STATUS and first <= address and address + len(values) <= first + words:
                self._device.write(block, [int(v) for v in values], address - first)
                return None
        return ExcCodes.ILLEGAL_ADDRESS
