"""Numbers as they come: levels weighted by time, and samples kept for their percentiles."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

KNOWN_LEVELS = 64
"""The time at each level from 0 to below this is kept apart; the rest in one."""


class Level:
    """A number that changes in steps, and its integral over time: queue lengths, work in progress, busy channels."""

    __slots__ = ("area", "since", "start", "value")

    def __init__(self, now: float = 0.0, value: float = 0) -> None:
        self.value = value
        self.reset(now)

    def reset(self, now: float) -> None:
        """Forget the past, keep the value."""
        self.start = self.since = now
        self.area = 0.0

    def change(self, now: float, by: float) -> None:
        """Raise the value by `by` (or lower it) at `now`, not before the change before."""
        value = self.value
        lasted = now - self.since
        if lasted:
            self.area += value * lasted
            self.since = now
        self.value = value + by

    def mean(self, now: float) -> float:
        """Give the time average from the reset to `now`; nan before any time went by."""
        self.change(now, 0)
        return self.area / (now - self.start) if now > self.start else math.nan


class Shares(Level):
    """A whole number from 0 on that also knows how long it had each value."""

    __slots__ = ("at",)

    def reset(self, now: float) -> None:
        """Forget the past, keep the value."""
        super().reset(now)
        self.at = [0.0] * (KNOWN_LEVELS + 1)

    def change(self, now: float, by: float) -> None:
        """Raise the value by `by` (or lower it) at `now`, not before the change before."""
        value = self.value
        lasted = now - self.since
        if lasted:
            self.area += value * lasted
            self.at[int(value) if value < KNOWN_LEVELS else KNOWN_LEVELS] += lasted
            self.since = now
        self.value = value + by

    def shares(self, now: float) -> list[float]:
        """Give the share of time at 0, 1, 2 ... up to the highest level seen below KNOWN_LEVELS."""
        self.change(now, 0)
        total = now - self.start
        last = max((n for n, spent in enumerate(self.at[:-1]) if spent > 0), default=0)
        return [spent / total for spent in self.at[: last + 1]] if total > 0 else []


class Tally:
    """A sample, kept whole."""

    __slots__ = ("add", "values")

    def __init__(self, values: Sequence[float] = ()) -> None:
        self.values = array("d", values)
        self.add: Callable[[float], None] = self.values.append
        """Take one more."""

    def __len__(self) -> int:
        return len(self.values)

    def reset(self) -> None:
        """Forget all."""
        self.values = array("d")
        self.add = self.values.append

    def mean(self) -> float:
        """Give the mean; nan of none."""
        return float(np.frombuffer(self.values).mean()) if self.values else math.nan

    def deviation(self) -> float:
        """Give the standard deviation of the sample; nan of fewer than two."""
        return float(np.frombuffer(self.values).std(ddof=1)) if len(self.values) > 1 else math.nan

    def percentile(self, percent: float) -> float:
        """Give the value below which `percent` (0 to 100) of them lie, by the rule of `percentile`; nan of none."""
        return percentile(np.frombuffer(self.values), percent) if self.values else math.nan

    def share_up_to(self, limit: float) -> float:
        """Give the share of values that are at most `limit`; nan of none."""
        return float((np.frombuffer(self.values) <= limit).mean()) if self.values else math.nan


def percentile(values: Sequence[float] | NDArray[np.float64], percent: float) -> float:
    """Give the value below which `percent` (0 to 100) of these lie; nan of none.

    Linear between neighbours, which is numpy's own rule: with n values in order, that at place (n - 1) x percent / 100 from 0 on
    (R. J. Hyndman and Y. Fan, Sample Quantiles in Statistical Packages, 1996, definition 7). `sim run`, `sim report` and models all
    use it, so that the same shift has one p95.
    """
    return float(np.percentile(values, percent)) if len(values) else math.nan


def little_residual(number: float, rate: float, time: float) -> float:
    """Give how far number = rate x time is off, as a share of `number`; 0 of an empty system, nan of an unknown one."""
    if math.isnan(number) or math.isnan(rate):
        return math.nan
    if number == 0:
        return 0.0
    return math.nan if math.isnan(time) else (number - rate * time) / number
