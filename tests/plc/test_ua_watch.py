"""Subscriptions over OPC UA that are slow, refused, lost or over: nothing old is believed, and nothing good is called old."""

from __future__ import annotations

import asyncio
import random
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial

import pytest
from asyncua import ua

from packline.core.clock import LoopClock
from packline.core.files import parse
from packline.core.scans import Scan
from plc.drivers.autoid import NAMESPACE, AutoIdReader
from plc.drivers.opcua import OpcUaLink
from plc.drivers.opening import quiet_libraries
from plc.links import LinkTrouble
from plc.machine_file import MachineFile
from plc.machine_view import MachineView
from plc.plain_machine import PlainMachine
from tests.plc.plants import port_of
from tests.plc.ua_stands import Stand, standing
from tests.waiting import eventually, serving

pytestmark = [pytest.mark.wire, pytest.mark.timeout(60)]
quiet_libraries()

URI = "urn:packline:stand"
FILE = f"""
[machine]
model = "stand"
title = "Stand"
source = "a test"
protocol = "opcua"
namespace = "{URI}"
stale_after_ms = 1200
[handshake]
kind = "none"
[tags]
count = {{ node = "Count", type = "u32" }}
eye = {{ node = "Eye", type = "bool" }}
[capability]
carton_present = "eye"
"""


class Watched:
    """A machine at a stand, and how often its picture was not good once it had been."""

    def __init__(self, stand: Stand) -> None:
        file = parse(tomllib.loads(FILE), MachineFile, "stand")
        self.link = OpcUaLink(file, stand.address)
        self.was_good, self.lapses = False, 0
        self.machine = PlainMachine(
            name="m1", file=file, link=self.link, clock=LoopClock(), rng=random.Random(1), on_change=self._note
        )

    def _note(self, view: MachineView) -> None:
        self.lapses += self.was_good and not view.is_good
        self.was_good = view.is_good

    def shows(self, count: int) -> bool:
        tag = self.machine.view().tags.get("count")
        return tag is not None and tag.is_good and tag.value == count


@asynccontextmanager
async def watched(**wishes: object) -> AsyncIterator[tuple[Stand, Watched]]:
    async with standing(URI) as stand:
        await stand.add("Count", 0, ua.VariantType.UInt32)
        await stand.add("Eye", True, ua.VariantType.Boolean)
        for name, wish in wishes.items():
            setattr(stand.subscriptions, name, wish)
        one = Watched(stand)
        async with serving(one.machine.run()):
            await eventually(lambda: one.was_good)
            yield stand, one


async def words(one: Watched, times: int) -> None:
    """Wait until the server has said so many times that nothing changed."""
    for _ in range(times):
        await eventually(lambda: (one.link.silent_s() or 0) > 0.15)
        await eventually(lambda: (one.link.silent_s() or 1) < 0.1)


async def test_server_that_publishes_slowly_is_asked_for_its_word_as_often_as_it_can_give_it():
    async with watched(least_ms=400.0) as (stand, one):
        (given,) = stand.subscriptions.subscriptions.values()
        assert given.data.RevisedPublishingInterval == 400
        assert given.data.RevisedMaxKeepAliveCount == 1
        await words(one, 2)
        assert stand.subscriptions.made == 1


async def test_tags_of_a_server_that_may_be_silent_for_too_long_are_read():
    async with watched(least_ms=5000.0) as (stand, one):
        assert not stand.subscriptions.subscriptions
        for count in (5, 6):
            await stand.put("Count", count)
            await eventually(partial(one.shows, count))
        assert stand.subscriptions.made == 1


async def test_node_that_cannot_be_watched_is_read_and_the_others_are_told():
    async with standing(URI) as stand:
        await stand.add("Count", 0, ua.VariantType.UInt32)
        await stand.add("Eye", True, ua.VariantType.Boolean)
        stand.subscriptions.unwatched = {stand.nodes["Count"].nodeid}
        one = Watched(stand)
        async with serving(one.machine.run()):
            await eventually(lambda: one.was_good)
            for count in (5, 6):
                await stand.put("Count", count)
                await eventually(partial(one.shows, count))
            await stand.put("Eye", False)
            await eventually(lambda: one.machine.view().tags["eye"].value is False)
            assert stand.subscriptions.made == 1


@pytest.mark.parametrize("end", ["forget", "expire"])
async def test_subscription_that_its_server_ended_is_made_anew_and_never_believed_meanwhile(end: str):
    async with watched() as (stand, one):
        await getattr(stand.subscriptions, end)()
        await eventually(lambda: one.lapses)
        await eventually(lambda: stand.subscriptions.made == 2 and one.was_good)
        await stand.put("Count", 9)
        await eventually(lambda: one.shows(9))


BEHIND_ITS_HEAD = 16
SPOILT = ((33, 0xFF), (41, 0x80))


class Garbler:
    """Stands between; once `spoils` says which byte of an answer's body becomes what, each answer comes so."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.spoils: tuple[int, int] | None = None
        self.writers: list[asyncio.StreamWriter] = []

    async def relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, here = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers += [writer, here]
        await asyncio.gather(self._pass(reader, here, is_answer=False), self._pass(there, writer, is_answer=True))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_answer: bool) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readexactly(8)
                body = bytearray(await reader.readexactly(int.from_bytes(head[4:], "little") - 8))
                if is_answer and self.spoils:
                    at, byte = self.spoils
                    body[BEHIND_ITS_HEAD + at] = byte
                writer.write(head + body)
                await writer.drain()
        writer.close()


async def test_answer_that_cannot_be_read_is_trouble_of_the_link_and_of_nothing_else():
    async with standing(URI) as stand:
        await stand.add("Count", 0, ua.VariantType.UInt32)
        between = Garbler(port_of(stand.server))
        listening = await asyncio.start_server(between.relay, "127.0.0.1", 0)
        file = parse(tomllib.loads(FILE), MachineFile, "stand")
        link = OpcUaLink(file, f"opc.tcp://127.0.0.1:{listening.sockets[0].getsockname()[1]}/x")
        for spoils in SPOILT:
            between.spoils = None
            await link.connect()
            between.spoils = spoils
            with pytest.raises(LinkTrouble):
                await link.read_nodes([(URI, "s=Count")])
        await link.close()
        listening.close()
        for writer in between.writers:
            writer.close()


# -- a scanner ---------------------------------------------------------------------------------------------------------

DATA, COUNT = "OpticalReader.LastScanData", "OpticalReader.ScanCounter"


class Gate:
    """A reader at a stand, and what it told."""

    def __init__(self, stand: Stand) -> None:
        self.stand, self.scans, self.number = stand, list[Scan](), 0
        self.reader = AutoIdReader(name="gate", url=stand.address, clock=LoopClock(), rng=random.Random(1))

    async def listen(self) -> None:
        async for scan in self.reader.scans():
            self.scans.append(scan)

    async def read(self, text: str) -> None:
        self.number += 1
        now = datetime.now(UTC).replace(tzinfo=None)
        await self.stand.put(DATA, text, at=now)
        await self.stand.put(COUNT, self.number, at=now)

    async def hears(self, text: str) -> None:
        """Have a text read and wait until it is told."""
        await self.read(text)
        await eventually(lambda: self.scans and self.scans[-1].text == text)


@asynccontextmanager
async def gated() -> AsyncIterator[Gate]:
    async with standing(NAMESPACE) as stand:
        await stand.add(DATA, "", ua.VariantType.String)
        await stand.add(COUNT, 0, ua.VariantType.UInt32)
        gate = Gate(stand)
        async with serving(gate.listen()):
            await eventually(gate.reader.is_connected)
            await eventually(lambda: stand.subscriptions.made == 1)
            await gate.hears("A")
            yield gate


async def test_read_while_a_scanners_subscription_was_gone_is_told_after_it_was_made_anew():
    async with gated() as gate:
        await gate.stand.subscriptions.forget()
        await gate.read("B")
        await eventually(lambda: [scan.text for scan in gate.scans] == ["A", "B"])
        assert gate.stand.subscriptions.made == 2


async def test_scanner_whose_subscription_expired_is_watched_anew():
    async with gated() as gate:
        await gate.stand.subscriptions.expire()
        await eventually(lambda: gate.stand.subscriptions.made == 2)
        await gate.hears("B")


async def test_what_a_reader_does_not_vouch_for_is_no_read():
    async with gated() as gate:
        await gate.stand.put(DATA, None, ua.StatusCodes.BadNoCommunication)
        await gate.stand.put(COUNT, 77, ua.StatusCodes.UncertainLastUsableValue)
        await gate.hears("B")
        assert [scan.text for scan in gate.scans] == ["A", "B"]


async def test_first_read_of_a_reader_that_started_again_is_told_though_its_number_was_told_before():
    async with gated() as gate:
        gate.number = 0
        await gate.stand.put(COUNT, 0)
        await gate.hears("B")
        assert [scan.text for scan in gate.scans] == ["A", "B"]
