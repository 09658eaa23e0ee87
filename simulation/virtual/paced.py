"""The plant's time on a loop that keeps a pace of the wall clock: what a plant on sockets moves by."""

from __future__ import annotations

import asyncio
import time

import simpy

from simulation.virtual.motion import VirtualMotion
from simulation.virtual.sockets import PacedLoop


class PacedMotion(VirtualMotion):
    """A Motion on a PacedLoop; to be made while it runs. The loop's selector steps the plant, so nothing else has to."""

    async def run(self) -> None:
        """Wait for ever: a plant that breaks ends the loop itself."""
        await asyncio.Event().wait()


def paced_loop(*, factor: float = 1.0, speed: float = 1.0, began: float | None = None) -> PacedLoop:
    """Make a loop of which `factor` seconds pass in one of the wall clock, with a plant that moves `speed` times faster still.

    `began` is the moment of `time.monotonic()` at which the loop's time was zero: loops in several processes of one
    computer that are given the same moment agree on now. Default: now.
    """
    late_s = time.monotonic() - began if began is not None else 0.0
    return PacedLoop(simpy.Environment(max(0.0, late_s) * factor * speed), rate=speed, factor=factor)
