"""`packline docs FOLDER`: write the reference pages that are made from the code."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from controller.__main__ import MODULES, VERBS
from controller.commands import sim
from controller.commands.folders import make_folder
from controller.commands.sim.pages.faults import fault_pages
from controller.commands.sim.pages.models import model_pages
from controller.commands.sim.pages.scenarios import scenario_pages
from controller.integrator.station_needs import MACHINE_NEEDS
from controller.reference.all_pages import Arguments, pages


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.add_argument("folder", type=Path, help="where to write, for example docs/reference")


def run(chosen: argparse.Namespace) -> int:
    """Write every page that is not there yet or has changed."""
    make_folder(chosen.folder)
    made = all_pages()
    changed = [name for name, text in made.items() if _write(chosen.folder / name, text)]
    print(f"{len(made)} pages, {len(changed)} changed: {', '.join(changed) or 'none'}")
    return 0


def all_pages() -> dict[str, str]:
    """Give the pages by name."""
    verbs = {
        name: (text, importlib.import_module(f"controller.commands.{MODULES.get(name, name)}").arguments)
        for name, text in VERBS.items()
    }
    needs = {kind: (part.jobs, (*part.inputs, *part.of_lanes)) for kind, part in MACHINE_NEEDS.items()}
    return pages(verbs | _of_groups(), needs) | model_pages() | scenario_pages() | fault_pages()


def _of_groups() -> dict[str, tuple[str, Arguments]]:
    """Give the verbs of a verb: each has options of its own."""
    return {f"sim {name}": (text, sim.module_of(name).arguments) for name, text in sim.VERBS.items()}


def _write(path: Path, text: str) -> bool:
    if path.exists() and path.read_text("utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return True
