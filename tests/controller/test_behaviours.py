"""A behaviour that the twin does not have is found by `packline check`, not by a twin that does not start."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.__main__ import main
from packline.core.faults import Fault
from simulation.behaviours import BEHAVIOURS, behaviour_of
from simulation.hall import _BEHAVIOURS

ROOT = Path(__file__).parents[2]


def test_every_word_has_its_mechanics() -> None:
    assert set(_BEHAVIOURS) == BEHAVIOURS


def test_nothing_said_is_the_generic_behaviour_and_a_wrong_word_is_told_with_the_like() -> None:
    assert behaviour_of({}, "arm-1") == "generic"
    with pytest.raises(Fault, match="Did you mean 'packer'"):
        behaviour_of({"behaviour": "paker"}, "packer-1")


@pytest.mark.parametrize("of", ["machine file", "site file"])
def test_check_finds_a_behaviour_that_no_twin_has(of: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machine, site = tmp_path / "arm.toml", tmp_path / "site.toml"
    text = (ROOT / "plc" / "machines" / "applicator.toml").read_text("utf-8")
    machine.write_text(text.replace('behaviour = "applicator"', 'behaviour = "applicatr"'), "utf-8")
    demo = (ROOT / "sites" / "demo.toml").read_text("utf-8")
    site.write_text(demo.replace('file = "applicator"', 'file = "arm.toml"').replace("items = ", "# items = "), "utf-8")
    assert main(["check", str(machine if of == "machine file" else site)]) == 1
    assert "[simulation.behaviour], saw applicatr" in capsys.readouterr().out


@pytest.mark.parametrize("part, of", [("machines.arm-1", 'file = "applicator"'), ("scanners.scan-hold", "")])
def test_a_misspelt_machine_file_is_told_where_it_is_named(
    part: str, of: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = tmp_path / "site.toml"
    demo = (ROOT / "sites" / "demo.toml").read_text("utf-8").replace("items = ", "# items = ")
    if of:
        demo = demo.replace(of, 'file = "aplicator"')
    else:
        head = f"[{part}]\n"
        demo = demo.replace(f'{head}driver = "tcp"', f'{head}driver = "modbus"\nfile = "modbus_scaner"')
    site.write_text(demo, "utf-8")
    assert main(["check", str(site)]) == 1
    said = capsys.readouterr().out
    assert f"{site} [{part}.file]" in said and "Did you mean" in said
