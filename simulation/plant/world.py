"""Where pieces and cartons lie now, and the only ways in which that can change; every change that matters leaves a fact."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable
from sys import intern

import simpy

from packline.core.identity import Lpn
from simulation.plant.papers import Papers, ReadLabel
from simulation.plant.things import GONE, HANDS, SHELF, CannotDo, Carton, Piece, Place, require
from simulation.plant.truth import Truth

UNBOUNDED = 10_000
"""Room of places that people keep tidy: hands, benches of persons."""


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
        self.places: dict[str, Place] = {}
        self.tables: dict[str, Piece | None] = {}
        self._arrivals: dict[str, list[Callable[[Carton], None]]] = {}
        self._next_plate = first_plate
        self.papers = Papers(
            read_label=read_label, rng=random.Random(f"{seed}/hands"), tell=self._tell, wake=self._wake
        )
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
        require(piece.place == HANDS, f"piece {piece.number} is not in hands")
        piece.place = SHELF
        del self.pieces[piece.number]
        self.shelf[piece.sku] += 1
        self._tell("piece_put_back", piece=piece.number, sku=piece.sku)

    def put_on_table(self, station: str, piece: Piece) -> None:
        """Put a piece that is held on the turntable of `station`."""
        require(station in self.tables, f"{station} has no table")
        require(self.tables[station] is None, f"the table of {station} is taken")
        require(piece.place == HANDS, f"piece {piece.number} is not in hands")
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
        require(piece.place == HANDS, f"piece {piece.number} is not in hands")
        require(not carton.closed, f"{carton.lpn} is closed")
        require(carton.place != GONE, f"{carton.lpn} is gone")
        piece.place = f"carton:{carton.lpn}"
        carton.pieces.append(piece)
        self._tell("boxed", lpn=carton.lpn, piece=piece.number, sku=piece.sku)

    # -- cartons -------------------------------------------------------------------------------------------------------

    def take_carton(self) -> Carton:
        """Take a fresh carton; its plate is the next of the roll."""
        carton = Carton(lpn=intern(Lpn.number(self._next_plate % 10**9).text))
        self._next_plate += 1
        self.cartons[carton.lpn] = carton
        self.place(HANDS).cartons.append(carton)
        self._tell("carton_taken", lpn=carton.lpn)
        return carton

    def move(self, carton: Carton, to: str) -> None:
        """Move a carton to place `to`; raises CannotDo if that is full or the carton has gone."""
        target = self.place(to)
        require(carton.place != GONE, f"{carton.lpn} is gone")
        require(not target.full, f"{to} is full")
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
        carton.pieces = [*carton.pieces]  # of the size it has; one that grew has room for more
        self.papers.let_go(carton)
        self._tell("left_door", lpn=carton.lpn, sscc=codes, pieces=skus)

    def unpack(self, carton: Carton) -> list[Piece]:
        """Open a carton and put its pieces back on the shelf; the empty carton is thrown away."""
        require(carton.place != GONE, f"{carton.lpn} is gone")
        pieces, carton.pieces = carton.pieces, []
        for piece in pieces:
            piece.place = SHELF
            del self.pieces[piece.number]
            self.shelf[piece.sku] += 1
        self.papers.let_go(carton)
        self.place(carton.place).cartons.remove(carton)
        carton.place = GONE
        self.place(GONE).cartons.append(carton)
        self._tell("returned_to_shelf", lpn=carton.lpn, pieces=[piece.sku for piece in pieces])
        return pieces

    def take_out(self, sku: str, carton: Carton) -> Piece | None:
        """Take a piece out of a carton, which is cut open for it where it is sealed; None if no such piece is in it."""
        require(carton.place != GONE, f"{carton.lpn} is gone")
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

    # -- counting ------------------------------------------------------------------------------------------------------

    def held_pieces(self) -> list[Piece]:
        """List the pieces in people's hands."""
        return [piece for piece in self.pieces.values() if piece.place == HANDS]

    def places_of(self, prefix: str) -> Iterable[Place]:
        """Give the places whose name begins with `prefix`."""
        return (place for name, place in self.places.items() if name.startswith(prefix))

    def _tell(self, name: str, **data: object) -> None:
        self.truth.note(name, **data)
        self._wake()

    def _wake(self) -> None:
        self.touches += 1
        changed, self._changed = self._changed, self.env.event()
        changed.succeed()
        for tell in self._watchers:
            tell()
