"""What people can physically do on the floor; a person cancelled in the middle leaves the floor as it was before that step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from simulation.motion import Motion
from simulation.plant.things import HANDS, CannotDo, Carton, LabelPaper, Piece
from simulation.plant.world import World
from simulation.quirks import Quirks
from simulation.spec import MotionTimes

T = TypeVar("T")

AWAY_LOOK_S = 2.0
"""Simulated seconds between two looks whether somebody is back."""

Show = Callable[[str], None]
"""Shows a code, with its AIM prefix, to a hand scanner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fittings:
    """What stands on the floor for people to use, by name: hand scanners, panels of machines, printers to load."""

    scanners: Mapping[str, Show] = field(default_factory=dict)
    panels: Mapping[str, Callable[[int], bool]] = field(default_factory=dict)
    printers: Mapping[str, Callable[[], None]] = field(default_factory=dict)


class Floor:
    """The plant as a person meets it. Every verb takes its motion time first and then happens in one instant.

    What a person holds stays in the world's hands (`held_pieces`, `cartons_at("hands")`, `held_labels`), so that somebody else
    can go on when the person is called away. Raises CannotDo for what is physically impossible.
    """

    def __init__(self, world: World, motion: Motion, times: MotionTimes, fittings: Fittings) -> None:
        self._world = world
        self._motion = motion
        self._times = times
        self._fittings = fittings
        self.quirks = Quirks()
        """`away`: nobody moves a hand; `wrong_item` and `wrong_item_down` strike what is taken and what is put down."""

    # -- pieces --------------------------------------------------------------------------------------------------------

    async def take_piece(self, sku: str) -> Piece | None:
        """Fetch one piece of `sku` from its shelf; None if the shelf is empty."""
        await self._work(self._times.take_piece_s)
        wanted = self._other(sku) if self.quirks.hits("wrong_item") else sku
        return self._do(lambda: self._world.take_piece(wanted))

    async def put_back(self, piece: Piece) -> None:
        """Put a held piece back on its shelf."""
        await self._work(self._times.carry_s)
        self._do(lambda: self._world.shelve(piece))

    def held_pieces(self) -> list[Piece]:
        """List the pieces in people's hands."""
        return self._world.held_pieces()

    async def put_on_table(self, station: str, piece: Piece) -> None:
        """Put a held piece on the turntable; raises CannotDo if it is taken."""
        await self._work(self._times.handle_s)
        self._do(lambda: self._world.put_on_table(station, self._swapped(piece)))

    async def take_from_table(self, station: str) -> Piece | None:
        """Take the piece off the turntable; None if it is empty."""
        await self._work(self._times.handle_s)
        return self._do(lambda: self._world.take_from_table(station))

    def table(self, station: str) -> Piece | None:
        """See what lies on the turntable."""
        return self._world.tables.get(station)

    async def put_in_carton(self, piece: Piece, carton: Carton) -> None:
        """Put a held piece into an open carton."""
        await self._work(self._times.handle_s)
        self._do(lambda: self._world.box(piece, carton))

    async def take_out(self, sku: str, carton: Carton) -> Piece | None:
        """Take a piece out of a carton, cutting it open if need be; None if no such piece is in it."""
        await self._work(self._times.unpack_s)
        return self._do(lambda: self._world.take_out(sku, carton))

    # -- cartons -------------------------------------------------------------------------------------------------------

    async def fresh_carton(self) -> Carton:
        """Take a new carton; its plate has never been seen before in the twin's life."""
        await self._work(self._times.take_carton_s)
        return self._do(self._world.take_carton)

    def cartons_at(self, place: str) -> list[Carton]:
        """See the cartons at a place, the next to leave first.

        Places: a station's name (at its stop), "infeed:<station>", "lane:<station>:<n>", "slot:<name>", "hands".
        """
        return list(self._world.place(place).cartons)

    def carton(self, lpn: str) -> Carton | None:
        """Find a carton by its plate, wherever it is."""
        return self._world.cartons.get(lpn)

    async def send(self, carton: Carton, station: str) -> None:
        """Put a carton onto the infeed of a station, or before a station without one; waits while that is full."""
        infeed = f"infeed:{station}"
        await self.put_down(carton, infeed if infeed in self._world.places else station, wait=True)

    async def pick_up(self, carton: Carton) -> None:
        """Take a carton into the hands, from wherever it stands."""
        await self._work(self._times.handle_s)
        self._do(lambda: self._world.move(carton, HANDS))

    async def put_down(self, carton: Carton, place: str, *, wait: bool = False) -> None:
        """Carry a carton to `place`; if that is full, `wait` there or raise CannotDo (the carton stays in the hands)."""
        await self._work(self._times.carry_s)
        while wait and self._world.place(place).full:
            await self._motion.until(self._world.changed)
        self._do(lambda: self._world.move(carton, place))

    async def close_carton(self, carton: Carton) -> None:
        """Close and tape a carton by hand."""
        await self._work(self._times.close_carton_s)
        self._do(lambda: self._world.seal(carton, "person"))

    async def unpack(self, carton: Carton) -> list[Piece]:
        """Open a carton and put what was in it back on the shelf."""
        await self._work(self._times.unpack_s)
        return self._do(lambda: self._world.unpack(carton))

    # -- labels --------------------------------------------------------------------------------------------------------

    async def take_label(self, printer: str) -> LabelPaper | None:
        """Take the label at the printer's peel bar; None if there is none."""
        await self._work(self._times.handle_s)
        return self._do(lambda: self._world.papers.take(printer))

    def label_at(self, printer: str) -> LabelPaper | None:
        """See the label at the printer's peel bar."""
        return self._world.papers.at_peel.get(printer)

    def held_labels(self) -> list[LabelPaper]:
        """List the labels in people's hands."""
        return self._world.papers.held()

    async def stick(self, label: LabelPaper, carton: Carton) -> None:
        """Stick a held label on a carton, whatever is on it already."""
        await self._work(self._times.stick_label_s)
        self._do(lambda: self._world.papers.stick(label, carton, by="person"))

    async def peel_off(self, carton: Carton) -> LabelPaper | None:
        """Take the newest label off a carton; None if it has none."""
        await self._work(self._times.stick_label_s)
        return self._do(lambda: self._world.papers.peel_off(carton))

    async def discard(self, label: LabelPaper) -> None:
        """Throw a label away."""
        await self._work(self._times.handle_s)
        self._do(lambda: self._world.papers.discard(label))

    # -- eyes and scanners ---------------------------------------------------------------------------------------------

    async def scan(self, scanner: str, text: str) -> None:
        """Show `text` to a hand scanner, which sends it with the AIM prefix of its kind of code.

        An SSCC is shown as 00 and its 18 digits. Raises CannotDo if there is no such scanner.
        """
        show = _find(self._fittings.scanners, scanner, "hand scanner")
        await self._work(self._times.scan_s)
        self._do(lambda: show(aim_prefix(text) + text))

    async def press(self, machine: str, command: int) -> bool:
        """Press a PackML command (a CntrlCmd number) on a machine's panel; False if its state does not know it."""
        panel = _find(self._fittings.panels, machine, "panel")
        await self._work(self._times.handle_s)
        return self._do(lambda: panel(command))

    async def load_paper(self, printer: str) -> None:
        """Put a fresh roll into a printer."""
        load = _find(self._fittings.printers, printer, "printer")
        await self._work(self._times.close_carton_s)
        self._do(load)

    def look(self, carton: Carton) -> dict[str, Any]:
        """Say what a person sees of a carton: plate, sealed or not, its pieces while open, its labels (newest last)."""
        labels = [
            {"sscc": s.label.sscc, "print_number": s.label.print_number, "complete": s.label.complete}
            for s in carton.labels
        ]
        skus = [] if carton.closed else [piece.sku for piece in carton.pieces]
        return {"plate": carton.lpn, "sealed": carton.closed, "pieces": skus, "labels": labels, "place": carton.place}

    async def _work(self, sim_s: float) -> None:
        """Take the time that a motion takes; who is away begins it when he is back."""
        while "away" in self.quirks:
            await self._motion.sleep(AWAY_LOOK_S)
        await self._motion.sleep(sim_s)

    def _other(self, sku: str) -> str:
        """Give the next article on the shelf that is another one."""
        there = [other for other, count in sorted(self._world.shelf.items()) if count > 0 and other != sku]
        return next((other for other in there if other > sku), next(iter(there), sku))

    def _swapped(self, piece: Piece) -> Piece:
        """Give the piece that is put down: by mistake that of another article, and the right one goes back to its shelf."""
        if not self.quirks.hits("wrong_item_down"):
            return piece
        other = self._world.take_piece(self._other(piece.sku))
        if other is None:
            return piece
        self._world.shelve(piece)
        return other

    def _do(self, act: Callable[[], T]) -> T:
        return self._motion.do(act)


def _find(fittings: Mapping[str, T], name: str, kind: str) -> T:
    if name not in fittings:
        raise CannotDo(f"there is no {kind} {name}")
    return fittings[name]


def aim_prefix(text: str) -> str:
    """Give the AIM symbology identifier of the code that `text` is printed as."""
    if text.isdigit() and len(text) == 20 and text.startswith("00"):
        return "]C1"
    if text.isdigit() and len(text) in (12, 13):
        return "]E0"
    if text.isdigit() and len(text) == 8:
        return "]E4"
    return "]d1" if text.startswith("PK1|") else "]C0"
