"""Whether a line settles: where more and more wait, no mean is that of a state that lasts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from simulation.statistics.intervals import over_replications

FEW = 10
"""So many more at the end are nothing to speak of."""
SHARE = 0.02
"""More than this share of those who came has stayed."""
SURE = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How many more were in a block at the end of a run than when the warm-up was over, and how many came meanwhile."""

    by: float
    came: int


def growing(runs: Sequence[Mapping[str, Growth]]) -> Iterator[str]:
    """Give a warning for each block that fills up, over all runs; one run says it only where it is plain."""
    for name in runs[0] if runs else ():
        grown = over_replications([run[name].by for run in runs], SURE)
        came = sum(run[name].came for run in runs) / len(runs)
        least = grown.estimate - grown.half if len(runs) > 1 else grown.estimate / 2
        if grown.estimate > FEW and least > SHARE * came / 2 and grown.estimate > SHARE * came:
            yield (
                f"{name} fills up: {grown.estimate:.0f} more are there at the end of a run than when it began to count, "
                f"of {came:.0f} who came. It is overloaded and has no settled state, or the run is too short"
            )
