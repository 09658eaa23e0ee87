"""Modbus TCP with little between socket and caller, for a controller that reads a hundred devices ten times a second.

Modbus Application Protocol V1.1b3, chapter 6 (functions), and Modbus Messaging on TCP/IP V1.0b, 3.1.3 (MBAP header).
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence

from packline.core.clock import LoopClock
from plc.drivers.guard import FrameGuard
from plc.links import LinkDown, LinkRefused, LinkSilent, LinkTrouble
from plc.security import Reach, require_words

_HEAD = struct.Struct(">HHH")  # transaction, protocol (0), bytes that follow
_READ = struct.Struct(">BBHH")  # unit, function, first address, how many
_MOST_BYTES = 254
_BITS, _REGISTERS = (1, 2), (3, 4)
_EXCEPTION = 0x80


class LeanChannel:
    """The Channel of a machine whose file says `transport = "lean"`: no retries, no reconnects, no TLS.

    An answer counts only with the transaction number of the request that waits, its unit and its function; what a write answers
    must be its echo.
    """

    def __init__(self, host: str, port: int, *, unit: int, request_s: float, reach: Reach, guard: FrameGuard) -> None:
        self._host, self._port, self._where = host, port, f"{host}:{port}"
        self._unit, self._request_s = unit, request_s
        self._reach, self._guard = reach, guard
        self._stream: _Stream | None = None
        self._turn = asyncio.Lock()
        self._number = 0

    async def connect(self) -> None:
        """Connect afresh; raises LinkDown, or LinkBarred before anything was asked."""
        await self.close()
        require_words(self._reach, self._host, self._where)
        loop = asyncio.get_running_loop()
        try:
            opening = loop.create_connection(_Stream, self._host, self._port)
            _, self._stream = await LoopClock().within(self._request_s, opening)
        except (OSError, UnicodeError) as error:  # a TimeoutError says nothing; UnicodeError: a name that cannot be one
            raise LinkDown(f"{self._where} does not answer: {str(error) or 'no connection in time'}") from error

    async def read(self, function: int, start: int, count: int) -> Sequence[int]:
        """Read bits or registers, exactly `count` of them."""
        data = await self._ask(_READ.pack(self._unit, function, start, count))
        size = -(-count // 8) if function in _BITS else 2 * count
        if len(data) != size + 1 or data[0] != size:
            raise LinkRefused(f"{self._where} answers {len(data) - 1} bytes, asked for {size}")
        if function in _REGISTERS:
            return struct.unpack_from(f">{count}H", data, 1)
        whole = int.from_bytes(data[1:], "little")
        return [whole >> at & 1 for at in range(count)]

    async def write(self, function: int, start: int, values: Sequence[int]) -> None:
        """Write by function 5, 6, 15, 16 or 22."""
        data = _written(function, start, values)
        echo = await self._ask(struct.pack(">BB", self._unit, function) + data)
        if echo != (data[:4] if function in (15, 16) else data):
            raise LinkRefused(f"{self._where} answers {echo.hex()} to {data.hex()}")

    async def close(self) -> None:
        """Close; never raises."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    async def _ask(self, request: bytes) -> bytes:
        """Send a request (unit, function, data) and give the data of its answer."""
        async with self._turn:
            if self._stream is None:
                raise LinkDown(f"{self._where} is not connected")
            self._number = self._number % 0xFFFF + 1
            frame = _HEAD.pack(self._number, 0, len(request)) + request
            self._guard.check(frame)
            answer = await self._stream.ask(frame, self._request_s)
        function = request[1]
        if answer[1] == function | _EXCEPTION:
            said = f"{self._where} answers exception {answer[2:].hex() or 'without a code'}"
            raise LinkRefused(said, exception=answer[2] if len(answer) > 2 else None)
        if answer[1] != function:
            raise LinkRefused(f"{self._where} answers function {answer[1]} to function {function}")
        return answer[2:]


class _Stream(asyncio.Protocol):
    """One TCP connection: the request that waits, and what came so far of its answer."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._heard = b""
        self._asked = b""
        self._answer: asyncio.Future[bytes] | None = None

    async def ask(self, frame: bytes, request_s: float) -> bytes:
        """Send a frame and give the unit, function and data of its answer."""
        if self._transport is None:
            raise LinkDown("the connection was lost")
        loop = asyncio.get_running_loop()
        self._asked, self._answer = frame, loop.create_future()
        alarm = loop.call_later(request_s, self._fail, LinkSilent(f"no answer within {request_s:g} s"))
        self._transport.write(frame)
        try:
            return await self._answer
        finally:
            alarm.cancel()
            self._answer = None

    def close(self) -> None:
        """Close; whoever waits is told."""
        if self._transport is not None:
            self._transport.close()

    # -- as asyncio calls it -------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a stream's is one
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take bytes, in whatever pieces they come."""
        self._heard += data
        while len(self._heard) >= _HEAD.size:
            number, protocol, length = _HEAD.unpack_from(self._heard)
            if protocol or not 2 <= length <= _MOST_BYTES:
                self._drop(LinkSilent(f"what came is no Modbus: {self._heard[:8].hex()}"))
                return
            end = _HEAD.size + length
            if len(self._heard) < end:
                return
            answer, self._heard = self._heard[_HEAD.size : end], self._heard[end:]
            self._take(number, answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that it is gone."""
        self._transport = None
        self._fail(LinkDown(f"the connection was lost: {exc or 'closed'}"))

    def _take(self, number: int, answer: bytes) -> None:
        """Give an answer to who waits for it; a late or double one, or one from another unit, is nobody's."""
        waits = self._answer is not None and not self._answer.done()
        if waits and number.to_bytes(2) == self._asked[:2] and answer[0] == self._asked[_HEAD.size]:
            assert self._answer is not None  # noqa: S101 - asked above
            self._answer.set_result(answer)

    def _drop(self, trouble: LinkTrouble) -> None:
        self._heard = b""
        self._fail(trouble)
        if self._transport is not None:
            self._transport.abort()

    def _fail(self, trouble: LinkTrouble) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(trouble)


def _written(function: int, start: int, values: Sequence[int]) -> bytes:
    """Give the data of a write."""
    if function == 5:
        return struct.pack(">HH", start, 0xFF00 if values[0] else 0)
    if function == 15:
        bits = sum(bool(bit) << at for at, bit in enumerate(values))
        size = -(-len(values) // 8)
        return struct.pack(">HHB", start, len(values), size) + bits.to_bytes(size, "little")
    if function == 16:
        return struct.pack(f">HHB{len(values)}H", start, len(values), 2 * len(values), *values)
    return struct.pack(f">{1 + len(values)}H", start, *values)
