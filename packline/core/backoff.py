"""Waiting longer after each failure, with jitter, up to a bound."""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Backoff:
    """Gives the next pause in seconds: doubles from `first_s` to `most_s`, +-25 % jitter."""

    first_s: float = 0.2
    most_s: float = 5.0
    rng: random.Random = field(default_factory=random.Random)
    _failures: int = 0

    def next_s(self) -> float:
        """Give the pause before the next try and count a failure."""
        pause = min(self.most_s, self.first_s * 2.0 ** min(self._failures, 30))
        self._failures += 1
        return pause * self.rng.uniform(0.75, 1.25)

    def reset(self) -> None:
        """Forget the failures; call after a success."""
        self._failures = 0
