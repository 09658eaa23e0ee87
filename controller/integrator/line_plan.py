"""Where each station of a line is drawn, and what leads from one to another. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from controller.site import Site, StationPart, places_of

COLUMNS = (("turntable",), ("pack", "bench"), ("print_apply",), ("courier_gate", "hold", "clarification"))
"""Which kinds of stations stand in which column, from left to right, and in which order."""
LANE_PLACES = {"gate": "gate", "hold": "hold", "clarify": "clarify"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device of a station. `run` is "twin" or "real"."""

    name: str
    noun: str
    address: str
    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A station in its column."""

    name: str
    kind: str
    run_by: str
    column: int
    devices: tuple[Device, ...]
    slots: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way of parcels: a belt, or by hand. `lane` is the number of an eject lane, 0 for none."""

    start: str
    end: str
    by: str = "belt"
    lane: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePlan:
    """The whole line."""

    title: str
    time_zone: str
    boxes: tuple[Box, ...]
    ways: tuple[Way, ...]
    feeds: tuple[str, ...]
    couriers: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Give it for programs."""
        return asdict(self)


def line_plan(site: Site) -> LinePlan:
    """Lay out the stations of a site."""
    boxes = sorted(_boxes(site), key=lambda box: (box.column, COLUMNS[box.column].index(box.kind)))
    return LinePlan(
        title=site.site.title,
        time_zone=site.site.time_zone,
        boxes=tuple(boxes),
        ways=tuple(dict.fromkeys(_ways(site))),
        feeds=tuple(site.feeds),
        couriers=tuple(site.couriers),
    )


def _boxes(site: Site) -> Iterator[Box]:
    for name, part in site.stations.items():
        column = next(n for n, kinds in enumerate(COLUMNS) if part.kind in kinds)
        slots = part.slots if part.kind == "hold" else 0
        devices = tuple(_devices(site, part))
        yield Box(name=name, kind=part.kind, run_by=part.run_by, column=column, devices=devices, slots=slots)


def _devices(site: Site, part: StationPart) -> Iterator[Device]:
    if part.machine in site.machines and part.run_by == "machine":
        machine = site.machines[part.machine or ""]
        yield Device(name=part.machine or "", noun="machine", address=machine.address, run=machine.mount)
    if part.printer in site.printers:
        printer = site.printers[part.printer or ""]
        yield Device(name=part.printer or "", noun="printer", address=printer.address, run=printer.mount)
    if part.camera in site.cameras:
        camera = site.cameras[part.camera or ""]
        yield Device(name=part.camera or "", noun="camera", address=camera.url, run=camera.mount)
    for name in part.scanners:
        if name in site.scanners:
            scanner = site.scanners[name]
            yield Device(name=name, noun="scanner", address=scanner.address, run=scanner.mount)


def _ways(site: Site) -> Iterator[Way]:
    places = places_of(site)
    for name, part in site.stations.items():
        if part.kind == "turntable":
            for place in ("pack", "bench"):
                if place in places:
                    yield Way(start=name, end=places[place])
        elif part.kind == "pack":
            after = part.feeds or places.get("label")
            if after:
                yield Way(start=name, end=after)
        elif part.kind == "print_apply":
            for lane, number in part.lanes.items():
                if LANE_PLACES[lane] in places:
                    yield Way(start=name, end=places[LANE_PLACES[lane]], lane=number)
        elif part.kind == "bench":
            for place in ("gate", "hold", "clarify"):
                if place in places:
                    yield Way(start=name, end=places[place], by="hand")
