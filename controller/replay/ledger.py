"""The effects ledger: what was begun was due, nothing was begun twice, and every word on it was possible."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from controller.replay.moment import Doing, Finding, Moment
from labeling.content import LabelContent
from packline.core.effects import EFFECT_TABLE, KINDS, EffectState
from packline.core.faults import Fault
from packline.orders.model import Order, Parcel, ParcelState
from packline.orders.release import label_blockers, pack_blockers, ship_blockers
from packline.orders.routing import destination
from packline.store.codec import plain
from packline.store.world import Affair
from stations.label_job import label_content
from stations.print_apply import lane_kind_of

WORDS: Mapping[str, EffectState] = {
    "EffectIntended": EffectState.INTENDED,
    "EffectConfirmed": EffectState.CONFIRMED,
    "EffectFailed": EffectState.FAILED,
    "EffectNotExecuted": EffectState.NOT_EXECUTED,
    "EffectUnknown": EffectState.UNKNOWN,
    "EffectVoided": EffectState.VOIDED,
}
_MAY_APPLY = frozenset({ParcelState.PRINTED, ParcelState.LABELLED})


def judge(moment: Moment) -> Iterator[Finding]:
    """Look at one row of the ledger."""
    state = WORDS.get(moment.event.kind)
    if state is None:
        return
    known = moment.past.effects.get(moment.data["effect_id"])
    if state is EffectState.INTENDED:
        yield from _begun(moment, known)
    elif known is None:
        yield Finding(
            rule="effect", seen=f"{state} of an effect that was never intended", expected="EffectIntended before"
        )
    elif state not in EFFECT_TABLE[known.state]:
        expected = " or ".join(sorted(EFFECT_TABLE[known.state])) or "nothing more"
        yield Finding(rule="effect", seen=f"{state} after {known.state}", expected=expected)


def note(moment: Moment) -> None:
    """Keep what a row says of an effect."""
    state = WORDS.get(moment.event.kind)
    if state is None:
        return
    data, past = moment.data, moment.past
    name = data["effect_id"]
    if name not in past.effects:
        doing = Doing(
            kind=data["kind"], subject=moment.event.subject, generation=data["generation"], state=state, attempt=1
        )
        past.effects[name] = doing
        past.by_key[doing.subject, doing.kind, doing.generation] = name
    doing = past.effects[name]
    doing.state, doing.attempt, doing.source = state, data["attempt"], str(data["source"])
    is_over = state is EffectState.CONFIRMED and not KINDS[doing.kind].once
    if is_over:  # may be repeated for ever: nothing later depends on it
        del past.effects[name], past.by_key[doing.subject, doing.kind, doing.generation]
    if state is EffectState.INTENDED:
        _keep_job(past.jobs, data["job"])


def _begun(moment: Moment, known: Doing | None) -> Iterator[Finding]:
    data = moment.data
    other = moment.past.by_key.get((moment.event.subject, data["kind"], data["generation"]))
    if known is None and other is not None:
        yield Finding(rule="effect", seen=f"a second {_name(data)}", expected=f"one row, {other}")
    if known is not None and not _may_go_again(known):
        yield Finding(
            rule="effect", seen=f"{_name(data)} again after {known.state}", expected="what is in doubt is asked after"
        )
    attempt = known.attempt + 1 if known else 1
    if data["attempt"] != attempt:
        yield Finding(rule="effect", seen=f"attempt {data['attempt']}", expected=f"attempt {attempt}")
    if data["job"] < len(moment.past.jobs) and moment.past.jobs[data["job"]]:
        yield Finding(rule="effect", seen=f"job {data['job']} a second time", expected="a number that was never given")
    yield from _due(moment)


def _due(moment: Moment) -> Iterator[Finding]:
    """Look whether it was due by the state of its parcel, now or when it was decided."""
    rule = _DUE.get(moment.data["kind"])
    if rule is None or moment.event.subject not in moment.world.parcels:
        return
    generation = int(moment.data["generation"])
    reasons = [rule(affair, parcel, generation) for affair, parcel in moment.parcels()]
    if reasons and all(reasons):
        yield Finding(
            rule="decision", seen=f"{_name(moment.data)} of {moment.event.subject}", expected=f"not yet: {reasons[0]}"
        )
        return
    if moment.data["kind"] == "print":
        yield from _content(moment)
    elif moment.data["kind"] == "eject":
        yield from _lane(moment)


def _print(affair: Affair, parcel: Parcel, generation: int) -> str:
    if parcel.state is not ParcelState.PACKED or parcel.generation != generation or not parcel.sscc:
        return f"it is {parcel.state}, label {parcel.generation}"
    return ", ".join(label_blockers(affair.order, parcel))


def _apply(_: Affair, parcel: Parcel, generation: int) -> str:
    is_due = parcel.state in _MAY_APPLY and parcel.generation == generation
    return "" if is_due else f"it is {parcel.state}, label {parcel.generation}"


def _seal(affair: Affair, parcel: Parcel, generation: int) -> str:
    if parcel.state is not ParcelState.COLLECTED or generation != 1:
        return f"it is {parcel.state}"
    return ", ".join(pack_blockers(affair.order, parcel))


def _release(affair: Affair, parcel: Parcel, generation: int) -> str:
    if parcel.visits != generation:
        return f"visit {parcel.visits}"
    return ", ".join(ship_blockers(affair.order, parcel))


_DUE: Mapping[str, Callable[[Affair, Parcel, int], str]] = {
    "print": _print,
    "apply": _apply,
    "seal": _seal,
    "release": _release,
    "eject": lambda _, parcel, generation: "" if parcel.visits == generation else f"visit {parcel.visits}",
}
"""Kind of effect -> why it is not due; "" where it is."""


def _content(moment: Moment) -> Iterator[Finding]:
    """Compare what was to be printed with the label that this release would print."""
    row = moment.recorded.one("effect", effect_id=moment.data["effect_id"])
    if row is None or row["attempt"] != moment.data["attempt"]:
        return
    recorded, labels = row["parameters"], [_label(a.order, p, a) for a, p in moment.parcels()]
    contents = [label for label in labels if label is not None]
    if not contents or any(plain(label.as_dict()) == recorded for label in contents):
        return
    ours = plain(contents[0].as_dict())
    name = next(name for name in sorted(ours.keys() | recorded.keys()) if ours.get(name) != recorded.get(name))
    yield Finding(rule="label content", seen=f"{name} {recorded.get(name)}", expected=f"{name} {ours.get(name)}")


def _label(order: Order, parcel: Parcel, affair: Affair) -> LabelContent | None:
    units = [unit for unit in affair.units if unit.lpn == parcel.lpn]
    try:
        return label_content(parcel, order, units, affair.parcels)
    except Fault:
        return None


def _lane(moment: Moment) -> Iterator[Finding]:
    """Compare the lane with the one that leads to where the parcel belongs."""
    site, kit = moment.terms.site, moment.kit
    station = site.stations.get(str(moment.row["station"])) if site else None
    row = moment.recorded.one("effect", effect_id=moment.data["effect_id"])
    if kit is None or station is None or not station.lanes or row is None or row["attempt"] != moment.data["attempt"]:
        return
    lanes = {_lane_of(affair.order, parcel, station.lanes) for affair, parcel in moment.parcels()}
    if row["parameters"].get("lane") not in lanes:
        expected = f"lane {' or '.join(str(lane) for lane in sorted(lanes))}"
        yield Finding(rule="routing", seen=f"lane {row['parameters'].get('lane')}", expected=expected)


def _lane_of(order: Order, parcel: Parcel, lanes: Mapping[Any, int]) -> int:
    return lanes[lane_kind_of(destination(order, parcel).kind, lanes)]


def _may_go_again(known: Doing) -> bool:
    if known.state is EffectState.NOT_EXECUTED:
        return True
    return known.state is EffectState.UNKNOWN and not KINDS[known.kind].once


def _keep_job(jobs: bytearray, job: int) -> None:
    if job >= len(jobs):
        jobs.extend(bytes(job + 1 - len(jobs)))
    jobs[job] = 1


def _name(data: Mapping[str, Any]) -> str:
    return f"{data['kind']} {data['generation']}"
