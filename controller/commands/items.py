"""`packline items SITE FILE`: import the item master from a CSV file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from controller.commands.opening import open_books
from controller.sites import find_site
from packline.core.faults import Fault


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.add_argument("site", type=Path, help="site file")
    options.add_argument("file", type=Path, help="CSV: sku, merchant, name, barcodes, weight_g, length_mm, ...")
    options.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(chosen: argparse.Namespace) -> int:
    """Take the good rows, name the bad ones; 1 if any row was bad."""
    raw = _read(chosen.file)
    with open_books(find_site(chosen.site)) as store:
        report = store.items.import_csv(raw)
    if chosen.json:
        print(json.dumps({"good": report.good, "bad": [row.text() for row in report.bad]}, ensure_ascii=False))
    else:
        print("\n".join([f"{report.good} items taken", *(row.text() for row in report.bad)]))
    return int(bool(report.bad))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        seen = (error.strerror or type(error).__name__).lower()
        remedy = "Check the path, and that you may read the file."
        raise Fault(4201, where=str(path), seen=seen, expected="a CSV file", remedy=remedy) from error
