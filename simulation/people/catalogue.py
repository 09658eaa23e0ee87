"""The articles that the twin's marketplace sells, from the site's item file."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One article; `barcode` is the one printed on it, sizes in millimetres."""

    sku: str
    merchant: str
    name: str
    barcode: str
    size_mm: tuple[int, int, int]

    def fits(self, most_mm: tuple[int, int, int]) -> bool:
        """Tell whether a machine that takes `most_mm` can pack it."""
        return all(a <= b for a, b in zip(sorted(self.size_mm), sorted(most_mm), strict=True))


def read_catalogue(path: Path) -> Sequence[Article]:
    """Read an item file (CSV in UTF-8 with a heading); raises OSError, KeyError or ValueError for a file that is none."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [_article(row) for row in csv.DictReader(file)]


def _article(row: dict[str, str]) -> Article:
    codes = row["barcodes"].split()
    length, width, height = (int(row[name] or 0) for name in ("length_mm", "width_mm", "height_mm"))
    return Article(
        sku=row["sku"],
        merchant=row["merchant"],
        name=row["name"],
        barcode=codes[0] if codes else row["sku"],
        size_mm=(length, width, height),
    )
