"""The induct operator: picks, scans, lays on the table, boxes, sends on; does what the screen says, with what is there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from simulation.people.crew import Crew, at_work
from simulation.people.desk import StationView, Told
from simulation.people.strays import STRAY_S, Strays
from simulation.plant.things import GONE, HANDS, Carton, Piece

NOT_WANTED = "4104"
UNKNOWN_CARTON = "4106"
_STEADY = frozenset({"pick", "idle"})
SLOW_SCREEN_S = 6.0
"""Wall time for which an instruction that was carried out and answered is not carried out again: the screen may be slow."""
MISSING_PIECE_S = 3.0
"""Wall time after which a piece that is neither on the table nor in the hand is called missing."""


class InductOperator:
    """One person at one turntable. Only this person holds pieces, so every held piece is in these hands."""

    def __init__(self, crew: Crew, station: str, *, stray_s: float = STRAY_S) -> None:
        self._crew, self._station = crew, station
        self._empty: Carton | None = None
        self._current: Piece | None = None
        self._boxing: tuple[Piece, Carton, Told] | None = None
        self._done: tuple[Told | None, float] = (None, 0.0)
        self._missing_since: float | None = None
        self._counts = 0
        self._strays = Strays(crew.clock, stray_s)
        self._moves: Mapping[str, Callable[[StationView], Awaitable[None]]] = {
            "pick": self._pick,
            "place_on_table": self._place,
            "photographing": self._ahead,
            "box": self._box,
            "put_back": self._put_back,
            "send_on": self._send_on,
            "idle": self._tidy,
        }

    async def run(self) -> None:
        """Work until cancelled."""
        await at_work(self._crew, self._station, self.step)

    async def step(self, view: StationView) -> None:
        """Do the one thing that the screen says now."""
        if self._boxing is not None:
            await self._finish_boxing(*self._boxing)
            return
        if view.next == self._done[0] and self._crew.clock.monotonic() - self._done[1] < SLOW_SCREEN_S:
            return
        if self._crew.recount.ordered > self._counts and view.next.key in _STEADY:
            self._counts = self._crew.recount.ordered
            await self._count_cartons()
            return
        if view.next.key in _STEADY and (stray := self._strays.found(view, self._crew.floor.cartons_at(self._station))):
            await self._show_stray(stray)
        elif move := self._moves.get(view.next.key):
            await move(view)

    # -- pieces --------------------------------------------------------------------------------------------------------

    async def _pick(self, view: StationView) -> None:
        await self._clear_table()
        piece = await self._fetch(view.next["sku"])
        if piece is None:
            await self._say_short(view)
            return
        answer = await self._scan(self._crew.barcodes.get(piece.sku, piece.sku))
        if answer is None:
            return
        if answer.key == "place_on_table":
            self._did(view.next)
            self._current = piece
            await self._crew.floor.put_on_table(self._station, piece)
        elif answer["code"] == NOT_WANTED:
            await self._crew.floor.put_back(piece)

    def _did(self, told: Told) -> None:
        self._done = (told, self._crew.clock.monotonic())

    async def _place(self, view: StationView) -> None:
        sku = view.next["sku"]
        lying = self._crew.floor.table(self._station)
        if lying is not None and lying.sku == sku:
            return
        await self._clear_table()
        self._current = await self._fetch(sku)
        if self._current is not None:
            await self._crew.floor.put_on_table(self._station, self._current)

    async def _ahead(self, view: StationView) -> None:
        """Fetch the next piece while the camera works."""
        picks = [task for task in view.tasks if task.key == "pick"]
        if picks and not self._crew.floor.held_pieces():
            await self._fetch(picks[0]["sku"])

    async def _put_back(self, view: StationView) -> None:
        await self._clear_table()
        for piece in self._crew.floor.held_pieces():
            if piece.sku == view.next["sku"]:
                await self._crew.floor.put_back(piece)
                break
        await self._scan("DO:DONE")

    async def _tidy(self, view: StationView) -> None:
        for piece in self._crew.floor.held_pieces():
            await self._crew.floor.put_back(piece)

    async def _fetch(self, sku: str) -> Piece | None:
        for piece in self._crew.floor.held_pieces():
            if piece.sku == sku:
                return piece
        return await self._crew.floor.take_piece(sku)

    async def _clear_table(self) -> None:
        if self._crew.floor.table(self._station) is not None:
            piece = await self._crew.floor.take_from_table(self._station)
            if piece is not None:
                await self._crew.floor.put_back(piece)

    async def _say_short(self, view: StationView) -> None:
        """Say that the shelf is empty; never twice for the sake of a lost answer, it would be said of the next item."""
        now = self._crew.desk.station(self._station)
        if now is not None and now.next.key == "pick" and now.next["unit"] == view.next["unit"]:
            if await self._scan("DO:SHORT") is not None:
                self._did(view.next)

    # -- cartons -------------------------------------------------------------------------------------------------------

    async def _box(self, view: StationView) -> None:
        piece = await self._piece_to_box()
        if piece is None:
            await self._say_missing()
            return
        self._missing_since = None
        carton = await self._carton(view.next["lpn"])
        self._boxing = (piece, carton, view.next)
        await self._finish_boxing(*self._boxing)

    async def _piece_to_box(self) -> Piece | None:
        """Take the piece off the table; what was only fetched ahead for the next instruction is not it."""
        if self._crew.floor.table(self._station) is not None:
            return await self._crew.floor.take_from_table(self._station)
        return self._current if self._current in self._crew.floor.held_pieces() else None

    async def _say_missing(self) -> None:
        now = self._crew.clock.monotonic()
        self._missing_since = self._missing_since or now
        if now - self._missing_since >= MISSING_PIECE_S:
            self._missing_since = None
            await self._scan("DO:NOTDONE")

    async def _carton(self, lpn: str) -> Carton:
        carton = self._crew.floor.carton(lpn) if lpn else None
        if carton is not None and not carton.closed and carton.place in (HANDS, self._station):
            return carton
        if self._empty is None:
            self._empty = await self._crew.floor.fresh_carton()
        return self._empty

    async def _finish_boxing(self, piece: Piece, carton: Carton, told: Told) -> None:
        """Scan the plate until it is answered; only then does the piece go in, and only where the answer says so."""
        answer = await self._scan(carton.lpn)
        if answer is None:
            return
        self._boxing = None
        if answer.key in ("place_on_table", "place_first", "pictures_first"):
            await self._crew.floor.put_on_table(self._station, piece)
        elif answer.key in ("carton_ok", "send_on"):
            self._did(told)
            self._current = None
            await self._take_out_of_the_other(piece.sku, told["unit"], carton)
            await self._crew.floor.put_in_carton(piece, carton)
            self._crew.recount.note(told["unit"], carton.lpn)
            self._empty = None if carton is self._empty else self._empty
            await self._put_away(carton, answer)
        elif carton is self._empty:
            self._strays.is_mine(carton)
            await self._crew.floor.put_down(carton, self._station)
            self._empty = None

    async def _take_out_of_the_other(self, sku: str, unit: str, carton: Carton) -> None:
        """The books have forgotten that this unit was boxed before: what the packing list says comes out of that carton."""
        before = self._crew.floor.carton(self._crew.recount.boxed.get(unit, ""))
        if before is None or before.place == GONE:
            return
        while before is not carton and before.labels:
            if (label := await self._crew.floor.peel_off(before)) is not None:
                await self._crew.floor.discard(label)
        if (old := await self._crew.floor.take_out(sku, before)) is not None:
            await self._crew.floor.put_back(old)

    async def _put_away(self, carton: Carton, answer: Told) -> None:
        if answer.key == "send_on":
            await self._crew.deliver(carton, answer["to"], wait=True)
        elif carton.place == HANDS:
            self._strays.is_mine(carton)
            await self._crew.floor.put_down(carton, self._station)

    async def _show_stray(self, carton: Carton) -> None:
        """Scan a carton that somebody put down here, and bring it where the answer says."""
        answer = await self._scan(carton.lpn)
        if answer is None:
            return
        if answer.key == "send_on":
            await self._crew.deliver(carton, answer["to"], wait=True)
        elif answer["code"] == UNKNOWN_CARTON:
            await self._crew.deliver(carton, self._crew.station_of("clarification"))
        elif answer.key == "carton_ok":
            self._strays.is_mine(carton)

    async def _send_on(self, view: StationView) -> None:
        carton = self._crew.floor.carton(view.next["lpn"])
        if carton is None or carton.place not in (HANDS, self._station):
            return
        answer = await self._scan(carton.lpn)
        if answer is not None and answer.key == "send_on":
            self._did(view.next)
            await self._crew.deliver(carton, answer["to"], wait=True)

    async def _count_cartons(self) -> None:
        """The books are older than the floor: cartons here that they do not know go to clarification."""
        for carton in self._crew.floor.cartons_at(self._station):
            answer = await self._scan(carton.lpn)
            if answer is not None and answer["code"] == UNKNOWN_CARTON:
                await self._crew.deliver(carton, self._crew.station_of("clarification"))

    async def _scan(self, text: str) -> Told | None:
        return await self._crew.scan(self._station, text)
