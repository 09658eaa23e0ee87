"""Values of tags as they are known now: each with its quality, the source's time and the boot that it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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


_RANK = {quality: n for n, quality in enumerate((Quality.ABSENT, Quality.BAD, Quality.STALE, Quality.GOOD))}


def worst(qualities: Iterable[Quality]) -> Quality:
    """Give the worst of some qualities; good if there are none."""
    return min(qualities, key=_RANK.__getitem__, default=Quality.GOOD)


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


@dataclass(frozen=True, slots=True)
class Bad:
    """Instead of a value: why there is none."""

    reason: str


Outcome = Value | Bad


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was last heard of the tags of a sheet; `taken_at` on the monotonic clock is not later than the machine had it."""

    outcomes: Sequence[Outcome]
    at: datetime | None
    taken_at: float
    session: int
    boot: int


@dataclass(slots=True, kw_only=True)
class TagStore:
    """Keeps what was heard, and says of it at any later moment how far it may still be believed.

    What was heard over an earlier connection, or before the machine started again, is stale at once. `limits_s` gives the
    age at which a tag is stale; `told` are the tags that a subscription tells of, which are confirmed together.

    Tags that one request reads share a sheet, and with it their time: an answer that says nothing new moves that alone. A tag
    may be on several sheets; it is shown as it was last heard on any of them.
    """

    limits_s: Mapping[str, float]
    told: frozenset[str] = frozenset()
    boot: int = 0
    session: int = 0
    version: int = 0
    moment: int = 0
    """Moves on with everything that is heard, be it new or not."""
    _frozen: TagStore | None = field(default=None, compare=False, repr=False)
    _told_at: float = NEVER
    _sheets: list[tuple[str, ...]] = field(default_factory=list)
    _answers: list[_Answer | None] = field(default_factory=list)
    _alone: dict[str, int] = field(default_factory=dict)
    _places: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Of each tag that was heard of: the sheet that shows it, and where on it."""
    _torn: set[int] = field(default_factory=set)
    """Sheets some of whose tags another sheet shows."""

    def tell_of(self, names: Iterable[str]) -> None:
        """Note which tags a subscription tells of, on this connection."""
        self.told = frozenset(names)
        self._move()

    def begin(self) -> None:
        """Note a new connection, or that the old one is gone: nothing that is known is proved any more."""
        self.session += 1
        self.version += 1
        self._move()
        self._told_at = NEVER

    def see_boot(self, boot: int) -> bool:
        """Note the number of the machine's start; True if it has changed, and with it everything is stale."""
        changed, self.boot = boot != self.boot, boot
        if changed:
            self.begin()
        return changed

    def sheet(self, names: Iterable[str]) -> int:
        """Open a sheet for tags that are heard of together; gives its number for `keep`."""
        self._move()
        self._sheets.append(tuple(names))
        self._answers.append(None)
        number = len(self._sheets) - 1
        self._torn.add(number)
        return number

    def keep(self, sheet: int, outcomes: Sequence[Outcome], *, at: datetime | None, taken_at: float) -> None:
        """Take what came for the tags of a sheet, in their order; what was taken before what is kept is dropped.

        `outcomes` must not be changed afterwards; the very same ones again are the cheapest way to say that nothing changed.
        """
        answer, last = _Answer(outcomes, at, taken_at, self.session, self.boot), self._answers[sheet]
        is_new = last is None or last.session != self.session
        if last is not None and not is_new and taken_at < last.taken_at:
            return
        if sheet in self._torn:
            self._take_back(sheet, answer)
        elif is_new or (last is not None and outcomes is not last.outcomes and outcomes != last.outcomes):
            self.version += 1
        self._answers[sheet] = answer
        self._move()

    def keep_one(self, name: str, outcome: Outcome, *, at: datetime | None, taken_at: float) -> None:
        """Take what was heard of one tag alone."""
        if name not in self._alone:
            self._alone[name] = self.sheet((name,))
        self.keep(self._alone[name], (outcome,), at=at, taken_at=taken_at)

    def confirm(self, *, taken_at: float) -> None:
        """Take that the subscription's tags are as they were last told."""
        self._told_at = max(self._told_at, taken_at)
        self._move()

    def get(self, name: str, now: float) -> TagValue:
        """Give one tag as it may be believed at `now`; raises KeyError for one that is none."""
        limit_s = self.limits_s[name]
        heard = self._heard(name)
        if heard is None:
            return ABSENT
        answer, outcome = heard
        shown = _shown(answer, outcome)
        if answer.session != self.session:
            reason = "the machine has started again" if answer.boot != self.boot else "the link was lost"
        elif now - self._heard_at(name, answer) > limit_s:
            reason = f"not heard of for {limit_s:g} s"
        else:
            return shown
        return replace(shown, quality=Quality.STALE, reason=reason)

    def taken_at(self, name: str) -> float:
        """Give when the tag was last heard of over this connection."""
        heard = self._heard(name)
        return self._heard_at(name, heard[0]) if heard is not None and heard[0].session == self.session else NEVER

    def snapshot(self, now: float, parts: Mapping[str, str] = MappingProxyType({})) -> Mapping[str, TagValue]:
        """Give every tag as it may be believed at `now`, and under each name of `parts` the tag that plays it."""
        if self._frozen is None:
            self._frozen = replace(self, _answers=list(self._answers), _places=dict(self._places))
        return _Snapshot(self._frozen, now, parts)

    def _move(self) -> None:
        self.moment += 1
        self._frozen = None

    def _heard(self, name: str) -> tuple[_Answer, Outcome] | None:
        place = self._places.get(name)
        answer = self._answers[place[0]] if place else None
        return (answer, answer.outcomes[place[1]]) if place and answer else None

    def _heard_at(self, name: str, answer: _Answer) -> float:
        return max(answer.taken_at, self._told_at) if name in self.told else answer.taken_at

    def _take_back(self, sheet: int, answer: _Answer) -> None:
        """Let a sheet show its tags again with `answer`, except for those that were heard of later on other sheets."""
        news: dict[str, tuple[int, int]] = {}
        has_changed = False
        for index, name in enumerate(self._sheets[sheet]):
            heard = self._heard(name)
            is_new = heard is None or heard[0].session != self.session
            if heard is None or is_new or answer.taken_at >= heard[0].taken_at:
                news[name] = (sheet, index)
                has_changed = has_changed or is_new or (heard is not None and answer.outcomes[index] != heard[1])
        for name in news:
            self._torn.add(self._places.get(name, (sheet, 0))[0])
        self._places |= news
        self.version += has_changed
        if len(news) == len(self._sheets[sheet]):
            self._torn.discard(sheet)


def _shown(answer: _Answer, outcome: Outcome) -> TagValue:
    if isinstance(outcome, Bad):
        return TagValue(quality=Quality.BAD, at=answer.at, boot=answer.boot, reason=outcome.reason)
    return TagValue(value=outcome, quality=Quality.GOOD, at=answer.at, boot=answer.boot, reason="")


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
