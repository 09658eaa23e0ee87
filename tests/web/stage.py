"""A dashboard with a controller of cardboard: books with a few orders, a snapshot that tests change at will."""

import asyncio
import atexit
import io
import shutil
import tempfile
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from argon2 import PasswordHasher
from jinja2.bccache import Bucket, BytecodeCache
from PIL import Image, ImageDraw

from packline.core.clock import ManualClock
from packline.core.effects import APPLY, PRINT, Effect, EffectState, Evidence, Ticket
from packline.core.faults import Fault
from packline.core.identity import Lpn, Sscc
from packline.core.ids import SeededIds
from packline.core.pictures import Still
from packline.orders.model import Address, Event, Item, OrderLine, PlaceOrder, Purchase
from packline.store import Store, open_store
from web.app import create_app, hub_of
from web.settings import WebSettings

T = TypeVar("T")

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
SECRET = b"a secret of thirty-two bytes, no"
FEED_SECRET = "whsec_c3RhZ2UtbWFya2V0cGxhY2Utc2VjcmV0LTAwMDAx"
COURIER_SECRET = "whsec_c3RhZ2UtY291cmllci1zZWNyZXQtMDAwMDAwMDAx"
PASSWORD = "correct horse battery staple"
PEOPLE = ("viewer", "operator", "supervisor", "integrator", "admin")

READY = Lpn.number(1001).text  # verified, the buyer is asked
WAITING = Lpn.number(1002).text  # sealed, waits for payment
LOST = Lpn.number(1003).text  # print in doubt
SSCC = Sscc.build(3, "9521321", 41).text
LEADS = {
    "induct-1": ["pack-1", "bench-1"],
    "pack-1": ["label-1"],
    "label-1": ["gate-1", "hold-1", "clarify-1"],
    "bench-1": ["hold-1"],
    "hold-1": ["gate-1"],
}
"""Where the demo line passes parcels on to."""


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, in a thread of its own: Playwright keeps a loop running in the test's thread."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


class Compiled(BytecodeCache):
    """Keeps compiled templates from one test to the next."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key] = bucket.bytecode_to_string()


COMPILED = Compiled()
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""A hash says what it costs to check: hundreds of tests sign in, and what a real one costs is a test of tests/web/test_doors.py."""


def passing_folder() -> Path:
    """Make a folder that goes when the tests do."""
    folder = Path(tempfile.mkdtemp(prefix="packline-stage-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def blank_books() -> Path:
    """Make a database with the schema and one user of each role, once; tests copy it."""
    path = passing_folder() / "blank.db"
    store = open_store(f"sqlite:///{path}", clock=ManualClock(START), ids=SeededIds("blank"), inline=True)
    for role in PEOPLE:
        store.users.create(role, role=role, password_hash=CHEAP.hash(PASSWORD), now=START)
    store.close()
    return path


class Cardboard:
    """Answers as the controller does: snapshots, and requests through the store when it is woken."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.snapshot = healthy()
        self.is_alive = True
        self.is_silent = False
        self.is_frozen = False
        self.last_at = START.isoformat()
        self.store: Store | None = None
        self.verdict: tuple[str, dict[str, Any]] | None = ("done", {})
        self.handled: list[Any] = []

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        if not self.is_alive:
            raise ConnectionRefusedError("nobody listens")
        if self.is_silent:
            raise TimeoutError("stopped in mid-thought")
        if question["do"] == "snapshot":
            return {**deepcopy(self.snapshot), "at": self._at()}
        self.work()
        return {"ok": True}

    def _at(self) -> str:
        if not self.is_frozen:
            self.last_at = self.clock.now().isoformat()
        return self.last_at

    def work(self) -> None:
        if self.store is None or self.verdict is None:
            return
        state, result = self.verdict
        for row in run(self.store.requests.pending()):
            self.handled.append(row)
            run(self.store.requests.finish(row.id, result, state=state))


class Stage:
    """Everything that a test of the dashboard may touch."""

    def __init__(self, folder: Path, clock: Any = None, *, books: Path | None = None, **changes: Any) -> None:
        self.clock = clock or ManualClock(START)
        self.ids = SeededIds("stage")
        shutil.copy(books or blank_books(), folder / "books.db")
        self.store = open_store(f"sqlite:///{folder / 'books.db'}", clock=self.clock, ids=self.ids, inline=True)
        self.controller = Cardboard(self.clock)
        self.controller.store = self.store
        given: dict[str, Any] = {
            "store": self.store,
            "clock": self.clock,
            "ids": self.ids,
            "data": folder,
            "secret": SECRET,
            "title": "Demo hall",
            "feeds": {"marketplace": [FEED_SECRET]},
            "couriers": {"kd": [COURIER_SECRET]},
            "ask": self.controller.ask,
            "pause": lambda seconds: self.clock.advance(seconds),
        }
        self.settings = WebSettings(**{**given, **changes})
        self.app = create_app(self.settings)
        self.hub = hub_of(self.app)
        self.app.jinja_env.bytecode_cache = COMPILED
        self.hub.poll()

    def close(self) -> None:
        self.hub.stop()
        self.store.close()

    def record(self, *events: Event) -> None:
        run(self.store.books.record(*events))

    def client(self, role: str = "") -> Any:
        """Give a test client, signed in; its `csrf` is the session's token."""
        client: Any = self.app.test_client()
        client.csrf = ""
        if role:
            answer = client.post("/api/login", json={"user": role, "password": PASSWORD})
            assert answer.status_code == 200, answer.text
            client.csrf = answer.json["csrf"]
        return client

    def post(self, client: Any, path: str, body: Any, **headers: str) -> Any:
        return client.post(path, json=body, headers={"X-CSRF-Token": client.csrf, **headers})

    def exception(
        self, code: int, *, station: str = "label-1", subject: str = READY, actions: tuple[str, ...] = ()
    ) -> str:
        fault = Fault(code, where=station, seen="what the camera saw", expected="what the books say")
        desk = self.store.books
        return run(desk.open_exception(fault, station=station, subject=subject, actions=actions))

    def alarm(self, code: int, source: str, device: str = "") -> None:
        run(self.store.books.raise_alarm(Fault(code, where=device or source, seen="no answer"), source=source))

    def picture(self, kind: str, subject: str, order_id: str, text: str, note: str = "", frame: int = 1) -> str:
        still = Still(jpeg=drawn(text, frame), camera="cam-verify", frame=frame, captured_at=self.clock.now())
        keep = self.store.books.keep_picture
        return run(keep(still, kind=kind, subject=subject, order_id=order_id, note=note))


@cache
def furnished_books() -> tuple[Path, float]:
    """Furnish a database once; give it, and how far the clock went meanwhile."""
    folder = passing_folder()
    stage = Stage(folder)
    furnish(stage)
    stage.close()
    return folder / "books.db", float(stage.clock.monotonic())


def furnished_stage(folder: Path, clock: Any = None, **changes: Any) -> Stage:
    """Give a stage with orders, parcels, pictures and an exception in its books."""
    books, elapsed_s = furnished_books()
    stage = Stage(folder, clock, books=books, **changes)
    stage.clock.advance(elapsed_s)
    stage.hub.poll()
    return stage


def order(
    number: int = 10023, *, paid: bool = True, addressed: bool = True, lines: int = 1, version: int = 1
) -> PlaceOrder:
    goods = (("TEA-250", "Oolong tea 250 g"), ("CUP-BL", "青花瓷茶杯"), ("LAMP-7", "Desk lamp, walnut"))
    address = Address(
        recipient="林小雨", lines=("软件园二期 18 号 302",), city="厦门", postcode="361008", phone="13800001234"
    )
    return PlaceOrder(
        channel="marketplace",
        external_id=f"HM-{number}",
        version=version,
        digest=f"{number:064x}",
        merchant="Harbour Tea",
        buyer="b-771",
        placed_at=START - timedelta(minutes=40),
        currency="CNY",
        lines=tuple(
            OrderLine(line_no=n + 1, sku=goods[n][0], name=goods[n][1], quantity=1, unit_minor=1990)
            for n in range(lines)
        ),
        total_minor=1990 * lines,
        purchase=Purchase.BOUGHT,
        paid=paid,
        ship_to=address if addressed else None,
    )


def furnish(stage: Stage) -> None:
    """Put four orders, three parcels, pictures, labels, a doubtful print, a quarantined message and items into the books."""
    stage.store.items.put_now(
        [
            Item(sku="TEA-250", merchant="Harbour Tea", name="Oolong tea 250 g", barcodes=("6901234567892",), weight_g=280, length_mm=120, width_mm=80, height_mm=60, location="A-03-2"),
            Item(sku="CUP-BL", merchant="Harbour Tea", name="青花瓷茶杯", barcodes=("6901234567908",), weight_g=310, length_mm=100, width_mm=100, height_mm=90, location="A-04-1"),
        ]
    )  # fmt: skip
    shipped_through(stage, READY, order(10023, lines=2), SSCC, 41)
    boxed(stage, WAITING, order(10024, paid=False))
    boxed(stage, LOST, order(10025))
    stage.record(Event(kind="OrderReceived", subject="marketplace-HM-10026", data={"content": order(10026, lines=3)}))
    in_doubt(stage, LOST)
    put = stage.store.inbox.put_now(
        "marketplace", "msg-17", {}, b'{"type":"order.changed","data":{"id":"HM-1"}}', START
    )
    fault = Fault(4006, where="order marketplace-HM-1 version 2", seen="LAMP-9", expected="an item of the item master")
    run(stage.store.inbox.mark(put.id, "quarantined", fault.text(), fault.as_dict()))


def boxed(stage: Stage, lpn: str, content: PlaceOrder) -> None:
    order_id = content.order_id
    stage.record(
        Event(kind="OrderReceived", subject=order_id, data={"content": content}),
        Event(kind="OrderReleased", subject=order_id),
    )
    stage.record(Event(kind="ParcelOpened", subject=lpn, order_id=order_id, data={"place": "induct-1", "bench": False}))
    for line in content.lines:
        unit = f"{order_id}.{line.line_no}.1"
        stage.record(
            Event(kind="UnitInducted", subject=unit, order_id=order_id, station="induct-1", actor="lin"),
            Event(kind="UnitInspected", subject=unit, order_id=order_id, station="induct-1"),
            Event(
                kind="UnitBoxed", subject=unit, order_id=order_id, station="induct-1", actor="lin", data={"lpn": lpn}
            ),
        )
        for angle in (0, 90, 180, 270):
            stage.picture("inspection", unit, order_id, f"{line.sku}\n{angle}°", f"{angle}°", angle + 1)
            stage.clock.advance(1)
    stage.record(
        Event(kind="ParcelCollected", subject=lpn, order_id=order_id, station="induct-1"),
        Event(kind="ParcelPacked", subject=lpn, order_id=order_id, station="pack-1", data={"place": "to:label-1"}),
    )


def shipped_through(stage: Stage, lpn: str, content: PlaceOrder, sscc: str, number: int) -> None:
    """Bring a parcel to the buyer's question."""
    boxed(stage, lpn, content)
    data = {"sscc": sscc, "print_number": number}
    of = {"subject": lpn, "order_id": content.order_id, "station": "label-1"}
    stage.record(Event(kind="LabelAssigned", data=data, **of))
    for kind in ("LabelPrinted", "LabelApplied"):
        stage.clock.advance(2)
        stage.record(Event(kind=kind, data=data, **of))
    stage.clock.advance(2)
    proof = stage.picture("label", lpn, content.order_id, f"(00) {sscc}", frame=900)
    stage.record(Event(kind="LabelVerified", data={**data, "picture": proof}, **of))
    until = (stage.clock.now() + timedelta(hours=1)).isoformat()
    stage.record(Event(kind="ApprovalAsked", data={"until": until}, **of))
    stage.record(Event(kind="ParcelMoved", data={"place": "H03"}, **of))


class Doubtful:
    """A printer that loses its answers."""

    async def prepare(self, effect: Effect, job: int) -> Ticket:
        return Ticket(machine="printer-1", job=job)

    async def send(self, effect: Effect, ticket: Ticket) -> Evidence:
        return Evidence(
            state=EffectState.UNKNOWN, source="label counter", data={"before": 41, "after": None}, fault=2103
        )

    async def inquire(self, effect: Effect, ticket: Ticket) -> Evidence:
        return await self.send(effect, ticket)


def in_doubt(stage: Stage, lpn: str) -> str:
    effect = Effect(kind=PRINT, subject=lpn, generation=1, station="label-1", parameters={"sscc": SSCC})
    outcome = run(stage.store.ledger.perform(effect, Doubtful()))
    fault = Fault(2103, where="label-1", seen="no answer within 3 s", expected="a counted label")
    opened = stage.store.books.open_exception(
        fault, station="label-1", subject=lpn, actions=("done", "not_done", "clarify"), effect_id=outcome.effect_id
    )
    return run(opened)


def station(name: str, kind: str, state: str, following: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "name": name, "kind": kind, "run_by": "machine", "state": state, "parcel": "", "order": "", "unit": "", "next": following,
        "tasks": [], "devices": [], "scans": [], "camera": "", "pictures": [], "fault": None, "hold_by": "", "leads": LEADS.get(name, []),
        **more,
    }  # fmt: skip


def device(name: str, kind: str, protocol: str, address: str, state: str = "", **inputs: int) -> dict[str, Any]:
    return {
        "name": name, "kind": kind, "protocol": protocol, "address": address, "quality": "good", "state": state, "owned": True,
        "faults": [], "inputs": inputs,
    }  # fmt: skip


def on_floor(lpn: str, state: str, place: str, held: bool = False) -> dict[str, Any]:
    """Give one parcel of the snapshot's floor; who moved last stands first there."""
    return {"lpn": lpn, "state": state, "place": place, "held": held}


def say(key: str, **params: Any) -> dict[str, Any]:
    return {"key": key, "params": params}


def healthy() -> dict[str, Any]:
    """Give the snapshot of a demo line on which all is well."""
    scans = [
        {"n": 2, "at": START.isoformat(), "text": "6901234567892", "result": say("place_on_table", unit="u", sku="TEA-250", name="Oolong tea 250 g")},
        {"n": 1, "at": (START - timedelta(seconds=48)).isoformat(), "text": WAITING, "result": say("carton_ok", lpn=WAITING)},
    ]  # fmt: skip
    return {
        "at": START.isoformat(), "seq": 118, "run": {"id": "01JDEMO", "started_at": START.isoformat(), "recovered": None},
        "line": {"state": "running", "wip": 7, "per_hour": 124, "oldest_waiting_s": 754, "orders": {"received": 4, "released": 7}, "parcels": {}},
        "stations": [
            station("induct-1", "turntable", "working", say("pick", sku="TEA-250", name="Oolong tea 250 g", location="A-03-2", order="marketplace-HM-10026", unit="u"), order="marketplace-HM-10026", camera="cam-table", scans=scans,
                    devices=[device("turntable-1", "turntable", "modbus", "127.0.0.1:15021", "Execute", angle_deg=90, item_present=0), device("scan-induct", "scanner", "tcp", "127.0.0.1:15031")]),
            station("pack-1", "pack", "working", say("sealing", lpn=WAITING), parcel=WAITING, devices=[device("packer-1", "packer", "opcua", "opc.tcp://127.0.0.1:14840", "Execute"), device("scan-pack", "scanner", "tcp", "127.0.0.1:15032")]),
            station("label-1", "print_apply", "waiting", say("wait_carton"), camera="cam-verify", devices=[device("arm-1", "applicator", "modbus", "127.0.0.1:15022", "Idle"), device("printer-1", "printer", "escpos", "127.0.0.1:19100", "ready")]),
            station("bench-1", "bench", "idle", say("wait_carton"), run_by="person", camera="cam-bench", devices=[device("printer-bench", "printer", "escpos", "127.0.0.1:19101", "ready"), device("scan-bench", "scanner", "tcp", "127.0.0.1:15034")]),
            station("hold-1", "hold", "waiting", say("idle"), run_by="person", tasks=[say("fetch", lpn=READY, slot="H03", to="gate-1", kind="gate"), say("store", lpn=WAITING, slot="H04")], devices=[device("scan-hold", "scanner", "tcp", "127.0.0.1:15033")]),
            station("gate-1", "courier_gate", "idle", say("place_parcel"), devices=[device("gate-1", "courier_gate", "modbus", "127.0.0.1:15023", "Idle"), device("scan-gate", "scanner", "autoid", "opc.tcp://127.0.0.1:14841"), device("scan-courier", "scanner", "tcp", "127.0.0.1:15035")]),
            station("clarify-1", "clarification", "idle", say("idle"), run_by="person", devices=[device("scan-clarify", "scanner", "tcp", "127.0.0.1:15036")]),
        ],
        "floor": {"parcels": [on_floor(LOST, "packed", "label-1"), on_floor(WAITING, "collected", "pack-1"), on_floor(READY, "approved", "H03")], "cases": []},
        "alarms": 0, "exceptions": 0,
    }  # fmt: skip


def wound(snapshot: dict[str, Any], name: str, code: int, state: str = "asking", **params: Any) -> dict[str, Any]:
    """Put a fault onto one station of a snapshot."""
    hurt = deepcopy(snapshot)
    for one in hurt["stations"]:
        if one["name"] == name:
            fault = Fault(code, where=name, seen="nothing within 900 ms", expected="a label")
            one.update(
                state=state,
                fault=fault.as_dict(),
                next=say("ask_person", exception=params.get("exception", "X1"), code=code),
            )
    hurt["exceptions"] += 1
    hurt["floor"]["cases"].append({"code": code, "station": name, "subject": params.get("subject", "")})
    return hurt


@cache
def drawn(text: str, seed: int = 1) -> bytes:
    """Draw a small picture with words on it, as a camera might give."""
    picture = Image.new("RGB", (640, 480), (205 - seed % 40, 203, 198))
    pen = ImageDraw.Draw(picture)
    pen.ellipse((90, 330, 550, 450), fill=(182, 181, 178))
    pen.rectangle((200 + seed % 60, 120, 440 - seed % 50, 390), fill=(244, 243, 240), outline=(120, 118, 115), width=3)
    pen.multiline_text((235, 190), text, fill=(40, 40, 40))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=80)
    return file.getvalue()


__all__ = [
    "APPLY",
    "LOST",
    "READY",
    "SSCC",
    "WAITING",
    "Cardboard",
    "Stage",
    "boxed",
    "furnish",
    "healthy",
    "order",
    "say",
    "wound",
]
