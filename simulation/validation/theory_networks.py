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


def unlike_servers(lam: float, fast: float, slow: float, places: int = 150) -> tuple[float, float]:
    """Mean number, and use of the slow one, of one queue before two unlike exponential servers, the fast one first where both
    are free (Gumbel 1960; Singh 1970); the chain, cut off. States: how many are there; with one, who works."""

    def moves(state: tuple[int, int]) -> list[tuple[tuple[int, int], float]]:
        count, is_slow = state
        if count == 0:
            return [((1, 0), lam)]
        if count == 1:
            return [((2, 0), lam), ((0, 0), slow if is_slow else fast)]
        more = [((count + 1, 0), lam if count < places else 0.0)]
        if count == 2:
            return [*more, ((1, 1), fast), ((1, 0), slow)]
        return [*more, ((count - 1, 0), fast + slow)]

    shares = stationary((0, 0), moves)
    return mean_of(shares, lambda state: state[0]), mean_of(shares, lambda state: state[0] > 1 or state == (1, 1))
