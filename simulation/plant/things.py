"""The things on the floor: pieces, cartons, label paper, and the places they lie at."""

from __future__ import annotations

from dataclasses import dataclass, field

from PIL import Image

HANDS = "hands"
SHELF = "shelf"
GONE = "gone"
BIN = "bin"


@dataclass(slots=True, kw_only=True, eq=False)
class Piece:
    """One piece of an article. `place` is shelf, hands, table:<station>, carton:<lpn> or gone."""

    number: int
    sku: str
    place: str = HANDS


@dataclass(slots=True, kw_only=True, eq=False)
class LabelPaper:
    """One piece of label paper as it came out of a printer; `complete` tells whether every row of it was printed.

    `sscc`, `lpn`, `print_number` are what a reader finds in the dots ("" and 0 if nothing is legible). `place` is
    peel:<printer>, pad:<machine>, hands, carton:<lpn>, bin or floor.
    """

    number: int
    printer: str
    bitmap: Image.Image
    complete: bool
    sscc: str = ""
    lpn: str = ""
    print_number: int = 0
    to: str = ""
    """A word for its address; "" where that cannot be told."""
    place: str = ""
    is_copy: bool = False
    """Whether it came out by a fault of the printer, and nobody sent it."""

    def fold(self) -> None:
        """Fold it: nothing on it can be read any more."""
        self.bitmap = Image.new(self.bitmap.mode, self.bitmap.size, 1)
        self.sscc, self.lpn, self.print_number, self.to = "", "", 0, ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where a label sits on the carton's top: millimetres right of and below its nominal place, degrees.

    The arm's nominal place is the right half; `on_left` is where a person prefers to stick one.
    """

    right_mm: float = 0.0
    down_mm: float = 0.0
    turn_deg: float = 0.0
    on_left: bool = False


@dataclass(slots=True, kw_only=True, eq=False)
class Stuck:
    """A label on a carton."""

    label: LabelPaper
    spot: Spot


@dataclass(slots=True, kw_only=True, eq=False)
class Carton:
    """A carton with its plate. `closed_by` is "" while open, else a machine's name or "person"."""

    lpn: str
    pieces: list[Piece] = field(default_factory=list)
    closed_by: str = ""
    labels: list[Stuck] = field(default_factory=list)
    place: str = HANDS

    @property
    def closed(self) -> bool:
        """Tell whether it is sealed."""
        return bool(self.closed_by)


@dataclass(slots=True, kw_only=True, eq=False)
class Place:
    """Room for `capacity` cartons, first in first."""

    name: str
    capacity: int
    cartons: list[Carton] = field(default_factory=list)

    @property
    def full(self) -> bool:
        """Tell whether nothing more fits."""
        return len(self.cartons) >= self.capacity

    @property
    def first(self) -> Carton | None:
        """Give the carton that is next to leave."""
        return self.cartons[0] if self.cartons else None


class CannotDo(Exception):  # noqa: N818 - what the floor answers
    """The floor refuses: the thing is not there, the place is full, the carton is closed."""


def require(holds: bool, otherwise: str) -> None:
    """Raise CannotDo unless it holds."""
    if not holds:
        raise CannotDo(otherwise)
