"""Reads the codes in a picture by a chain of ever dearer steps, cheapest first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from math import dist
from types import ModuleType

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray

from scanning.codes import EVERY_SYMBOLOGY, Box, Code, Symbology, apart

Gray = NDArray[np.uint8]

MOST_PIXELS = 24_000_000
"""Larger pictures are shrunk to this before reading."""
LEAST_TURN_DEG = 2.0
"""A picture tilted by less is not turned: the readers take that much."""


def decode(
    image: bytes | NDArray[np.uint8],
    *,
    formats: frozenset[Symbology] = EVERY_SYMBOLOGY,
    is_enough: Callable[[Sequence[Code]], bool] = bool,
    most_steps: int | None = None,
) -> list[Code]:
    """Read every code in `image` (JPEG or PNG bytes, or gray or BGR pixels).

    The first two steps always run, since a second label must not be overlooked; then steps are added until
    `is_enough(codes)` or `most_steps` (default: all 6). Boxes are in pixels of the picture as given, except that a
    code found only after turning has the box of the turned picture put back by the same turn. Never raises for a
    picture that cannot be read: it holds no codes.
    """
    whole = _gray(image)
    if whole is None:
        return []
    gray, times = _shrunk(whole)
    found: list[Code] = []
    for number, step in enumerate(_STEPS[:most_steps]):
        found = apart(found + step(gray, formats))
        if number >= 1 and is_enough(found):
            break
    return found if times == 1.0 else [_grown(code, times) for code in found]


def _shrunk(gray: Gray) -> tuple[Gray, float]:
    """Give the picture at a size that the readers take, and how many times smaller it is."""
    times = max(1.0, (gray.size / MOST_PIXELS) ** 0.5)
    if times == 1.0:
        return gray, times
    small = cv2.resize(gray, None, fx=1 / times, fy=1 / times, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(small.astype(np.uint8)), times


def _grown(code: Code, times: float) -> Code:
    """Put a code's box back into the picture as given."""
    sides = (code.box.left, code.box.top, code.box.width, code.box.height)
    left, top, width, height = (round(side * times) for side in sides)
    return replace(code, box=Box(left=left, top=top, width=width, height=height))


@cache
def pyzbar_available() -> bool:
    """Tell whether the second reader can run: pyzbar needs the system's libzbar."""
    return _pyzbar() is not None


def _gray(image: bytes | NDArray[np.uint8]) -> Gray | None:
    if isinstance(image, bytes):
        read = cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_GRAYSCALE) if image else None
        if read is None:
            return None
        image = read.astype(np.uint8)
    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.uint8)
    if image.ndim != 2 or image.size == 0:
        return None
    return np.ascontiguousarray(image)


def _fast(gray: Gray, formats: frozenset[Symbology]) -> list[Code]:
    return _zxing(gray, formats, thorough=False)


def _full(gray: Gray, formats: frozenset[Symbology]) -> list[Code]:
    return _zxing(gray, formats, thorough=True)


def _second_reader(gray: Gray, formats: frozenset[Symbology]) -> list[Code]:
    # without smoothing zbar reads less the sharper the camera is: it takes sensor noise for bars
    return _zbar(_smooth(gray), formats)


def _smoothed(gray: Gray, formats: frozenset[Symbology]) -> list[Code]:
    return _zxing(_smooth(gray), formats, thorough=True)


def _contrast(gray: Gray, formats: frozenset[Symbology]) -> list[Code]:
    clear = cv2.createCLAHE(clipLimit=3.0, tileGridSize=(8, 8)).apply(gray).astype(np.uint8)
    return _both(clear, formats)


def _straightened(gray: Gray, formats: frozenset[Symbology]) -> list[Code]:
    angle = stripe_angle_deg(gray)
    if angle is None or abs(angle) < LEAST_TURN_DEG:
        return []
    turned, back = _turn(gray, angle)
    return [_moved(code, back) for code in _both(turned, formats)]


_STEPS: tuple[Callable[[Gray, frozenset[Symbology]], list[Code]], ...] = (
    _fast,
    _full,
    _second_reader,
    _smoothed,
    _contrast,
    _straightened,
)


def _both(gray: Gray, formats: frozenset[Symbology]) -> list[Code]:
    return _zxing(gray, formats, thorough=True) + _zbar(gray, formats)


def _smooth(gray: Gray) -> Gray:
    return cv2.medianBlur(gray, 3).astype(np.uint8)


_ZXING = {
    Symbology.CODE_128: zxingcpp.BarcodeFormat.Code128,
    Symbology.DATA_MATRIX: zxingcpp.BarcodeFormat.DataMatrix,
    Symbology.EAN_13: zxingcpp.BarcodeFormat.EAN13,
    Symbology.QR: zxingcpp.BarcodeFormat.QRCode,
}
_FROM_ZXING = {theirs: ours for ours, theirs in _ZXING.items()}


def _zxing(gray: Gray, formats: frozenset[Symbology], *, thorough: bool) -> list[Code]:
    wanted = zxingcpp.BarcodeFormats([_ZXING[f] for f in sorted(formats)])
    read = zxingcpp.read_barcodes(
        gray,
        formats=wanted,
        try_rotate=thorough,
        try_downscale=thorough,
        try_invert=thorough,
        text_mode=zxingcpp.TextMode.Plain,
    )
    return [code for found in read if (code := _from_zxing(found)) is not None]


def _from_zxing(found: zxingcpp.Barcode) -> Code | None:
    symbology = _FROM_ZXING.get(found.format) or _FROM_ZXING.get(found.symbology)
    if symbology is None:
        return None
    p = found.position
    corners = [(c.x, c.y) for c in (p.top_left, p.top_right, p.bottom_right, p.bottom_left)]
    is_bars = symbology is Symbology.CODE_128
    return Code(
        text=found.text,
        symbology=symbology,
        box=_around(corners),
        aim=found.symbology_identifier,
        stretch=dist(corners[0], corners[3]) / max(1.0, dist(corners[0], corners[1])) if is_bars else 0.0,
    )


_ZBAR = {Symbology.CODE_128: "CODE128", Symbology.EAN_13: "EAN13", Symbology.QR: "QRCODE"}
_FROM_ZBAR = {theirs: ours for ours, theirs in _ZBAR.items()}


def _zbar(gray: Gray, formats: frozenset[Symbology]) -> list[Code]:
    module = _pyzbar()
    names = [_ZBAR[f] for f in sorted(formats) if f in _ZBAR]
    if module is None or not names:
        return []
    wanted = [module.ZBarSymbol[name] for name in names]
    # zbar does not tell a GS1 symbol from a plain one, so these codes carry no AIM prefix
    return [
        Code(
            text=found.data.decode("utf-8", "replace"),
            symbology=_FROM_ZBAR[found.type],
            box=Box(left=found.rect.left, top=found.rect.top, width=found.rect.width, height=found.rect.height),
        )
        for found in module.decode(gray, symbols=wanted)
        if found.type in _FROM_ZBAR
    ]


@cache
def _pyzbar() -> ModuleType | None:
    try:
        return import_module("pyzbar.pyzbar")
    except (ImportError, OSError):  # it loads the shared library when imported
        return None


def stripe_angle_deg(gray: Gray) -> float | None:
    """Give the tilt of the dominant stripes in degrees (-90..90); None where nothing is striped.

    From the structure tensor: where all gradients of a neighbourhood agree in direction, there are bars.
    """
    scale = min(1.0, 700 / max(gray.shape))
    small = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.float32)
    dx, dy = cv2.Scharr(small, cv2.CV_32F, 1, 0), cv2.Scharr(small, cv2.CV_32F, 0, 1)
    xx, yy, xy = (cv2.boxFilter(part, -1, (21, 21)) for part in (dx * dx, dy * dy, dx * dy))
    energy = xx + yy
    agreement = np.hypot(xx - yy, 2 * xy) / (energy + 1e-3)
    angle = 0.5 * np.degrees(np.arctan2(2 * xy, xx - yy))
    weight = np.where(agreement > 0.8, energy, 0.0)
    if float(weight.max(initial=0.0)) <= 0:
        return None
    return _peak_deg(angle, weight)


def _peak_deg(angle: NDArray[np.floating], weight: NDArray[np.floating]) -> float:
    histogram, edges = np.histogram(angle, bins=90, range=(-90, 90), weights=weight)
    centre = float(edges[int(histogram.argmax())]) + 1.0
    offset = (angle - centre + 90) % 180 - 90
    near = (np.abs(offset) < 3) & (weight > 0)
    return centre + float(np.average(offset[near], weights=weight[near])) if near.any() else centre


@dataclass(frozen=True, slots=True)
class _Turn:
    matrix: NDArray[np.float64]


def _turn(gray: Gray, angle_deg: float) -> tuple[Gray, _Turn]:
    """Turn about the centre on a canvas that holds every corner; also give the way back."""
    height, width = gray.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle_deg, 1.0)
    cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = int(height * sin + width * cos), int(height * cos + width * sin)
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    turned = cv2.warpAffine(gray, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return turned.astype(np.uint8), _Turn(np.asarray(cv2.invertAffineTransform(matrix), np.float64))


def _moved(code: Code, back: _Turn) -> Code:
    b = code.box
    corners = np.array([(x, y, 1.0) for x in (b.left, b.left + b.width) for y in (b.top, b.top + b.height)])
    points = corners @ back.matrix.T
    return replace(code, box=_around([(int(x), int(y)) for x, y in points]))


def _around(corners: Sequence[tuple[int, int]]) -> Box:
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return Box(left=min(xs), top=min(ys), width=max(xs) - min(xs), height=max(ys) - min(ys))
