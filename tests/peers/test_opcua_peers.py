"""node-opcua as a client of the twin and as a server to our driver: a whole job over each.

`Protection` says how a peer is reached; each row of PROTECTIONS runs all tests.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from packline.core.clock import LoopClock
from packline.core.effects import SEAL, EffectState
from plc.brains import brain_for
from plc.drivers.opcua import OpcUaLink
from plc.drivers.opening import quiet_libraries
from plc.handshake import frames
from plc.handshake.frames import Result
from plc.links import LinkTrouble
from plc.machine import Machine
from plc.machine_file import MachineFile, shipped_machine
from plc.memory_link import MemoryMachine
from plc.security import UNSAID, Reach
from tests.peers.foreign import Peer, Refused, peer
from tests.plc.plants import WRITTEN, eventually, machine_for, wish
from tests.simulation.rig import Hand, Served, plant_spec, running

pytestmark = [pytest.mark.wire, pytest.mark.timeout(90)]
quiet_libraries()

SIZE = {"length_mm": 300, "width_mm": 200, "height_mm": 100}


@dataclass(frozen=True)
class Protection:
    """How the two sides meet: what node-opcua is told, and our reach of it."""

    foreign: Mapping[str, Any] = field(default_factory=dict)
    reach: Reach = UNSAID


PROTECTIONS = {"unsecured on the loopback": Protection()}
protections = pytest.mark.parametrize("protection", PROTECTIONS.values(), ids=list(PROTECTIONS))


@asynccontextmanager
async def foreign(role: str, packages: Path, folder: Path, options: Mapping[str, Any]) -> AsyncIterator[Peer]:
    async with peer("opcua_peer.js", role, folder, json.dumps(options), packages=packages) as other:
        yield other


# -- foreign client, our twin ------------------------------------------------------------------------------------------


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async for plant in running(plant_spec()):
        yield plant


@protections
async def test_foreign_client_takes_a_machine_of_the_twin_has_a_job_done_and_hears_of_it(
    served: Served, packages: Path, tmp_path: Path, protection: Protection
):
    carton = await served.floor.fresh_carton()
    await served.floor.send(carton, "pack-1")
    options = {"endpoint": served.addresses["packer-1"], **protection.foreign}
    async with foreign("client", packages, tmp_path, options) as client:
        places = {block: shipped_machine("packer").node(block) for block in frames.BLOCK_WORDS}

        async def read(block: str) -> tuple[int, ...]:
            return tuple((await client.ask(read=places[block]))["words"])

        async def write(block: str, words: Any) -> None:
            await client.ask(write=[*places[block], list(words)])

        await client.ask(watch=places[frames.STATUS])
        hand = Hand(read, write)
        await hand.take()
        await eventually(lambda: carton.place == "pack-1")
        status = await hand.do(16, 200, 150, 100)
        assert (status.result, carton.closed_by) == (Result.OK, "packer-1")
        with pytest.raises(Refused):  # STATUS is not written
            await write(frames.STATUS, [0] * 40)
        heard: list[frames.Status] = []
        async with asyncio.timeout(20):
            while not any(one.done == status.done for one in heard):
                heard += [frames.decode_status(words) for words in (await client.ask(seen=None))["seen"] if any(words)]


# -- foreign server, our driver ----------------------------------------------------------------------------------------


@asynccontextmanager
async def obeying(server: Peer, plant: MemoryMachine) -> AsyncIterator[None]:
    """Let the machine's rules live in the foreign server's arrays, scan by scan."""

    async def scan() -> None:
        while True:
            for block in WRITTEN:
                plant.brain.write(block, (await server.ask(get=[block]))["words"])
            plant.scan()
            await server.ask(put=[frames.STATUS, list(plant.brain.status_words())])

    task = asyncio.ensure_future(scan())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


@protections
async def test_our_controller_has_a_job_done_by_a_machine_behind_a_foreign_server_and_hears_refusals_and_its_end(
    packages: Path, tmp_path: Path, protection: Protection
):
    file = shipped_machine("packer")
    plant = MemoryMachine(brain=brain_for(file, random.Random(1)), clock=LoopClock(), motion_s=0.05)
    plant.boot()
    async with foreign("serve", packages, tmp_path, protection.foreign) as server:
        address = f"opc.tcp://127.0.0.1:{server.first['port']}"
        async with obeying(server, plant), controlled(file, OpcUaLink(file, address, protection.reach)) as machine:
            await machine.make_ready()
            device = machine.device()
            ticket = await device.prepare(wish(SEAL, **SIZE), 5)
            await device.send(wish(SEAL, **SIZE), ticket)
            assert (await device.inquire(wish(SEAL, **SIZE), ticket)).state is EffectState.CONFIRMED
            assert [(motion.job, motion.params[:3]) for motion in plant.executed] == [(5, (300, 200, 100))]
        link = OpcUaLink(file, address, protection.reach)
        await link.connect()
        with pytest.raises(LinkTrouble):  # it may only be read
            await link.write(frames.STATUS, [0] * 40)
        await link.connect()
        assert frames.decode_status(await link.read(frames.STATUS)).job == 5
    with pytest.raises(LinkTrouble):  # the server has gone
        await link.read(frames.STATUS)
    await link.close()


@asynccontextmanager
async def controlled(file: MachineFile, link: OpcUaLink) -> AsyncIterator[Machine]:
    machine = machine_for(file, link)
    task = asyncio.ensure_future(machine.run())
    try:
        yield machine
    finally:
        task.cancel()
        await asyncio.wait({task})
