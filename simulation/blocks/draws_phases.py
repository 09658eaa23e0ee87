"""More distributions: sums of exponentials that are not alike, ways through phases that end at any of them, and a heavy tail."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from simulation.blocks.draws import Draw


@dataclass(frozen=True, slots=True)
class Coxian:
    """Exponential phases of means `means` one after the other; after phase i it goes on with probability `go_on[i]`, else it ends.

    With 1 everywhere it is the sum of them all: a hypoexponential. Any law can be approached by one (Cox 1955).
    """

    means: tuple[float, ...]
    go_on: tuple[float, ...]

    def mean(self) -> float:
        return sum(reached * mean for reached, mean in zip(self._reached(), self.means, strict=True))

    def variance(self) -> float:
        """E[X^2] from the end on: X_i = T_i + (go on) X_(i+1)."""
        first = second = 0.0
        for mean, share in zip(reversed(self.means), reversed((*self.go_on, 0.0)), strict=True):
            second = 2 * mean**2 + 2 * mean * share * first + share * second
            first = mean + share * first
        return second - first**2

    def drawn_from(self, stream: random.Random) -> Draw:
        log, unit = math.log, stream.random
        steps = [(-mean, 1.0 - share) for mean, share in zip(self.means, (*self.go_on, 0.0), strict=True)]

        def draw() -> float:
            """Draw the same number of numbers each time, so that mirrored streams stay in step."""
            total, is_going_on = 0.0, True
            for minus, ends in steps:
                phase = minus * log(1.0 - unit())
                total += phase if is_going_on else 0.0
                if ends > 0:  # a large u is a large value here as well
                    is_going_on = unit() >= ends and is_going_on
            return total

        return draw

    def _reached(self) -> list[float]:
        reached = [1.0]
        for share in self.go_on:
            reached.append(reached[-1] * share)
        return reached


@dataclass(frozen=True, slots=True)
class Pareto:
    """From a least value on, P(X > x) = (least / x) ** shape, with mean `average`; shape > 1. At a shape up to 2 the variance
    has no end."""

    average: float
    shape: float

    def mean(self) -> float:
        return self.average

    def variance(self) -> float:
        shape = self.shape
        if shape <= 2:
            return math.inf
        return self._least() ** 2 * shape / ((shape - 1) ** 2 * (shape - 2))

    def drawn_from(self, stream: random.Random) -> Draw:
        least, power, unit = self._least(), -1 / self.shape, stream.random
        return lambda: least * (1.0 - unit()) ** power

    def _least(self) -> float:
        return self.average * (self.shape - 1) / self.shape
