"""Hands the twin's people the house of a site file: where it is, and what they must know of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from controller.site import FeedPart, Site, twin_part
from packline.core.faults import Fault
from simulation.people.stage import PeopleSpec

OPERATOR, SUPERVISOR = "floor", "shift-lead"


def people_of(site: Site, path: Path, *, orders: int, seed: int | None, speed: float | None) -> PeopleSpec:
    """Give the people of the site file at `path`; raises Fault 4201 where it declares no feed or no courier."""
    twin = twin_part(site)
    _, feed = _first(site.feeds, "feeds")
    courier_name, courier = _first(site.couriers, "couriers")
    return PeopleSpec(
        web_url=f"http://{site.web.host}:{site.web.port}",
        operator=OPERATOR,
        supervisor=SUPERVISOR,
        password=twin.people_password,
        orders=orders,
        seed=seed if seed is not None else twin.seed,
        speed=speed or twin.speed,
        items=path.resolve().parent / site.site.items,
        host=twin.host,
        feed_secret=feed.keys()[0],
        courier=courier_name,
        courier_secret=courier.keys()[0],
        subscribers={part.role: part.key() for part in site.subscribers.values()},
    )


def _first(parts: Mapping[str, FeedPart], kind: str) -> tuple[str, FeedPart]:
    """Give the first of a kind: the twin's people play one host and one courier."""
    for name, part in parts.items():
        return name, part
    remedy = "Declare one, or type --no-people."
    raise Fault(4201, where=f"[{kind}]", seen="none", expected="one that the twin's people play", remedy=remedy)
