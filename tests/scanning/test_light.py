"""A picture without light is told from one on which only nothing can be read."""

import io

import pytest
from PIL import Image

from scanning.light import is_dark
from simulation.pictures.render import render
from simulation.pictures.scenes import CartonScene, ItemScene, darkened
from tests.scanning.shots import LIT, UNLIT


def flat(level: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (640, 480), level).save(file, "JPEG")
    return file.getvalue()


def test_a_carton_is_seen_in_the_light_and_not_in_the_dark():
    assert (is_dark(LIT), is_dark(UNLIT)) == (False, True)


@pytest.mark.parametrize(
    "scene", [CartonScene(), ItemScene(), ItemScene(light_pct=0)], ids=["empty", "table", "lamp off"]
)
def test_an_empty_place_or_a_dim_one_is_not_dark(scene):
    assert not is_dark(render(scene)) and is_dark(render(darkened(scene)))


def test_no_light_at_all_is_dark_and_a_grey_cover_is_not():
    assert is_dark(flat(5)) and not is_dark(flat(120))


@pytest.mark.parametrize("torn", [b"", b"\xff\xd8", LIT[:200]])
def test_what_is_no_picture_is_not_called_dark(torn):
    assert not is_dark(torn)
