"""The `packline` command."""

from __future__ import annotations

import argparse
import difflib
import errno
import importlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from packline.core.faults import Fault
from packline.core.files import FileFaults

VERBS = {
    "demo": "run the whole demo line on this computer, twin and all",
    "up": "run the controller, the dashboard and the video server of a site",
    "twin": "serve the twin of a site's machines and its virtual people, or of one machine",
    "sim": "run the line and its plant in virtual time",
    "chaos": "put a bad network between a client and a machine",
    "check": "check a site file and the machine files it names, or one machine, scenario or model file",
    "probe": "read a machine tag by tag: values in every order, times, quality, expectations",
    "watch": "follow a machine's values live",
    "import": "make tags from a CSV list, an OPC UA server or a NodeSet2 file",
    "export": "write a machine's tags as a CSV list",
    "machine": "make a machine file, register tables and a PLC function block; try one job",
    "site": "make a site file, or draw the line that one describes",
    "doctor": "check this installation: versions, database library, system packages, ports",
    "items": "import the item master from a CSV file",
    "pki": "make our own certificate, trust the certificates of devices",
    "user": "add a user or set a password",
    "backup": "copy the books while the line runs, or restore a copy",
    "docs": "write the generated reference pages",
}
HIDDEN = {"process": "run one process of `up`"}
MODULES = {"import": "import_tags", "export": "export_tags"}
"""Verbs whose word no module can have, and its fellow."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; gives the exit code: 0 well, 1 something is wrong, 2 wrong usage."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(
        prog="packline",
        description="Runs a fulfilment line: machines, people, parcels.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=_listing(),
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    one = "one of those below; `packline VERB --help` lists its options"
    parser.add_argument("verb", nargs="?", choices=[*VERBS, *HIDDEN], metavar="verb", help=one)
    if words and not words[0].startswith("-") and words[0] not in {**VERBS, **HIDDEN}:
        return _unknown(words[0])
    known, rest = parser.parse_known_args(words[:1])
    if known.version:
        return _version()
    if known.verb is None:
        parser.print_help()
        return 2
    verb = importlib.import_module(f"controller.commands.{MODULES.get(known.verb, known.verb)}")
    options = argparse.ArgumentParser(prog=f"packline {known.verb}", description={**VERBS, **HIDDEN}[known.verb])
    verb.arguments(options)
    return _run(verb, options.parse_args([*rest, *words[1:]]))


def _run(verb: object, options: argparse.Namespace) -> int:
    try:
        return int(verb.run(options))  # type: ignore[attr-defined]  # every verb has arguments() and run()
    except FileFaults as faults:
        return _tell(faults.faults, options)
    except Fault as fault:
        return _tell([fault], options)
    except (KeyboardInterrupt, EOFError):
        return 130
    except BrokenPipeError:
        # who reads has enough (`packline check ... | head`); nothing is left to be said at the end either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _tell([_outside(error)], options)


def _tell(faults: Sequence[Fault], options: argparse.Namespace) -> int:
    """Say what is wrong: a line each for people, and with --json one object that programs find on the last line."""
    for fault in faults:
        print(fault.text(), file=sys.stderr)
    if getattr(options, "json", False):
        said = {"ok": False, "faults": [fault.as_dict() for fault in faults]}
        print(json.dumps(said, ensure_ascii=False), flush=True)
    return 1


FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What a disk says that takes no more; a write names no file."""


def _outside(error: OSError) -> Fault:
    """Name what the system refused: a file that cannot be written, an address that cannot be listened at."""
    seen = (error.strerror or str(error) or type(error).__name__).lower()
    if isinstance(error, FileExistsError):
        seen = "a file of that name"
    if error.errno in FULL:
        where = os.fsdecode(error.filename) if error.filename is not None else "what is written"
        remedy = "Free disk space, or name another place to write to."
        return Fault(4201, where=where, seen=seen, expected="a disk with room for it", remedy=remedy)
    if error.filename is None:
        remedy = "Stop what listens there, or name another address of this computer."
        return Fault(4201, where="the network", seen=seen, expected="an address that is free", remedy=remedy)
    where = os.fsdecode(error.filename)
    if isinstance(error, FileNotFoundError) and Path(where).parent.is_dir():  # /proc takes no new file either
        expected = "a file that is there, or a place to write to"
        remedy = (
            "Check the path: what is read must be there, and what is written needs a folder in which you may write."
        )
        return Fault(4201, where=where, seen=seen, expected=expected, remedy=remedy)
    if _is_barred(error, Path(where)):
        remedy = "Check the path, and that you may read it."
        return Fault(4201, where=where, seen=seen, expected="a file that can be read", remedy=remedy)
    remedy = "Check the path, and that you may write there."
    return Fault(4201, where=where, seen=seen, expected="a place that can be used", remedy=remedy)


def _is_barred(error: OSError, path: Path) -> bool:
    """Tell whether a file that is there must not be read."""
    return isinstance(error, PermissionError) and path.is_file() and not os.access(path, os.R_OK)


def _unknown(word: str) -> int:
    near = difflib.get_close_matches(word, sorted(VERBS), 1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    print(f"packline: no verb {word!r}.{hint} Verbs: {', '.join(VERBS)}", file=sys.stderr)
    return 2


def _listing() -> str:
    return "verbs:\n" + "\n".join(f"  {name:<10}{text}" for name, text in VERBS.items())


def _version() -> int:
    from importlib.metadata import version

    print(version("packline"))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
