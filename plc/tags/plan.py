"""Plans the requests that read many tags: merged across gaps up to the device's limits, never across tables. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from plc.links import Area
from plc.tags.model import BIT_AREAS, BITS_A_WORD, Limits, Wired


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One read: `count` registers or bits of `area` from `start` on, and the tags that lie in them."""

    area: Area
    start: int
    count: int
    tags: tuple[Wired, ...]

    @property
    def end(self) -> int:
        """Give the first address behind it."""
        return self.start + self.count

    @property
    def fill(self) -> float:
        """Give the share of it that some tag wants, above 0 and up to 1."""
        return _covered(self.tags) / self.count

    @property
    def is_bits(self) -> bool:
        """Tell whether it reads coils or discretes."""
        return self.area in BIT_AREAS


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All requests that read some tags once."""

    requests: tuple[Request, ...]

    @property
    def registers(self) -> int:
        """Give the registers read in all; bits count as their sixteenth part, rounded up."""
        return sum(-(-r.count // BITS_A_WORD) if r.area in BIT_AREAS else r.count for r in self.requests)

    @property
    def fill(self) -> float:
        """Give the share of what is read that some tag wants; 1 if nothing is read."""
        read = sum(request.count for request in self.requests)
        return sum(request.fill * request.count for request in self.requests) / read if read else 1.0


def plan(tags: Iterable[Wired], limits: Limits) -> Plan:
    """Cover every tag exactly once; raises ValueError for a tag that is longer than a read may be."""
    ordered = sorted(tags, key=lambda t: (t.area, t.start, t.end, t.name))
    alone = [_request([tag]) for tag in ordered if tag.tag.no_merge]
    shared = (tag for tag in ordered if not tag.tag.no_merge)
    requests = [
        request for area, group in groupby(shared, key=lambda t: t.area) for request in _merged(area, group, limits)
    ]
    for request in alone:
        if request.count > _most(request.area, limits):
            raise ValueError(f"tag {request.tags[0].name} does not fit into one request")
    return Plan(requests=tuple(sorted((*alone, *requests), key=lambda r: (r.area, r.start, r.end))))


def split(request: Request) -> tuple[Request, ...]:
    """Give what to read instead of a refused request: its runs without a gap, else each tag alone; () if it is one tag."""
    if len(request.tags) == 1:
        return ()
    runs = _runs(request.tags)
    return runs if len(runs) > 1 else tuple(_request([tag]) for tag in request.tags)


def _merged(area: Area, tags: Iterable[Wired], limits: Limits) -> list[Request]:
    most, gap = _most(area, limits), _gap(area, limits)
    requests: list[list[Wired]] = []
    start = end = 0
    for tag in tags:
        if tag.count > most:
            raise ValueError(f"tag {tag.name} does not fit into one request")
        if requests and tag.start - end <= gap and max(end, tag.end) - start <= most:
            requests[-1].append(tag)
            end = max(end, tag.end)
        else:
            requests.append([tag])
            start, end = tag.start, tag.end
    return [_request(tags) for tags in requests]


def _runs(tags: Sequence[Wired]) -> tuple[Request, ...]:
    runs: list[list[Wired]] = []
    end = -1
    for tag in sorted(tags, key=lambda t: (t.start, t.end)):
        if runs and tag.start <= end:
            runs[-1].append(tag)
        else:
            runs.append([tag])
        end = max(end, tag.end)
    return tuple(_request(run) for run in runs)


def _request(tags: Sequence[Wired]) -> Request:
    start, end = min(t.start for t in tags), max(t.end for t in tags)
    return Request(area=tags[0].area, start=start, count=end - start, tags=tuple(tags))


def _covered(tags: Sequence[Wired]) -> int:
    covered, end = 0, -1
    for tag in sorted(tags, key=lambda t: t.start):
        covered += max(0, tag.end - max(end, tag.start))
        end = max(end, tag.end)
    return covered


def _most(area: Area, limits: Limits) -> int:
    return limits.max_read_bits if area in BIT_AREAS else limits.max_read


def _gap(area: Area, limits: Limits) -> int:
    return limits.max_gap * BITS_A_WORD if area in BIT_AREAS else limits.max_gap
