"""A camera: takes a picture of what is physically before it, numbers it and says when."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from packline.core.clock import Clock
from simulation.pictures.render import render
from simulation.pictures.scenes import Scene, darkened
from simulation.quirks import Quirks

Offload = Callable[..., Awaitable[Any]]
Draw = Callable[[Scene], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One picture: JPEG bytes, the camera's frame number, when its exposure began."""

    jpeg: bytes
    frame: int
    captured_at: datetime


class VirtualCamera:
    """Looks at `scene`. `offload` runs the drawing off the loop; an unchanged scene is not drawn again.

    Quirks: `frozen` repeats the last picture with its old number and time, `dark` has no light.
    """

    def __init__(
        self, scene: Callable[[], Scene], clock: Clock, *, offload: Offload, quirks: Quirks, draw: Draw = render
    ) -> None:
        self.quirks = quirks
        self._scene = scene
        self._clock = clock
        self._offload = offload
        self._render = draw
        self._frame = 0
        self._drawn: tuple[Scene, bytes] | None = None
        self._last: Shot | None = None

    async def shoot(self) -> Shot:
        """Take a picture now."""
        if "frozen" in self.quirks and self._last is not None:
            return self._last
        captured_at = self._clock.now()
        self._frame += 1
        frame, scene = self._frame, self._scene()
        jpeg = await self._draw(darkened(scene) if "dark" in self.quirks else scene)
        self._last = Shot(jpeg=jpeg, frame=frame, captured_at=captured_at)
        return self._last

    async def _draw(self, scene: Scene) -> bytes:
        if self._drawn is not None and self._drawn[0] == scene:
            return self._drawn[1]
        jpeg: bytes = await self._offload(self._render, scene)
        self._drawn = (scene, jpeg)
        return jpeg
