"""`packline machine ACTION FILE`: a new machine file, its register tables and PLC function block, or one job tried."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tomllib
from pathlib import Path
from typing import Any

from controller.commands import actions
from controller.commands.folders import make_folder
from controller.commands.reaching import reaching
from controller.integrator.asking import asker
from controller.integrator.machine_check import check_machine
from controller.integrator.new_machine import machine_head, machine_text
from controller.integrator.register_tables import register_tables
from controller.integrator.tag_source import Door, read_source
from controller.integrator.target import find_target
from controller.integrator.trying import demand_job, try_job
from controller.reference.structured_text import function_block
from controller.sites import find_site
from packline.core.clock import LoopClock
from packline.core.effects import EffectState, Evidence
from packline.core.faults import FAULTS, Fault
from packline.core.files import parse
from plc.machine_file import MachineFile, load_machine

ACTIONS = {
    "new": "make a machine file, asking for what no option says",
    "st": "register tables in Markdown, and the handshake as a function block in Structured Text",
    "try": "have the machine do one job, and tell what proves its end; one that is not reached is told at once, one that is silent "
    "after 5 s (three of its request_timeout_ms, if that is longer)",
}


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    actions.declare(options, ACTIONS)
    options.add_argument("file", type=Path, help="machine file (try: or site file)")
    options.add_argument("device", nargs="?", default="", help="try: the machine's address, or its name in the site")
    options.add_argument("job", nargs="?", default="", help="try: the kind of job")
    options.add_argument(
        "--param", action="append", default=[], metavar="NAME=VALUE", help="try: a parameter; may be repeated"
    )
    options.add_argument(
        "--yes-move", action="store_true", help="try: yes, move; and take the machine from who owns it now"
    )
    options.add_argument(
        "--unprotected", metavar="WHY", help="why a connection that leaves this computer needs no protection"
    )
    options.add_argument("--site", type=Path, metavar="SITE", help=f"new: {SITE}")
    options.add_argument(
        "--out", type=Path, metavar="FOLDER", help="st: write MODEL.md and MODEL.st there (default: print)"
    )
    for name, text in NEW.items():
        options.add_argument(f"--{name}", help=f"new: {text}")
    options.add_argument(
        "--answers", type=Path, metavar="FILE", help="new: a TOML file with answers, by the options' names"
    )
    options.add_argument("--yes", action="store_true", help="new: take the defaults instead of asking")
    options.add_argument("--json", action="store_true", help="one JSON object on standard output")


SITE = "--tags is the name of an OPC UA machine of this site file, reached as it says: certificate, user, password"
NEW = {
    "model": "one word",
    "title": "what it is",
    "source": "manual and revision",
    "protocol": "modbus or opcua",
    "handshake": "packline or none",
    "base": "how registers are counted: 0, 1 or modicon",
    "unit": "unit id",
    "order": "order of 32-bit values: ABCD, CDAB, BADC or DCBA",
    "namespace": "OPC UA namespace uri",
    "tags": "where its tags are listed: a CSV file, a NodeSet2 file, opc.tcp://host:port",
    "expect": "what proves that it is the right machine: tag=value",
    "jobs": 'its jobs: "seal=17", without the handshake "seal=output:counter"',
}


def run(chosen: argparse.Namespace) -> int:
    """Do one of the three; raises Fault and FileFaults."""
    return {"new": _new, "st": _st, "try": _try}[chosen.action](chosen)


def _new(chosen: argparse.Namespace) -> int:
    if chosen.file.exists():
        remedy = "Name another file, or remove this one."
        raise Fault(4301, where=str(chosen.file), seen="a file", expected="no file yet", remedy=remedy)
    ask = asker({name: getattr(chosen, name) for name in NEW}, chosen.answers, set(NEW), is_guided=not chosen.yes)
    head = machine_head(ask)
    source = ask.given.get("tags")
    door = Door(site=chosen.site, unprotected=chosen.unprotected)
    with reaching(str(source)):
        found = read_source(str(source), head.get("address_base"), door) if source else None
    tags = found.whole() if found else {}
    if not tags and head.get("handshake") == "none" and ask.ask is None:
        remedy = "Add --tags with a CSV list, a NodeSet2 file or opc.tcp://host:port; or --handshake packline."
        raise Fault(4201, where="--tags", seen="nothing", expected="where its tags are listed", remedy=remedy)
    text = machine_text(ask, head, tags)
    if ask.ask is None:  # who answered at the keyboard keeps the file, and mends it there
        _demand_right(text, chosen.file)
    chosen.file.write_text(text, "utf-8")
    checked = check_machine(chosen.file)
    if chosen.json:
        print(json.dumps({"file": str(chosen.file), **checked.as_dict()}, ensure_ascii=False))
    else:
        print(f"{chosen.file} is written, with {len(tags)} tags\n{checked.text()}")
    return int(not checked.is_ok)


def _demand_right(text: str, path: Path) -> None:
    """Raise FileFaults for a file that nobody could use: it is not written, so that the same can be typed again, mended."""
    parse(tomllib.loads(text), MachineFile, str(path))


def _st(chosen: argparse.Namespace) -> int:
    file = load_machine(find_site(chosen.file))
    tables = register_tables(file)
    text = "" if file.is_plain else function_block(file)
    if chosen.out:
        make_folder(chosen.out)
        made = {chosen.out / f"{file.model}.md": tables} | ({chosen.out / f"{file.model}.st": text} if text else {})
        for path, content in made.items():
            path.write_text(content, "utf-8")
        names = [str(path) for path in made]
        print(json.dumps({"ok": True, "files": names}) if chosen.json else "\n".join(names))
    elif chosen.json:
        print(json.dumps({"ok": True, "tables": tables, "structured_text": text}, ensure_ascii=False))
    else:
        print(tables + (f"\n## Function block\n\n```iecst\n{text}```" if text else ""))
    return 0


def _try(chosen: argparse.Namespace) -> int:
    params = dict(_parameter(text) for text in chosen.param)
    target = find_target(chosen)
    demand_job(target, chosen.job, params)
    if not chosen.yes_move:
        remedy = "Stand where you see the machine, stop the line's controller, then type the same with --yes-move."
        raise Fault(4301, where="machine try", seen="asked once", expected="asked twice", remedy=remedy)
    with reaching(f"{target.name} at {target.address}"):
        evidence = asyncio.run(try_job(target, chosen.job, params, LoopClock(), _tell))
    if chosen.json:
        print(json.dumps({"ok": evidence.state is EffectState.CONFIRMED, **_as_dict(evidence)}, ensure_ascii=False))
    else:
        print(told(chosen.job, evidence))
    return int(evidence.state is not EffectState.CONFIRMED)


def told(job: str, evidence: Evidence) -> str:
    """Say how a job ended, and what a fault of it means in the house's words."""
    facts = ", ".join(f"{name} {value}" for name, value in evidence.data.items())
    end = f"{job}: {evidence.state} by the {evidence.source}{': ' if facts else ''}{facts}"
    kind = FAULTS.get(evidence.fault or 0)
    return f"{end}\n{kind.code} {kind.name}: {kind.meaning} {kind.remedy}" if kind else end


def _as_dict(evidence: Any) -> dict[str, Any]:
    return {
        "state": str(evidence.state),
        "source": evidence.source,
        "data": dict(evidence.data),
        "fault": evidence.fault,
    }


def _parameter(text: str) -> tuple[str, int | float]:
    name, sign, value = text.partition("=")
    try:
        number: int | float = int(value) if value.lstrip("+-").isdigit() else float(value)
    except ValueError:
        sign, number = "", 0
    if not sign:
        remedy = "Type the parameter's name, = and a number, without blanks: --param lane=1."
        raise Fault(4201, where="--param", seen=text, expected="NAME=NUMBER", remedy=remedy)
    return name, number


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
