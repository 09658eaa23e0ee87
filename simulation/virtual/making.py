"""Makes the loop that a shift needs."""

from __future__ import annotations

import math

import simpy

from simulation.virtual.loop import VirtualLoop
from simulation.virtual.sockets import LoopbackLoop


def make_loop(*, rate: float = 1.0, horizon_s: float = math.inf, with_sockets: bool = False) -> VirtualLoop:
    """Make a loop with a plant of its own."""
    make = LoopbackLoop if with_sockets else VirtualLoop
    return make(simpy.Environment(), rate=rate, horizon_s=horizon_s)
