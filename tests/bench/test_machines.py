"""What it costs to speak with a machine safely, beside speaking with it at all."""

import random
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager

import pytest
from asyncua import Client
from pymodbus.client import AsyncModbusTcpClient

from packline.core.clock import LoopClock
from packline.core.effects import APPLY, Effect, EffectState
from plc.drivers.opening import open_link
from plc.handshake import frames
from plc.machine import Machine
from plc.machine_file import MachineFile, shipped_machine
from tests.bench.children import child
from tests.bench.gauge import Figure, figure, in_turns
from tests.plc.plants import Epochs
from tests.waiting import PATIENCE_S, serving

pytestmark = pytest.mark.bench

Tell = Callable[[Figure], None]
JOBS = 20
READS = 40
ZEROS = (0,) * frames.BLOCK_WORDS[frames.CMD]
"""A block without a checksum: the peer's machine takes it into its registers and does nothing."""


@pytest.fixture(scope="module")
def plants() -> Iterator[Mapping[str, str]]:
    """Serve the machines; gives their addresses."""
    with child("tests.bench.plants") as addresses:
        yield addresses


@asynccontextmanager
async def running(file: MachineFile, address: str) -> AsyncIterator[Machine]:
    machine = Machine(
        name="arm-1",
        file=file,
        link=open_link(file, address),
        epochs=Epochs(),
        owner_id=9,
        clock=LoopClock(),
        rng=random.Random(3),
    )
    async with serving(machine.run()):
        await machine.wait(lambda view: view.owned, PATIENCE_S)
        await machine.make_ready()
        yield machine


@asynccontextmanager
async def bare_modbus(address: str) -> AsyncIterator[AsyncModbusTcpClient]:
    host, _, port = address.partition(":")
    client = AsyncModbusTcpClient(host, port=int(port), timeout=5)
    assert await client.connect()
    try:
        yield client
    finally:
        client.close()


async def test_a_job_is_handed_over_and_its_end_is_proved(plants: Mapping[str, str], tell: Tell):
    arm = shipped_machine("applicator")
    cmd, status = arm.register(frames.CMD), arm.register(frames.STATUS)
    wish = Effect(kind=APPLY, subject="PL0000000017", generation=1, station="label-1")
    async with running(arm, plants["arm"]) as machine, bare_modbus(plants["other-arm"]) as client:
        device = machine.device()
        begun = machine.brain.next_seq()

        async def jobs() -> None:
            for job in range(1, JOBS + 1):
                ticket = await device.prepare(wish, job)
                await device.send(wish, ticket)
                assert (await device.inquire(wish, ticket)).state is EffectState.CONFIRMED

        async def writes_and_reads() -> None:
            for _ in range(JOBS):
                assert not (await client.write_registers(cmd, list(ZEROS), device_id=1)).isError()
                answer = await client.read_holding_registers(status, count=40, device_id=1)
                assert answer.registers[0] == frames.MAGIC

        taken = await in_turns(jobs, writes_and_reads, things=JOBS)
        assert machine.brain.next_seq() > begun
    tell(
        figure(
            "one job over Modbus TCP by the handshake, its end proved",
            ours=taken[0],
            peer=taken[1],
            peer_name="pymodbus: write 16 registers, read 40",
            unit="ms/job",
        )
    )


async def test_a_status_is_read_over_opc_ua(plants: Mapping[str, str], tell: Tell):
    packer = shipped_machine("packer")
    uri, identifier = packer.node(frames.STATUS)
    link = open_link(packer, plants["packer"])
    await link.connect()
    async with Client(plants["packer"]) as client:
        node = client.get_node(f"ns={await client.get_namespace_index(uri)};s={identifier}")

        async def ours() -> None:
            for _ in range(READS):
                assert frames.decode_status(await link.read(frames.STATUS)).boot

        async def bare() -> None:
            for _ in range(READS):
                assert (await node.read_value())[0] == frames.MAGIC

        taken = await in_turns(ours, bare, things=READS)
    await link.close()
    tell(
        figure(
            "one status over OPC UA, checksum proved and decoded",
            ours=taken[0],
            peer=taken[1],
            peer_name="asyncua: read_value of the same array",
            unit="ms/read",
        )
    )
