"""A peer that does not read any more keeps nobody who hangs up on it, and one that takes no connection nobody who asks for one."""

from __future__ import annotations

import asyncio

import pytest

from labeling.transport import CONNECT_S, TcpPort
from packline.core.clock import ManualClock
from packline.core.streams import FAREWELL_S
from scanning.scanners.link import TcpLink
from tests.waiting import PATIENCE_S, let_run

MORE_THAN_ANY_BUFFER = bytes(64 * 1024 * 1024)


@pytest.mark.wire
@pytest.mark.parametrize("port_of", [TcpPort, TcpLink], ids=["printer", "scanner"])
async def test_peer_that_does_not_read_any_more_is_hung_up_on_and_gets_no_more_of_what_was_given_up(
    port_of: type[TcpPort | TcpLink],
) -> None:
    clock, came = ManualClock(), asyncio.Event()
    heard: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport that reads, too
        await came.wait()
        writer.transport.resume_reading()  # type: ignore[attr-defined]  # as above
        size = 0
        try:
            while data := await reader.read(1 << 20):
                size += len(data)
        except ConnectionError:
            pass
        heard.set_result(size)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, number = server.sockets[0].getsockname()
    port = port_of(f"{host}:{number}", clock)
    await port.connect()
    sending = asyncio.ensure_future(port.send(MORE_THAN_ANY_BUFFER))
    await let_run(5)
    assert not sending.done()
    sending.cancel()
    closing = asyncio.ensure_future(port.close())
    await let_run(5)
    assert not closing.done()
    clock.advance(FAREWELL_S)
    async with asyncio.timeout(PATIENCE_S):
        await closing
        came.set()
        assert await heard < len(MORE_THAN_ANY_BUFFER)
    server.close()


@pytest.mark.wire
@pytest.mark.parametrize("port_of", [TcpPort, TcpLink], ids=["printer", "scanner"])
async def test_peer_that_reads_on_while_it_is_hung_up_on_hears_all_that_was_said_before(
    port_of: type[TcpPort | TcpLink],
) -> None:
    reads, came = asyncio.Event(), asyncio.Event()
    heard: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport that reads, too
        came.set()
        await reads.wait()
        writer.transport.resume_reading()  # type: ignore[attr-defined]  # as above
        heard.set_result(len(await reader.read(-1)))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, number = server.sockets[0].getsockname()
    port = port_of(f"{host}:{number}", ManualClock())
    await port.connect()
    await came.wait()
    sending = asyncio.ensure_future(port.send(MORE_THAN_ANY_BUFFER))
    await let_run(5)
    sending.cancel()
    closing = asyncio.ensure_future(port.close())
    await let_run(5)
    assert not closing.done()
    reads.set()
    async with asyncio.timeout(PATIENCE_S):
        await closing  # the manual clock stands still: nothing was given up
        assert await heard == len(MORE_THAN_ANY_BUFFER)
    server.close()


async def test_printer_that_takes_no_connection_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def for_ever(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio, "open_connection", for_ever)
    clock = ManualClock()
    connecting = asyncio.ensure_future(TcpPort("127.0.0.1:9100", clock).connect())
    await let_run(5)
    clock.advance(CONNECT_S)
    await let_run(50)
    assert connecting.done()
    assert isinstance(connecting.exception(), TimeoutError)
