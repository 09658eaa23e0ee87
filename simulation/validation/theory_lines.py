"""What the books say of lines, rings and trees of machines with few places between. Words as in
`simulation.validation.theory_queues`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simulation.validation.chains import birth_death, mean_of, stationary


def two_stations(mu: Sequence[float], buffer: int, *, is_before: bool = False) -> float:
    """Rate of a saturated line of two exponential stations with `buffer` places between; blocking after service, or before
    it (Hunt 1956; Perros 1994). Each is a birth-death chain of what is between the stations and in the second."""
    most = buffer + (1 if is_before else 2)
    shares = birth_death(lambda _n: mu[0], lambda _n: mu[1], most)
    return mu[1] * (1 - shares[0])


def three_stations(mu: Sequence[float]) -> float:
    """Rate of a saturated line of three exponential stations without places between, blocking after service (Hunt 1956:
    22/39 of the rate when all are alike). States of stations 2 and 3: 0 empty, 1 working, 2 blocked; 3: the first is
    blocked as well."""

    def moves(state: tuple[int, int, int]) -> list[tuple[tuple[int, int, int], float]]:
        a, b, c = state  # a: 1 works, 2 blocked; b: 0 empty, 1 works, 2 blocked; c: 0 empty, 1 works
        found: list[tuple[tuple[int, int, int], float]] = []
        if a == 1:
            found.append(((1, 1, c) if b == 0 else (2, b, c), mu[0]))
        if b == 1:
            if c == 1:
                found.append(((a, 2, 1), mu[1]))
            else:
                found.append(((1, 1, 1) if a == 2 else (1, 0, 1), mu[1]))
        if c == 1:
            if b == 2:
                found.append(((1, 1, 1) if a == 2 else (1, 0, 1), mu[2]))
            else:
                found.append(((a, b, 0), mu[2]))
        return found

    return mean_of(stationary((1, 0, 0), moves), lambda state: mu[2] * state[2])


def blocking_ring(mu: Sequence[float], places: Sequence[int], pallets: int | None = None) -> float:
    """Rate of a line of exponential machines with `places` each (the one in work included), blocking after service: a closed
    ring with so many pallets, or a saturated line with none (Perros 1994, 6). States: numbers at each, and who is blocked."""
    count = len(mu)
    is_ring = pallets is not None

    def settle(numbers: list[int], blocked: list[bool]) -> tuple[tuple[int, ...], tuple[bool, ...]]:
        """Let whoever is blocked and finds room go on, until nobody does."""
        moved = True
        while moved:
            moved = False
            for n in range(count if is_ring else count - 1):
                after = (n + 1) % count
                if blocked[n] and numbers[after] < places[after]:
                    blocked[n] = False
                    numbers[n] -= 1
                    numbers[after] += 1
                    moved = True
            if not is_ring and numbers[0] < 1:
                numbers[0] = 1
        return tuple(numbers), tuple(blocked)

    def moves(state: tuple[tuple[int, ...], tuple[bool, ...]]) -> list[tuple[Any, float]]:
        found = []
        for n in range(count):
            if state[0][n] and not state[1][n]:
                numbers, blocked = list(state[0]), list(state[1])
                if n == count - 1 and not is_ring:
                    numbers[n] -= 1
                else:
                    blocked[n] = True
                found.append((settle(numbers, blocked), mu[n]))
        return found

    left, start = pallets or 0, []
    for place in places:
        start.append(min(left, place))
        left -= start[-1]
    shares = stationary(settle(start, [False] * count), moves)
    return mean_of(shares, lambda state: mu[-1] if state[0][-1] and not state[1][-1] else 0.0)


def two_into_one(mu: Sequence[float]) -> float:
    """Rate of two saturated exponential machines that give to a third without places between, blocking after service (chain).
    States: how many are blocked, whether the third works."""

    def moves(state: tuple[int, int]) -> list[tuple[tuple[int, int], float]]:
        blocked, works = state
        found = []
        if blocked < 2:
            found.append(((blocked, 1) if not works else (blocked + 1, 1), (2 - blocked) * mu[0]))
        if works:
            found.append(((blocked - 1, 1) if blocked else (0, 0), mu[1]))
        return found

    return mean_of(stationary((0, 0), moves), lambda state: mu[1] * state[1])


def one_into_two(mu: Sequence[float]) -> float:
    """Rate of a saturated exponential machine that gives to one of two others by the toss of a coin, without places between:
    blocked, it waits for the one that was drawn (chain). States: whom it waits for (0: it works), and who works."""

    def moves(state: tuple[int, int, int]) -> list[tuple[tuple[int, int, int], float]]:
        waits, first, second = state
        found = []
        if not waits:
            found.append(((1, 1, second) if first else (0, 1, second), mu[0] / 2))
            found.append(((2, first, 1) if second else (0, first, 1), mu[0] / 2))
        if first:
            found.append(((0, 1, second) if waits == 1 else (waits, 0, second), mu[1]))
        if second:
            found.append(((0, first, 1) if waits == 2 else (waits, first, 0), mu[1]))
        return found

    return mean_of(stationary((0, 0, 0), moves), lambda state: mu[1] * (state[1] + state[2]))


def tandem_with_loss(lam: float, mu: Sequence[float], places: Sequence[int]) -> tuple[float, float]:
    """Loss, and mean number, of a tandem of two exponential stations with so many places each (service included), blocking
    after service, arrivals to a full first station lost (Perros 1994, 3). States: at the first, at the second, blocked."""

    def moves(state: tuple[int, int, bool]) -> list[tuple[tuple[int, int, bool], float]]:
        a, b, is_blocked = state
        found: list[tuple[tuple[int, int, bool], float]] = []
        if a < places[0]:
            found.append(((a + 1, b, is_blocked), lam))
        if a and not is_blocked:
            found.append(((a - 1, b + 1, False) if b < places[1] else (a, b, True), mu[0]))
        if b:
            found.append(((a - 1, b, False) if is_blocked else (a, b - 1, False), mu[1]))
        return found

    shares = stationary((0, 0, False), moves)
    return mean_of(shares, lambda s: float(s[0] == places[0])), mean_of(shares, lambda s: s[0] + s[1])
