"""What the books say of one station: exponential, general, finite, in bulk, and in another order than first come first served.

Rates are per second, times in seconds. `lam` arrives, `mu` serves, `rho` is the load. Where a book has no closed form, the
chain it describes is solved exactly (`simulation.validation.chains`); nothing here is simulated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from simulation.validation.chains import birth_death, mean_of, stationary_of_steps

Transform = Callable[[float], float]
"""The Laplace-Stieltjes transform of a distribution."""


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


def guarded(lams: tuple[float, float], mu: float, channels: int, guard: int) -> tuple[float, float]:
    """Losses of two classes of M/M/c/c, of which the first is turned away while only `guard` channels are free (Hong &
    Rappaport 1986)."""
    shares = birth_death(lambda n: sum(lams) if n < channels - guard else lams[1], lambda n: n * mu, channels)
    return sum(shares[channels - guard :]), shares[channels]


def engset(lam: float, mu: float, channels: int, sources: int) -> tuple[float, float]:
    """Share of calls lost, and mean number of busy channels, of so many sources that each call at the rate `lam` while they are
    idle (Engset 1918; Kleinrock 1975, 3.10)."""
    shares = birth_death(lambda n: (sources - n) * lam, lambda n: n * mu, channels)
    calls = [(sources - n) * share for n, share in enumerate(shares)]
    return calls[channels] / sum(calls), number(shares)


def with_spares(lam: float, mu: float, repairers: int, machines: int, spares: int) -> list[float]:
    """Probabilities of 0 to all being down in the machine repair model with cold spares (Taylor & Jackson 1954; Gross & Harris
    2008, 2.7)."""
    whole = machines + spares
    return birth_death(lambda n: min(machines, whole - n) * lam, lambda n: min(n, repairers) * mu, whole)


def first_waits(lam: float, mu: float, count: int) -> float:
    """Mean wait of the first `count` customers of an M/M/1 that is empty at first (Kelton & Law 1985): the chain of how many
    each finds there. Between two arrivals j leave with the probability of j heads of a coin before a tail."""
    found = np.zeros(count + 1)
    found[0] = 1.0
    leaves = mu / (lam + mu)
    waits = []
    for _ in range(count):
        waits.append(float(found @ np.arange(count + 1)) / mu)
        after = np.zeros(count + 1)
        tail = 0.0
        for n in range(count - 1, -1, -1):
            tail = found[n] + leaves * tail
            after[n + 1] = (1 - leaves) * tail
        after[0] = leaves * tail
        found = after
    return sum(waits) / count


def fetched_number(lam: float, every: float, load: int, most: int = 150) -> float:
    """Mean number on a shelf from which each `every` seconds up to `load` are fetched (Bailey 1954; the chain of those who are
    left at a visit, cut off at `most`)."""
    come = [math.exp(n * math.log(lam * every) - lam * every - math.lgamma(n + 1)) for n in range(most)]

    def visit(left: int) -> list[tuple[int, float]]:
        steps = [(max(0, left + n - load), share) for n, share in enumerate(come) if left + n - load < most]
        return [*steps, (most, 1 - math.fsum(share for _, share in steps))]

    return mean_of(stationary_of_steps(0, visit), float) + lam * every / 2
