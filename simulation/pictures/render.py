"""Turns a scene into the JPEG that the camera sends."""

from __future__ import annotations

from simulation.pictures.carton import draw_carton
from simulation.pictures.item import draw_item
from simulation.pictures.paint import Pixels, blurred, noise_sheet, shaded, to_jpeg, with_noise
from simulation.pictures.scenes import ItemScene, Scene

QUALITY = 88
BLUR_PX = 31
"""Wider than any module of a code."""


def render(scene: Scene) -> bytes:
    """Draw `scene` and encode it."""
    return to_jpeg(picture(scene), QUALITY)


def picture(scene: Scene) -> Pixels:
    """Draw `scene`: 960 x 720 for the turntable, 1280 x 960 for a stop."""
    sheet = draw_item(scene) if isinstance(scene, ItemScene) else draw_carton(scene)
    if scene.blurred:
        sheet = blurred(sheet, BLUR_PX)
    return _unlit(sheet) if scene.dark else sheet


def _unlit(sheet: Pixels) -> Pixels:
    """Give what a sensor sees without light: its own noise."""
    height, width = sheet.shape[:2]
    return with_noise(shaded(sheet, 0.0), noise_sheet(width, height, 1.5, "dark"))
