"""In which state a machine is, seen from its own circuits and from what stands at its place."""

from __future__ import annotations

from collections.abc import Mapping

from plc.packml import State as PackMl
from simulation.machines.machine import Machine
from simulation.machines.plain import PlainMachine
from simulation.plant.world import World
from simulation.recording.rows import State

OF_PACKML: Mapping[int, State] = {
    PackMl.ABORTING: "down",
    PackMl.ABORTED: "down",
    PackMl.STOPPING: "down",
    PackMl.HOLDING: "held",
    PackMl.HELD: "held",
    PackMl.SUSPENDING: "held",
    PackMl.SUSPENDED: "held",
}
"""What is neither here nor Execute is the way there: setup."""


def state_of(machine: Machine | PlainMachine, world: World, station: str) -> State:
    """Give the state of a machine that serves `station`."""
    return _own(machine) or _of_place(machine, world, station)


def _own(machine: Machine | PlainMachine) -> State | None:
    """Give the state that its own circuits tell; None where it is ready and does nothing."""
    if not machine.is_powered:
        return "down"
    if isinstance(machine, PlainMachine):
        return "down" if machine.is_stopped else "busy" if machine.is_busy else None
    brain = machine.brain
    if brain.safety or brain.faults:
        return "down"
    if brain.busy:
        return "busy"
    return None if brain.states.is_execute() else OF_PACKML.get(brain.states.state, "setup")


def _of_place(machine: Machine | PlainMachine, world: World, station: str) -> State:
    carton = world.places[station].first if station in world.places else None
    if carton is None:
        return "waiting" if world.tables.get(station) is not None else "starved"
    full = [name for name, value in machine.mechanics.sense().items() if value and name.endswith("_full")]
    is_done = any(bool(carton.labels) if name.startswith("lane") else carton.closed for name in full)
    return "blocked" if is_done else "waiting"
