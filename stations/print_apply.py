"""The print-and-apply station: one label on the right parcel, proved from the picture, then off to its lane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from packline.core.effects import (
    DISCARD,
    EJECT,
    OPEN_STATES,
    PRINT,
    SEAL,
    Device,
    Effect,
    EffectKind,
    EffectState,
    Evidence,
    OpenEffect,
    Outcome,
    Ticket,
)
from packline.core.faults import Fault
from packline.core.scans import Scan
from packline.orders.model import PARCEL_GONE, Event, Order, Parcel, ParcelState
from packline.orders.policy import UNPROVED_SEAL
from stations.brake import Braked
from stations.kit import Kit, Trouble, require_good, sensors, trouble_of
from stations.label_job import LabelJob, Tools
from stations.looking import Eye, Look, plate_in
from stations.pack import is_it_sealed
from stations.ports import Machinery
from stations.rest import Rest
from stations.screen import Instruction, Screen, say
from stations.visit import NOTHING_DONE, begin_visit

MOST_DISCARDS = 3
STRAY = 2107
PACKER_SAYS_S = 5.0
"""A carton may be here before the packer's word on it is in the books; after this long a person is asked."""


class ExitGuard(Device):
    """The printer with the sensor at its exit: no label is begun while another lies there.

    A printer that was out of paper may still bring out what it was given before; its answer to `prepare` comes after that.
    """

    def __init__(self, printer: Device, arm: Machinery) -> None:
        self._printer = printer
        self._arm = arm

    async def prepare(self, effect: Effect, job: int) -> Ticket:
        """Prepare the printer; raises Fault 2107 when a label came out meanwhile."""
        ticket = await self._printer.prepare(effect, job)
        if sensors(self._arm)["label_at_peel"]:
            raise Fault(STRAY, where=ticket.machine, seen="a label at the exit", expected="a free exit")
        return ticket

    async def send(self, effect: Effect, ticket: Ticket) -> Evidence:
        """Hand the job to the printer."""
        return await self._printer.send(effect, ticket)

    async def inquire(self, effect: Effect, ticket: Ticket) -> Evidence:
        """Ask the printer."""
        return await self._printer.inquire(effect, ticket)


class PrintApply:
    """Printer, applicator arm and verify camera as one station."""

    kind = "print_apply"

    def __init__(
        self,
        *,
        name: str,
        kit: Kit,
        screen: Screen,
        arm: Machinery,
        printer: Device,
        eye: Eye,
        lanes: Mapping[str, int],
    ) -> None:
        self.name = name
        self.screen = screen
        self.machines: Sequence[Machinery] = (arm,)
        self.rest: Rest | None = None
        self._kit = kit
        self._arm = arm
        self._eye = eye
        self._lanes = lanes
        self._unsaid = ("", 0.0)
        self._asked = ("", 0)
        self._hands = Braked(arm.device(), screen)
        tools = Tools(printer=Braked(ExitGuard(printer, arm), screen), hands=self._hands, eye=eye)
        self._job = LabelJob(station=name, kit=kit, screen=screen, tools=tools, clock=kit.clock)

    async def step(self) -> None:
        """Serve the carton at the stop, if there is one."""
        require_good(self._arm.view(), self._arm.name)
        await self._arm.make_ready()
        if not sensors(self._arm)["parcel_present"]:
            self.screen.about()
            self.screen.state, self.screen.next = "idle", say("wait_carton")
            await self._settle_strangers_gone()
            self.rest = Rest(places=(self.name,))
            return
        self.screen.state = "working"
        look = await self._eye.see()
        parcel, order = await self._identify(look)
        self.screen.about(parcel=parcel.lpn, order=order.order_id)
        seal = await self._kit.ledger.find(SEAL, parcel.lpn, 1)
        parcel = await self._packed_by_machines_word(parcel, seal)
        if self._waits_for_packer(parcel, seal):
            self.screen.state, self.screen.next = "waiting", say("labelling", lpn=parcel.lpn, step="arrive")
            return
        parcel = await begin_visit(self._kit, parcel, self.name, look.seen)
        where, to = await self._kit.where_to(parcel, order)
        if parcel.state is ParcelState.COLLECTED and where.kind == "pack":
            await self._ask_whether_sealed(parcel, seal)
        if where.kind == "label" and to == self.name:
            parcel, order = await self._label(parcel, look)
            where, to = await self._kit.where_to(parcel, order)
        if where.kind != "label" or to != self.name:
            await self._eject(parcel, where.kind)

    async def _label(self, parcel: Parcel, look: Look) -> tuple[Parcel, Order]:
        await self._free_the_peel(parcel)
        try:
            await self._job.run(parcel, look.seen)
        except Fault as fault:
            if fault.code != STRAY:
                raise
            # it came out after the peel was freed: the next pass throws it away
        return await self._kit.known(parcel.lpn, self.name)

    async def scanned(self, scan: Scan) -> Instruction:
        """Nothing is scanned here by hand; say where the scanned parcel belongs."""
        parcel, order = await self._kit.known(scan.text, self.name)
        where, to = await self._kit.where_to(parcel, order)
        return say("take_to", lpn=parcel.lpn, to=to, kind=where.kind)

    async def _identify(self, look: Look) -> tuple[Parcel, Order]:
        lpn = plate_in(look.seen, where=self.name, subject=self.name)
        try:
            parcel, order = await self._kit.known(lpn, self.name)
        except Fault as fault:
            await self._send_off_stranger(lpn)
            raise Trouble(fault, subject=lpn) from fault
        if parcel.state in PARCEL_GONE:
            await self._send_off_stranger(lpn)
            seen = f"{lpn}, booked as {parcel.state}"
            raise Trouble(Fault(3004, where=self.name, seen=seen, expected="a parcel in work"), subject=lpn)
        return parcel, order

    async def _packed_by_machines_word(self, parcel: Parcel, seal: OpenEffect | None) -> Parcel:
        """Book a seal that the packer confirmed and nobody booked. That a carton stands here proves no seal: hands carry, too."""
        if parcel.state is not ParcelState.COLLECTED or seal is None or seal.state is not EffectState.CONFIRMED:
            return parcel
        await self._kit.follow(parcel, self._event("ParcelPacked", parcel, {}))
        return (await self._kit.known(parcel.lpn, self.name))[0]

    def _waits_for_packer(self, parcel: Parcel, seal: OpenEffect | None) -> bool:
        """Tell whether the packer may still say what it did: a carton can be quicker than its word."""
        if parcel.state is not ParcelState.COLLECTED or seal is None or seal.state not in OPEN_STATES:
            self._unsaid = ("", 0.0)
            return False
        now = self._kit.clock.monotonic()
        if self._unsaid[0] != parcel.lpn:
            self._unsaid = (parcel.lpn, now)
        return now - self._unsaid[1] < PACKER_SAYS_S

    async def _ask_whether_sealed(self, parcel: Parcel, seal: OpenEffect | None) -> None:
        """Ask a person once a visit; raises Trouble until it is answered. One that is not sealed goes back by the hold place."""
        visit = (parcel.lpn, parcel.visits)
        waiting = await self._kit.books.open_exceptions(self.name)
        is_open = any(row.code == UNPROVED_SEAL and row.subject == parcel.lpn for row in waiting)
        if visit == self._asked and not is_open:
            return
        self._asked = visit
        seen = f"seal {seal.state}" if seal else "no seal in the books"
        raise is_it_sealed(parcel, seen, self.name, seal.effect_id if seal else "")

    async def _free_the_peel(self, parcel: Parcel) -> None:
        """A label at the printer's exit that no open job owns (void, restored books) is thrown away before printing."""
        for row in await self._open_rows(DISCARD, self.name):
            await self._seen_discarded(await self._kit.ledger.ask(row.effect, self._hands))
        for _ in range(MOST_DISCARDS):
            if self._is_peel_free() or await self._is_ours(parcel):
                return
            number = await self._kit.books.serial("discard")
            effect = Effect(kind=DISCARD, subject=self.name, generation=number, station=self.name)
            await self._seen_discarded(await self._kit.ledger.perform(effect, self._hands))
        if not self._is_peel_free():
            raise Trouble(Fault(STRAY, where=self.name, seen="a label that will not go"), subject=self.name)

    async def _seen_discarded(self, outcome: Outcome) -> None:
        """What the arm cannot tell of a discard, the sensors tell: nothing in doubt is begun again under another number."""
        if outcome.state is EffectState.SENT:
            raise trouble_of(outcome, where=f"{self.name} discard", subject=self.name)
        if outcome.state is EffectState.UNKNOWN:
            state = EffectState.CONFIRMED if self._is_peel_free() else EffectState.NOT_EXECUTED
            await self._kit.ledger.settle(outcome.effect_id, Evidence(state=state, source="sensor"))

    async def _open_rows(self, kind: EffectKind, subject: str = "") -> list[OpenEffect]:
        rows = await self._kit.ledger.open_effects(self.name)
        return [row for row in rows if row.effect.kind is kind and subject in ("", row.effect.subject)]

    def _is_peel_free(self) -> bool:
        inputs = sensors(self._arm)
        return not (inputs["label_at_peel"] or inputs["label_on_pad"])

    async def _is_ours(self, parcel: Parcel) -> bool:
        """Tell whether the label of `parcel` was printed on this visit; a voided one is nobody's."""
        if not parcel.sscc:
            return False
        printed = await self._kit.ledger.find(PRINT, parcel.lpn, parcel.generation)
        return printed is not None and printed.state not in NOTHING_DONE

    async def _send_off_stranger(self, lpn: str) -> None:
        """Push a carton that the books have no work for to clarification."""
        if self._waits_for_room(self._lanes["clarify"]):
            return
        begun = [row.effect for row in await self._open_rows(EJECT, lpn) if _is_of_stranger(row)]
        effect = begun[0] if begun else await self._eject_of_stranger(lpn)
        outcome = await self._kit.ledger.perform(effect, self._hands)
        if outcome.state is EffectState.UNKNOWN:
            outcome = await self._kit.ledger.settle(outcome.effect_id, await self._still_here(lpn))
        if outcome.state not in (EffectState.CONFIRMED, EffectState.NOT_EXECUTED):
            raise trouble_of(outcome, where=f"{self.name} eject", subject=lpn)

    async def _eject_of_stranger(self, lpn: str) -> Effect:
        return Effect(
            kind=EJECT,
            subject=lpn,
            # no visit of ours: counted apart from the visits of known parcels
            generation=-await self._kit.books.serial("discard"),
            station=self.name,
            parameters={"lane": self._lanes["clarify"]},
        )

    async def _settle_strangers_gone(self) -> None:
        """A stranger whose eject stayed in doubt is not at the stop any more."""
        for row in await self._open_rows(EJECT):
            if _is_of_stranger(row):
                proof = Evidence(state=EffectState.CONFIRMED, source="photo-eye")
                await self._kit.ledger.settle(row.effect_id, proof)

    def _waits_for_room(self, lane: int) -> bool:
        if not sensors(self._arm)[f"lane{lane}_full"]:
            return False
        self.screen.state, self.screen.next = "waiting", say("lane_full", lane=lane)
        return True

    async def _eject(self, parcel: Parcel, kind: str) -> None:
        lane_kind = lane_kind_of(kind, self._lanes)
        lane = self._lanes[lane_kind]
        if self._waits_for_room(lane):
            return
        self.screen.next = say("labelling", lpn=parcel.lpn, step="eject")
        effect = Effect(
            kind=EJECT,
            subject=parcel.lpn,
            generation=parcel.visits,
            station=self.name,
            parameters={"lane": lane},
        )
        outcome = await self._kit.ledger.perform(effect, self._hands)
        if outcome.state is EffectState.UNKNOWN:
            outcome = await self._kit.ledger.settle(outcome.effect_id, await self._still_here(parcel.lpn))
        if outcome.state is EffectState.NOT_EXECUTED:
            return
        if not outcome.ok:
            raise trouble_of(outcome, where=f"{self.name} eject", subject=parcel.lpn)
        place = self._kit.places["gate"] if lane_kind == "gate" else f"lane-{lane_kind}"
        await self._kit.moved(parcel, f"to:{place}", self.name, only_from=self.name)

    async def _still_here(self, lpn: str) -> Evidence:
        if not sensors(self._arm)["parcel_present"]:
            return Evidence(state=EffectState.CONFIRMED, source="photo-eye")
        look = await self._eye.see()
        if not look.seen.lpns:
            fault = Fault(3001, where=self.name, seen="nothing readable", expected=f"{lpn} or another plate")
            raise Trouble(fault, subject=self.name)
        state = EffectState.NOT_EXECUTED if lpn in look.seen.lpns else EffectState.CONFIRMED
        return Evidence(state=state, source="camera", data=look.seen.as_dict())

    def _event(self, kind: str, parcel: Parcel, data: Mapping[str, object]) -> Event:
        return Event(kind=kind, subject=parcel.lpn, order_id=parcel.order_id, station=self.name, data=data)


def lane_kind_of(kind: str, lanes: Mapping[str, int]) -> str:
    """Give the lane, by its name in the site file, for a parcel that belongs to a destination of `kind`."""
    return kind if kind in lanes else "hold" if kind in ("label", "pack") else "clarify"


def _is_of_stranger(row: OpenEffect) -> bool:
    return row.effect.generation < 0
