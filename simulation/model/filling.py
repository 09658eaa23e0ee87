"""Puts what is there at the start on the floor: every one has his place before anybody moves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from simulation.blocks.block import Block, Giver, Holder, Reservation, Taker
from simulation.blocks.crew import Crew
from simulation.blocks.item import Item
from simulation.model.model_file import Model

Made = Block | Crew


class Closed:
    """What lies ahead of a block while the floor is filled.

    A store would pass on what it has to a machine, and a machine keep a place in a store, before these have their own: what
    then found no room would be nowhere, and a closed network would go round with too few.
    """

    def __init__(self) -> None:
        self._givers: list[Giver] = []

    def take(self, item: Item, giver: Giver | None) -> bool:
        self._stand(giver)
        return False

    def reserve(self, item: Item, giver: Giver | None) -> Reservation | None:
        self._stand(giver)
        return None

    def ahead(self) -> Iterator[Taker]:
        return iter(())

    def open(self) -> None:
        """Let those offer again who stood here; the ways lead on by now."""
        for giver in self._givers:
            giver.go_on()

    def _stand(self, giver: Giver | None) -> None:
        if giver is not None and giver not in self._givers:
            self._givers.append(giver)


def fill(model: Model, made: Mapping[str, Made]) -> Closed:
    """Put the initial items of each block into it, before the ways are connected; gives the door that is opened afterwards."""
    door = Closed()
    for name, part in model.blocks.items():
        block, initial = made[name], getattr(part, "initial", {})
        if not initial:
            continue
        assert isinstance(block, Holder)  # only those have the key  # noqa: S101
        block.next = door
        for kind, count in initial.items():
            for _ in range(count):
                block.put(block.floor.enter(block.floor.make(kind, model.classes[kind].priority if kind else 0)))
    return door
