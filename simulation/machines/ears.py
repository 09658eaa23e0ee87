"""Who hears what a machine does: a recording, or what waits for a motion or a hand on the panel."""

from __future__ import annotations

from collections.abc import Callable

Moved = Callable[[str, str], None]
"""Hears that a machine (its name) begins or ends a motion, or that somebody presses its panel."""


class Ears:
    """Hears what a machine does; these of nothing. They must not change anything."""

    def looked(self) -> None:
        """Hear that the machine's state may be another."""

    def ended(self, kind: str, took_s: float, error: int | None) -> None:
        """Hear that a job ended after `took_s` simulated seconds: with error 0 well, with None because it was stopped."""


DEAF = Ears()


def unwatched(_machine: str, _what: str) -> None:
    """Nobody watches."""
