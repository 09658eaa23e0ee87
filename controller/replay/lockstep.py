"""Walks through a recorded journal row by row, beside the rules of this release; the first row that is another ends it."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from controller.replay import desk, floor, ledger
from controller.replay.messages import Messages
from controller.replay.moment import MOST_KEPT, Finding, Moment, Past, Terms
from controller.replay.news import News
from packline.core.faults import Fault
from packline.orders.lifecycle import TARGET
from packline.orders.model import Event
from packline.orders.tracking import TRACKING
from packline.store.recorded import Recorded, fits, number_after
from packline.store.unreadable import UNREADABLE
from packline.store.world import World, event_of

CONTEXT = 3
"""So many rows are shown before and after one that is another."""
TELL_ROWS = 500
MOST_PICTURES = 4096
LEFT_OUT: Mapping[str, tuple[Collection[str], str]] = {
    "inbox": (("OrderReceived", "ParcelDelivered"), "what hosts and couriers sent was not taken once more"),
    "effect": (("EffectIntended",), "lanes and the content of labels were not compared"),
    "label": (("LabelAssigned",), "the numbers of labels were not compared with those that the books have"),
    "outbox": (TRACKING, "what hosts and buyers were told was not compared"),
}
"""What is not compared where a recording lacks the rows of a table, though the journal has rows of these kinds."""
Tell = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """The row at which the journal and this release part: its number, the rule, and both."""

    seq: int
    rule: str
    subject: str
    seen: str
    expected: str
    row: Mapping[str, Any] = field(default_factory=dict)
    before: tuple[Mapping[str, Any], ...] = ()
    after: tuple[Mapping[str, Any], ...] = ()


@dataclass(slots=True, kw_only=True)
class Report:
    """What was compared, how often, and where it parted; `notes` say what could not be compared."""

    rows: int = 0
    compared: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    divergence: Divergence | None = None


def compare(recorded: Recorded, terms: Terms, tell: Tell = lambda _: None) -> Report:
    """Hold a whole recorded journal against `terms` and the rules of this release."""
    return _Walk(recorded, terms).walk(tell)


class _Walk:
    def __init__(self, recorded: Recorded, terms: Terms) -> None:
        self._recorded, self._terms = recorded, terms
        self._world, self._past, self._kit = World(), Past(), terms.kit()
        self._messages, self._news = Messages(recorded, terms), News(recorded)
        self._last, self._prev = 0, ""
        self._seen: set[str] = set()
        self._before: deque[Mapping[str, Any]] = deque(maxlen=CONTEXT)
        self.report = Report()

    def walk(self, tell: Tell) -> Report:
        report, rows = self.report, self._recorded.journal()
        for row in rows:
            report.rows += 1
            finding = next(self._findings(row), None)
            if finding is not None:
                report.divergence = self._diverged(row, finding, rows)
                return report
            self._before.append(row)
            if report.rows % TELL_ROWS == 0:
                tell(report.rows)
        tell(report.rows)
        self._at_the_end()
        return report

    # -- one row -----------------------------------------------------------------------------------------------------------

    def _findings(self, row: Mapping[str, Any]) -> Iterator[Finding]:
        yield from self._chain(row)
        try:
            moment = self._moment(row)
            for rule in (self._messages.judge, floor.judge, ledger.judge, desk.judge):
                yield from rule(moment)
            self._apply(moment)
            self._count(moment)
            yield from self._news.judge(moment)
        except Fault as fault:
            if fault.code == UNREADABLE:  # the books are at fault, not this row
                raise
            yield Finding(
                rule="lifecycle", seen=f"{row['kind']}: {fault.seen}", expected=fault.expected or "a step of the table"
            )
        except (KeyError, TypeError, ValueError) as error:
            yield Finding(
                rule="row", seen=f"{row['kind']}: {error!r}"[:200], expected="a row that can be read and played"
            )

    def _chain(self, row: Mapping[str, Any]) -> Iterator[Finding]:
        expected = number_after(row, self._last)
        if row["seq"] != expected:
            seen = f"number {row['seq']} after {self._last}"
            yield Finding(rule="chain", seen=f"{seen}: rows are missing", expected=f"number {expected}")
        elif not fits(row, self._prev):
            seen = (
                "its hash is not that of its content after the row before: somebody has changed it, or a row before it"
            )
            yield Finding(rule="chain", seen=seen, expected="an untouched journal")
        self._last, self._prev = row["seq"], row["hash"]

    def _moment(self, row: Mapping[str, Any]) -> Moment:
        return Moment(
            row=row,
            event=event_of(row),
            at=row["at"],
            world=self._world,
            past=self._past,
            terms=self._terms,
            kit=self._kit,
            recorded=self._recorded,
        )

    def _apply(self, moment: Moment) -> None:
        """Let the row happen, and keep what later rows depend on."""
        event, past = moment.event, self._past
        is_step = event.kind in TARGET
        owner = _owner(self._world, event) if is_step else ""
        before = self._world.affair(owner) if owner else None
        order_id = self._world.play(event, moment.at)
        if is_step:
            if before is not None:
                past.affairs.setdefault(owner, deque(maxlen=MOST_KEPT)).append((moment.at, before))
            self._weigh(order_id, moment)
        ledger.note(moment)
        desk.note(moment)
        _keep(moment)

    def _weigh(self, order_id: str, moment: Moment) -> None:
        """Keep how many orders use the floor; an order that is over and done with is forgotten but for its state."""
        affair, in_work = self._world.affair(order_id), self._past.in_work
        self._past.loads.append((moment.at, len(in_work)))
        if affair is not None and floor.uses_floor(affair):
            in_work.add(order_id)
        else:
            in_work.discard(order_id)

    def _count(self, moment: Moment) -> None:
        compared, kind = self.report.compared, moment.event.kind
        self._seen.add(kind)
        compared["chain"] += 1
        compared["lifecycle"] += kind in TARGET
        compared["decisions"] += kind in floor.RULES or kind in ("EffectIntended",)
        compared["evidence"] += kind in ledger.WORDS and kind != "EffectIntended"
        compared["messages"] += str(moment.row["actor"]).startswith(("feed ", "courier ")) and kind in TARGET
        compared["questions"] += kind.startswith("Exception")
        compared["tracking"] += kind in TRACKING and self._news.has_outbox

    # -- the end -----------------------------------------------------------------------------------------------------------

    def _at_the_end(self) -> None:
        report = self.report
        for table, (kinds, what) in LEFT_OUT.items():
            if not self._seen.isdisjoint(kinds) and not self._recorded.count(table):
                report.notes.append(f"the recording holds no rows of {table}: {what}")
        for inbox_id, finding in self._messages.unreadable[:1]:
            report.divergence = _of_books(f"inbox:{inbox_id}", finding)
            return
        left = list(self._messages.left_over())
        if left:
            report.divergence = _of_books(
                "inbox", Finding(rule="message", seen=left[0], expected="a row for every message that was taken")
            )
            return
        if not self._recorded.count("orders"):
            report.notes.append(
                "the recording holds no rows of orders: what the journal gives was not compared with them"
            )
            return
        differences = self._recorded.differences(self._world)
        report.compared["rows of the books"] = sum(self._recorded.count(name) for name in ("orders", "unit", "parcel"))
        if differences:
            report.divergence = _of_books(
                "books", Finding(rule="books", seen=differences[0], expected="the rows that the journal gives")
            )

    def _diverged(self, row: Mapping[str, Any], finding: Finding, rest: Iterator[Mapping[str, Any]]) -> Divergence:
        after = [next(rest, None) for _ in range(CONTEXT)]
        return Divergence(
            seq=row["seq"],
            rule=finding.rule,
            subject=row["subject"],
            seen=finding.seen,
            expected=finding.expected,
            row=row,
            before=tuple(self._before),
            after=tuple(one for one in after if one is not None),
        )


def _of_books(subject: str, finding: Finding) -> Divergence:
    return Divergence(seq=0, rule=finding.rule, subject=subject, seen=finding.seen, expected=finding.expected)


def _owner(world: World, event: Event) -> str:
    """Give the order that an event is about, as far as the world knows it before."""
    target = TARGET[event.kind]
    if target == "order":
        return event.subject
    if target == "unit":
        return world.owner(event.subject)
    parcel = world.parcels.get(event.subject)
    return parcel.order_id if parcel else event.order_id


def _keep(moment: Moment) -> None:
    past, data = moment.past, moment.data
    match moment.event.kind:
        case "PictureKept":
            past.pictures[data["picture_id"]] = (moment.event.subject, data["kind"], data["note"])
            if len(past.pictures) > MOST_PICTURES:
                del past.pictures[next(iter(past.pictures))]
        case "LabelVerified":
            past.proofs[moment.event.subject] = str(data.get("picture", ""))
        case "LabelAssigned":
            prefix = moment.terms.site.site.company_prefix if moment.terms.site else ""
            past.numbers["print"] = int(data["print_number"])
            past.numbers["sscc"] = int(data["sscc"][1 + len(prefix) : -1] if prefix else data["sscc"][-8:-1])
