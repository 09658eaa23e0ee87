"""One parcel, killed at the dangerous points of its way: small enough to run once for each planted fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.campaign import Campaign
from tests.crash.hall import open_hall

pytestmark = [pytest.mark.mutants, pytest.mark.timeout(0)]

DANGEROUS = {
    "nobody is told": "after commit of ParcelPacked",
    "a label is not printed": "before label job sent to printer-1",
    "a label is printed": "after label job sent to printer-1",
}
"""A point for each kind of fault, and what the next run finds there; the campaign dies at every point there is."""
OVER_S, PLANTED_S = 75.0, 40.0
"""One parcel takes a fifth of the first; a planted fault may also show by a line that comes to no end, which is waited for less long."""


def test_one_parcel_survives_a_kill_at_each_dangerous_point(folder: Path) -> None:
    survive(folder, *DANGEROUS.values(), within_s=OVER_S)


@pytest.mark.planted
@pytest.mark.parametrize("point", DANGEROUS.values(), ids=DANGEROUS)
def test_one_parcel_survives_a_kill(point: str, folder: Path) -> None:
    """The same with one kill, so that a planted fault shows sooner; without a fault the test above is its proof."""
    survive(folder, point, within_s=PLANTED_S)


def survive(folder: Path, *points: str, within_s: float) -> None:
    with open_hall(folder, orders=1) as hall:
        campaign = Campaign(hall=hall, seed=1)
        for point in points:
            campaign.kill_at(point)
        campaign.end(watching=True, within_s=within_s)
        campaign.demand_well()
