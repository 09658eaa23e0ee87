"""Makes the stations of a site file: which class stands where, with which machines, for machine or person."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from controller.links import Links
from controller.machine_files import machine_file, scanner_file
from controller.pulse import Pulse
from controller.site import Site, StationPart, fixed_scanner
from controller.site_security import reach
from labeling.printer import LabelPrinter
from packline.core.effects import Device, Epochs
from packline.core.pictures import Camera
from packline.core.scans import Scanner
from plc.kinds import LiveMachine, make_machine
from stations.bench import Bench
from stations.clarification import Clarification
from stations.courier_gate import CourierGate
from stations.hand_over import HandOver
from stations.hold import Hold
from stations.kit import Kit
from stations.looking import Eye
from stations.pack import Pack
from stations.person import PersonDevice
from stations.ports import Offload
from stations.post import Work
from stations.print_apply import PrintApply
from stations.screen import Screen, say
from stations.turntable import Turntable


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """All devices of the line by name."""

    machines: Mapping[str, LiveMachine]
    printers: Mapping[str, LabelPrinter]
    cameras: Mapping[str, Camera]
    scanners: Mapping[str, Scanner]


def equip(
    site: Site,
    folder: Path,
    data: Path,
    links: Links,
    *,
    epochs: Epochs,
    owner_id: int,
    pulse: Pulse,
    rng: random.Random,
    offload: Offload,
) -> Equipment:
    """Make every device of the site file; nothing is connected yet."""
    machines = {}
    for name, part in site.machines.items():
        file = machine_file(part.file, folder)
        machines[name] = make_machine(
            name=name,
            file=file,
            link=links.open_block(file, part.address, reach(part, folder, data)),
            epochs=epochs,
            owner_id=owner_id,
            clock=links.clock,
            rng=rng,
            ticking=pulse.is_alive,
        )
    printers = {
        name: LabelPrinter(
            name=name,
            address=part.address,
            open_port=links.open_port,
            clock=links.clock,
            rng=rng,
            offload=offload,
            typeset=links.typeset,
        )
        for name, part in site.printers.items()
    }
    cameras = {name: links.camera(name) for name in site.cameras}
    scanners = {
        name: links.scanner(name, part, reach(part, folder, data), file=scanner_file(part, folder))
        for name, part in site.scanners.items()
    }
    return Equipment(machines=machines, printers=printers, cameras=cameras, scanners=scanners)


class Placement:
    """Puts one station together at a time."""

    def __init__(self, site: Site, kit: Kit, equipment: Equipment) -> None:
        self._site = site
        self._kit = kit
        self._all = equipment

    def work(self, name: str, part: StationPart) -> Work:
        """Make the work of a station."""
        screen = Screen()
        make = {
            "turntable": self._turntable,
            "pack": self._pack,
            "print_apply": self._print_apply,
            "bench": self._bench,
            "hold": self._hold,
            "courier_gate": self._gate,
            "clarification": self._clarification,
        }[part.kind]
        return make(name, part, screen)

    def _turntable(self, name: str, part: StationPart, screen: Screen) -> Work:
        machine = self._all.machines[part.machine] if part.machine and part.run_by == "machine" else None
        hands: Device
        if machine is not None:
            hands = machine.device()
        else:
            hands = PersonDevice(
                station=name,
                screen=screen,
                clock=self._kit.clock,
                words=lambda e: say("turn_by_hand", unit=e.subject, angle=e.parameters["angle_deg"]),
            )
        return Turntable(
            name=name, kit=self._kit, screen=screen, table=machine, hands=hands, eye=self._eye(part, screen)
        )

    def _pack(self, name: str, part: StationPart, screen: Screen) -> Work:
        if part.run_by == "person" or part.machine is None:
            return Bench(name=name, kind="pack", kit=self._kit, screen=screen, printer=None, eye=None)
        return Pack(
            name=name,
            kit=self._kit,
            screen=screen,
            packer=self._all.machines[part.machine],
            scanner=self._fixed(part),
            next_station=part.feeds or self._kit.places["label"],
        )

    def _print_apply(self, name: str, part: StationPart, screen: Screen) -> Work:
        if part.run_by == "person" or part.machine is None or part.printer is None:
            return self._bench(name, part, screen)
        return PrintApply(
            name=name,
            kit=self._kit,
            screen=screen,
            arm=self._all.machines[part.machine],
            printer=self._all.printers[part.printer],
            eye=self._eye(part, screen),
            lanes={str(kind): lane for kind, lane in part.lanes.items()},
        )

    def _bench(self, name: str, part: StationPart, screen: Screen) -> Work:
        return Bench(
            name=name,
            kind=part.kind,
            kit=self._kit,
            screen=screen,
            printer=self._all.printers[part.printer or ""],
            eye=self._eye(part, screen),
        )

    def _hold(self, name: str, part: StationPart, screen: Screen) -> Work:
        return Hold(name=name, kit=self._kit, screen=screen, slots=part.slots)

    def _gate(self, name: str, part: StationPart, screen: Screen) -> Work:
        if part.run_by == "person" or part.machine is None:
            return HandOver(name=name, kit=self._kit, screen=screen)
        gate, scanner = self._all.machines[part.machine], self._fixed(part)
        return CourierGate(name=name, kit=self._kit, screen=screen, gate=gate, scanner=scanner)

    def _fixed(self, part: StationPart) -> Scanner:
        return self._all.scanners[fixed_scanner(self._site, part) or part.scanners[0]]

    def _clarification(self, name: str, part: StationPart, screen: Screen) -> Work:
        return Clarification(name=name, kit=self._kit, screen=screen)

    def _eye(self, part: StationPart, screen: Screen) -> Eye:
        return Eye(camera=self._all.cameras[part.camera or ""], kit=self._kit, screen=screen)
