"""The drivers over real sockets, against small servers that obey the machine's rules."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from asyncua import Server, ua

from packline.core.clock import LoopClock
from packline.core.effects import APPLY, SEAL, EffectState
from plc.drivers.autoid import AutoIdReader
from plc.drivers.opening import open_link, quiet_libraries
from plc.drivers.ua_session import node_id
from plc.handshake import frames
from plc.links import LinkDown, LinkRefused, LinkSilent
from plc.machine_file import shipped_machine
from simulation.chaos import Kind, Rule, Way
from tests.plc.plants import (
    TRANSPORTS,
    ModbusPlant,
    UaPlant,
    answers_a_job,
    over,
    port_of,
    running,
    wish,
)
from tests.waiting import eventually

pytestmark = [pytest.mark.wire, pytest.mark.timeout(60)]
quiet_libraries()
both_clients = pytest.mark.parametrize("transport", TRANSPORTS)


# -- Modbus ------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def modbus_plant(name: str, transport: str):
    plant = ModbusPlant(over(transport, shipped_machine(name)))
    await plant.start()
    try:
        yield plant
    finally:
        await plant.stop()


def lost_answer() -> Rule:
    return Rule(kind=Kind.DROP, way=Way.ANSWER, count=1, only=answers_a_job)


@both_clients
async def test_modbus_job_whose_answers_are_lost_is_executed_once(transport: str):
    async with modbus_plant("applicator", transport) as plant, running(plant.file, plant.address) as machine:
        await machine.make_ready()
        device = machine.device()
        ticket = await device.prepare(wish(APPLY), 5)
        plant.chaos.rules.append(lost := lost_answer())
        await device.send(wish(APPLY), ticket)
        evidence = await device.inquire(wish(APPLY), ticket)
        assert evidence.state is EffectState.CONFIRMED
        assert lost.struck == 1
        assert len(plant.plant.executed) == 1


@both_clients
async def test_modbus_machine_heals_after_its_connection_is_cut(transport: str):
    async with modbus_plant("applicator", transport) as plant, running(plant.file, plant.address) as machine:
        await machine.make_ready()
        plant.chaos.hold()  # a new connection may be quicker than a look at the old one's age
        plant.chaos.cut()
        await eventually(lambda: machine.view().age_s > 0.2)
        plant.chaos.release()
        await eventually(lambda: machine.view().age_s < 0.2)
        device = machine.device()
        ticket = await device.prepare(wish(APPLY), 5)
        await device.send(wish(APPLY), ticket)
        assert (await device.inquire(wish(APPLY), ticket)).state is EffectState.CONFIRMED


@both_clients
async def test_modbus_write_with_a_lost_answer_goes_out_once(transport: str):
    async with modbus_plant("applicator", transport) as plant:
        link = open_link(plant.file, plant.address)
        await link.connect()
        plant.chaos.rules.append(lost_answer())
        with pytest.raises(LinkSilent):
            await link.write(frames.CMD, [0] * 16)
        await link.close()
        assert plant.cmd_writes == 1


@both_clients
async def test_modbus_exception_is_a_refusal(transport: str):
    async with modbus_plant("applicator", transport) as plant:
        link = open_link(plant.file, plant.address)
        await link.connect()
        plant.rejects = True
        with pytest.raises(LinkRefused):
            await link.read(frames.STATUS)
        await link.close()


@both_clients
async def test_modbus_machine_that_is_off_is_down(transport: str):
    async with modbus_plant("applicator", transport) as plant:
        address = plant.address
    link = open_link(plant.file, address)
    with pytest.raises(LinkDown):
        await link.connect()
    with pytest.raises(LinkDown):
        await link.read(frames.STATUS)
    await link.close()


# -- OPC UA ------------------------------------------------------------------------------------------------------------


async def test_opcua_machine_seals_once_over_a_frozen_link_and_a_restarted_server():
    file = shipped_machine("packer")
    plant = UaPlant(file)
    await plant.start()
    size = {"length_mm": 300, "width_mm": 200, "height_mm": 100}
    async with running(file, plant.address) as machine:
        await machine.make_ready()
        device = machine.device()
        ticket = await device.prepare(wish(SEAL, **size), 5)
        await device.send(wish(SEAL, **size), ticket)
        assert (await device.inquire(wish(SEAL, **size), ticket)).state is EffectState.CONFIRMED
        assert [(m.code, m.params[:3]) for m in plant.plant.executed] == [(16, (300, 200, 100))]

        late = await device.prepare(wish(SEAL, **size), 6)
        plant.chaos.hold()
        evidence = await device.send(wish(SEAL, **size), late)
        assert evidence.state is EffectState.UNKNOWN  # it may still arrive, and does
        plant.chaos.release()
        evidence = await device.inquire(wish(SEAL, **size), late)
        done = [job.job for job in plant.plant.executed]
        assert evidence.state is (EffectState.CONFIRMED if 6 in done else EffectState.NOT_EXECUTED)
        assert done in ([5], [5, 6])

        await plant.server.stop()
        await eventually(lambda: 1001 in machine.view().faults or 1002 in machine.view().faults)
        plant.server.set_endpoint(f"opc.tcp://{plant.inner}/machine")
        await plant.server.start()
        await eventually(lambda: machine.view().is_ready or machine.view().silence_only)
        await machine.make_ready()
        assert (await device.inquire(wish(SEAL, **size), late)).state is evidence.state
        assert [job.job for job in plant.plant.executed] == done
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


async def test_autoid_reader_tells_equal_reads_apart_loses_none_and_heals(monkeypatch):
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

    ask = reader._session.ask
    for trouble in (LinkRefused("BadTooManyOperations"), LinkSilent("no answer within 1 s")):

        async def in_vain(asked, trouble=trouble):
            monkeypatch.setattr(reader._session, "ask", ask)
            asked.close()
            raise trouble

        await eventually(reader.is_connected)
        monkeypatch.setattr(reader._session, "ask", in_vain)
        before = plant.triggers
        await reader.trigger()
        assert reader.is_connected()  # what is wrong with the link is for those to find out who listen
        await eventually(lambda: reader.is_connected() and reader._failed is None)
        await reader.trigger()
        assert plant.triggers == before + 1  # one that failed does not keep the reader from being asked again

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
