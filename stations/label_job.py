"""Gets the right label onto one parcel, once: assign, print, apply, look. Used by machines' and people's stations."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass

from labeling.content import LabelContent, ShipTo
from labeling.proof import may_lie_about
from packline.core.clock import Clock
from packline.core.effects import APPLY, PRINT, Device, Effect, EffectKind, EffectState, Evidence, Outcome
from packline.core.faults import Fault
from packline.core.identity import Sscc
from packline.orders.changes import ADDRESS_CHANGED
from packline.orders.model import Event, Order, Parcel, ParcelState, Unit
from packline.orders.release import label_blockers
from scanning.verify import ExpectedLabel, Seen, VerdictKind
from stations.kit import Kit, Trouble, trouble_of
from stations.looking import Eye, Look, plate_in
from stations.screen import Screen, say

MOST_CONTENT_LINES = 6
SSCC_EXTENSION = 3
UNCOUNTED = "sent, and not counted by the printer"
FRESH_S = 5.0
"""A printer may take a minute for a label, and hands are quick: what the camera saw longer ago may be another carton by now."""
OF_MACHINES = 2000
"""Faults below are link troubles: the machine itself is asked again before the camera is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What puts a label on: `printer` prints, `hands` (arm or person) apply, `eye` looks."""

    printer: Device
    hands: Device
    eye: Eye


class LabelJob:
    """The label's way at one station; every step may be entered again after a crash."""

    def __init__(self, *, station: str, kit: Kit, screen: Screen, tools: Tools, clock: Clock) -> None:
        self._station = station
        self._kit = kit
        self._screen = screen
        self._tools = tools
        self._clock = clock

    async def run(self, parcel: Parcel, before: Seen) -> Parcel:
        """Bring `parcel` from PACKED, PRINTED or LABELLED to VERIFIED; raises Trouble when a person is needed.

        `before` is what the camera saw on the carton just now. A parcel that is taken out of this work meanwhile (voided,
        cancelled, readdressed) is given back as it is then.
        """
        # a plate scanned in a hand says nothing of what stands before the camera: a label is made for the carton in the picture
        await self._demand_bare(parcel, before)
        looked_at = self._clock.monotonic()
        if parcel.state is ParcelState.PACKED:
            parcel = await self._print(await self._assigned(parcel))
        if parcel.state in (ParcelState.PRINTED, ParcelState.LABELLED):
            if self._clock.monotonic() - looked_at > FRESH_S:
                await self._demand_bare(parcel, (await self._tools.eye.see()).seen)
            await self._apply(parcel)
        return await self._fresh(parcel)

    async def _demand_bare(self, parcel: Parcel, seen: Seen) -> None:
        """Raise Trouble unless the carton in the picture is that of `parcel`, with no label but its own."""
        plate_in(seen, where=self._station, subject=parcel.lpn, wanted=parcel.lpn)
        await self._refuse_foreign_label(parcel, seen)

    async def _refuse_foreign_label(self, parcel: Parcel, before: Seen) -> None:
        # observe before acting: whatever the books say, a carton that shows a label gets no second one
        own = [s for s in before.labels if s.print_number == parcel.print_number and s.sscc == parcel.sscc]
        foreign = [s for s in before.ssccs if s != parcel.sscc]
        shows_own = bool(own or before.ssccs)
        if len(own) == len(before.labels) and len(own) <= 1 and not foreign:
            applied = await self._kit.ledger.find(APPLY, parcel.lpn, parcel.generation)
            if not shows_own or (applied and applied.state is not EffectState.NOT_EXECUTED):
                return
        seen = ", ".join([*(f"print {s.print_number} of {s.lpn}" for s in before.labels), *before.ssccs])
        expected = f"print {parcel.print_number}" if parcel.print_number else "a carton without label"
        fault = Fault(3003, where=f"{self._station} parcel {parcel.lpn}", seen=seen, expected=expected)
        raise Trouble(fault, subject=parcel.lpn)

    async def _assigned(self, parcel: Parcel) -> Parcel:
        voided = []
        if parcel.sscc:
            if not await self._may_be_printed(parcel):
                return parcel
            voided.append(self._event("LabelVoided", parcel, {"sscc": parcel.sscc, "why": UNCOUNTED}))
        serial = await self._kit.books.serial("sscc")
        sscc = Sscc.build(SSCC_EXTENSION, self._kit.rules.company_prefix, serial)
        data = {"sscc": sscc.text, "print_number": await self._kit.books.serial("print")}
        await self._kit.follow(parcel, *voided, self._event("LabelAssigned", parcel, data))
        return await self._fresh(parcel)

    async def _may_be_printed(self, parcel: Parcel) -> bool:
        """Tell whether only a counter says that the label of `parcel` was not printed: its number is not used again then."""
        printed = await self._kit.ledger.find(PRINT, parcel.lpn, parcel.generation)
        return printed is not None and printed.state is EffectState.NOT_EXECUTED and may_lie_about(printed.ticket)

    async def _print(self, parcel: Parcel) -> Parcel:
        # the address is read after the number is booked: a change from now on voids that number
        order = await self._kit.order_of(parcel)
        if parcel.state is not ParcelState.PACKED or not parcel.sscc or label_blockers(order, parcel):
            return parcel
        self._screen.next = say("labelling", lpn=parcel.lpn, step="print")
        content = await self._content(parcel, order)
        outcome = await self._perform(self._effect(PRINT, parcel, content.as_dict()), parcel, self._tools.printer)
        if outcome is None:
            return await self._fresh(parcel)
        if not outcome.ok:
            raise trouble_of(outcome, where=f"{self._station} printer", subject=parcel.lpn, unknown=2103, failed=2105)
        printed = self._event("LabelPrinted", parcel, {"sscc": parcel.sscc, "witness": outcome.evidence.source})
        await self._kit.follow(parcel, printed)
        return await self._fresh(parcel)

    async def _apply(self, parcel: Parcel) -> None:
        self._screen.next = say("labelling", lpn=parcel.lpn, step="apply")
        outcome = await self._perform(self._effect(APPLY, parcel, {}), parcel, self._tools.hands)
        if outcome is None:
            return
        is_in_doubt = outcome.state is EffectState.UNKNOWN and (outcome.evidence.fault or 2005) >= OF_MACHINES
        if not outcome.ok and not is_in_doubt:
            where = f"{self._station} parcel {parcel.lpn}"
            raise trouble_of(outcome, where=where, subject=parcel.lpn, kind=APPLY.name)
        self._screen.next = say("labelling", lpn=parcel.lpn, step="verify")
        look = await self._tools.eye.see(self._expected(parcel))
        await self._judge(parcel, outcome, look)

    async def _judge(self, parcel: Parcel, outcome: Outcome, look: Look) -> None:
        verdict = look.verdict
        if verdict is None:
            raise Fault(5001, where=self._station, seen="a look without verdict")
        picture = await self._tools.eye.keep(
            look, kind="label", subject=parcel.lpn, order_id=parcel.order_id, note=verdict.kind
        )
        if not verdict.ok:
            raise self._not_proved(verdict.kind, verdict.seen, outcome, parcel)
        if not outcome.ok:
            proof = Evidence(state=EffectState.CONFIRMED, source="camera", data={"picture": picture})
            if await self._or_none_if_voided(parcel, self._kit.ledger.settle(outcome.effect_id, proof)) is None:
                return
        order = await self._kit.order_of(parcel)
        if await self._is_readdressed(parcel, order):
            await self._kit.follow(parcel, *self._taken_back(parcel))
            return
        await self._kit.follow(parcel, *self._verified(parcel, order, picture))

    async def _is_readdressed(self, parcel: Parcel, order: Order) -> bool:
        """Tell whether the order has another address by now than the one on the label.

        A change that was worked out before this label's number was booked could not void it, and may be booked after it.
        """
        printed = await self._kit.ledger.find(PRINT, parcel.lpn, parcel.generation)
        if printed is None:
            return False
        return order.content.ship_to is None or printed.effect.parameters["ship_to"] != _ship_to(order).as_dict()

    def _taken_back(self, parcel: Parcel) -> list[Event]:
        """The label is on the carton: it must come off by hand before the next one goes on."""
        why: dict[str, object] = {"reason": ADDRESS_CHANGED}
        voided = self._event("LabelVoided", parcel, {"sscc": parcel.sscc, **why})
        return [voided, self._event("ParcelClarify", parcel, why)]

    def _verified(self, parcel: Parcel, order: Order, picture: str) -> list[Event]:
        label = {"sscc": parcel.sscc, "print_number": parcel.print_number}
        events = [self._event("LabelApplied", parcel, dict(label))] if parcel.state is ParcelState.PRINTED else []
        events.append(self._event("LabelVerified", parcel, {"picture": picture, **label}))
        if order.content.approval:
            until = self._kit.deadline(self._kit.rules.approve_s)
            return [*events, self._event("ApprovalAsked", parcel, {"until": until, "picture": picture})]
        return [*events, self._event("ParcelApproved", parcel, {"approval": "not asked"})]

    def _not_proved(self, kind: VerdictKind, seen: Seen, outcome: Outcome, parcel: Parcel) -> Trouble:
        codes = {VerdictKind.WRONG_LABEL: 3002, VerdictKind.DOUBLED: 3003, VerdictKind.OLD_LABEL: 3006}
        codes |= {VerdictKind.WRONG_PARCEL: 3004, VerdictKind.NO_LPN: 3001}
        code = codes.get(kind, 2104 if outcome.ok else 2005)
        where = f"{self._station} parcel {parcel.lpn}"
        read = ", ".join([*seen.lpns, *(str(s.print_number) for s in seen.labels)]) or "nothing"
        fault = Fault(code, where=where, seen=f"camera read {read}", expected=f"print {parcel.print_number}")
        effect_id = "" if outcome.ok else outcome.effect_id
        return Trouble(fault, subject=parcel.lpn, effect_id=effect_id)

    async def _content(self, parcel: Parcel, order: Order) -> LabelContent:
        units = await self._kit.books.units(lpn=parcel.lpn)
        return label_content(parcel, order, units, await self._kit.books.parcels(order_id=order.order_id))

    async def _fresh(self, parcel: Parcel) -> Parcel:
        return (await self._kit.known(parcel.lpn, self._station))[0]

    def _expected(self, parcel: Parcel) -> ExpectedLabel:
        return ExpectedLabel(lpn=parcel.lpn, sscc=parcel.sscc, print_number=parcel.print_number)

    async def _perform(self, effect: Effect, parcel: Parcel, device: Device) -> Outcome | None:
        return await self._or_none_if_voided(parcel, self._kit.ledger.perform(effect, device))

    async def _or_none_if_voided(self, parcel: Parcel, work: Awaitable[Outcome]) -> Outcome | None:
        """Give what the ledger says; None when the label was voided meanwhile, and with it what was done for it."""
        try:
            outcome = await work
        except Fault as fault:
            if fault.code != 5101 or await self._kit.is_as_before(parcel):
                raise
            return None
        is_over = outcome.state is EffectState.VOIDED and not await self._kit.is_as_before(parcel)
        return None if is_over else outcome

    def _effect(self, kind: EffectKind, parcel: Parcel, parameters: dict[str, object]) -> Effect:
        return Effect(
            kind=kind,
            subject=parcel.lpn,
            generation=parcel.generation,
            station=self._station,
            parameters=parameters,
        )

    def _event(self, kind: str, parcel: Parcel, data: dict[str, object]) -> Event:
        return Event(kind=kind, subject=parcel.lpn, order_id=parcel.order_id, station=self._station, data=data)


def label_content(parcel: Parcel, order: Order, units: Sequence[Unit], parcels: Sequence[Parcel]) -> LabelContent:
    """Give what is printed for `parcel`, in which `units` lie, one of the `parcels` of its order; raises Fault 4005 without an address."""
    lpns = sorted(p.lpn for p in parcels)
    names = {line.line_no: line.name for line in order.content.lines}
    return LabelContent(
        lpn=parcel.lpn,
        sscc=parcel.sscc,
        print_number=parcel.print_number,
        merchant=order.content.merchant,
        order_ref=order.content.external_id,
        ship_to=_ship_to(order),
        parcel_no=lpns.index(parcel.lpn) + 1,
        parcel_count=len(lpns),
        contents=tuple(names[u.line_no] for u in units)[:MOST_CONTENT_LINES],
        date=order.content.placed_at.date().isoformat(),
    )


def _ship_to(order: Order) -> ShipTo:
    to = order.content.ship_to
    if to is None:
        raise Fault(4005, where=order.order_id, seen="no address", expected="an address before labelling")
    return ShipTo(
        recipient=to.recipient,
        lines=to.lines,
        city=to.city,
        country=to.country,
        postcode=to.postcode,
        phone=_masked(to.phone),
    )


def _masked(phone: str) -> str:
    digits = phone.strip()
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 8 else digits
