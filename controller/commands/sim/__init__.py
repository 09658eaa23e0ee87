"""`packline sim VERB`: the line and its plant in virtual time. Each verb is a module beside this file and a row of VERBS."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import signal
import sys
from collections.abc import Iterator
from types import FrameType, ModuleType

VERBS = {
    "model": "run a line or a queue of building blocks from a scenario file with a [model]",
    "validate": "run textbook cases on the building blocks and compare with theory",
    "run": "run a shift of the demo line in virtual time",
    "serve": "serve the plant on real ports, for a foreign client or the program of a PLC",
    "scaled": "run plant and production controller in processes of their own, all time a factor faster than the wall",
    "replay": "hold a recorded journal against this release, and show where the two part",
    "qa": "run many shifts in which things go wrong, and keep those that fail, shrunk if wanted",
    "watch": "show a recorded journal on the plan of its line, at any speed",
    "sweep": "run a file with other values, times seeds, and go on where a killed sweep was",
    "report": "write one page on shifts that were recorded or are played for it, two scenarios side by side",
}
"""What each verb does; `controller.commands.sim.<verb>` has `arguments(options)` and `run(chosen)`."""
INTERRUPTED = 130
"""The exit code of what SIGINT ended, as shells give it."""
MODULES = {"run": "running", "watch": "watching", "sweep": "sweep.command"}
"""Verbs whose word no module can have (it would take the place of the function here), or whose rooms have several files."""


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options of the group; each verb has its own (`packline sim run --help`)."""
    options.formatter_class = argparse.RawDescriptionHelpFormatter
    options.epilog = "actions:\n" + "\n".join(f"  {name:<10}{text}" for name, text in VERBS.items())
    options.add_argument("action", nargs="?", choices=VERBS, metavar="action", help="one of those below")
    options.add_argument("words", nargs=argparse.REMAINDER, help="what the action takes; `--help` lists it")
    options.set_defaults(tell=options.format_help)


def run(chosen: argparse.Namespace) -> int:
    """Run one verb; gives the exit code."""
    if chosen.action is None:
        print(chosen.tell())
        return 2
    verb = module_of(chosen.action)
    options = argparse.ArgumentParser(prog=f"packline sim {chosen.action}", description=VERBS[chosen.action])
    verb.arguments(options)
    typed = options.parse_args(chosen.words)
    chosen.json = getattr(typed, "json", False)  # who tells what is wrong looks here
    try:
        with ended_in_order():
            return int(verb.run(typed))
    except KeyboardInterrupt:
        return _interrupted(chosen.json)


@contextlib.contextmanager
def ended_in_order() -> Iterator[None]:
    """Have SIGTERM, which a server for CI sends when time is up, end what is played as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, _as_by_ctrl_c)
    try:
        with _ctrl_c_has_a_handler():
            yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _ctrl_c_has_a_handler() -> Iterator[None]:
    """Let an event loop take Ctrl-C as its own also where a shell has it ignored, in the background: it is held back there instead."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        yield
        return
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def _as_by_ctrl_c(number: int, frame: FrameType | None) -> None:
    """Do what Ctrl-C would do now: within an event loop, cancel what it runs."""
    heard = signal.getsignal(signal.SIGINT)
    (heard if callable(heard) else signal.default_int_handler)(number, frame)


def _interrupted(as_json: bool) -> int:
    print("interrupted", file=sys.stderr, flush=True)
    if as_json:
        print(json.dumps({"ok": False, "interrupted": True}), flush=True)
    return INTERRUPTED


def module_of(verb: str) -> ModuleType:
    """Load the module of a verb; only the one that is asked for, the twin is no small import."""
    return importlib.import_module(f"controller.commands.sim.{MODULES.get(verb, verb)}")
