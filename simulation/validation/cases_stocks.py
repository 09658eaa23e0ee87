"""Textbook cases of stocks that are made or ordered anew, as kits of a demand and a piece."""

from __future__ import annotations

from typing import Any

from simulation.validation import theory_stocks
from simulation.validation.case import Case, arrivals, exp, server

CLASSES: dict[str, dict[str, int]] = {"demand": {}, "piece": {}}


def _stock(lam: float, first: int, supply: dict[str, Any], begin: str) -> dict[str, Any]:
    """Say a stock: each demand takes a piece, or waits for one, and tells the supply that begins there."""
    return {
        "in": arrivals(lam, "told", mix={"demand": 1.0}),
        "told": {"kind": "fork", "to": [begin, "given"]},
        **supply,
        "new": {"kind": "unpack", "makes": "piece", "next": "given"},
        "first": {"kind": "buffer", "initial": {"piece": first}, "next": "given"},
        "given": {"kind": "assembly", "needs": {"demand": 1, "piece": 1}, "next": "out"},
    }


def stocks() -> list[Case]:
    """Give the cases: base stock, and a stock with a level at which it is ordered anew."""
    made, owed = theory_stocks.base_stock(0.7, 4)
    there, missing = theory_stocks.ordered_anew(0.5, 8, 3, 3)
    orders = {
        "orders": {"kind": "pack", "pieces": 3, "next": "supplier"},
        "supplier": server(8, "opened", channels=float("inf")),
        "opened": {"kind": "unpack", "next": "new"},
    }
    return [
        Case(
            name="base stock of four, each demand has a new one made",
            source="Buzacott & Shanthikumar 1993, 4; Zipkin 2000, 7.3",
            classes=CLASSES,
            blocks=_stock(0.7, 4, {"shop": server(exp(1), "new")}, "shop"),
            truth={"given.classes.piece.number": made, "given.classes.demand.number": owed, "shop.number": 0.7 / 0.3},
        ),
        Case(
            name="three are ordered when on hand and on order fall to three",
            source="Hadley & Whitin 1963, 4; Zipkin 2000, 6.2",
            classes=CLASSES,
            blocks=_stock(0.5, 6, orders, "orders"),
            truth={
                "given.classes.piece.number": there,
                "given.classes.demand.number": missing,
                "supplier.number": 0.5 / 3 * 8,
            },
        ),
    ]
