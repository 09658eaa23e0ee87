"""One shift of a site's line and its plant, in one process and on one clock."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from controller.commands.sim.shift.parts import Listener, Played, Shift, Tell, horizon_s
from controller.commands.sim.shift.running import Run
from controller.commands.twin.plant import plant_of
from controller.site import Site
from packline.core.faults import Fault
from packline.core.files import FileFaults
from simulation.faults.known import known
from simulation.spec import PlantSpec
from simulation.virtual.breakages import CRASH
from simulation.virtual.check import self_check
from simulation.virtual.loop import run
from simulation.virtual.making import make_loop

MOST_OF_CRASH = 300
ENDING_S = 1.0
"""The loop's seconds that a shift has beyond its horizon, to be looked at and to leave in order; more is a run that never ends."""


def play(shift: Shift, tell: Tell = lambda _: None, listener: Listener | None = None) -> Played:
    """Play a shift to its end, heard by `listener`; raises VirtualDeadlock, VirtualHorizon and whatever breaks the line or its plant."""
    self_check()
    plant = _plant(shift)

    async def whole() -> Played:
        return await Run(shift, plant, tell, listener).play()

    ends_s = horizon_s(shift) + ENDING_S
    return run(whole(), lambda: make_loop(rate=plant.speed, horizon_s=ends_s, with_sockets=bool(shift.over)))


def play_or_fall(shift: Shift, tell: Tell = lambda _: None, listener: Listener | None = None) -> Played:
    """Play a shift; what makes line or plant fall over is something broken, and told like it. Raises the faults of files."""
    try:
        return play(shift, tell, listener)
    except (Fault, FileFaults):
        raise
    except Exception as error:
        # campaigns, which look for this, have logging switched off
        logging.getLogger(__name__).error("the shift of seed %s fell over", shift.seed, exc_info=error)
        return Played(broken=(f"{CRASH}: {type(error).__name__} {error}"[:MOST_OF_CRASH],))


def known_faults(shift: Shift) -> Mapping[str, Sequence[str]]:
    """Give what each device of a shift's plant can do wrong."""
    return {device: sorted(kinds) for device, kinds in known(_plant(shift)).items()}


def switched(shift: Shift) -> Mapping[str, Sequence[str]]:
    """Give what can be switched on while a shift is played: all of `known_faults` but what happens at a commit."""
    plant = _plant(shift)

    async def look() -> Mapping[str, Sequence[str]]:
        return Run(shift, plant, lambda _: None, None).known()

    return run(look(), lambda: make_loop(rate=plant.speed))


def plant_spec(site: Site, path: Path, speed: float | None) -> PlantSpec:
    """Give the plant of a site; raises Fault 4201 where the site has no twin."""
    return plant_of(site, path, speed)


def _plant(shift: Shift) -> PlantSpec:
    plant = plant_spec(shift.site, shift.path, shift.speed)
    stock = tuple(replace(article, count=max(article.count, shift.orders)) for article in plant.stock)
    return replace(plant, seed=shift.seed, stock=stock)
