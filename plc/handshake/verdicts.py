"""What a STATUS proves about a job: the controller's judgement, pure.

Only after a fence may a job be given up, because only then can no copy of its block, still on its way, be executed later.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from packline.core.faults import Fault
from plc.handshake.frames import Result, Status

EPOCH_MOST = 0xFFFFFFFF
BOOTS_BELIEVED = 16
_BOOTS = 0xFFFF


class Verdict(StrEnum):
    """What is known of a job."""

    PENDING = "pending"  # neither accepted nor refused yet: write the same block again
    RUNNING = "running"
    ENDED = "ended"  # RESULT says how
    REFUSED = "refused"  # for now; the block may still be accepted later
    NOT_EXECUTED = "not executed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What the books hold of a command: its id, its business id, and the BOOT and ACK seen when it was meant.

    `was_taken`: the machine was seen to have accepted it. `is_forgotten`: the machine was seen to have lost its memory since.
    """

    id: int
    job: int
    boot: int
    ack: int = 0
    was_taken: bool = False
    is_forgotten: bool = False


def look(status: Status, intent: Intent) -> Verdict:
    """Say what `status` shows of a command of the present epoch; never gives it up."""
    if status.ack == intent.id:
        return _accepted(status, intent)
    if status.rej == intent.id:
        return Verdict.REFUSED
    return Verdict.PENDING


def judge(status: Status, intent: Intent) -> Verdict:
    """Judge a command of an earlier epoch from a `status` read after the fence (controller's rule 5)."""
    if status.owner_epoch <= intent.id >> 16:  # not fenced above it: a late copy could still be executed
        return Verdict.UNKNOWN
    if status.boot != intent.boot and not status.retentive:
        return Verdict.UNKNOWN
    if status.ack == intent.id:
        return _accepted(status, intent)
    if status.ack > intent.id or not is_memory_continuous(status, intent):
        return Verdict.UNKNOWN
    return Verdict.NOT_EXECUTED


def is_memory_continuous(status: Status, intent: Intent) -> bool:
    """Tell whether the machine surely remembers everything since `intent` was meant.

    ACK and the owner's epoch never fall while the memory lasts. And a retentive machine that lost its memory reports so only until
    its next boot, but counts on from a random BOOT: so a BOOT more than 16 ahead is taken for a loss. One in 65,535 draws the old
    BOOT again, so what was seen counts more: a job that it had taken, an epoch that it had.
    """
    if status.ack < intent.ack or intent.was_taken or intent.is_forgotten:
        return False
    if status.boot == intent.boot:
        return True
    return status.retentive and (status.boot - intent.boot) % _BOOTS <= BOOTS_BELIEVED


def next_epoch(own: int, machine_epoch: int) -> int:
    """Give the epoch to claim: above our durable one and above the machine's (rule 3); raises Fault 1101 beyond 32 bits."""
    epoch = max(own, machine_epoch) + 1
    if epoch > EPOCH_MOST:
        raise Fault(1101, where="fence", seen=f"owner epoch {machine_epoch}", expected=f"below {EPOCH_MOST}")
    return epoch


def _accepted(status: Status, intent: Intent) -> Verdict:
    if status.job != intent.job:  # the books are older than the machine, or the machine was swapped
        return Verdict.UNKNOWN
    if status.done != intent.id:
        return Verdict.RUNNING
    return Verdict.UNKNOWN if status.result == Result.RUNNING else Verdict.ENDED
