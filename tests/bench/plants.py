"""Serves machines that obey at once, in a process of their own: two over Modbus TCP, one over OPC UA."""

import asyncio
import json
import random
import sys
from collections.abc import Mapping, Sequence

from packline.core.clock import LoopClock
from plc.brains import brain_for
from plc.handshake import frames
from plc.handshake.frames import Words
from plc.links import Value
from plc.machine_file import MachineFile, shipped_machine
from plc.memory_link import MemoryMachine
from simulation.mounts.address_space import AddressSpace
from simulation.mounts.modbus import ModbusMount
from simulation.mounts.opcua import OpcUaMachineMount
from simulation.mounts.wire import Mount, Wire

ANY = "127.0.0.1:0"


class Plant:
    """A machine whose motions take no time; each access is one scan, as a BlockDevice promises."""

    def __init__(self, file: MachineFile) -> None:
        self._file = file
        self._machine = MemoryMachine(brain=brain_for(file, random.Random(1)), clock=LoopClock(), motion_s=0.0)
        self._machine.boot()

    def read(self, block: str) -> Words:
        self._machine.scan()
        return self._machine.brain.status_words() if block == frames.STATUS else tuple(self._machine.brain.areas[block])

    def tag_values(self) -> Mapping[str, Value]:
        return {one.tag: one.equals for one in self._file.expect.values() if one.equals is not None}

    def write_tag(self, name: str, value: Value) -> None:
        raise AssertionError(f"{name} is only read")

    def write(self, block: str, words: Sequence[int], offset: int = 0) -> None:
        self._machine.brain.write(block, words, offset)
        self._machine.scan()


async def main() -> None:
    arm, packer = shipped_machine("applicator"), shipped_machine("packer")
    space = AddressSpace()
    await space.start()
    mounts: dict[str, Mount] = {
        "arm": ModbusMount(ANY, arm, Plant(arm), Wire()),
        "other-arm": ModbusMount(ANY, arm, Plant(arm), Wire()),
        "packer": OpcUaMachineMount(f"opc.tcp://{ANY}", packer, Plant(packer), Wire(), space),
    }
    print(json.dumps({name: await mount.open() for name, mount in mounts.items()}), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for mount in mounts.values():
        await mount.close()
    await space.stop()


if __name__ == "__main__":
    asyncio.run(main())
