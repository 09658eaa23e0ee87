"""What the books say of stocks that are made or ordered anew, demand by demand; what is owed waits. Words as in
`simulation.validation.theory_queues`.
"""

from __future__ import annotations

import math


def base_stock(rho: float, stock: int) -> tuple[float, float]:
    """Mean numbers on hand and owed where each demand has a new piece made by M/M/1 (Buzacott & Shanthikumar 1993, 4;
    Zipkin 2000, 7.3): N of them are in the making, geometric, so `stock` - N are on hand or N - `stock` owed."""
    in_making = rho / (1 - rho)
    owed = rho ** (stock + 1) / (1 - rho)
    return stock - in_making + owed, owed


def ordered_anew(lam: float, lead: float, after: int, order: int) -> tuple[float, float]:
    """Mean numbers on hand and owed where `order` are ordered when on hand, owed and on order fall to `after`, and come `lead`
    seconds later, demand being Poisson (Hadley & Whitin 1963, 4; Zipkin 2000, 6.2): what is on hand and on order is any of
    `after` + 1 to `after` + `order` alike, and independent of the demand of a lead time."""
    mean = lam * lead
    shares = [math.exp(-mean)]
    for n in range(1, round(mean + 20 * math.sqrt(mean) + 20)):
        shares.append(shares[-1] * mean / n)
    levels = range(after + 1, after + order + 1)
    on_hand = sum(share * max(0, level - n) for level in levels for n, share in enumerate(shares)) / order
    owed = sum(share * max(0, n - level) for level in levels for n, share in enumerate(shares)) / order
    return on_hand, owed
