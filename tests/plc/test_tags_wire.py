"""Tags over real sockets: pymodbus and asyncua on the other side, and the twin made from the same file."""

from __future__ import annotations

import tomllib
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asyncua import Server, ua
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from packline.core.clock import LoopClock
from packline.core.effects import APPLY, SEAL, Effect, EffectState
from packline.core.files import parse
from plc.drivers.modbus import ModbusLink
from plc.drivers.opcua import OpcUaLink
from plc.drivers.opening import open_link, quiet_libraries
from plc.drivers.ua_session import node_id
from plc.links import Area, LinkRefused, RegisterLink
from plc.machine import Machine
from plc.machine_file import MachineFile, machines_folder
from plc.plain_machine import PlainMachine
from plc.tag_side import tag_set
from plc.tags.node_reader import NodeReader
from plc.tags.register_reader import RegisterReader
from plc.tags.values import Quality
from simulation.machines.plain import PlainMachine as PlainTwin
from simulation.spec import MachineSpec, PlantSpec, StationSpec
from simulation.twin import Twin
from tests.plc.plants import TRANSPORTS, live, over, port_of
from tests.waiting import eventually

pytestmark = [pytest.mark.wire, pytest.mark.timeout(60)]
quiet_libraries()
both_clients = pytest.mark.parametrize("transport", TRANSPORTS)

PLAIN = """
[machine]
model = "stamp"
title = "Stamp"
source = "a test"
protocol = "modbus"
address_base = 1
word_order = "CDAB"
[handshake]
kind = "none"
[tags]
go       = { address = 9, area = "coil", type = "bool", access = "rw", safe = false }
force    = { address = 21, area = "holding", type = "f32", access = "rw", unit = "N" }
small    = { address = 30, area = "holding", type = "i16", access = "rw" }
eye      = { address = 18, area = "discrete", type = "bool" }
count    = { address = 5, area = "input", type = "u32" }
name     = { address = 40, area = "holding", type = "string", length = 4 }
flag     = { address = 50, area = "holding", type = "bool", bit = 11, access = "rw" }
level    = { address = 50, area = "holding", type = "bits", bits = [2, 5], access = "rw" }
[limits]
mask_write = true
[expect]
name = { tag = "name", equals = "STAMP-1" }
[capability]
carton_present = "eye"
[jobs.apply]
write = [{ tag = "force", from = "force" }, { tag = "go", value = true }]
done = { tag = "count", rises = 1 }
reset = [{ tag = "go", value = false }]
timeout_s = 5
params.force = { min = 0, max = 50 }
[simulation]
apply_s = 2.0
show = { eye = true }
"""


def plain_file() -> MachineFile:
    return parse(tomllib.loads(PLAIN), MachineFile, "stamp")


def packer_with(text: str) -> MachineFile:
    raw = tomllib.loads((machines_folder() / "packer.toml").read_text("utf-8"))
    raw.update(tomllib.loads(text))
    raw["simulation"] = {"behaviour": "generic", "seal_s": 1.0, "show": {"speed": 12.5, "recipe": "box"}}
    return parse(raw, MachineFile, "packer")


@asynccontextmanager
async def served(file: MachineFile):
    address = "127.0.0.1:0" if file.machine.protocol == "modbus" else "opc.tcp://127.0.0.1:0"
    spec = PlantSpec(
        machines=(MachineSpec(name="m1", file=file, address=address, at="s1"),),
        stations=(StationSpec(name="s1", kind="bench"),),
        speed=20.0,
        first_plate=1,
    )
    twin = Twin(spec)
    (machine,) = await twin.start()
    try:
        yield twin, machine.address
    finally:
        await twin.stop()


@both_clients
async def test_plain_machine_does_a_job_on_its_twin_over_modbus_and_shows_every_tag(transport: str):
    file = over(transport, plain_file())
    async with served(file) as (twin, address), live(file, address) as machine:
        assert isinstance(machine, PlainMachine)
        await machine.make_ready()
        wish = Effect(kind=APPLY, subject="PL1", generation=1, station="s1", parameters={"force": 12.5})
        device = machine.device()
        ticket = await device.prepare(wish, 4)
        assert (await device.send(wish, ticket)).state is EffectState.SENT
        assert (await device.inquire(wish, ticket)).state is EffectState.CONFIRMED
        plant = twin.hall.machines["m1"]
        assert isinstance(plant, PlainTwin)
        assert plant.begun == ["apply"]
        await eventually(lambda: machine.view().tags["force"].value == 12.5)
        await machine.write("small", -5)
        await machine.write("level", 9)
        await machine.write("flag", True)
        await eventually(lambda: machine.view().tags["flag"].value is True)
        await eventually(lambda: machine.view().tags["level"].value == 9)
        await eventually(lambda: machine.view().tags["small"].value == -5)
        await eventually(lambda: machine.view().tags["go"].value is False)  # the reset
        tags = machine.view().tags
        assert (tags["eye"].value, tags["count"].value) == (True, 1)
        assert machine.view().inputs["carton_present"] == 1
        await twin.misbehaviour.fault("m1", "unplugged")
        await eventually(lambda: not machine.view().is_good)
        assert tags["eye"].is_good  # the old picture stays what it was
        assert not machine.view().tags["eye"].is_good
        await twin.misbehaviour.mend("m1", "unplugged")
        await eventually(lambda: machine.view().is_ready)


class ForeignDevice:
    """A pymodbus server that is nobody's twin, with a hole; it notes which function codes came."""

    def __init__(self) -> None:
        self.functions: list[int] = []

    async def start(self) -> str:
        bits = [SimData(0, count=64, values=False, datatype=DataType.BITS)]
        holding = [
            SimData(0, values=[0x4048, 0xF5C3, 7], datatype=DataType.REGISTERS),
            SimData(10, count=20, values=0, datatype=DataType.REGISTERS),
        ]
        inputs = [SimData(0, count=20, values=3, datatype=DataType.REGISTERS)]
        unit = SimDevice(1, simdata=(bits, bits, holding, inputs), action=self._touched)
        self.server = ModbusTcpServer(unit, address=("127.0.0.1", 0))
        await self.server.serve_forever(background=True)
        listening: Any = self.server.transport
        return f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"

    async def _touched(self, function, start, address, count, registers, values):
        if values is not None:
            self.functions.append(function)

    async def stop(self) -> None:
        await self.server.shutdown()


@both_clients
async def test_foreign_device_with_a_hole_is_read_in_four_tables_and_written_by_the_right_functions(transport: str):
    text = (
        PLAIN.split("[tags]", maxsplit=1)[0].replace("address_base = 1", "address_base = 0").replace("CDAB", "ABCD")
        + """
[limits]
max_gap = 20
[tags]
pi = { address = 0, area = "holding", type = "f32" }
seven = { address = 2, area = "holding", type = "u16" }
far = { address = 12, area = "holding", type = "u32", access = "rw" }
one = { address = 14, area = "holding", type = "u16", access = "rw" }
coil = { address = 33, area = "coil", type = "bool", access = "rw" }
next = { address = 34, area = "coil", type = "bool", access = "rw" }
bit = { address = 3, area = "discrete", type = "bool" }
three = { address = 1, area = "input", type = "u16" }
beyond = { address = 90, area = "input", type = "u16" }
"""
    )
    file = over(transport, parse(tomllib.loads(text), MachineFile, "foreign"))
    device = ForeignDevice()
    address = await device.start()
    link = open_link(file, address)
    assert isinstance(link, RegisterLink)
    reader = RegisterReader(tag_set(file), link, LoopClock())
    try:
        await link.connect()
        await reader.begin()
        await reader.read(file.tags)
        clock = LoopClock()
        seen = reader.store.snapshot(clock.monotonic())
        assert seen["pi"].value == pytest.approx(3.14)
        assert (seen["seven"].value, seen["three"].value, seen["bit"].value) == (7, 3, False)
        assert (seen["beyond"].quality, seen["far"].quality) == (Quality.BAD, Quality.GOOD)
        device.functions.clear()
        for name, value in (("far", 0x10002), ("one", 5), ("coil", True)):
            await reader.write(name, value)
        assert device.functions == [16, 6, 5]
        await link.write_coils(33, [True, True])
        assert device.functions[-1] == 15
        await reader.read(["far", "one", "coil"])
        seen = reader.store.snapshot(clock.monotonic())
        assert (seen["far"].value, seen["one"].value, seen["coil"].value) == (0x10002, 5, True)
        with pytest.raises(LinkRefused):
            await link.read_registers(Area.HOLDING, 5, 1)
    finally:
        await link.close()
        await device.stop()


@both_clients
@pytest.mark.parametrize("mask_write, functions", [(True, [22, 22]), (False, [6, 6])])
async def test_bits_are_written_by_the_device_itself_where_it_can_and_the_others_stay(
    transport: str, mask_write: bool, functions: list[int]
):
    text = (
        PLAIN.split("[tags]", maxsplit=1)[0].replace("address_base = 1", "address_base = 0")
        + f"""
[limits]
mask_write = {str(mask_write).lower()}
[tags]
flag = {{ address = 1, area = "holding", type = "bool", bit = 1, access = "rw" }}
level = {{ address = 1, area = "holding", type = "bits", bits = [4, 7], access = "rw" }}
whole = {{ address = 1, area = "holding", type = "u16" }}
"""
    )
    file = over(transport, parse(tomllib.loads(text), MachineFile, "foreign"))
    device = ForeignDevice()
    link = ModbusLink(file, await device.start())
    reader, clock = RegisterReader(tag_set(file), link, LoopClock()), LoopClock()
    try:
        await link.connect()
        await reader.begin()
        await reader.write("flag", False)
        await reader.write("level", 9)
        assert device.functions == functions
        await reader.read(["whole"])
        assert reader.store.get("whole", clock.monotonic()).value == 0xF5C3 & ~2 & ~0xF0 | 0x90
    finally:
        await link.close()
        await device.stop()


UA_TAGS = """
[tags]
speed  = { node = "Machine.Speed", type = "f64", unit = "1/min" }
count  = { node = "Machine.Count", type = "u32", access = "rw" }
recipe = { node = "Machine.Recipe", type = "string", poll = "slow" }
lamp   = { node = "Machine.Lamp", type = "bool", access = "rw", safe = false }
[inputs]
carton_present = { word = 32, bit = 0 }
level = { tag = "count" }
"""


async def test_opcua_machine_seals_on_its_twin_and_its_tags_come_by_subscription():
    file = packer_with(UA_TAGS)
    async with served(file) as (twin, address), live(file, address) as machine:
        assert isinstance(machine, Machine)
        await machine.make_ready()
        await eventually(lambda: machine.view().tags["recipe"].value == "box")
        view = machine.view()
        assert (view.tags["speed"].value, view.inputs["level"]) == (12.5, 0)
        await machine.write("count", 8)
        await eventually(lambda: machine.view().inputs["level"] == 8)
        await machine.write("lamp", True, lease_s=0.5)
        await eventually(lambda: machine.view().tags["lamp"].value is True)
        await eventually(lambda: machine.view().tags["lamp"].value is False)
        size = {"length_mm": 300, "width_mm": 200, "height_mm": 100}
        wish = Effect(kind=SEAL, subject="PL1", generation=1, station="s1", parameters=size)
        ticket = await machine.device().prepare(wish, 3)
        await machine.device().send(wish, ticket)
        assert (await machine.device().inquire(wish, ticket)).state is EffectState.CONFIRMED
        await twin.misbehaviour.fault("m1", "unplugged")
        await eventually(lambda: not machine.view().tags["speed"].is_good)
        await twin.misbehaviour.mend("m1", "unplugged")
        await eventually(lambda: machine.view().is_good and machine.view().tags["speed"].is_good)


async def test_nodes_of_a_foreign_server_are_told_read_and_written_in_whole_calls():
    file = packer_with(
        UA_TAGS.split("[inputs]", maxsplit=1)[0]
        + 'gone = { node = "Machine.Gone", type = "u16" }\nstate = { node = "nsu=http://opcfoundation.org/UA/;i=2259", type = "i32" }\n'
    )
    server = Server()
    await server.init()
    server.set_endpoint("opc.tcp://127.0.0.1:0/x")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    index = await server.register_namespace("urn:packline:machine")
    machine = await server.nodes.objects.add_object(index, "Machine")
    kinds = {"Speed": (1.5, ua.VariantType.Double), "Count": (0, ua.VariantType.UInt32), "Recipe": ("a", ua.VariantType.String), "Lamp": (False, ua.VariantType.Boolean)}  # fmt: skip
    nodes = {}
    for name, (value, kind) in kinds.items():
        nodes[name] = await machine.add_variable(node_id(f"Machine.{name}", index), f"{index}:{name}", value, kind)
        await nodes[name].set_writable()
    for block, count in (("CMD", 16), ("HB", 3), ("STATE", 6), ("STATUS", 40)):
        await machine.add_variable(
            node_id(f"Machine.{block}", index), f"{index}:{block}", [0] * count, ua.VariantType.UInt16
        )
    await server.start()
    link = OpcUaLink(file, f"opc.tcp://127.0.0.1:{port_of(server)}/x")
    reader, clock = NodeReader(tag_set(file), link, LoopClock()), LoopClock()
    try:
        await link.connect()
        await reader.begin()
        await reader.read(file.tags)
        seen = reader.store.snapshot(clock.monotonic())
        assert {name: seen[name].value for name in ("speed", "count", "recipe", "lamp", "state")} == {
            "speed": 1.5,
            "count": 0,
            "recipe": "a",
            "lamp": False,
            "state": 0,
        }
        assert seen["gone"].quality is Quality.BAD
        assert "BadNodeIdUnknown" in seen["gone"].reason
        assert seen["speed"].at is not None
        for number in range(1, 50):
            await nodes["Count"].write_value(number, ua.VariantType.UInt32)
        await eventually(lambda: reader.store.get("count", clock.monotonic()).value == 49)
        await reader.write("count", 123)
        assert await nodes["Count"].read_value() == 123
        with pytest.raises(LinkRefused):
            await link.write_nodes({("urn:packline:machine", "s=Machine.Count"): (1, "i16")})
        # keep-alives come although nothing changes
        await eventually(lambda: (link.silent_s() or 0) > 0.15)
        await eventually(lambda: (link.silent_s() or 1) < 0.15)
        code: Any = ua.StatusCodes.BadSensorFailure
        bad: Any = ua.DataValue(ua.Variant(5, ua.VariantType.UInt32), ua.StatusCode(code))
        await server.write_attribute_value(nodes["Count"].nodeid, bad)
        await eventually(lambda: reader.store.get("count", clock.monotonic()).reason == "BadSensorFailure")
    finally:
        await link.close()
        await server.stop()
