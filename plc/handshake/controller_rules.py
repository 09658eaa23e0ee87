"""The controller's side of the handshake as one pure object: whom the machine obeys, and what to write next.

The rule numbers are those of the handshake's section "Controller's rules". `observe` takes each believed STATUS; `due` gives the
blocks to write now. Whether a write succeeded is nobody's business here (rule 2): the next STATUS tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from plc.handshake import frames
from plc.handshake.frames import Command, Heartbeat, StateCommand, Status, Words
from plc.handshake.verdicts import EPOCH_MOST

HEARTBEAT_S = 0.4
REPEAT_S = 0.2


class Phase(StrEnum):
    """How this controller stands to the machine."""

    UNFENCED = "unfenced"  # a new epoch must be made durable, then claimed
    CLAIMING = "claiming"
    OWNER = "owner"
    OUSTED = "ousted"  # another controller owns it; only a person leads on


@dataclass(slots=True, kw_only=True)
class _Repeated:
    """A block that is written again and again until its answer is seen."""

    words: Words
    due_at: float = 0.0

    def take(self, now: float) -> bool:
        if now < self.due_at:
            return False
        self.due_at = now + REPEAT_S
        return True


@dataclass(slots=True, kw_only=True)
class ControllerBrain:
    """Fences, beats and repeats for one machine; `owner_id` is a random u32 of this run."""

    owner_id: int
    phase: Phase = Phase.UNFENCED
    epoch: int = 0
    status: Status | None = None
    boot: int = 0
    _seq: int = 0
    _state_seq: int = 0
    _counter: int = 0
    _beat_due_at: float = 0.0
    _has_owned: bool = False
    _lost: tuple[int, int] = (0, 0)
    _claim: _Repeated | None = None
    _job: _Repeated | None = None
    _order: _Repeated | None = None

    # -- what is seen --------------------------------------------------------------------------------------------------

    def observe(self, status: Status) -> None:
        """Take a believed STATUS and settle who owns the machine."""
        self.status = status
        if self.phase is Phase.OUSTED:
            return
        if self._is_ours(status):
            self._settle(status)
        elif self._has_owned and self._is_foreign(status):  # rule 4: no ping-pong
            self._leave(Phase.OUSTED)
        elif self.phase is Phase.OWNER or self._is_claim_spent(status):
            self._leave(Phase.UNFENCED)

    def _settle(self, status: Status) -> None:
        if self.phase is Phase.CLAIMING and status.boot == self.boot:
            self.phase, self._claim, self._has_owned = Phase.OWNER, None, True
        elif status.boot != self.boot:  # rule 3: fence on a BOOT change
            self._leave(Phase.UNFENCED)

    def _is_ours(self, status: Status) -> bool:
        return self.epoch != 0 and (status.owner_epoch, status.owner_id) == (self.epoch, self.owner_id)

    def _is_foreign(self, status: Status) -> bool:
        return status.owner_epoch != 0 and status.owner_id != self.owner_id

    def _is_claim_spent(self, status: Status) -> bool:
        """Tell whether the running claim can no longer win: another BOOT, or an owner at or above its epoch."""
        return self.phase is Phase.CLAIMING and (status.boot != self.boot or status.owner_epoch >= self.epoch)

    # -- fencing -------------------------------------------------------------------------------------------------------

    def want_fence(self) -> None:
        """Give up the present epoch and claim a new one (before giving a command up); nothing once ousted."""
        if self.phase is Phase.OWNER:
            self._leave(Phase.UNFENCED)

    def claim(self, epoch: int) -> None:
        """Begin to claim `epoch`, already durable, from the machine whose STATUS was seen last."""
        if self.status is None or self.phase is not Phase.UNFENCED or not self.epoch < epoch <= EPOCH_MOST:
            raise ValueError(f"cannot claim {epoch} while {self.phase}")
        before = self.status.owner_epoch
        if before < epoch - 1:
            low, high = self._lost
            self._lost = (min(low, before) if high else before, epoch - 1)
        self.epoch, self.boot, self.phase = epoch, self.status.boot, Phase.CLAIMING
        self._seq = self._state_seq = 0
        words = frames.encode_command(frames.claim(epoch, self.boot, self.owner_id))
        self._claim = _Repeated(words=words)

    def has_forgotten(self, epoch: int) -> bool:
        """Tell whether the machine, which was owned under `epoch`, showed an older epoch since: an owner's epoch never falls while
        the memory lasts.
        """
        low, high = self._lost
        return low < epoch <= high

    def release(self) -> None:
        """Let a person's word end the state of being ousted: fence again."""
        if self.phase is Phase.OUSTED:
            self.phase, self._has_owned = Phase.UNFENCED, False

    def _leave(self, phase: Phase) -> None:
        self.phase = phase
        self._claim = self._job = self._order = None

    # -- acting --------------------------------------------------------------------------------------------------------

    @property
    def is_owner(self) -> bool:
        """Tell whether the machine obeys this controller, as far as the last STATUS shows."""
        return self.phase is Phase.OWNER

    @property
    def must_fence_for_seq(self) -> bool:
        """Tell whether the sequence of this epoch is used up (rule 3)."""
        return self._seq >= frames.LAST_SEQ or self._state_seq >= frames.LAST_SEQ

    def next_seq(self) -> int:
        """Take the next SEQ of this epoch, 1..65534."""
        if not self.is_owner or self.must_fence_for_seq:
            raise ValueError("fence first")
        self._seq += 1
        return self._seq

    def submit(self, command: Command) -> None:
        """Write `command` until `withdraw`; it must be of the present epoch."""
        if not self.is_owner or command.epoch != self.epoch:
            raise ValueError("the command is not of the present epoch")
        self._job = _Repeated(words=frames.encode_command(command))

    def withdraw(self) -> None:
        """Write the job's block no more; it may still lie in the machine, so judge it only after a fence."""
        self._job = None

    def order_state(self, command: int) -> int:
        """Write PackML `command` to the STATE mailbox until it is acknowledged; gives its SEQ."""
        if not self.is_owner or self.must_fence_for_seq:
            raise ValueError("fence first")
        self._state_seq += 1
        order = StateCommand(epoch=self.epoch, seq=self._state_seq, command=command)
        self._order = _Repeated(words=frames.encode_state_command(order))
        return self._state_seq

    def give_up_state(self) -> None:
        """Write the PackML command no more, and fence: a copy that is still on its way is then of an epoch that is over."""
        self._order = None
        self.want_fence()

    def due(self, now: float, *, is_ticking: bool) -> list[tuple[str, Words]]:
        """Give the blocks to write now, heartbeat first; the heartbeat only while the logic ticks."""
        blocks: list[tuple[str, Words]] = []
        if self._claim and self._claim.take(now):
            blocks.append((frames.CMD, self._claim.words))
        if not self.is_owner:
            return blocks
        if is_ticking and now >= self._beat_due_at:
            blocks.append((frames.HB, self._next_beat(now)))
        if self._order and not self._is_order_seen() and self._order.take(now):
            blocks.append((frames.STATE, self._order.words))
        if self._job and self._job.take(now):
            blocks.append((frames.CMD, self._job.words))
        return blocks

    @property
    def beat_due_at(self) -> float:
        """Give when the next heartbeat is due."""
        return self._beat_due_at

    @property
    def is_acting(self) -> bool:
        """Tell whether an answer is awaited, so that polling faster is worth it."""
        return any((self._claim, self._job, self._order and not self._is_order_seen()))

    def _is_order_seen(self) -> bool:
        return self.status is not None and self.status.state_ack >= self._state_seq

    def _next_beat(self, now: float) -> Words:
        self._beat_due_at = now + HEARTBEAT_S
        self._counter = self._counter % 0xFFFF + 1
        return frames.encode_heartbeat(Heartbeat(epoch=self.epoch, counter=self._counter))
