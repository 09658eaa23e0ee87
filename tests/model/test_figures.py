"""Figures that a person asks for by name, beside those that are always shown."""

import pytest

from controller.__main__ import main
from simulation.model.reading import load_model
from simulation.model.report import is_hopeless
from simulation.model.running import run_model

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


def test_a_figure_that_no_run_can_have_is_told_after_the_first(line, capsys):
    assert main(["sim", "model", line, "--figure", "desk.delayd_share"]) != 0
    out, err = capsys.readouterr()
    assert not out, "no table: not all was run"
    assert "saw desk.delayd_share" in err
    assert "Did you mean 'desk.delayed_share'?" in err


def test_a_figure_that_another_run_might_have_is_told_after_all(line, capsys):
    assert main(["sim", "model", line, "--figure", "desk.classes.rare.wait"]) != 0
    out, err = capsys.readouterr()
    assert "throughput" in out
    assert "saw desk.classes.rare.wait" in err


def test_a_figure_of_the_second_model_alone_may_be_asked_for(line, tmp_path, capsys):
    other = tmp_path / "other.toml"
    other.write_text(LINE.replace("desk", "till"), "utf-8")
    words = ["sim", "model", line, "--against", str(other), "--figure"]
    assert main([*words, "till.wait"]) == 0
    assert main([*words, "tell.wait"]) != 0
    assert "Did you mean 'till.wait'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    "pattern, is_it",
    [
        ("desk.wait", False),
        ("desk.wit", True),
        ("desk.*", False),
        ("dsk.*", True),
        ("desk.rare*", False),
        ("*.rare", False),
        ("de?k.rare", False),
        ("desk.at.7", False),
        ("classes.*", False),
        ("made", False),
        ("flow_p59", True),
    ],
)
def test_what_no_run_can_have_is_known_by_its_name(pattern, is_it):
    assert is_hopeless(pattern, {"flow_p99", "desk.wait", "desk.at.0"}) is is_it


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
    assert "departures" not in said and "nothing left the model" in said, "a throughput of 0 is not what goes round"


RARE = """
[model]
horizon_s = 30
replications = 60
[model.classes.often]
[model.classes.rare]
[model.blocks.in]
kind = "source"
every = { kind = "exponential", mean = 1 }
mix = { often = 0.95, rare = 0.05 }
next = "desk"
[model.blocks.desk]
kind = "scan_gate"
queue = inf
scan = { kind = "exponential", mean = 0.3 }
read_share = 0.98
tries = 1
next = "out"
"""


def test_what_never_happened_in_a_run_counts_as_nothing_there(tmp_path):
    """Left out, the runs in which it did happen would alone say how often it does."""
    path = tmp_path / "rare.toml"
    path.write_text(RARE, "utf-8")
    found = run_model(load_model(path))
    levels = [name for name in found.names() if name.startswith("desk.at.")]
    assert sum(found.interval(name).estimate for name in levels) == pytest.approx(1)
    counts = ["desk.at.4", "desk.verdicts.no_read", "classes.rare.departures", "desk.classes.rare.number"]
    assert any(name not in run.figures for run in found.runs for name in counts[:2])
    for name in counts:
        in_all = sum(run.figures.get(name, 0.0) for run in found.runs)
        assert found.interval(name).estimate == pytest.approx(in_all / 60), name
        assert found.interval(name).of == 60


def test_a_mean_over_nobody_stays_unknown_in_the_runs_that_had_nobody(tmp_path):
    path = tmp_path / "rare.toml"
    path.write_text(RARE, "utf-8")
    found = run_model(load_model(path))
    of = sum("classes.rare.flow" in run.figures for run in found.runs)
    assert 0 < of < 60
    assert found.interval("classes.rare.flow").of == of
