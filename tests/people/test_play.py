"""The play is over when every order has ended for everybody, and not because somebody is tired of waiting."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from packline.feeds.signing import make_secret
from simulation.people.stage import PeopleSpec, Stage
from tests.people.rig import SPEED
from tests.people.test_hosts import ITEMS, received


class StoppedClock:
    """A clock that a test moves."""

    def __init__(self):
        self.seconds = 0.0

    def now(self):
        return datetime(2026, 11, 21, tzinfo=UTC)

    def monotonic(self):
        return self.seconds


@pytest.fixture
def clock():
    return StoppedClock()


@pytest.fixture
def play(stage, clock):
    """Give a play of one order, told to two subscribers, in a hall without machines."""
    secret = make_secret(b"p" * 24)
    spec = PeopleSpec(
        web_url="http://127.0.0.1:1",
        operator="floor",
        supervisor="lead",
        password="x",  # noqa: S106 - nobody to sign in to
        orders=1,
        seed=1,
        speed=SPEED,
        items=ITEMS,
        host="127.0.0.1:0",
        feed_secret=secret,
        courier="kd",
        courier_secret=secret,
        subscribers={"merchant": secret, "archive": secret},
    )
    twin = SimpleNamespace(spec=stage.hall.spec, floor=stage.floor, truth=stage.truth)
    return Stage(twin, spec, clock=clock)


async def tell(play, name, order, roles, **data):
    for role in roles:
        await play.score.hear(received(name, order, role, **data))


async def test_play_is_over_when_its_order_has_ended_for_every_subscriber(play):
    (order, account), *_ = play.marketplace.accounts.items()
    account.posted = len(account.story.versions)
    await tell(play, "order.cancelled", order, ["merchant"])
    assert not play.is_over()

    await tell(play, "order.cancelled", order, ["archive"])
    assert play.is_over()
    summary = play.summary()
    assert (summary["orders"], summary["orders_over"], summary["lost_events"]) == (1, 1, 0)


async def test_play_with_a_lost_event_is_never_over_however_long_it_is_waited_for(play, clock):
    (order, account), *_ = play.marketplace.accounts.items()
    account.posted = len(account.story.versions)
    await tell(play, "order.accepted", order, ["merchant"])
    await tell(play, "order.cancelled", order, ["merchant", "archive"])

    for _ in range(3):
        assert not play.is_over()
        clock.seconds += 3600.0
    assert play.summary()["lost_events"] == 1
