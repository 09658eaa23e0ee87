"""A process that dies again and again is not started for ever: the fifth restart is the last."""

from __future__ import annotations

from collections.abc import Callable

from controller.supervisor import MOST_RESTARTS
from tests.controller.test_supervisor import DIES, Watched, child, watch
from tests.waiting import wait_for

__all__ = ["watch"]


def test_nothing_is_started_a_sixth_time_within_a_minute(watch: Callable[..., Watched]) -> None:
    hopeless = child("hopeless", DIES)
    watched = watch(hopeless)

    def restarts() -> int:
        return sum("starting it again" in line for line in watched.said)

    wait_for(lambda: hopeless.given_up or restarts() > MOST_RESTARTS)
    assert restarts() == MOST_RESTARTS
