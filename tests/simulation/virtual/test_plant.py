"""The plant in virtual time: on real sockets where it is told so, and with links that die with their controller."""

import asyncio
from typing import Any

import pytest

from packline.core.clock import LoopClock
from plc.drivers.modbus import ModbusLink
from plc.handshake import frames
from plc.links import LinkDown
from plc.machine_file import shipped_machine
from simulation.spec import MachineSpec, PlantSpec, PrinterSpec, StationSpec
from simulation.virtual.content import Press, Share
from simulation.virtual.loop import run
from simulation.virtual.making import make_loop
from simulation.virtual.plant import VirtualPlant

GATE = "127.0.0.1:15023"
SPEC = PlantSpec(
    machines=(MachineSpec(name="gate-1", file=shipped_machine("courier_gate"), address=GATE, at="gate-1"),),
    printers=(PrinterSpec(name="printer-1", address="127.0.0.1:19100", at="bench-1"),),
    stations=(StationSpec(name="gate-1", kind="courier_gate"), StationSpec(name="bench-1", kind="bench")),
    first_plate=1,
)


async def inline(work, *args):
    return work(*args)


def played(story, over=frozenset()):
    async def whole():
        loop: Any = asyncio.get_running_loop()
        press = Press(Share(one_in=0))
        plant = VirtualPlant(SPEC, loop, LoopClock(), press=press, offload=inline, over=over)
        await plant.start()
        try:
            return await story(plant)
        finally:
            await plant.stop()

    return run(whole(), lambda: make_loop(rate=1.0, horizon_s=60.0, with_sockets=bool(over)))


async def boot_of(plant):
    link = plant.open_block(SPEC.machines[0].file, GATE)
    await link.connect()
    status = frames.decode_status(await link.read(frames.STATUS))
    await link.close()
    return isinstance(link, ModbusLink), status.boot


@pytest.mark.wire
def test_a_machine_on_a_socket_shows_what_it_shows_in_memory():
    in_memory, on_a_socket = played(boot_of), played(boot_of, frozenset({"modbus"}))
    assert (in_memory[0], on_a_socket[0]) == (False, True)
    assert in_memory[1] == on_a_socket[1]


def test_links_of_a_dead_controller_carry_nothing_and_those_of_the_next_do():
    async def story(plant):
        file = SPEC.machines[0].file
        dead = plant.open_block(file, GATE)
        await dead.connect()
        plant.cut_off()
        with pytest.raises(LinkDown):
            await dead.write(frames.HB, (0,) * frames.BLOCK_WORDS[frames.HB])
        with pytest.raises(LinkDown):
            await dead.connect()
        with pytest.raises(LinkDown):  # on its way out it may open another, after its death
            await plant.open_block(file, GATE).connect()
        plant.lay_cord()
        return await boot_of(plant)

    assert played(story)[1] > 0


def test_a_printer_hears_that_its_dead_peer_hung_up_and_takes_the_next():
    async def story(plant):
        dead = plant.open_port("127.0.0.1:19100")
        await dead.connect()
        plant.cut_off()
        with pytest.raises(ConnectionError):
            await dead.send(b"x")
        with pytest.raises(ConnectionError):
            await plant.open_port("127.0.0.1:19100").connect()
        plant.lay_cord()
        port = plant.open_port("127.0.0.1:19100")
        await port.connect()
        await port.send(bytes((0x10, 0x04, 1)))
        return await port.receive(1.0)

    assert len(played(story)) == 1


def test_another_device_does_not_shift_the_chance_of_the_first():
    async def word(plant):
        machine: Any = plant.hall.machines["gate-1"]
        return machine._rng.random()

    async def with_more(plant):
        from dataclasses import replace

        more = MachineSpec(name="gate-0", file=shipped_machine("courier_gate"), address="127.0.0.1:1", at="gate-1")
        loop: Any = asyncio.get_running_loop()
        other = replace(SPEC, machines=(more, *SPEC.machines))
        second = VirtualPlant(other, loop, LoopClock(), press=Press(Share(one_in=0)), offload=inline)
        machine: Any = second.hall.machines["gate-1"]
        return machine._rng.random()

    assert played(word) == played(with_more)
