"""Runs models written as tables."""

from __future__ import annotations

from typing import Any

from simulation.blocks.floor import Floor
from simulation.model.building import build
from simulation.model.reading import model_of
from simulation.model.running import Outcome, Run, run_model

Raw = dict[str, Any]


def model(blocks: Raw, horizon_s: float = 100.0, **head: Any):
    return model_of({"model": {"horizon_s": horizon_s, "replications": 1, "blocks": blocks, **head}}, "test")


def ran(blocks: Raw, horizon_s: float = 100.0, **head: Any) -> Outcome:
    return run_model(model(blocks, horizon_s, **head))


def once(blocks: Raw, horizon_s: float = 100.0, **head: Any) -> Run:
    return ran(blocks, horizon_s, **head).runs[0]


def line_of(blocks: Raw, until_s: float, **head: Any) -> Any:
    """Build and run to `until_s`; gives a Line whose blocks can be looked at whatever they are."""
    line = build(model(blocks, **head), Floor(seed="test"))
    line.floor.run(until_s)
    return line


def leaves(blocks: Raw, horizon_s: float = 100.0, **head: Any) -> list[float]:
    """Give when items leave."""
    return list(line_of(blocks, horizon_s, **head).floor.left_at)


def at(times: list[float], next_: Any, **more: Any) -> Raw:
    return {"kind": "source", "at": times, "next": next_, **more}


def server(service: Any, next_: Any = "out", **more: Any) -> Raw:
    return {"kind": "server", "service": service, "next": next_, **more}


def machine(service: Any, next_: Any = "out", **more: Any) -> Raw:
    return {"kind": "machine", "service": service, "next": next_, **more}


def endless(next_: Any, **more: Any) -> Raw:
    """A source as fast as the line."""
    return {"kind": "source", "next": next_, **more}
