"""Small Markov chains solved exactly: stationary probabilities by linear algebra, nothing drawn."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TypeVar

import numpy as np

S = TypeVar("S", bound=Hashable)
MOST_STATES = 4000


def stationary(start: S, moves: Callable[[S], Iterable[tuple[S, float]]]) -> dict[S, float]:
    """Give the stationary probabilities of the chain in continuous time; `moves` gives next states and rates (1/s).

    Raises ValueError for more than MOST_STATES states.
    """
    index, edges = _explore(start, moves)
    n = len(index)
    flow = np.zeros((n, n))
    for before, after, rate in edges:
        flow[before, after] += rate
        flow[before, before] -= rate
    return _solve(flow, index)


def stationary_of_steps(start: S, moves: Callable[[S], Iterable[tuple[S, float]]]) -> dict[S, float]:
    """Give the long-run shares of the chain in steps; `moves` gives next states and probabilities, 1 in all."""
    index, edges = _explore(start, moves)
    n = len(index)
    step = np.zeros((n, n))
    for before, after, probability in edges:
        step[before, after] += probability
    if not np.allclose(step.sum(axis=1), 1):
        raise ValueError("probabilities that are not 1 in all")
    return _solve(step - np.eye(n), index)


def birth_death(births: Callable[[int], float], deaths: Callable[[int], float], most: int) -> list[float]:
    """Give the probabilities of 0 to `most`; `births(n)` leads from n to n + 1, `deaths(n)` from n to n - 1."""
    weights = [1.0]
    for n in range(most):
        weights.append(weights[-1] * births(n) / deaths(n + 1))
    total = sum(weights)
    return [weight / total for weight in weights]


def mean_of(found: Mapping[S, float], value: Callable[[S], float]) -> float:
    """Give the expected value of a function of the state."""
    return sum(share * value(state) for state, share in found.items())


def _explore(
    start: S, moves: Callable[[S], Iterable[tuple[S, float]]]
) -> tuple[dict[S, int], list[tuple[int, int, float]]]:
    index, ahead, edges = {start: 0}, [start], []
    while ahead:
        state = ahead.pop()
        for after, rate in moves(state):
            if rate <= 0:
                continue
            if after not in index:
                if len(index) == MOST_STATES:
                    raise ValueError(f"more than {MOST_STATES} states")
                index[after] = len(index)
                ahead.append(after)
            edges.append((index[state], index[after], rate))
    return index, edges


def _solve(flow: np.ndarray, index: Mapping[S, int]) -> dict[S, float]:
    """Solve pi * flow = 0 with pi summing to 1: one equation follows from the others and makes room for the sum."""
    n = len(index)
    system = flow.T.copy()
    system[-1, :] = 1
    right = np.zeros(n)
    right[-1] = 1
    found = np.linalg.solve(system, right)
    return {state: max(0.0, float(found[place])) for state, place in index.items()}
