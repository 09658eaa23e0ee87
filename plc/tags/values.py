"""Values of tags as they are known now: each with its quality, the source's time and the boot that it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from plc.links import Value

NEVER = float("-inf")


class Quality(StrEnum):
    """How far a picture or a value may be believed; only a good one may be acted on."""

    GOOD = "good"
    STALE = "stale"
    BAD = "bad"
    ABSENT = "absent"


_WORST_FIRST = (Quality.ABSENT, Quality.BAD, Quality.STALE, Quality.GOOD)


def worst(qualities: Iterable[Quality]) -> Quality:
    """Give the worst of some qualities; good if there are none."""
    return min(qualities, key=_WORST_FIRST.index, default=Quality.GOOD)


@dataclass(frozen=True, slots=True, kw_only=True)
class TagValue:
    """One tag, now. A bad one has no value; a stale one has its last, for people to look at, never to act on.

    `at` is when the machine had it, by the source's clock (OPC UA) or when it was asked for (Modbus). `boot` is the number of
    the machine's start that it belongs to. `reason` says why it is not good.
    """

    value: Value | None = None
    quality: Quality = Quality.ABSENT
    at: datetime | None = field(default=None, compare=False)
    boot: int = 0
    reason: str = "never read"

    @property
    def is_good(self) -> bool:
        """Tell whether it may be acted on."""
        return self.quality is Quality.GOOD


ABSENT = TagValue()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What was last heard of a tag, and `taken_at` on the monotonic clock: not later than the machine had it."""

    shown: TagValue
    taken_at: float = NEVER
    session: int = 0


@dataclass(slots=True, kw_only=True)
class TagStore:
    """Keeps what was heard, and says of it at any later moment how far it may still be believed.

    What was heard over an earlier connection, or before the machine started again, is stale at once. `limits_s` gives the
    age at which a tag is stale; `told` are the tags that a subscription tells of, which are confirmed together.
    """

    limits_s: Mapping[str, float]
    told: frozenset[str] = frozenset()
    boot: int = 0
    session: int = 0
    version: int = 0
    _told_at: float = NEVER
    _kept: dict[str, _Kept] = field(default_factory=dict)

    def begin(self) -> None:
        """Note a new connection, or that the old one is gone: nothing that is known is proved any more."""
        self.session += 1
        self.version += 1
        self._told_at = NEVER

    def see_boot(self, boot: int) -> bool:
        """Note the number of the machine's start; True if it has changed, and with it everything is stale."""
        changed, self.boot = boot != self.boot, boot
        if changed:
            self.begin()
        return changed

    def good(self, name: str, value: Value, *, at: datetime | None, taken_at: float) -> None:
        """Take a value; one that was taken before what is kept is dropped."""
        self._keep(name, TagValue(value=value, quality=Quality.GOOD, at=at, boot=self.boot, reason=""), taken_at)

    def bad(self, name: str, reason: str, *, at: datetime | None, taken_at: float) -> None:
        """Take that there is no value, and why."""
        self._keep(name, TagValue(quality=Quality.BAD, at=at, boot=self.boot, reason=reason), taken_at)

    def confirm(self, *, taken_at: float) -> None:
        """Take that the subscription's tags are as they were last told."""
        self._told_at = max(self._told_at, taken_at)

    def get(self, name: str, now: float) -> TagValue:
        """Give one tag as it may be believed at `now`; raises KeyError for one that is none."""
        limit_s = self.limits_s[name]
        kept = self._kept.get(name)
        if kept is None:
            return ABSENT
        if kept.session != self.session:
            reason = "the machine has started again" if kept.shown.boot != self.boot else "the link was lost"
        elif now - self._heard_at(name, kept) > limit_s:
            reason = f"not heard of for {limit_s:g} s"
        else:
            return kept.shown
        return replace(kept.shown, quality=Quality.STALE, reason=reason)

    def taken_at(self, name: str) -> float:
        """Give when the tag was last heard of over this connection."""
        kept = self._kept.get(name)
        return self._heard_at(name, kept) if kept is not None and kept.session == self.session else NEVER

    def snapshot(self, now: float, parts: Mapping[str, str] = MappingProxyType({})) -> Mapping[str, TagValue]:
        """Give every tag as it may be believed at `now`, and under each name of `parts` the tag that plays it."""
        frozen = replace(self, _kept=dict(self._kept))
        return _Snapshot(frozen, now, parts)

    def _heard_at(self, name: str, kept: _Kept) -> float:
        return max(kept.taken_at, self._told_at) if name in self.told else kept.taken_at

    def _keep(self, name: str, shown: TagValue, taken_at: float) -> None:
        kept = self._kept.get(name)
        if kept is not None and kept.session == self.session and taken_at < kept.taken_at:
            return
        if kept is None or kept.session != self.session or kept.shown != shown:
            self.version += 1
        self._kept[name] = _Kept(shown=shown, taken_at=taken_at, session=self.session)


class _Snapshot(Mapping[str, TagValue]):
    """A frozen picture that works out each value when it is looked at."""

    def __init__(self, store: TagStore, now: float, parts: Mapping[str, str]) -> None:
        self._store, self._now, self._parts = store, now, parts

    def __getitem__(self, name: str) -> TagValue:
        return self._store.get(self._parts.get(name, name), self._now)

    def __iter__(self) -> Iterator[str]:
        return iter((*self._store.limits_s, *self._parts))

    def __len__(self) -> int:
        return len(self._store.limits_s) + len(self._parts)

    def __repr__(self) -> str:
        return repr(dict(self))
