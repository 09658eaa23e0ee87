"""What the books say of servers that are set up, go away or fail, and of lines of such machines. Words as in
`simulation.validation.theory_queues`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from simulation.validation.chains import mean_of, stationary, stationary_of_steps
from simulation.validation.theory_queues import Transform, pollaczek_khinchine


def setup_wait(lam: float, mean: float, second: float, setup: float, setup_second: float) -> float:
    """Mean wait of M/G/1 with a setup after each idle time (Welch 1964; Levy & Kleinrock 1986)."""
    more = (2 * setup + lam * setup_second) / (2 * (1 + lam * setup))
    return pollaczek_khinchine(lam, mean, second) + more


def vacation_wait(lam: float, mean: float, second: float, away: float, away_second: float) -> float:
    """Mean wait of M/G/1 with multiple vacations (Levy & Yechiali 1975; Doshi 1986)."""
    return pollaczek_khinchine(lam, mean, second) + away_second / (2 * away)


def single_vacation_wait(
    lam: float, mean: float, second: float, away: float, away_second: float, transform: Transform
) -> float:
    """Mean wait of M/G/1 with single vacations; `transform` of their time (Levy & Yechiali 1975)."""
    return pollaczek_khinchine(lam, mean, second) + lam * away_second / (2 * (transform(lam) + lam * away))


def breaking_while_busy(lam: float, mu: float, fail: float, repair: float) -> float:
    """Mean number in M/M/1 whose server fails only at work and resumes: P-K with completion times (Gaver 1962;
    Avi-Itzhak & Naor 1963, model A)."""
    mean = (1 + fail / repair) / mu
    second = 2 / mu**2 * (1 + fail / repair) ** 2 + 2 * fail / (mu * repair**2)
    return lam * mean + lam * pollaczek_khinchine(lam, mean, second)


def breaking_at_any_time(
    lam: float, mu: float, fail: float, repair: float, *, channels: int = 1, places: int = 100
) -> float:
    """Mean number in M/M/c of which each channel fails at any time, its customer going to another if one is free
    (Avi-Itzhak & Naor 1963, model B; Mitrany & Avi-Itzhak 1968); the chain, cut off at `places`."""

    def moves(state: tuple[int, int]) -> list[tuple[tuple[int, int], float]]:
        n, up = state
        return [
            ((n + 1, up), lam if n < places else 0.0),
            ((n - 1, up), min(n, up) * mu),
            ((n, up - 1), up * fail),
            ((n, up + 1), (channels - up) * repair),
        ]

    return mean_of(stationary((0, channels), moves), lambda state: state[0])


def failing_with_loss(lam: float, mu: float, fail: float, repair: float, places: int) -> tuple[float, float]:
    """Loss, and mean number, of M/M/1/K whose server fails at any time; the places stay as they are (chain)."""

    def moves(state: tuple[int, int]) -> list[tuple[tuple[int, int], float]]:
        n, up = state
        return [
            ((n + 1, up), lam if n < places else 0.0),
            ((n - 1, up), mu if n and up else 0.0),
            ((n, 1 - up), fail if up else repair),
        ]

    shares = stationary((0, 1), moves)
    return mean_of(shares, lambda state: float(state[0] == places)), mean_of(shares, lambda state: state[0])


def gershwin_two_machines(fail: Sequence[float], repair: Sequence[float], places: int) -> tuple[float, float]:
    """Rate, and mean level, of the two-machine line with machines of one cycle, which fail and are repaired with given
    probabilities in a cycle (Buzacott 1967; Gershwin 1994, 3.2). `places` counts the one in the second machine.

    A machine that has a part and a place may fail at the beginning of a cycle; it then makes nothing in it.
    """

    def moves(state: tuple[int, int, int]) -> list[tuple[tuple[int, int, int], float]]:
        level, *up = state
        works = [level < places, level > 0]
        chances = []
        for n in (0, 1):
            alive = repair[n] if not up[n] else 1 - fail[n] if works[n] else 1.0
            chances.append({1: alive, 0: 1 - alive})
        found = []
        for first, second in product((0, 1), repeat=2):
            made, used = first and works[0], second and works[1]
            share = chances[0][first] * chances[1][second]
            found.append(((level + int(made) - int(used), first, second), share))
        return found

    shares = stationary_of_steps((0, 1, 1), moves)

    def used(state: tuple[int, int, int]) -> float:
        level, _, up = state
        return 0.0 if not level else (1 - fail[1]) if up else repair[1]

    return mean_of(shares, used), mean_of(shares, lambda state: state[0])


def exponential_two_machines(mu: Sequence[float], fail: Sequence[float], repair: Sequence[float], buffer: int) -> float:
    """Rate of the two-machine line with exponential work, failures at work only, and repairs; blocking after service
    (Gershwin & Berman 1981; Buzacott & Shanthikumar 1993, 6). The level counts what is between, and in the second machine;
    one above its places: the first is blocked."""
    places = buffer + 1

    def moves(state: tuple[int, int, int]) -> list[tuple[tuple[int, int, int], float]]:
        level, up1, up2 = state
        found: list[tuple[tuple[int, int, int], float]] = []
        if level <= places:
            found += (
                [((level + 1, 1, up2), mu[0]), ((level, 0, up2), fail[0])] if up1 else [((level, 1, up2), repair[0])]
            )
        if level > 0 and up2:
            found += [((level - 1, up1, 1), mu[1]), ((level, up1, 0), fail[1])]
        if not up2:
            found.append(((level, up1, 1), repair[1]))
        return found

    return mean_of(stationary((0, 1, 1), moves), lambda state: mu[1] if state[0] and state[2] else 0.0)
