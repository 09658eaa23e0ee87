"""Writes the machine's side of the handshake as an IEC 61131-3 Structured Text function block, for one machine file.

One statement a line, so that `tests/controller/test_structured_text.py` can run the text beside the rules that the twin runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from packline.core.faults import Fault
from plc.handshake import frames
from plc.handshake.device_rules import SILENCE_S, Reaction
from plc.handshake.frames import Refusal, Result
from plc.machine_jobs import Job
from plc.machine_parts import MachineTables
from plc.packml import STATE_COMPLETE, Cmd, PackMl, State, name_of, transitions

INDENT = "    "


def function_block(file: MachineTables) -> str:
    """Give the text; raises Fault 4201 for a machine without the handshake."""
    if file.blocks is None:
        raise Fault(4201, where=file.model, seen="a plain machine", expected="a machine with the handshake's blocks")
    name = _identifier(file.model)
    return "\n".join([_head(file), CRC, U32, *_next_state(file, name), *_is_known(file, name), *_block(file, name)])


def _identifier(model: str) -> str:
    return re.sub(r"\W+", "_", model).strip("_") or "Machine"


def _head(file: MachineTables) -> str:
    return f"""(* {file.machine.title}: the machine's side of Packline's handshake, map version {frames.MAP_VERSION}.
   Made by "packline machine st" from the file of {file.model}. IEC 61131-3, edition 2 and later.

   Call FB_Packline_{_identifier(file.model)} once in every scan, after the blocks were received and before STATUS is sent.
   It says when to move (xStart, uiCode, aParam) and when to stop (xStopMotion); say xMotionEnded for one scan when the motion
   has ended. It is no safety function: emergency stop and guards are wired. *)
"""


CRC = """FUNCTION FC_PacklineCrc : WORD
VAR_IN_OUT
    aWords : ARRAY[0..39] OF WORD;
END_VAR
VAR_INPUT
    iCount : INT;
END_VAR
VAR
    iWord : INT;
    iHalf : INT;
    iBit : INT;
    wByte : WORD;
    wCrc : WORD;
END_VAR
wCrc := 16#FFFF;
FOR iWord := 0 TO iCount - 1 DO
    FOR iHalf := 0 TO 1 DO
        IF iHalf = 0 THEN
            wByte := SHR(aWords[iWord], 8);
        ELSE
            wByte := aWords[iWord] AND 16#00FF;
        END_IF;
        wCrc := wCrc XOR wByte;
        FOR iBit := 1 TO 8 DO
            IF (wCrc AND 16#0001) <> 16#0000 THEN
                wCrc := SHR(wCrc, 1) XOR 16#A001;
            ELSE
                wCrc := SHR(wCrc, 1);
            END_IF;
        END_FOR;
    END_FOR;
END_FOR;
FC_PacklineCrc := wCrc;
END_FUNCTION
"""

U32 = """FUNCTION FC_PacklineU32 : UDINT
VAR_INPUT
    wHigh : WORD;
    wLow : WORD;
END_VAR
FC_PacklineU32 := WORD_TO_UDINT(wHigh) * 65536 + WORD_TO_UDINT(wLow);
END_FUNCTION
"""


def _next_state(file: MachineTables, name: str) -> Iterator[str]:
    """Give the PackML table of the machine's edition, disabled acting states collapsed."""
    yield f"(* PackML, edition {file.packml.edition.value}: the state that a command leads to; 0 if it is rejected there. *)"
    yield f"FUNCTION FC_{name}_Command : INT"
    yield "VAR_INPUT\n    iState : INT;\n    iCommand : INT;\nEND_VAR"
    yield f"FC_{name}_Command := 0;"
    model = PackMl(edition=file.packml.edition, disabled=file.packml.disabled_states())
    rows = sorted(transitions(file.packml.edition), key=lambda row: (row[1], row[0]))
    for command in Cmd:
        yield f"IF iCommand = {command.value} THEN  (* {command.name.capitalize()} *)"
        for state in (state for state, given in rows if given is command):
            yield from _row(name, "Command", state, _target(model, state, command))
        yield "END_IF;"
    yield "END_FUNCTION\n"
    yield "(* The state that an acting state ends in; 0 for a wait state, and for Execute. *)"
    yield f"FUNCTION FC_{name}_Complete : INT"
    yield "VAR_INPUT\n    iState : INT;\nEND_VAR"
    yield f"FC_{name}_Complete := 0;"
    for state in STATE_COMPLETE:
        if state is not State.EXECUTE:
            model.current = state
            model.complete()
            yield from _row(name, "Complete", state, model.current)
    yield "END_FUNCTION\n"


def _target(model: PackMl, state: State, command: Cmd) -> State:
    model.current = state
    model.command(command)
    return model.current


def _row(name: str, function: str, state: State, target: State) -> Iterator[str]:
    yield f"{INDENT}IF iState = {state.value} THEN"
    yield f"{INDENT * 2}FC_{name}_{function} := {target.value};  (* {name_of(state)} to {name_of(target)} *)"
    yield f"{INDENT}END_IF;"


def _is_known(file: MachineTables, name: str) -> Iterator[str]:
    """Give the jobs and the ranges of their parameters."""
    yield "(* The jobs that this machine knows, and the ranges of their parameters. *)"
    yield f"FUNCTION FC_{name}_IsKnown : BOOL"
    yield "VAR_IN_OUT\n    aCmd : ARRAY[0..15] OF WORD;\nEND_VAR\nVAR_INPUT\n    uiCode : UINT;\nEND_VAR"
    yield f"FC_{name}_IsKnown := uiCode = {frames.NOP};"
    for kind, job in file.commands.items():
        yield f"IF uiCode = {job.code} THEN  (* {kind} *)"
        yield f"{INDENT}FC_{name}_IsKnown := {_ranges(job)};"
        yield "END_IF;"
    yield "END_FUNCTION\n"


def _ranges(job: Job) -> str:
    # only the words that the file names are looked at, as the twin does
    parts = []
    for part in job.params.values():
        word = f"WORD_TO_UINT(aCmd[{4 + part.index}])"
        parts += [f"{word} >= {part.min}"] * (part.min > 0) + [f"{word} <= {part.max}"] * (part.max < 0xFFFF)
    return " AND ".join(f"({part})" for part in parts) or "TRUE"


def _block(file: MachineTables, name: str) -> Iterator[str]:
    hold = file.handshake.on_silence is Reaction.HOLD
    yield DECLARATIONS.replace("<Name>", name)
    text = BODY.replace("<Settle>", SETTLE).replace("<Name>", name).replace("<Silence>", str(round(SILENCE_S * 1000)))
    text = text.replace("<OnSilence>", str((Cmd.HOLD if hold else Cmd.STOP).value))
    text = text.replace("<OnSilenceName>", "Hold" if hold else "Stop")
    for number, enum in (("Result", Result), ("Refusal", Refusal)):
        for member in enum:
            text = text.replace(f"<{number}.{member.name}>", str(member.value))
    yield text


SETTLE = """iNext := FC_<Name>_Complete(iState);
WHILE (iNext <> 0) AND NOT xBusy DO
    iState := iNext;
    iNext := FC_<Name>_Complete(iState);
END_WHILE;
IF iState = 6 THEN
    wCause := 16#0000;
END_IF;"""
"""Acting states end when nothing moves; settled after a motion has ended, and again after the commands of this scan."""

DECLARATIONS = """FUNCTION_BLOCK FB_Packline_<Name>
VAR_IN_OUT
    aCmd : ARRAY[0..15] OF WORD;      (* block CMD, written by the controller *)
    aHb : ARRAY[0..2] OF WORD;        (* block HB *)
    aState : ARRAY[0..5] OF WORD;     (* block STATE *)
    aStatus : ARRAY[0..39] OF WORD;   (* block STATUS, read by the controller *)
END_VAR
VAR_INPUT
    xFirstScan : BOOL;                (* the first scan after power-up *)
    xMemoryKept : BOOL;               (* the RETAIN variables below were kept through it *)
    uiRandom : UINT;                  (* 1 to 65535, another one at each power-up; for machines that keep nothing *)
    udiNow : UDINT;                   (* free-running milliseconds; it may roll over *)
    xMotionEnded : BOOL;              (* for one scan: the motion has ended *)
    iMotionResult : INT;              (* 1 done, 2 failed, 3 stopped on the way *)
    aResult : ARRAY[0..3] OF WORD;    (* its results *)
    uiError : UINT;                   (* the machine's own error number *)
    iPanel : INT;                     (* for one scan: a PackML command of the machine's own panel; 0 for none *)
    xOwnFault : BOOL;                 (* for one scan: the machine found a fault of its own, and holds *)
    wOwnFaults : WORD;                (* its fault bits 2 to 15, as a level *)
    wSafety : WORD;                   (* not 0 while the safety circuit is open *)
    aSpare : ARRAY[0..5] OF WORD;     (* inputs, as the machine file says *)
END_VAR
VAR_OUTPUT
    xStart : BOOL;                    (* for one scan: start the job uiCode with aParam *)
    xStopMotion : BOOL;               (* for one scan: end the motion now, then say xMotionEnded with result 3 *)
    uiCode : UINT;
    aParam : ARRAY[0..7] OF WORD;
    udiJob : UDINT;
    xBusy : BOOL;
    iState : INT;                     (* PackML state, 1 to 17 *)
END_VAR
VAR RETAIN
    uiBoot : UINT;
    udiOwnerEpoch : UDINT;
    udiOwnerId : UDINT;
    udiAckEpoch : UDINT;
    uiAckSeq : UINT;
    udiDoneEpoch : UDINT;
    uiDoneSeq : UINT;
    udiRetJob : UDINT;
    uiRetResult : UINT;
    uiRetError : UINT;
    aRetData : ARRAY[0..3] OF WORD;
    uiStateAck : UINT;
END_VAR
VAR
    aBuffer : ARRAY[0..39] OF WORD;
    n : INT;
    wCaps : WORD;
    wCause : WORD;
    uiBeat : UINT;
    udiBeatAt : UDINT;
    udiSilence : UDINT;
    xHeard : BOOL;
    xStopTold : BOOL;
    iNext : INT;
    iCommand : INT;
    udiEpoch : UDINT;
    uiSeq : UINT;
    xValid : BOOL;
    xKnown : BOOL;
    iRefusal : INT;
    udiRejEpoch : UDINT;
    uiRejSeq : UINT;
    uiRejCode : UINT;
    uiCount : UINT;
END_VAR
"""

BODY = """(* Rule 9: start-up. Nothing moves. *)
xStart := FALSE;
xStopMotion := FALSE;
IF xFirstScan THEN
    FOR n := 0 TO 15 DO
        aCmd[n] := 16#0000;
    END_FOR;
    FOR n := 0 TO 2 DO
        aHb[n] := 16#0000;
    END_FOR;
    FOR n := 0 TO 5 DO
        aState[n] := 16#0000;
    END_FOR;
    IF xMemoryKept THEN
        uiBoot := (uiBoot MOD 65535) + 1;
        wCaps := 16#0001;
    ELSE
        uiBoot := uiRandom;
        wCaps := 16#0000;
        udiOwnerEpoch := 0;
        udiOwnerId := 0;
        udiAckEpoch := 0;
        uiAckSeq := 0;
        udiDoneEpoch := 0;
        uiDoneSeq := 0;
        udiRetJob := 0;
        uiRetResult := 0;
        uiRetError := 0;
        uiStateAck := 0;
        FOR n := 0 TO 3 DO
            aRetData[n] := 16#0000;
        END_FOR;
    END_IF;
    iState := 2;
    IF (udiAckEpoch <> udiDoneEpoch) OR (uiAckSeq <> uiDoneSeq) THEN
        uiRetResult := <Result.INTERRUPTED>;
        udiDoneEpoch := udiAckEpoch;
        uiDoneSeq := uiAckSeq;
        iState := 9;
    END_IF;
    udiRejEpoch := 0;
    uiRejSeq := 0;
    uiRejCode := 0;
    uiBeat := 0;
    udiBeatAt := udiNow;
    uiCount := 0;
    xStopTold := FALSE;
    wCause := 16#0002;
END_IF;
xBusy := (udiAckEpoch <> udiDoneEpoch) OR (uiAckSeq <> uiDoneSeq);

(* Rule 8, its end: results first, DONE last. *)
IF xMotionEnded AND xBusy THEN
    uiRetResult := INT_TO_UINT(iMotionResult);
    uiRetError := uiError;
    FOR n := 0 TO 3 DO
        aRetData[n] := aResult[n];
    END_FOR;
    udiDoneEpoch := udiAckEpoch;
    uiDoneSeq := uiAckSeq;
    xBusy := FALSE;
    xStopTold := FALSE;
END_IF;
<Settle>

(* The machine's own panel and its own faults: a person answers for going on. *)
IF iPanel <> 0 THEN
    wCause := 16#0000;
    iNext := FC_<Name>_Command(iState, iPanel);
    IF iNext <> 0 THEN
        iState := iNext;
    END_IF;
END_IF;
IF xOwnFault THEN
    wCause := 16#0000;
    iNext := FC_<Name>_Command(iState, 4);
    IF iNext <> 0 THEN
        iState := iNext;
    END_IF;
END_IF;

(* Rule 1: heartbeat. *)
IF (FC_PacklineU32(aHb[0], aHb[1]) = udiOwnerEpoch) AND (WORD_TO_UINT(aHb[2]) <> 0) AND (WORD_TO_UINT(aHb[2]) <> uiBeat) THEN
    uiBeat := WORD_TO_UINT(aHb[2]);
    udiBeatAt := udiNow;
END_IF;
udiSilence := udiNow - udiBeatAt;
xHeard := (udiOwnerEpoch <> 0) AND (udiSilence < <Silence>);

(* Rule 2: an open safety circuit, and silence. On silence: <OnSilenceName>. *)
IF wSafety <> 16#0000 THEN
    iNext := FC_<Name>_Command(iState, 8);
    IF iNext <> 0 THEN
        iState := iNext;
    END_IF;
    wCause := 16#0000;
ELSIF (iState = 6) AND NOT xHeard THEN
    iState := FC_<Name>_Command(iState, <OnSilence>);
    wCause := 16#0001;
END_IF;

(* Rule 3: the STATE mailbox. STATE_ACK first, then obey. *)
FOR n := 0 TO 5 DO
    aBuffer[n] := aState[n];
END_FOR;
udiEpoch := FC_PacklineU32(aState[0], aState[1]);
uiSeq := WORD_TO_UINT(aState[2]);
xValid := (aState[5] = aState[2]) AND (aState[4] = FC_PacklineCrc(aBuffer, 4));
IF xValid AND (udiEpoch <> 0) AND (uiSeq <> 0) AND (udiEpoch = udiOwnerEpoch) AND (uiSeq > uiStateAck) THEN
    uiStateAck := uiSeq;
    iCommand := WORD_TO_INT(aState[3]);
    iNext := FC_<Name>_Command(iState, iCommand);
    IF iNext <> 0 THEN
        iState := iNext;
        IF (iCommand <> 1) AND (iCommand <> 2) AND (iCommand <> 5) AND (iCommand <> 7) AND (iCommand <> 9) THEN
            wCause := 16#0000;
        END_IF;
    END_IF;
END_IF;

(* Rule 4: a torn or half applied CMD is not there. *)
FOR n := 0 TO 15 DO
    aBuffer[n] := aCmd[n];
END_FOR;
udiEpoch := FC_PacklineU32(aCmd[0], aCmd[1]);
uiSeq := WORD_TO_UINT(aCmd[2]);
xValid := ((udiEpoch <> 0) OR (uiSeq <> 0)) AND (aCmd[15] = aCmd[2]) AND (aCmd[14] = FC_PacklineCrc(aBuffer, 14));
iRefusal := -1;
IF xValid AND (WORD_TO_UINT(aCmd[3]) = 2) THEN
    (* Rule 5: CLAIM. It moves nothing. *)
    IF (udiEpoch > udiOwnerEpoch) AND (WORD_TO_UINT(aCmd[4]) = uiBoot) THEN
        udiOwnerEpoch := udiEpoch;
        udiOwnerId := FC_PacklineU32(aCmd[5], aCmd[6]);
        uiStateAck := 0;
        uiBeat := 0;
        udiBeatAt := udiNow;
        xHeard := TRUE;
    END_IF;
ELSIF xValid AND (udiEpoch = udiOwnerEpoch) AND ((udiEpoch < udiAckEpoch) OR ((udiEpoch = udiAckEpoch) AND (uiSeq <= uiAckSeq))) THEN
    (* Rule 6: a copy, or late. *)
    iRefusal := -1;
ELSIF xValid THEN
    (* Rule 7: the first reason that holds. *)
    xKnown := FC_<Name>_IsKnown(aCmd, WORD_TO_UINT(aCmd[3]));
    IF udiEpoch <> udiOwnerEpoch THEN
        iRefusal := <Refusal.NOT_OWNER>;
    ELSIF xBusy THEN
        iRefusal := <Refusal.BUSY>;
    ELSIF wSafety <> 16#0000 THEN
        iRefusal := <Refusal.INTERLOCK>;
    ELSIF NOT xHeard THEN
        iRefusal := <Refusal.NO_HEARTBEAT>;
    ELSIF iState <> 6 THEN
        iRefusal := <Refusal.BAD_STATE>;
    ELSIF NOT xKnown THEN
        iRefusal := <Refusal.BAD_PARAMETER>;
    ELSE
        iRefusal := 0;
    END_IF;
END_IF;
IF iRefusal > 0 THEN
    udiRejEpoch := udiEpoch;
    uiRejSeq := uiSeq;
    uiRejCode := INT_TO_UINT(iRefusal);
END_IF;

(* Rule 8: keep it before the first motion. *)
IF iRefusal = 0 THEN
    udiRetJob := FC_PacklineU32(aCmd[12], aCmd[13]);
    uiRetResult := <Result.RUNNING>;
    uiRetError := 0;
    FOR n := 0 TO 3 DO
        aRetData[n] := 16#0000;
    END_FOR;
    udiAckEpoch := udiEpoch;
    uiAckSeq := uiSeq;
    udiRejEpoch := 0;
    uiRejSeq := 0;
    uiRejCode := 0;
    IF WORD_TO_UINT(aCmd[3]) = 1 THEN
        uiRetResult := <Result.OK>;
        udiDoneEpoch := udiAckEpoch;
        uiDoneSeq := uiAckSeq;
    ELSE
        xBusy := TRUE;
        xStart := TRUE;
        uiCode := WORD_TO_UINT(aCmd[3]);
        udiJob := udiRetJob;
        FOR n := 0 TO 7 DO
            aParam[n] := aCmd[n + 4];
        END_FOR;
    END_IF;
END_IF;

(* Stopping and Aborting end the motion; Holding lets it finish. Acting states end when nothing moves. *)
IF xBusy AND NOT xStopTold AND ((iState = 7) OR (iState = 8)) THEN
    xStopTold := TRUE;
    xStopMotion := TRUE;
END_IF;
<Settle>

(* STATUS: COUNT_B is written last. *)
IF uiCount = 65535 THEN
    uiCount := 0;
ELSE
    uiCount := uiCount + 1;
END_IF;
aStatus[0] := 16#4648;
aStatus[1] := UINT_TO_WORD(2);
aStatus[2] := UINT_TO_WORD(uiBoot);
aStatus[3] := UINT_TO_WORD(uiCount);
aStatus[4] := INT_TO_WORD(iState);
aStatus[5] := UINT_TO_WORD(1);
aStatus[6] := UDINT_TO_WORD(udiOwnerEpoch / 65536);
aStatus[7] := UDINT_TO_WORD(udiOwnerEpoch MOD 65536);
aStatus[8] := UDINT_TO_WORD(udiOwnerId / 65536);
aStatus[9] := UDINT_TO_WORD(udiOwnerId MOD 65536);
aStatus[10] := UDINT_TO_WORD(udiAckEpoch / 65536);
aStatus[11] := UDINT_TO_WORD(udiAckEpoch MOD 65536);
aStatus[12] := UINT_TO_WORD(uiAckSeq);
aStatus[13] := UDINT_TO_WORD(udiDoneEpoch / 65536);
aStatus[14] := UDINT_TO_WORD(udiDoneEpoch MOD 65536);
aStatus[15] := UINT_TO_WORD(uiDoneSeq);
aStatus[16] := UINT_TO_WORD(uiRetResult);
aStatus[17] := UDINT_TO_WORD(udiRejEpoch / 65536);
aStatus[18] := UDINT_TO_WORD(udiRejEpoch MOD 65536);
aStatus[19] := UINT_TO_WORD(uiRejSeq);
aStatus[20] := UINT_TO_WORD(uiRejCode);
aStatus[21] := UDINT_TO_WORD(udiRetJob / 65536);
aStatus[22] := UDINT_TO_WORD(udiRetJob MOD 65536);
aStatus[23] := UINT_TO_WORD(uiRetError);
FOR n := 0 TO 3 DO
    aStatus[n + 24] := aRetData[n];
END_FOR;
aStatus[28] := (wOwnFaults AND 16#FFFC) OR wCause;
aStatus[29] := wSafety;
aStatus[30] := wCaps;
aStatus[31] := UINT_TO_WORD(uiStateAck);
FOR n := 0 TO 5 DO
    aStatus[n + 32] := aSpare[n];
END_FOR;
aStatus[38] := FC_PacklineCrc(aStatus, 38);
aStatus[39] := UINT_TO_WORD(uiCount);
END_FUNCTION_BLOCK
"""
