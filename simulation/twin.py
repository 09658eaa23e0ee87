"""The twin: serves the hall's devices on real sockets, keeps its time, and tells the truth on a channel of its own."""

from __future__ import annotations

import asyncio
import errno
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import simpy

from packline.core.clock import Clock, LoopClock
from packline.core.faults import Fault
from plc.machine_file import MachineFile
from simulation.camera_page import PATH, camera_page
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
from simulation.hands import Hands
from simulation.machines.camera import Offload
from simulation.misbehave import Misbehaviour, Switches
from simulation.motion import Motion
from simulation.mounts.blocks import AUTOID_NAMESPACE
from simulation.mounts.http import HttpServer
from simulation.mounts.opening import address_space, autoid_mount, modbus_mount, opcua_mount
from simulation.mounts.shield import Shield
from simulation.mounts.tcp import LineScannerMount, RawPortMount
from simulation.mounts.wire import Mount, Wire
from simulation.pacer import Pacer
from simulation.plant.floor import Floor
from simulation.plant.truth import Truth
from simulation.spec import CameraSpec, MachineSpec, PlantSpec, PrinterSpec, ScannerSpec
from simulation.truth_channel import TruthChannel

if TYPE_CHECKING:
    from simulation.mounts.address_space import AddressSpace
    from simulation.mounts.autoid import AutoIdMount

TICK_S = 0.2
"""Wall time between two scans of a machine that nobody asks: its watchdog must bite also then."""


class RunningMotion(Motion, Protocol):
    """A plant's time that has to be kept running."""

    async def run(self) -> None:
        """Run the plant for ever; raises what breaks it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One device that listens."""

    name: str
    kind: str
    protocol: str
    address: str


@dataclass(slots=True, kw_only=True)
class _Post:
    """A device with its mount and what can go wrong with it."""

    name: str
    kind: str
    protocol: str
    mount: Mount
    switches: Switches
    path: str = ""


@dataclass(slots=True, kw_only=True)
class _Spaces:
    """OPC UA address spaces; devices share one as long as their namespaces differ."""

    spaces: list[tuple[AddressSpace, set[str]]] = field(default_factory=list)

    def room_for(self, namespace: str, shield: Shield | None) -> AddressSpace:
        """Give a space without that namespace yet; a protected device has one to itself, for its certificate."""
        for space, taken in self.spaces if shield is None else ():
            if namespace not in taken and not space.is_protected:
                taken.add(namespace)
                return space
        space = address_space(shield)
        self.spaces.append((space, {namespace}))
        return space


class Twin:
    """A plant on sockets: `await start()`, then `run()` until cancelled (it raises what breaks the plant), then `stop()`.

    `offload` draws pictures off the loop. `motion` is how the plant keeps its time; default: by the clock, `spec.speed` times
    faster.
    """

    def __init__(
        self,
        spec: PlantSpec,
        *,
        clock: Clock | None = None,
        offload: Offload = asyncio.to_thread,
        motion: RunningMotion | None = None,
    ) -> None:
        self.spec = spec
        self._clock = clock or LoopClock()
        self.motion = motion or Pacer(simpy.Environment(), spec.speed, self._clock)
        self.hall = Hall(spec, self.motion, self._clock, offload=offload)
        self.misbehaviour = Misbehaviour(self._clock)
        self.truth_address = ""
        self._spaces = _Spaces()
        self._posts = self._all_posts()
        channel = TruthChannel(self.truth, self.hall.world, self.misbehaviour, Hands(self.floor, spec), self._clock)
        self._truth_server = HttpServer(spec.truth_address, channel.handle)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def floor(self) -> Floor:
        """Give what people can do."""
        return self.hall.floor

    @property
    def truth(self) -> Truth:
        """Give what physically happened."""
        return self.hall.truth

    async def start(self) -> list[Served]:
        """Serve everything and begin to move; returns every device with the address it listens at.

        Raises Fault 4201 where nobody can listen: a port that is taken, an address of another computer.
        """
        for space, _ in self._spaces.spaces:
            await space.start()
        self.hall.power_on()
        self._tasks = [asyncio.create_task(self.motion.run()), asyncio.create_task(self._tick())]
        served = []
        for post in self._posts:
            address = await _opened(post) + post.path
            served.append(Served(name=post.name, kind=post.kind, protocol=post.protocol, address=address))
            self.misbehaviour.add(post.name, post.switches)
        add_people(self.misbehaviour, self.hall, self.motion)
        try:
            self.truth_address = await self._truth_server.open()
        except OSError as error:
            raise _not_ours("[twin] truth", error) from error
        return served

    async def run(self) -> None:
        """Run until cancelled; raises what breaks the plant."""
        await asyncio.gather(*self._tasks)

    async def stop(self) -> None:
        """Close every port and stop time."""
        await self.misbehaviour.close()
        await self._truth_server.close()
        for post in self._posts:
            await post.mount.close()
        for space, _ in self._spaces.spaces:
            await space.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(TICK_S)
            self.hall.scan_machines()

    # -- one post for each device --------------------------------------------------------------------------------------

    def _all_posts(self) -> list[_Post]:
        return [
            *(self._machine_post(m) for m in self.spec.machines),
            *(self._printer_post(p) for p in self.spec.printers),
            *(self._scanner_post(s) for s in self.spec.scanners),
            *(self._camera_post(c) for c in self.spec.cameras),
        ]

    def _machine_post(self, spec: MachineSpec) -> _Post:
        machine, wire = self.hall.machines[spec.name], Wire()
        protocol = spec.file.machine.protocol
        mount: Mount
        if protocol == "modbus":
            mount = modbus_mount(spec.address, spec.file, machine, wire, spec.shield)
        else:
            space = self._spaces.room_for(spec.file.namespace or "", spec.shield)
            mount = opcua_mount(spec.address, spec.file, machine, wire, space)
        switches = machine_switches(machine, mount, wire, self._clock, self.hall.stop_before(spec))
        return _Post(name=spec.name, kind=spec.file.model, protocol=protocol, mount=mount, switches=switches)

    def _printer_post(self, spec: PrinterSpec) -> _Post:
        printer, wire = self.hall.printers[spec.name], Wire()
        mount = RawPortMount(spec.address, printer, wire)
        switches = printer_switches(printer, mount, wire)
        return _Post(name=spec.name, kind="printer", protocol="escpos", mount=mount, switches=switches)

    def _scanner_post(self, spec: ScannerSpec) -> _Post:
        scanner = self.hall.scanners[spec.name]
        if spec.file is not None:
            return self._readout_post(spec, spec.file)
        mount: LineScannerMount | AutoIdMount
        if spec.driver == "tcp":
            mount = LineScannerMount(spec.address, scanner.trigger)
        else:
            mount = autoid_mount(spec.address, self._spaces.room_for(AUTOID_NAMESPACE, spec.shield), scanner.trigger)
        scanner.send = mount.send
        switches = quirk_switches(scanner.quirks, SCANNER_QUIRKS, mount)
        return _Post(name=spec.name, kind="scanner", protocol=spec.driver, mount=mount, switches=switches)

    def _readout_post(self, spec: ScannerSpec, file: MachineFile) -> _Post:
        readout, wire = self.hall.readouts[spec.name], Wire()
        mount = modbus_mount(spec.address, file, readout, wire, spec.shield)
        switches = {**quirk_switches(readout.quirks, SCANNER_QUIRKS, mount), **wire_switches(mount, wire)}
        return _Post(name=spec.name, kind="scanner", protocol=spec.driver, mount=mount, switches=switches)

    def _camera_post(self, spec: CameraSpec) -> _Post:
        camera, wire = self.hall.cameras[spec.name], Wire()
        mount = HttpServer(spec.address, camera_page(camera, wire))
        switches = {**quirk_switches(camera.quirks, CAMERA_QUIRKS, mount), **wire_switches(mount, wire)}
        return _Post(name=spec.name, kind="camera", protocol="http", mount=mount, switches=switches, path=PATH)


async def _opened(post: _Post) -> str:
    try:
        return await post.mount.open()
    except OSError as error:
        raise _not_ours(post.name, error) from error


def _not_ours(where: str, error: OSError) -> Fault:
    found = re.search(r"\('(.+?)', (\d+)", str(error))  # asyncio names the address in its text alone
    seen = f"{found[1]}:{found[2]} is in use" if found and error.errno == errno.EADDRINUSE else str(error)
    remedy = "Stop what listens there (another twin or demo?), or give the device another address of this computer."
    return Fault(4201, where=where, seen=seen, expected="an address that nobody listens at", remedy=remedy)
