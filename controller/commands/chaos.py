"""`packline chaos LISTEN TARGET`: a bad network between a client and a machine, told what to break while it runs."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from controller.addresses import demand_address
from controller.commands import numbers
from packline.core.faults import Fault
from simulation.chaos import FORM, Chaos, Framing, Rule, Way

_WORDS = "rule ..., clear, hold [request|answer|both], release [...], hasten [...], cut, reset, show, quit"

_RULE = (
    "what goes wrong: delay, drop, reset, split, corrupt or duplicate, then any of: request, answer (one direction only), p=0.1 "
    "(probability a frame), count=3 (at most), after=2 (frames in peace first), s=0.5 (seconds of a delay, in a split, before a copy), "
    "late=3 (frames before a copy), spare=7 (bytes at a frame's begin that are never corrupted)"
)


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.formatter_class = argparse.RawDescriptionHelpFormatter
    options.epilog = (
        f"rule: {FORM}\n"
        "KIND: delay, drop, reset, split, corrupt, duplicate\n"
        f"lines on standard input while it runs: {_WORDS}\n"
        "Only for tests: machines must see what a real network may do, but never while people stand by a moving one."
    )
    options.add_argument("listen", help="where it listens, host:port")
    options.add_argument("target", help="the machine, host:port")
    options.add_argument(
        "--rule", action="append", default=[], help='what goes wrong, for example "drop answer p=0.05"'
    )
    options.add_argument(
        "--framing", choices=[str(one) for one in Framing], default=str(Framing.RAW), help="cut the stream into frames"
    )
    options.add_argument("--seed", type=numbers.seed, default=0, help="the same seed does the same to the same frames")
    options.add_argument("--json", action="store_true", help="one JSON object a line on standard output")


def run(chosen: argparse.Namespace) -> int:
    """Carry until SIGTERM, Ctrl-C or the word quit."""
    rules = [Rule.parse(text) for text in chosen.rule]
    demand_address(chosen.listen, "listen", least=0)
    demand_address(chosen.target, "target")
    framing = Framing(chosen.framing)
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(_serve(chosen.listen, chosen.target, framing, rules, chosen.seed, _teller(as_json=chosen.json)))
    return 0


Tell = Callable[[Mapping[str, Any]], None]


def _teller(*, as_json: bool) -> Tell:
    def tell(facts: Mapping[str, Any]) -> None:
        plain = "  ".join(f"{name} {value}" for name, value in facts.items())
        print(json.dumps(facts, ensure_ascii=False) if as_json else plain, flush=True)

    return tell


async def _serve(listen: str, target: str, framing: Framing, rules: list[Rule], seed: int, tell: Tell) -> None:
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel if task else loop.stop)
    chaos = Chaos(target, listen=listen, framing=framing, rules=rules, seed=seed)
    tell({"ready": True, "address": await chaos.open(), "target": target})
    try:
        async for line in typed_lines():
            if line == "quit":
                return
            tell(obey(chaos, line))
        await asyncio.Event().wait()  # nobody at the keyboard
    finally:
        await chaos.close()


async def typed_lines() -> AsyncIterator[str]:
    """Give what is typed. A thread of its own reads, because a keyboard, a pipe and no input at all must do alike."""
    typed: asyncio.Queue[str | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            for line in sys.stdin:
                loop.call_soon_threadsafe(typed.put_nowait, line.strip())
            loop.call_soon_threadsafe(typed.put_nowait, None)

    threading.Thread(target=read, daemon=True, name="keyboard").start()
    while (line := await typed.get()) is not None:
        if line:
            yield line


def obey(chaos: Chaos, line: str) -> dict[str, Any]:
    """Do what a line says; gives what is so then, or what was wrong with it."""
    word, _, rest = line.partition(" ")
    simple: dict[str, Callable[[], None]] = {
        "clear": chaos.rules.clear, "cut": chaos.cut, "reset": chaos.reset, "show": lambda: None,
    }  # fmt: skip
    try:
        if word == "rule":
            chaos.rules.append(Rule.parse(rest))
        elif word in ("hold", "release", "hasten"):
            by_way = {"hold": chaos.hold, "release": chaos.release, "hasten": chaos.hasten}
            by_way[word](Way(rest.strip() or "both"))
        elif word in simple:
            simple[word]()
        else:
            return {"ok": False, "seen": line, "expected": _WORDS}
    except (Fault, ValueError) as wrong:
        return {"ok": False, "seen": line, "expected": str(wrong)}
    return {
        "ok": True,
        "peers": chaos.peers,
        "rules": len(chaos.rules),
        "late": chaos.waiting(),
        "carried": {way.value: n for way, n in sorted(chaos.carried.items())},
        "struck": {kind.value: n for kind, n in sorted(chaos.struck.items())},
    }
