"""The chaos proxy: each rule does what its name says, to the frames it is for and to no others."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.commands.chaos import obey
from packline.core.faults import Fault
from simulation.chaos import Chaos, Framing, Kind, Rule, Way, _frames
from tests.waiting import eventually, let_run

BOUND_S = 20.0


def adu(number: int, body: bytes) -> bytes:
    """Give a Modbus frame."""
    return number.to_bytes(2) + b"\0\0" + (len(body) + 1).to_bytes(2) + b"\1" + body


# -- rules -------------------------------------------------------------------------------------------------------------


def test_rule_is_read_from_words():
    rule = Rule.parse("duplicate answer p=0.25 count=3 after=2 s=0.5 late=4 spare=7")
    assert (rule.kind, rule.way, rule.probability, rule.count) == (Kind.DUPLICATE, Way.ANSWER, 0.25, 3)
    assert (rule.after, rule.seconds, rule.late, rule.spare) == (2, 0.5, 4, 7)


@pytest.mark.parametrize("text", ["", "melt", "drop sideways", "drop p=many", "drop p=0.1 of=all"])
def test_rule_that_says_something_else_is_refused(text):
    with pytest.raises(Fault) as fault:
        Rule.parse(text)
    assert fault.value.code == 4201


def test_rule_strikes_as_often_as_it_may_after_its_peace_and_only_what_it_is_for():
    rule = Rule(kind=Kind.DROP, way=Way.REQUEST, count=2, after=1, only=lambda frame: frame != b"spared")
    rng = random.Random(1)
    hits = [rule.strikes(frame, Way.REQUEST, rng) for frame in (b"a", b"spared", b"b", b"c", b"d")]
    assert hits == [False, False, True, True, False]
    assert not Rule(kind=Kind.DROP, way=Way.REQUEST).strikes(b"a", Way.ANSWER, rng)


@given(
    st.sampled_from(list(Framing)),
    st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
)
def test_frames_come_out_whole_however_the_stream_was_cut(framing, bodies, rng):
    made: dict[Framing, Callable[[int, bytes], bytes]] = {
        Framing.MODBUS: adu,
        Framing.OPCUA: lambda _, body: b"MSGF" + (len(body) + 8).to_bytes(4, "little") + body,
        Framing.RAW: lambda _, body: body,
    }
    frames = [made[framing](number, body) for number, body in enumerate(bodies)]

    async def cut_and_join() -> list[bytes]:
        reader = asyncio.StreamReader()
        stream = b"".join(frames)
        out: list[bytes] = []
        seen = asyncio.ensure_future(_collect(reader, framing, out))
        while stream:
            size = rng.randrange(1, 9)
            reader.feed_data(stream[:size])
            stream = stream[size:]
            await let_run()
        reader.feed_eof()
        await seen
        return out

    out = asyncio.run(cut_and_join())
    assert b"".join(out) == b"".join(frames)
    if framing is not Framing.RAW:
        assert out == frames


async def _collect(reader: asyncio.StreamReader, framing: Framing, out: list[bytes]) -> None:
    async for frame in _frames(reader, framing):
        out.append(frame)


# -- on the wire -------------------------------------------------------------------------------------------------------


class Target:
    """Keeps what it gets and echoes it."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.ended = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async for frame in _frames(reader, Framing.MODBUS):
                self.got.append(frame)
                writer.write(frame)
        except ConnectionError:
            pass
        self.ended += 1
        writer.close()


@asynccontextmanager
async def proxied(*rules: str, seed: int = 1) -> AsyncIterator[tuple[Target, Chaos, str]]:
    target = Target()
    server = await asyncio.start_server(target.serve, "127.0.0.1", 0)
    address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    chaos = Chaos(address, framing=Framing.MODBUS, rules=[Rule.parse(rule) for rule in rules], seed=seed)
    try:
        yield target, chaos, await chaos.open()
    finally:
        await chaos.close()
        server.close()


class Peer:
    """Asks frames through the proxy."""

    def __init__(self, address: str) -> None:
        self._host, _, port = address.partition(":")
        self._port = int(port)

    async def __aenter__(self) -> Peer:
        self.reader, self.writer = await asyncio.open_connection(self._host, self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    def send(self, frame: bytes) -> None:
        self.writer.write(frame)

    async def hear(self, size: int) -> bytes:
        async with asyncio.timeout(BOUND_S):
            return await self.reader.readexactly(size)

    async def hear_end(self) -> bytes:
        async with asyncio.timeout(BOUND_S):
            return await self.reader.read()


FRAMES = [adu(number, bytes(range(number, number + 12))) for number in range(1, 6)]


@pytest.mark.wire
async def test_without_rules_everything_arrives_as_it_was_sent():
    async with proxied() as (target, chaos, address), Peer(address) as peer:
        peer.send(b"".join(FRAMES))
        assert await peer.hear(len(b"".join(FRAMES))) == b"".join(FRAMES)
        assert target.got == FRAMES
        assert chaos.carried == {Way.REQUEST: 5, Way.ANSWER: 5}
        assert not chaos.struck


@pytest.mark.wire
async def test_dropped_request_never_arrives_and_dropped_answer_never_comes_back():
    async with proxied("drop request count=1", "drop answer count=1") as (target, _, address), Peer(address) as peer:
        for frame in FRAMES[:3]:
            peer.send(frame)
        assert await peer.hear(len(FRAMES[2])) == FRAMES[2]
        assert target.got == FRAMES[1:3]


@pytest.mark.wire
async def test_duplicate_comes_again_after_as_many_frames_as_it_is_late_even_over_another_connection():
    async with proxied("duplicate request count=1 late=2") as (target, chaos, address):
        async with Peer(address) as first:
            first.send(FRAMES[0])
            assert await first.hear(len(FRAMES[0])) == FRAMES[0]
        await eventually(lambda: chaos.peers == 0)
        async with Peer(address) as second:
            for frame in FRAMES[1:3]:
                second.send(frame)
            await eventually(lambda: len(target.got) == 4)
        assert target.got == [*FRAMES[:3], FRAMES[0]]


@pytest.mark.wire
async def test_late_copy_may_be_hastened():
    async with proxied("duplicate request count=1 late=1000") as (target, chaos, address), Peer(address) as peer:
        peer.send(FRAMES[0])
        await eventually(lambda: chaos.waiting() == 1)
        chaos.hasten()
        peer.send(FRAMES[1])
        await eventually(lambda: len(target.got) == 3)
        assert target.got == [*FRAMES[:2], FRAMES[0]]
        assert chaos.waiting() == 0


@pytest.mark.wire
async def test_split_frame_arrives_whole_in_the_end_and_corrupt_one_differs_behind_what_is_spared():
    async with proxied("split p=1 s=0.001", "corrupt request count=1 spare=7") as (target, _, address):
        async with Peer(address) as peer:
            for frame in FRAMES[:2]:
                peer.send(frame)
                await peer.hear(len(frame))
        assert target.got[0] != FRAMES[0]
        assert target.got[0][:7] == FRAMES[0][:7]
        assert len(target.got[0]) == len(FRAMES[0])
        assert target.got[1] == FRAMES[1]


@pytest.mark.wire
async def test_reset_and_cut_end_the_connection_and_the_next_one_is_welcome():
    async with proxied("reset request count=1") as (target, chaos, address):
        async with Peer(address) as peer:
            peer.send(FRAMES[0])
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await peer.hear(1)
        async with Peer(address) as peer:
            peer.send(FRAMES[1])
            assert await peer.hear(len(FRAMES[1])) == FRAMES[1]
            chaos.cut()
            assert await peer.hear_end() == b""
        assert target.got == [FRAMES[1]]


@pytest.mark.wire
async def test_what_is_held_back_is_delivered_even_after_its_sender_has_gone():
    async with proxied() as (target, chaos, address):
        chaos.hold(Way.REQUEST)
        async with Peer(address) as peer:
            await eventually(lambda: chaos.peers == 1)
            peer.send(FRAMES[0])
        chaos.release()
        await eventually(lambda: target.ended == 1)
        assert target.got == [FRAMES[0]]


@pytest.mark.wire
async def test_same_seed_does_the_same_to_the_same_frames():
    outcomes = []
    for _ in range(2):
        async with proxied("drop request p=0.3", "corrupt request p=0.5 spare=7", seed=4) as (target, _, address):
            async with Peer(address) as peer:
                for frame in FRAMES * 4:
                    peer.send(frame)
            await eventually(lambda: target.ended == 1)  # noqa: B023 - awaited before the next round
            outcomes.append(target.got)
    assert outcomes[0] == outcomes[1]
    assert 0 < len(outcomes[0]) < len(FRAMES) * 4


@pytest.mark.wire
async def test_target_that_is_not_there_is_told_by_a_closed_connection():
    chaos = Chaos("127.0.0.1:1")
    async with Peer(await chaos.open()) as peer:
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await peer.hear(1)
    await chaos.close()


# -- the verb ----------------------------------------------------------------------------------------------------------


async def test_lines_change_the_rules_while_it_runs_and_a_wrong_one_says_what_is_right():
    chaos = Chaos("127.0.0.1:1")
    assert obey(chaos, "rule drop answer p=0.5")["rules"] == 1
    assert obey(chaos, "hold request")["ok"]
    assert obey(chaos, "release")["ok"]
    assert obey(chaos, "clear")["rules"] == 0
    for wrong in ("rule melt", "hold sideways", "explode"):
        told = obey(chaos, wrong)
        assert (told["ok"], told["seen"]) == (False, wrong)
        assert told["expected"]


@pytest.mark.wire
async def test_verb_carries_until_it_is_told_to_quit():
    target = Target()
    server = await asyncio.start_server(target.serve, "127.0.0.1", 0)
    address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    words = ["chaos", "127.0.0.1:0", address, "--framing", "modbus", "--rule", "drop request count=1", "--json"]
    verb = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "controller", *words, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert verb.stdin and verb.stdout
    async with asyncio.timeout(BOUND_S):
        ready = json.loads(await verb.stdout.readline())
        async with Peer(ready["address"]) as peer:
            peer.send(FRAMES[0])
            peer.send(FRAMES[1])
            assert await peer.hear(len(FRAMES[1])) == FRAMES[1]
            verb.stdin.write(b"show\n")
            told = json.loads(await verb.stdout.readline())
        verb.stdin.write(b"quit\n")
        assert await verb.wait() == 0
    assert (told["peers"], told["struck"]) == (1, {"drop": 1})
    server.close()
