"""A wrong model file is told like a wrong site file: every mistake at once, where, seen, expected, remedy."""

import json
import math
import tomllib
from pathlib import Path

import pytest

from controller.__main__ import main
from packline.core.files import FileFaults
from simulation.model.burden import burdens
from simulation.model.checking_exits import traps
from simulation.model.laws import Law
from simulation.model.model_file import BLOCKS
from simulation.model.reading import load_model, model_of, read_model
from simulation.model.running import run_model

ROOT = Path(__file__).parents[2]

GOOD = """
[model]
horizon_s = 100
[model.classes.vip]
priority = 1
[model.blocks.in]
kind = "source"
every = { kind = "exponential", mean = 1.25 }
mix = { vip = 1 }
next = "desk"
[model.blocks.desk]
kind = "server"
service = 1
next = { desk = 0.25, out = 0.75 }
"""


def faults(text: str) -> dict[str, tuple[str, str]]:
    """Give seen and expected by place."""
    _, found = read_model(tomllib.loads(text), "m.toml")
    return {fault.where.removeprefix("m.toml [").rstrip("]"): (fault.seen, fault.expected) for fault in found}


def changed(*pairs: tuple[str, str]) -> str:
    text = GOOD
    for before, after in pairs:
        assert before in text
        text = text.replace(before, after)
    return text


def test_a_right_file_has_no_mistakes():
    assert faults(GOOD) == {}
    model = model_of(tomllib.loads(GOOD), "m.toml")
    assert list(model.blocks) == ["in", "desk"]
    assert vars(model.blocks["desk"])["next"] == {"desk": 0.25, "out": 0.75}


@pytest.mark.parametrize("path", sorted((ROOT / "sites").glob("model-*.toml")), ids=lambda path: path.name)
def test_shipped_models_are_right(path):
    assert load_model(path).title


def test_every_mistake_is_told_at_once():
    text = changed(
        ("horizon_s = 100", "horizon_s = -1\nspeed = 3"),
        ('kind = "exponential", mean', 'kind = "exponental", mean'),
        ('next = "desk"', 'next = "disk"'),
        ("service = 1", 'service = { kind = "erlang", mean = 1 }\nchanels = 2'),
        ("out = 0.75", "out = 0.5"),
    )
    found = faults(text)
    assert found["model.horizon_s"] == ("-1", "a number above 0")
    assert found["model.speed"] == ("speed", "a known key")
    assert found["model.blocks.in.every.kind"][0] == "'exponental'"
    assert found["model.blocks.desk.service"] == ("mean", "for erlang: k, mean or cv, mean")
    assert found["model.blocks.desk.chanels"] == ("chanels", "a known key")
    assert found["model.blocks.in.next"] == ("disk", "one of desk, out")
    assert found["model.blocks.desk.next"] == ("probabilities of 0.75 in all", "1 in all")
    assert len(found) == 7


def test_what_was_meant_is_proposed():
    with pytest.raises(FileFaults) as told:
        model_of(tomllib.loads(changed(('next = "desk"', 'next = "dask"'), ("service = 1", "servce = 1"))), "m.toml")
    text = str(told.value)
    assert "Did you mean 'desk'?" in text
    assert "Did you mean 'service'?" in text
    assert "m.toml [model.blocks.desk.servce]" in text


@pytest.mark.parametrize("mean", ["-1.25", "'x'", "nan", "inf"])
def test_a_wrong_mean_is_told_once_and_not_also_as_a_mean_that_is_not_there(mean):
    assert set(faults(changed(("mean = 1.25", f"mean = {mean}")))) == {"model.blocks.in.every.mean"}


@pytest.mark.parametrize(
    "before, after, told",
    [
        ("horizon_s = 100", "horizn_s = 100\nwarmup_s = 10", {"model.horizon_s", "model.horizn_s"}),
        ("horizon_s = 100", "horizon_s = -100\nwarmup_s = 10", {"model.horizon_s"}),
        ("mean = 1.25", "maen = 1.25", {"model.blocks.in.every.maen"}),
        (
            "every = {",
            "profile = [{ from_s = 0, times = 1 }]\nevry = {",
            {"model.blocks.in.evry"},
        ),
        (
            "service = 1",
            "service = 1\noprator = 'crew'\nfailures = [{ every = 5, repair = 1, operator = true }]",
            {"model.blocks.desk.oprator"},
        ),
    ],
)
def test_what_stands_for_a_wrong_key_is_not_told_as_a_mistake(before, after, told):
    assert set(faults(changed((before, after)))) == told


@pytest.mark.parametrize(
    "file, seen, remedy",
    [
        ("sites/demo.toml", "a site file", "`packline sim run` plays a shift of it."),
        ("sites/shift-quiet.toml", "a scenario of a shift", "`packline sim run` plays it."),
        ("machine.toml", "a machine file", "`packline check` says what is wrong in it."),
    ],
)
def test_a_file_of_another_kind_is_told_as_that_in_one_line(file, seen, remedy, tmp_path, capsys):
    (tmp_path / "machine.toml").write_text("[machine]\nname = 'x'\n", "utf-8")
    path = file if "/" in file else str(tmp_path / file)
    assert main(["sim", "model", path, "--json"]) == 1
    (fault,) = json.loads(capsys.readouterr().out.splitlines()[-1])["faults"]
    assert (fault["code"], fault["where"], fault["seen"], fault["expected"]) == (4201, path, seen, "a [model]")
    assert fault["remedy"] == remedy


WRONG = [
    ('kind = "server"', 'kind = "sever"', "model.blocks.desk.kind"),
    ('kind = "server"', "kind = 3", "model.blocks.desk.kind"),
    ("service = 1", "service = -1", "model.blocks.desk.service"),
    ("service = 1", "service = true", "model.blocks.desk.service"),
    ("service = 1", "service = nan", "model.blocks.desk.service"),
    ("service = 1", "service = 1\nchannels = 0", "model.blocks.desk.channels"),
    ("service = 1", "service = 1\nchannels = 1.5", "model.blocks.desk.channels"),
    ("service = 1", "service = 1\nqueue = -1", "model.blocks.desk.queue"),
    ("service = 1", "service = 1\ndiscipline = 'fifi'", "model.blocks.desk.discipline"),
    ("service = 1", "service = 1\ndiscipline = 'random'\npreempt = 'resume'", "model.blocks.desk.preempt"),
    ("service = 1", "service = 1\ndiscipline = 'shared'\nsetup = 1", "model.blocks.desk.setup"),
    ("service = 1", "service = 1\noperator = 'crew'", "model.blocks.desk.operator"),
    ("service = 1", "service = 1\nservice_by_class = { vop = 2 }", "model.blocks.desk.service_by_class.vop"),
    ("service = 1", "service = 1\nvacation = 0", "model.blocks.desk.vacation"),
    ("service = 1", "service = 1\ninitial = { vip = 3 }\nqueue = 1", "model.blocks.desk.initial"),
    ("service = 1", "service = 1\noverflow = 'nowhere'", "model.blocks.desk.overflow"),
    (
        "service = 1",
        "service = 1\nchannels = inf\nfailures = [{ every = 5, repair = 1 }]",
        "model.blocks.desk.failures",
    ),
    ("service = 1", "service = 1\nfailures = [{ every = 0, repair = 1 }]", "model.blocks.desk.failures.0.every"),
    ("service = 1", "service = 1\nfailures = [{ every = 5 }]", "model.blocks.desk.failures.0.repair"),
    ("mix = { vip = 1 }", "mix = { vip = 0 }", "model.blocks.in.mix.vip"),
    ("mix = { vip = 1 }", "mix = { vap = 1 }", "model.blocks.in.mix.vap"),
    ("mix = { vip = 1 }", "at = [1, 2]", "model.blocks.in.at"),
    ("mix = { vip = 1 }", "profile = [{ from_s = 5, times = 1 }]", "model.blocks.in.profile"),
    ('every = { kind = "exponential", mean = 1.25 }\n', "every = 0\n", "model.blocks.in.every"),
    ('every = { kind = "exponential", mean = 1.25 }\n', "", "model.blocks.in.every"),
    ("horizon_s = 100", "horizon_s = 100\nwarmup_s = 100", "model.warmup_s"),
    ("horizon_s = 100", "horizon_s = 100\nwarmup_s = 'mesr'", "model.warmup_s"),
    ("horizon_s = 100", "horizon_s = 100\nreplications = 3\nantithetic = true", "model.replications"),
    ("horizon_s = 100", "", "model.horizon_s"),
    ("[model.blocks.desk]", "[model.blocks.Desk]", "model.blocks.Desk"),
    ("[model]", "[plant]\nx = 1\n[model]", "plant"),
    ('next = "desk"', 'next = "in"', "model.blocks.in.next"),
    ('next = "desk"', 'next = "out"', "model.blocks.desk"),
    ('next = "desk"', "next = 3", "model.blocks.in.next"),
    ('next = "desk"', "", "model.blocks.in.next"),
    ('next = "desk"', "next = { desk = 1.5 }", "model.blocks.in.next.desk"),
    ("priority = 1", "priority = 'high'", "model.classes.vip.priority"),
]


@pytest.mark.parametrize("before, after, place", WRONG, ids=[f"{place}: {after[:40]!r}" for _, after, place in WRONG])
def test_a_mistake_is_told_where_it_is(before, after, place):
    found = faults(changed((before, after)))
    assert place in found, found
    seen, expected = found[place]
    assert seen
    assert expected


LOOP = 'next = "desk"'


def trap(*pairs: tuple[str, str]) -> list[str]:
    text = changed(("next = { desk = 0.25, out = 0.75 }", LOOP), *pairs)
    return list(traps(model_of(tomllib.loads(text), "m.toml")))


TRAPPED = "[model.blocks.desk.next]: nothing leaves this circle, though in gives to it without end"


@pytest.mark.parametrize("way", [LOOP, "next = { desk = 1.0, out = 0.0 }"])
def test_a_check_warns_of_a_circle_that_a_source_fills_and_nothing_leaves(way, tmp_path, capsys):
    path = tmp_path / "m.toml"
    path.write_text(changed(("next = { desk = 0.25, out = 0.75 }", way)))
    assert main(["sim", "model", str(path), "--check", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["warnings"] == [f"{path}: {TRAPPED}"]


@pytest.mark.parametrize(
    "before, after",
    [
        ("mix =", "most = 6\nmix ="),
        ("mix =", "blocked = 'lose'\nmix ="),
        ("service = 1", "service = 1\npatience = 5"),
        ("service = 1", "service = 1\nbalk = [0, 0.5]"),
        ("service = 1", "service = 1\nqueue = 3\nfull = 'lose'"),
        ("service = 1", "service = 1\nfailures = [{ every = 5, repair = 1, after = 'scrap' }]"),
    ],
)
def test_a_circle_is_well_that_is_left_in_another_way_or_filled_once(before, after):
    assert trap((before, after)) == []


def test_who_gives_up_and_comes_back_has_not_left():
    assert trap(("service = 1", "service = 1\npatience = 5\nimpatient = 'desk'")) == [TRAPPED]


def test_a_circle_without_time_is_refused():
    text = """
[model]
horizon_s = 1
[model.blocks.in]
kind = "source"
every = 1
next = "a"
[model.blocks.a]
kind = "merge"
next = "b"
[model.blocks.b]
kind = "divert"
next = { a = 0.5, out = 0.5 }
"""
    assert faults(text)["model.blocks.a.next"] == ("a -> b -> a", "a block that takes time in each circle")


SENT_ON = """
[model]
horizon_s = 100
[model.blocks.in]
kind = "source"
every = 0.1
next = "a"
[model.blocks.a]
kind = "machine"
service = 1
overflow = "either"
next = "out"
[model.blocks.either]
kind = "divert"
rule = "first_free"
to = ["b", "a"]
[model.blocks.b]
kind = "server"
service = 1
queue = 0
next = "out"
"""


@pytest.mark.parametrize("more", ['overflow = "a"', 'balk = [0, 1]\nimpatient = "a"', ""])
def test_blocks_that_send_on_to_each_other_whom_they_have_no_room_for_are_refused(more):
    """When both are full, nobody would keep the one who comes, and the run would never end."""
    text = SENT_ON.replace('to = ["b", "a"]', 'to = ["b"]') if more else SENT_ON
    circle = "a -> either -> b -> a" if more else "a -> either -> a"
    expected = "a block in this circle that keeps or loses whom it has no room for"
    assert faults(f"{text}{more}\n")["model.blocks.a.overflow"] == (circle, expected)


@pytest.mark.parametrize(
    "before, after",
    [
        ('to = ["b", "a"]', 'to = ["b"]'),
        ("service = 1\noverflow", "service = 1\nqueue = inf\noverflow"),
        ("service = 1\noverflow", 'service = 1\nfull = "lose"\noverflow'),
    ],
)
def test_who_finds_no_room_may_be_sent_on_where_somebody_keeps_him_or_all_are_lost(before, after):
    assert before in SENT_ON
    text = SENT_ON.replace(before, after)
    assert faults(text) == {}
    assert run_model(model_of(tomllib.loads(text), "test"), replications=1).runs


def test_a_block_that_is_its_own_overflow_is_refused():
    text = (
        SENT_ON.replace('overflow = "either"', 'overflow = "a"')
        .replace('to = ["b", "a"]', 'to = ["b"]')
        .replace('next = "a"', "next = { a = 0.5, either = 0.5 }")
    )
    assert faults(text)["model.blocks.a.overflow"][0] == "a -> a"


def test_a_saturated_source_before_an_endless_queue_is_refused():
    found = faults(changed(('every = { kind = "exponential", mean = 1.25 }\n', "")))
    assert "desk takes them without end" in found["model.blocks.in.every"][0]
    bounded = changed(
        ('every = { kind = "exponential", mean = 1.25 }\n', ""), ("service = 1", "service = 1\nqueue = 0")
    )
    assert faults(bounded) == {}


def test_a_saturated_source_before_machines_that_take_no_time_is_refused():
    saturated = changed(
        ('every = { kind = "exponential", mean = 1.25 }\n', ""), ("service = 1", "service = 0\nqueue = 0")
    )
    assert "model.blocks.in.every" in faults(saturated.replace("desk = 0.25, out = 0.75", "out = 1"))
    assert "model.blocks.desk.next" in faults(saturated), "and a machine without time that feeds itself"


def test_a_model_that_gives_nothing_is_refused():
    assert "model.blocks" in faults(
        "[model]\nhorizon_s = 1\n[model.blocks.a]\nkind = 'server'\nservice = 1\nnext = 'a'"
    )


def test_no_model_and_no_table_are_told():
    assert faults("") == {"model": ("nothing", "a table of keys and values")}
    assert faults("model = 3") == {"model": ("3", "a table of keys and values")}


DIVERTS = [
    ('rule = "turns"', "to"),
    ('rule = "class"\nnext = "out"', "by_class"),
    ('rule = "class"\nby_class = { vip = "out" }', "next"),
    ('to = ["out"]', "next"),
    ('rule = "turns"\nto = ["out"]\nnext = "out"', "next"),
]


@pytest.mark.parametrize("keys, place", DIVERTS)
def test_a_divert_needs_the_keys_of_its_rule(keys, place):
    text = changed(("out = 0.75 }", 'out = 0.5, fork = 0.25 }\n[model.blocks.fork]\nkind = "divert"\n' + keys))
    assert f"model.blocks.fork.{place}" in faults(text)


LAWS = {
    ("exponential", "rate = 4"): 0.25,
    ("erlang", "mean = 2, cv = 0.5"): 2,
    ("hyperexponential", "means = [1, 3], weights = [1, 1]"): 2,
    ("uniform", "mean = 2, cv = 0.2"): 2,
    ("lognormal", "mean = 2, cv = 0"): 2,
    ("empirical", "values = [1, 2, 3], smooth = true"): 2,
    ("weibull", "mean = 2, shape = 0.7"): 2,
    ("geometric", "mean = 4"): 4,
    ("hypoexponential", "means = [1, 0.5, 0.5]"): 2,
    ("coxian", "means = [1, 2], go_on = [0.5]"): 2,
    ("pareto", "mean = 2, shape = 1.5"): 2,
    ("uniform", "low = 0, high = 4"): 2,
}


@pytest.mark.parametrize("kind, figures", LAWS)
def test_a_law_can_be_said_in_its_ways(kind, figures):
    raw = tomllib.loads(f"x = {{ kind = '{kind}', {figures} }}")["x"]
    assert Law.model_validate(raw).distribution().mean() == pytest.approx(LAWS[kind, figures])


WRONG_LAWS = [
    "kind = 'exponential'",
    "kind = 'exponential', mean = 1, rate = 1",
    "kind = 'exponential', mean = 0",
    "kind = 'erlang', mean = 1, cv = 0.9",
    "kind = 'erlang', mean = 1, k = 0",
    "kind = 'hyperexponential', mean = 1, cv = 0.5",
    "kind = 'hyperexponential', means = [1], weights = [1, 2]",
    "kind = 'lognormal', mean = 1",
    "kind = 'uniform', low = 2, high = 1",
    "kind = 'uniform', mean = 1, cv = 0.9",
    "kind = 'triangular', low = 1, mode = 3, high = 2",
    "kind = 'geometric', mean = 0.5",
    "kind = 'hypoexponential', means = []",
    "kind = 'coxian', means = [1, 2], go_on = [0.5, 0.5]",
    "kind = 'coxian', means = [1, 2], go_on = [1.5]",
    "kind = 'pareto', mean = 1, shape = 1",
    "kind = 'empirical', values = []",
    "kind = 'empirical', values = [1, 2], weights = [0, 0]",
    "kind = 'empirical', values = [2, 1], smooth = true",
    "mean = 1",
    "kind = 'poisson', mean = 1, colour = 'red'",
]


@pytest.mark.parametrize("law", WRONG_LAWS)
def test_a_law_that_does_not_fit_is_told(law):
    found = faults(changed(("service = 1", f"service = {{ {law} }}")))
    assert any(place.startswith("model.blocks.desk.service") for place in found), found


def test_every_kind_of_block_is_in_the_union_that_is_published():
    from simulation.model.model_file import ModelFile

    published = json.dumps(ModelFile.model_json_schema())
    assert all(f'"{kind}"' in published for kind in BLOCKS)


# -- from the command line -----------------------------------------------------------------------------------------------


def test_figures_come_as_json_in_the_last_line(capsys, tmp_path):
    (tmp_path / "m.toml").write_text(GOOD)
    assert main(["sim", "model", str(tmp_path / "m.toml"), "--seed", "3", "--replications", "4", "--json"]) == 0
    shown = capsys.readouterr()
    found = json.loads(shown.out.splitlines()[-1])
    assert (found["seed"], found["replications"]) == (3, 4)
    assert found["figures"]["desk.states.busy"]["half"] > 0
    assert "desk" in shown.err


def test_a_file_is_checked_without_a_run(capsys, tmp_path):
    path = tmp_path / "m.toml"
    path.write_text(changed(("horizon_s = 100", "horizon_s = 1e7")))
    assert main(["sim", "model", str(path), "--check"]) == 0
    assert capsys.readouterr() == (f"{path}: no mistakes\n", "")
    assert main(["sim", "model", str(path), "--check", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "file": str(path), "warnings": []}


@pytest.mark.parametrize(
    "before, after", [("horizon_s = 100", "horizon_s = 1e18"), ("mean = 1.25", "mean = 0.000001"), ("mix =", "size = 1e9\nmix =")]
)  # fmt: skip
def test_a_check_warns_of_runs_that_would_hardly_end(before, after, capsys, tmp_path):
    path = tmp_path / "m.toml"
    path.write_text(changed((before, after)))
    assert main(["sim", "model", str(path), "--check", "--json"]) == 0
    out, err = capsys.readouterr()
    (warning,) = json.loads(out)["warnings"]
    assert "that takes more than an hour" in warning
    assert f"warning: {warning}" in err


def test_a_source_that_ends_after_so_many_is_no_burden():
    model = model_of(tomllib.loads(changed(("horizon_s = 100", "horizon_s = 1e18"), ("mix =", "most = 9\nmix ="))), "m")
    assert list(burdens(model)) == []


def test_a_run_whose_horizon_is_far_says_soon_how_far_it_is():
    class Stopped(Exception):
        pass

    heard: list[str] = []

    def tell(text: str) -> None:
        heard.append(text)
        raise Stopped

    model = model_of(tomllib.loads(changed(("horizon_s = 100", "horizon_s = 1e18"))), "m.toml")
    with pytest.raises(Stopped):
        run_model(model, tell=tell)
    assert heard[0].startswith("run 1 of 10: 0%, ")
    assert heard[0].endswith(" s of 1e+18 s")


def test_pilot_runs_say_how_far_they_are():
    model = model_of(tomllib.loads(changed(("horizon_s = 100", 'horizon_s = 20000\nwarmup_s = "mser"'))), "m.toml")
    heard: list[str] = []
    run_model(model, replications=1, tell=heard.append)
    assert heard[0].startswith("pilot run 1 of 5: ")


def test_it_is_told_how_far_a_run_is_and_the_figures_do_not_care():
    model = model_of(tomllib.loads(changed(("horizon_s = 100", "horizon_s = 20000\nwarmup_s = 500"))), "m.toml")
    heard: list[str] = []
    told = run_model(model, replications=2, tell=heard.append)
    assert heard[0].startswith("run 1 of 2: ")
    assert heard[0].endswith(" s of 20000 s")
    assert heard[-1] == "run 2 of 2 is done"
    assert repr(told.runs) == repr(run_model(model, replications=2).runs)


def test_two_files_are_compared_run_by_run(capsys, tmp_path):
    (tmp_path / "a.toml").write_text(GOOD)
    (tmp_path / "b.toml").write_text(changed(("service = 1", "service = 0.9")))
    words = ["sim", "model", str(tmp_path / "a.toml"), "--against", str(tmp_path / "b.toml"), "--json"]
    assert main(words) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])["differences"]["desk.states.busy"]
    assert found["estimate"] < 0
    assert found["half"] < found["half_if_independent"]


def test_mirrored_runs_are_not_compared_with_others(capsys, tmp_path):
    """Five runs of one and two pairs of the other would have no random numbers in common, and five are no pairs."""
    (tmp_path / "a.toml").write_text(changed(("horizon_s = 100", "horizon_s = 100\nreplications = 5")))
    (tmp_path / "b.toml").write_text(changed(("horizon_s = 100", "horizon_s = 100\nantithetic = true")))
    for one, other in ("ab", "ba"):
        words = ["sim", "model", str(tmp_path / f"{one}.toml"), "--against", str(tmp_path / f"{other}.toml")]
        assert main(words) == 1
        shown = capsys.readouterr().err
        assert f"{other}.toml [model.antithetic]" in shown
        assert f"as in {tmp_path / one}.toml" in shown


def test_mistakes_of_both_files_are_told(capsys, tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.toml").write_text(changed(("service = 1", "service = -1")))
    words = ["sim", "model", str(tmp_path / "a.toml"), "--against", str(tmp_path / "b.toml")]
    assert main(words) == 1
    shown = capsys.readouterr().err
    assert "a.toml [model.blocks.desk.service]" in shown
    assert "b.toml [model.blocks.desk.service]" in shown


def test_a_file_that_is_not_there_and_odd_pairs_are_told(capsys, tmp_path):
    assert main(["sim", "model", str(tmp_path / "none.toml")]) == 1
    assert "no such file" in capsys.readouterr().err
    (tmp_path / "m.toml").write_text(changed(("horizon_s = 100", "horizon_s = 100\nantithetic = true")))
    assert main(["sim", "model", str(tmp_path / "m.toml"), "--replications", "3"]) == 1
    assert "antithetic runs are pairs" in capsys.readouterr().err


def test_textbook_cases_are_shown_with_their_source(capsys):
    assert main(["sim", "validate", "--only", "arrivals at the instant", "--json"]) == 0
    shown = capsys.readouterr()
    found = json.loads(shown.out.splitlines()[-1])
    assert (found["cases"], found["wrong"], found["findings"][0]["theory"]) == (1, 0, 0.0)
    assert "arithmetic" in shown.err
    assert main(["sim", "validate", "--only", "no such case"]) == 1


def test_a_run_that_is_only_one_has_its_interval_from_batches(capsys, tmp_path):
    (tmp_path / "m.toml").write_text(changed(("horizon_s = 100", "horizon_s = 2000")))
    assert main(["sim", "model", str(tmp_path / "m.toml"), "--replications", "1"]) == 0
    assert "von Neumann" in capsys.readouterr().out


def test_nothing_that_is_not_known_gets_into_the_json(capsys, tmp_path):
    text = changed(('every = { kind = "exponential", mean = 1.25 }', "at = [500]"))
    (tmp_path / "m.toml").write_text(text)
    assert main(["sim", "model", str(tmp_path / "m.toml"), "--json"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert "NaN" not in last
    assert "Infinity" not in last
    assert json.loads(last)["figures"]["flow"]["estimate"] is None
    assert math.isfinite(json.loads(last)["figures"]["wip"]["estimate"])
