"""How much there is to do in all runs of a model, as far as its sources tell before it is run."""

from __future__ import annotations

import math
from collections.abc import Iterator

from simulation.model.flow_parts import SourcePart
from simulation.model.model_file import Model

MOST_ITEMS = 3e8
"""More items than these take over an hour: 70 000 a second went through one server (2026-11-23, one core)."""


def burdens(model: Model, replications: int | None = None) -> Iterator[str]:
    """Warn of so many items that the runs would hardly end."""
    runs = model.replications if replications is None else replications
    items = runs * math.fsum(
        _items(part, model.horizon_s) for part in model.blocks.values() if isinstance(part, SourcePart)
    )
    if items > MOST_ITEMS:
        yield (
            f"about {items:.0e} items come in {runs} runs of {model.horizon_s:g} s: that takes more than an hour. "
            "Is horizon_s what you mean, in seconds, and the time between arrivals?"
        )


def _items(part: SourcePart, horizon_s: float) -> float:
    """Count those who come in one run; of a source without a time nobody knows before."""
    most = math.inf if part.most is None else part.most
    if part.every is None:
        return 0.0
    size = part.size.distribution().mean() if part.size is not None else 1.0
    return min(most, horizon_s / part.every.distribution().mean() * size)
