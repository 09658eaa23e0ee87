"""What is before a camera, as values: two equal scenes look the same."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from PIL import Image


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemScene:
    """The turntable. `sku` is "" when it is empty; `size_mm` is length, width, height; `light_pct` 0..100."""

    sku: str = ""
    name: str = ""
    barcode: str = ""
    size_mm: tuple[int, int, int] = (120, 80, 60)
    colour: str = "#3b6ea5"
    angle_deg: float = 0.0
    light_pct: int = 100
    dark: bool = False
    blurred: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneLabel:
    """A label on a carton: which paper, and where. Offsets are millimetres to the right and down of the middle of its half of the lid."""

    number: int
    right_mm: float
    down_mm: float
    turn_deg: float
    on_left: bool
    bitmap: Image.Image = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CartonScene:
    """A stop seen from above. `lpn` is "" when nothing stands there; `inside` are the colours of what lies in an open one."""

    lpn: str = ""
    closed: bool = True
    inside: tuple[str, ...] = ()
    labels: tuple[SceneLabel, ...] = ()
    dark: bool = False
    blurred: bool = False


Scene = ItemScene | CartonScene


def darkened(scene: Scene) -> Scene:
    """Give the same scene without light."""
    return replace(scene, dark=True)


def blurred(scene: Scene) -> Scene:
    """Give the same scene out of focus."""
    return replace(scene, blurred=True)


def emptied(scene: Scene) -> Scene:
    """Give what lies beside the place: nothing."""
    return replace(scene, sku="") if isinstance(scene, ItemScene) else CartonScene()
