"""What each camera has before it: the plant's things as a scene."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from simulation.machines.turntable import Turntable
from simulation.pictures.scenes import CartonScene, ItemScene, Scene, SceneLabel
from simulation.plant.world import World
from simulation.spec import StockSpec


def table_view(world: World, station: str, table: Turntable, stock: Mapping[str, StockSpec]) -> Callable[[], Scene]:
    """Look at a turntable."""

    def look() -> Scene:
        piece = world.tables[station]
        angle, light = round(table.angle_deg, 1), table.level_pct
        if piece is None:
            return ItemScene(angle_deg=angle, light_pct=light)
        article = stock[piece.sku]
        return ItemScene(
            sku=article.sku,
            name=article.name,
            barcode=article.barcode,
            size_mm=article.size_mm,
            colour=article.colour,
            angle_deg=angle,
            light_pct=light,
        )

    return look


def stop_view(world: World, station: str, stock: Mapping[str, StockSpec]) -> Callable[[], Scene]:
    """Look at a stop from above."""

    def look() -> Scene:
        carton = world.place(station).first
        if carton is None:
            return CartonScene()
        return CartonScene(
            lpn=carton.lpn,
            closed=carton.closed,
            inside=() if carton.closed else tuple(stock[piece.sku].colour for piece in carton.pieces),
            labels=tuple(
                SceneLabel(
                    number=stuck.label.number,
                    right_mm=stuck.spot.right_mm,
                    down_mm=stuck.spot.down_mm,
                    turn_deg=stuck.spot.turn_deg,
                    on_left=stuck.spot.on_left,
                    bitmap=stuck.label.bitmap,
                )
                for stuck in carton.labels
            ),
        )

    return look
