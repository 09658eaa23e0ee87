"""Blocks and tags over Modbus TCP: one connection, one request at a time, nothing repeated behind our back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.pdu import ModbusPDU

from packline.core.faults import Fault
from plc.drivers.guard import FrameGuard, register_rules
from plc.drivers.modbus_tls import ModbusDoor
from plc.handshake import frames
from plc.links import Area, LinkDown, LinkRefused, LinkSilent
from plc.machine_file import MachineFile
from plc.security import UNSAID, LinkBarred, Reach

DEFAULT_PORT = 502

T = TypeVar("T")
Request = Callable[[AsyncModbusTcpClient], Awaitable[ModbusPDU]]


class ModbusLink:
    """BlockLink and RegisterLink over pymodbus, with a fresh client for each connection.

    pymodbus' own retries and reconnects are off: they send a write again, even over a new connection, and report one success
    (measured with pymodbus 3.16.1). Every frame passes the guard before it leaves.
    """

    def __init__(self, file: MachineFile, address: str, reach: Reach = UNSAID) -> None:
        self._host, self._port = _host_and_port(address)
        self._file = file
        guard = FrameGuard(address, register_rules(file, reach.allow))
        request_s = file.machine.request_timeout_ms / 1000
        self._door = ModbusDoor(self._host, self._port, request_s=request_s, reach=reach, guard=guard)
        self._client: AsyncModbusTcpClient | None = None

    async def connect(self) -> None:
        """Connect afresh; raises LinkDown, or LinkBarred before anything was asked."""
        await self.close()
        client = self._door.client()
        self._client = client
        try:
            is_connected = await client.connect()
        except (ModbusException, OSError) as error:
            raise LinkDown(str(error)) from error
        if not is_connected:
            await self.close()
            self._door.explain()
            raise LinkDown(f"{self._host}:{self._port} does not answer")
        try:
            self._door.judge(client)
        except LinkBarred:
            await self.close()
            raise

    async def read(self, block: str) -> tuple[int, ...]:
        """Read one block by FC3."""
        address, count = self._file.register(block), frames.BLOCK_WORDS[block]
        unit = self._file.machine.unit
        answer = await self._transact(lambda c: c.read_holding_registers(address, count=count, device_id=unit))
        return tuple(_whole(answer.registers, count))

    async def write(self, block: str, words: Sequence[int]) -> None:
        """Write one block by one FC16."""
        address, unit = self._file.register(block), self._file.machine.unit
        await self._transact(lambda c: c.write_registers(address, list(words), device_id=unit))

    async def read_registers(self, area: Area, start: int, count: int) -> Sequence[int]:
        """Read registers by FC3 or FC4."""
        unit = self._file.machine.unit
        if area is Area.HOLDING:
            answer = await self._transact(lambda c: c.read_holding_registers(start, count=count, device_id=unit))
        else:
            answer = await self._transact(lambda c: c.read_input_registers(start, count=count, device_id=unit))
        return _whole(answer.registers, count)

    async def read_bits(self, area: Area, start: int, count: int) -> Sequence[bool]:
        """Read bits by FC1 or FC2; the answer may be padded to whole bytes."""
        unit = self._file.machine.unit
        if area is Area.COIL:
            answer = await self._transact(lambda c: c.read_coils(start, count=count, device_id=unit))
        else:
            answer = await self._transact(lambda c: c.read_discrete_inputs(start, count=count, device_id=unit))
        return _whole(answer.bits, count, padded=True)

    async def write_registers(self, start: int, words: Sequence[int], function: int) -> None:
        """Write by one FC6 or FC16."""
        unit = self._file.machine.unit
        if function == 6:
            (word,) = words
            await self._transact(lambda c: c.write_register(start, word, device_id=unit))
        else:
            await self._transact(lambda c: c.write_registers(start, list(words), device_id=unit))

    async def write_coils(self, start: int, bits: Sequence[bool]) -> None:
        """Write one coil by FC5, more by one FC15."""
        unit = self._file.machine.unit
        if len(bits) == 1:
            await self._transact(lambda c: c.write_coil(start, bits[0], device_id=unit))
        else:
            await self._transact(lambda c: c.write_coils(start, list(bits), device_id=unit))

    async def close(self) -> None:
        """Close; never raises."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    async def _transact(self, request: Request) -> ModbusPDU:
        client = self._client
        if client is None or not client.connected:
            self._door.explain()
            raise LinkDown(f"{self._host}:{self._port} is not connected")
        try:
            answer = await request(client)
        except ConnectionException as error:
            raise LinkDown(str(error)) from error
        except ModbusException as error:
            self._door.explain()
            raise LinkSilent(str(error)) from error
        if answer.isError():
            raise LinkRefused(f"{self._host}:{self._port} answers {answer}")
        return answer


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
    return host, int(port)
