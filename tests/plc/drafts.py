"""Drafts of the handshake: the final rules, and what each flawed draft does otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from plc.handshake import frames, verdicts
from plc.handshake.controller_rules import ControllerBrain
from plc.handshake.device_rules import MachineBrain
from plc.handshake.frames import Status, StatusRefused, Words
from plc.handshake.verdicts import EPOCH_MOST, Intent, Verdict
from plc.job_device import JobDevice


@dataclass(frozen=True)
class Draft:
    controller: type[ControllerBrain] = ControllerBrain
    machine: type[MachineBrain] = MachineBrain
    next_epoch: Callable[[int, int], int] = verdicts.next_epoch
    judge: Callable[[Status, Intent], Verdict] = verdicts.judge
    device: type[JobDevice] = JobDevice
    decode: Callable[[Words], Status] = frames.decode_status


class OwnerByEpochAlone(ControllerBrain):
    """Map version 1: there was no OWNER_ID, and a claim could be for an epoch already owned."""

    def _is_ours(self, status: Status) -> bool:
        return self.epoch != 0 and status.owner_epoch == self.epoch

    def _is_foreign(self, status: Status) -> bool:
        return status.owner_epoch > self.epoch

    def claim(self, epoch: int) -> None:
        self.epoch = min(self.epoch, epoch - 1)
        super().claim(epoch)


class ClaimWithoutBoot(MachineBrain):
    def _claim(self, command: frames.Command, now: float) -> None:
        params = (self.memory.boot, *command.params[1:])
        super()._claim(frames.Command(epoch=command.epoch, seq=command.seq, code=command.code, params=params), now)


class RefusalIsBelieved(JobDevice):
    """Gives a refused job up without a fence, although its block still lies in the machine."""

    async def _fence(self) -> bool:
        return True


def judge_unfenced(status: Status, intent: Intent) -> Verdict:
    """Judges without looking whether a fence keeps late copies out."""
    return verdicts.judge(replace(status, owner_epoch=EPOCH_MOST), intent)


def judge_without_job(status: Status, intent: Intent) -> Verdict:
    """Takes a number for proof, as the rule reads without its "and JOB echo equals"."""
    if status.ack == intent.id:
        return Verdict.ENDED if status.done == intent.id else Verdict.RUNNING
    return verdicts.judge(status, intent)


def judge_without_boot(status: Status, intent: Intent) -> Verdict:
    return verdicts.judge(status, replace(intent, boot=status.boot))


def judge_without_what_was_seen(status: Status, intent: Intent) -> Verdict:
    """Forgets that the machine had the job, and that it had a newer owner."""
    return verdicts.judge(status, replace(intent, was_taken=False, is_forgotten=False))


def decode_without_crc(words: Words) -> Status:
    if words[3] != words[39]:
        raise StatusRefused("torn")
    return frames.decode_status((*words[:38], frames.crc16(words[:38]), words[39]))


FLAWED = {
    "a fence that re-uses its epoch": Draft(
        controller=OwnerByEpochAlone, next_epoch=lambda own, machine: max(own, machine, 1), judge=judge_unfenced
    ),
    "a claim without boot word": Draft(machine=ClaimWithoutBoot),
    "an epoch from the own books only": Draft(controller=OwnerByEpochAlone, next_epoch=lambda own, machine: own + 1),
    "a JOB echo not compared": Draft(judge=judge_without_job),
    "a BOOT not compared": Draft(judge=judge_without_boot),
    "a status without CRC": Draft(decode=decode_without_crc),
    "a refusal believed without a fence": Draft(device=RefusalIsBelieved, judge=judge_unfenced),
}
