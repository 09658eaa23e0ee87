"""The print-and-apply station: one label on the right parcel, proved from the picture, then off to its lane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from packline.core.effects import DISCARD, EJECT, PRINT, SEAL, Device, Effect, EffectState, Evidence
from packline.core.faults import Fault
from packline.core.scans import Scan
from packline.orders.model import Event, Order, Parcel, ParcelState
from stations.kit import Kit, Trouble, require_good, sensors, trouble_of
from stations.label_job import LabelJob, Tools
from stations.looking import Eye, Look
from stations.ports import Machinery
from stations.screen import Instruction, Screen, say

MOST_DISCARDS = 3
LABEL_STATES = frozenset({ParcelState.PACKED, ParcelState.PRINTED, ParcelState.LABELLED})


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
        self._kit = kit
        self._arm = arm
        self._printer = printer
        self._eye = eye
        self._lanes = lanes
        tools = Tools(
            printer=printer, hands=arm.device(), eye=eye, label_waits=lambda: bool(sensors(arm)["label_at_peel"])
        )
        self._job = LabelJob(station=name, kit=kit, screen=screen, tools=tools, clock=kit.clock)

    async def step(self) -> None:
        """Serve the carton at the stop, if there is one."""
        view = self._arm.view()
        require_good(view, self._arm.name)
        await self._arm.make_ready()
        if not view.inputs["parcel_present"]:
            self.screen.about()
            self.screen.state, self.screen.next = "idle", say("wait_carton")
            return
        self.screen.state = "working"
        look = await self._eye.see()
        parcel, order = await self._identify(look)
        self.screen.about(parcel=parcel.lpn, order=order.order_id)
        where, _ = await self._kit.where_to(parcel, order)
        if where.kind == "label" and not parcel.bench:
            await self._free_the_peel(parcel)
            parcel = await self._job.run(parcel, order, look.seen)
            where, _ = await self._kit.where_to(parcel, order)
        await self._eject(parcel, where.kind)

    async def scanned(self, scan: Scan) -> Instruction:
        """Nothing is scanned here by hand; say where the scanned parcel belongs."""
        parcel, order = await self._kit.known(scan.text, self.name)
        where, to = await self._kit.where_to(parcel, order)
        return say("take_to", lpn=parcel.lpn, to=to, kind=where.kind)

    async def _identify(self, look: Look) -> tuple[Parcel, Order]:
        if len(look.seen.lpns) != 1:
            seen = " ".join(look.seen.lpns) or "nothing readable"
            fault = Fault(3001, where=self.name, seen=seen, expected="one carton plate")
            raise Trouble(fault, subject=self.name)
        lpn = look.seen.lpns[0]
        try:
            parcel, order = await self._kit.known(lpn, self.name)
        except Fault:
            await self._send_off_unknown(lpn)
            raise
        parcel = await self._packed_after_all(parcel)
        return await self._kit.arrive(parcel, self.name), order

    async def _packed_after_all(self, parcel: Parcel) -> Parcel:
        """Only sealed cartons leave the packer: a carton seen here settles a seal in doubt."""
        seal = await self._kit.ledger.find(SEAL, parcel.lpn, 1)
        if parcel.state is not ParcelState.COLLECTED or seal is None:
            return parcel
        if seal.state in (EffectState.INTENDED, EffectState.SENT, EffectState.UNKNOWN):
            proof = Evidence(state=EffectState.CONFIRMED, source="camera behind the packer")
            await self._kit.ledger.settle(seal.effect_id, proof)
        elif seal.state is not EffectState.CONFIRMED:
            return parcel
        event = Event(kind="ParcelPacked", subject=parcel.lpn, order_id=parcel.order_id, station=self.name)
        await self._kit.record(event)
        return (await self._kit.known(parcel.lpn, self.name))[0]

    async def _free_the_peel(self, parcel: Parcel) -> None:
        """A label at the printer's exit that no open job owns (void, restored books) is thrown away before printing."""
        for _ in range(MOST_DISCARDS):
            inputs = sensors(self._arm)
            if not (inputs["label_at_peel"] or inputs["label_on_pad"]) or await self._is_ours(parcel):
                return
            number = await self._kit.books.serial("discard")
            effect = Effect(kind=DISCARD, subject=self.name, generation=number, station=self.name)
            await self._kit.ledger.perform(effect, self._arm.device())
        raise Trouble(Fault(2107, where=self.name, seen="a label that will not go"), subject=self.name)

    async def _is_ours(self, parcel: Parcel) -> bool:
        printed = await self._kit.ledger.find(PRINT, parcel.lpn, parcel.generation)
        return printed is not None and printed.state not in (EffectState.NOT_EXECUTED, EffectState.VOIDED)

    async def _send_off_unknown(self, lpn: str) -> None:
        number = await self._kit.books.serial("discard")
        effect = Effect(
            kind=EJECT,
            subject=lpn,
            generation=-number,  # no visit of ours: counted apart from the visits of known parcels
            station=self.name,
            parameters={"lane": self._lanes["clarify"]},
        )
        await self._kit.ledger.perform(effect, self._arm.device())

    async def _eject(self, parcel: Parcel, kind: str) -> None:
        lane_kind = kind if kind in self._lanes else "hold" if kind in ("label", "pack") else "clarify"
        lane = self._lanes[lane_kind]
        if sensors(self._arm)[f"lane{lane}_full"]:
            self.screen.state, self.screen.next = "waiting", say("lane_full", lane=lane)
            return
        self.screen.next = say("labelling", lpn=parcel.lpn, step="eject")
        effect = Effect(
            kind=EJECT,
            subject=parcel.lpn,
            generation=parcel.visits,
            station=self.name,
            parameters={"lane": lane},
        )
        outcome = await self._kit.ledger.perform(effect, self._arm.device())
        if outcome.state is EffectState.UNKNOWN:
            outcome = await self._kit.ledger.settle(outcome.effect_id, await self._still_here(parcel))
        if outcome.state is EffectState.NOT_EXECUTED:
            return
        if not outcome.ok:
            raise trouble_of(outcome, where=f"{self.name} eject", subject=parcel.lpn)
        place = self._kit.places["gate"] if lane_kind == "gate" else f"lane-{lane_kind}"
        await self._kit.moved(parcel, f"to:{place}", self.name)

    async def _still_here(self, parcel: Parcel) -> Evidence:
        if not sensors(self._arm)["parcel_present"]:
            return Evidence(state=EffectState.CONFIRMED, source="photo-eye")
        look = await self._eye.see()
        gone = bool(look.seen.lpns) and parcel.lpn not in look.seen.lpns
        state = EffectState.CONFIRMED if gone else EffectState.NOT_EXECUTED
        return Evidence(state=state, source="camera", data=look.seen.as_dict())
