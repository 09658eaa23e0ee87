"""`packline probe SITE DEVICE` or `packline probe FILE ADDRESS`: what a machine shows, tag by tag; writes only when asked twice."""

from __future__ import annotations

import argparse
import asyncio
import json

from controller.commands import numbers
from controller.commands.reaching import reaching
from controller.integrator import target as targets
from controller.integrator.printing import columns, shown
from controller.integrator.probing import Probe, Seen, probe
from controller.integrator.target import find_target
from packline.core.clock import LoopClock
from packline.core.faults import Fault
from plc.tags.model import Order


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    targets.arguments(options)
    options.add_argument("--rounds", type=numbers.rounds, default=5, help="how often each tag is read (default 5)")
    options.add_argument(
        "--write", action="append", default=[], metavar="TAG=VALUE", help="write a tag; may be repeated"
    )
    options.add_argument("--yes-write", action="store_true", help="yes, write: the machine may move")
    options.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(chosen: argparse.Namespace) -> int:
    """Probe; 1 if a tag is not good, or the machine is not what its file expects."""
    writes = _writes(chosen)
    target = find_target(chosen)
    if not chosen.json:
        print(
            f"{target.name} at {target.address}: {len(target.file.tags)} tags, {chosen.rounds} times each", flush=True
        )
    with reaching(f"{target.name} at {target.address}"):
        found = asyncio.run(probe(target, LoopClock(), rounds=chosen.rounds, writes=writes))
    print(json.dumps(found.as_dict(), ensure_ascii=False) if chosen.json else as_text(found))
    return int(not found.is_well)


def as_text(found: Probe) -> str:
    """Give it for people."""
    lines = (
        [columns(("tag", "value", "unit", "quality", "ms"), [_row(seen) for seen in found.tags])] if found.tags else []
    )
    if ordered := [seen for seen in found.tags if seen.orders]:
        head = ("tag", "registers", *Order)
        rows = [
            (seen.name, " ".join(f"{w:04X}" for w in seen.raw), *(seen.orders[o] for o in Order)) for seen in ordered
        ]
        lines += ["", "the same registers in each order (in brackets: out of range or no value)", columns(head, rows)]
    lines += ["", *(f"expect {name}: {words or 'holds'}" for name, words in found.expect.items())]
    if found.handshake:
        lines.append("STATUS: " + ", ".join(f"{key} {shown(value)}" for key, value in found.handshake.items()))
    latency = found.latency_ms()
    times = f", requests p50 {latency['p50']} ms, p95 {latency['p95']} ms" if latency else ""
    lines += [f"connected in {found.connect_ms} ms{times}", *(f"wrote {line}" for line in found.written)]
    return "\n".join(lines)


def _row(seen: Seen) -> tuple[object, ...]:
    quality = seen.quality if not seen.reason else f"{seen.quality}: {seen.reason}"
    return seen.name, shown(seen.value), seen.unit, quality, seen.ms[-1] if seen.ms else ""


def _writes(chosen: argparse.Namespace) -> dict[str, str]:
    wrong = next((text for text in chosen.write if "=" not in text), None)
    if wrong is not None:
        remedy = "Type the tag's name, = and the value, without blanks: --write setpoint=450."
        raise Fault(4201, where="--write", seen=wrong, expected="TAG=VALUE", remedy=remedy)
    if chosen.write and not chosen.yes_write:
        remedy = "Stand where you see the machine, then type the same with --yes-write."
        raise Fault(4301, where="--write", seen="asked once", expected="asked twice", remedy=remedy)
    return dict(text.split("=", 1) for text in chosen.write)
