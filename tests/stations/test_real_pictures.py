"""The label station with real eyes: drawn plates and labels, real pixels, the real decoder."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from labeling.content import LabelContent
from labeling.drawing import draw, draw_plate
from packline.core.effects import PRINT, Effect
from packline.orders.model import ParcelState
from tests.stations.fakes import Carton, Paper
from tests.stations.line import Life, Rig, trouble
from tests.waiting import let_run


async def inline(work: Callable[..., Any], *args: Any) -> Any:
    """Decode in the caller."""
    await let_run()
    return work(*args)


def photograph(box: Carton | None, labels: dict[int, LabelContent]) -> bytes:
    """Give a JPEG of a carton: its plate, and the labels on it side by side."""
    picture = Image.new("L", (1900, 1100), 200)
    if box is not None:
        picture.paste(draw_plate(box.lpn).convert("L"), (60, 60))
        for n, paper in enumerate(box.labels):
            picture.paste(draw(labels[paper.print_number]).convert("L"), (60 + 640 * n, 380))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85)
    return out.getvalue()


@pytest.fixture
def seeing(rig: Rig) -> Life:
    """Give a life whose verify camera takes pictures with pixels."""
    life = rig.live()
    life.kit.offload = inline
    labels: dict[int, LabelContent] = {}

    async def remember(effect: Effect) -> None:
        content = LabelContent.from_dict(effect.parameters)
        labels[content.print_number] = content

    rig.floor.printer.before_send = remember
    rig.floor.cam_verify.photograph = lambda box: photograph(box, labels)
    return life


async def test_a_label_is_verified_from_pixels(seeing: Life) -> None:
    lpn = await seeing.carton()
    box = await seeing.label_all(lpn)
    parcel = await seeing.parcel(lpn)
    assert parcel.state is ParcelState.VERIFIED and len(box.labels) == 1
    row = await seeing.kit.ledger.find(PRINT, lpn, 1)
    assert row is not None and row.effect.parameters["ship_to"]["recipient"] == "王小明"


async def test_the_label_of_another_parcel_is_seen_in_the_picture(seeing: Life) -> None:
    one, two = await seeing.carton(1, 1), await seeing.carton(2, 2)
    box = await seeing.label_all(one)
    other: Paper = box.labels[0]
    seeing.floor.hall.lanes[2].clear()
    seeing.floor.hall.stop = Carton(lpn=two, labels=[other], sealed=True)
    assert (await trouble(seeing.label.step())).fault.code == 3003
