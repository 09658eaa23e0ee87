"""Site files: every mistake gets code, place, what was seen, what was expected, and what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.__main__ import VERBS, main
from controller.site import Site, fixed_scanner, places_of
from controller.site_file import load_site
from controller.sites import find_site, free_offset, is_free, moved, ports_in
from controller.tls import tls_of
from controller.whole_site import find_faults
from packline.core.faults import Fault
from packline.core.files import FileFaults
from packline.feeds.signing import make_secret
from tests.web.certificate import make_pem

DEMO = Path(__file__).parents[2] / "sites" / "demo.toml"
TEXT = DEMO.read_text("utf-8")
MACHINES = DEMO.parents[1] / "plc" / "machines"


@pytest.fixture
def site_with(tmp_path: Path) -> Callable[..., Path]:
    """Write the demo's site file with something replaced; every replacement must hit."""

    def write(*changes: tuple[str, str], more: str = "") -> Path:
        text = TEXT
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        path = tmp_path / "site.toml"
        path.write_text(text + more, "utf-8")
        (tmp_path / "demo-items.csv").write_bytes((DEMO.parent / "demo-items.csv").read_bytes())
        return path

    return write


def machine_text(name: str) -> str:
    """Give the text of a machine file that ships."""
    return (MACHINES / f"{name}.toml").read_text("utf-8")


def only(path: Path) -> Fault:
    """Give the one fault of a file."""
    faults = find_faults(path)
    assert len(faults) == 1, [f.text() for f in faults]
    return faults[0]


def test_the_demo_site_is_in_order_and_names_every_place() -> None:
    assert find_faults(DEMO) == []
    site = load_site(DEMO)
    assert places_of(site) == {
        "collect": "induct-1",
        "pack": "pack-1",
        "label": "label-1",
        "bench": "bench-1",
        "hold": "hold-1",
        "gate": "gate-1",
        "clarify": "clarify-1",
        "shelf": "clarify-1",
    }
    assert site.station_of_kind("hold") == "hold-1" and site.station_of_kind("nothing") is None


@pytest.mark.parametrize(
    "old, new, hint",
    [
        ("wip_limit = 12", "wip_limt = 12", "'wip_limit'"),
        ('no_answer = "ship"', 'no_anwser = "ship"', "'no_answer'"),
        ('address = "127.0.0.1:15021"', 'adress = "127.0.0.1:15021"', "'address'"),
        ("[subscribers.archive]", "[subscriber.archive]", "'subscribers'"),
    ],
    ids=["policy", "choice", "machine", "section"],
)
def test_a_typo_gets_a_suggestion(site_with: Callable[..., Path], old: str, new: str, hint: str) -> None:
    faults = find_faults(site_with((old, new)))
    typos = [f for f in faults if f.code == 4202]
    assert len(typos) == 1 and f"Did you mean {hint}" in typos[0].remedy


@pytest.mark.parametrize(
    "old, new, where, hint",
    [
        ('machine = "arm-1"', 'machine = "arm-l"', "[stations.label-1.machine]", "'arm-1'"),
        ('printer = "printer-1"', 'printer = "printr-1"', "[stations.label-1.printer]", "'printer-1'"),
        ('camera = "cam-verify"', 'camera = "cam-verfy"', "[stations.label-1.camera]", "'cam-verify'"),
        ('scanners = ["scan-hold"]', 'scanners = ["scan-hodl"]', "[stations.hold-1.scanners]", "'scan-hold'"),
        ('feeds = "label-1"', 'feeds = "lable-1"', "[stations.pack-1.feeds]", "'label-1'"),
    ],
    ids=["machine", "printer", "camera", "scanner", "station"],
)
def test_a_name_that_nobody_declared_gets_a_suggestion(
    site_with: Callable[..., Path], old: str, new: str, where: str, hint: str
) -> None:
    faults = find_faults(site_with((old, new)))
    found = [f for f in faults if where in f.where]
    assert found and found[0].code == 4201 and f"Did you mean {hint}" in found[0].remedy


@pytest.mark.parametrize(
    "old, new, where, expected",
    [
        ('"127.0.0.1:15022"', '"127.0.0.1:15021"', "[machines.arm-1.address]", "turntable-1 has it"),
        ('"127.0.0.1:19100"', '"127.0.0.1"', "[printers.printer-1.address]", "host:port"),
        ('"127.0.0.1:15035"', '"127.0.0.1:99999"', "[scanners.scan-courier.address]", "host:port"),
        ('"Asia/Shanghai"', '"Asia/Shanghi"', "[site.time_zone]", "IANA name"),
        ('host = "127.0.0.1"\nport', 'host = "0.0.0.0"\nport', "[web.host]", "loopback"),
        ('role = "archive"', 'role = "achive"', "[subscribers.archive.role]", "merchant | buyer | archive"),
        ('company_prefix = "9521321"', 'company_prefix = "95"', "[site.company_prefix]", ""),
        ('no_answer = "ship"', 'no_answer = "burn"', "[policy.no_answer]", ""),
        ('file = "applicator"', 'file = "aplicator"', "[machines.arm-1.file]", "applicator"),
        ('file = "applicator"', 'file = "packer"', "", ""),
        ('"opc.tcp://127.0.0.1:14840"', '"127.0.0.1:14840"', "[machines.packer-1.address]", "opc.tcp://host:port"),
        ('machine = "gate-1"\n', "", "[stations.gate-1.machine]", "a machine for kind courier_gate"),
        ("lanes = { gate = 1, hold = 2, clarify = 3 }", "", "[stations.label-1.lanes]", "gate, hold, clarify"),
        ("hold = 2", "hold = 1", "[stations.label-1.lanes]", "of its own"),
        ('scanners = ["scan-hold"]', 'scanners = ["scan-bench"]', "[stations.hold-1]", "bench-1 has it"),
        ('camera = "cam-bench"', 'camera = "cam-verify"', "[stations.bench-1]", "label-1 has it"),
        ("18082/snapshot.jpg", "18082/stream.mjpg", "[cameras.cam-verify.delay_s]", "address of a snapshot"),
        ('feeds = "label-1"', 'feeds = "hold-1"', "[stations.pack-1.feeds]", "print_apply or bench"),
        ('["scan-gate", "scan-courier"]', '["scan-courier"]', "[stations.gate-1.scanners]", "fixed = true"),
        ("fixed = true", "fixed = false", "[stations.pack-1.scanners]", "fixed = true"),
        ("approve_s = 45 ", "approve_s = inf ", "[policy.approve_s]", "at most 31622400"),
        ("reserve_s = 3600 ", "reserve_s = 1e300 ", "[policy.reserve_s]", "at most 31622400"),
        ("[400, 300, 250]", "[400, 0, 250]", "[policy.machine_most_mm.1]", "1 to 10000"),
        ('languages = ["en", "zh"]', "languages = []", "[site.languages]", "at least 1"),
        ("[web]", '[web]\npublic_url = "shop.example"', "[web.public_url]", "http://host:port/path"),
        ("[stations.hold-1]", "[stations.desk]", "[stations.desk]", "another name"),
    ],
    ids=str,
)
def test_what_is_wrong_names_place_and_expectation(
    site_with: Callable[..., Path], old: str, new: str, where: str, expected: str
) -> None:
    faults = find_faults(site_with((old, new)))
    assert faults, "nobody noticed"
    assert any(where in f.where and expected in f"{f.expected} {f.remedy}" for f in faults), [f.text() for f in faults]
    assert all(4200 <= f.code < 4300 for f in faults)


@pytest.mark.parametrize(
    "station, place, kinds",
    [
        ("induct-1", "collect", "turntable"),
        ("hold-1", "hold", "hold"),
        ("gate-1", "gate", "courier_gate"),
        ("clarify-1", "clarify", "clarification"),
    ],
)
def test_a_line_without_a_place_that_parcels_are_sent_to_is_refused(
    site_with: Callable[..., Path], station: str, place: str, kinds: str
) -> None:
    part = TEXT[TEXT.index(f"[stations.{station}]") :].partition("\n\n")[0]
    fault = only(site_with((part, "")))
    assert fault.where.endswith("[stations]") and place in fault.seen and kinds in fault.expected


def test_a_line_where_nothing_can_be_labelled_is_refused(site_with: Callable[..., Path]) -> None:
    parts = [TEXT[TEXT.index(f"[stations.{name}]") :].partition("\n\n")[0] for name in ("label-1", "bench-1")]
    faults = find_faults(site_with(*((part, "") for part in parts)))
    assert any(f.where.endswith("[stations]") and "label" in f.seen for f in faults)


def test_two_racks_are_refused_because_their_slots_would_share_names(site_with: Callable[..., Path]) -> None:
    more = """
[scanners.scan-rack]
address = "127.0.0.1:15039"
[stations.hold-2]
kind = "hold"
run_by = "person"
scanners = ["scan-rack"]
"""
    fault = only(site_with(more=more))
    assert "[stations.hold-2" in fault.where and "hold-1" in fault.seen and "H01" in fault.expected


def test_a_stream_that_says_its_delay_may_be_a_witness(site_with: Callable[..., Path]) -> None:
    stream = 'url = "rtsp://127.0.0.1:18082/1"\ndelay_s = 1.5'
    path = site_with(('url = "http://127.0.0.1:18082/snapshot.jpg"', stream))
    assert find_faults(path) == [] and load_site(path).cameras["cam-verify"].delay_s == 1.5


def test_mistakes_of_every_kind_are_told_in_one_run(site_with: Callable[..., Path]) -> None:
    faults = find_faults(
        site_with(
            ("wip_limit = 12", "wip_limt = 12"),
            ('company_prefix = "9521321"', 'company_prefix = "95"'),
            ("port = 8080", "port = 70000"),
            ('title = "Demo hall"', ""),
            ('[machines.arm-1]\nfile = "applicator"', '[machines.arm-1]\nfile = "aplicator"'),
            (
                '[machines.gate-1]\nfile = "courier_gate"\naddress = "127.0.0.1:15023"',
                '[machines.gate-1]\nfile = "packer"',
            ),
            ('kind = "hold"', 'kind = "hodl"'),
            ('camera = "cam-bench"', 'camera = "cam-bunch"'),
            ('"127.0.0.1:15035"', '"127.0.0.1:99999"'),
            ('"Asia/Shanghai"', '"Asia/Shanghi"'),
            ('role = "archive"', 'role = "achive"'),
        )
    )
    places = {fault.where.rpartition(" ")[2] for fault in faults}
    assert places >= {
        "[policy.wip_limt]",
        "[site.company_prefix]",
        "[web.port]",
        "[site.title]",
        "[machines.gate-1.address]",
        "[stations.hold-1.kind]",
        "[stations.bench-1.camera]",
        "[scanners.scan-courier.address]",
        "[site.time_zone]",
        "[subscribers.archive.role]",
    }
    assert any("aplicator" in fault.seen for fault in faults)
    assert any("gate-1 without job release" in fault.seen for fault in faults)
    assert len(faults) == len({fault.text() for fault in faults})


def test_a_machine_must_see_what_its_station_looks_at(site_with: Callable[..., Path], tmp_path: Path) -> None:
    head, _, rest = machine_text("turntable").partition("item_present = ")
    (tmp_path / "blind.toml").write_text(f"{head}piece_there = {rest}")
    fault = only(site_with(('file = "turntable"', f'file = "{tmp_path / "blind.toml"}"')))
    assert fault.seen == "turntable-1 without input item_present"
    assert 'item_present = "NAME"' in fault.remedy
    (tmp_path / "blind.toml").write_text(f'{head}piece_there = {rest}\n[capability]\nitem_present = "piece_there"\n')
    assert find_faults(site_with(('file = "turntable"', f'file = "{tmp_path / "blind.toml"}"'))) == []


def test_the_arm_must_see_each_of_its_lanes(site_with: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "arm.toml").write_text(machine_text("applicator").replace("lane3_full", "lane_3_full"))
    fault = only(site_with(('file = "applicator"', f'file = "{tmp_path / "arm.toml"}"')))
    assert fault.seen == "arm-1 without input lane3_full"


def test_a_part_that_is_wrong_in_itself_still_counts_as_declared_and_as_a_place(site_with: Callable[..., Path]) -> None:
    assert only(site_with(('address = "127.0.0.1:15022"', ""))).where.endswith("[machines.arm-1.address]")
    assert only(site_with(('kind = "hold"', 'kind = "hodl"'))).where.endswith("[stations.hold-1.kind]")


@pytest.mark.parametrize(
    "old, new, seen, expected",
    [
        ("port = 8080", "port = 70000", "70000", "a port from 1 to 65535"),
        ("port = 8080", 'port = "http"', "'http'", "a whole number"),
        ("wip_limit = 12", "wip_limit = 0", "0", "a number 1 to 1000"),
        ("speed = 20", "speed = 0", "0", "a number above 0 and at most 1000"),
        ("reserve_s = 3600", "reserve_s = -1", "-1", "a number above 0"),
        ("fixed = true", 'fixed = "perhaps"', "'perhaps'", "true or false"),
        ('no_answer = "ship"', 'no_answer = "shop"', "'shop'", "one of ship, ask, return"),
        ('company_prefix = "9521321"', 'company_prefix = "95"', "'95'", "7 to 10 digits"),
        ("[stations.hold-1]", "[stations.Hold]", "'Hold'", "small letters"),
        ("machine_most_mm = [400, 300, 250]", "machine_most_mm = 400", "400", "a list"),
        ("machine_most_mm = [400, 300, 250]", "machine_most_mm = [400, 300]", "nothing", "must be there"),
        ('url = "http://127.0.0.1:18082/', 'url = "http://127.0.0.1:99999/', "99999", "a port from 1 to 65535"),
        ('"127.0.0.1:15021"', '"127.0.0.1:0"', "127.0.0.1:0", "a port from 1 to 65535"),
        ("video_port = 8081", "video_port = 8080", "127.0.0.1:8080", "web.port has it"),
        ('truth = "127.0.0.1:18099"', 'truth = "127.0.0.1:18090"', "127.0.0.1:18090", "twin.host has it"),
        ('"opc.tcp://127.0.0.1:14841"', '"opc.tcp://127.0.0.1:14840"', "14840", "packer-1 has it"),
    ],
    ids=str,
)
def test_wrong_values_are_told_in_the_words_of_the_house(
    site_with: Callable[..., Path], old: str, new: str, seen: str, expected: str
) -> None:
    fault = find_faults(site_with((old, new)))[0]
    assert seen in fault.seen and expected in fault.expected, fault.text()
    assert "Input" not in fault.text() and "[]" not in fault.text()


def real(*changes: tuple[str, str]) -> list[tuple[str, str]]:
    """Make the demo a site without a twin, so that it may leave the loopback address."""
    twin = TEXT[TEXT.index("[twin]") :]
    return [(twin, ""), *changes]


def test_certificate_and_key_make_the_dashboard_speak_tls(site_with: Callable[..., Path]) -> None:
    with_tls = ("video_port = 8081", 'video_port = 8081\ncertificate = "own.pem"\nkey = "own.pem"')
    path = site_with(*real(with_tls))
    make_pem(path.parent / "own.pem")
    assert find_faults(path) == []
    web = load_site(path).web
    assert web.is_https and web.base_url == "https://127.0.0.1:8080"
    found = tls_of(web, path)
    assert found is not None and found.certificate == path.parent / "own.pem"
    plain = load_site(DEMO).web
    assert not plain.is_https and tls_of(plain, DEMO) is None and plain.base_url.startswith("http://")


def test_a_certificate_that_cannot_serve_is_refused(site_with: Callable[..., Path]) -> None:
    port = "video_port = 8081"
    only_one = site_with(*real((port, f'{port}\ncertificate = "own.pem"')))
    assert only(only_one).where.endswith("[web.key]")
    pair = (port, f'{port}\ncertificate = "own.pem"\nkey = "key.pem"')
    path = site_with(*real(pair))
    assert "no such file" in only(path).seen
    make_pem(path.parent / "own.pem")
    make_pem(path.parent / "key.pem")
    assert only(path).where.endswith("[web.certificate]") and "mismatch" in only(path).seen
    (path.parent / "key.pem").write_text("nonsense")
    assert only(path).where.endswith("[web.certificate]")
    make_pem(path.parent / "key.pem").replace(path.parent / "own.pem")
    (path.parent / "key.pem").write_bytes((path.parent / "own.pem").read_bytes())
    assert find_faults(path) == []
    assert "loopback" in only(site_with(pair)).expected


def test_what_is_no_toml_is_told_with_its_line(site_with: Callable[..., Path]) -> None:
    fault = only(site_with(("[web]", "[web")))
    assert " line " in fault.where and fault.code == 4201


def test_all_mistakes_of_a_kind_are_told_at_once(site_with: Callable[..., Path]) -> None:
    faults = find_faults(
        site_with(('machine = "arm-1"', 'machine = "x"'), ('"Asia/Shanghai"', '"Mars"'), ('"archive"', '"nobody"'))
    )
    assert len(faults) >= 3


def test_secrets_come_from_the_file_or_the_environment_and_none_is_a_fault(
    site_with: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, two = (
        site_with(more='\n[feeds.auction]\nsecrets_env = "AUCTION_SECRETS"\n'),
        [make_secret(bytes([n]) * 32) for n in (1, 2)],
    )
    assert only(path).where.endswith("[feeds.auction]")
    monkeypatch.setenv("AUCTION_SECRETS", " ".join(two))
    assert find_faults(path) == []
    assert load_site(path).feeds["auction"].keys() == two


@pytest.mark.parametrize("section", ["feeds.auction", "couriers.sf", "subscribers.shop"])
@pytest.mark.parametrize("secret", ["", "abc", "whsec_b25l", "whsec_not base64"])
def test_a_secret_that_signs_nothing_is_told_without_repeating_it(
    site_with: Callable[..., Path], section: str, secret: str
) -> None:
    """Every message of that host was refused, and no event ever reached that subscriber: only a log said so."""
    said = (
        f'["{secret}"]'
        if section != "subscribers.shop"
        else f'"{secret}"\nrole = "merchant"\nurl = "http://shop.example/in"'
    )
    key = "secrets" if section != "subscribers.shop" else "secret"
    found = only(site_with(more=f"\n[{section}]\n{key} = {said}\n"))
    assert f"[{section}" in found.where and "secret" in f"{found.where} {found.seen}"
    assert not secret or secret not in found.text()


def test_buyers_are_not_sent_to_an_address_that_is_everywhere(site_with: Callable[..., Path]) -> None:
    start = TEXT.index("\n[twin]\n")
    end = TEXT.find("\n[", start + 1)
    twin = TEXT[start : end if end > 0 else None]
    anywhere = ('host = "127.0.0.1"\nport', 'host = "0.0.0.0"\nport')
    assert any(f.where.endswith("[web.public_url]") for f in find_faults(site_with((twin, ""), anywhere)))
    public = ("[web]", '[web]\npublic_url = "https://hall.example/"')
    path = site_with((twin, ""), anywhere, public)
    assert find_faults(path) == [] and load_site(path).web.base_url == "https://hall.example"


def test_the_mounted_scanner_of_a_gate_is_the_fixed_one_wherever_it_stands_in_the_list(
    site_with: Callable[..., Path],
) -> None:
    """The first in the list was taken: the courier's own, and what it read in a hand opened the gate."""
    path = site_with(('["scan-gate", "scan-courier"]', '["scan-courier", "scan-gate"]'))
    assert find_faults(path) == []
    site = load_site(path)
    assert fixed_scanner(site, site.stations["gate-1"]) == "scan-gate"


def test_an_ipv6_address_stands_in_brackets_in_links(site_with: Callable[..., Path]) -> None:
    web = load_site(site_with(('host = "127.0.0.1"\nport', 'host = "::1"\nport'))).web
    assert (web.base_url, web.url_at(web.video_port)) == ("http://[::1]:8080", "http://[::1]:8081")


def test_a_machine_may_be_run_by_a_person_instead(site_with: Callable[..., Path]) -> None:
    changes = [
        (f'kind = "{kind}"\nmachine', f'kind = "{kind}"\nrun_by = "person"\nmachine')
        for kind in ("turntable", "pack", "print_apply", "courier_gate")
    ]
    assert find_faults(site_with(*changes)) == []


def test_a_bench_stands_in_for_machines_that_are_not_there() -> None:
    site = load_site(DEMO)
    less = site.model_copy(
        update={"stations": {n: p for n, p in site.stations.items() if n not in ("pack-1", "label-1")}}
    )
    assert places_of(less)["pack"] == places_of(less)["label"] == "bench-1"


# -- the command -------------------------------------------------------------------------------------------------------


def test_check_says_that_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(DEMO)]) == 0
    assert "in order" in capsys.readouterr().out


def test_check_prints_one_line_a_mistake_and_fails(
    site_with: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = site_with(("wip_limit = 12", "wip_limt = 12"))
    assert main(["check", str(path)]) == 1
    out = capsys.readouterr().out
    assert out.startswith("4202 unknown key") and "wip_limit" in out


def test_check_speaks_json(site_with: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    path = site_with(("wip_limit = 12", "wip_limt = 12"))
    assert main(["check", str(path), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is False
    assert set(answer["faults"][0]) == {"code", "name", "where", "seen", "expected", "remedy"}


def test_check_of_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "nowhere.toml"]) == 1
    assert "no such file" in capsys.readouterr().out


def test_no_verb_and_a_wrong_verb_say_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[lines.index("verbs:") + 1 :]] == list(VERBS)
    assert main(["chekc"]) == 2
    assert "Did you mean 'check'?" in capsys.readouterr().err


# -- finding and moving ------------------------------------------------------------------------------------------------


def test_a_shipped_site_is_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_site(Path("sites/demo.toml")).read_text("utf-8") == TEXT
    own = tmp_path / "demo.toml"
    own.write_text("mine")
    assert find_site(Path("demo.toml")).read_text() == "mine"
    with pytest.raises(FileFaults):
        find_site(Path("nowhere.toml"))


@given(st.integers(0, 20_000))
def test_moving_ports_moves_every_port_and_nothing_else(offset: int) -> None:
    text = moved(TEXT, offset)
    assert ports_in(text) == [port + offset for port in ports_in(TEXT)]
    assert moved(text, -offset) == TEXT


def test_every_address_of_the_demo_is_among_the_ports(site_with: Callable[..., Path]) -> None:
    site = load_site(DEMO)
    named = {int(part.address.rpartition(":")[2]) for part in site.machines.values()}
    named |= {int(part.address.rpartition(":")[2]) for part in site.printers.values()}
    named |= {int(part.address.rpartition(":")[2]) for part in site.scanners.values()}
    named |= {site.web.port, site.web.video_port}
    assert named <= set(ports_in(TEXT))
    moved_site: Site = load_site(site_with((TEXT, moved(TEXT, 137))))
    assert moved_site.web.port == site.web.port + 137


def test_a_free_offset_is_one_at_which_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = {ports_in(TEXT)[0], ports_in(TEXT)[-1] + 137}
    monkeypatch.setattr("controller.sites.is_free", lambda port: port not in taken)
    assert free_offset(TEXT) == 274
    monkeypatch.setattr("controller.sites.is_free", lambda port: False)
    with pytest.raises(Fault):
        free_offset(TEXT)


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert not is_free(taken.getsockname()[1])
