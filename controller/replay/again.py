"""Compares two journals of the same run, row by row: the recorded one, and the one that this release gives."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

from controller.replay.lockstep import CONTEXT, Divergence
from packline.store.codec import dumps
from packline.store.journal import OF_PICTURES
from packline.store.recorded import Recorded

COLUMNS = ("seq", "at", "kind", "subject", "order_id", "station", "actor", "data")
"""What two runs must have alike; hashes are left out, for they chain the bytes of pictures, which a machine may draw otherwise."""


def difference(recorded: Recorded, again: Recorded) -> tuple[int, Divergence | None]:
    """Give how many rows are alike, and the first pair that is not."""
    before: deque[Mapping[str, Any]] = deque(maxlen=CONTEXT)
    theirs, ours = recorded.journal(), again.journal()
    same = 0
    for row, mine in zip_longest(theirs, ours):
        what = _what_differs(row, mine)
        if what is not None:
            return same, _divergence(row, mine, what, tuple(before), _some(theirs))
        same += 1
        before.append(row)
    return same, None


def _what_differs(row: Mapping[str, Any] | None, mine: Mapping[str, Any] | None) -> str | None:
    if row is None or mine is None:
        return "kind"
    return next((name for name in COLUMNS if _value(row, name) != _value(mine, name)), None)


def _divergence(
    row: Mapping[str, Any] | None,
    mine: Mapping[str, Any] | None,
    what: str,
    before: tuple[Mapping[str, Any], ...],
    after: tuple[Mapping[str, Any], ...],
) -> Divergence:
    either = row or mine or {}
    return Divergence(
        seq=either["seq"],
        rule="run again",
        subject=either["subject"],
        seen=_shown(row, what),
        expected=_shown(mine, what),
        row=row or {},
        before=before,
        after=after,
    )


def _shown(row: Mapping[str, Any] | None, what: str) -> str:
    return (
        f"{row['kind']}, {what} {dumps(_value(row, what))[:300]}"
        if row is not None
        else "no such row: the journal is at its end"
    )


def _value(row: Mapping[str, Any], name: str) -> Any:
    if name != "data":
        return row[name]
    return {key: value for key, value in row["data"].items() if key not in OF_PICTURES}


def _some(rows: Iterator[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    return tuple(row for _, row in zip(range(CONTEXT), rows, strict=False))
