"""Invents orders that look real, from a seed: who buys what of whom, and which of them are awkward."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, overload

from simulation.people.catalogue import Article

MACHINE_MOST_MM = (400, 300, 250)
TRAITS = (
    (),
    ("reserved",),
    ("unpaid",),
    ("oversize",),
    ("miscounted",),
    ("unaddressed",),
    ("four_lines",),
    ("long_address",),
    ("three_of_one",),
    ("rejects",),
    ("posted_twice",),
    ("late",),
    ("two_lines",),
    ("no_approval",),
    ("emoji",),
    ("renamed",),
    (),
    ("two_lines",),
    (),
    ("no_approval",),
    ("late",),
    (),
    ("oversize", "no_approval"),
    (),
)
"""Orders take these in turn; the first twelve show everything once."""

DATED = timedelta(hours=1)
"""A dated order must leave so long after the shift began."""

MOST_KEPT = 1024
"""Stories that are kept once they are drawn; a long shift has fifty thousand, and a few dozen of them are under way."""

KNOWN_TRAITS = frozenset(trait for traits in TRAITS for trait in traits) | {"plain", "silent", "dated"}
"""What an order can be like; shares name these."""

_PEOPLE = (
    ("王小明", ("建国路 88 号", "SOHO 现代城 5 号楼 1203"), "北京", "100022", "CN", "+86 10 5555 0101"),
    ("李思远", ("南京西路 1266 号", "恒隆广场 26 层"), "上海", "200040", "CN", "+86 21 5555 0102"),
    ("陈美玲", ("天河路 208 号",), "广州", "510620", "CN", "+86 20 5555 0103"),
    ("张伟", ("人民南路四段 27 号", "商鼎国际 2 栋 2 单元"), "成都", "610041", "CN", "+86 28 5555 0104"),
    ("欧阳若曦", ("文三路 478 号", "华星时代广场 A 座"), "杭州", "310013", "CN", "+86 571 5555 0105"),
    ("Amelia Clarke", ("12 Rosebery Avenue", "Flat 3"), "London", "EC1R 4TF", "GB", "+44 20 7946 0106"),
    ("Noah Williams", ("455 Oak Street",), "Portland", "97205", "US", "+1 503 555 0107"),
    ("Siobhán O'Connor", ("7 Mill Lane",), "Galway", "H91 XY01", "IE", "+353 1 555 0108"),
    ("Lucas Tan", ("Blk 123 Ang Mo Kio Ave 3", "#08-1234"), "Singapore", "560123", "SG", "+65 5550 0109"),
    ("Zoë Müller", ("Lindenstraße 19",), "Berlin", "10969", "DE", "+49 30 5550 0110"),
)
_LONG_LINES = (
    "内蒙古自治区鄂尔多斯市康巴什区康巴什街道 Ordos Kangbashi, ninth industrial park of the northern development zone",
    "Building 17 of the second phase, entrance by the western gate behind the filling station, third warehouse on the left",
    "请先致电 Please call before delivery; the watchman speaks only Mongolian 请勿放置门口",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandSpec:
    """How orders come and what they are like.

    `gap` makes the draw of the simulated seconds between two orders out of a stream (None: 12 s, give or take ten), `burst` is how
    many come at once, `shares` weights of traits ("plain" for none); without shares orders take TRAITS in turn, beginning with
    the `turn`th, from 0.
    """

    gap: Callable[[random.Random], Callable[[], float]] | None = None
    burst: int = 1
    shares: Mapping[str, float] = field(default_factory=dict)
    turn: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One order's life at the host: its versions and what each waits for.

    `versions[0]` is posted first; each later one `wait_s` simulated seconds after the one before, or when the buyer buys
    ("on_purchase"). `answer` is how its buyer answers a picture: approve | late | reject | silent.
    """

    id: str
    traits: tuple[str, ...]
    versions: tuple[Mapping[str, Any], ...]
    waits_s: tuple[float, ...] = ()
    on_purchase: bool = False
    answer: str = "approve"

    @property
    def skus(self) -> list[str]:
        """List what must reach the buyer, one entry for each piece."""
        return sorted(line["sku"] for line in self.versions[-1]["lines"] for _ in range(line["qty"]))


class Stories(Sequence[Story]):
    """The first `number` stories that `draw` gives by their number from 0.

    Each is drawn when somebody asks for it, and again when that was long ago: the same number gives the same story.
    """

    def __init__(self, draw: Callable[[int], Story], number: int) -> None:
        self._draw, self._number = lru_cache(MOST_KEPT)(draw), number

    def __len__(self) -> int:
        return self._number

    @overload
    def __getitem__(self, n: int) -> Story: ...
    @overload
    def __getitem__(self, n: slice) -> list[Story]: ...
    def __getitem__(self, n: int | slice) -> Story | list[Story]:
        if isinstance(n, slice):
            return [self._draw(each) for each in range(self._number)[n]]
        return self._draw(range(self._number)[n])


@dataclass(slots=True, kw_only=True)
class Demand:
    """Makes stories. The same seed, first number and time give the same ones."""

    articles: Sequence[Article]
    seed: int
    series: str
    """Goes into every order's number, so that two runs on one data folder do not name two orders alike."""
    placed_at: datetime
    shares: Mapping[str, float] = field(default_factory=dict)
    turn: int = 0
    _twists: Mapping[str, Callable[[Story], Story]] = field(init=False)

    def __post_init__(self) -> None:
        self._twists = {
            "reserved": _reserved,
            "unpaid": _unpaid,
            "unaddressed": _unaddressed,
            "miscounted": _miscounted,
            "renamed": _renamed,
            "long_address": lambda s: _addressed(s, {"lines": list(_LONG_LINES)}),
            "emoji": lambda s: _addressed(s, {"recipient": "小熊 🐼 Panda fan club", "lines": ["红豆路 9 号 🏮 2 楼"]}),
            "no_approval": lambda s: _every(s, {"options": {"approval": False, "split": True, "short": True}}),
            "rejects": lambda s: replace(s, answer="reject"),
            "late": lambda s: replace(s, answer="late"),
            "silent": lambda s: replace(s, answer="silent"),
            "dated": lambda s: _every(s, {"ship_by": (self.placed_at + DATED).isoformat()}),
        }

    def stories(self, number: int) -> Stories:
        """Invent `number` orders."""
        return Stories(self._story, number)

    def _story(self, n: int) -> Story:
        rng = random.Random(f"{self.seed}/order/{n}")
        traits = self._traits(n)
        order_id = f"HM-{self.series}-{n + 1:03d}"
        story = Story(id=order_id, traits=traits, versions=(self._order(order_id, traits, rng),))
        for trait in traits:
            if twist := self._twists.get(trait):
                story = twist(story)
        return story

    def _traits(self, n: int) -> tuple[str, ...]:
        if not self.shares:
            return TRAITS[(self.turn + n) % len(TRAITS)]
        rng = random.Random(f"{self.seed}/traits/{n}")
        names = sorted(self.shares)
        (drawn,) = rng.choices(names, [self.shares[name] for name in names])
        return () if drawn == "plain" else (drawn,)

    def _order(self, order_id: str, traits: Sequence[str], rng: random.Random) -> dict[str, Any]:
        chosen = self._lines(traits, rng)
        lines = [_line(n, article, quantity, rng) for n, (article, quantity) in enumerate(chosen, 1)]
        merchant = chosen[0][0].merchant
        recipient, streets, city, postcode, country, phone = rng.choice(_PEOPLE)
        return {
            "id": order_id,
            "version": 1,
            "merchant": {"id": merchant, "name": merchant.replace("-", " ").title()},
            "buyer": {"id": f"buyer-{rng.randrange(1000, 9999)}", "name": recipient},
            "placed_at": self.placed_at.isoformat(),
            "currency": "CNY",
            "lines": lines,
            "total_minor": total_of(lines),
            "purchase": "bought",
            "paid": True,
            "ship_to": {
                "recipient": recipient,
                "lines": list(streets),
                "city": city,
                "postcode": postcode,
                "country": country,
                "phone": phone,
            },
            "ship_by": None,
            "options": {"approval": True, "split": True, "short": True},
        }

    def _lines(self, traits: Sequence[str], rng: random.Random) -> list[tuple[Article, int]]:
        """Choose articles of one merchant, each once."""
        wants_large = "oversize" in traits
        of_size = [a for a in self.articles if a.fits(MACHINE_MOST_MM) != wants_large]
        merchant = rng.choice(sorted({a.merchant for a in of_size}))
        shelf = [a for a in of_size if a.merchant == merchant]
        wanted = 4 if "four_lines" in traits else 2 if "two_lines" in traits else 1
        chosen = rng.sample(shelf, min(wanted, len(shelf)))
        return [(article, 3 if "three_of_one" in traits else 1) for article in chosen]


def total_of(lines: Sequence[Mapping[str, Any]]) -> int:
    """Give the sum of the lines in minor units."""
    return int(sum(line["qty"] * line["unit_minor"] for line in lines))


def _line(number: int, article: Article, quantity: int, rng: random.Random) -> dict[str, Any]:
    return {
        "line": number,
        "sku": article.sku,
        "name": article.name,
        "gtin": article.barcode if article.barcode.isdigit() else "",
        "qty": quantity,
        "unit_minor": rng.randrange(900, 25_000, 10),
    }


def _every(story: Story, change: Mapping[str, Any]) -> Story:
    return replace(story, versions=tuple({**version, **change} for version in story.versions))


def _addressed(story: Story, change: Mapping[str, Any]) -> Story:
    versions = tuple(
        {**version, "ship_to": version["ship_to"] and {**version["ship_to"], **change}} for version in story.versions
    )
    return replace(story, versions=versions)


def _first_otherwise(story: Story, change: Mapping[str, Any], wait_s: float) -> Story:
    """Let the story begin with another version; what is there now becomes the correction."""
    corrected = {**story.versions[-1], "version": len(story.versions) + 1}
    return replace(
        story,
        versions=(*story.versions[:-1], {**story.versions[-1], **change}, corrected),
        waits_s=(*story.waits_s, wait_s),
    )


def _reserved(story: Story) -> Story:
    return replace(_first_otherwise(story, {"purchase": "reserved", "paid": False}, 0.0), on_purchase=True)


def _unpaid(story: Story) -> Story:
    return _first_otherwise(story, {"paid": False}, 240.0)


def _unaddressed(story: Story) -> Story:
    return _first_otherwise(story, {"ship_to": None}, 200.0)


def _miscounted(story: Story) -> Story:
    return _first_otherwise(story, {"total_minor": story.versions[-1]["total_minor"] + 100}, 60.0)


def _renamed(story: Story) -> Story:
    buyer = story.versions[-1]["buyer"]
    return _first_otherwise(story, {"buyer": {**buyer, "name": f"{buyer['name']} (?)"}}, 30.0)
