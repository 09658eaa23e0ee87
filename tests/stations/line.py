"""One line of stations over real books, and the hall around it; a controller may die and another be born on both."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection

from packline.core.effects import APPLY, EJECT, PRINT, SEAL, EffectKind, EffectState
from packline.core.identity import Lpn, Sscc
from packline.core.ids import SeededIds
from packline.core.scans import Scan
from packline.orders.model import Address, Event, Item, Order, OrderLine, Parcel, ParcelState, PlaceOrder, Purchase
from packline.store import Store
from packline.store.engine import Engines
from packline.store.writer import Writer
from stations.bench import Bench
from stations.clarification import Clarification
from stations.courier_gate import CourierGate
from stations.hand_over import HandOver
from stations.hold import Hold
from stations.kit import Kit, Rules, Trouble
from stations.looking import Eye
from stations.pack import Pack
from stations.person import PersonDevice
from stations.print_apply import PrintApply
from stations.resolve import Resolver
from stations.screen import Instruction, Screen, say
from stations.turntable import Turntable
from tests.stations.fakes import (
    Carton,
    EagerClock,
    Eyes,
    Hall,
    Killed,
    Machine,
    MachineDevice,
    Paper,
    Points,
    Printer,
    Reader,
    read_fake_picture,
)
from tests.waiting import let_run

T = TypeVar("T")

PLACES = {
    "collect": "induct-1",
    "pack": "pack-1",
    "label": "label-1",
    "bench": "bench-1",
    "hold": "hold-1",
    "gate": "gate-1",
    "clarify": "clarify-1",
    "shelf": "clarify-1",
}
ELSEWHERE = Address(recipient="李华", lines=("解放路 9 号",), city="北京", postcode="100000")
ITEMS = [
    Item(
        sku="CUP", merchant="m", name="青花茶杯", barcodes=("4006381333931",), length_mm=100, width_mm=90, height_mm=80
    ),
    Item(sku="POT", merchant="m", name="Tea pot", barcodes=("96385074",), length_mm=200, width_mm=150, height_mm=120),
    Item(sku="LAMP", merchant="m", name="Lamp", barcodes=("LAMP-1",), length_mm=900, width_mm=200, height_mm=200),
]
ADDRESS = Address(recipient="王小明", lines=("中山路 1 号",), city="上海", postcode="200000", phone="13800001234")


def content(number: object = 1, lines: Mapping[str, int] | None = None, **changes: Any) -> PlaceOrder:
    """Make a host's order of `lines` (SKU -> quantity)."""
    wanted = lines or {"CUP": 1}
    fields: dict[str, Any] = {
        "channel": "market",
        "external_id": f"HM-{number}",
        "version": 1,
        "digest": "0" * 64,
        "merchant": "m",
        "buyer": "b",
        "placed_at": datetime(2026, 1, 1, 8, tzinfo=UTC),
        "currency": "CNY",
        "lines": tuple(
            OrderLine(line_no=n, sku=sku, name=f"{sku} it is", quantity=quantity, unit_minor=1990)
            for n, (sku, quantity) in enumerate(wanted.items(), 1)
        ),
        "total_minor": 1990 * sum(wanted.values()),
        "purchase": Purchase.BOUGHT,
        "paid": True,
        "ship_to": ADDRESS,
    }
    return PlaceOrder(**{**fields, **changes})


class Floor:
    """The hall and its machines: what survives every controller."""

    def __init__(self) -> None:
        self.points = Points()
        self.clock = EagerClock()
        self.hall = Hall(points=self.points)
        self.waiting: list[Paper] = []
        self.bench_exit: list[Paper] = []
        hall = self.hall
        self.arm = MachineDevice(
            "arm-1", {"apply": self._apply, "eject": self._eject, "discard": self._discard}, self.points
        )
        self.packer = MachineDevice("packer-1", {"seal": self._seal}, self.points)
        self.gate = MachineDevice("gate-1", {"release": self._release, "light": self._light}, self.points)
        self.table = MachineDevice("turntable-1", {"turn": self._turn}, self.points)
        self.machines = {
            "arm": Machine("arm-1", self.arm, self._arm_inputs),
            "packer": Machine(
                "packer-1",
                self.packer,
                lambda: {
                    "carton_present": int(hall.infeed is not None),
                    "carton_closed": int(hall.infeed is not None and hall.infeed.sealed),
                    "outfeed_full": int(self.outfeed_full),
                },
            ),
            "gate": Machine("gate-1", self.gate, lambda: {"parcel_present": int(hall.at_gate is not None)}),
            "table": Machine("turntable-1", self.table, lambda: {"item_present": int(bool(hall.item_on_table))}),
        }
        self.outfeed_full = False
        self.lane_full = {1: False, 2: False, 3: False}
        self.printer = Printer(hall, self._label_out)
        self.bench_printer = Printer(hall, self.bench_exit.append)
        self.cam_verify = Eyes("cam-verify", self.clock, self.points, lambda: hall.stop)
        self.cam_bench = Eyes("cam-bench", self.clock, self.points, lambda: hall.bench)
        self.cam_table = Eyes("cam-table", self.clock, self.points, lambda: None)
        self.scan_pack = Reader("scan-pack", self.clock, lambda: hall.infeed.lpn if hall.infeed else "")
        self.scan_gate = Reader("scan-gate", self.clock, self._gate_code)

    def _label_out(self, paper: Paper) -> None:
        if self.hall.peel is None:
            self.hall.peel = paper
        else:
            self.waiting.append(paper)

    def take_peel(self) -> Paper | None:
        """Take the label at the printer's exit; the next one comes out."""
        paper, self.hall.peel = self.hall.peel, None
        if self.waiting:
            self.hall.peel = self.waiting.pop(0)
        return paper

    def _apply(self, _effect: Any) -> Mapping[str, Any] | None:
        paper = self.hall.pad or self.take_peel()
        self.hall.pad = None
        if paper is None or self.hall.stop is None:
            self.hall.pad = paper
            return None
        self.hall.stick(paper, self.hall.stop)
        return {"press_n": 42}

    def _eject(self, effect: Any) -> Mapping[str, Any] | None:
        if self.hall.stop is None:
            return None
        self.hall.lanes[effect.parameters["lane"]].append(self.hall.stop)
        self.hall.stop = None
        return {"lane": effect.parameters["lane"]}

    def _discard(self, _effect: Any) -> Mapping[str, Any]:
        for paper in (self.hall.pad, self.take_peel()):
            if paper is not None:
                self.hall.thrown.append(paper)
        self.hall.pad = None
        return {}

    def _seal(self, effect: Any) -> Mapping[str, Any] | None:
        if self.hall.infeed is None:
            return None
        self.hall.seals[self.hall.infeed.lpn] += 1
        self.hall.infeed.sealed = True
        return {}

    def _release(self, _effect: Any) -> Mapping[str, Any] | None:
        if self.hall.at_gate is None:
            return None
        self.hall.gone.append(self.hall.at_gate)
        self.hall.at_gate = None
        return {"passed_count": 1}

    def _light(self, effect: Any) -> Mapping[str, Any]:
        self.hall.lamp = effect.parameters["lamp"]
        return {}

    def _turn(self, effect: Any) -> Mapping[str, Any]:
        self.hall.angle = effect.parameters["angle_deg"]
        self.hall.turns.append(self.hall.angle)
        return {}

    def _arm_inputs(self) -> Mapping[str, int]:
        return {
            "parcel_present": int(self.hall.stop is not None),
            "label_at_peel": int(self.hall.peel is not None),
            "label_on_pad": int(self.hall.pad is not None),
            **{f"lane{n}_full": int(full) for n, full in self.lane_full.items()},
        }

    def _gate_code(self) -> str:
        box = self.hall.at_gate
        return f"00{box.labels[-1].sscc}" if box and box.labels and box.readable else ""


@dataclass
class Life:
    """One run of the controller: its stations and its view of the books."""

    floor: Floor
    store: Store
    kit: Kit
    label: PrintApply
    pack: Pack
    gate: CourierGate
    table: Turntable
    bench: Bench
    hold: Hold
    clarify: Clarification
    door: HandOver
    hand_table: Turntable
    resolver: Resolver

    # -- books

    async def order(self, number: object = 1, lines: Mapping[str, int] | None = None, **changes: Any) -> str:
        """Receive and release an order; gives its id."""
        new = content(number, lines, **changes)
        received = Event(kind="OrderReceived", subject=new.order_id, data={"content": new})
        await self.kit.record(received, Event(kind="OrderReleased", subject=new.order_id, order_id=new.order_id))
        return new.order_id

    async def change(self, number: object = 1, lines: Mapping[str, int] | None = None, **changes: Any) -> None:
        """Bring an order to a newer version, as a feed would."""
        new = content(number, lines, version=2, digest="1" * 64, **changes)
        from packline.orders.changes import changes as events_of

        order = await self.kit.books.order(new.order_id)
        assert order is not None
        units = await self.kit.books.units(order_id=new.order_id)
        parcels = await self.kit.books.parcels(order_id=new.order_id)
        await self.kit.record(*events_of(order, units, parcels, new))

    async def carton(
        self,
        serial: int = 1,
        number: object = 1,
        state: str = "packed",
        place: str = "to:label-1",
        boxed: Collection[str] = (),
        **changes: Any,
    ) -> str:
        """Make an order whose pieces (or only those of the articles `boxed`) lie in one carton, booked up to `state` (open, collected
        or packed).
        """
        order_id = await self.order(number, **changes)
        lpn = Lpn.number(serial).text
        await self.kit.record(self._event("ParcelOpened", lpn, order_id, place=place))
        for unit in await self.kit.books.units(order_id=order_id):
            if boxed and unit.sku not in boxed:
                continue
            for kind in ("UnitInducted", "UnitInspected"):
                await self.kit.record(Event(kind=kind, subject=unit.unit_id, order_id=order_id, station="induct-1"))
            await self.kit.record(Event(kind="UnitBoxed", subject=unit.unit_id, order_id=order_id, data={"lpn": lpn}))
        for kind, after in (("ParcelCollected", "collected"), ("ParcelPacked", "packed")):
            if state in ("collected", "packed") and (after == state or state == "packed"):
                await self.kit.record(self._event(kind, lpn, order_id, place=place))
        return lpn

    async def approved(self, serial: int = 1, number: object = 1, place: str = "to:gate-1") -> Carton:
        """Make a parcel that may leave, with its label on the carton."""
        lpn = await self.carton(serial, number)
        sscc = Sscc.build(3, "9521321", 5000 + serial).text
        order_id = (await self.parcel(lpn)).order_id
        await self.kit.record(
            self._event("LabelAssigned", lpn, order_id, sscc=sscc, print_number=9000 + serial),
            self._event("LabelPrinted", lpn, order_id),
            self._event("LabelApplied", lpn, order_id),
            self._event("LabelVerified", lpn, order_id),
            self._event("ParcelApproved", lpn, order_id),
            self._event("ParcelMoved", lpn, order_id, place=place),
        )
        return Carton(lpn=lpn, labels=[Paper(sscc=sscc, lpn=lpn, print_number=9000 + serial)], sealed=True)

    def _event(self, kind: str, lpn: str, order_id: str, **data: object) -> Event:
        return Event(kind=kind, subject=lpn, order_id=order_id, data=data)

    async def record(self, kind: str, lpn: str, **data: object) -> None:
        """Record one event of a parcel."""
        await self.kit.record(self._event(kind, lpn, (await self.parcel(lpn)).order_id, **data))

    async def record_unit(self, kind: str, unit_id: str, order_id: str, station: str = "induct-1", **data: Any) -> None:
        """Record one event of a unit."""
        await self.kit.record(Event(kind=kind, subject=unit_id, order_id=order_id, station=station, data=data))

    async def parcel(self, lpn: str) -> Parcel:
        """Give a parcel that must be there."""
        found = await self.kit.books.parcel(lpn)
        assert found is not None
        return found

    async def the_order(self, order_id: str) -> Order:
        """Give an order that must be there."""
        found = await self.kit.books.order(order_id)
        assert found is not None
        return found

    async def effect(self, kind: EffectKind, lpn: str, generation: int) -> EffectState | None:
        """Give the state of an effect, None if it was never meant."""
        row = await self.kit.ledger.find(kind, lpn, generation)
        return row.state if row else None

    async def effect_of_apply(self, lpn: str) -> EffectState | None:
        """Give how the present label's application stands."""
        return await self.effect(APPLY, lpn, (await self.parcel(lpn)).generation)

    # -- doing

    async def scan(self, work: Any, text: str, actor: str = "") -> Instruction:
        """Scan `text` at a station; raises Fault for a refusal."""
        scan = Scan(text=text, device="hand", at=self.floor.clock.now(), actor=actor)
        answer: Instruction = await work.scanned(scan)
        return answer

    async def label_all(self, lpn: str) -> Carton:
        """Run the label station until the carton has left it; gives the carton."""
        box = self.floor.hall.stop or Carton(lpn=lpn, sealed=True)
        self.floor.hall.stop = box
        for _ in range(12):
            if self.floor.hall.stop is not box:
                return box
            await self.label.step()
        raise AssertionError(f"{lpn} is still at the stop: {self.label.screen.next}")

    def close(self) -> None:
        """End this run; the database stays open for the next."""
        self.store.writer._let_go()


class Database:
    """One open database that is made as new for every test; `template` is a connection to empty books with items."""

    def __init__(self, engines: Engines, template: Any) -> None:
        self.engines = engines
        self._template = template

    def make_new(self) -> None:
        """Copy the template over everything."""
        target = self.engines.write.raw_connection()
        try:
            self._template.backup(target.driver_connection)
        finally:
            target.close()


class Rig:
    """Makes lives over one floor and one database, which holds nothing at first but the item master."""

    def __init__(self, database: Database) -> None:
        self._engines = database.engines
        self.floor = Floor()
        self._lives: list[Life] = []
        database.make_new()

    def live(self, *, counted: bool = False, slow: bool = False, **rules: Any) -> Life:
        """Start a controller on the books; `counted` lets the points count its commits.

        `slow` books let the loop turn before they answer, so that things happen between question and answer.
        """
        wrap = self.floor.points.wrap_commit if counted else None
        writer = (SlowWriter if slow else Writer)(self._engines, inline=True, wrap_commit=wrap)
        store = Store("sqlite:///books.db", writer, self.floor.clock, SeededIds(f"life {len(self._lives)}"))
        kit = Kit(
            books=store.books,
            ledger=store.ledger,
            clock=self.floor.clock,
            offload=read_fake_picture,
            rules=Rules(**rules),
            places=PLACES,
        )
        life = self._wire(store, kit)
        self._lives.append(life)
        return life

    def _wire(self, store: Store, kit: Kit) -> Life:
        floor, m = self.floor, self.floor.machines
        faces = {
            name: Screen() for name in ("label", "pack", "gate", "table", "bench", "hold", "clarify", "door", "ht")
        }

        def eye(camera: Eyes, face: str) -> Eye:
            return Eye(camera=camera, kit=kit, screen=faces[face])

        hands = PersonDevice(
            station="induct-2",
            screen=faces["ht"],
            clock=floor.clock,
            words=lambda e: say("turn_by_hand", unit=e.subject, angle=e.parameters["angle_deg"]),
        )
        life = Life(
            floor=floor,
            store=store,
            kit=kit,
            label=PrintApply(
                name="label-1",
                kit=kit,
                screen=faces["label"],
                arm=m["arm"],
                printer=floor.printer,
                eye=eye(floor.cam_verify, "label"),
                lanes={"gate": 1, "hold": 2, "clarify": 3},
            ),
            pack=Pack(
                name="pack-1",
                kit=kit,
                screen=faces["pack"],
                packer=m["packer"],
                scanner=floor.scan_pack,
                next_station="label-1",
            ),
            gate=CourierGate(name="gate-1", kit=kit, screen=faces["gate"], gate=m["gate"], scanner=floor.scan_gate),
            table=Turntable(
                name="induct-1",
                kit=kit,
                screen=faces["table"],
                table=m["table"],
                hands=floor.table,
                eye=eye(floor.cam_table, "table"),
            ),
            bench=Bench(
                name="bench-1",
                kind="bench",
                kit=kit,
                screen=faces["bench"],
                printer=floor.bench_printer,
                eye=eye(floor.cam_bench, "bench"),
            ),
            hold=Hold(name="hold-1", kit=kit, screen=faces["hold"], slots=3),
            clarify=Clarification(name="clarify-1", kit=kit, screen=faces["clarify"]),
            door=HandOver(name="gate-1", kit=kit, screen=faces["door"]),
            hand_table=Turntable(
                name="induct-2",
                kit=kit,
                screen=faces["ht"],
                table=None,
                hands=hands,
                eye=eye(floor.cam_table, "ht"),
            ),
            resolver=Resolver(kit),
        )
        floor.scan_pack.listener = life.pack.scanned
        floor.scan_gate.listener = life.gate.scanned
        return life

    def die(self, life: Life) -> None:
        """Let a killed controller's connection go: what it did not commit never was."""
        with suppress(Exception):
            life.store.writer._let_go()

    def close(self) -> None:
        """End every life."""
        for life in self._lives:
            self.die(life)


class SlowWriter(Writer):
    """Lets the loop turn before it answers a question."""

    async def read(self, run: Callable[[Connection], T]) -> T:
        await let_run()
        return await super().read(run)


async def trouble(work: Awaitable[object]) -> Trouble:
    """Give the trouble that a step must run into."""
    try:
        await work
    except Trouble as found:
        return found
    raise AssertionError("there was no trouble")


__all__ = [
    "ELSEWHERE",
    "APPLY",
    "EJECT",
    "PRINT",
    "SEAL",
    "Killed",
    "Life",
    "ParcelState",
    "Rig",
    "content",
    "trouble",
]
