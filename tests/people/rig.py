"""A hall with people and no machines, and a dashboard that says what a test wants."""

import asyncio
import dataclasses
import functools
from collections import defaultdict
from typing import Any

import simpy
from PIL import Image

from packline.core.clock import LoopClock
from packline.core.identity import Sscc
from simulation.hall import Hall
from simulation.pacer import Pacer
from simulation.people.crew import Crew
from simulation.people.desk import ScanSeen, StationView, Told
from simulation.plant.things import LabelPaper, Piece
from simulation.spec import PlantSpec, PrinterSpec, ScannerSpec, StationSpec, StockSpec
from tests.waiting import eventually, let_run

SPEED = 50_000.0
BARCODES = {"TEA": "9521321000018", "CUP": "9521321000025", "LAMP": "9521321000032"}


def say(key, **params):
    return Told(key=key, params=params)


def plant_spec():
    kinds: dict[str, Any] = {
        "induct-1": "turntable",
        "pack-1": "pack",
        "label-1": "print_apply",
        "bench-1": "bench",
        "hold-1": "hold",
        "gate-1": "courier_gate",
        "clarify-1": "clarification",
    }
    by_person = {"bench-1", "hold-1", "clarify-1"}
    stations = tuple(
        StationSpec(
            name=name,
            kind=kind,
            run_by="person" if name in by_person else "machine",
            lanes={1: "gate-1", 2: "hold-1", 3: "clarify-1"} if name == "label-1" else {},
        )
        for name, kind in kinds.items()
    )
    scanners = tuple(
        ScannerSpec(name=f"scan-{name}", driver="tcp", address="127.0.0.1:0", at=name)
        for name in kinds
        if name not in ("pack-1", "label-1")
    )
    return PlantSpec(
        stations=stations,
        scanners=scanners,
        printers=tuple(PrinterSpec(name=f"printer-{n}", address="", at=f"{n}-1") for n in ("bench", "label")),
        stock=tuple(StockSpec(sku=sku, name=sku, barcode=code, count=5) for sku, code in BARCODES.items()),
        slots=("H01", "H02"),
        speed=SPEED,
        first_plate=1,
    )


class FakeDesk:
    """The dashboard. `on_scan[station]` answers a scan; `deaf` scans get no answer, as when the controller was killed."""

    def __init__(self):
        self.run, self.is_fresh, self.deaf = "run-1", True, 0
        self.screens, self.on_scan = {}, {}
        self.scans, self.texts = defaultdict(list), []
        self.rows, self.asked, self.on_request = [], [], lambda action, args: {"state": "done", "result": {}}
        self._turned = asyncio.Event()

    def run_id(self):
        return self.run

    def show(self, station, told, tasks=(), **other):
        blank = StationView(
            name=station,
            kind="",
            state="working",
            next=told,
            tasks=(),
            scans=(),
            unit="",
            hold_by="",
            fault_code=0,
            machine_states={},
        )
        self.screens[station] = dataclasses.replace(blank, tasks=tuple(tasks), **other)
        self.turn()

    def turn(self):
        turned, self._turned = self._turned, asyncio.Event()
        turned.set()

    def station(self, name):
        return self.last(name) if self.is_fresh else None

    def last(self, name):
        view = self.screens.get(name)
        return dataclasses.replace(view, scans=tuple(self.scans[name][-10:])) if view else None

    async def changed(self, timeout_s):
        turned = self._turned
        await let_run()
        try:
            await asyncio.wait_for(turned.wait(), min(timeout_s, 0.005))
        except TimeoutError:
            return

    async def exceptions(self):
        return list(self.rows)

    async def request(self, action, args, key):
        self.asked.append((action, dict(args), key))
        return self.on_request(action, args)

    def scanned(self, station, text):
        text = text[3:]
        self.texts.append((station, text))
        told = self.on_scan[station](text)
        if self.deaf:
            self.deaf -= 1
            return
        n = len(self.scans[station]) + 1
        self.scans[station].append(ScanSeen(n=n, text=text, result=told))
        self.turn()


class Floor:
    """The hall with its crew; `work(person)` lets somebody work until `done()` holds."""

    def __init__(self):
        self.clock = LoopClock()
        self.motion = Pacer(simpy.Environment(), SPEED, self.clock)
        self.hall = Hall(plant_spec(), self.motion, self.clock)
        self.world, self.truth, self.floor = self.hall.world, self.hall.truth, self.hall.floor
        # lanes belong to a machine; here they are only places
        for lane in (1, 2, 3):
            self.world.add_place(f"lane:label-1:{lane}", 6)
        self.desk = FakeDesk()
        for name, scanner in self.hall.scanners.items():
            scanner.send = functools.partial(self.desk.scanned, name.removeprefix("scan-"))
        self.crew = Crew(
            floor=self.floor,
            desk=self.desk,
            clock=self.clock,
            plant=self.hall.spec,
            speed=SPEED,
            barcodes=BARCODES,
            patience_s=0.02,
        )

    def carton(self, place="hands", skus=(), closed=False):
        """Let a carton stand at `place`."""
        carton = self.world.take_carton()
        for sku in skus:
            piece = self.world.take_piece(sku)
            assert isinstance(piece, Piece)
            self.world.box(piece, carton)
        if closed:
            self.world.seal(carton, "test")
        if place != "hands":
            self.world.move(carton, place)
        return carton

    def label(self, lpn, number=1, printer="printer-bench", *, on=None, complete=True):
        """Hang a label at a printer, or stick it `on` a carton."""
        paper = LabelPaper(
            number=len(self.world.papers.visible) + 1,
            printer=printer,
            bitmap=Image.new("1", (1, 1)),
            complete=complete,
            sscc=Sscc.build(3, "9521321", number).text,
            lpn=lpn,
            print_number=number,
            place="hands",
        )
        self.world.papers.visible[paper.number] = paper
        if on is not None:
            self.world.papers.stick(paper, on, by="test")
        else:
            self.world.papers.at_peel[printer], paper.place = paper, f"peel:{printer}"
        return paper

    async def work(self, run, done):
        tasks = [asyncio.create_task(run()), asyncio.create_task(self.motion.run())]
        try:
            await eventually(lambda: done() or any(task.done() for task in tasks))
            assert not any(task.done() for task in tasks), [t.exception() for t in tasks if t.done()]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
