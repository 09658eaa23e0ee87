"""`packline export MACHINE`: the tags of a machine file as a CSV list with Kepware's columns."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from controller.integrator.tag_list import write_list
from controller.sites import find_site
from plc.machine_file import load_machine


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.add_argument("machine", type=Path, help="machine file, or the name of one that ships")
    options.add_argument("--out", type=Path, metavar="FILE", help="write here (default: standard output)")
    options.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(chosen: argparse.Namespace) -> int:
    """Write the list; what it cannot say goes to standard error."""
    file = load_machine(find_site(chosen.machine))
    text, losses = write_list(file)
    if chosen.out:
        chosen.out.write_text(text, "utf-8", newline="")
    if chosen.json:
        rows = len(file.tags)
        print(
            json.dumps(
                {"ok": True, "tags": rows, "losses": losses, "csv": "" if chosen.out else text}, ensure_ascii=False
            )
        )
        return 0
    for line in losses:
        print(f"not in the list: {line}", file=sys.stderr)
    print(f"{len(file.tags)} tags into {chosen.out}" if chosen.out else text, end="\n" if chosen.out else "")
    return 0
