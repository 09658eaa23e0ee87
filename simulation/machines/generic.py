"""A machine of any kind: every job of its file takes a while and succeeds, its sensors show what the file says."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import simpy

from plc.links import Value
from plc.machine_file import MachineFile
from simulation.machines.mechanics import Behaviour, Done, Mechanics, Move

JOB_S = 1.0


class Generic(Mechanics):
    """`[simulation] <job>_s` is how long a job takes, `show` what inputs and tags show, `results` what a job's results are."""

    def __init__(self, env: simpy.Environment, file: MachineFile) -> None:
        self._env, self._file = env, file
        self._shown: dict[str, Value] = dict(file.simulation.get("show", {}))

    def jobs(self) -> Mapping[str, Behaviour]:
        return {kind: partial(self._do, kind) for kind in self._file.jobs}

    def sense(self) -> Mapping[str, int]:
        return {name: int(value) for name, value in self._shown.items() if not isinstance(value, (str, float))}

    def tags(self) -> Mapping[str, Value]:
        return {name: value for name, value in self._shown.items() if name in self._file.tags}

    def _do(self, kind: str, _given: Mapping[str, int]) -> Move:
        yield self._env.timeout(float(self._file.simulation.get(f"{kind}_s", JOB_S)))
        return Done(results={name: int(value) for name, value in self._file.simulation.get("results", {}).items()})
