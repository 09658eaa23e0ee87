"""Writes the machine's side of the handshake as an IEC 61131-3 Structured Text function block, for one machine file.

What is the same for every machine is written in Structured Text itself, with <gaps>, in the `.st` files beside this one. One
statement a line, so that `tests/controller/test_structured_text.py` can run the text beside the rules that the twin runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from packline.core.faults import Fault
from plc.handshake import frames
from plc.handshake.device_rules import SILENCE_S, Reaction
from plc.handshake.frames import Refusal, Result
from plc.machine_jobs import Job
from plc.machine_parts import MachineTables
from plc.packml import STATE_COMPLETE, Cmd, PackMl, State, name_of, transitions

FUNCTIONS = Path(__file__).with_name("functions.st")
BLOCK = Path(__file__).with_name("function_block.st")
INDENT = "    "
SETTLE = """iNext := FC_<Name>_Complete(iState);
WHILE (iNext <> 0) AND NOT xBusy DO
    iState := iNext;
    iNext := FC_<Name>_Complete(iState);
END_WHILE;
IF iState = 6 THEN
    wCause := 16#0000;
END_IF;"""
"""Acting states end when nothing moves; settled after a motion has ended, and again after the commands of this scan."""


def function_block(file: MachineTables) -> str:
    """Give the text; raises Fault 4201 for a machine without the handshake."""
    if file.blocks is None:
        raise Fault(4201, where=file.model, seen="a plain machine", expected="a machine with the handshake's blocks")
    name = _identifier(file.model)
    parts = [_head(file), FUNCTIONS.read_text("utf-8"), *_next_state(file, name), *_is_known(file, name)]
    return "\n".join([*parts, _block(file, name)])


def _identifier(model: str) -> str:
    return re.sub(r"\W+", "_", model).strip("_") or "Machine"


def _head(file: MachineTables) -> str:
    return f"""(* {file.machine.title}: the machine's side of Packline's handshake, map version {frames.MAP_VERSION}.
   Made by "packline machine st" from the file of {file.model}. IEC 61131-3, edition 2 and later.

   Call FB_Packline_{_identifier(file.model)} once in every scan, after the blocks were received and before STATUS is sent.
   It says when to move (xStart, uiCode, aParam) and when to stop (xStopMotion); say xMotionEnded for one scan when the motion
   has ended. It is no safety function: emergency stop and guards are wired. *)
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


def _block(file: MachineTables, name: str) -> str:
    """Give the block itself, its gaps filled."""
    hold = file.handshake.on_silence is Reaction.HOLD
    gaps = {
        "Settle": SETTLE,
        "Name": name,
        "Silence": round(SILENCE_S * 1000),
        "OnSilence": (Cmd.HOLD if hold else Cmd.STOP).value,
        "OnSilenceName": "Hold" if hold else "Stop",
        **{f"Result.{member.name}": member.value for member in Result},
        **{f"Refusal.{member.name}": member.value for member in Refusal},
    }
    text = BLOCK.read_text("utf-8")
    for gap, filling in gaps.items():
        text = text.replace(f"<{gap}>", str(filling))
    return text
