"""Takes back what was done for a label: from then on its effects prove nothing."""

from __future__ import annotations

from packline.core.effects import APPLY, PRINT, EffectState, Evidence
from packline.orders.model import Parcel
from stations.kit import Kit

_OVER = frozenset({EffectState.NOT_EXECUTED, EffectState.VOIDED})
_RUNNING = frozenset({EffectState.INTENDED, EffectState.SENT})


async def void_effects(kit: Kit, parcel: Parcel, by: str) -> None:
    """Void print and apply of the parcel's present label; `by` is the witness that is written down."""
    for kind in (PRINT, APPLY):
        row = await kit.ledger.find(kind, parcel.lpn, parcel.generation)
        if row is None or row.state in _OVER:
            continue
        if row.state in _RUNNING:
            await kit.ledger.settle(row.effect_id, Evidence(state=EffectState.UNKNOWN, source=by))
        await kit.ledger.settle(row.effect_id, Evidence(state=EffectState.VOIDED, source=by))
