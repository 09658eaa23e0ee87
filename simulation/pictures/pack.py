"""The printed pack of an article: one picture for each side of its box, the same for the same article."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from labeling import typeface
from labeling.symbols import bitmaps
from simulation.pictures import ean13
from simulation.pictures.paint import Colour, Pixels, colour_of, gradient, mixed, paste, plain, write

LONG_PX = 520
"""The longer edge of a side's picture."""
_WHITE: Colour = (250, 250, 250)
_BLACK: Colour = (25, 25, 25)


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """What is printed on a pack."""

    sku: str
    name: str
    barcode: str
    colour: str
    size_mm: tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Pictures of the five sides that can be seen."""

    front: Pixels
    right: Pixels
    back: Pixels
    left: Pixels
    top: Pixels


@lru_cache(maxsize=24)
def sides(article: Article) -> Sides:
    """Paint the pack of `article`."""
    length, width, height = article.size_mm
    return Sides(
        front=_front(article, *_pixels(length, height)),
        right=_flank(article, *_pixels(width, height), mirrored=False),
        back=_back(article, *_pixels(length, height)),
        left=_flank(article, *_pixels(width, height), mirrored=True),
        top=_top(article, *_pixels(length, width)),
    )


def _pixels(wide_mm: int, high_mm: int) -> tuple[int, int]:
    scale = LONG_PX / max(wide_mm, high_mm, 1)
    return max(round(wide_mm * scale), 60), max(round(high_mm * scale), 60)


def _front(article: Article, width: int, height: int) -> Pixels:
    base = colour_of(article.colour)
    sheet = gradient(width, height, mixed(base, _WHITE, 0.25), mixed(base, _BLACK, 0.15))
    _motif(article.sku)(sheet, mixed(base, _WHITE, 0.45), random.Random(article.sku))
    band = height // 3
    sheet[band : 2 * band] = mixed(_WHITE, base, 0.06)
    sheet[band : band + 4] = sheet[2 * band - 4 : 2 * band] = mixed(base, _BLACK, 0.4)
    margin = max(width // 20, 6)
    size = _fitting(article.name, width - 2 * margin, band - 12)
    write(sheet, article.name, (margin, band + 8), size, mixed(base, _BLACK, 0.75), width - 2 * margin)
    small = max(min(height // 12, 26), 12)
    write(sheet, article.sku, (margin, height - 2 * small), small, _WHITE, width - 2 * margin)
    return _edged(sheet)


def _flank(article: Article, width: int, height: int, *, mirrored: bool) -> Pixels:
    base = colour_of(article.colour)
    sheet = gradient(width, height, mixed(base, _BLACK, 0.1), mixed(base, _BLACK, 0.25))
    stripe = mixed(base, _WHITE, 0.35)
    for offset in range(-height, width, max(width // 5, 12)):
        ends = ((offset, height), (offset + height, 0)) if mirrored else ((offset, 0), (offset + height, height))
        cv2.line(sheet, *ends, stripe, max(width // 40, 2), cv2.LINE_AA)
    margin = max(width // 12, 5)
    plate = height // 2
    cv2.rectangle(sheet, (margin, plate - height // 5), (width - margin, plate + height // 5), _WHITE, -1)
    size = _fitting(article.name, width - 3 * margin, height * 2 // 5 - 10)
    text = article.name if not mirrored else article.sku
    write(sheet, text, (margin * 3 // 2, plate - height // 5 + 4), size, mixed(base, _BLACK, 0.7), width - 3 * margin)
    return _edged(sheet)


def _back(article: Article, width: int, height: int) -> Pixels:
    base = colour_of(article.colour)
    sheet = gradient(width, height, _WHITE, (232, 232, 232))
    sheet[: height // 7] = base
    margin = max(width // 18, 6)
    size = _fitting(article.name, width - 2 * margin, height // 7 - 4)
    write(sheet, article.name, (margin, 2), size, _WHITE, width - 2 * margin)
    for row in range(4):
        y = height // 7 + 14 + row * max(height // 20, 8)
        cv2.line(sheet, (margin, y), (width - margin - row % 3 * width // 6, y), (170, 170, 170), max(height // 90, 2))
    _barcode(article, sheet)
    return _edged(sheet)


def _barcode(article: Article, sheet: Pixels) -> None:
    """Put the article's code into the lower half, as large as whole pixels per module allow."""
    height, width = sheet.shape[:2]
    high = max(height * 2 // 5, 30)
    try:
        wanted = ean13.MODULES + 2 * ean13.QUIET_MODULES
        bars = ean13.bars(article.barcode, max((width - 10) // wanted, 1), high)
    except ValueError:
        code = np.asarray(
            bitmaps.code_128(article.barcode or article.sku, module_dots=2, height_dots=high).convert("L")
        )
        bars = np.ascontiguousarray(
            np.repeat(np.pad(code, ((0, 0), (20, 20)), constant_values=255)[..., None], 3, axis=2)
        )
    left, top = (width - bars.shape[1]) // 2, height - high - max(height // 9, 22)
    paste(sheet, plain(bars.shape[1], high + 24, _WHITE), (left, top - 4))
    paste(sheet, bars, (left, top))
    size = max(min(bars.shape[1] // 18, 20), 10)
    write(sheet, article.barcode, (left + bars.shape[1] // 5, top + high - 2), size, _BLACK)


def _top(article: Article, width: int, height: int) -> Pixels:
    base = colour_of(article.colour)
    sheet = gradient(width, height, mixed(base, _WHITE, 0.35), mixed(base, _WHITE, 0.15))
    cv2.line(sheet, (0, height // 2), (width, height // 2), mixed(base, _BLACK, 0.3), 2)
    radius = min(width, height) // 4
    cv2.circle(sheet, (width // 2, height // 2), radius, _WHITE, -1, cv2.LINE_AA)
    cv2.circle(sheet, (width // 2, height // 2), radius, mixed(base, _BLACK, 0.3), 3, cv2.LINE_AA)
    letter = article.name[:1] or "?"
    write(
        sheet,
        letter,
        (width // 2 - radius // 2, height // 2 - radius * 3 // 4),
        max(radius, 12),
        mixed(base, _BLACK, 0.5),
    )
    return _edged(sheet)


def _fitting(text: str, room: int, height: int) -> int:
    """Give the largest size at which `text` fits `room` x `height` without breaking a word."""
    words = [word for word in text.split() if word.isascii()]
    for size in (72, 60, 50, 42, 36, 30, 26, 22, 18, 15):
        lines = typeface.wrap(text, size, room)
        fits = len(lines) * size * 1.3 <= height
        if fits and all(any(word in line for line in lines) for word in words):
            return size
    return 12


def _edged(sheet: Pixels) -> Pixels:
    cv2.rectangle(sheet, (0, 0), (sheet.shape[1] - 1, sheet.shape[0] - 1), (70, 70, 70), 1)
    return sheet


Motif = Callable[[Pixels, Colour, random.Random], None]


def _motif(sku: str) -> Motif:
    return _MOTIFS[random.Random(f"motif {sku}").randrange(len(_MOTIFS))]


def _bubbles(sheet: Pixels, colour: Colour, rng: random.Random) -> None:
    height, width = sheet.shape[:2]
    for _ in range(26):
        centre = rng.randrange(width), rng.randrange(height)
        cv2.circle(sheet, centre, rng.randrange(4, max(height // 9, 6)), colour, 2, cv2.LINE_AA)


def _waves(sheet: Pixels, colour: Colour, rng: random.Random) -> None:
    height, width = sheet.shape[:2]
    x = np.arange(0, width, 4)
    for row in range(8, height, max(height // 14, 8)):
        y = row + np.sin(x / width * 12 + rng.random() * 6) * height / 40
        cv2.polylines(sheet, [np.stack([x, y], axis=1).astype(np.int32)], False, colour, 2, cv2.LINE_AA)


def _rays(sheet: Pixels, colour: Colour, rng: random.Random) -> None:
    height, width = sheet.shape[:2]
    centre = rng.randrange(width), height
    for step in range(0, 180, 9):
        end = round(centre[0] + np.cos(np.radians(step)) * 900), round(centre[1] - np.sin(np.radians(step)) * 900)
        cv2.line(sheet, centre, end, colour, 3, cv2.LINE_AA)


def _leaves(sheet: Pixels, colour: Colour, rng: random.Random) -> None:
    height, width = sheet.shape[:2]
    for _ in range(18):
        centre = rng.randrange(width), rng.randrange(height)
        axes = rng.randrange(12, max(height // 6, 16)), rng.randrange(4, max(height // 18, 6))
        cv2.ellipse(sheet, centre, axes, rng.randrange(180), 0, 360, colour, -1, cv2.LINE_AA)


_MOTIFS: tuple[Motif, ...] = (_bubbles, _waves, _rays, _leaves)
