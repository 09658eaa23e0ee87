"""The CSV file with the item master that a site names."""

from __future__ import annotations

from pathlib import Path

from controller.site import Site
from packline.core.faults import Fault

_REMEDY = "Mend `items` in the site file: a path beside it. Without the key the line starts with no item master."


def item_bytes(site: Site, folder: Path, where: str = "") -> bytes:
    """Give the item file of a site whose file lies in `folder`; b"" if none is named; raises Fault 4201.

    `where` names the site file.
    """
    if not site.site.items:
        return b""
    path = folder / site.site.items
    try:
        return path.read_bytes()
    except OSError as error:
        seen = f"{path}: {(error.strerror or type(error).__name__).lower()}"
        place = f"{where or f'site {site.site.name}'} [site.items]"
        raise Fault(4201, where=place, seen=seen, expected="a CSV file that can be read", remedy=_REMEDY) from error
