"""The page that adds a kind of machine is followed to the letter: its file and its class, on the twin."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from packline.core.effects import SEAL, EffectState
from packline.core.files import parse
from plc.drivers.opening import quiet_libraries
from plc.kinds import GROUP, machine_class
from plc.lint import lint
from plc.machine_file import MachineFile, load_machine
from tests.plc.stands import do, stand_for
from tests.waiting import eventually

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "add-a-kind-of-machine.md"
MODULE = "tape_sealer"
quiet_libraries()


def shown(language: str, holding: str) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return next(block for block in blocks if holding in block)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Give a folder with both files, as the page has them."""
    (tmp_path / "tape_sealer.toml").write_text(shown("toml", "# tape_sealer.toml"), "utf-8")
    (tmp_path / "tape_sealer.py").write_text(shown("python", "# tape_sealer.py"), "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop(MODULE, None)


def named(file: MachineFile, kind: str) -> MachineFile:
    return file.model_copy(update={"machine": file.machine.model_copy(update={"kind": kind})})


def test_shown_file_is_right_and_its_class_is_found_by_module_and_by_entry_point(folder):
    file = load_machine(folder / "tape_sealer.toml")
    assert lint(file).is_clean
    (made,) = tomllib.loads(shown("toml", "entry-points"))["project"]["entry-points"][GROUP].items()
    package = folder / "tape_sealer-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: tape-sealer\nVersion: 1.0\n", "utf-8")
    (package / "entry_points.txt").write_text(f"[{GROUP}]\n{made[0]} = {made[1]}\n", "utf-8")
    assert machine_class(file) is machine_class(named(file, made[0])) is sys.modules[MODULE].TapeSealer


@pytest.mark.wire
@pytest.mark.timeout(60)
async def test_shown_machine_seals_on_the_twin_and_takes_no_job_without_tape(folder):
    file = load_machine(folder / "tape_sealer.toml")
    async with stand_for(file) as stand, stand.controlled() as machine:
        assert (await do(machine, SEAL)).state is EffectState.CONFIRMED
        sealer: Any = machine  # of the page's class, which no type checker sees
        assert sealer.seals_left(0.5) == 50
    raw = tomllib.loads(shown("toml", "# tape_sealer.toml").replace("tape_m = 25.0", "tape_m = 1.0"))
    async with stand_for(parse(raw, MachineFile, "page")) as stand, stand.controlled() as machine:
        await eventually(lambda: machine.view().faults == (2002,))
        assert not machine.view().is_ready
