"""Writes a recording as JSON lines, and reads one; a name that ends in .gz is compressed."""

from __future__ import annotations

import gzip
import zlib
from collections import defaultdict
from pathlib import Path
from typing import Any, TextIO, cast

from pydantic import TypeAdapter, ValidationError

from packline.core.faults import Fault
from simulation.recording.rows import AnyRow, EndRow, Head, Recording

KINDS = {
    "machine": "machines",
    "parcel": "parcels",
    "order": "orders",
    "exception": "exceptions",
    "fault": "faults",
    "scanner": "scanners",
}
MOST_SHOWN, MOST_CUT = 80, 30
_ROW: TypeAdapter[Any] = TypeAdapter(AnyRow)
AGAIN = "Record the shift again: packline sim run FILE --record RECORDING."
WHOLE = "a whole recording"
_PATH = "Check the path, and that you may read the file."


def write(recording: Recording, path: Path) -> None:
    """Write a recording; one that is there already is replaced when the new one is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    with _open(beside, "w", is_packed=path.suffix == ".gz") as file:
        rows = recording.rows()
        for row in (*rows, EndRow(rows=len(rows))):
            file.write(row.model_dump_json() + "\n")
    beside.replace(path)


def read(path: Path) -> Recording:
    """Read a recording; raises Fault 4201 for what is none, or not whole, or of another version."""
    found: dict[str, list[Any]] = defaultdict(list)
    number, last = 0, None
    try:
        with _open(path, "r", is_packed=path.suffix == ".gz") as file:
            for number, line in enumerate(file, 1):
                last = _row(line, f"{path} line {number}")
                found[last.row].append(last)
    except (EOFError, zlib.error) as error:
        raise _wrong(f"{path} line {number + 1}", "the compressed file ends within it", WHOLE) from error
    except (UnicodeDecodeError, gzip.BadGzipFile) as error:
        raise _wrong(str(path), _no_text(error), "a recording: lines of JSON, compressed if named .gz") from error
    except OSError as error:
        seen = (error.strerror or type(error).__name__).lower()
        raise Fault(4201, where=str(path), seen=seen, expected="a recording that can be read", remedy=_PATH) from error
    heads = found["recording"]
    if not number:
        raise _wrong(str(path), "an empty file", WHOLE)
    if len(heads) != 1:
        raise _wrong(str(path), f"{len(heads)} rows of kind recording", "one, the first")
    if not isinstance(last, EndRow) or last.rows != number - 1:
        seen = "the last line, and no end" if not found["end"] else "an end that does not count these rows"
        raise _wrong(f"{path} line {number}", seen, WHOLE)
    parts = {name: tuple(found[kind]) for kind, name in KINDS.items()}
    return Recording(head=cast("Head", heads[0]), **parts)


def is_recording(path: Path) -> bool:
    """Tell by its name whether a file is meant to be a recording: .jsonl or .jsonl.gz."""
    return path.name.endswith((".jsonl", ".jsonl.gz"))


def _open(path: Path, mode: str, *, is_packed: bool) -> TextIO:
    if is_packed:
        return cast("TextIO", gzip.open(path, f"{mode}t", encoding="utf-8"))
    return cast("TextIO", path.open(mode, encoding="utf-8"))


def _row(line: str, where: str) -> Any:
    try:
        return _ROW.validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise _wrong(where, *_seen_and_expected(line, first)) from error


def _seen_and_expected(line: str, first: Any) -> tuple[str, str]:
    if first["type"] == "json_invalid":
        if not line.endswith("\n") and line.startswith("{"):
            return f"a line that is cut off after {line[-MOST_CUT:]}", WHOLE
        return line.strip()[:MOST_SHOWN] or "an empty line", "a line of JSON"
    if first["type"].startswith("union_tag"):
        return line.strip()[:MOST_SHOWN], f"a row of a recording: recording, {', '.join(KINDS)} or end"
    place = ".".join(str(part) for part in first["loc"])
    seen = f"{place} {str(first['input'])[:MOST_SHOWN]}".strip()
    return seen, str(first["msg"]).removeprefix("Input should be ")


def _no_text(error: Exception) -> str:
    return "a file that is not compressed" if isinstance(error, OSError) else "bytes that are no text in UTF-8"


def _wrong(where: str, seen: str, expected: str) -> Fault:
    return Fault(4201, where=where, seen=seen, expected=expected, remedy=AGAIN)
