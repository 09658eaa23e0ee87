"""Builds the machine's side of the handshake from a machine file, for the twin and for tests."""

from __future__ import annotations

import random

from plc.handshake.device_rules import MachineBrain
from plc.machine_file import MachineFile
from plc.packml import PackMl


def brain_for(file: MachineFile, rng: random.Random) -> MachineBrain:
    """Build the brain of the machine described by `file`; it still wants `boot(now)`."""
    return MachineBrain(
        states=PackMl(edition=file.packml.edition, disabled=file.packml.disabled_states()),
        codes={code: job.allows for code, job in file.rules().items()},
        rng=rng,
        retentive=file.handshake.retentive,
        on_silence=file.handshake.on_silence,
    )
