"""The courier gate: opens for exactly one parcel whose label says that it may leave."""

from __future__ import annotations

from collections.abc import Sequence

from packline.core.effects import LIGHT, OPEN_STATES, RELEASE, Effect, EffectState, Evidence
from packline.core.faults import Fault
from packline.core.identity import Sscc
from packline.core.scans import Scan, Scanner
from packline.orders.model import PARCEL_GONE, Order, Parcel, ParcelState
from packline.orders.release import ship_blockers
from scanning import gs1
from stations.brake import Braked
from stations.departure import Departure
from stations.kit import Kit, Trouble, require_good, sensors, trouble_of
from stations.ports import Machinery
from stations.reading import FixedReader
from stations.rest import Rest
from stations.screen import Instruction, Screen, say

DARK, GREEN, RED, AMBER = range(4)
WHY = {3006: "old_label"}


class CourierGate:
    """Gate, lamp, photo-eye and a fixed scanner, which alone says what stands at the gate.

    Other scanners (the courier's own) ask about a parcel and open nothing: what they read may be in somebody's hand. Where
    a fixed scanner is missing or broken, a person runs the gate (`hand_over`).
    """

    kind = "courier_gate"

    def __init__(self, *, name: str, kit: Kit, screen: Screen, gate: Machinery, scanner: Scanner) -> None:
        self.name = name
        self.screen = screen
        self.machines: Sequence[Machinery] = (gate,)
        self.rest: Rest | None = None
        self._kit = kit
        self._gate = gate
        self._hands = Braked(gate.device(), screen)
        self._reader = FixedReader(scanner, name, kit)
        self._departure = Departure(name, kit)
        self._lamp: int | None = None
        self._refused: Instruction | None = None

    async def step(self) -> None:
        """Serve the parcel before the gate, if there is one."""
        require_good(self._gate.view(), self._gate.name)
        await self._gate.make_ready()
        if not sensors(self._gate)["parcel_present"]:
            await self._settle_gone()
            self.screen.about()
            self.screen.state, self.screen.next = "idle", say("place_parcel")
            self._refused = None
            await self._light(DARK)
            self.rest = Rest(places=(self.name,))
            return
        if self._refused is not None:  # silent until it is gone: somebody's hands may be on it
            self.screen.state, self.screen.next = "asking", self._refused
            return
        parcel, order = await self._who()
        self.screen.about(parcel=parcel.lpn, order=order.order_id)
        await self._settle_gone(besides=parcel.lpn)  # before any job: the gate remembers only its last one
        if why := ship_blockers(order, parcel):
            await self._refuse(parcel, why)
            return
        await self._release(await self._kit.arrive(parcel, self.name))

    async def scanned(self, scan: Scan) -> Instruction:
        """Take the fixed scanner's read; answer everybody whether that parcel may leave."""
        sscc = _sscc_of(scan)
        self._reader.hear(scan, sscc)
        parcel = await self._parcel_of(sscc)
        order = await self._kit.order_of(parcel)
        if why := ship_blockers(order, parcel):
            return self._back(parcel.lpn, why)
        return say("label_ok", lpn=parcel.lpn)

    async def _who(self) -> tuple[Parcel, Order]:
        sscc = await self._reader.read("a label's SSCC")
        try:
            parcel = await self._parcel_of(sscc)
        except Fault as fault:
            label = await self._kit.books.label(sscc)
            subject = label.lpn if label else sscc
            named = await self._kit.books.parcel(subject)
            why = named.reason if named is not None and named.state is ParcelState.CLARIFY else ""
            back = await self._turn_back(subject, (why or WHY.get(fault.code, "unknown"),))
            if named is not None:
                self.screen.about(parcel=named.lpn, order=named.order_id)
            if named is not None and named.place in (self.name, f"to:{self.name}"):
                await self._to_hold(named)
            self._refused = back
            raise Trouble(fault, subject=subject) from fault
        return parcel, await self._kit.order_of(parcel)

    async def _parcel_of(self, sscc: str) -> Parcel:
        label = await self._kit.books.label(sscc)
        parcel = await self._kit.books.parcel(label.lpn) if label else None
        if label is None or parcel is None:
            raise Fault(4106, where=self.name, seen=sscc, expected="a label of ours")
        if label.state == "voided" or parcel.sscc != sscc:
            raise Fault(3006, where=f"{self.name} parcel {parcel.lpn}", seen=sscc, expected=parcel.sscc or "no label")
        return parcel

    async def _refuse(self, parcel: Parcel, why: tuple[str, ...]) -> None:
        back = await self._turn_back(parcel.lpn, why)
        if parcel.state in PARCEL_GONE:
            self._refused = back
            seen = f"{parcel.lpn}, booked as {parcel.state}"
            raise Trouble(Fault(3004, where=self.name, seen=seen, expected="a parcel in work"), subject=parcel.lpn)
        await self._to_hold(parcel)
        self._refused = back

    async def _turn_back(self, subject: str, why: tuple[str, ...]) -> Instruction:
        """Show and light that a parcel is refused. It is `_refused` when all of it is done: what a hold cuts short is done again."""
        back = self._back(subject, why)
        self.screen.state, self.screen.next = "asking", back
        await self._light(RED)
        return back

    def _back(self, subject: str, why: tuple[str, ...]) -> Instruction:
        return say("take_back", lpn=subject, to=self._kit.places["hold"], why=list(why))

    async def _to_hold(self, parcel: Parcel) -> None:
        """In the books it goes to the hold place, whose list and scanner know every further way."""
        await self._kit.moved(parcel, f"to:{self._kit.places['hold']}", self.name)

    async def _release(self, parcel: Parcel) -> None:
        self.screen.state, self.screen.next = "working", say("releasing", lpn=parcel.lpn)
        await self._light(GREEN)
        # the lamp took its time, and host and office went on meanwhile
        parcel, order = await self._kit.known(parcel.lpn, self.name)
        row = await self._kit.ledger.find(RELEASE, parcel.lpn, parcel.visits)
        is_open = row is not None and row.state in OPEN_STATES
        if not is_open and (why := ship_blockers(order, parcel)):
            await self._refuse(parcel, why)
            return
        effect = Effect(kind=RELEASE, subject=parcel.lpn, generation=parcel.visits, station=self.name)
        outcome = await self._kit.ledger.perform(effect, self._hands)
        if outcome.ok:
            await self._departure.book(parcel.lpn, outcome.evidence.source)
            return
        if outcome.state is EffectState.UNKNOWN and await self._stands_here(parcel):
            proof = Evidence(state=EffectState.NOT_EXECUTED, source="scanner before the gate")
            await self._kit.ledger.settle(outcome.effect_id, proof)
            return
        where = f"{self.name} parcel {parcel.lpn}"
        raise trouble_of(outcome, where=where, subject=parcel.lpn, unknown=3014, kind=RELEASE.name)

    async def _settle_gone(self, besides: str = "") -> None:
        """A parcel that the gate let through before a stop, and that nobody booked, is booked now."""
        for parcel, _ in await self._departure.open_here():
            if parcel.lpn != besides:
                await self._departure.settle(parcel, self._hands)

    async def _stands_here(self, parcel: Parcel) -> bool:
        if not sensors(self._gate)["parcel_present"]:
            return False
        seen, _ = await self._who()
        return seen.lpn == parcel.lpn

    async def _light(self, colour: int) -> None:
        if self._lamp == colour:
            return
        number = await self._kit.books.serial("lamp")
        effect = Effect(
            kind=LIGHT, subject=self.name, generation=number, station=self.name, parameters={"lamp": colour}
        )
        outcome = await self._kit.ledger.perform(effect, self._hands)
        self._lamp = colour if outcome.ok else None


def _sscc_of(scan: Scan) -> str:
    parsed = gs1.parse(scan.text, scan.symbology)
    if parsed.kind is gs1.Kind.SSCC:
        return parsed.value
    if parsed.kind is gs1.Kind.LABEL:
        return str(parsed.extra["sscc"])
    return Sscc.parse(scan.text).text
