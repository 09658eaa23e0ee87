"""A stop as its camera sees it from above: the carton, its plate, and the labels as they were really rastered and put on."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from labeling.drawing import draw_plate
from simulation.pictures.paint import (
    Pixels,
    colour_of,
    gradient,
    mixed,
    noise_sheet,
    warp_onto,
    with_noise,
    write,
)
from simulation.pictures.scenes import CartonScene

WIDTH, HEIGHT = 1280, 960
PX_PER_MM = 8
"""One pixel per printer dot: a narrow module of three dots has three pixels."""
EDGE_PX = 22
PLATE_CENTRE = (346, 152)
RIGHT_CENTRE = (936, 490)
LEFT_CENTRE = (346, 604)
_CARDBOARD, _CARDBOARD_DARK = (118, 158, 196), (96, 134, 170)
_PAPER = 246
_INK = 34


def draw_carton(scene: CartonScene) -> Pixels:
    """Draw what stands at the stop, 1280 x 960."""
    sheet = _belt().copy()
    if scene.lpn:
        sheet[EDGE_PX:-EDGE_PX, EDGE_PX:-EDGE_PX] = _lid() if scene.closed else _open_box(scene.inside)
        _stick(sheet, _plate(scene.lpn), PLATE_CENTRE, _spread(scene.lpn, "plate", 0.8))
        for label in scene.labels:
            centre = LEFT_CENTRE if label.on_left else RIGHT_CENTRE
            place = (centre[0] + label.right_mm * PX_PER_MM, centre[1] + label.down_mm * PX_PER_MM)
            _stick(sheet, _paper(label.bitmap), place, label.turn_deg)
    return with_noise(_lens(sheet, scene.lpn), _noise())


@lru_cache(maxsize=1)
def _noise() -> NDArray[np.int16]:
    return noise_sheet(WIDTH, HEIGHT, 2.5, "verify camera")


@lru_cache(maxsize=1)
def _belt() -> Pixels:
    """Rollers of the conveyor, seen from above."""
    x = np.arange(WIDTH, dtype=np.float32)
    roller = 70 + 55 * np.abs(np.sin(np.pi * x / 80)) ** 0.6
    sheet = np.broadcast_to(roller[None, :, None], (HEIGHT, WIDTH, 3)).astype(np.uint8).copy()
    sheet[:, ::80] = 28
    for y in (0, HEIGHT - 12):
        sheet[y : y + 12] = (52, 54, 58)
    return sheet


@lru_cache(maxsize=1)
def _lid() -> Pixels:
    """The closed top: fluted cardboard, a strip of tape, the usual printed signs."""
    width, height = WIDTH - 2 * EDGE_PX, HEIGHT - 2 * EDGE_PX
    sheet = _cardboard(width, height)
    tape = sheet[height // 2 - 44 : height // 2 + 44]
    tape[...] = (tape * 0.55 + np.array((150, 182, 208)) * 0.45).astype(np.uint8)
    tape[:3] = tape[-3:] = mixed(_CARDBOARD, (255, 255, 255), 0.35)
    cv2.line(sheet, (0, height // 2), (width, height // 2), _CARDBOARD_DARK, 3)
    _signs(sheet, 34, height - 96)
    return sheet


def _open_box(inside: Sequence[str]) -> Pixels:
    """The open top: four flaps, and what lies inside as coloured packs."""
    width, height = WIDTH - 2 * EDGE_PX, HEIGHT - 2 * EDGE_PX
    sheet = _cardboard(width, height)
    left, top, right, bottom = width * 30 // 100, height * 32 // 100, width * 94 // 100, height * 92 // 100
    sheet[top:bottom, left:right] = gradient(right - left, bottom - top, (58, 82, 104), (84, 112, 138))
    for corner, out in (
        ((left, top), (0, 0)),
        ((right, top), (width, 0)),
        ((left, bottom), (0, height)),
        ((right, bottom), (width, height)),
    ):
        cv2.line(sheet, corner, out, _CARDBOARD_DARK, 4, cv2.LINE_AA)
    columns = max(int(np.ceil(np.sqrt(len(inside)))), 1)
    cell_w, cell_h = (right - left - 40) // columns, (bottom - top - 40) // columns
    for number, colour in enumerate(inside[: columns * columns]):
        x, y = left + 20 + number % columns * cell_w, top + 20 + number // columns * cell_h
        base = colour_of(colour)
        sheet[y + 8 : y + cell_h - 8, x + 8 : x + cell_w - 8] = gradient(
            cell_w - 16, cell_h - 16, mixed(base, (255, 255, 255), 0.2), mixed(base, (0, 0, 0), 0.2)
        )
    return sheet


@lru_cache(maxsize=1)
def _grain() -> Pixels:
    width, height = WIDTH - 2 * EDGE_PX, HEIGHT - 2 * EDGE_PX
    rng = np.random.default_rng(7)
    fibres = cv2.GaussianBlur(rng.standard_normal((height, width)).astype(np.float32), (0, 0), sigmaX=6, sigmaY=0.8)
    specks = rng.standard_normal((height, width)).astype(np.float32)
    flutes = 1.5 * np.sin(np.arange(height, dtype=np.float32) * 2 * np.pi / 22)[:, None]
    sheet = gradient(width, height, mixed(_CARDBOARD, (255, 255, 255), 0.10), _CARDBOARD_DARK).astype(np.float32)
    return np.clip(sheet + (26 * fibres + 2.5 * specks + flutes)[..., None], 0, 255).astype(np.uint8)


def _cardboard(width: int, height: int) -> Pixels:
    sheet = _grain()[:height, :width].copy()
    cv2.rectangle(sheet, (0, 0), (width - 1, height - 1), mixed(_CARDBOARD_DARK, (0, 0, 0), 0.35), 5)
    return sheet


def _signs(sheet: Pixels, x: int, y: int) -> None:
    ink = (52, 70, 92)
    for left in (x, x + 62):
        arrow = [
            (left, y + 34),
            (left + 24, y),
            (left + 48, y + 34),
            (left + 33, y + 34),
            (left + 33, y + 72),
            (left + 15, y + 72),
            (left + 15, y + 34),
        ]
        cv2.fillPoly(sheet, [np.array(arrow, np.int32)], ink, cv2.LINE_AA)
    write(sheet, "THIS WAY UP  小心轻放", (x + 132, y + 14), 34, ink)


@lru_cache(maxsize=24)
def _plate(lpn: str) -> Pixels:
    return _paper(draw_plate(lpn))


def _paper(bitmap: Image.Image) -> Pixels:
    """Give printed thermal paper: not quite white, not quite black."""
    gray = np.asarray(bitmap.convert("L"), np.uint8)
    toned = (_INK + gray.astype(np.uint16) * (_PAPER - _INK) // 255).astype(np.uint8)
    return np.ascontiguousarray(np.repeat(toned[..., None], 3, axis=2))


def _stick(sheet: Pixels, paper: Pixels, centre: tuple[float, float], turn_deg: float) -> None:
    height, width = paper.shape[:2]
    half = np.array([(-width, -height), (width, -height), (width, height), (-width, height)]) / 2
    turn = np.radians(turn_deg)
    spun = half @ np.array(((np.cos(turn), np.sin(turn)), (-np.sin(turn), np.cos(turn)))) + np.array(centre)
    _cast(sheet, spun)
    warp_onto(sheet, paper, [(float(x), float(y)) for x, y in spun])


def _cast(sheet: Pixels, corners: NDArray[np.float64]) -> None:
    """Let the paper's edge throw a narrow shadow to the lower right."""
    low = np.clip(np.floor(corners.min(axis=0)).astype(int) - 12, 0, (WIDTH, HEIGHT))
    high = np.clip(np.ceil(corners.max(axis=0)).astype(int) + 20, 0, (WIDTH, HEIGHT))
    part = sheet[low[1] : high[1], low[0] : high[0]]
    if part.size == 0:
        return
    mask = np.zeros(part.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, np.round(corners - low + 5).astype(np.int32), 255, cv2.LINE_AA)
    soft = cv2.blur(mask, (11, 11)).astype(np.float32)[..., None]
    part[...] = (part * (1 - soft * (0.4 / 255))).astype(np.uint8)


def _lens(sheet: Pixels, lpn: str) -> Pixels:
    """Look not quite from straight above, through not quite a perfect lens."""
    tilt = [_spread(lpn, f"tilt {n}", 5.0) for n in range(8)]
    source = np.array([(0, 0), (WIDTH, 0), (WIDTH, HEIGHT), (0, HEIGHT)], np.float32)
    target = source + np.array(tilt, np.float32).reshape(4, 2)
    turn = cv2.getPerspectiveTransform(source, target)
    tilted = cv2.warpPerspective(sheet, turn, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    soft = cv2.GaussianBlur(tilted, (3, 3), 0.6)
    return cv2.multiply(soft, _vignette(), scale=1 / 255).astype(np.uint8, copy=False)


@lru_cache(maxsize=1)
def _vignette() -> Pixels:
    x = np.linspace(-1, 1, WIDTH, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, HEIGHT, dtype=np.float32)[:, None]
    light = np.clip(1.0 - 0.10 * (x * x + y * y) + 0.05 * (x - y), 0, 1)
    return np.ascontiguousarray(np.repeat((light * 255).astype(np.uint8)[..., None], 3, axis=2))


def _spread(lpn: str, what: str, most: float) -> float:
    """Give -most..most, the same for the same carton."""
    return random.Random(f"{lpn} {what}").uniform(-most, most)
