"""node-opcua as a client of the twin and as a server to our driver: a whole job over each, and who is refused by whom.

Each row of PROTECTIONS runs the jobs; a secured one has a certificate at both ends, and a user with a password.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

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
from plc.security import UNSAID, LinkBarred, Reach
from plc.trust import TrustFolder
from simulation.mounts.shield import Shield
from tests.peers.foreign import Peer, Refused, peer
from tests.plc.craft import Made, key, made, secured
from tests.plc.plants import WRITTEN, machine_for, wish
from tests.simulation.rig import Hand, Served, plant_spec, running
from tests.waiting import eventually, serving

pytestmark = [pytest.mark.wire, pytest.mark.timeout(90)]
quiet_libraries()

USER, PASSWORD = "line", "correct horse battery staple"
SIZE = {"length_mm": 300, "width_mm": 200, "height_mm": 100}


@cache
def ours() -> Made:
    return made(name="controller", uri="urn:test:packline", secret=key(2048, 3))


@cache
def theirs() -> Made:
    return made(name="foreign", uri="urn:test:foreign", secret=key(2048, 6))


@cache
def machine() -> Made:
    return made()


@dataclass(frozen=True)
class Protection:
    """How the two sides meet; files go to a folder of the test. Without a policy: in the clear on the loopback."""

    policy: str = ""

    def foreign(self, folder: Path, *, trusts: Made | None) -> dict[str, Any]:
        """Say what node-opcua is told; it believes the certificate `trusts`."""
        if not self.policy:
            return {}
        own = theirs().kept(folder / "theirs")
        sides = {"mode": "SignAndEncrypt", "policy": NAMES[self.policy], "user": USER, "password": PASSWORD}
        files = {"certificate": str(own.certificate_file), "key": str(own.key_file)}
        believed = [str(trusts.kept(folder / "believed").certificate_file)] if trusts else []
        return {**sides, **files, "uri": own.uri, "trusts": believed}

    def reach(self, folder: Path) -> Reach:
        """Give our side's; `packline pki trust` is the test's own business."""
        if not self.policy:
            return UNSAID
        pki, secret = folder / "ours", folder / "secret"
        ours().kept(pki)
        secret.write_text(PASSWORD, "utf-8")
        secret.chmod(0o600)
        return Reach(protection=secured(pki, self.policy, user=USER, password_file=secret))

    def shield(self, folder: Path) -> Shield | None:
        """Give the twin's side, which lets in nobody but node-opcua."""
        if not self.policy:
            return None
        clients = folder / "clients"
        TrustFolder(folder).trust(theirs().certificate).parent.rename(clients)
        own = machine().kept(folder / "twin")
        return Shield(policy=self.policy, own=own, clients=clients, user=USER, password=PASSWORD)


NAMES = {"Basic256Sha256": "Basic256Sha256", "Aes256Sha256RsaPss": "Aes256_Sha256_RsaPss"}
"""What node-opcua calls our policies."""
SECURED = Protection("Basic256Sha256")
PROTECTIONS = {
    "unsecured on the loopback": Protection(),
    "Basic256Sha256": SECURED,
    "Aes256Sha256RsaPss": Protection("Aes256Sha256RsaPss"),
}
protections = pytest.mark.parametrize("protection", PROTECTIONS.values(), ids=list(PROTECTIONS))
in_one_loop = pytest.mark.asyncio(loop_scope="module")


@asynccontextmanager
async def foreign(role: str, packages: Path, folder: Path, options: Mapping[str, Any]) -> AsyncIterator[Peer]:
    async with peer("opcua_peer.js", role, folder, json.dumps(options), packages=packages) as other:
        yield other


# -- foreign client, our twin ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Guarded:
    """A running twin and how it is protected."""

    plant: Served
    protection: Protection
    folder: Path

    def options(self, folder: Path) -> dict[str, Any]:
        return {"endpoint": self.plant.addresses["packer-1"], **self.protection.foreign(folder, trusts=machine())}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def twin(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Guarded]:
    """Serve one packer, protected as the tests that share it are told."""
    folder, whole = tmp_path_factory.mktemp("twin"), plant_spec()
    machines = tuple(
        replace(one, shield=request.param.shield(folder)) for one in whole.machines if one.name == "packer-1"
    )
    spec = replace(whole, machines=machines, scanners=(), printers=(), cameras=())
    async for plant in running(spec):
        yield Guarded(plant=plant, protection=request.param, folder=folder)


@in_one_loop
@pytest.mark.parametrize("twin", PROTECTIONS.values(), ids=list(PROTECTIONS), indirect=True)
async def test_foreign_client_takes_a_machine_of_the_twin_has_a_job_done_and_hears_of_it(
    twin: Guarded, packages: Path, tmp_path: Path
):
    carton = await twin.plant.floor.fresh_carton()
    await twin.plant.floor.send(carton, "pack-1")
    async with foreign("client", packages, tmp_path, twin.options(tmp_path)) as client:
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


@in_one_loop
@pytest.mark.parametrize("twin", [SECURED], ids=["Basic256Sha256"], indirect=True)
@pytest.mark.parametrize("why", ["BadCertificateUntrusted", "BadUserAccessDenied"])
async def test_foreign_client_that_the_twin_does_not_know_is_not_let_in(
    twin: Guarded, packages: Path, tmp_path: Path, why: str
):
    options = twin.options(tmp_path)
    if why == "BadUserAccessDenied":
        options["password"] = "guessed"
    else:
        made(name="stranger", uri="urn:test:foreign", secret=key(2048, 5)).kept(tmp_path / "theirs")
    with pytest.raises(Refused, match=why):
        async with foreign("client", packages, tmp_path, options):
            pass


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
    reach = protection.reach(tmp_path)
    TrustFolder(tmp_path / "ours").trust(theirs().certificate)
    async with foreign("serve", packages, tmp_path, protection.foreign(tmp_path, trusts=ours())) as server:
        address = f"opc.tcp://127.0.0.1:{server.first['port']}"
        async with obeying(server, plant), controlled(file, OpcUaLink(file, address, reach)) as machine:
            await machine.make_ready()
            device = machine.device()
            ticket = await device.prepare(wish(SEAL, **SIZE), 5)
            await device.send(wish(SEAL, **SIZE), ticket)
            assert (await device.inquire(wish(SEAL, **SIZE), ticket)).state is EffectState.CONFIRMED
            assert [(motion.job, motion.params[:3]) for motion in plant.executed] == [(5, (300, 200, 100))]
        link = OpcUaLink(file, address, reach)
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
    async with serving(machine.run()):
        yield machine


async def test_a_stranger_among_foreign_servers_and_one_to_whom_we_are_strangers_are_named_and_get_no_job(
    packages: Path, tmp_path: Path
):
    file, reach, trust = shipped_machine("packer"), SECURED.reach(tmp_path), TrustFolder(tmp_path / "ours")
    async with foreign("serve", packages, tmp_path, SECURED.foreign(tmp_path, trusts=None)) as server:
        link = OpcUaLink(file, f"opc.tcp://127.0.0.1:{server.first['port']}", reach)
        with pytest.raises(LinkBarred, match="1011"):
            await link.connect()
        assert list(trust.refused().values()) == [theirs().certificate]
        trust.trust(theirs().certificate)
        with pytest.raises(LinkBarred, match="1016"):
            await link.connect()
        await link.close()
