"""What the Modbus clients make of odd answers, and that both send the same bytes."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from packline.core.clock import LoopClock
from packline.core.faults import Fault
from packline.core.files import parse
from plc.drivers.modbus import ModbusLink
from plc.drivers.opening import quiet_libraries
from plc.links import Area, LinkDown, LinkRefused, LinkSilent, LinkTrouble
from plc.machine_file import MachineFile
from plc.security import LinkBarred, Reach, Secured, Unprotected
from plc.tag_side import tag_set
from plc.tags.model import Tag, TagType
from plc.tags.register_reader import RegisterReader
from tests.plc.plants import TRANSPORTS, over
from tests.waiting import eventually

pytestmark = pytest.mark.wire
quiet_libraries()
both_clients = pytest.mark.parametrize("transport", TRANSPORTS)
Answering = Callable[[bytes], list[bytes]]

FILE = parse(
    {
        "machine": {
            "model": "m", "title": "m", "source": "a test", "protocol": "modbus", "address_base": 0, "unit": 3,
            "request_timeout_ms": 5000,
        },
        "handshake": {"kind": "none"},
        "limits": {"mask_write": True},
        "tags": {
            "words": {"address": 0, "area": "holding", "type": "string", "length": 40, "access": "rw"},
            "flag": {"address": 50, "area": "holding", "type": "bool", "bit": 3, "access": "rw"},
            "input": {"address": 7, "area": "input", "type": "u16"},
            **{f"coil_{n}": {"address": n, "area": "coil", "type": "bool", "access": "rw"} for n in range(20)},
            "eye": {"address": 4, "area": "discrete", "type": "bool"},
        },
    },
    MachineFile,
    "m",
)  # fmt: skip


HASTY = FILE.model_copy(update={"machine": FILE.machine.model_copy(update={"request_timeout_ms": 400})})
"""For a test that waits for the end of a silence; where an answer comes, a busy computer has all the time it needs."""


MERGED = FILE.model_copy(
    update={"tags": {name: Tag(address=at, area=Area.HOLDING, type=TagType.U16) for at, name in enumerate("abc")}}
)


def framed(asked: bytes, body: bytes, *, number: int | None = None, unit: int = 3) -> bytes:
    """Give an answer (function and data) with the header of what it answers."""
    number = int.from_bytes(asked[:2]) if number is None else number
    return struct.pack(">HHHB", number, 0, len(body) + 1, unit) + body


def whole(asked: bytes) -> bytes:
    """Answer a read of registers rightly: each says its place."""
    first, count = struct.unpack_from(">HH", asked, 8)
    return framed(asked, bytes([asked[7], 2 * count]) + b"".join((first + n).to_bytes(2) for n in range(count)))


class Server:
    """Answers each frame with the pieces that `answering` says, a moment apart; none of them is silence."""

    def __init__(self, answering: Answering) -> None:
        self.answering, self.heard = answering, list[bytes]()
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        writer.transport.set_write_buffer_limits(0)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readexactly(6)
                frame = head + await reader.readexactly(int.from_bytes(head[4:]))
                self.heard.append(frame)
                for piece in self.answering(frame):
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0.001)  # or the pieces would be read in one
        writer.close()


@asynccontextmanager
async def linked(
    transport: str, answering: Answering, file: MachineFile = FILE
) -> AsyncIterator[tuple[ModbusLink, Server]]:
    server = Server(answering)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    link = ModbusLink(over(transport, file), f"127.0.0.1:{listening.sockets[0].getsockname()[1]}")
    try:
        await link.connect()
        yield link, server
    finally:
        await link.close()
        listening.close()
        for writer in server.writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in server.writers), return_exceptions=True)


@both_clients
async def test_answer_that_comes_byte_by_byte_is_read(transport: str):
    async with linked(transport, lambda asked: [bytes([byte]) for byte in whole(asked)]) as (link, _):
        assert list(await link.read_registers(Area.HOLDING, 2, 3)) == [2, 3, 4]


@both_clients
async def test_double_answers_and_those_to_other_requests_or_of_other_units_are_nobodys(transport: str):
    def answering(asked: bytes) -> list[bytes]:
        lie = bytes([asked[7], 2, 0x12, 0x34])
        other = int.from_bytes(asked[:2]) ^ 0x55
        return [framed(asked, lie, number=other), framed(asked, lie, unit=9), whole(asked), whole(asked)]

    async with linked(transport, answering) as (link, _):
        for at in range(5):
            assert list(await link.read_registers(Area.HOLDING, at, 1)) == [at]


@both_clients
@pytest.mark.parametrize("words", [b"", b"\0\1", b"\0\1\0\2\0\3"], ids=len)
async def test_answer_of_another_length_is_refused_and_leaves_the_connection_well(transport: str, words: bytes):
    answers = [lambda asked: [framed(asked, bytes([asked[7], len(words)]) + words)], lambda asked: [whole(asked)]]
    async with linked(transport, lambda asked: answers.pop(0)(asked)) as (link, _):
        with pytest.raises(LinkRefused):
            await link.read_registers(Area.HOLDING, 0, 2)
        assert list(await link.read_registers(Area.HOLDING, 0, 2)) == [0, 1]


@pytest.mark.parametrize(
    "body",
    [b"\3\4\0\1", b"\3\2\0\1\0\2", b"\3", b"\4\4\0\1\0\2", b"\3\4\0\1\0\2\0"],
    ids=["bytes missing", "count too small", "no count", "another function", "a byte too many"],
)
async def test_lean_client_refuses_an_answer_that_contradicts_itself(body: bytes):
    async with linked("lean", lambda asked: [framed(asked, body)]) as (link, _):
        with pytest.raises(LinkRefused):
            await link.read_registers(Area.HOLDING, 0, 2)


@both_clients
async def test_name_that_no_host_can_have_is_trouble_of_the_link_only(transport: str):
    link = ModbusLink(over(transport, FILE), "plc..line:502", Reach(protection=Unprotected(why="a test")))
    with pytest.raises(LinkDown):
        await link.connect()
    await link.close()


@both_clients
async def test_exception_is_a_refusal(transport: str):
    async with linked(transport, lambda asked: [framed(asked, bytes([asked[7] | 0x80, 2]))]) as (link, _):
        with pytest.raises(LinkRefused):
            await link.read_registers(Area.HOLDING, 0, 2)
        with pytest.raises(LinkRefused):
            await link.write_registers(0, [1], 6)


@both_clients
async def test_merged_read_that_is_refused_for_a_while_stays_one_read(transport: str):
    said: list[int] = []

    def answering(asked: bytes) -> list[bytes]:
        return [framed(asked, bytes([asked[7] | 0x80, said.pop()]))] if said else [whole(asked)]

    async with linked(transport, answering) as (link, server):
        reader, clock = RegisterReader(tag_set(MERGED), link, LoopClock()), LoopClock()
        await reader.begin()
        await reader.step()
        for busy in (6, 11):
            before = reader.store.taken_at("b")
            said.append(busy)
            reader.want(MERGED.tags)
            await reader.step()
            assert reader.store.taken_at("b") == before  # it grows old, as with every answer that does not come
            reader.want(MERGED.tags)
            await reader.step()
            assert reader.store.taken_at("b") > before
        assert (len(server.heard), reader.store.get("b", clock.monotonic()).value) == (5, 1)
        said.append(2)
        reader.want(MERGED.tags)
        for _ in range(4):
            await reader.step()
        assert len(server.heard) == 5 + 1 + 3  # refused for good: each tag alone from then on


async def test_write_whose_answer_is_not_its_echo_is_refused_by_the_lean_client():
    async with linked("lean", lambda asked: [framed(asked, asked[7:-1] + b"\x63")]) as (link, server):
        with pytest.raises(LinkRefused):
            await link.write_registers(0, [1], 6)
        assert len(server.heard) == 1


@both_clients
async def test_silent_machine_is_asked_once(transport: str):
    async with linked(transport, lambda _: [], HASTY) as (link, server):
        with pytest.raises(LinkSilent):
            await link.write_registers(0, [1], 6)
        assert len(server.heard) == 1


async def test_lean_client_drops_a_connection_over_which_no_modbus_comes():
    async with linked("lean", lambda _: [b"HTTP/1.1 400 Bad Request\r\n"]) as (link, _):
        with pytest.raises(LinkSilent, match="no Modbus"):
            await link.read_registers(Area.HOLDING, 0, 1)
        with pytest.raises(LinkDown):
            await link.read_registers(Area.HOLDING, 0, 1)


@both_clients
async def test_connection_that_ends_while_an_answer_is_awaited_is_trouble_and_then_down(transport: str):
    async with linked(transport, lambda _: []) as (link, server):
        waiting = asyncio.ensure_future(link.read_registers(Area.HOLDING, 0, 1))
        await eventually(lambda: bool(server.heard))
        server.writers[0].transport.abort()
        with pytest.raises(LinkTrouble):
            await waiting
        with pytest.raises(LinkDown):
            await link.read_registers(Area.HOLDING, 0, 1)
        await link.connect()
        server.answering = lambda asked: [whole(asked)]
        assert list(await link.read_registers(Area.HOLDING, 5, 1)) == [5]


@both_clients
async def test_answer_to_a_request_that_was_given_up_is_not_taken_for_the_next_one(transport: str):
    late: list[bytes] = []

    def answering(asked: bytes) -> list[bytes]:
        if not late:
            late.append(whole(asked))
            return []
        return [late[0], whole(asked)]

    async with linked(transport, answering) as (link, server):
        waiting = asyncio.ensure_future(link.read_registers(Area.HOLDING, 0, 1))
        await eventually(lambda: bool(server.heard))
        waiting.cancel()
        await asyncio.wait({waiting})
        assert list(await link.read_registers(Area.HOLDING, 30, 1)) == [30]


@both_clients
async def test_second_request_leaves_when_the_first_is_answered(transport: str):
    open_now: list[int] = []

    def answering(asked: bytes) -> list[bytes]:
        open_now.append(len(server.heard))
        return [whole(asked)]

    async with linked(transport, answering) as (link, server):
        reads = [link.read_registers(Area.HOLDING, at, 1) for at in range(10)]
        assert [list(words) for words in await asyncio.gather(*reads)] == [[at] for at in range(10)]
        assert open_now == list(range(1, 11))


Ask = Callable[[ModbusLink], Awaitable[Any]]
ASKED: dict[str, Ask] = {
    "coils": lambda link: link.read_bits(Area.COIL, 0, 11),
    "discretes": lambda link: link.read_bits(Area.DISCRETE, 4, 1),
    "holding": lambda link: link.read_registers(Area.HOLDING, 0, 40),
    "inputs": lambda link: link.read_registers(Area.INPUT, 7, 1),
    "one coil on": lambda link: link.write_coils(3, [True]),
    "one coil off": lambda link: link.write_coils(3, [False]),
    "coils written": lambda link: link.write_coils(1, [True, False, True, True, False, False, False, True, True]),
    "one register": lambda link: link.write_registers(0, [0xABCD], 6),
    "registers": lambda link: link.write_registers(1, [1, 0xFFFF, 3], 16),
    "masked": lambda link: link.mask_register(50, 0xFFF7, 8),
}


@pytest.mark.parametrize("name", ASKED)
async def test_both_clients_send_the_same_bytes(name: str):
    heard = []
    for transport in TRANSPORTS:
        async with linked(transport, lambda _: []) as (link, server):
            asking = asyncio.ensure_future(ASKED[name](link))
            await eventually(lambda: bool(server.heard))  # noqa: B023 - looked at before the next one
            asking.cancel()
            await asyncio.wait({asking})
            heard.append(server.heard)
    assert heard[0] == heard[1]
    assert len(heard[0]) == 1


@both_clients
async def test_bits_come_in_the_order_of_their_addresses(transport: str):
    async with linked(transport, lambda asked: [framed(asked, b"\1\2\x05\x06")]) as (link, _):
        bits = await link.read_bits(Area.COIL, 0, 11)
    assert bits[:11] == [True, False, True, False, False, False, False, False, False, True, True]


@both_clients
@pytest.mark.parametrize(
    "ask",
    [
        lambda link: link.read_registers(Area.HOLDING, 90, 1),
        lambda link: link.write_registers(60, [1], 6),
        lambda link: link.mask_register(60, 0, 1),
        lambda link: link.write_coils(19, [True, True]),
        lambda link: link.read_registers(Area.HOLDING, 0, 40 + 1),
    ],
)
async def test_what_the_file_does_not_name_never_leaves(transport: str, ask: Ask):
    async with linked(transport, lambda asked: [whole(asked)]) as (link, server):
        for _ in range(2):
            with pytest.raises(LinkBarred):
                await ask(link)
        assert list(await link.read_registers(Area.HOLDING, 0, 1)) == [0]
        assert len(server.heard) == 1


async def test_lean_client_does_not_leave_this_computer_unprotected_without_a_word():
    link = ModbusLink(over("lean", FILE), "192.0.2.1:502")
    with pytest.raises(LinkBarred) as caught:
        await link.connect()
    assert caught.value.code == 1019


def test_tls_is_for_the_library_only():
    reach = Reach(protection=Secured(policy="TLS1.3", pki=Path("pki")))
    ModbusLink(over("pymodbus", FILE), "m:802", reach)
    with pytest.raises(Fault) as caught:
        ModbusLink(over("lean", FILE), "m:802", reach)
    assert caught.value.code == 4201
