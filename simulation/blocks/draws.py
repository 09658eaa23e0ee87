"""Distributions: what a file says of a random time, and how it is drawn from a stream of its own."""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import NormalDist
from typing import Protocol

Draw = Callable[[], float]
"""Gives the next value."""


class Distribution(Protocol):
    """A law of values >= 0. All but gamma are drawn by inversion, so that mirrored streams mirror the values."""

    def mean(self) -> float:
        """Give the expected value."""
        ...

    def variance(self) -> float:
        """Give the variance."""
        ...

    def drawn_from(self, stream: random.Random) -> Draw:
        """Give a function that draws from `stream` and from nothing else."""
        ...


class Mirror(random.Random):
    """A stream that gives 1 - u where its fellow of the same seed gives u: antithetic."""

    def random(self) -> float:
        """Give a number from 0 to below 1."""
        value = 1.0 - super().random()
        return value if value < 1.0 else 0.0


@dataclass(frozen=True, slots=True)
class Deterministic:
    """Always `value`."""

    value: float

    def mean(self) -> float:
        return self.value

    def variance(self) -> float:
        return 0.0

    def drawn_from(self, stream: random.Random) -> Draw:
        value = self.value
        return lambda: value


@dataclass(frozen=True, slots=True)
class Exponential:
    """Exponential with mean `average`."""

    average: float

    def mean(self) -> float:
        return self.average

    def variance(self) -> float:
        return self.average**2

    def drawn_from(self, stream: random.Random) -> Draw:
        minus, log, unit = -self.average, math.log, stream.random
        return lambda: minus * log(1.0 - unit())


@dataclass(frozen=True, slots=True)
class Erlang:
    """The sum of `k` exponentials, together of mean `average`; cv = 1 / sqrt(k)."""

    average: float
    k: int

    def mean(self) -> float:
        return self.average

    def variance(self) -> float:
        return self.average**2 / self.k

    def drawn_from(self, stream: random.Random) -> Draw:
        minus, stages, log, unit = -self.average / self.k, range(self.k), math.log, stream.random

        def draw() -> float:
            total = 0.0
            for _ in stages:
                total += log(1.0 - unit())
            return minus * total

        return draw


@dataclass(frozen=True, slots=True)
class Hyperexponential:
    """One of several exponentials: with the probability `weights[i]` that of mean `means[i]`."""

    weights: tuple[float, ...]
    means: tuple[float, ...]

    @classmethod
    def balanced(cls, mean: float, cv: float) -> Hyperexponential:
        """Give the one of two phases with balanced means: each phase brings half of the mean (cv >= 1)."""
        root = math.sqrt((cv * cv - 1) / (cv * cv + 1))
        first = (1 + root) / 2
        return cls((first, 1 - first), (mean / (2 * first), mean / (2 * (1 - first))))

    def mean(self) -> float:
        return sum(p * m for p, m in zip(self.weights, self.means, strict=True))

    def variance(self) -> float:
        return sum(2 * p * m * m for p, m in zip(self.weights, self.means, strict=True)) - self.mean() ** 2

    def drawn_from(self, stream: random.Random) -> Draw:
        edges, means, log, unit = list(accumulate(self.weights)), self.means, math.log, stream.random
        last = len(means) - 1

        def draw() -> float:
            phase = min(bisect_left(edges, unit()), last)
            return -means[phase] * log(1.0 - unit())

        return draw


@dataclass(frozen=True, slots=True)
class Lognormal:
    """Lognormal with mean `average` and coefficient of variation `cv` of the values themselves, not of their logarithms."""

    average: float
    cv: float

    def mean(self) -> float:
        return self.average

    def variance(self) -> float:
        return (self.average * self.cv) ** 2

    def drawn_from(self, stream: random.Random) -> Draw:
        spread = math.log(1 + self.cv**2)
        middle, sigma = math.log(self.average) - spread / 2, math.sqrt(spread)
        exp, inverse = math.exp, NormalDist().inv_cdf
        return lambda: exp(middle + sigma * inverse(inside(stream.random())))


@dataclass(frozen=True, slots=True)
class Uniform:
    """Any value from `low` to `high` alike."""

    low: float
    high: float

    def mean(self) -> float:
        return (self.low + self.high) / 2

    def variance(self) -> float:
        return (self.high - self.low) ** 2 / 12

    def drawn_from(self, stream: random.Random) -> Draw:
        low, wide, unit = self.low, self.high - self.low, stream.random
        return lambda: low + wide * unit()


@dataclass(frozen=True, slots=True)
class Triangular:
    """From `low` to `high`, `mode` the most likely."""

    low: float
    mode: float
    high: float

    def mean(self) -> float:
        return (self.low + self.mode + self.high) / 3

    def variance(self) -> float:
        a, c, b = self.low, self.mode, self.high
        return (a * a + b * b + c * c - a * b - a * c - b * c) / 18

    def drawn_from(self, stream: random.Random) -> Draw:
        low, mode, high, unit, root = self.low, self.mode, self.high, stream.random, math.sqrt
        if high == low:
            return lambda: low
        edge = (mode - low) / (high - low)
        rise, fall = (high - low) * (mode - low), (high - low) * (high - mode)

        def draw() -> float:
            u = unit()
            return low + root(u * rise) if u < edge else high - root((1 - u) * fall)

        return draw


@dataclass(frozen=True, slots=True)
class Weibull:
    """Weibull with mean `average`; `shape` below 1 fails early, above 1 wears out."""

    average: float
    shape: float

    def mean(self) -> float:
        return self.average

    def variance(self) -> float:
        scale = self.average / math.gamma(1 + 1 / self.shape)
        return scale**2 * math.gamma(1 + 2 / self.shape) - self.average**2

    def drawn_from(self, stream: random.Random) -> Draw:
        scale, power = self.average / math.gamma(1 + 1 / self.shape), 1 / self.shape
        log, unit = math.log, stream.random
        return lambda: scale * (-log(1.0 - unit())) ** power


@dataclass(frozen=True, slots=True)
class Gamma:
    """Gamma with mean `average` and coefficient of variation `cv`; drawn by rejection, so mirrored streams do not mirror it."""

    average: float
    cv: float

    def mean(self) -> float:
        return self.average

    def variance(self) -> float:
        return (self.average * self.cv) ** 2

    def drawn_from(self, stream: random.Random) -> Draw:
        shape = 1 / self.cv**2
        scale = self.average / shape
        return lambda: stream.gammavariate(shape, scale)


@dataclass(frozen=True, slots=True)
class Geometric:
    """Whole numbers from 1 on, mean `average` (>= 1): cycles until a failure that may come in each."""

    average: float

    def mean(self) -> float:
        return self.average

    def variance(self) -> float:
        return self.average * (self.average - 1)

    def drawn_from(self, stream: random.Random) -> Draw:
        if self.average == 1:
            return lambda: 1.0
        scale, log, ceil, unit = math.log1p(-1 / self.average), math.log, math.ceil, stream.random
        return lambda: float(max(1, ceil(log(1.0 - unit()) / scale)))


MOST_AT_ONCE = 500.0
"""e to the minus 746th is no number above 0 in a computer: a Poisson of a larger mean is drawn as the sum of several."""


@dataclass(frozen=True, slots=True)
class Poisson:
    """Whole numbers from 0 on, mean `average`."""

    average: float

    def mean(self) -> float:
        return self.average

    def variance(self) -> float:
        return self.average

    def drawn_from(self, stream: random.Random) -> Draw:
        parts = range(math.ceil(self.average / MOST_AT_ONCE))
        average = self.average / len(parts)
        nothing, unit = math.exp(-average), stream.random

        def part() -> int:
            n, share, u = 0, nothing, unit()
            total = share
            while u >= total and share > 0:
                n += 1
                share *= average / n
                total += share
            return n

        return lambda: float(sum(part() for _ in parts))


@dataclass(frozen=True, slots=True)
class Empirical:
    """One of `values`, with probabilities in proportion to `weights`; `is_smooth` draws between neighbours.

    A smooth one is linear between its values: `weights[i]` is then the weight of the span from value i to value i + 1.
    """

    values: tuple[float, ...]
    weights: tuple[float, ...]
    is_smooth: bool = False

    @classmethod
    def alike(cls, values: Sequence[float]) -> Empirical:
        """Give the one in which each of `values` is as likely as the others."""
        return cls(tuple(values), (1.0,) * len(values))

    def mean(self) -> float:
        return self._moment(lambda low, high: (low + high) / 2)

    def variance(self) -> float:
        return self._moment(lambda low, high: (low * low + low * high + high * high) / 3) - self.mean() ** 2

    def drawn_from(self, stream: random.Random) -> Draw:
        total = sum(self.weights)
        edges = [edge / total for edge in accumulate(self.weights)]
        values, last, unit = self.values, len(edges) - 1, stream.random
        if not self.is_smooth:
            return lambda: values[min(_above(edges, unit()), last)]

        def draw() -> float:
            u = unit()
            span = min(_above(edges, u), last)
            before = edges[span - 1] if span else 0.0
            return values[span] + (values[span + 1] - values[span]) * (u - before) / (edges[span] - before)

        return draw

    def _moment(self, of: Callable[[float, float], float]) -> float:
        ends = self.values[1:] if self.is_smooth else self.values
        spans = zip(self.values, ends, self.weights, strict=False)
        return sum(weight * of(low, high) for low, high, weight in spans) / sum(self.weights)


def _above(edges: Sequence[float], u: float) -> int:
    """Give the first of `edges` above `u`; one of no weight is never it."""
    n = bisect_left(edges, u)
    while n < len(edges) - 1 and edges[n] <= u:
        n += 1
    return n


def inside(u: float) -> float:
    """Give a number between 0 and 1, both left out."""
    return min(max(u, 1e-300), 1 - 2**-53)
