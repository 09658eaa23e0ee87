"""Confidence intervals: over replications, over pairs, over batches of one long run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulation.statistics.student import t_quantile

LEVEL = 0.95
BATCHES = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate with the half width of its interval; `of` is how many independent values it stands on.

    With fewer than two values nothing is known of the spread, and the half width is infinite.
    """

    estimate: float
    half: float
    of: int
    level: float = LEVEL

    def holds(self, value: float) -> bool:
        """Tell whether `value` lies in it. Rounding of the last digits is no miss: a constant has half width 0."""
        return abs(value - self.estimate) <= self.half + 1e-9 * max(1.0, abs(value))

    def at(self, level: float) -> Interval:
        """Give the interval for another level (between 0 and 1), from the same values."""
        if self.of < 2:
            return Interval(estimate=self.estimate, half=self.half, of=self.of, level=level)
        ratio = t_quantile((1 + level) / 2, self.of - 1) / t_quantile((1 + self.level) / 2, self.of - 1)
        return Interval(estimate=self.estimate, half=self.half * ratio, of=self.of, level=level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batched:
    """An interval from batches of one run. `von_neumann` is near 2 when the batches are not correlated; below about
    1.5 they are too short, and the interval too narrow."""

    interval: Interval
    von_neumann: float


def over_replications(values: Sequence[float], level: float = LEVEL) -> Interval:
    """Give the interval of the mean of independent values by Student's t (Law, Simulation Modeling and Analysis, 4.5).

    A nan (a run in which nothing was counted) is left out.
    """
    known = np.asarray([value for value in values if not math.isnan(value)], float)
    n = len(known)
    if n == 0:
        return Interval(estimate=math.nan, half=math.inf, of=0, level=level)
    mean = float(known.mean())
    if n == 1:
        return Interval(estimate=mean, half=math.inf, of=1, level=level)
    half = t_quantile((1 + level) / 2, n - 1) * float(known.std(ddof=1)) / math.sqrt(n)
    return Interval(estimate=mean, half=half, of=n, level=level)


def paired(first: Sequence[float], second: Sequence[float], level: float = LEVEL) -> Interval:
    """Give the interval of the mean of first - second, run by run; meant for runs with common random numbers.

    Raises ValueError when they are not equally many.
    """
    return over_replications([a - b for a, b in zip(first, second, strict=True)], level)


def antithetic(values: Sequence[float], level: float = LEVEL) -> Interval:
    """Give the interval from runs of which each second one mirrors the one before it: only pairs are independent.

    Raises ValueError for an odd number of them.
    """
    if len(values) % 2:
        raise ValueError(f"{len(values)} runs are not pairs")
    return over_replications([(a + b) / 2 for a, b in zip(values[::2], values[1::2], strict=True)], level)


def batch_means(values: Sequence[float], batches: int = BATCHES, level: float = LEVEL) -> Batched:
    """Give the interval of the mean of one correlated series from the means of `batches` (>= 2) equal parts.

    What is left over by equal parts is dropped from the beginning. Raises ValueError for fewer values than batches.
    """
    size = len(values) // batches
    if batches < 2 or size < 1:
        raise ValueError(f"{len(values)} values cannot be {batches} batches, of which 2 are the least")
    means = np.asarray(values, float)[len(values) - size * batches :].reshape(batches, size).mean(axis=1)
    return Batched(interval=over_replications(means.tolist(), level), von_neumann=von_neumann(means.tolist()))


def von_neumann(values: Sequence[float]) -> float:
    """Give the mean square of successive differences over the variance: 2 for independent values (von Neumann 1941).

    A constant series has no order that could be seen: 2.
    """
    series = np.asarray(values, float)
    away = series - series.mean()
    spread = float(away @ away)
    steps = np.diff(series)
    scale = max(1.0, float(np.abs(series).max())) if len(series) else 1.0
    if spread <= (1e-12 * scale) ** 2 * max(1, len(series)):
        return 2.0
    n = len(series)
    return float(steps @ steps) / spread * n / (n - 1)
