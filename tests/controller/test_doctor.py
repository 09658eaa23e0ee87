"""The doctor and `make test` ask for the same system packages."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from controller.__main__ import main
from controller.commands import doctor

ROOT = Path(__file__).parents[2]


def test_the_packages_that_make_test_installs_are_those_that_the_doctor_looks_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["doctor", "--packages"]) == 0
    assert capsys.readouterr().out.split() == [package.name for package in doctor.SYSTEM_PACKAGES]
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert "doctor --packages" in makefile
    assert not any(package.name in makefile for package in doctor.SYSTEM_PACKAGES)


def test_a_port_of_the_site_that_is_in_use_is_named(tmp_path: Path) -> None:
    site = tmp_path / "demo.toml"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        site.write_text((ROOT / "sites" / "demo.toml").read_text("utf-8").replace("15021", str(port)), "utf-8")
        report = doctor.examine(site)
    assert port in report["busy_ports"]
    (advice,) = [line for line in report["advice"] if line.startswith("ports in use: ")]
    assert str(port) in advice and "packline demo moves to free ones" in advice
    assert port not in doctor.examine(site)["busy_ports"]


def test_whatever_is_missing_is_advised_with_the_line_to_type(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    gone = [
        doctor.SystemPackage(name=package.name, lacks=package.lacks, is_there=lambda: False)
        for package in doctor.SYSTEM_PACKAGES
    ]
    monkeypatch.setattr(doctor, "SYSTEM_PACKAGES", gone)
    advice = doctor.examine(ROOT / "sites" / "demo.toml")["advice"]
    for package in gone:
        assert f"{package.lacks}: apt-get install {package.name}" in advice
