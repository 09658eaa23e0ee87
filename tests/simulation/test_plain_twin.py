"""Machines without the handshake, and tags of those with it, in the twin: in memory, from the same files."""

from __future__ import annotations

import asyncio
import random
import tomllib
from typing import Any

import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st

from packline.core.clock import LoopClock
from packline.core.effects import APPLY, Effect, EffectState
from packline.core.files import parse
from plc.links import Area, LinkDown
from plc.machine_file import MachineFile, machines_folder
from plc.plain_machine import PlainMachine as Controlled
from simulation.machines.generic import Generic
from simulation.machines.plain import PlainMachine
from simulation.machines.tag_image import TagImage
from simulation.mounts.bank import TagBank
from simulation.mounts.memory import MemoryNodeLink, MemoryTagMount
from simulation.pacer import Pacer
from simulation.quirks import Quirks
from tests.plc.test_plain_machine import FILE as PRESS


def press_file(**simulation: Any) -> MachineFile:
    return parse({**tomllib.loads(PRESS), "simulation": {"apply_s": 0.5, **simulation}}, MachineFile, "press")


def press(file: MachineFile, env: simpy.Environment | None = None) -> tuple[PlainMachine, Pacer]:
    pacer = Pacer(env or simpy.Environment(), 20.0, LoopClock())
    machine = PlainMachine("p1", file, Generic(pacer.env, file), pacer, quirks=Quirks())
    machine.power_on()
    return machine, pacer


async def test_plain_twin_in_memory_does_a_job_once_and_shows_it_by_its_counter():
    file = press_file()
    plant, pacer = press(file)
    mount = MemoryTagMount(plant, file, LoopClock())
    await mount.open()
    link: Any = mount.tag_link()
    machine = Controlled(name="p1", file=file, link=link, clock=LoopClock(), rng=random.Random(1))
    tasks = [asyncio.ensure_future(machine.run()), asyncio.ensure_future(pacer.run())]
    try:
        await machine.make_ready()
        wish = Effect(kind=APPLY, subject="PL1", generation=1, station="s")
        ticket = await machine.device().prepare(wish, 1)
        await machine.device().send(wish, ticket)
        assert (await machine.device().inquire(wish, ticket)).state is EffectState.CONFIRMED
        assert plant.begun == ["apply"]
        assert (plant.tag_values()["count"], plant.tag_values()["stamp"]) == (1, False)
        plant.quirks.on("fail", 1)
        again = Effect(kind=APPLY, subject="PL2", generation=1, station="s")
        ticket = await machine.device().prepare(again, 2)
        await machine.device().send(again, ticket)
        assert (await machine.device().inquire(again, ticket)).state is EffectState.FAILED
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_power_cut_turns_outputs_off_counts_a_start_and_keeps_the_counter():
    plant, _ = press(press_file())
    plant.write_tag("lane", 2)
    assert (plant.tag_values()["lane"], plant.tag_values()["starts"]) == (2, 1)
    plant.power_off()
    plant.write_tag("lane", 3)
    plant.power_on()
    assert (plant.tag_values()["lane"], plant.tag_values()["starts"]) == (0, 2)
    plant.power_on(memory_kept=False)
    assert plant.tag_values()["starts"] == 1


async def test_open_safety_circuit_begins_nothing():
    plant, _ = press(press_file())
    plant.emergency_stop(is_open=True)
    plant.write_tag("stamp", True)
    assert plant.begun == []
    plant.emergency_stop(is_open=False)
    assert plant.begun == []  # closing it starts nothing
    plant.write_tag("stamp", True)
    assert plant.begun == ["apply"]


def test_tag_shows_what_the_file_expects_until_the_machine_says_otherwise():
    image = TagImage(press_file())
    assert image.values({})["model_no"] == 7
    assert image.values({"carton_present": True})["done"] is True  # sensed under the name of the part
    image.write("lane", 2)
    assert image.values({"lane": 1})["lane"] == 1


async def test_closed_memory_mount_is_down_for_tags_too():
    file = press_file()
    mount = MemoryTagMount(press(file)[0], file, LoopClock())
    link: Any = mount.tag_link()
    with pytest.raises(LinkDown):
        await link.connect()
    await mount.open()
    await link.connect()
    assert await link.read_bits(Area.COIL, 0, 1) == [False]
    await mount.close()
    with pytest.raises(LinkDown):
        await link.read_bits(Area.COIL, 0, 1)


async def test_opcua_file_is_mounted_in_memory_as_nodes():
    raw = tomllib.loads((machines_folder() / "packer.toml").read_text("utf-8"))
    raw["tags"] = {"speed": {"node": "M.Speed", "type": "i16", "scale": 0.1, "access": "rw"}}
    file = parse(raw, MachineFile, "packer")
    written: dict[str, Any] = {}

    class Device:
        def read(self, block):
            return (0,) * 40

        def write(self, block, words, offset=0):
            return None

        def tag_values(self):
            return {"speed": written.get("speed", 1.5)}

        def write_tag(self, name, value):
            written[name] = value

    mount = MemoryTagMount(Device(), file, LoopClock())
    await mount.open()
    link = mount.tag_link()
    assert isinstance(link, MemoryNodeLink)
    await link.connect()
    told = []
    node = ("urn:packline:machine", "s=M.Speed")
    await link.subscribe([node], lambda _, value: told.append(value.value), publish_ms=50, sample_ms=20)
    await link.write_nodes({node: (77, "i16")})
    assert written == {"speed": pytest.approx(7.7)}
    assert link.silent_s() == 0.0
    assert told == [15, 77]


class Tags:
    """A device whose tags are a table."""

    def __init__(self, values):
        self.values, self.written = values, []

    def tag_values(self):
        return self.values

    def write_tag(self, name, value):
        self.written.append((name, value))


@given(value=st.integers(0, 3), start=st.integers(8, 12), count=st.integers(1, 4))
def test_write_beside_a_tag_is_refused_and_one_upon_it_is_handed_over(value, start, count):
    device = Tags({"lane": 1})
    bank = TagBank(press_file(), device)
    is_right = (start, count) == (10, 1)
    assert bank.write(Area.HOLDING, start, [value] * count) is is_right
    assert device.written == ([("lane", value)] if is_right else [])


def test_read_beyond_the_table_is_refused():
    bank = TagBank(press_file(), Tags({}))
    assert bank.read(Area.INPUT, 250, 10) is None
    assert bank.read(Area.INPUT, 250, 6) == [0] * 6
