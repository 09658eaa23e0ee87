"""Small servers over real pymodbus and asyncua that obey the machine's rules, behind a chaos proxy."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from asyncua import Server, ua
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from packline.core.clock import LoopClock
from packline.core.effects import Effect, EffectKind
from plc.brains import brain_for
from plc.drivers.opening import open_link
from plc.drivers.ua_session import node_id
from plc.handshake import frames
from plc.kinds import LiveMachine, make_machine
from plc.machine import Machine
from plc.machine_file import MachineFile, shipped_machine
from plc.memory_link import MemoryMachine
from simulation.chaos import Chaos, Framing
from tests.waiting import serving

BOUND_S = 20.0
SCAN_S = 0.01
"""The cycle of a controller in a machine: what was written is seen, and the status shown, so often."""
WRITTEN = (frames.CMD, frames.HB, frames.STATE)


class Epochs:
    """core.effects.Epochs in a dict; `raised` counts the claims."""

    def __init__(self, **epochs: int) -> None:
        self.epochs: dict[str, int] = epochs
        self.raised = 0

    async def epoch(self, machine: str) -> int:
        return self.epochs.get(machine, 0)

    async def raise_epoch(self, machine: str, epoch: int) -> None:
        self.epochs[machine] = epoch
        self.raised += 1


def wish(kind: EffectKind, **parameters: Any) -> Effect:
    return Effect(kind=kind, subject="PL0000000017", generation=1, station="s", parameters=parameters)


TRANSPORTS = ("pymodbus", "lean")


def over(transport: str, file: MachineFile) -> MachineFile:
    """Give the same machine, spoken to by that client."""
    return file.model_copy(update={"machine": file.machine.model_copy(update={"transport": transport})})


def described(name: str) -> MachineFile:
    """Give a shipped machine by its name; "applicator over lean" is spoken to by our own client."""
    model, _, transport = name.partition(" over ")
    return over(transport or "pymodbus", shipped_machine(model))


def hurried(file: MachineFile) -> MachineFile:
    """Give the same machine with short waits for answers, so that a bad network does not make a test long."""
    short = {"request_timeout_ms": 250, "poll_ms": 20, "fast_poll_ms": 10, "stale_after_ms": 2500}
    head = file.machine.model_copy(update=short)
    return file.model_copy(update={"machine": head})


def plant_for(file: MachineFile) -> MemoryMachine:
    plant = MemoryMachine(brain=brain_for(file, random.Random(1)), clock=LoopClock(), motion_s=0.05)
    plant.boot()
    return plant


def machine_for(file: MachineFile, link: Any, *, epochs: Epochs | None = None, owner_id: int = 9) -> Machine:
    return Machine(
        name="m1",
        file=file,
        link=link,
        epochs=epochs or Epochs(),
        owner_id=owner_id,
        clock=LoopClock(),
        rng=random.Random(owner_id),
    )


@asynccontextmanager
async def live(file: MachineFile, address: str, name: str = "m1") -> AsyncIterator[LiveMachine]:
    """Run a controller of whatever machine the file says at `address`."""
    machine = make_machine(
        name=name, file=file, link=open_link(file, address), epochs=Epochs(), owner_id=9, clock=LoopClock(),
        rng=random.Random(3),
    )  # fmt: skip
    async with serving(machine.run()):
        yield machine


@asynccontextmanager
async def running(file: MachineFile, address: str, **given: Any) -> AsyncIterator[Machine]:
    """Run a controller of the machine at `address`; leaving ends it without a word to the machine."""
    machine = machine_for(file, open_link(file, address), **given)
    async with serving(machine.run()):
        yield machine


def cut_off(plant: MemoryMachine, *, memory_kept: bool) -> set[int]:
    """Boot a machine; gives the job that it was at."""
    job = {plant.brain.memory.job} if plant.brain.busy else set()
    plant.boot(memory_kept=memory_kept)
    return job


class ModbusPlant:
    """A pymodbus server whose registers are a brain's areas."""

    def __init__(self, file: MachineFile) -> None:
        self.file, self.plant = file, plant_for(file)
        self.chaos = Chaos("", framing=Framing.MODBUS)
        self.address = ""
        self.rejects = False
        self.cmd_writes = 0

    async def start(self) -> None:
        device = SimDevice(1, simdata=[SimData(0, count=200, datatype=DataType.REGISTERS)], action=self._touched)
        self._server = ModbusTcpServer(device, address=("127.0.0.1", 0))
        await self._server.serve_forever(background=True)
        listening: Any = self._server.transport
        self.inner = f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        await self.through(Chaos(self.inner, framing=Framing.MODBUS))

    async def through(self, chaos: Chaos) -> None:
        """Be reached through `chaos` from now on."""
        await self.chaos.close()
        self.chaos = chaos
        self.address = await chaos.open()

    async def stop(self) -> None:
        await self.chaos.close()
        await self._server.shutdown()

    def renew(self) -> None:
        """Put a new machine in the old one's place."""
        self.plant = plant_for(self.file)

    async def reboot(self, *, memory_kept: bool = True) -> set[int]:
        """Cut the power and switch on again; gives the job that was cut off."""
        return cut_off(self.plant, memory_kept=memory_kept)

    async def _touched(self, function, start, address, count, registers, values):
        if self.rejects:
            return ExcCodes.ILLEGAL_ADDRESS
        if values is None:
            self.plant.scan()
            at = self.file.register(frames.STATUS)
            registers[at : at + 40] = list(self.plant.brain.status_words())
            for expected in self.file.expect.values():
                registers[self.file.wired[expected.tag].start] = expected.equals
            return None
        for block in WRITTEN:
            if address == self.file.register(block) and len(values) == frames.BLOCK_WORDS[block]:
                self.cmd_writes += block == frames.CMD
                self.plant.brain.write(block, values)
                self.plant.scan()
        return None


def answers_a_job(answer: bytes) -> bool:
    """Tell whether a Modbus frame answers the write of a whole CMD block."""
    return len(answer) > 11 and answer[7] == 16 and answer[11] == frames.BLOCK_WORDS[frames.CMD]


def writes_a_job(request: bytes) -> bool:
    """Tell whether a frame writes a CMD block with a work code: over Modbus, or as an OPC UA array of 16 words."""
    if len(request) == 45 and request[7] == 16:
        return int.from_bytes(request[19:21]) >= frames.FIRST_WORK_CODE
    at = request.find(b"\x10\0\0\0", 60)  # the array's length, little-endian, then its words
    words = request[at + 4 : at + 36]
    return request[:4] == b"MSGF" and at > 0 and len(words) == 32 and words[6] >= frames.FIRST_WORK_CODE


class UaPlant:
    """An asyncua server with the machine's four arrays."""

    def __init__(self, file: MachineFile, port: int = 0) -> None:
        self.file, self.plant, self.port = file, plant_for(file), port
        self.chaos = Chaos("", framing=Framing.OPCUA)
        self.address = ""
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
        self.inner = f"127.0.0.1:{self.port}"
        self._scanning = asyncio.ensure_future(self._scan())
        await self.through(Chaos(self.inner, framing=Framing.OPCUA))

    async def through(self, chaos: Chaos) -> None:
        """Be reached through `chaos` from now on."""
        await self.chaos.close()
        self.chaos = chaos
        self.address = f"opc.tcp://{await chaos.open()}/machine"

    async def stop(self) -> None:
        await self.chaos.close()
        self._scanning.cancel()
        await asyncio.wait({self._scanning})
        await self.server.stop()

    def renew(self) -> None:
        """Put a new machine in the old one's place."""
        self.plant = plant_for(self.file)

    async def reboot(self, *, memory_kept: bool = True) -> set[int]:
        """Cut the power and switch on again; gives the job that was cut off."""
        for block in WRITTEN:
            await self._show(block, [0] * frames.BLOCK_WORDS[block])
        return cut_off(self.plant, memory_kept=memory_kept)

    async def _scan(self) -> None:
        while True:
            for block in WRITTEN:
                self.plant.brain.write(block, await self.nodes[block].read_value())
            self.plant.scan()
            await self._show(frames.STATUS, list(self.plant.brain.status_words()))
            await asyncio.sleep(SCAN_S)

    async def _show(self, block: str, words: list[int]) -> None:
        value = ua.DataValue(ua.Variant(words, ua.VariantType.UInt16))
        await self.server.write_attribute_value(self.nodes[block].nodeid, value)


def port_of(server: Any) -> int:
    return int(server.bserver._server.sockets[0].getsockname()[1])
