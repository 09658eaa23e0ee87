"""The machines of one line and what a parcel asks of them: the same for whoever leads them."""

from __future__ import annotations

from typing import Any

from plc.machine_file import MachineFile, shipped_machine
from simulation.machines.generic import Generic
from simulation.machines.machine import Machine
from simulation.motion import Motion
from simulation.mounts.memory import MemoryTagMount
from simulation.mounts.wire import Wire
from simulation.quirks import Quirks

Wish = tuple[str, dict[str, Any]]

LINE: tuple[tuple[str, tuple[Wish, ...]], ...] = (
    ("turntable", (*(("turn", {"angle_deg": angle}) for angle in (90, 180, 270, 0)), ("light", {"level_pct": 50}))),
    ("packer", (("seal", {"length_mm": 300, "width_mm": 200, "height_mm": 150}),)),
    ("applicator", (("apply", {}), ("eject", {"lane": 1}))),
    ("courier_gate", (("light", {"lamp": 1}), ("release", {}), ("light", {"lamp": 0}))),
)
"""The machines that a parcel passes, and their jobs for it."""
JOBS = sum(len(wishes) for _, wishes in LINE)
OWNER = 9
LATENCY_S, APART_S, TICK_S = 0.001, 0.000_037, 0.2
"""As in the plant of a shift: what an answer takes, what the next machine's takes more, and how often a PLC scans that nobody asks."""
BEGINS_S = 10.0
"""When the parcels come: every machine executes by then, also the one that was asked for its model before."""


class Plant:
    """The line's machines; `log` is every motion's begin and end."""

    def __init__(self, motion: Motion, clock: Any) -> None:
        self.log: list[tuple[int, str, str]] = []
        self._motion = motion
        self.machines: list[Machine] = []
        self.mounts: list[MemoryTagMount] = []
        for number, (model, _) in enumerate(LINE):
            file = _showing(shipped_machine(model))
            machine = Machine(model, file, Generic(motion.env, file), motion, clock, quirks=Quirks(), seed=1)
            machine.watch = self._watch
            mount = MemoryTagMount(machine, file, clock, Wire(latency_s=LATENCY_S + number * APART_S))
            mount.tell_news(machine.shown, machine.is_sound)
            mount.is_open = True
            self.machines.append(machine)
            self.mounts.append(mount)

    def power_on(self) -> None:
        for machine in self.machines:
            machine.power_on()

    def happened(self) -> None:
        """Look for whoever waits for news; called after everything that happened."""
        for mount in self.mounts:
            mount.look()

    def scan(self) -> None:
        for machine in self.machines:
            machine.scan()

    def _watch(self, name: str, what: str) -> None:
        self.log.append((round(self._motion.now() * 1e6), name, what))


def _showing(file: MachineFile) -> MachineFile:
    """Let a machine show what its file expects of it."""
    shown = {one.tag: one.equals for one in file.expect.values()}
    return file.model_copy(update={"simulation": {**file.simulation, "show": shown}})
