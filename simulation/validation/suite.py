"""Runs the textbook cases and compares: which values lie in their intervals, and how many of all."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from simulation.model.reading import model_of
from simulation.model.running import run_model
from simulation.statistics.intervals import Interval
from simulation.validation.case import Between, Case
from simulation.validation.cases import cases

SURE = 0.9999
"""A value outside of an interval of this level is an error of the blocks, not bad luck."""
LITTLE = 0.05
"""Most that a case without losses may be off Little's law, as a share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One figure of one case: what was estimated, and what the book says."""

    case: str
    source: str
    figure: str
    interval: Interval
    truth: float | Between

    @property
    def is_inside(self) -> bool:
        """Tell whether the truth lies in the interval; 5 of 100 should not."""
        return self._fits(self.interval)

    @property
    def is_believable(self) -> bool:
        """Tell whether the truth lies in an interval that misses it once in 10,000 times."""
        return self._fits(self.interval.at(SURE))

    def _fits(self, interval: Interval) -> bool:
        if isinstance(self.truth, Between):
            low, high = interval.estimate - interval.half, interval.estimate + interval.half
            return low <= self.truth.high and high >= self.truth.low
        return not math.isnan(interval.estimate) and interval.holds(self.truth)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One case: its findings, and how far it is off Little's law (nan where something is lost)."""

    findings: Sequence[Finding]
    little: float

    @property
    def is_right(self) -> bool:
        """Tell whether everything is as the book says."""
        return all(finding.is_believable for finding in self.findings) and not abs(self.little) > LITTLE


def check(case: Case, *, scale: float = 1.0, seed: int = 1) -> Checked:
    """Run one case; `scale` makes it run longer. Raises FileFaults for a case that is no model."""
    outcome = run_model(model_of(case.raw(scale), case.name), seed=seed)
    findings = [
        Finding(case=case.name, source=case.source, figure=figure, interval=outcome.interval(figure), truth=truth)
        for figure, truth in case.truth.items()
    ]
    has_little = all("little_residual" in run.figures for run in outcome.runs)
    return Checked(findings=findings, little=outcome.interval("little_residual").estimate if has_little else math.nan)


def check_all(
    *, scale: float = 1.0, seed: int = 1, tell: Callable[[str], None] = lambda _text: None, among: Iterable[Case] = ()
) -> list[Checked]:
    """Run every case, or those given."""
    chosen = list(among) or cases()
    found = []
    for n, case in enumerate(chosen):
        tell(f"{n + 1} of {len(chosen)}: {case.name}")
        found.append(check(case, scale=scale, seed=seed))
    return found


def exact(finding: Finding) -> bool:
    """Tell whether nothing about a figure is left to chance."""
    return isinstance(finding.truth, Between) or finding.interval.half < 1e-9


def most_outside(count: int, share: float = 0.05, sure: float = 0.999) -> int:
    """Give how many of `count` values may lie outside of their intervals, each with the probability `share`, before that
    is less likely than 1 - sure (binomial)."""
    total, chance = 0.0, (1 - share) ** count
    for n in range(count + 1):
        total += chance
        if total >= sure:
            return n
        chance *= (count - n) / (n + 1) * share / (1 - share)
    return count
