"""Student's t: probabilities by the incomplete beta function, quantiles by bisection. No table and no approximation.

The continued fraction is that of W. J. Lentz as in Press et al., Numerical Recipes, 3rd ed., section 6.4.
"""

from __future__ import annotations

import math
from functools import lru_cache

_MOST_TERMS = 10_000
_TINY = 1e-300


def t_probability(t: float, freedom: float) -> float:
    """Give P(T <= t) of Student's t with `freedom` (> 0) degrees; exact to about 1e-12."""
    if freedom <= 0:
        raise ValueError(f"degrees of freedom must be above 0, not {freedom}")
    if math.isinf(t):
        return 1.0 if t > 0 else 0.0
    tail = 0.5 * incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))
    return 1 - tail if t > 0 else tail


@lru_cache(maxsize=4096)
def t_quantile(probability: float, freedom: float) -> float:
    """Give the t below which Student's t with `freedom` (> 0) degrees lies with `probability` (between 0 and 1)."""
    if not 0 < probability < 1:
        raise ValueError(f"a probability between 0 and 1, not {probability}")
    if probability < 0.5:
        return -t_quantile(1 - probability, freedom)
    low, high = 0.0, 1.0
    while t_probability(high, freedom) < probability:
        low, high = high, high * 2
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if t_probability(middle, freedom) < probability else (low, middle)
    return (low + high) / 2


def incomplete_beta(a: float, b: float, x: float) -> float:
    """Give the regularised incomplete beta function I_x(a, b) for a, b > 0 and 0 <= x <= 1."""
    if not 0 <= x <= 1:
        raise ValueError(f"x from 0 to 1, not {x}")
    if x in (0.0, 1.0):
        return x
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    # the fraction converges fast on this side of the mean only; the other side follows by symmetry
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    h = d
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _away_from_zero(1 + term * d)
            c = _away_from_zero(1 + term / c)
            h *= c * d
        if abs(c * d - 1) < 1e-16:
            break
    return h


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
