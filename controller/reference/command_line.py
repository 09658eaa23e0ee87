"""The page of the command line: every verb with its arguments."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any

from controller.reference.markdown import block, code, page, table

INTRO = """
`packline` is installed into the environment by `make demo` or `make setup` (`.venv/bin/packline`). `python -m controller` is the same.

Every verb ends with 0 when all is well, 1 when something is wrong (each fault on one line: code, name, place, what was seen, what was
expected, what to do), 2 when the words of the command were no command (then the usage is told, and no JSON), and 130 after Ctrl-C.

Where a verb takes a site file, the name of one that ships with the package works from any folder: `packline check sites/demo.toml`.
"""

ENVIRONMENT = (
    ("PACKLINE_DATA", "The data folder, instead of the site file's `data`."),
    ("XDG_STATE_HOME", "Holds the data folder of a site file that ships with the package; default `~/.local/state`."),
    (
        "PACKLINE_DATABASE",
        "The database address, instead of `packline.db` in the data folder: `sqlite:////absolute/path.db`, or `postgresql://...` "
        "([how](../how-to/postgresql.md)).",
    ),
    ("PACKLINE_LOG", "How much the processes of `up` log: `DEBUG`, `INFO` (default), `WARNING`."),
)

JOINED = {"I/N": "/"}
"""How a default of several parts is typed, by what stands for it; otherwise with blanks between."""


class Recorder(argparse.ArgumentParser):
    """A parser that remembers what was added to it, in order."""

    def __init__(self, **options: Any) -> None:
        self.listed: list[argparse.Action] = []
        super().__init__(**options)

    def add_argument(self, *names: Any, **options: Any) -> argparse.Action:
        """Add an argument and remember it."""
        action = super().add_argument(*names, **options)
        self.listed.append(action)
        return action


def recorded(arguments: Callable[[argparse.ArgumentParser], None]) -> list[argparse.Action]:
    """Give what a verb's `arguments` declares."""
    parser = Recorder(add_help=False)
    arguments(parser)
    return parser.listed


def command_line(verbs: Mapping[str, tuple[str, list[argparse.Action]]]) -> str:
    """Give the page; `verbs` says of each verb what it does and what it takes."""
    listing = table(
        ["verb", "does"], ((f"[`{name}`](#{name.replace(' ', '-')})", text) for name, (text, _) in verbs.items())
    )
    parts = [_verb(name, text, actions) for name, (text, actions) in verbs.items()]
    environment = table(["variable", "meaning"], ((code(name), text) for name, text in ENVIRONMENT))
    return page("Command line", INTRO, listing, *parts, "## Environment", environment)


def _verb(name: str, text: str, actions: list[argparse.Action]) -> str:
    usage = " ".join(["packline", name, *(_usage(action) for action in actions)])
    rows = [(code(_names(action)), _default(action), _meaning(action)) for action in actions]
    options = table(["argument", "default", "meaning"], rows) if rows else "No arguments."
    return f"## {name}\n\n{text[0].upper()}{text[1:]}.\n\n{block(usage)}\n\n{options}"


def _usage(action: argparse.Action) -> str:
    text = _names(action)
    return f"[{text}]" if action.option_strings or action.nargs in ("?", "*") else text


def _names(action: argparse.Action) -> str:
    value = str(action.metavar or action.dest).upper()
    if not action.option_strings:
        return value
    return action.option_strings[-1] if action.nargs == 0 else f"{action.option_strings[-1]} {value}"


def _default(action: argparse.Action) -> str:
    """Give the default as it would be typed; "" where there is none, and where only the program has a value for it."""
    default = action.default
    if action.required or action.nargs == 0 or default in (None, False):
        return ""
    if isinstance(default, range):
        return code(f"{default.start}:{default.stop}")
    if isinstance(default, (list, tuple)):
        return code(JOINED.get(str(action.metavar).upper(), " ").join(map(str, default))) if default else ""
    return code(default)


def _meaning(action: argparse.Action) -> str:
    choices = "one of " + ", ".join(code(choice) for choice in action.choices) if action.choices else ""
    return "; ".join(part for part in (action.help or "", choices) if part)
