"""One textbook case: a model, what the book says of its figures, and which book; and short words for its blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Raw = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Between:
    """A theory that gives bounds only."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A model (as a file would say it, without how long it runs) and the true values of some of its figures."""

    name: str
    source: str
    blocks: Raw
    truth: Mapping[str, float | Between]
    classes: Raw = field(default_factory=dict)
    horizon_s: float = 3500.0
    warmup_s: float = 400.0
    replications: int = 8

    def raw(self, scale: float = 1.0) -> Raw:
        """Give the file; `scale` makes it run longer."""
        model = {
            "title": self.name,
            "horizon_s": self.warmup_s + (self.horizon_s - self.warmup_s) * scale,
            "warmup_s": self.warmup_s,
            "replications": self.replications,
            "classes": self.classes,
            "blocks": self.blocks,
        }
        return {"model": model}


def exp(mean: float) -> Raw:
    """Say an exponential."""
    return {"kind": "exponential", "mean": mean}


def arrivals(lam: float, next_: Any, **more: Any) -> Raw:
    """Say a Poisson source."""
    return {"kind": "source", "every": exp(1 / lam), "next": next_, **more}


def server(service: Any, next_: Any = "out", **more: Any) -> Raw:
    """Say a server."""
    return {"kind": "server", "service": service, "next": next_, **more}


def machine(service: Any, next_: Any = "out", **more: Any) -> Raw:
    """Say a machine."""
    return {"kind": "machine", "service": service, "next": next_, **more}


def one_desk(lam: float, service: Any, **more: Any) -> Raw:
    """Say one station with Poisson arrivals."""
    return {"in": arrivals(lam, "desk"), "desk": server(service, **more)}


def failing(by: str, every: Any, repair: Any, **more: Any) -> list[Raw]:
    """Say one way to fail."""
    return [{"by": by, "every": every, "repair": repair, **more}]
