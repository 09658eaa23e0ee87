"""Turns the handshake's four register blocks into values and back; nothing here does I/O.

Words are 16 bit, big-endian; u32 have the high word first. A block that cannot be believed decodes to None (CMD, STATE) or
raises StatusRefused (STATUS), and the caller reads again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from types import MappingProxyType

Words = tuple[int, ...]

CMD, HB, STATE, STATUS = "CMD", "HB", "STATE", "STATUS"
BLOCK_WORDS: Mapping[str, int] = MappingProxyType({CMD: 16, HB: 3, STATE: 6, STATUS: 40})

MAGIC = 0x4648
MAP_VERSION = 2
NOP, CLAIM, FIRST_WORK_CODE = 1, 2, 16
CLAIM_SEQ = 0xFFFF
LAST_SEQ = 65534
PARAMETERS = 8
DATA_WORDS = 4
SPARE_WORDS = 6
FIRST_DATA_WORD, FIRST_SPARE_WORD = 24, 32

# a machine decodes its areas at each scan, and they seldom change between two
_BLOCKS_KEPT = 256

# FAULT bits 0 and 1 belong to the handshake, 2..15 to the machine: why the present wait state was entered
FAULT_SILENCE = 1 << 0
FAULT_POWER_UP = 1 << 1
FIRST_MACHINE_FAULT_BIT = 2

CAPS_RETENTIVE = 1 << 0

# PackML commands that lead towards Execute: Reset, Start, Unhold, Unsuspend, Clear
LEADING_COMMANDS = frozenset({1, 2, 5, 7, 9})


class Result(IntEnum):
    """How the last accepted job ended (STATUS word 16)."""

    RUNNING = 0
    OK = 1
    FAILED = 2
    ABORTED = 3
    INTERRUPTED = 4


class Refusal(IntEnum):
    """Why a command was refused (STATUS word 20)."""

    NONE = 0
    NOT_OWNER = 1
    BUSY = 2
    BAD_STATE = 3
    BAD_PARAMETER = 4
    NO_HEARTBEAT = 5
    INTERLOCK = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """The CMD block: one job, or a CLAIM."""

    epoch: int
    seq: int
    code: int
    params: Words = (0,) * PARAMETERS
    job: int = 0

    @property
    def id(self) -> int:
        """Give EPOCH << 16 | SEQ, the number that orders all commands."""
        return identity(self.epoch, self.seq)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """The HB block; `counter` runs 1..65535 and skips 0."""

    epoch: int
    counter: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCommand:
    """The STATE mailbox: one PackML command (CntrlCmd 1..10)."""

    epoch: int
    seq: int
    command: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One whole STATUS block; `data` are words 24..27, `spare` words 32..37."""

    boot: int = 0
    count: int = 0
    state: int = 0
    mode: int = 0
    owner_epoch: int = 0
    owner_id: int = 0
    ack: int = 0
    done: int = 0
    result: int = 0
    rej: int = 0
    rej_code: int = 0
    job: int = 0
    error: int = 0
    data: Words = (0,) * DATA_WORDS
    fault: int = 0
    safety: int = 0
    caps: int = 0
    state_ack: int = 0
    spare: Words = (0,) * SPARE_WORDS

    @property
    def retentive(self) -> bool:
        """Tell whether the machine's memory survived its last boot."""
        return bool(self.caps & CAPS_RETENTIVE)

    @property
    def busy(self) -> bool:
        """Tell whether an accepted job has not ended."""
        return self.ack != self.done


class StatusRefused(Exception):  # noqa: N818 - says what happened to the frame
    """A STATUS block that must not be believed; `reason` is length, magic, version, torn or crc."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"status refused: {reason}")


def identity(epoch: int, seq: int) -> int:
    """Give EPOCH << 16 | SEQ (48 bits, compared unsigned)."""
    return epoch << 16 | seq


def claim(epoch: int, boot: int, owner_id: int) -> Command:
    """Build the CLAIM of `epoch` for the machine whose status showed `boot`."""
    return Command(epoch=epoch, seq=CLAIM_SEQ, code=CLAIM, params=(boot, *split(owner_id), 0, 0, 0, 0, 0))


def encode_command(command: Command) -> Words:
    """Encode the 16 words of CMD."""
    body = (*split(command.epoch), command.seq, command.code, *command.params, *split(command.job))
    return (*body, crc16(body), command.seq)


def decode_command(words: Sequence[int]) -> Command | None:
    """Decode CMD; None if empty, torn (COMMIT != SEQ) or corrupt (rule 1)."""
    return _decode_command(tuple(words))


@lru_cache(maxsize=_BLOCKS_KEPT)
def _decode_command(words: Words) -> Command | None:
    if len(words) != BLOCK_WORDS[CMD] or words[15] != words[2] or words[14] != crc16(words[:14]):
        return None
    command = Command(
        epoch=join(words[0], words[1]),
        seq=words[2],
        code=words[3],
        params=words[4:12],
        job=join(words[12], words[13]),
    )
    return command if command.id else None


def encode_heartbeat(heartbeat: Heartbeat) -> Words:
    """Encode the 3 words of HB."""
    return (*split(heartbeat.epoch), heartbeat.counter)


def decode_heartbeat(words: Sequence[int]) -> Heartbeat:
    """Decode the 3 words of HB; a torn one is harmless, because only a change under the owner's epoch counts."""
    return Heartbeat(epoch=join(words[0], words[1]), counter=words[2])


def encode_state_command(command: StateCommand) -> Words:
    """Encode the 6 words of the STATE mailbox; its CRC runs over words 0..3."""
    body = (*split(command.epoch), command.seq, command.command)
    return (*body, crc16(body), command.seq)


def decode_state_command(words: Sequence[int]) -> StateCommand | None:
    """Decode the STATE mailbox; None if empty, torn or corrupt."""
    return _decode_state_command(tuple(words))


@lru_cache(maxsize=_BLOCKS_KEPT)
def _decode_state_command(words: Words) -> StateCommand | None:
    if len(words) != BLOCK_WORDS[STATE] or words[5] != words[2] or words[4] != crc16(words[:4]):
        return None
    epoch, seq = join(words[0], words[1]), words[2]
    return StateCommand(epoch=epoch, seq=seq, command=words[3]) if epoch and seq else None


def encode_status(status: Status) -> Words:
    """Encode the 40 words of STATUS; COUNT_A and COUNT_B are both `status.count`."""
    body = (
        MAGIC,
        MAP_VERSION,
        status.boot,
        status.count,
        status.state,
        status.mode,
        *split(status.owner_epoch),
        *split(status.owner_id),
        *_split_id(status.ack),
        *_split_id(status.done),
        status.result,
        *_split_id(status.rej),
        status.rej_code,
        *split(status.job),
        status.error,
        *status.data,
        status.fault,
        status.safety,
        status.caps,
        status.state_ack,
        *status.spare,
    )
    return (*body, crc16(body), status.count)


def decode_status(words: Sequence[int]) -> Status:
    """Decode STATUS; raises StatusRefused unless length, MAGIC, VERSION, both counts and the CRC are right."""
    _check_status(words)
    return Status(
        boot=words[2],
        count=words[3],
        state=words[4],
        mode=words[5],
        owner_epoch=join(words[6], words[7]),
        owner_id=join(words[8], words[9]),
        ack=_join_id(words[10:13]),
        done=_join_id(words[13:16]),
        result=words[16],
        rej=_join_id(words[17:20]),
        rej_code=words[20],
        job=join(words[21], words[22]),
        error=words[23],
        data=tuple(words[24:28]),
        fault=words[28],
        safety=words[29],
        caps=words[30],
        state_ack=words[31],
        spare=tuple(words[32:38]),
    )


def _check_status(words: Sequence[int]) -> None:
    if len(words) != BLOCK_WORDS[STATUS]:
        raise StatusRefused("length")
    if words[0] != MAGIC:
        raise StatusRefused("magic")
    if words[1] != MAP_VERSION:
        raise StatusRefused("version")
    if words[3] != words[39]:
        raise StatusRefused("torn")
    if words[38] != crc16(words[:38]):
        raise StatusRefused("crc")


def split(value: int) -> tuple[int, int]:
    """Split a u32 into high and low word."""
    return value >> 16 & 0xFFFF, value & 0xFFFF


def join(high: int, low: int) -> int:
    """Join high and low word to a u32."""
    return high << 16 | low


def _split_id(value: int) -> tuple[int, int, int]:
    return (*split(value >> 16), value & 0xFFFF)


def _join_id(words: Sequence[int]) -> int:
    return identity(join(words[0], words[1]), words[2])


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ 0xA001 if byte & 1 else byte >> 1
        table.append(byte)
    return tuple(table)


_TABLE = _crc_table()


def crc16(words: Sequence[int]) -> int:
    """Give the CRC-16/MODBUS of `words`, high byte of each first.

    Source: Modbus over Serial Line 1.02, 6.2.2 (reflected polynomial 0xA001, start 0xFFFF); check value of "123456789" is 0x4B37.
    """
    crc = 0xFFFF
    for word in words:
        crc = crc >> 8 ^ _TABLE[(crc ^ word >> 8) & 0xFF]
        crc = crc >> 8 ^ _TABLE[(crc ^ word) & 0xFF]
    return crc
