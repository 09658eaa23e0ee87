"""The hall: every device and place of a specification, built but not yet served to anybody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from packline.core.clock import Clock
from simulation.behaviours import behaviour_of
from simulation.machines.applicator import Applicator
from simulation.machines.bag_sealer import BagSealer
from simulation.machines.camera import Draw, Offload, VirtualCamera
from simulation.machines.checkweigher import Checkweigher
from simulation.machines.conveyor import Conveyor
from simulation.machines.ears import Moved
from simulation.machines.gate import Gate
from simulation.machines.generic import Generic
from simulation.machines.machine import Machine
from simulation.machines.mechanics import Mechanics
from simulation.machines.packer import Packer
from simulation.machines.paddle_hub import PaddleHub
from simulation.machines.plain import PlainMachine
from simulation.machines.printer import Printer
from simulation.machines.scan_registers import ScanRegisters
from simulation.machines.scanner import FixedScanner, HandScanner
from simulation.machines.turntable import Turntable
from simulation.motion import Motion
from simulation.pictures.render import render
from simulation.plant.conveyor import infeed
from simulation.plant.floor import Fittings, Floor
from simulation.plant.papers import ReadLabel
from simulation.plant.things import Place
from simulation.plant.truth import Truth
from simulation.plant.world import UNBOUNDED, World
from simulation.quirks import Quirks
from simulation.reading import read_label
from simulation.spec import CONVEYED, CameraSpec, MachineSpec, PlantSpec, ScannerSpec, StationSpec
from simulation.views import stop_view, table_view

ONE_AT_A_TIME = CONVEYED | {"courier_gate"}
"""Kinds of stations whose stop holds one carton; on the others' tables people keep as many as they like."""

Scanner = FixedScanner | HandScanner
AnyMachine = Machine | PlainMachine


class Hall:
    """All that stands on the floor, by name, in the world it stands in."""

    def __init__(
        self,
        spec: PlantSpec,
        motion: Motion,
        clock: Clock,
        *,
        offload: Offload = asyncio.to_thread,
        draw: Draw = render,
        read_label: ReadLabel = read_label,
    ) -> None:
        """`draw` makes the cameras' pictures, `read_label` reads what comes out of the printers."""
        self.spec = spec
        self.truth = Truth(clock, motion.now)
        self.world = World(
            motion.env,
            self.truth,
            stock={article.sku: article.count for article in spec.stock},
            first_plate=spec.first_plate if spec.first_plate is not None else plate_of_now(clock),
            read_label=read_label,
            seed=spec.seed,
        )
        self._motion = motion
        self._clock = clock
        self._draw = draw
        self.is_stopped = False
        """Whether the emergency stop of the hall is pressed: its belts stand."""
        self._stock = {article.sku: article for article in spec.stock}
        for station in spec.stations:
            self._furnish(station)
        for slot in spec.slots:
            self.world.add_place(f"slot:{slot}", 1)
        self.printers = {p.name: self._printer(p.name, p.paper_labels) for p in spec.printers}
        self.machines = {m.name: self._machine(m) for m in spec.machines}
        self.scanners: dict[str, Scanner] = {s.name: self._scanner(s) for s in spec.scanners}
        self.readouts = {s.name: self._readout(s) for s in spec.scanners if s.driver == "modbus"}
        self.cameras = {c.name: self._camera(c, offload) for c in spec.cameras}
        self.floor = Floor(self.world, motion, spec.times, self._fittings())

    def now(self) -> float:
        """Give the plant's seconds since the start."""
        return self._motion.now()

    def power_on(self) -> None:
        """Switch everything on; machines boot and wait for their controller."""
        for printer in self.printers.values():
            printer.power_on()
        for machine in (*self.machines.values(), *self.readouts.values()):
            machine.power_on()
        self._motion.do(self._start_belts)

    def stop(self, *, is_open: bool) -> None:
        """Press the emergency stop of the hall, or pull it out: it goes through every machine, and the belts."""
        self.is_stopped = is_open
        for machine in self.machines.values():
            machine.emergency_stop(is_open=is_open)

    def stop_before(self, spec: MachineSpec) -> Place | None:
        """Give the place before a machine where a belt brings cartons; None if none does."""
        return self.world.place(spec.at) if f"infeed:{spec.at}" in self.world.places else None

    def watch(self, moved: Moved) -> None:
        """Have `moved` hear what every machine does, and what is done to it."""
        for machine in self.machines.values():
            machine.watch = moved

    def scan_machines(self) -> None:
        """Let every machine's PLC run one scan."""
        for machine in self.machines.values():
            machine.scan()

    # -- building ------------------------------------------------------------------------------------------------------

    def _furnish(self, station: StationSpec) -> None:
        self.world.add_place(station.name, 1 if station.kind in ONE_AT_A_TIME else UNBOUNDED)
        if station.kind in CONVEYED:
            self.world.add_place(f"infeed:{station.name}", station.infeed_capacity)
        if station.kind == "turntable":
            self.world.tables.setdefault(station.name, None)

    def _start_belts(self) -> None:
        env, convey_s = self._motion.env, self.spec.times.convey_s
        for station in self.spec.stations:
            if station.kind in CONVEYED:
                env.process(infeed(self.world, station.name, convey_s, lambda: self.is_stopped))
        for machine in self.machines.values():
            env.process(machine.mechanics.by_itself(partial(_is_ready, machine)))

    def _printer(self, name: str, paper_labels: int) -> Printer:
        speed = self.spec.times.print_mm_per_s
        return Printer(name, self.world, self._motion, paper_labels=paper_labels, print_mm_per_s=speed, quirks=Quirks())

    def _machine(self, spec: MachineSpec) -> AnyMachine:
        if not spec.at:  # it belongs to no station: what it works on lies beside it
            spec = replace(spec, at=self.world.add_place(f"beside:{spec.name}", 1).name)
        quirks = Quirks()
        mechanics = _behaviour(spec)(self, spec, quirks)
        if spec.file.is_plain:
            return PlainMachine(spec.name, spec.file, mechanics, self._motion, quirks=quirks)
        return Machine(spec.name, spec.file, mechanics, self._motion, self._clock, quirks=quirks, seed=self.spec.seed)

    def _scanner(self, spec: ScannerSpec) -> Scanner:
        if spec.fixed:
            return FixedScanner(self.world, self._motion, spec.at, spec.reads, Quirks())
        return HandScanner(Quirks())

    def _readout(self, spec: ScannerSpec) -> PlainMachine:
        """Give the registers in which a Modbus scanner shows what it reads."""
        assert spec.file is not None  # noqa: S101 - the driver's machine file
        scanner = self.scanners[spec.name]
        registers = ScanRegisters(spec.file, scanner.trigger)
        scanner.send = registers.send
        return PlainMachine(spec.name, spec.file, registers, self._motion, quirks=scanner.quirks)

    def _camera(self, spec: CameraSpec, offload: Offload) -> VirtualCamera:
        tables = {m.at: self.machines[m.name].mechanics for m in self.spec.machines}
        table = tables.get(spec.looks_at)
        if isinstance(table, Turntable):
            scene = table_view(self.world, spec.looks_at, table, self._stock)
        else:
            scene = stop_view(self.world, spec.looks_at, self._stock)
        return VirtualCamera(scene, self._clock, offload=offload, quirks=Quirks(), draw=self._draw)

    def _fittings(self) -> Fittings:
        hands = {name: scanner.show for name, scanner in self.scanners.items() if isinstance(scanner, HandScanner)}
        return Fittings(
            scanners=hands,
            panels={name: machine.press for name, machine in self.machines.items()},
            printers={name: printer.load_paper for name, printer in self.printers.items()},
        )


def plate_of_now(clock: Clock) -> int:
    """Give a plate serial that grows with the calendar by ten a second, faster than cartons are used."""
    return int(clock.now().timestamp() * 10) % 10**9


def _is_ready(machine: AnyMachine) -> bool:
    """Tell whether the machine's belts run: it is in Execute and has no job; one without states runs while it has power."""
    if isinstance(machine, PlainMachine):
        return machine.is_powered
    return machine.is_powered and machine.brain.states.is_execute() and not machine.brain.busy


# -- behaviours: the [simulation] section of a machine file names one --------------------------------------------------


def _turntable(hall: Hall, spec: MachineSpec, _quirks: Quirks) -> Mechanics:
    return Turntable(hall.world.env, hall.world, spec.file, spec.at)


def _packer(hall: Hall, spec: MachineSpec, _quirks: Quirks) -> Mechanics:
    feeds = next((station.feeds for station in hall.spec.stations if station.name == spec.at), "")
    convey_s = hall.spec.times.convey_s
    return Packer(hall.world.env, hall.world, spec.file, spec.at, name=spec.name, feeds=feeds, convey_s=convey_s)


def _applicator(hall: Hall, spec: MachineSpec, quirks: Quirks) -> Mechanics:
    printer = hall.spec.printer_at(spec.at)
    return Applicator(
        hall.world.env,
        hall.world,
        spec.file,
        spec.at,
        name=spec.name,
        printer=printer.name if printer else "",
        quirks=quirks,
    )


def _gate(hall: Hall, spec: MachineSpec, _quirks: Quirks) -> Mechanics:
    return Gate(hall.world.env, hall.world, spec.file, spec.at)


def _conveyor(hall: Hall, spec: MachineSpec, _quirks: Quirks) -> Mechanics:
    return Conveyor(hall.world.env, spec.file)


def _checkweigher(hall: Hall, spec: MachineSpec, _quirks: Quirks) -> Mechanics:
    return Checkweigher(hall.world.env, hall.world, spec.file, spec.at, name=spec.name)


def _bag_sealer(hall: Hall, spec: MachineSpec, _quirks: Quirks) -> Mechanics:
    return BagSealer(hall.world.env, hall.world, spec.file, spec.at, name=spec.name)


def _paddle_hub(hall: Hall, spec: MachineSpec, _quirks: Quirks) -> Mechanics:
    return PaddleHub(hall.world.env, spec.file, seed=f"{hall.spec.seed}/{spec.name}")


def _scan_registers(_hall: Hall, spec: MachineSpec, _quirks: Quirks) -> Mechanics:
    return ScanRegisters(spec.file, trigger=lambda: None)  # declared as a machine it has nothing before its window


def _generic(hall: Hall, spec: MachineSpec, _quirks: Quirks) -> Mechanics:
    return Generic(hall.world.env, spec.file)


Build = Callable[[Hall, MachineSpec, Quirks], Mechanics]
_BEHAVIOURS: Mapping[str, Build] = {
    "turntable": _turntable,
    "packer": _packer,
    "applicator": _applicator,
    "courier_gate": _gate,
    "conveyor": _conveyor,
    "checkweigher": _checkweigher,
    "bag_sealer": _bag_sealer,
    "paddle_hub": _paddle_hub,
    "modbus_scanner": _scan_registers,
    "generic": _generic,
}


def _behaviour(spec: MachineSpec) -> Build:
    return _BEHAVIOURS[behaviour_of(spec.file.simulation, spec.name)]
