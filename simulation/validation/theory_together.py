"""What the books say of work in batches, forks, assembly, machines that fail as a whole, caps, walking servers, and customers
who come in clusters or do not stay. As in `simulation.validation.theory_queues`, nothing here is simulated."""

from __future__ import annotations

import math
from collections.abc import Sequence

from simulation.validation.chains import birth_death, mean_of, stationary, stationary_of_steps
from simulation.validation.theory_queues import number, pollaczek_khinchine

# -- batches -------------------------------------------------------------------------------------------------------------


def bulk_service_waiting(lam: float, mu: float, least: int, most: int, places: int = 150) -> float:
    """Mean number that waits in M/M[a,b]/1: a batch of `least` to `most`, begun as soon as it can be, closed to who comes later
    (Neuts 1967; the chain, cut off at `places`). States: waiting, whether a batch is at work."""

    def moves(state: tuple[int, int]) -> list[tuple[tuple[int, int], float]]:
        waits, works = state
        if not works:
            return [((waits + 1, 0) if waits + 1 < least else (0, 1), lam)]
        found = [((waits + 1, 1), lam if waits < places else 0.0)]
        return [*found, ((max(0, waits - most), 1) if waits >= least else (waits, 0), mu)]

    return mean_of(stationary((0, 0), moves), lambda state: state[0])


def bulk_service_waiting_closed(lam: float, mu: float, most: int) -> float:
    """Mean number that waits in M/M[1,K]/1 (Medhi 2003, 6.4): the number is geometric while the server works; its ratio is the
    root below 1 of mu r^(K+1) - (lam + mu) r + lam."""
    ratio = _bulk_root(lam, mu, most)
    idle = 1 / (1 + lam / mu / (1 - ratio))
    return lam / mu * idle * ratio / (1 - ratio) ** 2


def open_batch_number(lam: float, mu: float, most: int) -> float:
    """Mean number in M/M[K]/1 whose batches at work are open to who comes later (partial batches; Gross & Harris 2008, 3.2): the
    number is geometric, with the same root."""
    ratio = _bulk_root(lam, mu, most)
    return ratio / (1 - ratio)


def _bulk_root(lam: float, mu: float, most: int) -> float:
    ratio = lam / (lam + mu)
    for _ in range(10_000):
        ratio = (lam + mu * ratio ** (most + 1)) / (lam + mu)
    return ratio


def oven_rate(mu: Sequence[float], batch: int, queue: int) -> float:
    """Rate of a saturated exponential machine before an exponential oven, which begins with `batch` and not before, has `queue`
    places while it works, and holds up the machine when they are full (chain). States: waiting, at work, machine blocked."""

    def moves(state: tuple[int, int, int]) -> list[tuple[tuple[int, int, int], float]]:
        waits, works, blocked = state
        found: list[tuple[tuple[int, int, int], float]] = []
        if not works:
            return [((waits + 1, 0, 0) if waits + 1 < batch else (0, 1, 0), mu[0])]
        if not blocked:
            found.append(((waits + 1, 1, 0) if waits < queue else (waits, 1, 1), mu[0]))
        there = waits + blocked
        return [*found, ((there - batch, 1, 0) if there >= batch else (there, 0, 0), mu[1])]

    return batch * mean_of(stationary((0, 0, 0), moves), lambda state: mu[1] * state[1])


def together_with_loss(lam: float, mu: float, sizes: Sequence[float], places: int) -> tuple[float, float]:
    """Share of customers lost, and mean number, of M^[X]/M/1/K where those who come together come in together or are all lost
    (total batch rejection; Manfield & Tran-Gia 1982). `sizes[n]` is the probability of n + 1."""

    def moves(n: int) -> list[tuple[int, float]]:
        ups = [(n + size, lam * share) for size, share in enumerate(sizes, 1) if n + size <= places]
        return [*ups, (n - 1, mu if n else 0.0)]

    shares = stationary(0, moves)
    mean_size = sum(size * share for size, share in enumerate(sizes, 1))
    lost = mean_of(
        shares, lambda n: sum(size * share for size, share in enumerate(sizes, 1) if n + size > places) / mean_size
    )
    return lost, mean_of(shares, lambda n: n)


# -- forks and assembly --------------------------------------------------------------------------------------------------


def fork_join_flow(lam: float, mu: float) -> float:
    """Mean time until both siblings are done, of two M/M/1 that every customer goes to at once (Flatto & Hahn 1984; Nelson &
    Tantawi 1988)."""
    return (12 - lam / mu) / 8 / (mu - lam)


def longest_of(mu: float, count: int) -> float:
    """Mean of the longest of `count` exponentials."""
    return sum(1 / n for n in range(1, count + 1)) / mu


def kitting(lams: Sequence[float], places: Sequence[int]) -> tuple[float, float]:
    """Rate of kits, and share of the first part lost, where Poisson streams of two parts meet, each with so many places, and
    those without one are lost (Harrison 1973; Hopp & Simon 1989). The chain is one of the surplus of the first."""
    span = places[0] + places[1]
    shares = birth_death(lambda _n: lams[0], lambda _n: lams[1], span)
    return lams[0] * sum(shares[: places[1]]) + lams[1] * sum(shares[places[1] + 1 :]), shares[span]


def assembly_rate(mu: Sequence[float], places: Sequence[int]) -> float:
    """Rate of two saturated exponential machines with so many places each before a third that takes one of both, blocking after
    service (Hopp & Simon 1989; chain). A level above its places: that machine is blocked."""

    def begun(a: int, b: int, works: int) -> tuple[int, int, int]:
        return (a - 1, b - 1, 1) if a and b and not works else (a, b, works)

    def moves(state: tuple[int, int, int]) -> list[tuple[tuple[int, int, int], float]]:
        a, b, works = state
        return [
            (begun(a + 1, b, works), mu[0] if a <= places[0] else 0.0),
            (begun(a, b + 1, works), mu[1] if b <= places[1] else 0.0),
            (begun(a, b, 0), mu[2] if works else 0.0),
        ]

    return mean_of(stationary((0, 0, 0), moves), lambda state: mu[2] * state[2])


# -- machines that fail as a whole ---------------------------------------------------------------------------------------


def failing_as_a_whole(lam: float, mu: float, channels: int, fail: float, repair: float, places: int = 160) -> float:
    """Mean number in M/M/c whose channels all stop together at any time and go on together (Neuts 1981, 6; the chain, cut off)."""

    def moves(state: tuple[int, int]) -> list[tuple[tuple[int, int], float]]:
        n, up = state
        return [
            ((n + 1, up), lam if n < places else 0.0),
            ((n - 1, up), min(n, channels) * mu * up),
            ((n, 1 - up), fail if up else repair),
        ]

    return mean_of(stationary((0, 1), moves), lambda state: state[0])


# -- caps ----------------------------------------------------------------------------------------------------------------


def window_number(lam: float, mu: Sequence[float], window: int, places: int = 60) -> float:
    """Mean number in two exponential stations in a row that `window` customers at most are in; the others wait outside (Reiser
    1979; the chain, cut off). States: outside, at the first, at the second."""

    def moves(state: tuple[int, int, int]) -> list[tuple[tuple[int, int, int], float]]:
        outside, a, b = state
        found: list[tuple[tuple[int, int, int], float]] = []
        if a + b < window:
            found.append(((0, a + 1, b), lam))
        elif outside < places:
            found.append(((outside + 1, a, b), lam))
        if a:
            found.append(((outside, a - 1, b + 1), mu[0]))
        if b:
            found.append(((outside - 1, a + 1, b - 1) if outside else (0, a, b - 1), mu[1]))
        return found

    return mean_of(stationary((0, 0, 0), moves), sum)


# -- walking servers -----------------------------------------------------------------------------------------------------


def polling_wait(
    lam: float, mean: float, second: float, walk: float, walk_variance: float, queues: int, rule: str
) -> float:
    """Mean wait at each of `queues` alike (each with arrivals `lam`) that one server goes round, by Boxma & Groenendijk's
    pseudo-conservation law (1987); `rule` is exhaustive, gated or limited (to one a visit)."""
    one, rho = lam * mean, queues * lam * mean
    away = queues * walk
    away_second = queues * walk_variance + away**2
    work = rho * queues * lam * second / (2 * (1 - rho)) + rho * away_second / (2 * away)
    work += away / (2 * (1 - rho)) * (rho**2 - queues * one**2)
    left_behind, by_wait = 0.0, 0.0
    if rule in ("gated", "limited"):
        left_behind = queues * one**2 * away / (1 - rho)
    if rule == "limited":
        by_wait = queues * one * lam * away / (1 - rho)
    return (work + left_behind) / (rho - by_wait)


def gathering_number(
    lam: float, mean: float, second: float, start_at: int, setup: tuple[float, float] = (0.0, 0.0)
) -> float:
    """Mean number in M/G/1 that begins when `start_at` are there, after a setup with these moments, and goes on until it is
    empty (Yadin & Naor 1963; Medhi & Templeton 1992)."""
    come = start_at + lam * setup[0]
    more = start_at * (start_at - 1) + 2 * start_at * lam * setup[0] + lam**2 * setup[1]
    return lam * mean + lam * pollaczek_khinchine(lam, mean, second) + more / (2 * come)


# -- who comes, and who stays --------------------------------------------------------------------------------------------


def modulated_number(
    lams: Sequence[float], lasts: Sequence[float], mu: float, ways: Sequence[Sequence[float]], places: int = 150
) -> float:
    """Mean number in MMPP/M/1: rates `lams` in phases of mean `lasts`, followed by others with the probabilities `ways`
    (Yechiali & Naor 1971; Fischer & Meier-Hellstern 1993; the chain, cut off)."""

    def moves(state: tuple[int, int]) -> list[tuple[tuple[int, int], float]]:
        n, phase = state
        turns = [((n, after), share / lasts[phase]) for after, share in enumerate(ways[phase]) if after != phase]
        return [((n + 1, phase), lams[phase] if n < places else 0.0), ((n - 1, phase), mu if n else 0.0), *turns]

    return mean_of(stationary((0, 0), moves), lambda state: state[0])


def retrial_orbit(lam: float, mu: float, again: float) -> float:
    """Mean number of those who found the one server of M/M/1 at work and try again, each at the rate `again` (Falin & Templeton
    1997, 1.2)."""
    rho = lam / mu
    return rho * (lam + rho * again) / ((1 - rho) * again)


def fixed_patience(lam: float, mu: float, patience: float) -> tuple[float, float]:
    """Share that gives up, and that needs no wait, in M/M/1+D: who has waited `patience` goes (Barrer 1957; Baccelli &
    Hebuterne 1981). The wait that is offered has the density lam p0 exp(-(mu - lam) x) up to there, and then falls at mu."""
    gap, fallen = mu - lam, math.exp(-(mu - lam) * patience)
    empty = 1 / (1 + lam * (1 - fallen) / gap + lam * fallen / mu)
    return lam * empty * fallen / mu, empty


def discouraged(lam: float, mu: float, stay: Sequence[float]) -> list[float]:
    """Probabilities of M/M/1 of which who finds n stays with probability `stay[n]`, and nobody beyond its end (Haight 1957;
    Gross & Harris 2008, 2.9)."""
    return birth_death(lambda n: lam * stay[n], lambda _n: mu, len(stay))


def paced_number(lam: float, rates: Sequence[float], places: int = 400) -> float:
    """Mean number of a birth-death queue that is served at `rates[n - 1]` with n there, the last one for more (Gross & Harris
    2008, 2.7)."""
    return number(birth_death(lambda _n: lam, lambda n: rates[min(n, len(rates)) - 1], places))


def mdc_number(lam: float, channels: int, places: int = 80) -> float:
    """Mean number in M/D/c with works of 1 s: after each second all who were in work are gone (Crommelin 1932; the chain)."""
    chances = [math.exp(-lam)]
    while len(chances) < 40:
        chances.append(chances[-1] * lam / len(chances))
    chances[-1] += 1 - sum(chances)

    def moves(n: int) -> list[tuple[int, float]]:
        left = max(0, n - channels)
        return [(min(left + came, places), share) for came, share in enumerate(chances)]

    return mean_of(stationary_of_steps(0, moves), lambda n: n)
