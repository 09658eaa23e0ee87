"""A camera: takes a picture of what is physically before it, numbers it and says when."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from packline.core.clock import Clock
from simulation.pictures.render import render
from simulation.pictures.scenes import Scene, blurred, darkened, emptied
from simulation.quirks import Quirks

Offload = Callable[..., Awaitable[Any]]
LOST_S, LATE_S = 30.0, 2.0
"""Wall time after which a lost picture would come, longer than anybody waits, and by which a late one comes late."""
Draw = Callable[[Scene], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One picture: JPEG bytes, the camera's frame number, when its exposure began."""

    jpeg: bytes
    frame: int
    captured_at: datetime


class VirtualCamera:
    """Looks at `scene`. `offload` runs the drawing off the loop; an unchanged scene is not drawn again.

    Quirks: `frozen` repeats the last picture with its old number and time, `dark` has no light, `blurred`
    no focus, `moved` looks beside the place; `lost` and `late` strike: the picture comes far too late, or `LATE_S` late.
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
        jpeg = await self._draw(self._spoilt(scene) if self.quirks else scene)
        self._last = Shot(jpeg=jpeg, frame=frame, captured_at=captured_at)
        if self.quirks and (delay_s := self._delay_s()):
            shot = self._last
            await self._clock.sleep(delay_s)
            return shot
        return self._last

    def _spoilt(self, scene: Scene) -> Scene:
        if "dark" in self.quirks:
            return darkened(scene)
        if "moved" in self.quirks:
            return emptied(scene)
        return blurred(scene) if "blurred" in self.quirks else scene

    def _delay_s(self) -> float:
        if self.quirks.hits("lost"):
            return LOST_S
        return LATE_S if self.quirks.hits("late") else 0.0

    async def _draw(self, scene: Scene) -> bytes:
        if self._drawn is not None and self._drawn[0] == scene:
            return self._drawn[1]
        jpeg: bytes = await self._offload(self._render, scene)
        self._drawn = (scene, jpeg)
        return jpeg
