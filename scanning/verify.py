"""Turns the codes in a picture into one verdict on the label of a parcel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import combinations
from typing import Any

from packline.core.faults import Fault
from packline.core.pictures import Still
from scanning import gs1
from scanning.codes import Code, apart

MOST_STRETCH = 0.3
"""Our label's bars are 58.5 mm long and 13 mm high, so 0.22; a camera that looks on from 40 degrees makes that 0.29."""
MOST_GAP = 0.1
"""Of their length: reads of the same bars touched in all pictures tried (2026-11-23); a label that covers another leaves as much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedLabel:
    """What the books say must be on the parcel that lies before the camera."""

    lpn: str
    sscc: str
    print_number: int


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class SeenLabel:
    """One of our labels, read from its matrix mark."""

    lpn: str
    sscc: str
    print_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Everything of ours in the picture, sorted; `labels` has an entry for every label that is physically there.

    `has_bars_twice`: the bars of one SSCC are there more than once, as where a label covers half of another.
    """

    lpns: tuple[str, ...] = ()
    labels: tuple[SeenLabel, ...] = ()
    ssccs: tuple[str, ...] = ()
    has_bars_twice: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Give JSON-ready values, for evidence."""
        labels = [{"lpn": x.lpn, "sscc": x.sscc, "print_number": x.print_number} for x in self.labels]
        twice = {"has_bars_twice": True} if self.has_bars_twice else {}
        return {"lpns": list(self.lpns), "labels": labels, "ssccs": list(self.ssccs), **twice}


class VerdictKind(StrEnum):
    """What the picture proves; only MATCH proves the right label on the right parcel.

    NO_LABEL says that none was *read* beside the parcel's plate: it is no proof that none is there.
    """

    MATCH = "match"
    NO_LABEL = "no_label"
    WRONG_LABEL = "wrong_label"
    OLD_LABEL = "old_label"
    NO_LPN = "no_lpn"
    WRONG_PARCEL = "wrong_parcel"
    DOUBLED = "doubled"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The judgement and what it rests on."""

    kind: VerdictKind
    seen: Seen

    @property
    def ok(self) -> bool:
        """Tell whether the right label is proved on the right parcel."""
        return self.kind is VerdictKind.MATCH


def judge(codes: Sequence[Code], expected: ExpectedLabel) -> Verdict:
    """Judge the parcel by every code in its picture; pure. The order of `codes` does not matter.

    The parcel is told by the carton's own plate, never by the label. One label too many outweighs one right label.
    """
    seen = look(codes)
    return Verdict(kind=_kind(seen, expected), seen=seen)


def look(codes: Sequence[Code]) -> Seen:
    """Pick out what is ours; articles' own barcodes and unknown texts are passed over.

    Two marks with the same text at two places are two labels, and so are bars that reach further than one label's.
    """
    single = apart(list(codes))
    read = [gs1.parse(code.text, code.aim) for code in single]
    return Seen(
        lpns=tuple(sorted({r.value for r in read if r.kind is gs1.Kind.LPN})),
        labels=tuple(sorted(SeenLabel(**r.extra) for r in read if r.kind is gs1.Kind.LABEL)),
        ssccs=tuple(sorted({r.value for r in read if r.kind is gs1.Kind.SSCC})),
        has_bars_twice=_are_bars_twice(
            [(r.value, code) for r, code in zip(read, single, strict=True) if r.kind is gs1.Kind.SSCC]
        ),
    )


def _are_bars_twice(bars: Sequence[tuple[str, Code]]) -> bool:
    if any(code.stretch > MOST_STRETCH for _, code in bars):
        return True
    return any(
        one == other and first.box.gap(second.box) > MOST_GAP * max(first.box.length, second.box.length)
        for (one, first), (other, second) in combinations(bars, 2)
    )


def require_fresh(still: Still, *, asked_at: datetime, last_frame: int | None) -> None:
    """Raise Fault 1005 unless the frame was exposed after `asked_at` and its counter is beyond `last_frame`."""
    if still.captured_at <= asked_at:
        seen, expected = f"a frame of {still.captured_at.isoformat()}", f"one after {asked_at.isoformat()}"
        raise Fault(1005, where=still.camera, seen=seen, expected=expected)
    if last_frame is not None and still.frame <= last_frame:
        raise Fault(1005, where=still.camera, seen=f"frame {still.frame}", expected=f"one beyond {last_frame}")


def _kind(seen: Seen, expected: ExpectedLabel) -> VerdictKind:
    """First rule that holds decides; dangers before absences."""
    foreign = [_label_kind(label, expected) for label in seen.labels]
    rules = (
        (not (seen.lpns or seen.labels or seen.ssccs), VerdictKind.UNREADABLE),
        (any(lpn != expected.lpn for lpn in seen.lpns), VerdictKind.WRONG_PARCEL),
        (len(seen.labels) > 1 or seen.has_bars_twice, VerdictKind.DOUBLED),
        (VerdictKind.WRONG_LABEL in foreign, VerdictKind.WRONG_LABEL),
        (VerdictKind.OLD_LABEL in foreign, VerdictKind.OLD_LABEL),
        (any(sscc != expected.sscc for sscc in seen.ssccs), VerdictKind.WRONG_LABEL),
        (not seen.lpns, VerdictKind.NO_LPN),
        (bool(seen.labels and seen.ssccs), VerdictKind.MATCH),
        # bars alone do not tell a reprint from its voided original; the mark alone may be on half a label, and the
        # courier has to read the bars
        (bool(seen.labels or seen.ssccs), VerdictKind.UNREADABLE),
    )
    return next((kind for holds, kind in rules if holds), VerdictKind.NO_LABEL)


def _label_kind(label: SeenLabel, expected: ExpectedLabel) -> VerdictKind:
    if label == SeenLabel(lpn=expected.lpn, sscc=expected.sscc, print_number=expected.print_number):
        return VerdictKind.MATCH
    is_older = label.lpn == expected.lpn and label.print_number < expected.print_number
    return VerdictKind.OLD_LABEL if is_older else VerdictKind.WRONG_LABEL


def shows_plate_and_label(codes: Sequence[Code]) -> bool:
    """Tell whether a parcel's plate and a whole label are among `codes`; hand it to `decode` as `is_enough`."""
    seen = look(codes)
    return bool(seen.lpns and seen.labels and seen.ssccs)
