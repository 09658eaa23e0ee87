"""Small brushes: colours, text, textures, warped patches. Pictures are BGR arrays of uint8."""

from __future__ import annotations

import random
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from labeling import typeface

Pixels = NDArray[np.uint8]
Colour = tuple[int, int, int]


def colour_of(text: str) -> Colour:
    """Read "#rrggbb" as BGR; anything else is a calm blue."""
    try:
        value = int(text.removeprefix("#"), 16)
    except ValueError:
        value = 0x3B6EA5
    return value & 255, value >> 8 & 255, value >> 16 & 255


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """Mix two colours; `share` 0..1 of the other."""
    blue, green, red = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return blue, green, red


def plain(width: int, height: int, colour: Colour) -> Pixels:
    """Give a sheet of one colour."""
    return np.full((height, width, 3), colour, np.uint8)


def gradient(width: int, height: int, top: Colour, bottom: Colour) -> Pixels:
    """Give a sheet that runs from `top` to `bottom`."""
    share = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    sheet = np.array(top, np.float32) * (1 - share) + np.array(bottom, np.float32) * share
    return np.ascontiguousarray(np.broadcast_to(sheet, (height, width, 3)).astype(np.uint8))


def write(sheet: Pixels, text: str, at: tuple[int, int], size: int, colour: Colour, room: int = 10_000) -> int:
    """Write `text` at the top left `at`, wrapped to `room` pixels; returns the y below it."""
    x, y = at
    for line in typeface.wrap(text, size, room):
        width, height = typeface.width_dots(line, size) + size, round(size * 1.5)
        mask = Image.new("L", (width, height), 255)
        typeface.put(ImageDraw.Draw(mask), (0, 0), line, size)
        _ink(sheet, np.asarray(mask, np.uint8), (x, y), colour)
        y += round(size * 1.3)
    return y


def paste(sheet: Pixels, patch: Pixels, at: tuple[int, int]) -> None:
    """Put `patch` at the top left `at`; what hangs over is cut off."""
    x, y = at
    left, top = max(-x, 0), max(-y, 0)
    part = patch[top : sheet.shape[0] - y, left : sheet.shape[1] - x]
    if part.size:
        sheet[y + top : y + top + part.shape[0], x + left : x + left + part.shape[1]] = part


def warp_onto(sheet: Pixels, patch: Pixels, corners: Sequence[tuple[float, float]]) -> None:
    """Lay `patch` over the quadrilateral `corners` (top left, top right, bottom right, bottom left)."""
    target = np.array(corners, np.float32)
    left, top = (max(int(v), 0) for v in np.floor(target.min(axis=0)))
    right, bottom = (int(v) + 1 for v in np.ceil(target.max(axis=0)))
    right, bottom = min(right, sheet.shape[1]), min(bottom, sheet.shape[0])
    if right - left < 2 or bottom - top < 2:
        return
    height, width = patch.shape[:2]
    source = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    local = target - np.array((left, top), np.float32)
    size = (right - left, bottom - top)
    turn = cv2.getPerspectiveTransform(source, local)
    warped = cv2.warpPerspective(patch, turn, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mask: Pixels = np.zeros((size[1], size[0]), np.uint8)
    cv2.fillConvexPoly(mask, np.round(local * 16).astype(np.int32), 255, lineType=cv2.LINE_AA, shift=4)
    _blend(sheet[top:bottom, left:right], warped.astype(np.uint8, copy=False), mask)


def shaded(patch: Pixels, light: float) -> Pixels:
    """Give `patch` under `light` (1 is as painted)."""
    return cv2.convertScaleAbs(patch, alpha=max(light, 0.0)).astype(np.uint8, copy=False)


def noise_sheet(width: int, height: int, sigma: float, seed: str) -> NDArray[np.int16]:
    """Give signed gray noise in three channels, the same for the same seed."""
    rng = np.random.default_rng(random.Random(seed).getrandbits(64))
    gray = (rng.standard_normal((height, width, 1)) * sigma).astype(np.int16)
    return np.ascontiguousarray(np.repeat(gray, 3, axis=2))


def with_noise(sheet: Pixels, noise: NDArray[np.int16]) -> Pixels:
    """Add noise; black and white stay within their bounds."""
    noisy: Pixels = cv2.add(sheet, noise, dtype=cv2.CV_8U).astype(np.uint8, copy=False)
    return noisy


def blurred(sheet: Pixels, width_px: int) -> Pixels:
    """Give a sheet out of focus; `width_px` is odd."""
    return np.asarray(cv2.GaussianBlur(sheet, (width_px, width_px), 0), np.uint8)


def to_jpeg(sheet: Pixels, quality: int) -> bytes:
    """Encode as JPEG."""
    _, data = cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return bytes(data)


def _ink(sheet: Pixels, mask: Pixels, at: tuple[int, int], colour: Colour) -> None:
    x, y = at
    height, width = min(mask.shape[0], sheet.shape[0] - y), min(mask.shape[1], sheet.shape[1] - x)
    if height <= 0 or width <= 0 or x < 0 or y < 0:
        return
    ground = sheet[y : y + height, x : x + width]
    _blend(ground, plain(width, height, colour), 255 - mask[:height, :width])


def _blend(ground: Pixels, over: Pixels, mask: Pixels) -> None:
    """Lay `over` on `ground` in place, as opaque as `mask` says (0..255)."""
    alpha = mask.astype(np.uint16)[..., None]
    mixture = (over.astype(np.uint16) * alpha + ground.astype(np.uint16) * (255 - alpha) + 127) // 255
    ground[...] = mixture.astype(np.uint8)
