"""Every verb that takes a FILE says of a mistyped one where it was looked for, what was meant, and what lies there."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.__main__ import main

VERBS = ["sim run", "sim scaled", "sim serve", "sim qa", "sim sweep", "sim report", "sim model", "check", "up", "twin"]


@pytest.mark.parametrize("verb", VERBS)
def test_a_mistyped_file_is_told_with_what_lies_where_it_was_looked_for(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("shift.toml", "night.toml"):
        (tmp_path / name).write_text("")
    monkeypatch.chdir(tmp_path)
    assert main([*verb.split(), "shfit.toml"]) == 1
    said = "".join(capsys.readouterr())
    assert f"{tmp_path / 'shfit.toml'}, saw no such file" in said
    assert "Did you mean 'shift.toml'?" in said
    assert f"In {tmp_path} lie night.toml, shift.toml." in said


def test_a_folder_that_is_not_there_an_empty_one_and_what_ships_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sim", "run", str(tmp_path / "shifts" / "a.toml")]) == 1
    assert f"There is no folder {tmp_path / 'shifts'}" in capsys.readouterr().err
    assert main(["sim", "run", str(tmp_path / "shift-ruogh.toml")]) == 1
    said = capsys.readouterr().err
    assert "Did you mean 'shift-rough.toml'?" in said and f"In {tmp_path} lies no TOML file." in said


def test_of_many_files_the_first_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(12):
        (tmp_path / f"line-{number:02}.toml").write_text("")
    assert main(["sim", "run", str(tmp_path / "other.toml")]) == 1
    assert "line-07.toml and 4 more." in capsys.readouterr().err


def test_a_key_mistyped_in_one_of_several_tables_takes_no_other_along(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "jam.toml"
    path.write_text(
        '[shift]\n[[faults]]\ndevice = "arm-1"\nfualt = "jam"\n[[faults]]\ndevice = "arm-9"\nfault = "jam"\nwehn = 3\n[[faults]]\n'
    )
    assert main(["check", str(path)]) == 1
    said = capsys.readouterr().out
    for place in ("0.fault", "0.fualt", "1.wehn", "1.device", "2.device", "2.fault"):
        assert f"[faults.{place}]" in said
    assert "Did you mean 'fault'?" in said and "Did you mean 'when'?" in said
