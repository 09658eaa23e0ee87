"""Modbus TCP by pymodbus' own client, with everything off that it would do by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.pdu import ModbusPDU

from plc.drivers.guard import FrameGuard
from plc.drivers.modbus_tls import ModbusDoor
from plc.links import LinkDown, LinkRefused, LinkSilent
from plc.security import LinkBarred, Reach

_Read = Callable[..., Awaitable[ModbusPDU]]
_READS: Mapping[int, _Read] = MappingProxyType(
    {
        1: AsyncModbusTcpClient.read_coils,
        2: AsyncModbusTcpClient.read_discrete_inputs,
        3: AsyncModbusTcpClient.read_holding_registers,
        4: AsyncModbusTcpClient.read_input_registers,
    }
)
_BITS = (1, 2)


class LibraryChannel:
    """The Channel of every machine whose file names no other, with a fresh client for each connection.

    pymodbus' own retries and reconnects are off: they send a write again, even over a new connection, and report one success
    (measured with pymodbus 3.16.1).
    """

    def __init__(self, host: str, port: int, *, unit: int, request_s: float, reach: Reach, guard: FrameGuard) -> None:
        self._where, self._unit = f"{host}:{port}", unit
        self._door = ModbusDoor(host, port, request_s=request_s, reach=reach, guard=guard)
        self.client: AsyncModbusTcpClient | None = None

    async def connect(self) -> None:
        """Connect afresh; raises LinkDown, or LinkBarred before anything was asked."""
        await self.close()
        client = self._door.client()
        self.client = client
        try:
            is_connected = await client.connect()
        except (ModbusException, OSError, UnicodeError) as error:  # UnicodeError: a name that no host can have
            raise LinkDown(str(error)) from error
        if not is_connected:
            await self.close()
            self._door.explain()
            raise LinkDown(f"{self._where} does not answer")
        try:
            self._door.judge(client)
        except LinkBarred:
            await self.close()
            raise

    async def read(self, function: int, start: int, count: int) -> Sequence[int]:
        """Read bits or registers."""
        answer = await self._transact(lambda c: _READS[function](c, start, count=count, device_id=self._unit))
        return answer.bits if function in _BITS else answer.registers

    async def write(self, function: int, start: int, values: Sequence[int]) -> None:
        """Write by function 5, 6, 15, 16 or 22."""
        await self._transact(lambda c: self._written(c, function, start, values))

    async def close(self) -> None:
        """Close; never raises."""
        client, self.client = self.client, None
        if client is not None:
            client.close()

    def _written(
        self, client: AsyncModbusTcpClient, function: int, start: int, values: Sequence[int]
    ) -> Awaitable[ModbusPDU]:
        match function:
            case 5:
                return client.write_coil(start, bool(values[0]), device_id=self._unit)
            case 6:
                return client.write_register(start, values[0], device_id=self._unit)
            case 15:
                return client.write_coils(start, [bool(bit) for bit in values], device_id=self._unit)
            case 22:
                kept, bits = values
                return client.mask_write_register(address=start, and_mask=kept, or_mask=bits, device_id=self._unit)
            case _:
                return client.write_registers(start, list(values), device_id=self._unit)

    async def _transact(self, request: Callable[[AsyncModbusTcpClient], Awaitable[ModbusPDU]]) -> ModbusPDU:
        client = self.client
        if client is None or not client.connected:
            self._door.explain()
            raise LinkDown(f"{self._where} is not connected")
        try:
            answer = await request(client)
        except ConnectionException as error:
            raise LinkDown(str(error)) from error
        except ModbusException as error:
            self._door.explain()
            raise LinkSilent(str(error)) from error
        if answer.isError():
            raise LinkRefused(f"{self._where} answers {answer}", exception=answer.exception_code)
        return answer
