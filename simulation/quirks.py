"""Which misbehaviours of one device are switched on, and for how many more times."""

from __future__ import annotations

from collections.abc import Callable


class Quirks:
    """Misbehaviours by name; one with a number of times ends by being used up, one without only when it is mended."""

    def __init__(self) -> None:
        self._times: dict[str, int | None] = {}
        self._told: dict[str, Callable[[bool], None]] = {}

    def tell(self, name: str, heard: Callable[[bool], None]) -> None:
        """Call `heard` at each strike of `name` from now on, with True when that was its last."""
        self._told[name] = heard

    def on(self, name: str, times: int | None = None) -> None:
        """Switch `name` on, for ever or for `times` (>= 1) uses."""
        self._times[name] = times

    def off(self, name: str) -> None:
        """Switch `name` off; nothing if it is not on."""
        self._times.pop(name, None)

    def __contains__(self, name: str) -> bool:
        """Tell whether `name` is on, without using it up."""
        return name in self._times

    def __bool__(self) -> bool:
        """Tell whether anything is on."""
        return bool(self._times)

    def hits(self, name: str) -> bool:
        """Tell whether `name` strikes now, and use it up once if so."""
        if name not in self._times:
            return False
        left = self._times[name]
        if left is not None and left <= 1:
            del self._times[name]
        elif left is not None:
            self._times[name] = left - 1
        if name in self._told:
            self._told[name](name not in self._times)
        return True

    def names(self) -> list[str]:
        """List what is on."""
        return sorted(self._times)
