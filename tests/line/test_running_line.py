"""The whole running line against misbehaving machines and bad messages, over real sockets, while orders flow."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from packline.core.identity import Sscc
from packline.feeds.signing import make_secret, sign
from tests.crash.judge import Left, judge
from tests.crash.nursery import ROOT
from tests.line.floor import PATIENCE_S, Floor, Spell, running
from tests.line.mail import Mail, changed, delivered, order, posting

pytestmark = [pytest.mark.wire, pytest.mark.timeout(600)]

ORDERS = 12
"""The twin's own, awkward ones among them; more are sent whenever a label is wanted."""
ENOUGH = 4
TO_BE_LABELLED = """
    SELECT (SELECT count(*) FROM unit WHERE state IN ('wanted', 'inducted', 'inspected'))
         + (SELECT count(*) FROM parcel WHERE state IN ('open', 'collected', 'packed')) AS n
"""
AWAY = {1001, 1002}
LASTING = {"off": {1001}, "unplugged": {1001}, "slow": {1002}, "garbage": {1003}, "frozen": {1002}}
"""What a station rings, by what its machine does until it is mended; a reboot is over before a bell rings."""
STRUCK = {
    "packer-1": ("off", "reboot", "garbage", "unplugged", "frozen", "reboot_forgetting", "slow"),
    "turntable-1": ("unplugged", "garbage", "reboot_forgetting", "slow"),
    "gate-1": ("frozen", "reboot", "off", "unplugged"),
    "arm-1": ("off", "reboot_forgetting"),
}
LIGHT_OUT = 2201
HELD = {"paper_out": 2101, "cover_open": 2102}
ASKED = {
    ("printer-1", "half_print"): 2105,
    ("printer-1", "silent_accept"): 2103,
    ("printer-1", "mute"): 2103,
    ("arm-1", "label_dropped"): 2104,
    ("cam-verify", "frozen"): 1005,
    ("cam-table", "off"): 1005,
    ("scan-gate", "no_read"): 3001,
}


@dataclass(slots=True, kw_only=True)
class Play:
    """What goes on side by side: each station has troubles of its own, and only those."""

    floor: Floor
    mail: Mail
    spells: list[Spell] = field(default_factory=list)
    going: list[Future[None]] = field(default_factory=list)
    sent: int = 0

    def over(self) -> list[Spell]:
        """Give what happened, once all of it has."""
        stuck = [str(error) for one in self.going if (error := one.exception()) is not None]
        assert not stuck, "\n".join([*stuck, *map(str, self.spells)])
        return self.spells

    def want_labels(self) -> None:
        """Send orders until some cartons are on their way to print-apply, however quick the line is."""
        self._order(ENOUGH - self.floor.rows(TO_BE_LABELLED)[0]["n"])

    def works(self, station: str) -> None:
        """Wait until a station did one more thing; a piece comes that was not on its way yet when this began."""
        self._order(1)
        self.floor.works(station)

    def _order(self, number: int) -> None:
        for _ in range(number):
            self.sent += 1
            self.mail.send(f"flow-{self.sent}", changed(order(f"FLOW-{self.sent}")))

    def wait_for_cartons(self) -> None:
        """Let some cartons come to print-apply before there is trouble on their way, so that it has work meanwhile."""
        self.want_labels()

        def are_there() -> bool:
            return len(self.floor.hall.truth()["places"].get("infeed:label-1", ())) >= ENOUGH

        self.floor.hall.until(are_there, f"{ENOUGH} cartons before label-1", PATIENCE_S)


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    """Let everything misbehave in the background; messages are sent meanwhile."""
    with running(tmp_path_factory.mktemp("hall"), orders=ORDERS) as floor, posting(floor.hall.site) as mail:
        play = Play(floor=floor, mail=mail)
        with ThreadPoolExecutor() as hands:
            play.going = [hands.submit(work, play) for work in (_packer, _induct, _gate, _label)]
            yield play


@pytest.fixture
def floor(play: Play) -> Floor:
    return play.floor


@pytest.fixture
def mail(floor: Floor) -> Iterator[Mail]:
    with posting(floor.hall.site) as mail:
        yield mail


@pytest.fixture
def spells(play: Play) -> list[Spell]:
    return play.over()


# -- bad messages ------------------------------------------------------------------------------------------------------


def test_forged_stale_and_malformed_envelopes_are_refused_and_leave_nothing(floor: Floor, mail: Mail) -> None:
    now, body = datetime.now(UTC), changed(order("BAD-1"))
    secret = floor.hall.site.feeds["marketplace"].keys()[0]
    signed = sign(secret, "msg-forged", now, body)
    refusals = {
        "forged": mail.send_as(sign(make_secret(b"x" * 32), "msg-forged", now, body), body),
        "tampered": mail.send_as(signed, body.replace(b"1990", b"0990")),
        "unsigned": mail.send_as({}, body),
        "stale": mail.send("msg-stale", body, at=now - timedelta(minutes=10)),
        "of tomorrow": mail.send("msg-early", body, at=now + timedelta(minutes=10)),
        "by another's key": mail.send_as(signed, body, path="couriers/kd"),
        "not UTF-8": mail.send("msg-latin", "Grüße".encode("latin-1")),
        "unknown feed": mail.send("msg-where", body, path="nowhere"),
        "oversized": mail.send("msg-large", b'"' + b"x" * 1_100_000 + b'"'),
    }
    statuses = {name: answer.status_code for name, answer in refusals.items()}
    expected = {"unsigned": {400, 401}, "not UTF-8": {400}, "oversized": {413}, "unknown feed": {404}}
    assert all(status in expected.get(name, {401}) for name, status in statuses.items()), statuses
    assert floor.rows("SELECT * FROM inbox WHERE delivery_id LIKE 'msg-%'") == []


def test_a_replayed_message_is_taken_once_and_another_body_under_its_id_is_refused(floor: Floor, mail: Mail) -> None:
    body = changed(order("AGAIN-1"))
    first = mail.send("again-1", body)
    again = mail.send("again-1", body)
    other = mail.send("again-1", changed(order("AGAIN-1", version=2)))
    assert [answer.status_code for answer in (first, again, other)] == [202, 200, 409]
    assert first.json()["id"] == again.json()["id"]
    _settled(floor, "again-1")
    assert len(floor.rows("SELECT * FROM orders WHERE external_id = 'AGAIN-1'")) == 1


@pytest.mark.parametrize(
    "number, body, path, code",
    [
        ("quirk-json", b'{"type": "order.changed", ', "marketplace", 4001),
        ("quirk-type", changed({**order("Q-1"), "surprise": 1}), "marketplace", 4001),
        ("quirk-sum", changed(order("Q-2", total_minor=2090)), "marketplace", 4005),
        ("quirk-sscc", delivered(Sscc.build(3, "9521321", 99_999_999).text), "couriers/kd", 4106),
    ],
)
def test_plausible_nonsense_is_kept_in_quarantine_with_its_reason(
    floor: Floor, mail: Mail, number: str, body: bytes, path: str, code: int
) -> None:
    assert mail.send(number, body, path=path).status_code == 202
    row = _settled(floor, number)
    assert row["state"] == "quarantined"
    assert str(row["reason"]).startswith(f"{code} ")
    sender = "courier:kd" if "couriers" in path else f"feed:{path}"
    subject = f"unreadable:{sender}" if code == 4001 else f"inbox:{row['id']}"
    assert any(q["subject"] == subject and q["code"] == code for q in mail.questions())


def test_an_order_of_an_unknown_item_is_replayed_after_the_item_came(floor: Floor, mail: Mail, tmp_path: Path) -> None:
    assert mail.send("new-sku-1", changed(order("NEW-1", sku="TEA-NEW"))).status_code == 202
    row = _settled(floor, "new-sku-1")
    assert (row["state"], row["reason"][:4]) == ("quarantined", "4006")
    assert "TEA-NEW" in row["reason"]
    _import(floor, tmp_path, "TEA-NEW,yunshan-tea,新茶 New tea 100 g,9521321990019,140,110,80,80,#3b7a57,A-09-1")
    assert mail.ask("replay", {"inbox_id": row["id"]}, key="replay-new-sku-1")["state"] in ("done", "new")
    floor.hall.until(lambda: _settled(floor, "new-sku-1")["state"] == "done", "the replayed order is taken")
    assert floor.rows("SELECT * FROM orders WHERE external_id = 'NEW-1'")
    assert mail.send("new-sku-2", changed(order("NEW-1", sku="TEA-NEW", version=2, purchase="cancelled"))).is_success


def _import(floor: Floor, folder: Path, line: str) -> None:
    heading = (ROOT / "sites" / "demo-items.csv").read_text("utf-8").splitlines()[0]
    file = folder / "more.csv"
    file.write_text(f"{heading}\n{line}\n", "utf-8")
    words = [sys.executable, "-m", "controller", "items", str(floor.hall.path), str(file)]
    subprocess.run(words, check=True, cwd=ROOT, env={**os.environ, "PACKLINE_DATA": str(floor.hall.data)})


def _settled(floor: Floor, number: str) -> dict[str, Any]:
    """Give a message once it was worked."""

    def look() -> list[dict[str, Any]]:
        return floor.rows("SELECT * FROM inbox WHERE delivery_id = ? AND state <> 'pending'", number)

    return floor.hall.until(look, f"message {number} is worked")[0]


# -- machines that misbehave -------------------------------------------------------------------------------------------


def _packer(play: Play) -> None:
    play.wait_for_cartons()
    _strike(play, "packer-1")
    with play.floor.watched("scan-pack", "no_read", play.spells):
        play.floor.hall.misbehave(device="scan-pack", fault="no_read", times=1)
        play.works("pack-1")
        play.floor.recovers("scan-pack")


def _induct(play: Play) -> None:
    play.wait_for_cartons()
    _strike(play, "turntable-1")
    _let_ask(play, "cam-table", "off")


def _gate(play: Play) -> None:
    _strike(play, "gate-1")
    _let_ask(play, "scan-gate", "no_read")
    with play.floor.watched("scan-courier", "off", play.spells):
        play.floor.hall.misbehave(device="scan-courier", fault="off")
        play.floor.until(lambda seen: seen.rings("gate-1", 1006), "the scanner that is gone is rung")
        play.floor.hall.mend(device="scan-courier")
        play.floor.recovers("scan-courier")


def _label(play: Play) -> None:
    _strike(play, "arm-1")
    floor, hall = play.floor, play.floor.hall
    for fault, code in HELD.items():
        play.want_labels()
        with floor.watched("printer-1", fault, play.spells):
            hall.misbehave(device="printer-1", fault=fault)
            floor.rings("printer-1", code)
            hall.mend(device="printer-1")
            floor.recovers("printer-1")
    play.want_labels()
    with floor.watched("printer-1", "half_print", play.spells):
        hall.misbehave(device="printer-1", fault="half_print", times=1)
        floor.rings("printer-1", 2106)
        hall.mend(device="printer-1")
        floor.until(lambda _: bool(floor.questions("label-1", 2105)), "the half label is asked about")
        floor.recovers("printer-1")
    _let_ask(play, "printer-1", "silent_accept")
    _let_ask(play, "printer-1", "mute")
    _let_ask(play, "arm-1", "label_dropped")
    _let_ask(play, "cam-verify", "frozen")
    play.want_labels()
    with floor.watched("cam-verify", "dark", play.spells):
        hall.misbehave(device="cam-verify", fault="dark")
        floor.rings("cam-verify", LIGHT_OUT)
        hall.mend(device="cam-verify")
        floor.recovers("cam-verify")


def _strike(play: Play, machine: str) -> None:
    floor, station = play.floor, play.floor.station_of(machine)
    for fault in STRUCK[machine]:
        with floor.watched(machine, fault, play.spells):
            floor.is_busy_soon(station)
            floor.hall.misbehave(device=machine, fault=fault)
            if fault in LASTING:
                floor.rings(machine, *LASTING[fault])
            floor.hall.mend(device=machine)
            floor.recovers(machine)
    play.works(station)


def _let_ask(play: Play, device: str, fault: str) -> None:
    """Let a device misbehave until its station asks; mend it, and let the shift leader of the twin answer."""
    play.want_labels()
    with play.floor.watched(device, fault, play.spells):
        play.floor.hall.misbehave(device=device, fault=fault)
        play.floor.asks(device, ASKED[device, fault])
        play.floor.hall.mend(device=device)
        play.floor.recovers(device)


def _of(spells: list[Spell], device: str, fault: str) -> Spell:
    return next(s for s in spells if (s.device, s.fault) == (device, fault))


@pytest.mark.parametrize("machine, fault", [(machine, fault) for machine in STRUCK for fault in STRUCK[machine]])
def test_a_machine_that_misbehaves_holds_its_station_with_one_alarm_of_the_right_code(
    spells: list[Spell], machine: str, fault: str
) -> None:
    spell = _of(spells, machine, fault)
    rung = set(spell.codes())
    assert len(spell.alarms) == len(rung) == 1 if fault in LASTING else len(spell.alarms) <= 1, str(spell)
    assert rung <= LASTING.get(fault, AWAY), str(spell)
    assert set(spell.asked()) <= {2004, 2005}, f"only a job that was cut off in the middle is asked about: {spell}"


@pytest.mark.parametrize("fault, code", HELD.items())
def test_a_printer_without_paper_or_with_its_cover_open_holds_print_apply(
    spells: list[Spell], fault: str, code: int
) -> None:
    spell = _of(spells, "printer-1", fault)
    assert code in spell.held_by and spell.codes() == [code], str(spell)


def test_a_camera_in_the_dark_holds_its_station_and_nobody_is_told_to_turn_a_parcel(spells: list[Spell]) -> None:
    spell = _of(spells, "cam-verify", "dark")
    assert LIGHT_OUT in spell.held_by and LIGHT_OUT in spell.codes() and 3001 not in spell.asked(), str(spell)


@pytest.mark.parametrize("device, fault, code", [(*where, code) for where, code in ASKED.items()])
def test_what_only_a_person_can_tell_is_asked_by_its_own_code_and_answered(
    spells: list[Spell], device: str, fault: str, code: int
) -> None:
    spell = _of(spells, device, fault)
    assert code in spell.asked(), str(spell)
    assert len(spell.codes()) == len(set(spell.codes())), str(spell)


def test_a_scanner_that_is_gone_is_rung_and_stops_nobody(spells: list[Spell]) -> None:
    spell = _of(spells, "scan-courier", "off")
    assert spell.codes() == [1006] and not spell.held_by and not spell.asked(), str(spell)


def test_one_no_read_is_read_again_and_nobody_is_asked(spells: list[Spell]) -> None:
    spell = _of(spells, "scan-pack", "no_read")
    assert not spell.asked() and not spell.codes(), str(spell)


def test_nothing_else_stops_while_a_machine_misbehaves(floor: Floor, spells: list[Spell]) -> None:
    strange = [
        (alarm["source"], alarm["code"], alarm["at"])
        for alarm in floor.rung()
        if not any(
            spell.station == alarm["source"] and spell.begun <= datetime.fromisoformat(alarm["at"]) <= spell.ended
            for spell in spells
        )
    ]
    assert not strange


def test_a_controller_killed_while_faults_stand_holds_the_same_stations_with_the_same_alarms(
    floor: Floor, spells: list[Spell]
) -> None:
    with floor.watched("packer-1", "frozen and killed", spells), floor.watched("printer-1", "empty and killed", spells):
        floor.hall.misbehave(device="packer-1", fault="frozen")
        floor.hall.misbehave(device="printer-1", fault="cover_open")
        floor.rings("packer-1", 1002)
        floor.until(lambda seen: seen.rings("label-1", 2102), "the open cover is rung")
        floor.kill()
        assert floor.seen is not None
        times = floor.seen.times("label-1", 2102)
        floor.begin()
        floor.rings("packer-1", 1002)
        floor.until(lambda seen: seen.times("label-1", 2102) > times, "the open cover is rung by the new run")
        floor.hall.mend()
        floor.recovers("packer-1")
        floor.recovers("printer-1")
    assert spells[-1].codes() == [1002], str(spells[-1])
    assert spells[-2].codes() == [2102], str(spells[-2])


def test_in_the_end_every_order_is_over_and_no_label_is_double_or_wrong(floor: Floor, spells: list[Spell]) -> None:
    hall = floor.hall
    unfinished = (
        "SELECT order_id FROM orders WHERE state NOT IN ('closed', 'returned', 'cancelled')",
        "SELECT id FROM delivery WHERE state <> 'sent'",
    )
    hall.until(lambda: not any(map(floor.rows, unfinished)) and hall.stage()["over"], "every order is over", 240.0)
    hall.keep()
    left = Left(
        database=hall.database,
        stage=hall.stage(),
        truth=hall.truth(),
        facts=hall.facts(),
        events=hall.events(),
        roles={name: part.role for name, part in hall.site.subscribers.items()},
        starts=[datetime.fromtimestamp(run.begun, UTC) for run in floor.runs],
    )
    assert judge(left) == []
