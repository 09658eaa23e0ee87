"""What the plant consists of: the twin is built from this and from nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from plc.machine_file import MachineFile
from simulation.mounts.shield import Shield

StationKind = Literal["turntable", "pack", "print_apply", "hold", "bench", "courier_gate", "clarification"]
CONVEYED: frozenset[StationKind] = frozenset({"pack", "print_apply", "bench"})
"""Stations that a conveyor brings cartons to; to the others people carry them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSpec:
    """A machine; one that belongs to no station has an empty `at`. `address` is "host:port" (modbus) or "opc.tcp://host:port/..."; port 0 = any."""

    name: str
    file: MachineFile
    address: str
    at: str
    shield: Shield | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrinterSpec:
    """A label printer on a raw TCP port; `paper_labels` is how many labels a fresh roll has."""

    name: str
    address: str
    at: str
    paper_labels: int = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraSpec:
    """A camera with an HTTP snapshot; `address` is "host:port" or a whole URL, its path is /snapshot.jpg."""

    name: str
    address: str
    looks_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerSpec:
    """A scanner. A fixed one reads by itself what arrives at the stop of station `at`: the carton's plate or its label.

    One with driver "modbus" has a machine file, which says where its registers lie.
    """

    name: str
    driver: Literal["tcp", "autoid", "modbus"]
    address: str
    at: str
    fixed: bool = False
    reads: Literal["plate", "label"] = "plate"
    shield: Shield | None = None
    file: MachineFile | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StationSpec:
    """One place of the line. `lanes` says which station lies at the end of each eject lane, `feeds` where the outfeed leads."""

    name: str
    kind: StationKind
    run_by: Literal["machine", "person"] = "machine"
    lanes: Mapping[int, str] = field(default_factory=dict)
    feeds: str = ""
    infeed_capacity: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class StockSpec:
    """One article on the shelf: `size_mm` is length, width, height; `colour` of its pack is "#rrggbb"; `count` pieces."""

    sku: str
    name: str
    barcode: str = ""
    size_mm: tuple[int, int, int] = (120, 80, 60)
    colour: str = "#3b6ea5"
    count: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionTimes:
    """How long people and conveyors take, in simulated seconds; machines say theirs in their files."""

    take_piece_s: float = 5.0
    take_carton_s: float = 2.0
    scan_s: float = 1.0
    handle_s: float = 1.5
    carry_s: float = 4.0
    close_carton_s: float = 6.0
    stick_label_s: float = 3.0
    unpack_s: float = 6.0
    convey_s: float = 3.0
    print_mm_per_s: float = 150.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantSpec:
    """The whole plant. `speed` is simulated seconds per wall second; `first_plate` the first serial of the plate roll.

    Without `first_plate` the roll begins at a number taken from the wall clock, so that a twin started again does not hand
    out plates that are already in the controller's books.
    """

    machines: tuple[MachineSpec, ...] = ()
    printers: tuple[PrinterSpec, ...] = ()
    cameras: tuple[CameraSpec, ...] = ()
    scanners: tuple[ScannerSpec, ...] = ()
    stations: tuple[StationSpec, ...] = ()
    stock: tuple[StockSpec, ...] = ()
    slots: tuple[str, ...] = ()
    truth_address: str = "127.0.0.1:0"
    seed: int = 1
    speed: float = 1.0
    times: MotionTimes = MotionTimes()
    first_plate: int | None = None

    def station(self, name: str) -> StationSpec:
        """Give the station called `name`; raises KeyError."""
        return {s.name: s for s in self.stations}[name]

    def printer_at(self, station: str) -> PrinterSpec | None:
        """Give the printer that stands at `station`."""
        return next((p for p in self.printers if p.at == station), None)
