"""Books a parcel in where labels are made: there is room for one, and a label of an earlier visit is nobody's."""

from __future__ import annotations

from packline.core.effects import APPLY, PRINT, EffectState
from packline.orders.model import Event, Parcel, ParcelState
from scanning.verify import Seen
from stations.kit import Kit

NOTHING_DONE = frozenset({EffectState.NOT_EXECUTED, EffectState.VOIDED})


async def begin_visit(kit: Kit, parcel: Parcel, station: str, before: Seen) -> Parcel:
    """Book a visit in, once; `before` is what the camera sees on the carton. Gives the parcel as it is then.

    Whoever the books still have here was taken off by hand.
    """
    if not await kit.is_new_here(parcel, station):
        return parcel
    here = await kit.books.parcels(place=station)
    also = [_event("ParcelMoved", p, station, place="") for p in here if p.lpn != parcel.lpn]
    if await _left_its_label(kit, parcel, before):
        also.append(_event("LabelVoided", parcel, station, sscc=parcel.sscc, reason="left_behind"))
    return await kit.arrive(parcel, station, *also)


async def _left_its_label(kit: Kit, parcel: Parcel, before: Seen) -> bool:
    """Tell whether a label was printed, or may have been, on an earlier visit and never put on.

    What lies at a printer's exit now may be anybody's, and its counters have counted the labels of others since: that label
    is void, wherever it is, and a new one is printed.
    """
    if not parcel.sscc or parcel.state not in (ParcelState.PACKED, ParcelState.PRINTED) or before.labels:
        return False
    applied = await kit.ledger.find(APPLY, parcel.lpn, parcel.generation)
    printed = await kit.ledger.find(PRINT, parcel.lpn, parcel.generation)
    was_printed = printed is not None and printed.state not in NOTHING_DONE
    return was_printed and (applied is None or applied.state in NOTHING_DONE)


def _event(kind: str, parcel: Parcel, station: str, **data: object) -> Event:
    return Event(kind=kind, subject=parcel.lpn, order_id=parcel.order_id, station=station, data=data)
