"""`packline watch SITE DEVICE` or `packline watch FILE ADDRESS`: live values with their quality and age; writes nothing."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from contextlib import aclosing
from dataclasses import asdict

from controller.commands import numbers
from controller.integrator import target as targets
from controller.integrator.printing import columns, shown
from controller.integrator.target import Target, find_target
from controller.integrator.watching import Look, watch
from packline.core.clock import LoopClock

CLEAR = "\x1b[H\x1b[2J"


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    targets.arguments(options)
    options.add_argument(
        "--every", type=numbers.every, default=1.0, metavar="SECONDS", help="time between two looks (default 1)"
    )
    options.add_argument("--count", type=numbers.looks, help="end after this many looks (default: Ctrl-C ends)")
    options.add_argument("--json", action="store_true", help="one JSON object a line for each look")


def run(chosen: argparse.Namespace) -> int:
    """Watch until the count is reached or Ctrl-C; 1 if the last look showed a value that is not good."""
    return asyncio.run(_watch(find_target(chosen), chosen))


async def _watch(target: Target, chosen: argparse.Namespace) -> int:
    is_well = False
    async with aclosing(watch(target, LoopClock(), every_s=chosen.every, count=chosen.count)) as looks:
        async for look in looks:
            is_well = not look.trouble and all(value.quality == "good" for value in look.values.values())
            print(
                json.dumps(asdict(look), ensure_ascii=False) if chosen.json else as_text(target.name, look), flush=True
            )
    return int(not is_well)


def as_text(name: str, look: Look) -> str:
    """Give one look for people; on a terminal it takes the place of the one before."""
    rows = [
        (tag, shown(v.value), v.unit, v.quality if not v.reason else f"{v.quality}: {v.reason}", _age(v.age_s))
        for tag, v in look.values.items()
    ]
    head = f"{name}  {look.at}" + (f"  {look.trouble}" if look.trouble else "")
    body = columns(("tag", "value", "unit", "quality", "age"), rows) if rows else ""
    return f"{CLEAR if sys.stdout.isatty() else ''}{head}\n{body}\n"


def _age(age_s: float | None) -> str:
    return "" if age_s is None else f"{age_s:.2f} s"
