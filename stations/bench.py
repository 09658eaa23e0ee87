"""A bench: a person packs and labels with a hand scanner and a printer, under the same rules as the machines."""

from __future__ import annotations

from collections.abc import Sequence

from packline.core.effects import APPLY, SEAL, Device, Effect
from packline.core.faults import Fault
from packline.core.scans import Scan
from packline.orders.model import Event, Order, Parcel, ParcelState
from scanning import gs1
from scanning.verify import Seen
from stations.brake import Braked
from stations.kit import Kit, plate_of, trouble_of
from stations.label_job import LabelJob, Tools
from stations.looking import Eye
from stations.pack import carton_size
from stations.person import PersonDevice
from stations.ports import Machinery
from stations.rest import Rest
from stations.screen import Instruction, Screen, say
from stations.visit import begin_visit

_IN_WORK = frozenset({ParcelState.COLLECTED, ParcelState.PACKED, ParcelState.PRINTED, ParcelState.LABELLED})

_BACK_IN_WORK = frozenset({"ParcelCollected", "ParcelResumed"})
"""What puts a parcel that may lie here already into `_IN_WORK`."""


class Bench:
    """Packing and labelling by hand; the books and the camera watch over it as over a machine.

    `printer` and `eye` are None at a bench that only packs.
    """

    def __init__(
        self, *, name: str, kind: str, kit: Kit, screen: Screen, printer: Device | None, eye: Eye | None
    ) -> None:
        self.name = name
        self.kind = kind
        self.screen = screen
        self.machines: Sequence[Machinery] = ()
        self.rest: Rest | None = None
        self._kit = kit
        self._eye = eye
        self._hands = PersonDevice(station=name, screen=screen, clock=kit.clock, words=_words)
        self._current = ""
        self._job: LabelJob | None = None
        if printer is not None and eye is not None:
            tools = Tools(printer=Braked(printer, screen), hands=self._hands, eye=eye)
            self._job = LabelJob(station=name, kit=kit, screen=screen, tools=tools, clock=kit.clock)

    async def step(self) -> None:
        """Serve the carton on the bench, or list those on their way."""
        lpn = self._current or await self._left_here()
        if not lpn:
            await self._list_tasks()
            return
        self._current = lpn
        parcel, order = await self._kit.known(lpn, self.name)
        self.screen.about(parcel=lpn, order=order.order_id)
        self.screen.state = "working"
        _, to = await self._kit.where_to(parcel, order)
        if to == self.name:
            await self._work(await self._arrive(parcel))
        # a person may have taken hours: buyer, host and office went on meanwhile
        await self._hand_on(*await self._kit.known(lpn, self.name))

    async def scanned(self, scan: Scan) -> Instruction:
        """Take a plate, a word, or the label that was just stuck on."""
        parsed = gs1.parse(scan.text, scan.symbology)
        actor = scan.actor or "operator"
        if parsed.kind is gs1.Kind.ACTION:
            return self._word(parsed.value, actor)
        if parsed.kind in (gs1.Kind.LABEL, gs1.Kind.SSCC):
            return await self._label(parsed, actor)
        return await self._plate(plate_of(parsed, self.name))

    async def _plate(self, lpn: str) -> Instruction:
        if self._current and self._current != lpn:
            return say("finish_first", unit=self._current)
        parcel, order = await self._kit.known(lpn, self.name)
        where, to = await self._kit.where_to(parcel, order)
        if to != self.name:
            return say("take_to", lpn=lpn, to=to, kind=where.kind)
        self._current = lpn
        return say("carton_ok", lpn=lpn)

    def _word(self, word: str, actor: str) -> Instruction:
        job = self._hands.job
        if job is None or word not in ("DONE", "NOTDONE"):
            raise Fault(4304, where=self.name, seen=f"DO:{word}", expected="the next step on the screen")
        if job.kind is APPLY and word == "DONE":
            raise Fault(4304, where=self.name, seen="DO:DONE", expected="a scan of the label on the carton")
        self._hands.answer(word == "DONE", actor, f"DO:{word}")
        return say("done", lpn=job.subject)

    async def _label(self, parsed: gs1.Parsed, actor: str) -> Instruction:
        sscc = str(parsed.extra.get("sscc", parsed.value))
        label = await self._kit.books.label(sscc)
        job = self._hands.job
        if job is None or job.kind is not APPLY or label is None or label.lpn != job.subject:
            expected = f"the label of {job.subject}" if job else "no label now"
            raise Fault(3002, where=self.name, seen=sscc, expected=expected)
        if label.state == "voided":
            raise Fault(3006, where=self.name, seen=sscc, expected=f"the newest label of {job.subject}")
        self._hands.answer(True, actor, f"scan of {sscc}")
        return say("label_ok", lpn=label.lpn)

    async def _arrive(self, parcel: Parcel) -> Parcel:
        look = await self._eye.see() if self._eye is not None and parcel.sscc else None
        return await begin_visit(self._kit, parcel, self.name, look.seen if look else Seen())

    async def _work(self, parcel: Parcel) -> None:
        if parcel.state is ParcelState.COLLECTED:
            await self._close(parcel)
        parcel, order = await self._kit.known(parcel.lpn, self.name)
        where, to = await self._kit.where_to(parcel, order)
        if where.kind == "label" and to == self.name and self._job is not None and self._eye is not None:
            look = await self._eye.see()
            await self._job.run(parcel, look.seen)

    async def _close(self, parcel: Parcel) -> None:
        units = await self._kit.books.units(lpn=parcel.lpn)
        items = [item for unit in units if (item := await self._kit.books.item(unit.sku))]
        effect = Effect(kind=SEAL, subject=parcel.lpn, generation=1, station=self.name, parameters=carton_size(items))
        outcome = await self._kit.ledger.perform(effect, self._hands)
        if not outcome.ok:
            raise trouble_of(outcome, where=self.name, subject=parcel.lpn)
        event = Event(kind="ParcelPacked", subject=parcel.lpn, order_id=parcel.order_id, station=self.name)
        await self._kit.follow(parcel, event)

    async def _hand_on(self, parcel: Parcel, order: Order) -> None:
        where, to = await self._kit.where_to(parcel, order)
        if parcel.place == self.name:
            await self._kit.moved(parcel, f"to:{to}", self.name)
        self._current = ""
        self.screen.about(parcel=parcel.lpn, order=order.order_id)
        self.screen.tasks = [say("take_to", lpn=parcel.lpn, to=to, kind=where.kind)]
        self.screen.next = self.screen.tasks[0]
        self.screen.state = "waiting"

    async def _left_here(self) -> str:
        """A restart finds the carton again by its place in the books."""
        here = await self._kit.books.parcels(states=_IN_WORK, place=self.name)
        return here[0].lpn if here else ""

    async def _list_tasks(self) -> None:
        if self.screen.next.key == "take_to" and (sent := await self._on_its_way(self.screen.next)):
            self.rest = self._rest(sent)
            return  # the screen says where the last carton goes, until it is there or the next one is scanned
        coming = await self._kit.books.parcels(states=_IN_WORK, place=f"to:{self.name}")
        self.screen.tasks = [say("coming", lpn=p.lpn) for p in coming]
        self.screen.about()
        self.screen.state, self.screen.next = "idle", say("wait_carton")
        self.rest = self._rest(*coming)

    def _rest(self, *parcels: Parcel) -> Rest:
        places = (self.name, f"to:{self.name}")
        return Rest(places=places, orders={parcel.order_id for parcel in parcels}, kinds=_BACK_IN_WORK)

    async def _on_its_way(self, said: Instruction) -> Parcel | None:
        """Give the carton that was to be taken somewhere while it is still being taken there."""
        parcel = await self._kit.books.parcel(str(said.params["lpn"]))
        is_going = parcel is not None and parcel.place in (self.name, f"to:{said.params['to']}")
        return parcel if is_going else None


def _words(effect: Effect) -> Instruction:
    if effect.kind is APPLY:
        return say("stick_label", lpn=effect.subject, generation=effect.generation)
    return say("close_by_hand", lpn=effect.subject)
