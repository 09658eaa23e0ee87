"""What the books say: formulas of queueing and line theory. Nothing here is simulated.

Rates are per second, times in seconds. `lam` arrives, `mu` serves, `rho` is the load. Where a book has no closed form,
the chain it describes is solved exactly (`simulation.validation.chains`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np

from simulation.validation.chains import birth_death, mean_of, stationary, stationary_of_steps

Transform = Callable[[float], float]
"""The Laplace-Stieltjes transform of a distribution."""


# -- one station, exponential --------------------------------------------------------------------------------------------


def mm1_wait(lam: float, mu: float) -> float:
    """Mean wait of M/M/1 (Kleinrock 1975, 3.2)."""
    return lam / (mu * (mu - lam))


def mm1_wait_percentile(lam: float, mu: float, share: float) -> float:
    """The wait below which a share of customers stays, first come first served (Kleinrock 1975, 5.7)."""
    return max(0.0, math.log(lam / mu / (1 - share)) / (mu - lam))


def erlang_b(load: float, channels: int) -> float:
    """Probability of loss of M/G/c/c; `load` = lam / mu (Erlang 1917; Gross & Harris 2008, 2.5)."""
    blocked = 1.0
    for n in range(1, channels + 1):
        blocked = load * blocked / (n + load * blocked)
    return blocked


def erlang_c(load: float, channels: int) -> float:
    """Probability of delay of M/M/c (Erlang 1917; Gross & Harris 2008, 2.3)."""
    blocked = erlang_b(load, channels)
    return blocked / (1 - load / channels * (1 - blocked))


def mmc_wait(lam: float, mu: float, channels: int) -> float:
    """Mean wait of M/M/c (Gross & Harris 2008, 2.3)."""
    return erlang_c(lam / mu, channels) / (channels * mu - lam)


def mmck(lam: float, mu: float, channels: int, places: int) -> list[float]:
    """Probabilities of 0 to `places` in M/M/c/K (Gross & Harris 2008, 2.4)."""
    return birth_death(lambda _n: lam, lambda n: min(n, channels) * mu, places)


def finite_source(lam: float, mu: float, repairers: int, machines: int) -> list[float]:
    """Probabilities of 0 to `machines` being down in the machine repair model (Palm 1947; Gross & Harris 2008, 2.7)."""
    return birth_death(lambda n: (machines - n) * lam, lambda n: min(n, repairers) * mu, machines)


def erlang_a(lam: float, mu: float, theta: float, channels: int) -> list[float]:
    """Probabilities in M/M/c+M, where each who waits gives up at the rate `theta` (Palm 1957; Garnett et al. 2002)."""
    return birth_death(lambda _n: lam, lambda n: min(n, channels) * mu + max(0, n - channels) * theta, 400)


def number(shares: Sequence[float]) -> float:
    """Mean of 0, 1, 2 ... with these probabilities."""
    return sum(n * share for n, share in enumerate(shares))


def waiting(shares: Sequence[float], channels: int) -> float:
    """Mean number that waits beyond `channels`."""
    return sum(max(0, n - channels) * share for n, share in enumerate(shares))


# -- one station, general service ----------------------------------------------------------------------------------------


def pollaczek_khinchine(lam: float, mean: float, second: float) -> float:
    """Mean wait of M/G/1; `second` is E[S^2] (Pollaczek 1930, Khinchine 1932; Kleinrock 1975, 5.6)."""
    return lam * second / (2 * (1 - lam * mean))


def wait_second_moment(lam: float, mean: float, second: float, third: float) -> float:
    """E[W^2] of M/G/1, first come first served (Takacs 1962; Kleinrock 1975, 5.7)."""
    wait = pollaczek_khinchine(lam, mean, second)
    return 2 * wait**2 + lam * third / (3 * (1 - lam * mean))


def deviation(mean: float, second: float) -> float:
    """Standard deviation from the first two moments."""
    return math.sqrt(second - mean**2)


def gim1_wait(transform: Transform, mu: float) -> float:
    """Mean wait of GI/M/1; `transform` of the time between arrivals (Kendall 1953; Kleinrock 1975, 6.4)."""
    sigma = 0.5
    for _ in range(10_000):
        after = transform(mu * (1 - sigma))
        if abs(after - sigma) < 1e-15:
            break
        sigma = after
    return sigma / (mu * (1 - sigma))


def kingman_bound(lam: float, variance_between: float, variance_service: float, rho: float) -> float:
    """Upper bound on the mean wait of G/G/1 (Kingman 1962)."""
    return lam * (variance_between + variance_service) / (2 * (1 - rho))


def marshall_bound(lam: float, variance_between: float, variance_service: float, rho: float) -> float:
    """Lower bound on the mean wait of G/G/1 where a time between arrivals has increasing failure rate (Marshall 1968)."""
    return kingman_bound(lam, variance_between, variance_service, rho) - (1 + rho) / (2 * lam)


def bulk_number(lam: float, mu: float, size: float, size_second: float) -> float:
    """Mean number in M^[X]/M/1; `size` E[X], `size_second` E[X^2] (Gross & Harris 2008, 3.1)."""
    rho = lam * size / mu
    return rho * (1 + size_second / size) / (2 * (1 - rho))


def shortest_job_wait(lam: float, mu: float) -> float:
    """Mean wait of M/M/1, shortest job first without preemption (Phipps 1956)."""
    x = np.linspace(0, 60 / mu, 400_001)
    load = lam / mu * (1 - np.exp(-mu * x) * (1 + mu * x))
    return float(np.trapezoid(lam / mu**2 / (1 - load) ** 2 * mu * np.exp(-mu * x), x))


def shortest_remaining_sojourn(lam: float, mu: float) -> float:
    """Mean time in M/M/1, shortest remaining work first (Schrage & Miller 1966)."""
    x = np.linspace(0, 60 / mu, 400_001)
    wide = x[1] - x[0]
    tail = np.exp(-mu * x)
    load = lam / mu * (1 - tail * (1 + mu * x))
    second = 2 / mu**2 * (1 - tail * (1 + mu * x + (mu * x) ** 2 / 2))
    wait = lam * (second + x**2 * tail) / (2 * (1 - load) ** 2)
    slow = 1 / (1 - load)
    stay = np.concatenate([[0.0], np.cumsum((slow[1:] + slow[:-1]) / 2) * wide])
    return float(np.trapezoid((wait + stay) * mu * tail, x))


# -- priorities ----------------------------------------------------------------------------------------------------------


def cobham(lams: Sequence[float], means: Sequence[float], seconds: Sequence[float]) -> list[float]:
    """Mean waits of classes 1, 2 ... of M/G/1 without preemption (Cobham 1954; Kleinrock 1976, 3.3)."""
    residual = sum(lam * second for lam, second in zip(lams, seconds, strict=True)) / 2
    loads = _loads(lams, means)
    return [residual / ((1 - before) * (1 - with_it)) for before, with_it in zip(loads, loads[1:], strict=False)]


def preemptive_resume(lams: Sequence[float], means: Sequence[float], seconds: Sequence[float]) -> list[float]:
    """Mean times in the system of classes 1, 2 ... of M/G/1, preemptive resume (Kleinrock 1976, 3.4)."""
    loads = _loads(lams, means)
    found = []
    for n, mean in enumerate(means):
        residual = sum(lams[i] * seconds[i] for i in range(n + 1)) / 2
        found.append(mean / (1 - loads[n]) + residual / ((1 - loads[n]) * (1 - loads[n + 1])))
    return found


def cobham_channels(lams: Sequence[float], mu: float, channels: int) -> list[float]:
    """Mean waits of classes of M/M/c without preemption, the same service for all (Cobham 1954; Davis 1966)."""
    load = sum(lams) / mu
    residual = erlang_c(load, channels) / (channels * mu)
    loads = _loads(lams, [1 / (channels * mu)] * len(lams))
    return [residual / ((1 - before) * (1 - with_it)) for before, with_it in zip(loads, loads[1:], strict=False)]


def _loads(lams: Sequence[float], means: Sequence[float]) -> list[float]:
    return [sum(lam * mean for lam, mean in zip(lams[:n], means[:n], strict=True)) for n in range(len(lams) + 1)]


def priorities_with_loss(lams: Sequence[float], mu: float, places: int) -> tuple[float, float, float]:
    """Loss, and mean numbers of both classes, of M/M/1/K with preemptive priorities, where who finds it full is lost whatever
    his class (chain)."""

    def moves(state: tuple[int, int]) -> list[tuple[tuple[int, int], float]]:
        high, low = state
        room = high + low < places
        return [
            ((high + 1, low), lams[0] if room else 0.0),
            ((high, low + 1), lams[1] if room else 0.0),
            ((high - 1, low), mu if high else 0.0),
            ((high, low - 1), mu if low and not high else 0.0),
        ]

    shares = stationary((0, 0), moves)
    full = mean_of(shares, lambda state: float(sum(state) == places))
    return full, mean_of(shares, lambda state: state[0]), mean_of(shares, lambda state: state[1])


def priorities_on_failing_channels(
    lams: Sequence[float], mu: float, fail: float, repair: float, channels: int, places: int = 22
) -> tuple[float, float]:
    """Mean numbers of both classes of M/M/c with preemptive priorities whose channels fail at any time, the work going on at
    another (chain, cut off at `places` of each class)."""

    def moves(state: tuple[int, int, int]) -> list[tuple[tuple[int, int, int], float]]:
        high, low, up = state
        at_high = min(high, up)
        at_low = min(low, up - at_high)
        return [
            ((high + 1, low, up), lams[0] if high < places else 0.0),
            ((high, low + 1, up), lams[1] if low < places else 0.0),
            ((high - 1, low, up), at_high * mu),
            ((high, low - 1, up), at_low * mu),
            ((high, low, up - 1), up * fail),
            ((high, low, up + 1), (channels - up) * repair),
        ]

    shares = stationary((0, 0, channels), moves)
    return mean_of(shares, lambda state: state[0]), mean_of(shares, lambda state: state[1])


def repeated_rate(lam: float, mean: float, mu: float) -> float:
    """Rate of work of a low class that is always there and is broken off by a high one (Poisson, `mean` each), and done
    all over again with the same exponential time (preemptive repeat identical; Gaver 1962)."""
    busy = mean / (1 - lam * mean)
    return 1 / ((1 / lam + busy) * (mu / (mu - lam) - 1))


# -- setups, vacations, breakdowns ---------------------------------------------------------------------------------------


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


# -- networks ------------------------------------------------------------------------------------------------------------


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


# -- lines ---------------------------------------------------------------------------------------------------------------


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
