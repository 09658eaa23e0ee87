"""Hands the twin the plant of a site file: only what is mounted as a twin."""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

from controller.addresses import demand_address
from controller.commands.twin.shields import shield_of
from controller.placement import machine_file, scanner_file
from controller.site import Site, twin_part
from controller.starting import data_of
from packline.store.item_file import read_items
from plc.machine_file import MachineFile
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
    items, _ = read_items((folder / site.site.items).read_bytes())
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
