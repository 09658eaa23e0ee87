"""Where everything lies now, and the only ways in which that can change; every change that matters leaves a fact."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import simpy
from PIL import Image

from packline.core.identity import Lpn
from simulation.plant.things import (
    BIN,
    GONE,
    HANDS,
    SHELF,
    CannotDo,
    Carton,
    LabelPaper,
    Piece,
    Place,
    Spot,
    Stuck,
)
from simulation.plant.truth import Truth

UNSEEN = Image.new("1", (1, 1), 1)
"""What is left of the dots of a label that nobody can see any more."""
UNBOUNDED = 10_000
"""Room of places that people keep tidy: hands, benches of persons."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Legible:
    """What a reader finds in a label's dots."""

    sscc: str = ""
    lpn: str = ""
    print_number: int = 0


ReadLabel = Callable[[Image.Image], Legible]


class World:
    """Things and places. Every method is one physical instant: it happens whole or raises CannotDo and changes nothing."""

    def __init__(
        self,
        env: simpy.Environment,
        truth: Truth,
        *,
        stock: dict[str, int],
        first_plate: int,
        read_label: ReadLabel,
        seed: int,
    ) -> None:
        self.env = env
        self.truth = truth
        self.shelf = Counter(stock)
        self.pieces: dict[int, Piece] = {}
        """Those that are an individual now: neither on a shelf nor gone."""
        self._taken = 0
        self.cartons: dict[str, Carton] = {}
        self.labels: dict[int, LabelPaper] = {}
        """Those that somebody may still see: neither thrown away nor gone."""
        self._printed = 0
        self.places: dict[str, Place] = {}
        self.tables: dict[str, Piece | None] = {}
        self.peels: dict[str, LabelPaper | None] = {}
        self._arrivals: dict[str, list[Callable[[Carton], None]]] = {}
        self._next_plate = first_plate
        self._read_label = read_label
        self._rng = random.Random(f"{seed}/hands")
        self._changed = env.event()
        self._watchers: list[Callable[[], None]] = []
        self.touches = 0
        """Counts every change of anything here."""
        self.add_place(HANDS, UNBOUNDED)
        self.add_place(GONE, UNBOUNDED * UNBOUNDED)

    def changed(self) -> simpy.Event:
        """Give the event of the next change of anything here."""
        return self._changed

    def add_place(self, name: str, capacity: int) -> Place:
        """Make room for cartons."""
        self.places[name] = Place(name=name, capacity=capacity)
        return self.places[name]

    def place(self, name: str) -> Place:
        """Give a place; raises CannotDo if there is none of that name."""
        if name not in self.places:
            raise CannotDo(f"there is no place {name}")
        return self.places[name]

    def on_arrival(self, place: str, tell: Callable[[Carton], None]) -> None:
        """Have `tell` called for every carton that comes to `place`."""
        self._arrivals.setdefault(place, []).append(tell)

    def on_change(self, tell: Callable[[], None]) -> None:
        """Have `tell` called after every change of anything here."""
        self._watchers.append(tell)

    # -- pieces --------------------------------------------------------------------------------------------------------

    def take_piece(self, sku: str) -> Piece | None:
        """Take one piece of `sku` off the shelf; None if there is none."""
        if self.shelf[sku] <= 0:
            return None
        self.shelf[sku] -= 1
        self._taken += 1
        piece = Piece(number=self._taken, sku=sku)
        self.pieces[piece.number] = piece
        self._tell("piece_taken", piece=piece.number, sku=sku)
        return piece

    def shelve(self, piece: Piece) -> None:
        """Put a piece that is held back on the shelf; it is counted there and no longer an individual."""
        _require(piece.place == HANDS, f"piece {piece.number} is not in hands")
        piece.place = SHELF
        del self.pieces[piece.number]
        self.shelf[piece.sku] += 1
        self._tell("piece_put_back", piece=piece.number, sku=piece.sku)

    def put_on_table(self, station: str, piece: Piece) -> None:
        """Put a piece that is held on the turntable of `station`."""
        _require(station in self.tables, f"{station} has no table")
        _require(self.tables[station] is None, f"the table of {station} is taken")
        _require(piece.place == HANDS, f"piece {piece.number} is not in hands")
        self.tables[station], piece.place = piece, f"table:{station}"
        self._wake()

    def take_from_table(self, station: str) -> Piece | None:
        """Take what lies on the turntable of `station`; None if nothing does."""
        piece = self.tables.get(station)
        if piece is not None:
            self.tables[station], piece.place = None, HANDS
            self._wake()
        return piece

    def box(self, piece: Piece, carton: Carton) -> None:
        """Put a piece that is held into an open carton."""
        _require(piece.place == HANDS, f"piece {piece.number} is not in hands")
        _require(not carton.closed, f"{carton.lpn} is closed")
        _require(carton.place != GONE, f"{carton.lpn} is gone")
        piece.place = f"carton:{carton.lpn}"
        carton.pieces.append(piece)
        self._tell("boxed", lpn=carton.lpn, piece=piece.number, sku=piece.sku)

    # -- cartons -------------------------------------------------------------------------------------------------------

    def take_carton(self) -> Carton:
        """Take a fresh carton; its plate is the next of the roll."""
        carton = Carton(lpn=Lpn.number(self._next_plate % 10**9).text)
        self._next_plate += 1
        self.cartons[carton.lpn] = carton
        self.place(HANDS).cartons.append(carton)
        self._tell("carton_taken", lpn=carton.lpn)
        return carton

    def move(self, carton: Carton, to: str) -> None:
        """Move a carton to place `to`; raises CannotDo if that is full or the carton has gone."""
        target = self.place(to)
        _require(carton.place != GONE, f"{carton.lpn} is gone")
        _require(not target.full, f"{to} is full")
        self.place(carton.place).cartons.remove(carton)
        target.cartons.append(carton)
        carton.place = to
        self._tell("moved", lpn=carton.lpn, to=to)
        for tell in self._arrivals.get(to, ()):
            tell(carton)

    def seal(self, carton: Carton, by: str) -> None:
        """Seal a carton (a sealed one gets another tape); `by` is a machine's name or "person"."""
        carton.closed_by = carton.closed_by or by
        self._tell("sealed", lpn=carton.lpn, by=by)

    def leave(self, carton: Carton) -> None:
        """Let a carton pass the door to the courier."""
        codes = [stuck.label.sscc for stuck in carton.labels]
        skus = [piece.sku for piece in carton.pieces]
        self.move(carton, GONE)
        for piece in carton.pieces:
            piece.place = GONE
            del self.pieces[piece.number]
        self._let_go(carton)
        self._tell("left_door", lpn=carton.lpn, sscc=codes, pieces=skus)

    def unpack(self, carton: Carton) -> list[Piece]:
        """Open a carton and put its pieces back on the shelf; the empty carton is thrown away."""
        _require(carton.place != GONE, f"{carton.lpn} is gone")
        pieces, carton.pieces = carton.pieces, []
        for piece in pieces:
            piece.place = SHELF
            del self.pieces[piece.number]
            self.shelf[piece.sku] += 1
        self._let_go(carton)
        self.place(carton.place).cartons.remove(carton)
        carton.place = GONE
        self.place(GONE).cartons.append(carton)
        self._tell("returned_to_shelf", lpn=carton.lpn, pieces=[piece.sku for piece in pieces])
        return pieces

    def take_out(self, sku: str, carton: Carton) -> Piece | None:
        """Take a piece out of a carton, which is cut open for it where it is sealed; None if no such piece is in it."""
        _require(carton.place != GONE, f"{carton.lpn} is gone")
        piece = next((piece for piece in carton.pieces if piece.sku == sku), None)
        if piece is None:
            return None
        if carton.closed:
            carton.closed_by = ""
            self._tell("cut_open", lpn=carton.lpn)
        carton.pieces.remove(piece)
        piece.place = HANDS
        self._tell("taken_out", lpn=carton.lpn, piece=piece.number, sku=sku)
        return piece

    # -- labels --------------------------------------------------------------------------------------------------------

    def print_label(self, printer: str, bitmap: Image.Image, *, complete: bool, is_copy: bool = False) -> LabelPaper:
        """Let a piece of label paper come out at the peel bar of `printer`, which must be free."""
        _require(self.peels.get(printer) is None, f"a label is at the peel bar of {printer}")
        read = self._read_label(bitmap)
        label = LabelPaper(
            number=self._next_label(),
            printer=printer,
            bitmap=bitmap,
            complete=complete,
            sscc=read.sscc,
            lpn=read.lpn,
            print_number=read.print_number,
            place=f"peel:{printer}",
            is_copy=is_copy,
        )
        self.labels[label.number] = label
        self.peels[printer] = label
        self._label_fact("label_printed", label, printer=printer, complete=complete)
        return label

    def copy_label(self, label: LabelPaper) -> LabelPaper:
        """Let a second print of a label be there that stuck to it all the time."""
        twin = replace(label, number=self._next_label(), is_copy=True)
        self.labels[twin.number] = twin
        self._label_fact("label_printed", twin, printer=twin.printer, complete=twin.complete)
        return twin

    def take_label(self, printer: str, to: str = HANDS) -> LabelPaper | None:
        """Take the label at the peel bar into `to` (hands or pad:<machine>); None if there is none."""
        label = self.peels.get(printer)
        if label is not None:
            self.peels[printer], label.place = None, to
            self._wake()
        return label

    def stick(self, label: LabelPaper, carton: Carton, *, by: str, spot: Spot | None = None) -> None:
        """Put a held label on a carton, whatever is on it already."""
        _require(label.place == HANDS or label.place.startswith("pad:"), f"label {label.number} is not held")
        _require(carton.place != GONE, f"{carton.lpn} is gone")
        label.place = f"carton:{carton.lpn}"
        carton.labels.append(Stuck(label=label, spot=spot or self.hand_spot(carton)))
        data = {"lpn": carton.lpn, "label_lpn": label.lpn, "by": by, "complete": label.complete}
        self._label_fact("label_applied", label, **data)

    def peel_off(self, carton: Carton) -> LabelPaper | None:
        """Take the newest label off a carton into the hands; None if it has none."""
        if not carton.labels or carton.place == GONE:
            return None
        label = carton.labels.pop().label
        label.place = HANDS
        self._label_fact("label_removed", label, lpn=carton.lpn)
        return label

    def discard(self, label: LabelPaper, *, fact: str = "label_discarded") -> None:
        """Throw a held label, or the one at a peel bar, away; `fact` is label_lost when nobody meant it."""
        _require(label.place != BIN and not label.place.startswith("carton:"), f"label {label.number} is not held")
        for printer, at_peel in self.peels.items():
            if at_peel is label:
                self.peels[printer] = None
        label.place = BIN
        self._forget(label)
        self._label_fact(fact, label)

    def _next_label(self) -> int:
        self._printed += 1
        return self._printed

    def _let_go(self, carton: Carton) -> None:
        """Nobody sees this carton again: what is printed on it need not be kept, nor what its labels look like."""
        for stuck in carton.labels:
            self._forget(stuck.label)

    def _forget(self, label: LabelPaper) -> None:
        self.labels.pop(label.number, None)
        label.bitmap = UNSEEN

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

    # -- counting ------------------------------------------------------------------------------------------------------

    def held_pieces(self) -> list[Piece]:
        """List the pieces in people's hands."""
        return [piece for piece in self.pieces.values() if piece.place == HANDS]

    def held_labels(self) -> list[LabelPaper]:
        """List the labels in people's hands."""
        return [label for label in self.labels.values() if label.place == HANDS]

    def places_of(self, prefix: str) -> Iterable[Place]:
        """Give the places whose name begins with `prefix`."""
        return (place for name, place in self.places.items() if name.startswith(prefix))

    def _label_fact(self, name: str, label: LabelPaper, **data: object) -> None:
        marked = {"copy": True} if label.is_copy else {}
        self._tell(name, sscc=label.sscc, print_number=label.print_number, label=label.number, **data, **marked)

    def _tell(self, name: str, **data: object) -> None:
        self.truth.note(name, **data)
        self._wake()

    def _wake(self) -> None:
        self.touches += 1
        changed, self._changed = self._changed, self.env.event()
        changed.succeed()
        for tell in self._watchers:
            tell()


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise CannotDo(otherwise)
