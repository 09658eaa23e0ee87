"""A person's hands over the truth channel: where no virtual people move things, whoever tests a line does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

from simulation.plant.floor import Floor
from simulation.plant.things import HANDS, CannotDo, Carton, LabelPaper, Piece
from simulation.spec import CONVEYED, PlantSpec

T = TypeVar("T")


class HandsOrder(BaseModel):
    """POST /hands: one thing that a person does; VERBS says which of the words belong to which verb."""

    model_config = ConfigDict(extra="forbid")

    do: str
    sku: str = ""
    station: str = ""
    lpn: str = ""
    to: str = ""
    printer: str = ""
    scanner: str = ""
    text: str = ""


class Hands:
    """Two hands that hold any number of things; of what is held, the newest is used."""

    def __init__(self, floor: Floor, plant: PlantSpec) -> None:
        self.floor = floor
        self._belts = {s.name: f"infeed:{s.name}" for s in plant.stations if s.kind in CONVEYED}

    async def work(self, order: HandsOrder) -> dict[str, Any]:
        """Do one thing and say what is held then; raises ValueError for a wrong order, CannotDo for the impossible."""
        words, act = VERBS.get(order.do, ((), None))
        missing = [word for word in words if not getattr(order, word)]
        if act is None or missing:
            raise ValueError(f"{order.do!r} lacks {', '.join(missing)}" if act else f"do is one of {', '.join(VERBS)}")
        await act(self, order)
        return self.held()

    def held(self) -> dict[str, Any]:
        """Say what is in the hands, the newest last."""
        return {
            "pieces": [piece.sku for piece in self.floor.held_pieces()],
            "cartons": [carton.lpn for carton in self.floor.cartons_at(HANDS)],
            "labels": [label.sscc for label in self.floor.held_labels()],
        }

    def carton(self, lpn: str) -> Carton:
        """Give the carton that carries a plate."""
        return _there(self.floor.carton(lpn), f"there is no carton {lpn}")

    def piece(self) -> Piece:
        """Give the newest piece in the hands."""
        return _there(next(reversed(self.floor.held_pieces()), None), "no piece is in the hands")

    def label(self) -> LabelPaper:
        """Give the newest label in the hands."""
        return _there(next(reversed(self.floor.held_labels()), None), "no label is in the hands")

    async def take(self, sku: str) -> None:
        """Fetch a piece from its shelf."""
        _there(await self.floor.take_piece(sku), f"no {sku} is on the shelf")

    async def move(self, carton: Carton, to: str) -> None:
        """Carry a carton to a place; to a station with a belt means onto its belt."""
        if carton.place != HANDS:
            await self.floor.pick_up(carton)
        await self.floor.put_down(carton, self._belts.get(to, to))


def _there(thing: T | None, otherwise: str) -> T:
    if thing is None:
        raise CannotDo(otherwise)
    return thing


VERBS: Mapping[str, tuple[tuple[str, ...], Callable[[Hands, HandsOrder], Awaitable[object]]]] = {
    "take_piece": (("sku",), lambda h, o: h.take(o.sku)),
    "put_back": ((), lambda h, o: h.floor.put_back(h.piece())),
    "put_on_table": (("station",), lambda h, o: h.floor.put_on_table(o.station, h.piece())),
    "take_from_table": (("station",), lambda h, o: h.floor.take_from_table(o.station)),
    "take_carton": ((), lambda h, o: h.floor.fresh_carton()),
    "box": (("lpn",), lambda h, o: h.floor.put_in_carton(h.piece(), h.carton(o.lpn))),
    "move": (("lpn", "to"), lambda h, o: h.move(h.carton(o.lpn), o.to)),
    "close": (("lpn",), lambda h, o: h.floor.close_carton(h.carton(o.lpn))),
    "unpack": (("lpn",), lambda h, o: h.floor.unpack(h.carton(o.lpn))),
    "take_label": (("printer",), lambda h, o: h.floor.take_label(o.printer)),
    "stick": (("lpn",), lambda h, o: h.floor.stick(h.label(), h.carton(o.lpn))),
    "peel_off": (("lpn",), lambda h, o: h.floor.peel_off(h.carton(o.lpn))),
    "throw_label": ((), lambda h, o: h.floor.discard(h.label())),
    "load_paper": (("printer",), lambda h, o: h.floor.load_paper(o.printer)),
    "scan": (("scanner", "text"), lambda h, o: h.floor.scan(o.scanner, o.text)),
}
"""What hands can do, with the words that each needs."""
