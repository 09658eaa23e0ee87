"""One parcel, killed at every dangerous point of its way: small enough to run once for each planted fault."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.crash.campaign import Campaign
from tests.crash.hall import Run, open_hall
from tests.crash.points import passed

pytestmark = [pytest.mark.mutants, pytest.mark.timeout(0)]

WAY = (
    "after commit of UnitInspected",
    "after CMD seal written to packer-1",
    "after commit of ParcelPacked",
    "before label job sent to printer-1",
    "after label job sent to printer-1",
    "after CMD apply written to arm-1",
)
LOOK = "still of cam-verify first of all"
FROZEN_S = 1.0


def test_one_parcel_survives_a_kill_at_each_dangerous_point(folder: Path):
    with open_hall(folder, orders=1) as hall:
        campaign = Campaign(hall=hall, seed=1)
        for point in WAY:
            campaign.kill_at(point)
        campaign.kill_at(f"after {LOOK}", occurrence=2)  # the first says who is here, the second proves the label
        time.sleep(FROZEN_S)  # the camera sees the label; that picture is then all that the next run can get
        hall.misbehave(device="cam-verify", fault="frozen")
        run = campaign.begin()
        hall.until(lambda: has_passed(run, f"before {LOOK}"), "the run looks at the parcel")
        time.sleep(FROZEN_S)
        hall.mend()
        campaign.end(run, watching=True)
        campaign.demand_well()


def has_passed(run: Run, point: str) -> bool:
    return any(name == point for _, name in passed(run.points))
