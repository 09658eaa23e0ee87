"""`packline sim run`: a shift of the demo line in virtual time."""

from __future__ import annotations

import argparse
import sys

from controller.commands import numbers


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.add_argument("--orders", type=numbers.orders, default=24, help="how many orders are posted (default 24)")
    options.add_argument("--seed", type=int, default=1, help="the same seed gives the same journal (default 1)")
    options.add_argument("--json", action="store_true", help="last line of standard output: the figures as JSON")


def run(chosen: argparse.Namespace) -> int:
    """Run the shift."""
    print("the shift is not wired yet", file=sys.stderr)
    return 1
