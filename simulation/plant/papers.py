"""The labels that came out of the printers: where each is, and the only ways in which that can change."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from PIL import Image

from simulation.plant.things import BIN, GONE, HANDS, Carton, LabelPaper, Spot, Stuck, require

ANYWHERE = Spot()
UNSEEN = Image.new("1", (1, 1), 1)
"""What is left of the dots of a label that nobody can see any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Legible:
    """What a reader finds in a label's dots; `to` stands for its address, "" where that cannot be told."""

    sscc: str = ""
    lpn: str = ""
    print_number: int = 0
    to: str = ""


ReadLabel = Callable[[Image.Image], Legible]


class Tell(Protocol):
    """Notes a fact of the plant and lets everybody know that something changed."""

    def __call__(self, name: str, **data: object) -> None: ...


class Papers:
    """Label paper. As in the world, every method happens whole or raises CannotDo and changes nothing.

    `visible` holds by number those that somebody may still see: neither thrown away nor gone; `at_peel` what is at the peel bar
    of each printer.
    """

    def __init__(self, *, read_label: ReadLabel, rng: random.Random, tell: Tell, wake: Callable[[], None]) -> None:
        self.visible: dict[int, LabelPaper] = {}
        self.at_peel: dict[str, LabelPaper | None] = {}
        self._printed = 0
        self._read, self._rng, self._tell, self._wake = read_label, rng, tell, wake

    def come_out(self, printer: str, bitmap: Image.Image, *, complete: bool, is_copy: bool = False) -> LabelPaper:
        """Let a piece of label paper come out at the peel bar of `printer`, which must be free."""
        require(self.at_peel.get(printer) is None, f"a label is at the peel bar of {printer}")
        read = self._read(bitmap)
        label = LabelPaper(
            number=self._next_label(),
            printer=printer,
            bitmap=bitmap,
            complete=complete,
            sscc=read.sscc,
            lpn=read.lpn,
            print_number=read.print_number,
            to=read.to,
            place=f"peel:{printer}",
            is_copy=is_copy,
        )
        self.visible[label.number] = label
        self.at_peel[printer] = label
        self._fact("label_printed", label, printer=printer, complete=complete)
        return label

    def copy(self, label: LabelPaper) -> LabelPaper:
        """Let a second print of a label be there that stuck to it all the time."""
        twin = replace(label, number=self._next_label(), is_copy=True)
        self.visible[twin.number] = twin
        self._fact("label_printed", twin, printer=twin.printer, complete=twin.complete)
        return twin

    def take(self, printer: str, to: str = HANDS) -> LabelPaper | None:
        """Take the label at the peel bar into `to` (hands or pad:<machine>); None if there is none."""
        label = self.at_peel.get(printer)
        if label is not None:
            self.at_peel[printer], label.place = None, to
            self._wake()
        return label

    def stick(self, label: LabelPaper, carton: Carton, *, by: str, spot: Spot | None = None) -> None:
        """Put a held label on a carton, whatever is on it already."""
        require(label.place == HANDS or label.place.startswith("pad:"), f"label {label.number} is not held")
        require(carton.place != GONE, f"{carton.lpn} is gone")
        label.place = f"carton:{carton.lpn}"
        carton.labels.append(Stuck(label=label, spot=spot or self.hand_spot(carton)))
        data = {"lpn": carton.lpn, "label_lpn": label.lpn, "by": by, "complete": label.complete}
        data |= {"to": label.to} if label.to else {}
        self._fact("label_applied", label, **data)

    def peel_off(self, carton: Carton) -> LabelPaper | None:
        """Take the newest label off a carton into the hands; None if it has none."""
        if not carton.labels or carton.place == GONE:
            return None
        label = carton.labels.pop().label
        label.place = HANDS
        self._fact("label_removed", label, lpn=carton.lpn)
        return label

    def lose(self, label: LabelPaper, *, by: str) -> None:
        """Let a held label fall where nobody meant it to, by a machine's fault."""
        self.discard(label, fact="label_lost", by=by)

    def discard(self, label: LabelPaper, *, fact: str = "label_discarded", **data: object) -> None:
        """Throw a held label, or the one at a peel bar, away."""
        require(label.place != BIN and not label.place.startswith("carton:"), f"label {label.number} is not held")
        for printer, lies in self.at_peel.items():
            if lies is label:
                self.at_peel[printer] = None
        label.place = BIN
        self._forget(label)
        self._fact(fact, label, **data)

    def let_go(self, carton: Carton) -> None:
        """Nobody sees this carton again: what its labels look like, and where they sit on it, need not be kept."""
        for stuck in carton.labels:
            self._forget(stuck.label)
            stuck.label.place, stuck.spot = GONE, ANYWHERE
        carton.labels = [*carton.labels]  # of the size it has; one that grew has room for more

    def held(self) -> list[LabelPaper]:
        """List those in people's hands."""
        return [label for label in self.visible.values() if label.place == HANDS]

    def arm_spot(self) -> Spot:
        """Give a place as exact as an arm is."""
        return self._spot(2.0, on_left=False)

    def hand_spot(self, carton: Carton) -> Spot:
        """Give a place as exact as a person is, beside a label that is on the carton already, if there is room."""
        taken = {stuck.spot.on_left for stuck in carton.labels}
        return self._spot(3.0, on_left=True not in taken or False in taken)

    def _spot(self, spread: float, *, on_left: bool) -> Spot:
        return Spot(
            right_mm=self._rng.uniform(-spread, spread),
            down_mm=self._rng.uniform(-spread, spread),
            turn_deg=self._rng.uniform(-spread, spread) * 0.75,
            on_left=on_left,
        )

    def _next_label(self) -> int:
        self._printed += 1
        return self._printed

    def _forget(self, label: LabelPaper) -> None:
        self.visible.pop(label.number, None)
        label.bitmap = UNSEEN

    def _fact(self, name: str, label: LabelPaper, **data: object) -> None:
        marked = {"copy": True} if label.is_copy else {}
        self._tell(name, sscc=label.sscc, print_number=label.print_number, label=label.number, **data, **marked)
