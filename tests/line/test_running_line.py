"""The whole running line against misbehaving machines and bad messages, over real sockets, while orders flow."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from packline.core.identity import Sscc
from packline.feeds.signing import make_secret, sign
from tests.crash.hall import ROOT
from tests.crash.judge import Left, judge
from tests.line.floor import Floor, Spell, running
from tests.line.mail import Mail, changed, delivered, order, posting

pytestmark = [pytest.mark.wire, pytest.mark.timeout(600)]

ORDERS = 26
AWAY = {1001, 1002}
LASTING = {"off": {1001}, "unplugged": {1001}, "slow": {1002}, "garbage": {1003}, "frozen": {1002}}
"""What a station rings, by what its machine does until it is mended; a reboot is over before a bell rings."""
STRUCK = {
    "packer-1": ("off", "reboot", "garbage", "unplugged", "frozen", "reboot_forgetting", "slow"),
    "turntable-1": ("unplugged", "garbage", "reboot_forgetting", "slow"),
    "gate-1": ("frozen", "reboot", "off", "unplugged"),
    "arm-1": ("off", "reboot_forgetting", "garbage"),
}
HELD = {"paper_out": 2101, "cover_open": 2102}
ASKED = {
    ("printer-1", "half_print"): 2105,
    ("printer-1", "silent_accept"): 2103,
    ("printer-1", "mute"): 2103,
    ("arm-1", "label_dropped"): 2104,
    ("cam-verify", "frozen"): 1005,
    ("cam-verify", "dark"): 3001,
    ("cam-table", "off"): 1005,
}


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    with running(tmp_path_factory.mktemp("hall"), orders=ORDERS) as floor:
        floor.works("induct-1")
        yield floor


@pytest.fixture(scope="module")
def mail(floor: Floor) -> Iterator[Mail]:
    with posting(floor.hall.site) as mail:
        yield mail


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
        "oversized": mail.send("msg-large", b'"' + b"x" * 1_100_000 + b'"'),
        "unknown feed": mail.send("msg-where", body, path="nowhere"),
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
    assert any(q["subject"] == f"inbox:{row['id']}" and q["code"] == code for q in mail.questions())


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


def _settled(floor: Floor, number: str) -> dict[str, object]:
    """Give a message once it was worked."""

    def look() -> list[dict[str, object]]:
        return floor.rows("SELECT * FROM inbox WHERE delivery_id = ? AND state <> 'pending'", number)

    return floor.hall.until(look, f"message {number} is worked")[0]


# -- machines that misbehave -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def spells(floor: Floor) -> list[Spell]:
    """Let the machines misbehave side by side: each station has troubles of its own, and only those."""
    spells: list[Spell] = []
    with ThreadPoolExecutor() as hands:
        going = [hands.submit(work, floor, spells) for work in (_packer, _induct, _gate, _label)]
    stuck = [str(error) for one in going if (error := one.exception()) is not None]
    assert not stuck, "\n".join([*stuck, *map(str, spells)])
    return spells


def _packer(floor: Floor, spells: list[Spell]) -> None:
    _strike(floor, "packer-1", spells)
    with floor.watched("scan-pack", "no_read", spells):
        floor.hall.misbehave(device="scan-pack", fault="no_read", times=1)
        floor.works("pack-1")
        floor.recovers("scan-pack")


def _induct(floor: Floor, spells: list[Spell]) -> None:
    _strike(floor, "turntable-1", spells)
    _let_ask(floor, "cam-table", "off", spells)


def _gate(floor: Floor, spells: list[Spell]) -> None:
    _strike(floor, "gate-1", spells)


def _label(floor: Floor, spells: list[Spell]) -> None:
    _strike(floor, "arm-1", spells)
    for fault, code in HELD.items():
        with floor.watched("printer-1", fault, spells):
            floor.hall.misbehave(device="printer-1", fault=fault)
            floor.rings("printer-1", code)
            floor.hall.mend(device="printer-1")
            floor.recovers("printer-1")
    with floor.watched("printer-1", "half_print", spells):
        floor.hall.misbehave(device="printer-1", fault="half_print", times=1)
        floor.rings("printer-1", 2106)
        floor.hall.mend(device="printer-1")
        floor.until(lambda _: bool(floor.questions("label-1", 2105)), "the half label is asked about")
        floor.recovers("printer-1")
    _let_ask(floor, "printer-1", "silent_accept", spells)
    _let_ask(floor, "printer-1", "mute", spells)
    with floor.watched("arm-1", "label_dropped", spells):
        floor.hall.misbehave(device="arm-1", fault="label_dropped", times=1)
        floor.asks("arm-1", 2104)
        floor.recovers("arm-1")
    _let_ask(floor, "cam-verify", "frozen", spells)
    _let_ask(floor, "cam-verify", "dark", spells)


def _strike(floor: Floor, machine: str, spells: list[Spell]) -> None:
    station = floor.station_of(machine)
    for fault in STRUCK[machine]:
        with floor.watched(machine, fault, spells):
            floor.is_busy_soon(station)
            floor.hall.misbehave(device=machine, fault=fault)
            if fault in LASTING:
                floor.rings(machine, *LASTING[fault])
            floor.hall.mend(device=machine)
            floor.recovers(machine)
    floor.works(station)


def _let_ask(floor: Floor, device: str, fault: str, spells: list[Spell]) -> None:
    """Let a device misbehave until its station asks; mend it, and let the shift leader of the twin answer."""
    with floor.watched(device, fault, spells):
        floor.hall.misbehave(device=device, fault=fault)
        floor.asks(device, ASKED[device, fault])
        floor.hall.mend(device=device)
        floor.recovers(device)


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


@pytest.mark.parametrize("device, fault, code", [(*where, code) for where, code in ASKED.items()])
def test_what_only_a_person_can_tell_is_asked_by_its_own_code_and_answered(
    spells: list[Spell], device: str, fault: str, code: int
) -> None:
    spell = _of(spells, device, fault)
    assert code in spell.asked(), str(spell)
    assert len(spell.codes()) == len(set(spell.codes())), str(spell)


def test_one_no_read_is_read_again_and_nobody_is_asked(spells: list[Spell]) -> None:
    spell = _of(spells, "scan-pack", "no_read")
    assert not spell.asked() and not spell.codes(), str(spell)


def test_nothing_else_stops_while_a_machine_misbehaves(floor: Floor, spells: list[Spell]) -> None:
    assert floor.seen is not None
    strange = [
        (alarm["source"], alarm["code"], alarm["raised_at"])
        for alarm in floor.seen.alarms
        if not any(
            spell.station == alarm["source"]
            and spell.begun <= datetime.fromisoformat(alarm["raised_at"]) <= spell.ended
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
        floor.begin()
        floor.rings("packer-1", 1002)
        floor.until(lambda seen: seen.rings("label-1", 2102, times=2), "the open cover is rung by the new run")
        floor.hall.mend()
        floor.recovers("packer-1")
        floor.recovers("printer-1")
    assert spells[-1].codes() == [1002], str(spells[-1])
    assert spells[-2].codes() == [2102], str(spells[-2])


def test_in_the_end_every_order_is_over_and_no_label_is_double_or_wrong(floor: Floor, spells: list[Spell]) -> None:
    hall = floor.hall
    open_orders = "SELECT * FROM orders WHERE state NOT IN ('closed', 'returned', 'cancelled')"
    hall.until(lambda: hall.stage()["over"] and not floor.rows(open_orders), "every order is over", 240.0)
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
