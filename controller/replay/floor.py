"""Orders and parcels on the floor: release, routing, proofs, approvals, ends; each by the rule that the line follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from controller.replay.moment import Finding, Moment
from packline.core.effects import EffectState
from packline.core.identity import Sscc
from packline.market.purchase import expired
from packline.orders.closing import closing
from packline.orders.model import Item, Order, OrderState, Parcel
from packline.orders.release import PARCELS_IN_WORK, UNITS_IN_WORK, order_blockers
from packline.orders.routing import destination, needs_bench
from packline.store.world import Affair
from stations.label_job import SSCC_EXTENSION

TOLERANCE_S = 5.0
_HELD_OVER = frozenset({OrderState.CLARIFY})


def judge(moment: Moment) -> Iterator[Finding]:
    """Look at one row by the rule of its kind."""
    rule = RULES.get(moment.event.kind)
    if rule is not None:
        yield from rule(moment)


def uses_floor(affair: Affair) -> bool:
    """Tell whether an order counts among those in work."""
    in_units = any(unit.state in UNITS_IN_WORK for unit in affair.units)
    in_parcels = any(parcel.state in PARCELS_IN_WORK for parcel in affair.parcels)
    return affair.order.state is OrderState.RELEASED and (in_units or in_parcels)


# -- orders ----------------------------------------------------------------------------------------------------------------


def _released(moment: Moment) -> Iterator[Finding]:
    order = moment.world.orders.get(moment.event.subject)
    if order is None or moment.row["actor"] != "controller" or order.state in _HELD_OVER:
        return
    limit = moment.terms.site.policy.wip_limit if moment.terms.site else 10**9
    lately = [n for at, n in moment.past.loads if moment.at - at <= timedelta(seconds=TOLERANCE_S)]
    in_work = min([len(moment.past.in_work), *lately])
    if why := order_blockers(order, in_work=in_work, wip_limit=limit):
        yield Finding(rule="release", seen=f"released with {in_work} in work", expected=f"waits: {', '.join(why)}")


def _ended(moment: Moment) -> Iterator[Finding]:
    actor, affair = str(moment.row["actor"]), moment.world.affair(moment.event.subject)
    if affair is None or affair.order.state in _HELD_OVER or actor.startswith("feed "):
        return
    if not any(moment.event.kind == event.kind for event in closing(affair.order, affair.units, affair.parcels)):
        due = (
            ", ".join(event.kind for event in closing(affair.order, affair.units, affair.parcels))
            or "the order goes on"
        )
        yield Finding(rule="closing", seen=moment.event.kind, expected=due)


# -- parcels ---------------------------------------------------------------------------------------------------------------


def _opened(moment: Moment) -> Iterator[Finding]:
    order = moment.world.orders.get(str(moment.row["order_id"]))
    if order is None or moment.terms.site is None:
        return
    items = _items(moment, order)
    bench = needs_bench(items, most_mm=moment.terms.site.policy.machine_most_mm)
    if items and bool(moment.data.get("bench")) is not bench:
        yield Finding(
            rule="routing", seen=f"bench {moment.data.get('bench')}", expected=f"bench {bench}, by the items' sizes"
        )


def _items(moment: Moment, order: Order) -> list[Item]:
    rows = [moment.recorded.one("item", sku=line.sku) for line in order.content.lines]
    names = ("sku", "merchant", "name", "length_mm", "width_mm", "height_mm")
    return [Item(**{name: row[name] for name in names}) for row in rows if row is not None] if all(rows) else []


def _moved(moment: Moment) -> Iterator[Finding]:
    place, station = str(moment.data.get("place", "")), str(moment.row["station"])
    site, kit = moment.terms.site, moment.kit
    part = site.stations.get(station) if site else None
    if kit is None or part is None or moment.row["actor"] != "controller" or not place.startswith("to:"):
        return
    if part.lanes:
        wanted = _end_of_lane(moment, part.lanes, kit.places["gate"])
    else:
        wanted = {f"to:{kit.station_for(destination(a.order, p), p)}" for a, p in moment.parcels()}
        if part.kind == "courier_gate":  # what it refuses, whatever the reason, waits in the rack
            wanted.add(f"to:{kit.places['hold']}")
    if wanted and place not in wanted:
        yield Finding(rule="routing", seen=f"place {place}", expected=f"place {' or '.join(sorted(wanted))}")


def _end_of_lane(moment: Moment, lanes: Mapping[Any, int], gate: str) -> set[str]:
    """Give where the lane leads onto which the parcel was pushed."""
    parcel = moment.world.parcels.get(moment.event.subject)
    asked = {"subject": moment.event.subject, "kind": "eject", "generation": parcel.visits if parcel else 0}
    row = moment.recorded.one("effect", **asked)
    kinds = [kind for kind, lane in lanes.items() if row is not None and row["parameters"].get("lane") == lane]
    return {f"to:{gate}" if kind == "gate" else f"to:lane-{kind}" for kind in kinds}


def _packed(moment: Moment) -> Iterator[Finding]:
    if moment.row["actor"] == "controller" and "witness" not in moment.data:
        yield from _proved(moment, "seal", 1)


# -- labels ----------------------------------------------------------------------------------------------------------------


def _assigned(moment: Moment) -> Iterator[Finding]:
    """A label's numbers were never given, and are those that the books have under that label."""
    data, site = moment.data, moment.terms.site
    sscc, number = str(data["sscc"]), int(data["print_number"])
    serial = int(sscc[-8:-1])
    if site is not None:
        prefix = site.site.company_prefix
        serial = int(sscc[1 + len(prefix) : -1])
        built = Sscc.build(SSCC_EXTENSION, prefix, serial).text
        if built != sscc:
            yield Finding(rule="label number", seen=f"sscc {sscc}", expected=f"sscc {built}")
            return
    for name, value in (("sscc", serial), ("print", number)):
        last = moment.past.numbers.get(name, 0)
        if value <= last:
            yield Finding(
                rule="label number", seen=f"{name} number {value}", expected=f"above {last}, the last that was given"
            )
    if moment.recorded.count("label"):
        row = moment.recorded.one("label", sscc=sscc)
        seen, kept = f"sscc {sscc}, print {number}", (row and (row["lpn"], row["print_number"]))
        if kept != (moment.event.subject, number):
            yield Finding(rule="label number", seen=seen, expected=_kept_label(moment))


def _kept_label(moment: Moment) -> str:
    parcel = moment.world.parcels[moment.event.subject]
    row = moment.recorded.one("label", lpn=parcel.lpn, generation=parcel.generation + 1)
    return (
        f"sscc {row['sscc']}, print {row['print_number']}, as the books have" if row else "a label that the books have"
    )


def _printed(moment: Moment) -> Iterator[Finding]:
    yield from _proved(moment, "print", _generation(moment))


def _verified(moment: Moment) -> Iterator[Finding]:
    yield from _proved(moment, "apply", _generation(moment))
    picture = str(moment.data.get("picture", ""))
    kept = moment.past.pictures.get(picture)
    if kept != (moment.event.subject, "label", "match"):
        seen = f"picture {picture}: {' '.join(kept) if kept else 'not kept'}"
        yield Finding(rule="proof", seen=seen, expected=f"a picture of {moment.event.subject} that shows its label")


def _shipped(moment: Moment) -> Iterator[Finding]:
    if moment.row["actor"] != "controller":
        return
    parcel = moment.world.parcels.get(moment.event.subject)
    yield from _proved(moment, "release", parcel.visits if parcel else 0)


def _proved(moment: Moment, kind: str, generation: int) -> Iterator[Finding]:
    doing = moment.effect(kind, generation)
    if doing is None or doing.state is not EffectState.CONFIRMED:
        seen = f"{moment.event.kind}, {kind} {generation} {doing.state if doing else 'never intended'}"
        yield Finding(rule="proof", seen=seen, expected=f"{kind} {generation} confirmed first")


def _generation(moment: Moment) -> int:
    parcel = moment.world.parcels.get(moment.event.subject)
    return parcel.generation if parcel else 0


# -- approvals -------------------------------------------------------------------------------------------------------------


def _asked(moment: Moment) -> Iterator[Finding]:
    if moment.row["actor"] != "controller":
        return
    if all(not affair.order.content.approval for affair in moment.affairs()):
        yield Finding(rule="approval", seen="ApprovalAsked", expected="ParcelApproved: the order asks for none")
    until = datetime.fromisoformat(str(moment.data["until"]))
    wait_s = moment.terms.site.policy.approve_s if moment.terms.site else None
    if wait_s is not None and abs((until - moment.at).total_seconds() - wait_s) > TOLERANCE_S:
        expected = (moment.at + timedelta(seconds=wait_s)).isoformat()
        yield Finding(rule="approval", seen=f"until {moment.data['until']}", expected=f"until about {expected}")


def _approved(moment: Moment) -> Iterator[Finding]:
    approval, parcel = moment.data.get("approval"), moment.world.parcels.get(moment.event.subject)
    if approval == "not asked" and all(affair.order.content.approval for affair in moment.affairs()):
        yield Finding(rule="approval", seen="approved, not asked", expected="ApprovalAsked: the order asks for it")
    if approval == "expired" and parcel is not None:
        yield from _expired(moment, parcel, "ship")
    picture = moment.data.get("picture")
    if picture is not None and parcel is not None and picture != moment.past.proofs.get(parcel.lpn):
        proof = moment.past.proofs.get(parcel.lpn)
        yield Finding(rule="approval", seen=f"an answer about picture {picture}", expected=f"about picture {proof}")


def _returning(moment: Moment) -> Iterator[Finding]:
    parcel = moment.world.parcels.get(moment.event.subject)
    if moment.row["actor"] != "policy" or parcel is None:
        return
    reason = moment.data.get("reason")
    if reason == "no_answer":
        yield from _expired(moment, parcel, "return")
        return
    later = moment.at + timedelta(seconds=1)
    whys = [expired(affair.order, later) for affair in moment.affairs()]
    if reason not in whys:
        yield Finding(rule="deadline", seen=f"taken back, {reason}", expected=str(whys[0] or "its deadlines still run"))


def _expired(moment: Moment, parcel: Parcel, policy: str) -> Iterator[Finding]:
    until = parcel.approve_until
    if until is None or until > moment.at + timedelta(seconds=1):
        yield Finding(rule="deadline", seen=moment.event.kind, expected=f"the buyer may answer until {until}")
    chosen = moment.terms.site.policy.no_answer if moment.terms.site else policy
    if chosen != policy:
        yield Finding(rule="approval", seen=f"{moment.event.kind} without an answer", expected=f"no_answer = {chosen}")


RULES: Mapping[str, Callable[[Moment], Iterator[Finding]]] = {
    "OrderReleased": _released,
    "OrderShipped": _ended,
    "OrderClosed": _ended,
    "OrderReturned": _ended,
    "OrderCancelled": _ended,
    "ParcelOpened": _opened,
    "ParcelMoved": _moved,
    "ParcelPacked": _packed,
    "LabelAssigned": _assigned,
    "LabelPrinted": _printed,
    "LabelVerified": _verified,
    "ApprovalAsked": _asked,
    "ParcelApproved": _approved,
    "ParcelRejected": _approved,
    "ParcelReturning": _returning,
    "ParcelShipped": _shipped,
}
