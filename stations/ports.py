"""What a station needs of the machines and the outside, said in its own words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeVar

from packline.core.effects import Device

T = TypeVar("T")


class View(Protocol):
    """A machine as it was last seen. `quality` is good | stale | bad | absent."""

    @property
    def quality(self) -> str: ...

    @property
    def state(self) -> str: ...

    @property
    def inputs(self) -> Mapping[str, int]: ...

    @property
    def faults(self) -> tuple[int, ...]: ...

    @property
    def own_faults(self) -> tuple[int, ...]: ...

    @property
    def owned(self) -> bool: ...


class Machinery(Protocol):
    """One machine under our hand."""

    name: str

    def view(self) -> View:
        """Give the newest picture of the machine, with its quality."""
        ...

    async def look(self) -> View:
        """Give a picture that was taken after this call."""
        ...

    def device(self) -> Device:
        """Give the side that takes effects."""
        ...

    async def make_ready(self) -> None:
        """Bring it to Execute after start, reconciliation or a person's release; raises Fault if it will not."""
        ...

    async def release(self) -> None:
        """A person says: claim it again."""
        ...


class Offload(Protocol):
    """Runs heavy, pure work off the loop (a thread; inline in virtual time)."""

    def __call__(self, work: Callable[..., T], *args: Any) -> Awaitable[T]: ...
