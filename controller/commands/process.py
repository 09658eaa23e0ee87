"""Runs one process of `packline up`; the supervisor calls it."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.add_argument("role", choices=["controller", "web", "video"])
    options.add_argument("site", type=Path)


def run(chosen: argparse.Namespace) -> int:
    """Run the role until SIGTERM."""
    # each process imports only what it runs: a restart must be quick
    module, work = {
        "controller": ("controller.processes", "run_controller"),
        "web": ("controller.webprocess", "run_web"),
        "video": ("controller.video", "run_video"),
    }[chosen.role]
    return int(getattr(importlib.import_module(module), work)(chosen.site))
