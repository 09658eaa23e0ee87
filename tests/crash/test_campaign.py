"""Kill -9 at every named point of a parcel's way and at random moments: nothing lost, nothing doubled, nothing wrong."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.crash.campaign import Campaign, Catalogue
from tests.crash.hall import open_hall

pytestmark = [pytest.mark.crash, pytest.mark.timeout(0)]

ORDERS = 12
ROUND = 60
"""Kills of one campaign: the reference parcel's, those at named points, random ones, and whole `packline up`."""
STARTING, AT_RANDOM, OF_UP = 6, 9, 10
LEAST_POINTS = 60


def test_no_kill_loses_or_doubles_anything(folder: Path, pytestconfig: pytest.Config):
    """`--kills` asks for more than one round; later rounds go on with the points that no run has died at."""
    wanted, catalogue, killed = pytestconfig.getoption("--kills"), Catalogue(), 0
    seed = random.SystemRandom().randrange(10**6) if wanted > ROUND else 1
    while killed < wanted:
        campaign = play(folder / f"round-{killed // ROUND:03d}", seed + killed // ROUND, catalogue)
        killed += len(campaign.kills)
        print(report(campaign, killed, wanted))
        campaign.demand_well()
    assert killed >= wanted
    assert len(catalogue.names) >= LEAST_POINTS


def play(folder: Path, seed: int, catalogue: Catalogue) -> Campaign:
    """Play one round: orders flow, controllers die, the rest of the work is done in peace."""
    with open_hall(folder, orders=ORDERS, seed=seed) as hall:
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


def report(campaign: Campaign, killed: int, wanted: int) -> str:
    known, visited = campaign.catalogue.starting | campaign.catalogue.way, campaign.catalogue.visited
    at_points = sum(bool(kill.point) for kill in campaign.kills)
    return (
        f"seed {campaign.seed}: {len(campaign.kills)} kills, {at_points} of them at named points; "
        f"{killed} of {wanted} in all; {len(campaign.catalogue.names)} points ({len(known)} with before and after), "
        f"{len(visited & known)} of them died at"
    )
