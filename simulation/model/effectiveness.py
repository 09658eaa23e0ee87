"""How effective a station of a model was, by ISO 22400-2."""

from __future__ import annotations

import math
from typing import Any

from simulation.blocks.server import Server
from simulation.model.parts import Part
from simulation.statistics.oee import Production, oee


def effectiveness(block: Server, part: Part, lasted_s: float) -> dict[str, float]:
    """Give the figures of a block over so many seconds. Good is what it did not spoil and has no bad word for.

    Where the file does not say how long a piece takes, the mean of what was made stands for it.
    """
    states = block.states()
    whole_s = lasted_s * len(block.channels)
    made = block.went + block.scrapped
    bad = block.scrapped + sum(getattr(block, "verdicts", {}).values())
    planned_s = whole_s * (1 - states["away"])
    work_s = min(whole_s * states["busy"], planned_s)
    run_s = _planned(block, part) if hasattr(part, "service") else work_s / made if made else math.nan
    found = oee(
        Production(planned_busy_s=planned_s, production_s=work_s, run_time_s=run_s, made=made, good=max(0, made - bad))
    )
    return {
        "availability": found.availability,
        "effectiveness": found.effectiveness,
        "quality": found.quality,
        "index": found.index,
    }


def _planned(block: Server, part: Any) -> float:
    """Give the planned time of a piece, of those classes whose work was begun; of a batch, its share of a full one.

    A batch without end is never full: nan.
    """
    batch = getattr(part, "batch", 1)
    if math.isinf(batch):
        return math.nan
    each = getattr(part, "batch_each", None)
    own = {kind: law.distribution().mean() for kind, law in part.service_by_class.items()}
    begun = {kind: len(block.of_class[kind].wait) for kind in own if kind in block.of_class}
    others = len(block.wait) - sum(begun.values())
    in_all = sum(own[kind] * count for kind, count in begun.items()) + part.service.distribution().mean() * others
    mean_s = in_all / len(block.wait) if len(block.wait) else part.service.distribution().mean()
    return float(mean_s / batch + (each.distribution().mean() if each is not None else 0.0))
