"""Kill -9 at every named point of a parcel's way and at random moments: nothing lost, nothing doubled, nothing wrong."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.crash.campaign import Campaign, Catalogue
from tests.crash.hall import open_hall

pytestmark = [pytest.mark.crash, pytest.mark.timeout(0)]

ORDERS, MORE_ORDERS = 12, 36
"""Of a round; a later one of a long campaign looks for what few runs come to, and these live long."""
ROUND = 54
"""Kills of one campaign: the reference parcel's, those at named points, random ones, and whole `packline up`."""
STARTING, AT_RANDOM, OF_UP = 6, 9, 4
LEAST_POINTS = 60
LEAST_AT_POINTS = 20
"""Kills of a round that must have met a run at a named point; 33 to 36 of the 40 that are planned do (2026-11-21)."""
LONG = 1000
OFTEN_PASSED = 100
"""In a long campaign, of `LONG` kills or more, a run has died at every point of the way that so many runs have passed."""


def test_no_kill_loses_or_doubles_anything(folder: Path, pytestconfig: pytest.Config):
    """`--kills` asks for more than one round; later rounds go on with the points that no run has died at."""
    wanted, catalogue, killed = pytestconfig.getoption("--kills"), Catalogue(), 0
    seed = random.SystemRandom().randrange(10**6) if wanted > ROUND else 1
    while killed < wanted:
        campaign = play(folder / f"round-{killed // ROUND:03d}", seed + killed // ROUND, catalogue)
        killed += len(campaign.kills)
        print(report(campaign, killed, wanted))
        campaign.demand_well()
        assert at_points(campaign) >= LEAST_AT_POINTS, "too few runs died at the points that were chosen"
    assert killed >= wanted
    assert len(catalogue.names) >= LEAST_POINTS
    if wanted >= LONG:
        assert catalogue.left_out(OFTEN_PASSED) == []


def play(folder: Path, seed: int, catalogue: Catalogue) -> Campaign:
    """Play one round: orders flow, controllers die, the rest of the work is done in peace."""
    with open_hall(folder, orders=MORE_ORDERS if catalogue.visited else ORDERS, seed=seed) as hall:
        campaign = Campaign(hall=hall, seed=seed, catalogue=catalogue)
        campaign.refer()
        named = ROUND - 1 - STARTING - AT_RANDOM - OF_UP
        campaign.kill_at_points(STARTING, starting=True)
        for share in thirds(named):
            campaign.kill_at_points(share)
            campaign.kill_at_random(AT_RANDOM // 3)
        hall.close_web()
        campaign.kill_everything(OF_UP)
        campaign.end_with_up()
        return campaign


def thirds(number: int) -> list[int]:
    return [number // 3, number // 3, number - 2 * (number // 3)]


def at_points(campaign: Campaign) -> int:
    return sum(bool(kill.point) for kill in campaign.kills)


def report(campaign: Campaign, killed: int, wanted: int) -> str:
    known, visited = campaign.catalogue.starting | campaign.catalogue.way, campaign.catalogue.visited
    kills_s = (campaign.kills[-1].at - campaign.kills[0].at).total_seconds()
    return (
        f"seed {campaign.seed}: {len(campaign.kills)} kills within {kills_s:.0f} s, {at_points(campaign)} of them at named points; "
        f"{killed} of {wanted} in all; {len(campaign.catalogue.names)} points ({len(known)} with before and after), "
        f"{len(visited & known)} of them died at"
    )
