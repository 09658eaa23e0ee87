"""A picture from before a run proves nothing in it: the crash harness's scene of a camera that stands still."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.campaign import Campaign
from tests.crash.hall import Run, open_hall
from tests.crash.judge import judge
from tests.crash.points import passed

pytestmark = [pytest.mark.mutants, pytest.mark.timeout(0)]

VERIFIED = "commit of LabelVerified"
LOOK = "before still of cam-verify"
LOOKS = 3
"""A run that refuses the old picture looks again and again; one that believes it looks twice: at the plate, at the label."""


def test_a_label_is_not_verified_by_a_picture_from_before_the_run(folder: Path) -> None:
    with open_hall(folder, orders=1) as hall:
        campaign = Campaign(hall=hall, seed=1)
        campaign.kill_at(f"before {VERIFIED}")
        hall.misbehave(device="cam-verify", fault="frozen")
        run = campaign.begin()
        hall.until(lambda: looks(run) >= LOOKS or has_verified(run), "the run has judged what it was shown")
        hall.mend(device="cam-verify")
        hall.until(lambda: has_verified(run), "the label is verified")
        hall.keep()

        assert [text for text in judge(campaign.left()) if "picture" in text] == []


def looks(run: Run) -> int:
    return sum(point.startswith(LOOK) for _, point in passed(run.points))


def has_verified(run: Run) -> bool:
    return any(point == f"after {VERIFIED}" for _, point in passed(run.points))
