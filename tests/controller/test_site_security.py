"""A site file says how each machine is protected; what is missing for it is told before a machine moves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controller.__main__ import main
from controller.commands.check import find_advice
from controller.commands.doctor import examine
from controller.commands.twin.shields import shield_of
from controller.machine_files import machine_file
from controller.site_file import load_site
from controller.site_security import pki_folder, reach
from controller.whole_site import find_faults
from packline.core.files import FileFaults
from plc.certificates import hosts, read_file
from plc.drivers.guard import register_rules
from plc.drivers.opening import open_link
from plc.handshake import frames
from plc.own_certificate import DAYS, read_own
from plc.security import LinkBarred, Secured, Unprotected
from plc.trust import TrustFolder
from simulation.mounts.modbus import ModbusMount
from simulation.mounts.wire import Wire
from tests.plc.craft import made
from tests.plc.protected import Plant

DEMO = Path(__file__).parents[2] / "sites" / "demo.toml"
WORDS = 'security = "none: twins on this computer, loopback only"\n'
ARM = 'file = "applicator"\naddress = "127.0.0.1:15022"\nmount = "twin"\n'
PACKER = 'file = "packer"\naddress = "opc.tcp://127.0.0.1:14840"\nmount = "twin"\n'
TLS = 'security = { policy = "TLS1.3" }\n'
UA = 'security = { policy = "Basic256Sha256", user = "line", password_file = "secret" }\n'


@pytest.fixture
def site_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    monkeypatch.setenv("PACKLINE_DATA", str(tmp_path / "data"))

    def write(*changes: tuple[str, str]) -> Path:
        text = DEMO.read_text("utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        (tmp_path / "demo-items.csv").write_bytes((DEMO.parent / "demo-items.csv").read_bytes())
        (tmp_path / "site.toml").write_text(text, "utf-8")
        return tmp_path / "site.toml"

    return write


def secret(tmp_path: Path, mode: int = 0o600) -> None:
    (tmp_path / "secret").write_text("open sesame", "utf-8")
    (tmp_path / "secret").chmod(mode)


@pytest.mark.parametrize(
    "old, new, where, expected",
    [
        (ARM + WORDS, ARM, "[machines.arm-1.security]", 'security = "none: closed machine network"'),
        (PACKER + WORDS, PACKER, "[machines.packer-1.security]", 'security = "none: closed machine network"'),
        ('fixed = true\nmount = "twin"\n' + WORDS, "fixed = true\n", "[scanners.scan-gate.security]", "none:"),
        (
            'address = "127.0.0.1:15033"\n',
            'address = "127.0.0.1:15033"\n' + TLS,
            "[scanners.scan-hold.security]",
            "plain",
        ),
        (ARM + WORDS, ARM + 'security = "none"\n', "machines.arm-1.security", ""),
        (ARM + WORDS, ARM + 'security = "none: "\n', "machines.arm-1.security", ""),
        (ARM + WORDS, ARM + 'security = { policy = "SSL3" }\n', "machines.arm-1.security", "TLS1.2"),
        (ARM + WORDS, ARM + 'security = { policy = "Basic256Sha256" }\n', "arm-1.security.policy]", "TLS1.2 | TLS1.3"),
        (PACKER + WORDS, PACKER + TLS, "packer-1.security.policy]", "Basic256Sha256"),
        (
            ARM + WORDS,
            ARM + 'security = { policy = "TLS1.2", user = "x" }\n',
            "arm-1.security]",
            "certificate signs in",
        ),
        (
            PACKER + WORDS,
            PACKER + 'security = { policy = "Basic256Sha256", user = "x" }\n',
            "packer-1.security]",
            "both, or neither",
        ),
        (ARM, ARM + 'allow = { write = ["holding 500-510"] }\n', "[machines.arm-1.allow]", "holding 0-"),
        (ARM, ARM + 'allow = { write = ["registers 5"] }\n', "machines.arm-1.allow", ""),
        (ARM, ARM + 'allow = { nodes = ["s=X"] }\n', "[machines.arm-1.allow]", "read, write"),
        (PACKER, PACKER + "allow = { functions = [3] }\n", "[machines.packer-1.allow]", "nodes, read_only"),
    ],
    ids=str,
)
def test_a_machine_whose_protection_is_not_said_or_said_wrongly_is_told(site_with, old, new, where, expected):
    faults = find_faults(site_with((old, new)))
    assert faults, "nobody noticed"
    assert any(where in f.where and expected in f.expected for f in faults), [f.text() for f in faults]
    assert {f.code for f in faults} == {4201}


def test_words_become_what_the_links_are_told(site_with, tmp_path):
    site = load_site(
        site_with((ARM + WORDS, ARM + TLS + "allow = { read_only = true }\n"), (PACKER + WORDS, PACKER + UA))
    )
    arm = reach(site.machines["arm-1"], tmp_path, tmp_path / "data")
    packer = reach(site.machines["packer-1"], tmp_path, tmp_path / "data")
    table = reach(site.machines["turntable-1"], tmp_path, tmp_path / "data")
    assert arm.protection == Secured(policy="TLS1.3", pki=tmp_path / "data" / "pki")
    assert register_rules(machine_file("applicator", tmp_path), arm.allow).writes == ()
    assert isinstance(packer.protection, Secured)
    assert (packer.protection.user, packer.protection.password_file) == ("line", tmp_path / "secret")
    assert table.protection == Unprotected(why="twins on this computer, loopback only")


def test_check_tells_what_a_protected_machine_still_lacks(site_with, tmp_path):
    path = site_with((PACKER + WORDS, PACKER + UA), (ARM + WORDS, ARM + TLS))
    faults = find_faults(path)
    assert [f.code for f in faults] == [1017, 1017]  # own certificate once, password file
    assert "packline pki init" in faults[0].remedy
    assert main(["pki", "init", str(path)]) == 0
    secret(tmp_path, mode=0o644)
    (fault,) = find_faults(path)
    assert "chmod 600" in fault.remedy
    secret(tmp_path)
    assert find_faults(path) == []
    assert "open sesame" not in load_site(path).model_dump_json()


def test_check_and_doctor_tell_before_a_certificate_runs_out(site_with, capsys, tmp_path):
    path = site_with()
    assert main(["pki", "init", str(path), "--days", "20"]) == 0
    trust = TrustFolder(pki_folder(tmp_path / "data"))
    trust.trust(made(name="old machine").certificate)
    trust.trust(made(name="tired machine", ends=-timedelta(days=1)).certificate)
    told = [(f.code, f.seen) for f in find_advice(path)]
    assert [code for code, _ in told] == [1020, 1022]
    assert "Packline demo" in told[0][1]
    assert "tired machine" in told[1][1]
    capsys.readouterr()
    assert main(["check", str(path), "--json"]) == 0
    assert [f["code"] for f in json.loads(capsys.readouterr().out)["advice"]] == [1020, 1022]
    assert len([line for line in examine(path)["advice"] if line.startswith(("1020", "1022"))]) == 2


def test_pki_makes_shows_trusts_lists_and_distrusts(site_with, tmp_path, capsys):
    path = site_with()
    pki = tmp_path / "data" / "pki"
    assert main(["pki", "show", str(path)]) == 1
    assert main(["pki", "init", str(path), "--host", "10.0.0.5", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    own = read_own(pki, datetime.now(UTC))
    assert said["uris"] == [own.uri]
    assert own.uri.endswith(":packline:demo")
    assert "10.0.0.5" in said["hosts"]
    assert DAYS - 2 <= said["days_left"] <= DAYS
    assert main(["pki", "init", str(path)]) == 1
    assert read_own(pki, datetime.now(UTC)) == own
    assert main(["pki", "init", str(path), "--renew"]) == 0
    assert read_own(pki, datetime.now(UTC)) != own
    assert read_file(next(pki.glob("own-until-*")) / "certificate.pem") == own.certificate
    assert hosts(read_own(pki, datetime.now(UTC)).certificate) == hosts(own.certificate), "devices see us as before"

    machine = made(name="plc-7")
    (tmp_path / "plc.der").write_bytes(machine.der)
    assert main(["pki", "trust", str(path)]) == 1
    assert main(["pki", "trust", str(path), str(tmp_path / "plc.der")]) == 0
    capsys.readouterr()
    assert main(["pki", "list", str(path), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["trusted"]
    assert row["name"] == "plc-7"
    assert main(["pki", "show", str(path), f"pki/trusted/{Path(row['file']).name}"]) == 0  # as logs and alarms name it
    assert main(["pki", "distrust", str(path), row["file"]]) == 0
    assert TrustFolder(pki).trusted() == {}
    assert main(["pki", "list", str(path)]) == 0


@pytest.mark.parametrize("host", ["bü ro", "", "a b", "300.1.1.1", "-x", "hall."])
def test_a_host_that_no_device_could_know_us_by_is_refused_and_the_certificate_stays(site_with, tmp_path, capsys, host):
    path, pki = site_with(), tmp_path / "data" / "pki"
    assert main(["pki", "init", str(path)]) == 0
    own = read_own(pki, datetime.now(UTC))
    assert main(["pki", "init", str(path), "--renew", f"--host={host}"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("4201") and "--host" in said and "10.20.0.5" in said
    assert read_own(pki, datetime.now(UTC)) == own


@pytest.mark.parametrize("host", ["hall-7.example", "plc_7", "10.0.0.5", "fe80::1", "7-up"])
def test_a_host_as_devices_type_it_is_in_the_certificate(site_with, tmp_path, host):
    assert main(["pki", "init", str(site_with()), "--host", host]) == 0
    assert host in hosts(read_own(tmp_path / "data" / "pki", datetime.now(UTC)).certificate)


def test_a_renewal_that_fails_leaves_the_old_certificate_in_its_place(site_with, tmp_path, monkeypatch):
    """It had been moved aside by then, and every protected machine refused the line at its next start."""
    path, pki = site_with(), tmp_path / "data" / "pki"
    assert main(["pki", "init", str(path)]) == 0
    own = read_own(pki, datetime.now(UTC))
    monkeypatch.setattr("socket.gethostname", lambda: "bü")
    with pytest.raises(ValueError):
        main(["pki", "init", str(path), "--renew"])
    assert read_own(pki, datetime.now(UTC)) == own and list(pki.glob("own-until-*")) == []


@pytest.mark.wire
async def test_a_protected_twin_and_its_controller_meet_once_an_integrator_trusted_it(site_with, tmp_path):
    path = site_with((ARM + WORDS, ARM + TLS))
    site = load_site(path)
    part, file = site.machines["arm-1"], machine_file("applicator", tmp_path)
    with pytest.raises(FileFaults):
        shield_of(tmp_path, tmp_path / "data", "arm-1", part)
    await asyncio.to_thread(main, ["pki", "init", str(path)])
    shield = shield_of(tmp_path, tmp_path / "data", "arm-1", part)
    assert shield is not None
    assert shield_of(tmp_path, tmp_path / "data", "arm-1", part) == shield
    mount = ModbusMount("127.0.0.1:0", file, Plant(file), Wire(), shield)
    link = open_link(file, await mount.open(), reach(part, tmp_path, tmp_path / "data"))
    with pytest.raises(LinkBarred) as caught:
        await link.connect()
    assert caught.value.code == 1011
    (kept,) = TrustFolder(pki_folder(tmp_path / "data")).refused()
    await asyncio.to_thread(main, ["pki", "trust", str(path), str(kept)])
    await link.connect()
    frames.decode_status(await link.read(frames.STATUS))
    await link.close()
    await mount.close()
