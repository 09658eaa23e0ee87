"""The world that the protocol is tried in: one machine, a lying network, and books that may be put back."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from packline.core.effects import EffectState, Ticket
from plc.handshake.device_rules import StartMotion
from plc.handshake.frames import Result, Status, StatusRefused, Words
from plc.packml import PackMl, State
from tests.plc.drafts import Draft

TICK_S = 0.25
FAILS = 0.2
Key = tuple[int, int]


class Crash(Exception):
    """kill -9 of a controller."""


OF_ONE_LIFE = frozenset({"lost_request", "lost_answer", "torn", "corrupt", "reboot", "forgets", "release"})
"""What strikes where no controller dies, none is beside it, and nothing comes late."""


def swarm(rng: random.Random) -> dict[str, float]:
    """Say how often each fault strikes, per request or tick: each kind with p = 0.6, one in four of them as a storm."""
    most = {
        "lost_request": 0.15, "lost_answer": 0.15, "late": 0.12, "duplicate": 0.12, "torn": 0.1, "corrupt": 0.1,
        "reboot": 0.05, "forgets": 0.6, "crash": 0.03, "restore": 0.5, "rival": 0.02, "release": 0.1,
    }  # fmt: skip
    if rng.random() < 0.15:  # backups of several ages meet a machine that sometimes forgets
        return {"reboot": 0.15, "forgets": 0.6, "crash": 0.15, "restore": 1.0}
    if rng.random() < 0.1:  # a forgetful machine behind a link that keeps frames back
        return {"late": 0.2, "duplicate": 0.7, "reboot": 0.1, "forgets": 1.0, "lost_answer": 0.4}
    return {k: rate * rng.random() * rng.choice((1, 1, 1, 4)) for k, rate in most.items() if rng.random() < 0.6}


class AlwaysExecute:
    """A machine without PackML states: the handshake alone must keep it safe."""

    state, mode = int(State.EXECUTE), 1

    def is_execute(self) -> bool:
        return True

    def is_stopping(self) -> bool:
        return False

    is_transient = is_stopping
    hold = stop = abort = complete = is_stopping

    def command(self, number: int) -> bool:
        return False

    def power_up(self, *, aborted: bool) -> None:
        return


@dataclass
class Motion:
    key: Key
    begins: int
    ends: int
    is_begun: bool = False


@dataclass
class Books:
    """What a controller's database holds; copied for a backup."""

    epoch: int = 0
    open: dict[Key, Ticket] = field(default_factory=dict)
    todo: list[int] = field(default_factory=list)
    own: frozenset[int] = frozenset()

    def copy(self) -> Books:
        return Books(self.epoch, dict(self.open), list(self.todo), self.own)


class World:
    """`boots_alike`: a machine that loses its memory draws the BOOT again that it had, with faults of one life alone."""

    def __init__(self, seed: int, draft: Draft, *, boots_alike: bool = False) -> None:
        self.rng = random.Random(seed)
        self.draft, self.rates, self.boots_alike = draft, swarm(self.rng), boots_alike
        if boots_alike:
            self.rates = {kind: rate for kind, rate in self.rates.items() if kind in OF_ONE_LIFE}
        self.tick = 0
        states: Any = AlwaysExecute() if self.rng.random() < 0.6 else PackMl()
        self.brain = draft.machine(
            states=states, codes={16: lambda _: True}, rng=self.rng, retentive=self.rng.random() < 0.6
        )
        self.brain.boot(0.0)
        self.late: list[tuple[int, str, Words]] = []
        self.motion: Motion | None = None
        self.begun: Counter[Key] = Counter()
        self.ended: dict[Key, Result] = {}
        self.issuer: dict[int, int] = {}
        self.verdicts: list[tuple[Key, EffectState]] = []
        self.bad: list[str] = []
        self.reached: Counter[str] = Counter()
        self.backups: list[Books] = [Books()]

    @property
    def now(self) -> float:
        return self.tick * TICK_S

    def strikes(self, kind: str) -> bool:
        if kind not in self.rates or self.rng.random() >= self.rates[kind]:
            return False
        self.reached[kind] += 1
        return True

    def scan(self) -> None:
        if self.strikes("reboot"):
            self._reboot()
        self._move()
        for action in self.brain.scan(self.now):
            if isinstance(action, StartMotion):
                key = (self.brain.memory.ack, action.job)
                if self.issuer.get(action.job) != self.brain.memory.owner_id:
                    self.bad.append("moved for a controller that does not own the machine")
                begins = self.tick + self.rng.randrange(2)
                self.motion = Motion(key, begins, begins + self.rng.randrange(1, 4))
                continue
            self.motion = None
            self.brain.finish(Result.ABORTED)

    def _reboot(self) -> None:
        """Cut the power.

        The limit of the protocol: an epoch is unique only among books that go on from each other. If the machine forgets its
        owner and other books are about, an epoch can come twice, and then only the death of the machine's sockets keeps old
        frames out. So in such a world what was on its way is lost with them.
        """
        self.motion, boot = None, self.brain.memory.boot
        self.brain.boot(self.now, memory_kept=not self.strikes("forgets"))
        if self.boots_alike and not self.brain.boot_kept_memory:
            self.brain.memory.boot = boot
            self.reached["old boot"] += 1
        if not self.brain.boot_kept_memory and self.rates.keys() & {"rival", "restore"}:
            self.late.clear()

    def _move(self) -> None:
        motion = self.motion
        if motion is None or self.tick < motion.begins:
            return
        self.begun[motion.key] += not motion.is_begun
        motion.is_begun = True
        if self.tick >= motion.ends:
            self.motion = None
            result = Result.FAILED if self.rng.random() < FAILS else Result.OK
            self.ended[motion.key] = result
            self.brain.finish(result)

    def write(self, block: str, words: Words) -> bool:
        """Carry a write; False when its sender hears nothing back."""
        if self.strikes("lost_request"):
            return False
        if self.strikes("late"):
            self.late.append((self.tick + self.rng.randrange(1, 12), block, words))
            return False
        if self.strikes("duplicate"):
            self.late.append((self.tick + self.rng.randrange(1, 25), block, words))
        if self.strikes("torn"):
            cut = self.rng.randrange(1, len(words))
            self.brain.write(block, words[:cut])
            return False
        self.brain.write(block, words)
        return not self.strikes("lost_answer")

    def deliver_late(self) -> None:
        due = [frame for frame in self.late if frame[0] <= self.tick]
        self.late = [frame for frame in self.late if frame[0] > self.tick]
        for _, block, words in due:
            self.brain.write(block, words)
            self.scan()

    def read(self) -> Status | None:
        if self.strikes("lost_request") or self.strikes("lost_answer"):
            return None
        if not self.strikes("corrupt"):
            return self.brain.status()
        try:
            return self.draft.decode(self._garble(self.brain.status_words()))
        except StatusRefused:
            return None

    def _garble(self, words: Words) -> Words:
        garbled = list(words)
        for _ in range(self.rng.randrange(1, 4)):
            place = self.rng.choice((10, 11, 12, 13, 14, 15, 16, self.rng.randrange(2, 38)))
            garbled[place] ^= self.rng.choice((1, 2, 3, 1 << self.rng.randrange(16)))
        return tuple(garbled)

    def violations(self) -> list[str]:
        bad = list(self.bad)
        per_job: Counter[int] = Counter()
        for (_, job), times in self.begun.items():
            per_job[job] += times
        bad += [f"job {job} executed {times} times" for job, times in per_job.items() if times > 1]
        for key, state in self.verdicts:
            if not self._agrees(key, state):
                bad.append(f"{state} but begun {self.begun[key]} times, ended {self.ended.get(key)}")
        return bad

    def _agrees(self, key: Key, state: EffectState) -> bool:
        if state is EffectState.CONFIRMED:
            return self.ended.get(key) is Result.OK
        if state is EffectState.FAILED:
            return self.ended.get(key) is Result.FAILED
        return state is not EffectState.NOT_EXECUTED or not self.begun[key]
