"""The turntable as its camera sees it: the article's pack as a box on the turning disc."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from simulation.pictures.pack import Article, sides
from simulation.pictures.paint import Pixels, gradient, noise_sheet, shaded, warp_onto, with_noise
from simulation.pictures.scenes import ItemScene

WIDTH, HEIGHT = 960, 720
ELEVATION_DEG = 24.0
FOCAL_PX = 1500.0
LIGHT = np.array((-0.45, -0.75, 0.62)) / np.linalg.norm((-0.45, -0.75, 0.62))
AMBIENT = 0.62
UNLIT_SHARE = 0.62
"""Brightness by the hall's own light when the station's lamp is off."""
TICKS = 36

Point = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Eye:
    """A pinhole camera that looks at the middle of the item; millimetres, x right, y away, z up."""

    distance_mm: float
    target_mm: float

    def place(self) -> Point:
        rise = np.radians(ELEVATION_DEG)
        return np.array((0, -self.distance_mm * np.cos(rise), self.target_mm + self.distance_mm * np.sin(rise)))

    def see(self, points: Point) -> Point:
        """Project points (n x 3) to pixels (n x 2)."""
        rise = np.radians(ELEVATION_DEG)
        relative = points - self.place()
        depth = relative[:, 1] * np.cos(rise) - relative[:, 2] * np.sin(rise)
        up = relative[:, 1] * np.sin(rise) + relative[:, 2] * np.cos(rise)
        x = WIDTH / 2 + FOCAL_PX * relative[:, 0] / depth
        y = HEIGHT * 0.48 - FOCAL_PX * up / depth
        return np.stack([x, y], axis=1)


def draw_item(scene: ItemScene) -> Pixels:
    """Draw the table with what lies on it, 960 x 720."""
    length, width, height = scene.size_mm
    reach = float(np.hypot(length, width))
    eye = _Eye(distance_mm=2.1 * max(reach, height * 1.35, 60) + 80, target_mm=height * 0.42)
    sheet = _backdrop().copy()
    _disc(sheet, eye, reach * 0.68, scene.angle_deg)
    if scene.sku:
        _shadow(sheet, eye, scene)
        _box(sheet, eye, scene)
    lit = UNLIT_SHARE + (1 - UNLIT_SHARE) * scene.light_pct / 100
    return with_noise(shaded(sheet, lit), _noise())


@lru_cache(maxsize=1)
def _backdrop() -> Pixels:
    """A photographer's paper sweep: light above, a soft horizon, darker towards the viewer."""
    wall = gradient(WIDTH, HEIGHT * 2 // 5, (236, 233, 229), (247, 245, 243))
    floor = gradient(WIDTH, HEIGHT - wall.shape[0], (246, 244, 242), (205, 201, 197))
    sheet = cv2.GaussianBlur(np.vstack([wall, floor]), (0, 0), 12).astype(np.uint8)
    x = np.linspace(-1, 1, WIDTH, dtype=np.float32)[None, :, None]
    y = np.linspace(-1, 1, HEIGHT, dtype=np.float32)[:, None, None]
    return (sheet * np.clip(1.03 - 0.13 * (x * x + y * y), 0, 1)).astype(np.uint8)


@lru_cache(maxsize=1)
def _noise() -> NDArray[np.int16]:
    return noise_sheet(WIDTH, HEIGHT, 2.0, "item camera")


def _disc(sheet: Pixels, eye: _Eye, radius_mm: float, angle_deg: float) -> None:
    for share, level, colour in (
        (1.0, -6.0, (120, 118, 116)),
        (1.0, 0.0, (222, 220, 218)),
        (0.93, 0.0, (232, 230, 228)),
    ):
        rim = _ring(radius_mm * share, level)
        cv2.fillPoly(sheet, [_rounded(eye.see(rim))], colour, cv2.LINE_AA, 4)
    for tick in range(TICKS):
        inner = 0.80 if tick % 9 == 0 else 0.87
        turn = np.radians(tick * 360 / TICKS + angle_deg)
        ends = np.array([(np.sin(turn) * radius_mm * r, -np.cos(turn) * radius_mm * r, 0.0) for r in (inner, 0.93)])
        one, other = _rounded(eye.see(ends))
        colour = (60, 60, 200) if tick == 0 else (150, 148, 146)
        cv2.line(sheet, one.tolist(), other.tolist(), colour, 4 if tick == 0 else 2, cv2.LINE_AA, 4)


def _shadow(sheet: Pixels, eye: _Eye, scene: ItemScene) -> None:
    """A soft shadow on the side away from the light."""
    corners = _corners(scene)
    drop = np.array((0.30, 0.34)) * scene.size_mm[2] * 0.5
    ground = np.vstack([corners[:4], corners[:4] + np.array((*drop, 0))])
    outline = cv2.convexHull(_rounded(eye.see(ground)))
    mask = np.zeros((HEIGHT // 4, WIDTH // 4), np.uint8)
    cv2.fillConvexPoly(mask, outline // 4, 255, cv2.LINE_AA, 4)
    soft = cv2.resize(cv2.GaussianBlur(mask, (0, 0), 5), (WIDTH, HEIGHT))
    sheet[...] = (sheet * (1 - soft.astype(np.float32)[..., None] * (0.42 / 255))).astype(np.uint8)


def _box(sheet: Pixels, eye: _Eye, scene: ItemScene) -> None:
    article = Article(sku=scene.sku, name=scene.name, barcode=scene.barcode, colour=scene.colour, size_mm=scene.size_mm)
    pack, corners, place = sides(article), _corners(scene), eye.place()
    faces = (
        (pack.front, (4, 5, 1, 0)),
        (pack.right, (5, 6, 2, 1)),
        (pack.back, (6, 7, 3, 2)),
        (pack.left, (7, 4, 0, 3)),
        (pack.top, (7, 6, 5, 4)),
    )
    for picture, indices in faces:
        quad = corners[list(indices)]
        normal = np.cross(quad[1] - quad[0], quad[0] - quad[3])
        normal = normal / np.linalg.norm(normal)
        if normal @ (place - quad.mean(axis=0)) <= 0:
            continue
        light = AMBIENT + (1.12 - AMBIENT) * max(float(normal @ LIGHT), 0.0)
        seen = eye.see(quad)
        warp_onto(sheet, shaded(picture, light), [(float(x), float(y)) for x, y in seen])


def _corners(scene: ItemScene) -> Point:
    """Give the eight corners, bottom four first: front left, front right, back right, back left at angle 0."""
    length, width, height = scene.size_mm
    flat = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * np.array((length, width)) / 2
    turn = np.radians(scene.angle_deg)
    turned = flat @ np.array(((np.cos(turn), np.sin(turn)), (-np.sin(turn), np.cos(turn))))
    return np.vstack([np.column_stack([turned, np.full(4, z)]) for z in (0.0, float(height))])


def _ring(radius_mm: float, level_mm: float) -> Point:
    turn = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    return np.stack([np.cos(turn) * radius_mm, np.sin(turn) * radius_mm, np.full_like(turn, level_mm)], axis=1)


def _rounded(points: Point) -> NDArray[np.int32]:
    """Give points in sixteenths of a pixel, as OpenCV draws them with shift 4."""
    return np.round(points * 16).astype(np.int32)
