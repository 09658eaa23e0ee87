"""Which faults the devices of a plant can have, from its specification and the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from simulation.faults.catalogue import NAMED, By, Kind, kinds_of
from simulation.spec import CONVEYED, MachineSpec, PlantSpec, ScannerSpec


def known(spec: PlantSpec) -> Mapping[str, Mapping[str, Kind]]:
    """Give, for every device by name, its kinds of fault by id; the names that every line has come last."""
    stations = {station.name: station.kind for station in spec.stations}
    found: dict[str, tuple[By, ...]] = {}
    for machine in spec.machines:
        found[machine.name] = tuple(_of_machine(machine, stations.get(machine.at, "")))
    found |= {printer.name: (By.PRINTER,) for printer in spec.printers}
    found |= {scanner.name: tuple(_of_scanner(scanner)) for scanner in spec.scanners}
    found |= {camera.name: (By.CAMERA,) for camera in spec.cameras}
    found |= {by.value: (by,) for by in NAMED}
    return {name: _merged(sorts) for name, sorts in found.items()}


def _of_machine(machine: MachineSpec, station: str) -> Iterable[By]:
    yield By.MACHINE
    if not machine.file.is_plain:
        yield By.BLOCKS
    if machine.file.simulation.get("behaviour") == "applicator":
        yield By.ARM
    if station in CONVEYED:
        yield By.STOP


def _of_scanner(scanner: ScannerSpec) -> Iterable[By]:
    yield By.FIXED if scanner.fixed else By.HAND
    if scanner.driver == "modbus":
        yield By.REGISTERS


def _merged(sorts: Iterable[By]) -> Mapping[str, Kind]:
    merged: dict[str, Kind] = {}
    for by in sorts:
        merged |= kinds_of(by)
    return merged
