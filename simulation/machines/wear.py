"""How a worn or a lying machine moves."""

from __future__ import annotations

from typing import Protocol

import simpy

from simulation.machines.mechanics import ERROR_MACHINE, Done, Move
from simulation.quirks import Quirks

DRIFT_S, MOST_DRIFT_S = 0.4, 8.0
"""Simulated seconds by which each motion of a worn drive takes longer than the one before, and the most."""


class Worn(Protocol):
    """What remembers how worn its drive is."""

    drifts: int


def worn(move: Move, quirks: Quirks, env: simpy.Environment, machine: Worn) -> Move:
    """Move as a worn or a lying machine does: `half_done`, `drift`, `done_but_failed`."""
    if quirks.hits("half_done"):
        yield next(move)
        move.close()
        return Done(error=ERROR_MACHINE)
    machine.drifts = machine.drifts + 1 if "drift" in quirks else 0
    if machine.drifts:
        yield env.timeout(min(machine.drifts * DRIFT_S, MOST_DRIFT_S))
    lies = quirks.hits("done_but_failed")
    done = yield from move
    return Done(results=done.results, error=ERROR_MACHINE) if lies else done
