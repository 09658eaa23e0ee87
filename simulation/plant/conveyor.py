"""The belts: bring the next carton of an infeed to the station's stop."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import simpy

from simulation.plant.world import World


def infeed(
    world: World, station: str, convey_s: float, is_stopped: Callable[[], bool] = lambda: False
) -> Generator[simpy.Event, Any, None]:
    """Move cartons from "infeed:<station>" to its stop, one at a time, whenever that is free and the hall is not stopped."""
    queue, stop = world.place(f"infeed:{station}"), world.place(station)
    while True:
        carton = queue.first
        if carton is None or stop.full:
            yield world.changed()
            continue
        yield world.env.timeout(convey_s)
        if is_stopped():
            continue  # it stands, and begins again
        if carton is queue.first and not stop.full:  # a person may have taken it meanwhile
            world.move(carton, station)
