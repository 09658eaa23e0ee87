"""What the books say of networks of stations without limits. Words as in `simulation.validation.theory_queues`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simulation.validation.chains import mean_of, stationary


def traffic(arrivals: Sequence[float], ways: Sequence[Sequence[float]]) -> list[float]:
    """Rates through the nodes of an open network with these ways between them (Jackson 1957)."""
    matrix = np.eye(len(arrivals)) - np.asarray(ways, float).T
    return [float(rate) for rate in np.linalg.solve(matrix, np.asarray(arrivals, float))]


def mean_value_analysis(demands: Sequence[float], customers: int, thinking: float = 0.0) -> tuple[float, list[float]]:
    """Rate and mean numbers of a closed network of single servers (Gordon & Newell 1967; Reiser & Lavenberg 1980).

    `demands` is visits x service time of each node; `thinking` is spent where nobody waits.
    """
    numbers = [0.0] * len(demands)
    rate = 0.0
    for n in range(1, customers + 1):
        times = [demand * (1 + number_) for demand, number_ in zip(demands, numbers, strict=True)]
        rate = n / (thinking + sum(times))
        numbers = [rate * time for time in times]
    return rate, numbers


def shortest_queue_number(lam: float, mu: float, places: int = 24) -> float:
    """Mean number in two M/M/1 of which arrivals join the shorter; the chain, cut off (Kingman 1961; Cohen 1998)."""

    def moves(state: tuple[int, int]) -> list[tuple[tuple[int, int], float]]:
        a, b = state
        found = [((a - 1, b), mu if a else 0.0), ((a, b - 1), mu if b else 0.0)]
        if min(a, b) < places:
            found.append(((a + 1, b) if a <= b else (a, b + 1), lam))
        return found

    return mean_of(stationary((0, 0), moves), sum)


def ordered_entry(lam: float, first: float, second: float) -> tuple[float, float]:
    """Loss, and use of the second of two servers without a queue, where the second gets what the first cannot take
    (Disney 1962)."""

    def moves(state: tuple[int, int]) -> list[tuple[tuple[int, int], float]]:
        a, b = state
        found = [((0, b), first if a else 0.0), ((a, 0), second if b else 0.0)]
        if not a:
            found.append(((1, b), lam))
        elif not b:
            found.append(((1, 1), lam))
        return found

    shares = stationary((0, 0), moves)
    return shares[1, 1], mean_of(shares, lambda state: state[1])
