"""Scenario files: what they may say, what is wrong in them, what ships, and what a run must come to."""

import json
from pathlib import Path

import pytest

from controller.__main__ import main
from controller.commands.sim import running, telling
from controller.commands.sim.expecting import missed, unexpected
from controller.commands.sim.scenario import as_toml, load_scenario
from controller.commands.sim.scenario_file import DemandPart, ExpectPart, Scenario, ShiftPart
from controller.commands.sim.shift.parts import Played
from packline.core.files import FileFaults
from simulation.people.demand import KNOWN_TRAITS, TRAITS, Demand, DemandSpec

pytestmark = pytest.mark.timeout(300)

SITES = Path(__file__).parents[3] / "sites"
WRONG = """
horizon = 5
[shift]
orders = 0
[demand]
shares = { sad = 1 }
[[faults]]
device = "arm-2"
fault = "jam"
[[faults]]
device = "arm-1"
fault = "no_read"
when = { fact = "label.applied", nth = 3 }
[[faults]]
device = "arm-1"
fault = "slow"
times = 3
[[faults]]
device = "controller"
fault = "kill"
for_s = 2
[[faults]]
device = "controller"
fault = "kill_before_commit"
[[faults]]
device = "arm-1"
fault = "jam"
at_s = 1
when = { commit = 3 }
[campaign]
kinds = ["jamm"]
[expect]
exceptions_lt = 3
"""


def places(path):
    with pytest.raises(FileFaults) as found:
        load_scenario(path)
    return {fault.where.removeprefix(f"{path} "): (fault.seen, fault.remedy) for fault in found.value.faults}


def test_every_mistake_of_a_scenario_is_named_with_its_place(tmp_path):
    path = tmp_path / "wrong.toml"
    path.write_text(WRONG, "utf-8")
    found = places(path)
    assert set(found) == {
        "[horizon]",
        "[shift.orders]",
        "[demand.shares.sad]",
        "[faults.0.device]",
        "[faults.1.fault]",
        "[faults.1.when.fact]",
        "[faults.2.times]",
        "[faults.3.for_s]",
        "[faults.4.when]",
        "[faults.5.when]",
        "[campaign.kinds.0]",
        "[expect.exceptions_lt]",
    }
    assert found["[faults.0.device]"] == ("arm-2", "Did you mean 'arm-1'?")
    assert found["[faults.1.when.fact]"][1] == "Did you mean 'label_applied'?"
    assert found["[campaign.kinds.0]"][1] == "Did you mean 'jam'?"


@pytest.mark.parametrize(
    "text, where, seen, expected",
    [
        ("exceptions_le = -1", "[expect.exceptions_le]", "-1", "a number at least 0"),
        ("exceptions_le = inf", "[expect.exceptions_le]", "inf", "a number"),
        ("orders_over = 5", "[expect.orders_over]", "5", "at most 1, the orders of the shift"),
        ("orders_over_ge = 5", "[expect.orders_over_ge]", "5", "at most 1, the orders of the shift"),
        ("deaths_ge = 3\ndeaths_le = 1", "[expect.deaths_ge]", "3", "at most deaths_le, which is 1"),
        ("deaths = 3\ndeaths_le = 1", "[expect.deaths]", "3", "at most deaths_le, which is 1"),
        ("deaths = 0\ndeaths_ge = 1", "[expect.deaths_ge]", "1", "at most deaths, which is 0"),
    ],
)
def test_what_no_run_can_come_to_is_not_expected(text, where, seen, expected, tmp_path):
    path = tmp_path / "never.toml"
    path.write_text(f"[shift]\norders = 1\n[expect]\n{text}\n", "utf-8")
    with pytest.raises(FileFaults) as found:
        load_scenario(path)
    (fault,) = found.value.faults
    assert (fault.code, fault.where, fault.seen, fault.expected) == (4201, f"{path} {where}", seen, expected)


def test_a_failure_of_a_campaign_with_fewer_orders_than_its_file_expects_can_be_played_again(tmp_path):
    expect = ExpectPart.model_validate({"orders_over": 3})
    path = tmp_path / "kept.toml"
    path.write_text(
        as_toml(Scenario(shift=ShiftPart(orders=1), expect=expect), (), ("expect: orders_over 1",)), "utf-8"
    )
    assert load_scenario(path).expect.bounds() == {"orders_over": 3}


def test_bounds_that_meet_are_expected(tmp_path):
    path = tmp_path / "narrow.toml"
    path.write_text("[shift]\norders = 1\n[expect]\norders_over = 1\norders_over_ge = 1\norders_over_le = 1\n", "utf-8")
    assert load_scenario(path).expect.bounds() == {"orders_over": 1, "orders_over_ge": 1, "orders_over_le": 1}


@pytest.mark.parametrize(
    "text, where, seen",
    [
        ('kinds = ["jam"]\nwithout = ["jam"]', "[campaign.without]", "jam"),
        ('kinds = ["arm-1 jam"]\nwithout = ["arm-1", "hall"]', "[campaign.without]", "arm-1, hall"),
    ],
)
def test_a_campaign_that_can_draw_nothing_is_no_campaign_unless_it_says_so(text, where, seen, tmp_path):
    path = tmp_path / "empty.toml"
    path.write_text(f"[campaign]\n{text}\n", "utf-8")
    ((place, (told, remedy)),) = places(path).items()
    assert (place, told) == (where, seen) and "most_faults = 0" in remedy
    path.write_text(f"[campaign]\n{text}\nmost_faults = 0\n", "utf-8")
    assert load_scenario(path).campaign.most_faults == 0


def test_a_scenario_of_a_line_that_is_not_there_says_so(tmp_path):
    path = tmp_path / "elsewhere.toml"
    path.write_text('[shift]\nsite = "nowhere.toml"\n', "utf-8")
    assert list(places(path)) == ["[shift.site]"]


@pytest.mark.parametrize("file", ["shift-quiet.toml", "shift-rough.toml", "model-queue.toml"])
def test_check_knows_scenario_and_model_files(file, capsys):
    assert main(["check", str(SITES / file)]) == 0
    assert "in order" in capsys.readouterr().out


def test_check_says_what_is_wrong_in_a_scenario_and_in_a_model(tmp_path, capsys):
    for name, text in (("scenario", "[shift]\norders = 0\n"), ("model", "[model]\nhorizon_s = 1\n")):
        path = tmp_path / f"{name}.toml"
        path.write_text(text, "utf-8")
        assert main(["check", str(path), "--json"]) == 1
        said = json.loads(capsys.readouterr().out)
        assert not said["ok"]
        assert all({"code", "where", "seen", "expected", "remedy"} <= set(fault) for fault in said["faults"])


@pytest.mark.parametrize(
    "text, seen, remedy",
    [
        ("[shfit]\norders = 3", "[shfit]", "Did you mean 'shift'?"),
        ('[[fault]]\ndevice = "arm-1"', "[[fault]]", "Did you mean 'faults'?"),
        ("", "an empty file", telling.START),
    ],
)
def test_a_file_of_no_known_kind_is_not_read_as_a_site(text, seen, remedy, tmp_path, capsys):
    path = tmp_path / "odd.toml"
    path.write_text(text, "utf-8")
    assert main(["check", str(path), "--json"]) == 1
    (fault,) = json.loads(capsys.readouterr().out)["faults"]
    assert (fault["where"], fault["seen"], fault["remedy"]) == (str(path), seen, remedy)
    assert fault["expected"] == "a site, scenario, machine or model file"


def test_a_file_with_a_model_runs_the_model(tmp_path, capsys):
    path = tmp_path / "queue.toml"
    path.write_text(
        '[model]\nhorizon_s = 100\n[model.blocks.in]\nkind = "source"\nevery = 2\nnext = "a"\n'
        '[model.blocks.a]\nkind = "server"\nservice = 1\nnext = "out"\n',
        "utf-8",
    )
    assert main(["sim", "run", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["file"] == str(path)


def test_a_scenario_with_a_demand_reads_back_as_it_was_written(tmp_path):
    demand = DemandPart.model_validate({"every": {"kind": "exponential", "mean": 9}, "burst": 3, "shares": {"late": 2}})
    expect = ExpectPart.model_validate({"orders_over": 3, "p95_flow_s_le": 80.5, "broken": ["label"]})
    scenario = Scenario(demand=demand, horizon_s=99.0, expect=expect)
    path = tmp_path / "demand.toml"
    path.write_text(as_toml(scenario, (), ("label: x",)), "utf-8")
    assert "orders_over = 3\n" in path.read_text("utf-8")
    assert load_scenario(path) == scenario.model_copy(update={"broken": ("label: x",)})


# -- what is ordered -------------------------------------------------------------------------------------------------------


def test_shares_say_what_orders_are_like_and_each_order_has_a_stream_of_its_own():
    from datetime import UTC, datetime

    from simulation.people.catalogue import read_catalogue

    articles = read_catalogue(SITES / "demo-items.csv")
    spec = DemandSpec(shares={"plain": 1.0, "silent": 1.0, "two_lines": 2.0})
    demand = Demand(
        articles=articles, seed=1, series="1", placed_at=datetime(2026, 1, 5, tzinfo=UTC), shares=spec.shares
    )
    stories = demand.stories(200)
    kinds = [story.traits for story in stories]
    assert 70 < kinds.count(("two_lines",)) < 130
    assert {story.answer for story in stories if story.traits == ("silent",)} == {"silent"}
    assert list(demand.stories(50)) == stories[:50]
    assert set(spec.shares) <= KNOWN_TRAITS
    later = Demand(articles=articles, seed=1, series="1", placed_at=demand.placed_at, turn=20).stories(6)
    assert [story.traits for story in later] == [*TRAITS[20:], *TRAITS[:2]]


# -- what must come of it --------------------------------------------------------------------------------------------------

SAID = {"exceptions": 4, "orders_over": 3, "parcels_shipped": 3, "p95_flow_s": 80.5, "double_labels": 0, "broken": []}


@pytest.mark.parametrize(
    "expect, seen",
    [
        ({"exceptions_le": 4, "orders_over": 3, "p95_flow_s_le": 81, "double_labels": 0}, None),
        ({"exceptions_le": 3}, "exceptions 4"),
        ({"orders_over": 4}, "orders_over 3"),
        ({"orders_over_ge": 4}, "orders_over 3"),
        ({"p95_flow_s_ge": 81}, "p95_flow_s 80.5"),
        ({"broken": ["label"]}, "label held"),
    ],
)
def test_an_expectation_that_is_missed_is_named_with_what_was_seen(expect, seen):
    assert [miss.seen for miss in missed(ExpectPart.model_validate(expect), SAID)] == ([seen] if seen else [])


def test_what_is_broken_must_be_expected():
    found = ("label: PL1 left with 2 labels", "liveness: 1 order is not over: HM-1")
    expect = ExpectPart(broken=("label",))
    assert unexpected(ExpectPart(), found) == found
    assert unexpected(expect, found) == found[1:]
    assert missed(expect, {**SAID, "broken": found}) == []


def test_what_is_expected_to_break_is_one_of_the_kinds_of_breakage(tmp_path):
    path = tmp_path / "typo.toml"
    path.write_text('[expect]\nbroken = ["label", "lifeness"]\n', "utf-8")
    ((where, (seen, remedy)),) = places(path).items()
    assert (where, seen, remedy) == ("[expect.broken.1]", "'lifeness'", "Did you mean 'liveness'?")


def test_a_run_in_which_something_unexpected_broke_is_not_well_and_says_it_once(tmp_path, capsys, monkeypatch):
    played = Played(figures={**SAID, "orders": 3}, broken=("liveness: 1 order is not over: HM-1",))
    monkeypatch.setattr(running, "play_or_fall", lambda *_: played)
    path = tmp_path / "fault.toml"
    path.write_text('[[faults]]\ndevice = "arm-1"\nfault = "jam"\ntimes = 1\n', "utf-8")
    assert main(["sim", "run", str(path)]) == 1
    told = capsys.readouterr().out
    assert told.count("liveness") == 1 and "missed" not in told


def test_a_run_that_misses_an_expectation_ends_badly_and_says_why(tmp_path, capsys):
    path = tmp_path / "hopeful.toml"
    path.write_text("[shift]\norders = 1\npixels = 0\n[expect]\nparcels_shipped_ge = 2\norders_over = 1\n", "utf-8")
    assert main(["sim", "run", str(path), "--json"]) == 1
    told = capsys.readouterr()
    (miss,) = json.loads(told.out.splitlines()[-1])["missed"]
    assert miss == {"where": "expect.parcels_shipped_ge", "seen": "parcels_shipped 1", "expected": "at least 2"}
    assert "missed [expect.parcels_shipped_ge]" in told.err


def test_a_fault_that_nobody_ever_mends_is_named_where_an_order_does_not_end(tmp_path, capsys):
    path = tmp_path / "stop.toml"
    path.write_text(
        'horizon_s = 60\n[shift]\norders = 1\n[[faults]]\ndevice = "hall"\nfault = "estop"\nat_s = 1\n'
        '[[faults]]\ndevice = "arm-1"\nfault = "jam"\nat_s = 1\nfor_s = 2\n',
        "utf-8",
    )
    assert main(["sim", "run", str(path)]) == 1
    said = capsys.readouterr().out
    assert "liveness:" in said and "never mended: hall estop (for_s says how long a fault lasts)" in said


@pytest.mark.parametrize("file, faults, deaths", [("shift-quiet.toml", 0, 0), ("shift-rough.toml", 13, 2)])
def test_the_shifts_that_ship_end_as_they_say(file, faults, deaths, capsys):
    assert main(["sim", "run", str(SITES / file), "--json"]) == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (said["missed"], said["broken"], said["deaths"]) == ([], [], deaths)
    assert said["faults"] == sum(said["kinds"].values()) == faults
