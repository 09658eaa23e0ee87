"""What flows: a parcel, a customer, a job."""

from __future__ import annotations

from typing import Any, ClassVar


class Item:
    """One thing on its way. `kind` is its class, a lower `priority` goes first, `born` is when it came, in seconds.

    The rest is what the block that has it notes of this visit.
    """

    __slots__ = ("born", "choice", "entered", "full_s", "key", "kind", "left_s", "number", "patience", "priority",
                 "started", "ties", "verdict")  # fmt: skip
    size: ClassVar[int] = 1
    """So many pieces it is to who works on it; a batch is more."""

    def __init__(self, number: int, kind: str, priority: int, born: float) -> None:
        self.number = number
        self.kind = kind
        self.priority = priority
        self.born = born
        self.choice: Any = None
        """Where a random route leads it, drawn once and kept until it went there."""
        self.verdict = ""
        """What the last block that judges found; "" is well."""
        self.entered = born
        self.started: float | None = None
        self.left_s: float | None = None
        """Seconds of work that are still to be done; None: not drawn yet."""
        self.full_s: float | None = None
        """Seconds of work when it was drawn."""
        self.ties: Any = None
        """Permits, siblings, and what is inside (`simulation.blocks.ties`); None of most."""
        self.key: tuple[float, ...] = ()
        self.patience: Any = None

    def arrive(self, now: float) -> None:
        """Begin a visit."""
        self.entered = now
        self.started = self.left_s = self.full_s = self.patience = None
