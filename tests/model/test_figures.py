"""Figures that a person asks for by name, beside those that are always shown."""

import pytest

from controller.__main__ import main

LINE = """
[model]
horizon_s = 20
replications = 2
[model.blocks.in]
kind = "source"
every = 2
next = "desk"
[model.blocks.desk]
kind = "server"
service = 1
next = "out"
"""


@pytest.fixture
def line(tmp_path):
    path = tmp_path / "line.toml"
    path.write_text(LINE, "utf-8")
    return str(path)


def test_any_figure_can_be_asked_for_by_its_name_or_a_part_of_it(line, capsys):
    assert main(["sim", "model", line, "--figure", "desk.at.*", "--figure", "desk.delayed_share"]) == 0
    said = capsys.readouterr().out
    assert "desk.at.0" in said
    assert "desk.at.1" in said
    assert "desk.delayed_share         0           0" in said


def test_a_comparison_has_them_too(line, capsys):
    assert main(["sim", "model", line, "--against", line, "--figure", "desk.wait"]) == 0
    assert capsys.readouterr().out.split("second - first")[1].count("desk.wait") == 1


def test_a_figure_that_is_not_there_is_told_after_what_was_run(line, capsys):
    assert main(["sim", "model", line, "--figure", "desk.delayd_share"]) != 0
    out, err = capsys.readouterr()
    assert "throughput" in out
    assert "saw desk.delayd_share" in err
    assert "Did you mean 'desk.delayed_share'?" in err


def test_figures_that_nobody_knows_are_not_shown_to_people(tmp_path, capsys):
    path = tmp_path / "ring.toml"
    path.write_text(
        '[model]\nhorizon_s = 9\n[model.blocks.a]\nkind = "server"\nservice = 1\nnext = "a"\ninitial = { "" = 2 }\n',
        "utf-8",
    )
    assert main(["sim", "model", str(path)]) == 0
    said = capsys.readouterr().out
    assert "flow" not in said, "nothing ever leaves"
    assert "wip" in said
