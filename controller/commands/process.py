"""Runs one process of `packline up`; the supervisor calls it."""

from __future__ import annotations

import argparse
from pathlib import Path

from controller import processes, webprocess


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.add_argument("role", choices=["controller", "web", "video"])
    options.add_argument("site", type=Path)


def run(chosen: argparse.Namespace) -> int:
    """Run the role until SIGTERM."""
    work = {"controller": processes.run_controller, "web": webprocess.run_web, "video": webprocess.run_video}
    return work[chosen.role](chosen.site)
