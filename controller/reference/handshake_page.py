"""The page of the handshake: registers and rules that a PLC programmer can implement, with worked examples."""

from __future__ import annotations

from collections.abc import Iterable

from controller.reference.markdown import block, page, table
from controller.reference.structured_text import function_block
from plc.handshake import frames
from plc.handshake.controller_rules import HEARTBEAT_S, REPEAT_S
from plc.handshake.device_rules import SILENCE_S
from plc.handshake.frames import Command, Heartbeat, Refusal, Result, StateCommand, Status
from plc.handshake.verdicts import BOOTS_BELIEVED
from plc.job_device import ACCEPT_S
from plc.machine_file import shipped_machine

Layout = tuple[tuple[str, str, str], ...]
"""Words of a block ("4-11"), their name, their meaning."""

INTRO = """
This is what a machine must implement so that Packline can give it jobs, and what the controller does on the other side. Map version 2.

**What it is for.** One physical action is executed at most once, and afterwards the controller knows which of these is true: done, failed,
not executed, interrupted, unknown. It holds while requests or answers are lost, late, doubled or torn, while either side is stopped and
started, while two controllers are started by mistake, and after an older backup of the controller's books was restored. A start bit and a
done bit cannot do that: with the answer lost nobody can tell "never started" from "done".

**What it is not.** It is no safety function. Emergency stop and guards are wired at the machine; see
[safety](../explanations/safety-and-emergency-stop.md).

Where the blocks lie is said by the [machine file](machine-file.md). Words are 16 bits wide, big-endian on the wire; a 32-bit value (u32)
has its high word first. Over Modbus a block is holding registers, written by one FC16 and read by one FC3. Over OPC UA it is one variable
of type UInt16[], written and read whole. An *id* is EPOCH * 65536 + SEQ, compared as an unsigned number of 48 bits.
"""

CMD: Layout = (
    ("0-1", "EPOCH", "u32. Fencing token: whoever holds a lower one than the machine's owner is refused."),
    ("2", "SEQ", f"1 to {frames.LAST_SEQ} within an epoch; {frames.CLAIM_SEQ} is for CLAIM."),
    (
        "3",
        "CODE",
        f"{frames.NOP} NOP, {frames.CLAIM} CLAIM, {frames.FIRST_WORK_CODE} and above: jobs, as the machine file says.",
    ),
    (
        "4-11",
        "P0 to P7",
        "Parameters. CLAIM: P0 = BOOT as read from STATUS, P1-P2 = OWNER_ID, a random u32 of this controller run.",
    ),
    ("12-13", "JOB", "u32. The controller's own number of the job; echoed in STATUS."),
    ("14", "CRC", "Over words 0 to 13."),
    ("15", "COMMIT", "Copy of SEQ. The last register."),
)
HB: Layout = (
    ("0-1", "EPOCH", "u32."),
    ("2", "COUNTER", "1 to 65535, then 1 again; never 0. It must change."),
)
STATE: Layout = (
    ("0-1", "EPOCH", "u32."),
    ("2", "SEQ", "1 and on within the epoch; its own sequence, not that of CMD."),
    ("3", "CNTRLCMD", "A PackML command, 1 to 10."),
    ("4", "CRC", "Over words 0 to 3."),
    ("5", "COMMIT", "Copy of SEQ."),
)
STATUS: Layout = (
    ("0", "MAGIC", f"0x{frames.MAGIC:04X}."),
    ("1", "MAP_VERSION", f"{frames.MAP_VERSION}."),
    ("2", "BOOT", "Changes with every start of the machine: one more if it is retentive (after 65535 comes 1), else random; never 0."),
    ("3", "COUNT_A", "Changes with every scan."),
    ("4", "STATE", "PackML state, 1 to 17."),
    ("5", "MODE", "PackML mode; 1 is production."),
    ("6-7", "OWNER_EPOCH", "u32. Epoch of the last CLAIM that was taken; 0 for none."),
    ("8-9", "OWNER_ID", "u32. OWNER_ID of that CLAIM."),
    ("10-11", "ACK_EPOCH", "u32. Of the last job that was taken."),
    ("12", "ACK_SEQ", "Of the last job that was taken."),
    ("13-14", "DONE_EPOCH", "u32. Of the last job that has ended. A job runs while ACK and DONE differ."),
    ("15", "DONE_SEQ", "Of the last job that has ended."),
    ("16", "RESULT", ", ".join(f"{r.value} {r.name.lower()}" for r in Result) + ". Of the job in ACK."),
    ("17-18", "REJ_EPOCH", "u32. Of the command that was refused last."),
    ("19", "REJ_SEQ", "Of the command that was refused last."),
    ("20", "REJ_CODE", ", ".join(f"{r.value} {r.name.lower().replace('_', ' ')}" for r in Refusal) + "."),
    ("21-22", "JOB", "u32. JOB of the job in ACK."),
    ("23", "ERROR", "The machine's own error number of a failed job."),
    ("24-27", "DATA", "Results of the job, as the machine file says."),
    ("28", "FAULT", "Bit 0: left Execute because the controller fell silent. Bit 1: not started since power-up. "
     f"Bits {frames.FIRST_MACHINE_FAULT_BIT} to 15: the machine's own."),
    ("29", "SAFETY", "Not 0 while the safety circuit is open. Read only: nothing here opens or closes it."),
    ("30", "CAPS", "Bit 0: memory was kept through the last start."),
    ("31", "STATE_ACK", "SEQ of the last STATE command that was looked at."),
    ("32-37", "SPARE", "The machine's inputs, as the machine file says."),
    ("38", "CRC", "Over words 0 to 37."),
    ("39", "COUNT_B", "Equal to COUNT_A. Written last."),
)  # fmt: skip

LAYOUTS: dict[str, Layout] = {frames.CMD: CMD, frames.HB: HB, frames.STATE: STATE, frames.STATUS: STATUS}
"""What each word of each block means."""

MACHINE_RULES = f"""
Work through these in every scan, in this order. Memory means what a retentive machine keeps through a power cut: BOOT, OWNER_EPOCH,
OWNER_ID, ACK, DONE, JOB, RESULT, ERROR, DATA, STATE_ACK.

1. **Heartbeat.** HB counts when its EPOCH is OWNER_EPOCH and its COUNTER is not 0 and not the one counted last. A CLAIM counts as a beat.
2. **Silence.** In Execute without a beat for {SILENCE_S:g} s: Hold, or Stop, as configured (a running step is ended first for Hold), and
   set FAULT bit 0. The return of the beat resumes nothing. With the safety circuit open: Abort.
3. **STATE mailbox.** A command counts when CRC and COMMIT are right, EPOCH is OWNER_EPOCH and SEQ is above STATE_ACK. Set STATE_ACK
   first, then obey as the PackML table says. A running job does not block it. FAULT bits 0 and 1 fall when Execute is reached, or when a
   command other than Reset, Start, Unhold, Unsuspend and Clear is obeyed.
4. **CMD counts** only if its id is not 0, COMMIT equals SEQ and the CRC is right. Whatever else stands there is not there: a torn or half
   applied write is invisible. Level, not edge: the same block is looked at in every scan.
5. **CLAIM** is taken if EPOCH is above OWNER_EPOCH and P0 equals BOOT: set OWNER_EPOCH, OWNER_ID, and STATE_ACK to 0. It moves nothing and
   is allowed while a job runs. Otherwise it is ignored.
6. **A job of the owner's epoch whose id is not above ACK** is ignored: it is a copy, or late.
7. **Refuse** (set REJ and REJ_CODE, change nothing else), first reason that holds: EPOCH is not OWNER_EPOCH (1); a job runs (2); the safety
   circuit is open (6); no heartbeat (5); not in Execute (3); CODE or a parameter is unknown or out of range (4).
8. **Accept.** Keep ACK, JOB, RESULT 0, ERROR 0 and empty DATA in memory *before* the first motion; clear REJ; move. At the end write RESULT,
   ERROR and DATA, and DONE last. Stop or Abort end the motion with RESULT 3; Hold lets it finish.
9. **Start-up.** Change BOOT, zero CMD, HB and STATE, set FAULT bit 1, move nothing. If ACK is not DONE: RESULT 4, DONE := ACK, PackML state
   Aborted; else Stopped. A machine without retentive memory starts with zeros, a random BOOT, and CAPS bit 0 off.
"""

CONTROLLER_RULES = f"""
1. **Intent first.** Machine, epoch, SEQ, CODE, parameters, JOB and the BOOT seen are durable before the first write.
2. **The result of a write means nothing.** It is neither repeated by the library nor believed: STATUS alone decides. ACK = id: taken. DONE =
   id: ended. REJ = id: refused. None of these: write the same block again, every {REPEAT_S:g} s, for at most {ACCEPT_S:g} s.
3. **Fence** at start, when BOOT changed, before giving a command up, and when the SEQs of an epoch are used up: epoch := the greater of the
   own durable epoch and the machine's OWNER_EPOCH, plus 1; make it durable; CLAIM until OWNER_EPOCH and OWNER_ID are ours.
4. **Another owner** while we run: stop acting on this machine and raise an alarm (1101). Only a person lets us claim again, so that two
   controllers never chase each other.
5. **Judge an open job only after a fence** above it; before, a late copy of its block could still be taken. ACK = id and JOB equal: wait for
   DONE, take RESULT. ACK = id but another JOB: unknown (the books are older than the machine). ACK below id: not executed, unless the
   machine's memory has a gap. ACK above id, or BOOT changed and CAPS bit 0 off: unknown. An ACK below the one seen with the intent, a BOOT
   more than {BOOTS_BELIEVED} ahead of the one seen, an OWNER_EPOCH below one that the machine had, or a job that it was seen to have taken and
   does not know any more, is a gap: one random BOOT in 65,535 is the old one.
6. **Interrupted and unknown** are never sent again for what must not happen twice; a sensor, a camera, a scan or a person decides.
7. **Stale.** No believable STATUS, or COUNT_A unchanged, for the machine file's `stale_after_ms`: no new job, the picture is kept.
8. **Heartbeat** every {HEARTBEAT_S:g} s, and only while the controller's own logic ticks. A Hold that only silence caused, and a plain power-up, are
   led back to Execute after reconciliation; any other stop needs a person.
9. **Believe a STATUS** only with the right length, MAGIC and MAP_VERSION, COUNT_A equal to COUNT_B, and the right CRC; else read again.
"""

CRC = """
CRC-16/MODBUS: reflected polynomial 0xA001, start 0xFFFF, no final inversion, over the words with the high byte of each first. Check value:
the nine bytes of `123456789` give 0x4B37. As words of this protocol:
"""


def handshake_page() -> str:
    """Give the page."""
    return page(
        "Handshake",
        INTRO,
        "## Blocks",
        _layout(frames.CMD, "Written by the controller. One job, or a CLAIM.", CMD),
        _layout(frames.HB, f"Written by the controller, every {HEARTBEAT_S:g} s.", HB),
        _layout(frames.STATE, "Written by the controller. The mailbox for PackML commands.", STATE),
        _layout(frames.STATUS, "Written by the machine, read whole by the controller.", STATUS),
        "## CRC",
        CRC,
        block(_crc_examples()),
        "## The machine's rules",
        MACHINE_RULES,
        "## The controller's rules",
        CONTROLLER_RULES,
        "## Worked examples",
        *_examples(),
        "## A function block for your PLC",
        BLOCK_OF_ONES_OWN,
        block(function_block(shipped_machine("applicator")), "iecst"),
        "## How it is proved",
        PROOF,
    )


PROOF = """
`tests/plc/test_protocol_model.py` runs both sides' own rules against each other under random loss, delay, doubling, tearing, restarts and
restored books, 5,000 runs each time (100,000 by `make crash`), and shows that known flawed drafts of these rules are caught by it. `tests/plc/test_wire_chaos.py` runs
them over real Modbus TCP and OPC UA through a proxy that delays, drops, resets, splits, corrupts and duplicates, with controllers killed.
"""


BLOCK_OF_ONES_OWN = """
`packline machine st FILE` writes this page's tables with the register numbers of one machine file, and a function block in IEC 61131-3
Structured Text that keeps the machine's rules above: the PLC's program gives it the state, the interlocks and the end of each motion, and
gets what to start. `tests/controller/test_structured_text.py` runs that text, statement by statement, beside the rules that the twin runs.
The block for the shipped `applicator`:
"""


def _layout(name: str, words: str, layout: Layout) -> str:
    size = frames.BLOCK_WORDS[name]
    return f"### {name}, {size} words\n\n{words}\n\n{table(['word', 'name', 'meaning'], layout)}"


def _crc_examples() -> str:
    examples = ((0,), (0x4648, 2), (1, 2, 3, 4))
    return "\n".join(f"{_hex(words)}  ->  0x{frames.crc16(words):04X}" for words in examples)


def _examples() -> Iterable[str]:
    boot, owner = 7, 0x1234ABCD
    claim = frames.encode_command(frames.claim(5, boot, owner))
    yield f"CLAIM of epoch 5, from a machine whose BOOT is {boot}, by owner 0x{owner:08X}:"
    yield block(_hex(claim))
    job = Command(epoch=5, seq=1, code=16, params=(900, 0, 0, 0, 0, 0, 0, 0), job=42)
    yield "Its first job: CODE 16, P0 = 900, JOB 42:"
    yield block(_hex(frames.encode_command(job)))
    yield "A heartbeat of epoch 5, and the PackML command Start (2) as the first of that epoch:"
    beat = frames.encode_heartbeat(Heartbeat(epoch=5, counter=1))
    start = frames.encode_state_command(StateCommand(epoch=5, seq=1, command=2))
    yield block(f"HB     {_hex(beat)}\nSTATE  {_hex(start)}")
    status = Status(
        boot=boot, count=100, state=6, mode=1, owner_epoch=5, owner_id=owner, ack=job.id, done=job.id, result=Result.OK, job=42,
        data=(900, 0, 0, 0), caps=1, state_ack=1, spare=(3, 0, 0, 0, 0, 0),
    )  # fmt: skip
    yield "STATUS when that job has ended well with DATA 900, in Execute, word 32 = 3:"
    yield block(_hex(frames.encode_status(status)))


def _hex(words: Iterable[int]) -> str:
    texts = [f"{word:04X}" for word in words]
    return "\n".join(" ".join(texts[i : i + 10]) for i in range(0, len(texts), 10))
