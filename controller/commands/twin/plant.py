"""Hands the twin the plant of a site file: only what is mounted as a twin."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from zlib import crc32

from controller.addresses import demand_address
from controller.commands import numbers
from controller.commands.twin.shields import shield_of
from controller.item_file import item_bytes
from controller.machine_files import machine_file, scanner_file
from controller.site import Site, twin_part
from controller.starting import data_of
from packline.core.faults import Fault
from packline.store.item_file import read_items
from plc.machine_file import MachineFile
from simulation.mounts.wire import split_address
from simulation.spec import (
    CameraSpec,
    MachineSpec,
    PlantSpec,
    PrinterSpec,
    ScannerSpec,
    StationSpec,
    StockSpec,
)

PIECES_PER_ITEM = 200

LONE_ADDRESS = "127.0.0.1:15100"
COLOURS = ("#3b6ea5", "#a5483b", "#3b8f5a", "#8a5a9e", "#b98a2f", "#2f8f9c", "#6b7280", "#9c4f6d")


def plant_of(site: Site, path: Path, speed: float | None = None) -> PlantSpec:
    """Give the plant of the site file at `path`; what is mounted as real is left out."""
    twin = twin_part(site)
    folder, data = path.resolve().parent, data_of(site, path)
    return PlantSpec(
        machines=tuple(_machines(site, folder, data)),
        printers=tuple(
            PrinterSpec(name=name, address=part.address, at=_owner(site, "printer", name))
            for name, part in site.printers.items()
            if part.mount == "twin"
        ),
        cameras=tuple(
            CameraSpec(name=name, address=part.url, looks_at=_owner(site, "camera", name))
            for name, part in site.cameras.items()
            if part.mount == "twin"
        ),
        scanners=tuple(_scanners(site, folder, data)),
        stations=tuple(_stations(site)),
        stock=tuple(_stock(site, folder)),
        slots=tuple(f"H{n:02d}" for n in range(1, _slots(site) + 1)),
        truth_address=twin.truth,
        seed=twin.seed,
        speed=speed or twin.speed,
    )


def lone_plant(file: MachineFile, address: str | None, speed: float | None) -> PlantSpec:
    """Give a plant of one machine that stands nowhere, for whoever writes its file or its PLC program."""
    host = demand_address(address or LONE_ADDRESS, "--at", least=0)
    place = host if file.machine.protocol == "modbus" or "://" in host else f"opc.tcp://{host}"
    machine = MachineSpec(name=file.model, file=file, address=place, at="")
    return PlantSpec(machines=(machine,), speed=speed or 1.0)


def at_ports(plant: PlantSpec, *, modbus: int | None, opcua: int | None, is_free: bool) -> PlantSpec:
    """Give the plant with other ports: Modbus devices one by one from `modbus` on, OPC UA devices from `opcua` on; 0: any free port.

    None leaves them where the site file has them, and `is_free` lets everything else listen at any free port. Raises Fault
    4201 where there are more devices than ports.
    """
    nodes, rest = _Ports("--opcua", opcua), _Ports("", 0 if is_free else None)
    ports = {"modbus": _Ports("--modbus", modbus), "opcua": nodes, "autoid": nodes}

    def at(protocol: str, address: str) -> str:
        own = ports.get(protocol, rest)
        return (own if own.first is not None else rest).address(address)

    return replace(
        plant,
        machines=tuple(replace(m, address=at(m.file.machine.protocol, m.address)) for m in plant.machines),
        scanners=tuple(replace(s, address=at(s.driver, s.address)) for s in plant.scanners),
        printers=tuple(replace(p, address=at("", p.address)) for p in plant.printers),
        cameras=tuple(replace(c, address=at("", c.address)) for c in plant.cameras),
        truth_address=at("", plant.truth_address),
    )


class _Ports:
    """Ports that are handed out one after the other."""

    def __init__(self, option: str, first: int | None) -> None:
        self.first = first
        self._option, self._given = option, 0

    def address(self, address: str) -> str:
        """Give an address with the next port; the same one where none was chosen."""
        if self.first is None:
            return address
        port = self.first + self._given if self.first else 0
        self._given += 1
        if port > numbers.MOST_PORT:
            remedy = f"Begin further down: type {self._option} {numbers.MOST_PORT - self._given + 1} or less."
            raise Fault(
                4201, where=self._option, seen=str(port), expected=f"ports up to {numbers.MOST_PORT}", remedy=remedy
            )
        scheme, _, rest = address.rpartition("://")
        host, path = split_address(rest)[0], rest.partition("/")[2]
        return f"{scheme}://{host}:{port}/{path}" if scheme else f"{host}:{port}"


def _machines(site: Site, folder: Path, data: Path) -> list[MachineSpec]:
    return [
        MachineSpec(
            name=name,
            file=machine_file(part.file, folder),
            address=part.address,
            at=_owner(site, "machine", name),
            shield=shield_of(folder, data, name, part),
        )
        for name, part in site.machines.items()
        if part.mount == "twin"
    ]


def _scanners(site: Site, folder: Path, data: Path) -> list[ScannerSpec]:
    specs = []
    for name, part in site.scanners.items():
        at = next((station for station, place in site.stations.items() if name in place.scanners), "")
        kind = site.stations[at].kind if at else ""
        if part.mount == "twin":
            reads = "label" if kind == "courier_gate" else "plate"
            specs.append(
                ScannerSpec(
                    name=name,
                    driver=part.driver,
                    address=part.address,
                    at=at,
                    fixed=part.fixed,
                    shield=shield_of(folder, data, name, part),
                    file=scanner_file(part, folder),
                    reads=reads,  # type: ignore[arg-type]  # one of the two
                )
            )
    return specs


def _stations(site: Site) -> list[StationSpec]:
    by_kind = {"gate": "courier_gate", "hold": "hold", "clarify": "clarification"}
    specs = []
    for name, part in site.stations.items():
        lanes = {lane: site.station_of_kind(by_kind[kind]) or "" for kind, lane in part.lanes.items()}
        feeds = part.feeds or (site.station_of_kind("print_apply") or "" if part.kind == "pack" else "")
        specs.append(StationSpec(name=name, kind=part.kind, run_by=part.run_by, lanes=lanes, feeds=feeds))
    return specs


def _stock(site: Site, folder: Path) -> list[StockSpec]:
    if not site.site.items:
        return []
    items, _ = read_items(item_bytes(site, folder))
    return [
        StockSpec(
            sku=item.sku,
            name=item.name,
            barcode=item.barcodes[0] if item.barcodes else "",
            size_mm=(item.length_mm, item.width_mm, item.height_mm),
            colour=_colour(item.picture, item.sku),
            count=PIECES_PER_ITEM,
        )
        for item in items
    ]


def _colour(picture: str, sku: str) -> str:
    """Give the colour that the item file names instead of a picture, or one that the SKU always gets."""
    return picture if picture.startswith("#") else COLOURS[crc32(sku.encode()) % len(COLOURS)]


def _slots(site: Site) -> int:
    return max((part.slots for part in site.stations.values() if part.kind == "hold"), default=0)


def _owner(site: Site, field: str, name: str) -> str:
    return next((station for station, part in site.stations.items() if getattr(part, field) == name), "")
