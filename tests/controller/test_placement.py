"""Which device stands at which station."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from controller.placement import Equipment, Placement
from controller.site_file import load_site
from packline.core.scans import Scan
from tests.stations.line import Life

DEMO = Path(__file__).parents[2] / "sites" / "demo.toml"


@pytest.mark.parametrize("order", [["scan-gate", "scan-courier"], ["scan-courier", "scan-gate"]], ids=str)
async def test_only_the_mounted_scanner_says_what_stands_at_the_gate(life: Life, order: list[str]) -> None:
    site = load_site(DEMO)
    machines: Any = {"gate-1": life.floor.machines["gate"]}
    scanners: Any = {"scan-gate": life.floor.scan_gate, "scan-courier": life.floor.scan_pack}
    equipment = Equipment(machines=machines, printers={}, cameras={}, scanners=scanners)
    part = site.stations["gate-1"].model_copy(update={"scanners": order})
    gate: Any = Placement(site, life.kit, equipment).work("gate-1", part)
    now = life.floor.clock.now()
    assert gate._reader.is_by(Scan(text="x", device="scan-gate", at=now))
    assert not gate._reader.is_by(Scan(text="x", device="scan-courier", at=now))
