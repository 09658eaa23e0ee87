"""The names of the figures that a run of a sweep will have, known before one is played."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from controller.commands.sim.shift.playing import plant_spec
from controller.commands.sim.sweep.grid import Point, Work, model_at, shift_at
from packline.core.files import near
from simulation.model.running import run_once
from simulation.recording.rows import Head, MachineRow, Recording
from simulation.report.figures import figures_of

MOMENT_S = 1e-6
"""A model that runs for a moment has every name but those of SEEN, and costs nothing."""
SEEN = re.compile(r"(.+\.)(at\.\d+|verdicts\.\w+)|little_residual")
"""Names of what a run has only if it came to that: a block with so many in it, a verdict that was given."""

OF_RUN = {
    "mean_flow_s": "cycle_mean_s",
    "p50_flow_s": "cycle_p50_s",
    "p95_flow_s": "cycle_p95_s",
    "parcels_per_hour": "throughput_per_h",
}
"""What `packline sim run` calls a figure, and what it is called here."""


def names_of(point: Point) -> Collection[str]:
    """Give the names of all figures of a corner of the grid."""
    work = Work(point=point, seed=0)
    return _of_model(work) if point.is_model else _of_shift(work)


def is_figure(name: str, names: Collection[str]) -> bool:
    """Tell whether a run may have a figure of this name, where it has all of `names`."""
    seen = SEEN.fullmatch(name)
    return name in names or (seen is not None and (not seen[1] or any(one.startswith(seen[1]) for one in names)))


def meant(name: str, names: Collection[str]) -> str:
    """Suggest the figure that was meant by a name that no run has; "" when none is like it."""
    return near(OF_RUN.get(name, name), set(names))


def _of_model(work: Work) -> Collection[str]:
    model = model_at(work).model_copy(update={"horizon_s": MOMENT_S})
    return run_once(model, seed=0, number=0, warmup_s=0.0).figures.keys()


def _of_shift(work: Work) -> Collection[str]:
    """Take the figures of a recording in which nothing happens at the line's machines."""
    shift, _ = shift_at(work, Path())
    plant = plant_spec(shift.site, shift.path, shift.speed)
    head = Head(site="", scenario="", seed=0, orders=0, speed=1.0, command="", ended_s=1.0, is_well=True)
    machines = tuple(
        MachineRow(name=spec.name, model="", station="", states=((0.0, "starved"),)) for spec in plant.machines
    )
    return figures_of(Recording(head=head, machines=machines)).numbers.keys()
