"""The line scanner: fragments, noise, repeats, and a link that heals."""

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.transport import tcp_ports
from packline.core.clock import LoopClock, ManualClock
from scanning.scanners.lines import MOST_LINE_BYTES, LineSplitter, read_line
from scanning.scanners.link import tcp_links
from scanning.scanners.tcp import TRIGGER, LineScanner

TEXT = bytes(byte for byte in range(256) if byte not in b"\r\n\x02\x03")
lines = st.lists(st.binary(min_size=1, max_size=40).map(lambda b: bytes(TEXT[byte % len(TEXT)] for byte in b)))
FRAMES = [
    (b"", b"\r"),
    (b"", b"\n"),
    (b"", b"\r\n"),
    (b"\x02", b"\x03"),
    (b"\x02", b"\x03\r\n"),
    (b"\x02", b"\r\n\x03"),
]


@given(lines, st.sampled_from(FRAMES), st.lists(st.integers(0, 400), max_size=6))
def test_lines_come_out_whole_however_the_network_chops_them(sent, frame, cuts):
    begins, ends = frame
    data = b"".join(begins + line + ends for line in sent)
    splitter, got, begin = LineSplitter(), [], 0
    for stop in sorted({min(c, len(data)) for c in cuts} | {len(data)}):
        got += splitter.feed(data[begin:stop])
        begin = stop
    assert got == sent


@given(st.integers(MOST_LINE_BYTES + 1, 3 * MOST_LINE_BYTES))
def test_a_line_too_long_is_dropped_whole_and_the_next_one_is_read(length):
    assert LineSplitter().feed(b"x" * length + b"\rPL1\r") == [b"PL1"]


def test_half_a_telegram_is_not_joined_with_the_one_that_begins_after_it():
    assert LineSplitter().feed(b"PL00000\x02PL0000000420\x03") == [b"PL0000000420"]


@given(st.binary(max_size=MOST_LINE_BYTES))
def test_no_line_makes_it_raise(line):
    read = read_line(line)
    assert read is None or read[0]


def test_a_line_gives_its_text_and_its_aim_prefix():
    assert read_line(b"]C100123456789012345675") == ("00123456789012345675", "]C1")
    assert read_line(b"\x02 PL0000000420 \x03") == ("PL0000000420", "")
    assert read_line("茶".encode("gb18030")) == ("茶", "")
    assert read_line(b"  ") is None


class FakeLink:
    """Gives the bytes of its script; an exception in it is a lost link. Then it is silent."""

    def __init__(self, script: list[bytes | OSError]) -> None:
        self.script = script
        self.connects = 0
        self.sent = b""

    async def connect(self) -> None:
        self.connects += 1

    async def send(self, data: bytes) -> None:
        self.sent += data

    async def receive(self) -> bytes:
        if not self.script:
            await asyncio.Event().wait()
        step = self.script.pop(0)
        if isinstance(step, OSError):
            raise step
        return step

    async def close(self) -> None:
        pass


class SkippingClock(ManualClock):
    """Lets every sleep end at once, and moves on by it."""

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)


def scanner(link: FakeLink, **kwargs) -> LineScanner:
    return LineScanner(
        name="hand-1",
        address="x:1",
        open_link=lambda _: link,
        clock=SkippingClock(),
        rng=random.Random(1),
        **kwargs,
    )


async def take(source: LineScanner, count: int) -> list[str]:
    stream = source.scans()
    texts = [(await anext(stream)).text for _ in range(count)]
    await stream.aclose()
    return texts


async def test_two_equal_items_in_a_row_are_two_scans():
    assert await take(scanner(FakeLink([b"69012\r69012\r"])), 2) == ["69012", "69012"]


async def test_a_device_known_to_repeat_itself_is_heard_once():
    assert await take(scanner(FakeLink([b"A\rA\rA\rB\r"]), repeat_ms=300), 2) == ["A", "B"]


async def test_half_a_line_before_a_lost_link_is_never_joined_with_what_follows():
    link = FakeLink([b"PL00000", ConnectionResetError("gone"), b"00420\r\n", b"PL0000000420\r\n"])
    assert await take(scanner(link), 2) == ["00420", "PL0000000420"]
    assert link.connects == 2


async def test_a_lost_link_is_logged_once_and_its_return_once(caplog):
    caplog.set_level("INFO")
    lost: list[bytes | OSError] = [ConnectionResetError("gone") for _ in range(5)]
    link = FakeLink([b"A\r", *lost, b"B\r"])
    await take(scanner(link), 2)
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "1006 scanner hand-1 at x",
        "scanner hand-1 at x",
    ]
    assert link.connects == 6


async def test_trigger_asks_a_fixed_scanner_and_is_silent_without_a_link():
    link = FakeLink([b"A\r"])
    source = scanner(link)
    await source.trigger()
    assert link.sent == b""
    stream = source.scans()
    await anext(stream)
    assert source.is_connected()
    await source.trigger()
    assert link.sent == TRIGGER
    await stream.aclose()
    assert not source.is_connected()


@pytest.mark.wire
async def test_a_scanner_that_restarts_is_found_again_over_a_real_socket():
    greetings = [b"]C0PL00000004", b"00420\r\n"]
    commands: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if greetings:
            for part in (b"]C0PL0000", b"000420\r\n"):
                writer.write(part)
                await writer.drain()
            greetings.pop()
            if greetings:
                writer.close()
                return
        commands.append(await reader.readline())
        writer.write(b"again\n")
        await writer.drain()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    clock = LoopClock()
    source = LineScanner(
        name="gate-1", address=f"{host}:{port}", open_link=tcp_links(clock), clock=clock, rng=random.Random(1)
    )
    stream = source.scans()
    first, second = await anext(stream), await anext(stream)
    assert (first.text, first.symbology, first.device) == ("PL0000000420", "]C0", "gate-1")
    assert second.text == "PL0000000420"
    await source.trigger()
    assert (await anext(stream)).text == "again"
    assert commands == [TRIGGER]
    await stream.aclose()
    server.close()


async def test_a_name_that_no_host_can_have_is_a_lost_link_and_nothing_worse():
    for make in (tcp_links, tcp_ports):
        with pytest.raises(OSError, match="no name of a host"):
            await make(LoopClock())("gate..line:2001").connect()
