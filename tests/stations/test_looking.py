"""One memory of the last frame: an old picture, a frozen camera and one that began to count anew prove nothing."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from packline.core.clock import ManualClock
from packline.core.faults import Fault
from packline.core.pictures import Still
from scanning.sight import PixelSight
from stations.looking import Eye
from tests.scanning.shots import LIT, UNLIT


class Scripted:
    """A camera that gives what a test says: (frame, seconds after the question)."""

    name = "cam-verify"

    def __init__(self, clock: ManualClock, *frames: tuple[int, float]) -> None:
        self.jpeg = b""
        self.clock, self._frames = clock, list(frames)

    async def still(self, timeout_s: float = 3.0) -> Still:
        frame, after_s = self._frames.pop(0)
        at = self.clock.now() + timedelta(seconds=after_s)
        return Still(jpeg=self.jpeg, camera=self.name, frame=frame, captured_at=at)


async def _inline(work: Any, *args: Any) -> Any:
    return work(*args)


def eye(*frames: tuple[int, float]) -> Eye:
    return through(Scripted(ManualClock(), *frames))


def through(camera: Scripted) -> Eye:
    kit: Any = SimpleNamespace(clock=camera.clock, offload=_inline, sight=PixelSight())
    return Eye(camera=camera, kit=kit, screen=kit)


@pytest.mark.parametrize("after_s", [0.0, -3.0])
async def test_a_picture_that_is_not_newer_than_the_question_is_refused(after_s: float) -> None:
    with pytest.raises(Fault, match="1005"):
        await eye((7, after_s)).shoot()


async def test_a_frozen_camera_is_refused_however_new_it_says_to_be() -> None:
    looking = eye((7, 0.1), (7, 0.1), (8, 0.1))
    await looking.shoot()
    with pytest.raises(Fault, match="1005"):
        await looking.shoot()
    assert (await looking.shoot()).still.frame == 8


async def test_a_camera_that_restarted_is_refused_once_and_then_believed() -> None:
    looking = eye((700, 0.1), (1, 0.1), (2, 0.1))
    await looking.shoot()
    with pytest.raises(Fault, match="1005"):
        await looking.shoot()
    assert (await looking.shoot()).still.frame == 2


@pytest.mark.parametrize("look", ["shoot", "see"])
async def test_a_dark_picture_is_a_fault_of_the_light_and_not_of_the_parcel(look: str) -> None:
    camera = Scripted(ManualClock(), (7, 0.1), (8, 0.1))
    looking = through(camera)
    camera.jpeg = UNLIT
    with pytest.raises(Fault, match="2201"):
        await getattr(looking, look)()
    camera.jpeg = LIT
    await getattr(looking, look)()
