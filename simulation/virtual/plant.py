"""The plant of a specification in virtual time: the same hall, its devices mounted in memory, its faults by the same switches."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from packline.core.clock import Clock
from packline.core.pictures import Camera
from packline.core.scans import Scanner
from plc.drivers.opening import open_link
from plc.links import BlockLink
from plc.machine_file import MachineFile
from simulation.faults.devices import (
    CAMERA_QUIRKS,
    SCANNER_QUIRKS,
    machine_switches,
    printer_switches,
    quirk_switches,
    wire_switches,
)
from simulation.faults.floor import add_people
from simulation.hall import Hall
from simulation.machines.camera import Offload
from simulation.machines.machine import Machine
from simulation.misbehave import Misbehaviour
from simulation.mounts.memory import MemoryTagMount
from simulation.mounts.memory_devices import MemoryCamera, MemoryLine, MemoryPlug, MemoryPort, MemoryReader, Pipe
from simulation.mounts.opening import address_space, modbus_mount, opcua_mount
from simulation.mounts.wire import Cord, Mount, Wire, split_address
from simulation.plant.floor import Floor
from simulation.plant.truth import Truth
from simulation.spec import MachineSpec, PlantSpec
from simulation.virtual.content import Press, read_paper
from simulation.virtual.loop import VirtualLoop
from simulation.virtual.motion import VirtualMotion

if TYPE_CHECKING:
    from simulation.mounts.address_space import AddressSpace

LATENCY_S, APART_S = 0.001, 0.000_037
"""What a machine's answer takes, and how much more that of the next one: no two of them come in one moment, in which chance
would say who is first."""
ANY_PORT = "127.0.0.1:0"
TICK_S = 0.2
"""Between two scans of a machine that nobody asks: its watchdog must bite also then."""


class VirtualPlant:
    """A plant without sockets; to be made on the running VirtualLoop. `start()`, then `run()` until cancelled.

    What the line's drivers open, it finds here by the addresses of the specification.
    """

    def __init__(
        self,
        spec: PlantSpec,
        loop: VirtualLoop,
        clock: Clock,
        *,
        press: Press,
        offload: Offload,
        over: frozenset[str] = frozenset(),
        elide: bool = False,
    ) -> None:
        """`elide` spares polls that cannot see a change; nothing may then be done to a device but through the plant and its faults.

        `over` names the protocols whose machines are served on sockets of the loopback; the loop must be a LoopbackLoop then."""
        self.spec = spec
        self.motion = VirtualMotion(loop)
        self.hall = Hall(spec, self.motion, clock, offload=offload, draw=press.picture, read_label=read_paper)
        self.misbehaviour = Misbehaviour(clock)
        self._clock = clock
        self._cord = Cord()
        self._plugs: list[MemoryPlug] = []
        self._addresses: dict[str, str] = {}
        self._served: dict[str, Mount] = {}
        self._space: AddressSpace | None = None
        self._mounts: dict[str, MemoryTagMount] = {}
        for machine in spec.machines:
            wire = Wire(latency_s=LATENCY_S + len(self._served | self._mounts) * APART_S)
            if machine.file.machine.protocol in over:
                self._served[machine.address] = self._socket(machine, wire)
            else:
                self._mounts[machine.address] = self._machine(machine, wire)
        self._printers = {split_address(p.address): self._printer(p.name) for p in spec.printers}
        self._lines: dict[tuple[str, int], Callable[[], MemoryLine]] = {}
        self._readers: dict[str, Callable[[], MemoryReader]] = {}
        for scanner in spec.scanners:
            self._scanner(scanner.name, scanner.driver, scanner.address)
        if elide:
            self._tell_news(loop)
        self._cameras = {c.name: self._camera(c.name) for c in spec.cameras}
        add_people(self.misbehaviour, self.hall, self.motion)

    @property
    def floor(self) -> Floor:
        """Give what people can do."""
        return self.hall.floor

    @property
    def truth(self) -> Truth:
        """Give what physically happened."""
        return self.hall.truth

    async def start(self) -> None:
        """Plug everything in and switch it on."""
        self.hall.power_on()
        mounts: list[Mount] = [*self._mounts.values(), *self._plugs]
        for mount in mounts:
            await mount.open()
        if self._space is not None:
            await self._space.start()
        for address, served in self._served.items():
            self._addresses[address] = await served.open()

    async def stop(self) -> None:
        """Close every socket."""
        for served in self._served.values():
            await served.close()
        if self._space is not None:
            await self._space.stop()

    async def run(self) -> None:
        """Keep the machines scanning until cancelled."""
        while True:
            await self._clock.sleep(TICK_S)
            self.hall.scan_machines()

    def _tell_news(self, loop: VirtualLoop) -> None:
        """Let the mounts of machines that show the floor and their jobs look, whenever the floor or a panel was touched, and while one moves."""
        world, pairs = self.hall.world, []
        for spec in self.spec.machines:
            machine, mount = self.hall.machines[spec.name], self._mounts.get(spec.address)
            if isinstance(machine, Machine) and machine.mechanics.is_of_the_floor and mount is not None:
                mount.tell_news(machine.shown, machine.is_sound)
                pairs.append((machine, mount))
        seen = -1

        def look() -> None:
            nonlocal seen
            touches = world.touches
            for machine, _ in pairs:
                touches += machine.touches
            is_touched, seen = touches != seen, touches
            for machine, mount in pairs:
                if is_touched or machine.is_moving:
                    mount.look()

        def disturb() -> None:
            for _, mount in pairs:
                mount.disturb()

        loop.happened, self.misbehaviour.switched = look, disturb

    def cut_off(self) -> None:
        """Cut all links, and those that are still opened until a new cord is laid: their controller is dead, whatever it still tries."""
        self._cord.cut()

    def lay_cord(self) -> None:
        """Let the next controller open links, if those of the one before were cut."""
        if self._cord.is_cut:
            self._cord = Cord()

    # -- what drivers open ---------------------------------------------------------------------------------------------

    def open_block(self, file: MachineFile, address: str, _reach: object = None) -> BlockLink:
        """Make the link to the machine at an address."""
        if address in self._addresses:
            return open_link(file, self._addresses[address])
        return self._mounts[address].tag_link(self._cord)

    def open_port(self, address: str) -> MemoryPort:
        """Make the port to the printer at an address."""
        return self._printers[split_address(address)](self._cord)

    def open_line(self, address: str) -> MemoryLine:
        """Make the link to the scanner at an address."""
        return self._lines[split_address(address)]()

    def open_reader(
        self,
        name: str,
        _url: str = "",
        _clock: Clock | None = None,
        _rng: random.Random | None = None,
        _: object = None,
    ) -> Scanner:
        """Make the fixed reader of that name."""
        return self._readers[name]()

    def open_camera(self, name: str) -> Camera:
        """Make the camera of that name."""
        return self._cameras[name]

    # -- one of each ---------------------------------------------------------------------------------------------------

    def _machine(self, spec: MachineSpec, wire: Wire) -> MemoryTagMount:
        machine = self.hall.machines[spec.name]
        mount = MemoryTagMount(machine, spec.file, self._clock, wire)
        stop = self.hall.stop_before(spec)
        self.misbehaviour.add(spec.name, machine_switches(machine, mount, wire, self._clock, stop))
        return mount

    def _socket(self, spec: MachineSpec, wire: Wire) -> Mount:
        machine = self.hall.machines[spec.name]
        mount: Mount
        if spec.file.machine.protocol == "modbus":
            mount = modbus_mount(ANY_PORT, spec.file, machine, wire)
        else:
            self._space = self._space or address_space()
            mount = opcua_mount(f"opc.tcp://{ANY_PORT}", spec.file, machine, wire, self._space)
        stop = self.hall.stop_before(spec)
        self.misbehaviour.add(spec.name, machine_switches(machine, mount, wire, self._clock, stop))
        return mount

    def _printer(self, name: str) -> Callable[[Cord], MemoryPort]:
        printer, plug, wire, turn = self.hall.printers[name], self._plug(), Wire(), asyncio.Lock()
        self.misbehaviour.add(name, printer_switches(printer, plug, wire))
        return lambda cord: MemoryPort(printer, plug, wire, turn, self._clock, cord)

    def _scanner(self, name: str, driver: str, address: str) -> None:
        scanner, plug = self.hall.scanners[name], self._plug()
        self.misbehaviour.add(name, quirk_switches(scanner.quirks, SCANNER_QUIRKS, plug))
        if driver == "tcp":
            peers: list[Pipe] = []
            scanner.send = lambda text: _tell(peers, f"{text}\r\n".encode())
            self._lines[split_address(address)] = lambda: MemoryLine(plug, peers, scanner.trigger)
            return

        def reader() -> MemoryReader:
            made = MemoryReader(name, plug, scanner.trigger, self._clock)
            scanner.send = made.take
            return made

        self._readers[name] = reader

    def _camera(self, name: str) -> MemoryCamera:
        camera, plug, wire = self.hall.cameras[name], self._plug(), Wire()
        switches = quirk_switches(camera.quirks, CAMERA_QUIRKS, plug)
        self.misbehaviour.add(name, {**switches, **wire_switches(plug, wire)})
        return MemoryCamera(name, camera, plug, wire, self._clock)

    def _plug(self) -> MemoryPlug:
        plug = MemoryPlug()
        self._plugs.append(plug)
        return plug


def _tell(peers: list[Pipe], data: bytes) -> None:
    for pipe in peers:
        pipe.put(data)
