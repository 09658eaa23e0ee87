"""Looks whether the private names that the virtual loop touches still mean what they meant; costs a few milliseconds."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

from packline.core.clock import LoopClock
from simulation.virtual.loop import VirtualLoop, run

EPOCHS_S = (0.0, 16_384.0, 86_400.0, 1.7e9)
"""Times of the first event: the sum that makes a timer due must be right at each of them."""
NAPS, NAP_S = 50, 0.1
STEPS = 3


class CannotRunVirtual(RuntimeError):  # noqa: N818 - said once, at the start
    """This Python or this SimPy does not keep the promises that the virtual loop rests on."""


def self_check() -> None:
    """Raise CannotRunVirtual where timers do not fire at their time, or plant and controller take turns otherwise than agreed."""
    for epoch_s in EPOCHS_S:
        woke_s = _time_after_naps(epoch_s)
        if abs(woke_s - epoch_s - NAPS * NAP_S) > 1e-4:
            raise CannotRunVirtual(f"{NAPS} naps of {NAP_S} s from {epoch_s:.0f} s ended at {woke_s:.6f} s")
    turns, agreed = _turns(), [who for _ in range(STEPS) for who in ("plant", "controller")]
    if turns != agreed:
        raise CannotRunVirtual(f"turns were {turns}, not {agreed}")


def _time_after_naps(epoch_s: float) -> float:
    async def nap() -> float:
        clock = LoopClock()
        for _ in range(NAPS):
            await clock.sleep(NAP_S)
        return clock.monotonic()

    return run(nap(), lambda: VirtualLoop(simpy.Environment(epoch_s), horizon_s=epoch_s + 2 * NAPS * NAP_S))


def _turns() -> list[str]:
    env, turns = simpy.Environment(), list[str]()

    def plant() -> Generator[simpy.Event, Any, None]:
        for _ in range(STEPS):
            yield env.timeout(1.0)
            turns.append("plant")

    async def controller() -> None:
        env.process(plant())
        clock = LoopClock()
        for _ in range(STEPS):
            await clock.sleep(1.0)
            turns.append("controller")

    run(controller(), lambda: VirtualLoop(env))
    return turns
