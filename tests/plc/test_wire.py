"""The drivers over real sockets, against small servers that obey the machine's rules."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from asyncua import Server, ua
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from packline.core.clock import LoopClock
from packline.core.effects import APPLY, SEAL, Effect, EffectState
from plc.brains import brain_for
from plc.drivers.autoid import AutoIdReader
from plc.drivers.opening import open_link, quiet_libraries
from plc.drivers.ua_session import node_id
from plc.handshake import frames
from plc.links import LinkDown, LinkRefused, LinkSilent
from plc.machine import Machine
from plc.machine_file import MachineFile, shipped_machine
from plc.memory_link import MemoryMachine

pytestmark = [pytest.mark.wire, pytest.mark.timeout(60)]
BOUND_S = 20.0
quiet_libraries()


class Epochs:
    def __init__(self) -> None:
        self.epochs: dict[str, int] = {}

    async def epoch(self, machine: str) -> int:
        return self.epochs.get(machine, 0)

    async def raise_epoch(self, machine: str, epoch: int) -> None:
        self.epochs[machine] = epoch


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(BOUND_S):
        while not condition():
            await asyncio.sleep(0.01)


def port_of(server: Any) -> int:
    return int(server.bserver._server.sockets[0].getsockname()[1])


def plant_for(file: MachineFile) -> MemoryMachine:
    plant = MemoryMachine(brain=brain_for(file, random.Random(1)), clock=LoopClock(), motion_s=0.05)
    plant.boot()
    return plant


def machine_for(file: MachineFile, link) -> Machine:
    return Machine(
        name="m1", file=file, link=link, epochs=Epochs(), owner_id=9, clock=LoopClock(), rng=random.Random(3)
    )


def wish(kind, **parameters) -> Effect:
    return Effect(kind=kind, subject="PL0000000017", generation=1, station="s", parameters=parameters)


class Proxy:
    """Carries bytes between a client and a server; can swallow answers, hold everything back, and cut."""

    def __init__(self, inner_port: int, swallows: Callable[[bytes], bool] = lambda _: False) -> None:
        self._inner, self._swallows = inner_port, swallows
        self._flows = asyncio.Event()
        self._flows.set()
        self._pipes: set[asyncio.StreamWriter] = set()
        self._serving: set[Any] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        self._server.close()
        self.thaw()
        self.cut()
        if self._serving:
            await asyncio.wait(self._serving)

    def cut(self) -> None:
        for pipe in self._pipes:
            pipe.close()

    def freeze(self) -> None:
        self._flows.clear()

    def thaw(self) -> None:
        self._flows.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving.add(asyncio.current_task())
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._inner)
        self._pipes |= {writer, inner_writer}
        await asyncio.gather(
            self._pipe(reader, inner_writer, is_answer=False), self._pipe(inner_reader, writer, is_answer=True)
        )

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_answer: bool) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(4096):
                await self._flows.wait()
                if not (is_answer and self._swallows(data)):
                    writer.write(data)
        writer.close()


# -- Modbus ------------------------------------------------------------------------------------------------------------


class ModbusPlant:
    """A pymodbus server whose registers are a brain's areas, behind a proxy that can swallow answers."""

    def __init__(self, file: MachineFile) -> None:
        self.file, self.plant = file, plant_for(file)
        self.swallowed_answers = 0
        self.rejects = False
        self.cmd_writes = 0

    async def start(self) -> None:
        device = SimDevice(1, simdata=[SimData(0, count=200, datatype=DataType.REGISTERS)], action=self._touched)
        self._server = ModbusTcpServer(device, address=("127.0.0.1", 0))
        await self._server.serve_forever(background=True)
        listening: Any = self._server.transport
        self._inner = listening.sockets[0].getsockname()[1]
        self.proxy = Proxy(self._inner, self._swallows)
        await self.proxy.start()
        self.address = f"127.0.0.1:{self.proxy.port}"

    async def stop(self) -> None:
        await self.proxy.stop()
        await self._server.shutdown()

    async def _touched(self, function, start, address, count, registers, values):
        if self.rejects:
            return ExcCodes.ILLEGAL_ADDRESS
        if values is None:
            self.plant.scan()
            at = self.file.register(frames.STATUS)
            registers[at : at + 40] = list(self.plant.brain.status_words())
            return None
        for block in (frames.CMD, frames.HB, frames.STATE):
            if address == self.file.register(block):
                self.cmd_writes += block == frames.CMD
                self.plant.brain.write(block, values)
                self.plant.scan()
        return None

    def _swallows(self, answer: bytes) -> bool:
        is_write_of_cmd = len(answer) > 11 and answer[7] == 16 and answer[11] == 16
        if not (is_write_of_cmd and self.swallowed_answers):
            return False
        self.swallowed_answers -= 1
        return True


@asynccontextmanager
async def modbus_plant(name: str):
    plant = ModbusPlant(shipped_machine(name))
    await plant.start()
    try:
        yield plant
    finally:
        await plant.stop()


@asynccontextmanager
async def running(file: MachineFile, address: str):
    machine = machine_for(file, open_link(file, address))
    task = asyncio.ensure_future(machine.run())
    try:
        yield machine
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_modbus_job_whose_answers_are_lost_is_executed_once():
    async with modbus_plant("applicator") as plant, running(plant.file, plant.address) as machine:
        await machine.make_ready()
        device = machine.device()
        ticket = await device.prepare(wish(APPLY), 5)
        plant.swallowed_answers = 1
        await device.send(wish(APPLY), ticket)
        evidence = await device.inquire(wish(APPLY), ticket)
        assert evidence.state is EffectState.CONFIRMED
        assert plant.swallowed_answers == 0
        assert len(plant.plant.executed) == 1


async def test_modbus_machine_heals_after_its_connection_is_cut():
    async with modbus_plant("applicator") as plant, running(plant.file, plant.address) as machine:
        await machine.make_ready()
        plant.proxy.cut()
        await eventually(lambda: machine.view().age_s > 0.2)
        await eventually(lambda: machine.view().age_s < 0.2)
        device = machine.device()
        ticket = await device.prepare(wish(APPLY), 5)
        await device.send(wish(APPLY), ticket)
        assert (await device.inquire(wish(APPLY), ticket)).state is EffectState.CONFIRMED


async def test_modbus_write_with_a_lost_answer_goes_out_once():
    async with modbus_plant("applicator") as plant:
        link = open_link(plant.file, plant.address)
        await link.connect()
        plant.swallowed_answers = 1
        with pytest.raises(LinkSilent):
            await link.write(frames.CMD, [0] * 16)
        await link.close()
        assert plant.cmd_writes == 1


async def test_modbus_exception_is_a_refusal():
    async with modbus_plant("applicator") as plant:
        link = open_link(plant.file, plant.address)
        await link.connect()
        plant.rejects = True
        with pytest.raises(LinkRefused):
            await link.read(frames.STATUS)
        await link.close()


async def test_modbus_machine_that_is_off_is_down():
    async with modbus_plant("applicator") as plant:
        address = plant.address
    link = open_link(plant.file, address)
    with pytest.raises(LinkDown):
        await link.connect()
    with pytest.raises(LinkDown):
        await link.read(frames.STATUS)
    await link.close()


# -- OPC UA ------------------------------------------------------------------------------------------------------------


class UaPlant:
    """An asyncua server with the machine's four arrays."""

    def __init__(self, file: MachineFile, port: int = 0) -> None:
        self.file, self.plant, self.port = file, plant_for(file), port
        self._scanning: Any = None

    async def start(self) -> None:
        self.server = Server()
        await self.server.init()
        self.server.set_endpoint(f"opc.tcp://127.0.0.1:{self.port}/machine")
        self.server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        index = await self.server.register_namespace("urn:packline:machine")
        machine = await self.server.nodes.objects.add_object(index, "Machine")
        self.nodes = {}
        for block, count in frames.BLOCK_WORDS.items():
            place = node_id(f"Machine.{block}", index)
            self.nodes[block] = await machine.add_variable(
                place, f"{index}:{block}", [0] * count, ua.VariantType.UInt16
            )
            if block != frames.STATUS:
                await self.nodes[block].set_writable()
        await self.server.start()
        self.port = port_of(self.server)
        self.address = f"opc.tcp://127.0.0.1:{self.port}/machine"
        self._scanning = asyncio.ensure_future(self._scan())

    async def _scan(self) -> None:
        while True:
            for block in (frames.CMD, frames.HB, frames.STATE):
                self.plant.brain.write(block, await self.nodes[block].read_value())
            self.plant.scan()
            value = ua.DataValue(ua.Variant(list(self.plant.brain.status_words()), ua.VariantType.UInt16))
            await self.server.write_attribute_value(self.nodes[frames.STATUS].nodeid, value)
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        self._scanning.cancel()
        await asyncio.wait({self._scanning})
        await self.server.stop()


async def test_opcua_machine_seals_once_over_a_frozen_link_and_a_restarted_server():
    file = shipped_machine("packer")
    plant = UaPlant(file)
    await plant.start()
    proxy = Proxy(plant.port)
    await proxy.start()
    size = {"length_mm": 300, "width_mm": 200, "height_mm": 100}
    async with running(file, f"opc.tcp://127.0.0.1:{proxy.port}/machine") as machine:
        await machine.make_ready()
        device = machine.device()
        ticket = await device.prepare(wish(SEAL, **size), 5)
        await device.send(wish(SEAL, **size), ticket)
        assert (await device.inquire(wish(SEAL, **size), ticket)).state is EffectState.CONFIRMED
        assert [(m.code, m.params[:3]) for m in plant.plant.executed] == [(16, (300, 200, 100))]

        late = await device.prepare(wish(SEAL, **size), 6)
        proxy.freeze()
        evidence = await device.send(wish(SEAL, **size), late)
        assert evidence.state is EffectState.UNKNOWN  # it may still arrive, and does
        proxy.thaw()
        evidence = await device.inquire(wish(SEAL, **size), late)
        done = [job.job for job in plant.plant.executed]
        assert evidence.state is (EffectState.CONFIRMED if 6 in done else EffectState.NOT_EXECUTED)
        assert done in ([5], [5, 6])

        await plant.server.stop()
        await eventually(lambda: 1001 in machine.view().faults or 1002 in machine.view().faults)
        plant.server.set_endpoint(plant.address)
        await plant.server.start()
        await eventually(lambda: machine.view().is_ready or machine.view().silence_only)
        await machine.make_ready()
        assert (await device.inquire(wish(SEAL, **size), late)).state is evidence.state
        assert [job.job for job in plant.plant.executed] == done
    await proxy.stop()
    await plant.stop()


# -- AutoID ------------------------------------------------------------------------------------------------------------


class ReaderPlant:
    """An asyncua server with one AutoID reader."""

    def __init__(self, port: int = 0) -> None:
        self.port, self.count, self.triggers = port, 0, 0

    async def start(self) -> None:
        self.server = Server()
        await self.server.init()
        self.server.set_endpoint(f"opc.tcp://127.0.0.1:{self.port}/reader")
        self.server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        index = await self.server.register_namespace("urn:packline:autoid")
        reader = await self.server.nodes.objects.add_object(node_id("OpticalReader", index), f"{index}:OpticalReader")

        async def add(name, value, kind):
            node = node_id(f"OpticalReader.{name}", index)
            return (await reader.add_variable(node, f"{index}:{name}", value, kind)).nodeid

        self.data = await add("LastScanData", "", ua.VariantType.String)
        self.counter = await add("ScanCounter", self.count, ua.VariantType.UInt32)
        self.at = await add("LastScanTimestamp", datetime.now(UTC), ua.VariantType.DateTime)
        await reader.add_method(node_id("OpticalReader.ScanStart", index), f"{index}:ScanStart", self._trigger, [], [])
        await self.server.start()
        self.port = port_of(self.server)
        self.address = f"opc.tcp://127.0.0.1:{self.port}/reader"

    async def _trigger(self, parent):
        self.triggers += 1
        return []

    async def read(self, text: str) -> None:
        self.count += 1
        now: Any = datetime.now(UTC)
        for node, value, kind in (
            (self.data, text, ua.VariantType.String),
            (self.at, now, ua.VariantType.DateTime),
            (self.counter, self.count, ua.VariantType.UInt32),
        ):
            stamped = ua.DataValue(ua.Variant(value, kind), SourceTimestamp=now)
            await self.server.write_attribute_value(node, stamped)


async def test_autoid_reader_tells_equal_reads_apart_loses_none_and_heals():
    plant = ReaderPlant()
    await plant.start()
    reader = AutoIdReader(name="gate", url=plant.address, clock=LoopClock(), rng=random.Random(1))
    scans = []

    async def listen():
        async for scan in reader.scans():
            scans.append(scan)

    task = asyncio.ensure_future(listen())
    await eventually(reader.is_connected)
    await eventually(lambda: reader._pairing.last is not None)
    texts = ["]C1A", "A", "A", "B", *[f"T{i}" for i in range(100)]]
    for text in texts:
        await plant.read(text)
    await eventually(lambda: len(scans) == len(texts))
    assert [scan.symbology + scan.text for scan in scans] == texts
    assert (scans[0].text, scans[0].symbology, scans[0].device) == ("A", "]C1", "gate")

    await reader.trigger()
    assert plant.triggers == 1

    await plant.server.stop()
    await eventually(lambda: not reader.is_connected())
    await reader.trigger()
    plant.server.set_endpoint(plant.address)
    await plant.server.start()
    await eventually(reader.is_connected)
    await plant.read("T99")
    await eventually(lambda: len(scans) == len(texts) + 1)
    assert scans[-1].text == "T99"
    task.cancel()
    await asyncio.wait({task})

    link = open_link(shipped_machine("packer"), plant.address)
    with pytest.raises(LinkRefused):  # a server, but not that of the machine
        await link.connect()
    await link.close()
    await plant.server.stop()
