"""`packline import SOURCE`: tags from a CSV list with Kepware's columns, an OPC UA server, or a NodeSet2 file."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from controller.commands.numbers import counted
from controller.commands.reaching import reaching
from controller.integrator.tag_source import Door, is_opcua, read_source
from controller.integrator.toml_text import tag_tables
from packline.core.faults import Fault
from packline.core.files import FileFaults, parse, read_toml
from plc.machine_file import MachineFile
from plc.tags.model import AddressBase

BASES: dict[str, AddressBase] = {"0": 0, "1": 1, "modicon": "modicon"}


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.add_argument(
        "source", help="a CSV file, a NodeSet2 file (.xml), opc.tcp://host:port, or with --site the name of a machine"
    )
    options.add_argument(
        "--into", type=Path, metavar="FILE", help="put the tags behind this machine file (default: print them)"
    )
    options.add_argument(
        "--base",
        choices=BASES,
        default="modicon",
        help="without --into: how registers are to be counted (default modicon)",
    )
    options.add_argument(
        "--unprotected", metavar="WHY", help="why a server that is not on this computer needs no protection"
    )
    options.add_argument(
        "--site",
        type=Path,
        metavar="SITE",
        help="SOURCE is an OPC UA machine of this site file, reached as it says: certificate, user, password",
    )
    options.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(chosen: argparse.Namespace) -> int:
    """Read the tags and print or keep them; raises FileFaults with everything that is wrong with the list."""
    head = read_toml(chosen.into).get("machine", {}) if chosen.into else {}
    base = head.get("address_base", BASES[chosen.base] if not is_opcua(chosen.source) else None)
    door = Door(site=chosen.site, unprotected=chosen.unprotected)
    with reaching(chosen.source):
        found = read_source(chosen.source, None if head.get("protocol") == "opcua" else base, door)
    tags = found.whole()
    text = tag_tables(tags)
    if not tags:
        found.notes.append(f"{chosen.source}: nothing in it that a tag can be")
    elif chosen.into:
        _append(chosen.into, text)
    for note in () if chosen.json else found.notes:
        print(note, file=sys.stderr)
    if chosen.json:
        said = {name: tag.model_dump(mode="json", exclude_defaults=True) for name, tag in tags.items()}
        print(json.dumps({"ok": True, "tags": said, "notes": found.notes}, ensure_ascii=False))
    else:
        print(f"{counted(len(tags), 'tag')} into {chosen.into}" if chosen.into else text)
    return 0


def _append(path: Path, text: str) -> None:
    """Put tags behind a machine file if it is a machine file still; else nothing is written."""
    import tomllib

    before = path.read_text("utf-8-sig")
    whole = before.rstrip("\n") + "\n\n" + text
    try:
        parse(tomllib.loads(whole), MachineFile, str(path))
    except tomllib.TOMLDecodeError as error:
        # the same name twice is no TOML any more
        raise FileFaults(
            [Fault(4201, where=str(path), seen=str(error), expected="names that the file has not yet")]
        ) from error
    path.write_text(whole, "utf-8")
