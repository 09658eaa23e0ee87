"""A sweep gives the same results whoever plays it, and goes on where it was when it was killed."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from controller.__main__ import main
from controller.commands.sim import INTERRUPTED
from controller.commands.sim.note import release
from controller.commands.sim.sweep import command as sweep_command
from controller.commands.sim.sweep.figures import is_figure, names_of
from controller.commands.sim.sweep.grid import hashed, points, setting, works
from controller.commands.sim.sweep.results import NO_REASON, Results
from controller.commands.sim.sweep.runs import play_work

ROOT = Path(__file__).parents[3]
MODEL = """
[model]
horizon_s = 400

[model.blocks.in]
kind = "source"
every = { kind = "exponential", mean = 2 }
next = "desk"

[model.blocks.desk]
kind = "server"
service = { kind = "exponential", mean = 1 }
next = "out"
"""
GRID = ["--set", "model.blocks.desk.channels=1,2", "--set", "model.horizon_s=200,400"]

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def model(tmp_path):
    (tmp_path / "queue.toml").write_text(MODEL)
    return str(tmp_path / "queue.toml")


def sweep(capsys, *words):
    code = main(["sim", "sweep", *map(str, words), "--json"])
    out, err = capsys.readouterr()
    return code, json.loads(out.splitlines()[-1]), err


def lines(folder):
    return sorted(line for path in folder.glob("*.jsonl") for line in path.read_text().splitlines())


def test_one_process_two_processes_and_two_shards_give_the_same_results(model, tmp_path, capsys):
    common = [model, *GRID, "--seeds", "0:3"]
    alone = sweep(capsys, *common, "--out", tmp_path / "alone")
    sweep(capsys, *common, "--jobs", 2, "--out", tmp_path / "two")
    sweep(capsys, *common, "--shard", "1/2", "--out", tmp_path / "shards")
    both = sweep(capsys, *common, "--shard", "2/2", "--out", tmp_path / "shards")

    assert len(lines(tmp_path / "alone")) == 12
    assert lines(tmp_path / "alone") == lines(tmp_path / "two") == lines(tmp_path / "shards")
    assert alone[1]["points"] == both[1]["points"]
    assert both[1]["left"] == 0


@pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="the extra dask is not installed")
def test_a_cluster_gives_the_same_results(model, tmp_path, capsys):
    common = [model, *GRID, "--seeds", "0:2"]
    sweep(capsys, *common, "--out", tmp_path / "alone")
    sweep(capsys, *common, "--dask", "local", "--out", tmp_path / "cluster")

    assert lines(tmp_path / "alone") == lines(tmp_path / "cluster")


@pytest.mark.skipif(importlib.util.find_spec("distributed") is not None, reason="the extra dask is installed")
def test_without_the_extra_a_cluster_is_refused_with_what_to_install(model, tmp_path, capsys):
    assert main(["sim", "sweep", model, "--dask", "local", "--out", str(tmp_path / "out")]) == 1

    told = capsys.readouterr().err
    assert "4201" in told and "no library distributed" in told and "packline[dask]" in told


def test_a_sweep_that_was_killed_goes_on_and_repeats_nothing(model, tmp_path, capsys):
    out = tmp_path / "out"
    common = [model, "--seeds", "0:400", "--set", "model.horizon_s=4000", "--out", str(out)]
    command = [sys.executable, "-u", "-m", "controller", "sim", "sweep", *common]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, env=dict(os.environ)) as running:
        assert running.stderr is not None
        first = running.stderr.readline()
        while not (out / "results.jsonl").exists() or (out / "results.jsonl").read_bytes().count(b"\n") < 2:
            assert running.poll() is None
        running.send_signal(signal.SIGKILL)
    assert b"400 runs, 0 of them done before" in first
    with (out / "results.jsonl").open("ab") as torn:
        torn.write(b'{"scenario": "cut sh')
    before = lines(out)[:-1] if lines(out)[-1].endswith("sh") else [x for x in lines(out) if not x.endswith("cut sh")]
    few = [model, "--seeds", f"0:{len(before) + 2}", "--set", "model.horizon_s=4000", "--out", str(out)]

    code, told, _ = sweep(capsys, *few)

    assert (code, told["played"], told["left"]) == (0, 2, 0)
    assert set(before) < set(lines(out))
    assert [json.loads(line)["seed"] for line in (out / "results.jsonl").read_text().splitlines()] == list(
        range(len(before) + 2)
    )
    assert sweep(capsys, *few)[1]["played"] == 0


def test_other_values_are_other_scenarios_and_seeds_are_not(model):
    grid = points(Path(model), [setting("model.horizon_s=200,400")])
    every = works(grid, range(2), (1, 1))

    assert len({point.scenario for point in grid}) == 2
    assert len({work.key for work in every}) == 4


def test_a_shift_is_swept_by_the_sites_own_numbers_and_gives_its_journal():
    (small, large) = points(None, [setting("shift.orders=1"), setting("site.policy.wip_limit=1,9")])
    row = play_work(works([small], range(3, 4), (1, 1))[0])

    assert small.scenario != large.scenario
    assert (row["well"], row["broken"], row["figures"]["parcels"]) == (True, [], 1)
    assert len(row["journal"]) == 64


def test_a_shift_of_which_something_else_is_expected_is_played_anew():
    """What was kept says whether it was well, by what was expected then."""
    few, many = points(None, [setting("expect.exceptions_le=0,1")])
    assert few.scenario != many.scenario


def own_line(folder):
    """Give the site of a line whose packer has a machine file of its own, and names a file of items."""
    packer = (ROOT / "plc/machines/packer.toml").read_text()
    site = (ROOT / "sites/demo.toml").read_text()
    assert site.count('file = "packer"') == 1
    (folder / "packer.toml").write_text(packer)
    (folder / "demo-items.csv").write_text((ROOT / "sites/demo-items.csv").read_text())
    (folder / "line.toml").write_text(site.replace('file = "packer"', 'file = "packer.toml"'))
    return folder / "line.toml"


def changed(path, before, after):
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))


def test_a_shift_whose_machine_file_or_items_have_changed_is_played_anew(tmp_path):
    """The site file is the same: a slower machine beside it is another line all the same."""
    site, seen = own_line(tmp_path), []
    seen.append(points(site, [])[0].scenario)
    changed(tmp_path / "packer.toml", "seal_s = ", "seal_s = 1")
    seen.append(points(site, [])[0].scenario)
    (tmp_path / "demo-items.csv").write_text((tmp_path / "demo-items.csv").read_text().replace("200", "201"))
    seen.append(points(site, [])[0].scenario)
    assert len(set(seen)) == 3
    assert points(site, [])[0].scenario == seen[2]


def test_what_another_release_gave_is_no_row_of_the_table(model, tmp_path, capsys):
    """Its rows stay where they are, under another key."""
    (point,) = points(Path(model), [])
    body = {**point.raw, "model": dict(point.raw["model"])}
    old = {"scenario": hashed(["0.0.1", body]), "seed": 0, "set": {}, "figures": {"flow": 1e9}, "well": True}
    assert point.scenario == hashed([release(), body])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "results.jsonl").write_text(json.dumps(old) + "\n")
    _, said, _ = sweep(capsys, model, "--seeds", "0:1", "--out", tmp_path / "out")
    assert said["played"] == 1
    assert said["points"][0]["figures"]["flow"]["estimate"] < 1e3


def test_a_run_that_falls_over_is_a_result_and_not_the_end(model):
    (point,) = points(Path(model), [])
    broken = works([point], range(1), (1, 1))[0]
    object.__setattr__(broken.point, "raw", {"model": {}})

    assert play_work(broken)["broken"][0].startswith("crash: FileFaults")


@pytest.mark.parametrize(
    "text, values",
    [
        ("a.b=1,2.5", (1, 2.5)),
        ("a=true,x y", (True, "x y")),
        ('a="x,y",z', ("x,y", "z")),
        ("a=[1,2],[3]", ([1, 2], [3])),
        ("a={ kind = 'uniform', low = 0, high = 1 },4", ({"kind": "uniform", "low": 0, "high": 1}, 4)),
    ],
)
def test_values_are_those_of_toml_or_else_texts(text, values):
    assert setting(text).values == values


@pytest.mark.parametrize(
    "words, told",
    [
        (["--set", "model.horison_s=3"], ["4202", "horison_s", "horizon_s"]),
        (["--set", "model.horizon_s=0"], ["4201", "[model.horizon_s]"]),
        (["--set", "model.seed=1,2"], ["--seeds A:B"]),
        (["--set", "model.horizon_s=1", "--set", "model.horizon_s=2"], ["the place twice"]),
        (["--set", "model.horizon_s.x=1"], ["a table on the way"]),
        (["--figure", "thruput", "--seeds", "0:1"], ["thruput", "Did you mean 'throughput'?"]),
    ],
)
def test_a_place_that_does_not_fit_is_told_before_anything_is_played(model, tmp_path, capsys, words, told):
    assert main(["sim", "sweep", model, *words, "--out", str(tmp_path / "out")]) == 1

    said = capsys.readouterr().err
    assert all(word in said for word in told), said


@pytest.mark.parametrize(
    "words", [["--set", "a"], ["--set", "a=1,1"], ["--shard", "0/2"], ["--shard", "3/2"], ["--shard", "x"]]
)
def test_what_cannot_be_read_is_wrong_usage(model, words):
    with pytest.raises(SystemExit) as left:
        main(["sim", "sweep", model, *words])
    assert left.value.code == 2


def test_machines_cannot_be_swept_through_the_site(capsys):
    assert main(["sim", "sweep", "--set", "site.machines.arm-1.address=x"]) == 1
    assert "site.policy.KEY" in capsys.readouterr().err


def test_a_line_that_is_no_result_is_named(tmp_path, capsys, model):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "results.jsonl").write_text('{"scenario": 5}\n')

    assert main(["sim", "sweep", model, "--out", str(tmp_path / "out")]) == 1
    assert "results.jsonl line 1" in capsys.readouterr().err


def test_what_another_shard_has_not_written_to_its_end_is_not_read(tmp_path):
    (tmp_path / "results-2-of-2.jsonl").write_text('{"scenario": "x", "seed": 1, "figures": {}}\n{"scen')

    assert set(Results(tmp_path, (1, 2)).rows) == {("x", 1)}
    assert (tmp_path / "results-2-of-2.jsonl").read_text().endswith('{"scen')


# -- figures and Ctrl-C ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["model-queue.toml", "demo.toml"])
def test_a_figure_that_no_run_has_is_told_before_anything_is_played_with_all_that_there_are(
    file, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(sweep_command, "in_processes", lambda *_: pytest.fail("it was played"))
    code, said, _ = sweep(capsys, ROOT / "sites" / file, "--figure", "nonsense", "--out", tmp_path)
    (fault,) = said["faults"]
    assert (code, fault["where"], fault["seen"]) == (1, "--figure", "nonsense")
    assert "..." not in fault["expected"] and fault["expected"].count(", ") > 10


def test_every_figure_of_a_run_may_be_a_column(model):
    (corner,) = points(Path(model), [])
    known = names_of(corner)
    played = play_work(works([corner], range(1), (1, 1))[0])["figures"]
    assert all(is_figure(name, known) for name in played)
    assert not any(is_figure(name, known) for name in ("desk.at.x", "desks.at.3", "desk.nonsense"))


def test_what_some_runs_never_saw_counts_as_nothing_there_in_the_table(model, tmp_path, capsys):
    """Ten shares of time sum to one only where a run that never had so many there says 0 of it."""
    code, said, _ = sweep(capsys, model, "--set", "model.horizon_s=20", "--seeds", "0:10", "--out", tmp_path / "short")
    assert code in (0, 1)
    figures = said["points"][0]["figures"]
    levels = [name for name in figures if name.startswith("desk.at.")]
    assert len(levels) > 2
    assert sum(figures[name]["estimate"] for name in levels) == pytest.approx(1)


def test_a_sweep_that_is_interrupted_says_how_far_it_is_and_goes_on(model, tmp_path, capsys, monkeypatch):
    def interrupted(todo, _):
        yield play_work(todo[0])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sweep_command, "in_processes", interrupted)
        code, said, err = sweep(capsys, model, "--seeds", "0:3", "--out", tmp_path)
    assert (code, said["interrupted"], said["ok"], said["played"], said["left"]) == (
        INTERRUPTED, True, False, 1, 2,
    )  # fmt: skip
    assert "interrupted, 1 of 3 done; give the same command again: it goes on" in err
    code, said, err = sweep(capsys, model, "--seeds", "0:3", "--out", tmp_path)
    assert (code, said["ok"], said["left"]) == (0, True, 0)
    assert "3 runs, 1 of them done before" in err


# -- why a run is not well ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, nearest", [("p95_flow_s", "cycle_p95_s"), ("cycle_p95", "cycle_p95_s"), ("x", None)])
def test_a_figure_as_the_run_calls_it_is_answered_with_its_name_here(name, nearest, tmp_path, capsys):
    _, said, _ = sweep(capsys, ROOT / "sites" / "demo.toml", "--figure", name, "--out", tmp_path)
    (fault,) = said["faults"]
    suggested = fault["remedy"].startswith("Did you mean")
    assert suggested == bool(nearest) and (not suggested or fault["remedy"] == f"Did you mean {nearest!r}?")


@pytest.fixture
def hopeful(tmp_path):
    path = tmp_path / "hopeful.toml"
    path.write_text("[shift]\norders = 1\npixels = 0\n[expect]\nparcels_shipped_ge = 2\n", "utf-8")
    return path


def test_what_a_run_missed_is_told_with_its_point_also_when_it_was_done_before(hopeful, tmp_path, capsys):
    why = "missed [expect.parcels_shipped_ge]: parcels_shipped 1, expected at least 2"
    for begins in ("1 run, 0 of them done before", "1 run, 1 of them done before"):
        code, said, err = sweep(capsys, hopeful, "--seeds", "3:4", "--out", tmp_path / "out")
        (point,) = said["points"]
        assert (code, point["well"], point["cause"]) == (1, 0, {"seed": 3, "what": why})
        assert begins in err and err.rstrip().endswith(f"as it is seed 3: {why}")


def test_a_run_that_was_kept_without_a_reason_is_told_to_have_none(hopeful, tmp_path, capsys):
    out = tmp_path / "out"
    sweep(capsys, hopeful, "--seeds", "3:4", "--out", out)
    kept = json.loads((out / "results.jsonl").read_text())
    (out / "results.jsonl").write_text(json.dumps({key: kept[key] for key in kept if key != "missed"}) + "\n")
    assert sweep(capsys, hopeful, "--seeds", "3:4", "--out", out)[1]["points"][0]["cause"]["what"] == NO_REASON


def test_a_point_that_is_well_has_no_cause(model, tmp_path, capsys):
    assert sweep(capsys, model, "--seeds", "0:1", "--out", tmp_path)[1]["points"][0]["cause"] is None
