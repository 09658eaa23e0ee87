"""`packline site ACTION FILE`: a new site file by questions, or the line that one describes as a picture."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from controller.commands import actions
from controller.commands.folders import make_folder
from controller.integrator.asking import asker
from controller.integrator.line_picture import line_picture
from controller.integrator.line_plan import line_plan
from controller.integrator.new_site import HEAD, KEYS, SiteWriter
from controller.site_file import load_site
from controller.sites import find_site
from controller.whole_site import find_faults
from packline.core.faults import Fault
from packline.core.files import FileFaults

ACTIONS = {
    "new": "make a site file, asking for what no option and no file of answers says",
    "show": "draw the line as an SVG picture",
}


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    actions.declare(options, ACTIONS)
    options.add_argument("file", type=Path, help="site file")
    for question in HEAD:
        choices = f" ({' or '.join(question.choices)})" if question.choices else ""
        is_word = question.words[1:2].islower()  # GS1 is a name
        words = question.words[0].lower() + question.words[1:] if is_word else question.words
        options.add_argument(f"--{question.key.replace('_', '-')}", help=f"new: {words}{choices}")
    options.add_argument(
        "--answers", type=Path, metavar="FILE", help="new: a TOML file with answers to all questions, by their keys"
    )
    options.add_argument("--yes", action="store_true", help="new: take the defaults instead of asking")
    options.add_argument(
        "--out", type=Path, metavar="FILE", help="show: write the picture here (default: standard output)"
    )
    options.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(chosen: argparse.Namespace) -> int:
    """Do one of the two; raises Fault and FileFaults."""
    return _new(chosen) if chosen.action == "new" else _show(chosen)


def _new(chosen: argparse.Namespace) -> int:
    if chosen.file.exists():
        remedy = "Name another file, or remove this one."
        raise Fault(4301, where=str(chosen.file), seen="a file", expected="no file yet", remedy=remedy)
    options = {question.key: getattr(chosen, question.key) for question in HEAD}
    ask = asker(options, chosen.answers, KEYS, is_guided=not chosen.yes)
    text = SiteWriter(ask).text()
    make_folder(chosen.file.parent)
    items = chosen.file.parent / "items.csv"
    if not items.exists():
        items.write_bytes((find_site(Path("sites/demo.toml")).parent / "demo-items.csv").read_bytes())
    chosen.file.touch(mode=0o600)  # it has secrets
    chosen.file.write_text(text, "utf-8")
    faults = find_faults(chosen.file)
    if faults and ask.ask is None:  # who answered at the keyboard keeps the file, and mends it there
        chosen.file.unlink()
        raise FileFaults(faults)
    if chosen.json:
        said = {"ok": not faults, "file": str(chosen.file), "faults": [fault.as_dict() for fault in faults]}
        print(json.dumps(said, ensure_ascii=False))
    else:
        print(
            "\n".join([f"{chosen.file} is written, and items.csv with example articles", *(f.text() for f in faults)])
        )
    return int(bool(faults))


def _show(chosen: argparse.Namespace) -> int:
    plan = line_plan(load_site(find_site(chosen.file)))
    picture = line_picture(plan)
    if chosen.out:
        chosen.out.write_text(picture, "utf-8")
    if chosen.json:
        print(json.dumps({"ok": True, **plan.as_dict()}, ensure_ascii=False))
    else:
        print(f"{len(plan.boxes)} stations drawn into {chosen.out}" if chosen.out else picture)
    return 0
