"""One into several: a fork makes siblings that work side by side, an unpacker takes out what is inside."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from simulation.blocks.block import Holder, Taker
from simulation.blocks.floor import Floor
from simulation.blocks.item import Item
from simulation.blocks.ties import Family, ties_of


class Splitter(Holder):
    """Holds the pieces of one item until all of them have gone on; then the next may come. Where there is room, that takes
    no time."""

    counts_classes = False
    is_in_order = False
    """Whether a piece waits for those before it."""

    def __init__(self, floor: Floor, name: str) -> None:
        super().__init__(floor, name, capacity=1)
        self._pieces: deque[tuple[Item, Taker]] = deque()
        self._is_giving = False

    def _admit(self, item: Item) -> None:
        self._pieces.extend(self._parted(item))
        more = len(self._pieces) - 1
        self.held += more
        self.number.change(self.env.now, more)
        for piece, _ in self._pieces:
            piece.arrive(self.env.now)
        self.go_on()

    def _parted(self, item: Item) -> Sequence[tuple[Item, Taker]]:
        """Give the pieces and where each goes; each kind of block says it."""
        raise NotImplementedError

    @property
    def block(self) -> object:
        """Give itself: it is the giver to what follows."""
        return self

    def go_on(self) -> None:
        """Give what is taken."""
        if self._is_giving:
            return  # whoever invites while he takes: the loop below goes on anyway
        self._is_giving = True
        left: deque[tuple[Item, Taker]] = deque()
        while self._pieces:
            piece, to = self._pieces.popleft()
            entered = piece.entered
            if to.take(piece, self):
                self._let_out(entered, piece.kind)
                continue
            left.append((piece, to))
            if self.is_in_order:
                break
        left.extend(self._pieces)
        self._pieces = left
        self._is_giving = False
        self._invite()


class Fork(Splitter):
    """Makes a sibling for each of `to`, of the class of the one that came, who waits unseen until they are joined."""

    kind = "fork"

    def __init__(self, floor: Floor, name: str) -> None:
        super().__init__(floor, name)
        self.to: Sequence[Taker] = ()
        """The ways; set once, before the run."""

    def _parted(self, item: Item) -> Sequence[tuple[Item, Taker]]:
        family = Family(item, len(self.to))
        siblings = []
        for _ in self.to:
            sibling = self.floor.make(item.kind, item.priority)
            sibling.born = item.born
            ties_of(sibling).family = family
            siblings.append(sibling)
        self.floor.replace((item,), siblings)
        return list(zip(siblings, self.to, strict=True))


class Unpack(Splitter):
    """Takes out what was packed, one after the other; of what was not, it makes `pieces` new ones of the class `makes`."""

    kind = "unpack"
    is_in_order = True

    def __init__(
        self, floor: Floor, name: str, *, pieces: int = 1, makes: str = "", priority: int | None = None
    ) -> None:
        super().__init__(floor, name)
        self._count = pieces
        self._makes = makes
        self._priority = priority

    def _parted(self, item: Item) -> Sequence[tuple[Item, Taker]]:
        inside = list(item.ties.inside) if item.ties is not None else []
        pieces = inside or [self._new(item) for _ in range(self._count)]
        self.floor.replace((item,), pieces)
        if item.ties is not None:
            item.ties.inside = []
            permits, item.ties.permits = item.ties.permits, []
            if permits:
                ties_of(pieces[-1]).permits += permits
            item.ties.end(is_well=True)
        return [(piece, self.next) for piece in pieces]

    def _new(self, item: Item) -> Item:
        piece = self.floor.make(self._makes or item.kind, item.priority if self._priority is None else self._priority)
        piece.born = item.born
        return piece
