"""What the books say of priorities, with and without preemption. Words as in `simulation.validation.theory_queues`."""

from __future__ import annotations

from collections.abc import Sequence

from simulation.validation.chains import mean_of, stationary
from simulation.validation.theory_queues import erlang_c


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


def growing_claims(
    lams: Sequence[float], means: Sequence[float], seconds: Sequence[float], gains: Sequence[float]
) -> list[float]:
    """Mean waits of classes of M/G/1 without preemption whose claims grow with the time that they wait, by `gains` that fall from
    class to class (Kleinrock 1964; Kleinrock 1976, 3.7)."""
    loads = [lam * mean for lam, mean in zip(lams, means, strict=True)]
    first_come = sum(lam * second for lam, second in zip(lams, seconds, strict=True)) / 2 / (1 - sum(loads))
    waits = [0.0] * len(gains)
    for p in reversed(range(len(gains))):
        slower = sum(loads[i] * waits[i] * (1 - gains[i] / gains[p]) for i in range(p + 1, len(gains)))
        faster = sum(loads[i] * (1 - gains[p] / gains[i]) for i in range(p))
        waits[p] = (first_come - slower) / (1 - faster)
    return waits


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
