"""`packline sim qa`: what a campaign keeps, what it shrinks, what it judges by, and what is left of one that is interrupted.

No shift is played here: what comes of one is made up.
"""

import json
import logging
from pathlib import Path

import pytest

from controller.__main__ import main
from controller.commands.sim import INTERRUPTED, qa
from controller.commands.sim.scenario import load_scenario, shift_of
from controller.commands.sim.scenario_file import Scenario
from controller.commands.sim.shift.parts import EPOCH, Played
from simulation.people.demand import TRAITS
from simulation.plant.truth import Fact
from simulation.virtual.faults import swarm

FIGURES = {"parcels_shipped": 1, "orders_over": 1, "exceptions": 0}
FACTS = (Fact(n=1, name="piece_taken", at=EPOCH, sim_s=9.0, data={"piece": 1}),)


@pytest.fixture(autouse=True)
def quiet():
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(autouse=True)
def known(monkeypatch):
    known = {"arm-1": ("jam", "slow"), "gate-1": ("jam",)}
    monkeypatch.setattr(qa, "known_faults", lambda _: known)
    return known


@pytest.fixture
def comes_of(monkeypatch):
    """Take what breaks in a shift of a seed with these faults and so many orders, and give the list of what was played."""

    def take(broken, figures=FIGURES):
        tried = []

        def attempt(scenario, beside, faults):
            tried.append((scenario.shift.seed, faults, scenario.shift.orders))
            return Played(figures=figures, broken=broken(*tried[-1]), facts=FACTS, journal="j")

        monkeypatch.setattr(qa, "attempt", attempt)
        return tried

    return take


def campaign(capsys, *words):
    code = main(["sim", "qa", *map(str, words), "--json"])
    out, err = capsys.readouterr()
    return code, json.loads(out.splitlines()[-1]), err


def kinds(seed, faults, orders):
    """Have odd seeds break a label and every fourth the order of things."""
    return (
        ("liveness: 1 order is not over: HM-1",)
        if seed % 4 == 0
        else ("label: left with 2 labels",)
        if seed % 2
        else ()
    )


# -- what is kept ------------------------------------------------------------------------------------------------------------


def test_every_failing_seed_is_kept_and_the_first_of_each_kind_is_shrunk(tmp_path, capsys, comes_of):
    comes_of(kinds)
    code, said, err = campaign(capsys, "--seeds", "1:8", "--orders", 3, "--shrink", "--out", tmp_path)
    assert (code, said["ok"], said["failed"]) == (1, False, [1, 3, 4, 5, 7])
    assert said["broken"] == {"label": 4, "liveness": 1}
    assert [Path(kept).name for kept in said["kept"]] == [f"seed-{seed}.toml" for seed in said["failed"]]
    orders = {seed: load_scenario(tmp_path / f"seed-{seed}.toml").shift.orders for seed in said["failed"]}
    assert orders == {1: 1, 3: 3, 4: 1, 5: 3, 7: 3}
    assert "seed 1 fails with 0 faults and 1 order:" in err


def test_a_third_of_the_seeds_begin_with_an_order_of_any_kind_and_say_so_in_what_is_kept(tmp_path, capsys, comes_of):
    turns = [qa.of_seed(Scenario(), seed).demand.turn for seed in range(400)]
    assert 230 < turns.count(None) < 310
    assert {turn for turn in turns if turn is not None} == set(range(len(TRAITS)))
    comes_of(lambda *_: ("label: left with 2 labels",))
    campaign(capsys, "--seeds", "0:30", "--out", tmp_path)
    assert [load_scenario(tmp_path / f"seed-{seed}.toml").demand.turn for seed in range(30)] == turns[:30]


@pytest.mark.parametrize("said", ["turn = 3", "shares = { plain = 1, late = 2 }"])
def test_what_a_file_says_of_its_orders_is_not_drawn(tmp_path, said):
    (tmp_path / "own.toml").write_text(f"[demand]\n{said}\n", "utf-8")
    scenario = load_scenario(tmp_path / "own.toml")
    assert {qa.of_seed(scenario, seed).demand.model_dump_json() for seed in range(50)} == {
        scenario.demand.model_dump_json()
    }


def test_a_breakage_that_needs_one_kind_of_order_is_shrunk_to_that_order_alone(tmp_path, capsys, comes_of, monkeypatch):
    monkeypatch.setattr(qa, "attempt", lambda scenario, beside, faults: Played(broken=of_eighth(scenario)))
    (tmp_path / "own.toml").write_text("[demand]\nturn = 5\n[shift]\norders = 6\n", "utf-8")
    _, _, err = campaign(capsys, tmp_path / "own.toml", "--seeds", "1:2", "--shrink", "--out", tmp_path)
    kept = load_scenario(tmp_path / "seed-1.toml")
    assert (kept.shift.orders, kept.demand.turn) == (1, 7)
    assert "seed 1 fails with 0 faults and 1 order:" in err


def of_eighth(scenario):
    first = scenario.demand.turn or 0
    return ("label: left with 2 labels",) if 7 in range(first, first + scenario.shift.orders) else ()


def test_an_interrupted_campaign_keeps_what_it_found_and_says_so(tmp_path, capsys, comes_of):
    def interrupted(seed, faults, orders):
        if seed == 5:
            raise KeyboardInterrupt
        return kinds(seed, faults, orders)

    comes_of(interrupted)
    code, said, err = campaign(capsys, "--seeds", "1:200", "--shrink", "--out", tmp_path)
    assert (code, said["interrupted"], said["ok"], said["failed"]) == (INTERRUPTED, True, False, [1, 3, 4])
    assert f"interrupted, 4 of 199 done, 3 failed, kept in {tmp_path}" in err
    assert load_scenario(Path(said["kept"][0])).broken == ("label: left with 2 labels",)


def test_a_campaign_that_is_interrupted_while_it_shrinks_has_kept_the_whole_scenario(tmp_path, capsys, comes_of):
    tried = []

    def interrupted(seed, faults, orders):
        tried.append(seed)
        if tried.count(1) > 1:
            raise KeyboardInterrupt
        return kinds(seed, faults, orders)

    comes_of(interrupted)
    code, said, _ = campaign(capsys, "--seeds", "1:3", "--shrink", "--out", tmp_path)
    assert (code, said["seeds"], load_scenario(tmp_path / "seed-1.toml").shift.orders) == (INTERRUPTED, 2, 3)


def test_a_file_in_the_place_of_the_folder_is_refused_before_anything_is_played(tmp_path, capsys, comes_of):
    tried = comes_of(kinds)
    (tmp_path / "taken").write_text("")
    code, said, _ = campaign(capsys, "--out", tmp_path / "taken")
    assert (code, said["faults"][0]["seen"], tried) == (1, "a file", [])


def test_a_kept_scenario_finds_its_site_from_where_it_lies(tmp_path, capsys, comes_of, monkeypatch):
    hall = tmp_path / "hall"
    hall.mkdir()
    (hall / "own.toml").write_text(Path("sites/demo.toml").read_text("utf-8"), "utf-8")
    (hall / "demo-items.csv").write_text(Path("sites/demo-items.csv").read_text("utf-8"), "utf-8")
    (hall / "shift.toml").write_text('[shift]\nsite = "own.toml"\n', "utf-8")
    comes_of(kinds)
    out = tmp_path / "found" / "here"
    campaign(capsys, hall / "shift.toml", "--seeds", "1:2", "--out", out)
    monkeypatch.chdir("/")
    kept = load_scenario(out / "seed-1.toml")
    assert kept.shift.site == "../../hall/own.toml"
    assert shift_of(kept, out / "seed-1.toml", tmp_path).path.resolve() == hall / "own.toml"


def test_a_kept_scenario_of_a_line_that_ships_names_it_as_it_ships(tmp_path, capsys, comes_of):
    comes_of(kinds)
    campaign(capsys, "--seeds", "1:2", "--out", tmp_path)
    assert load_scenario(tmp_path / "seed-1.toml").shift.site == "sites/demo.toml"


def test_a_timeline_says_in_which_seconds_it_counts(tmp_path, capsys, comes_of):
    comes_of(kinds)
    (tmp_path / "fast.toml").write_text("[shift]\nspeed = 4.5\n", "utf-8")
    campaign(capsys, tmp_path / "fast.toml", "--seeds", "1:2", "--out", tmp_path)
    told = (tmp_path / "seed-1.timeline.txt").read_text("utf-8").splitlines()
    assert "4.5 times as many" in told[0]
    assert told[-2].split() == ["line", "s", "plant", "s", "fact"]
    assert told[-1].split() == ["2.000", "9.000", "piece_taken", "piece", "1"]
    assert "broken   label: left with 2 labels" in told


# -- what it judges by -------------------------------------------------------------------------------------------------------

EXPECTING = """
[shift]
orders = 7
[expect]
parcels_shipped = 7
exceptions_le = 2
[[faults]]
device = "arm-1"
fault = "jam"
at_s = 3
times = 1
"""


@pytest.fixture
def expecting(tmp_path):
    path = tmp_path / "expecting.toml"
    path.write_text(EXPECTING, "utf-8")
    return path


def test_a_seed_that_misses_an_expectation_of_the_file_fails_and_is_kept_with_it(expecting, tmp_path, capsys, comes_of):
    comes_of(lambda *_: ())
    code, said, err = campaign(capsys, expecting, "--seeds", "1:2", "--shrink", "--out", tmp_path)
    assert (code, said["broken"]) == (1, {"expect": 1})
    assert "expect: parcels_shipped 1, expected 7" in err
    kept = load_scenario(tmp_path / "seed-1.toml")
    assert (kept.expect.bounds(), kept.shift.orders) == ({"parcels_shipped": 7, "exceptions_le": 2}, 7)
    assert (kept.faults, kept.broken) == ((), ("expect: parcels_shipped 1, expected 7",))


def test_what_the_file_lets_go_wrong_happens_beside_what_is_drawn(expecting, known, capsys, comes_of):
    tried = comes_of(lambda *_: (), {**FIGURES, "parcels_shipped": 7})
    assert campaign(capsys, expecting, "--seeds", "1:9")[0] == 0
    assert all((own.device, own.fault, own.at_s) == ("arm-1", "jam", 3.0) for _, (own, *_), _ in tried)
    assert [drawn for _, (_, *drawn), _ in tried] == [list(swarm(seed, known, 7)) for seed in range(1, 9)]


def test_a_smaller_shift_is_not_asked_for_the_figures_of_the_larger_one(expecting, tmp_path, capsys, comes_of):
    comes_of(kinds)
    campaign(capsys, expecting, "--seeds", "1:2", "--shrink", "--out", tmp_path)
    kept = load_scenario(tmp_path / "seed-1.toml")
    assert (kept.shift.orders, kept.expect.bounds(), kept.broken) == (1, {}, ("label: left with 2 labels",))


def test_what_the_file_expects_to_be_broken_is_no_failure_and_its_absence_is_one(tmp_path, capsys, comes_of):
    path = tmp_path / "sick.toml"
    path.write_text('[expect]\nbroken = ["label"]\n', "utf-8")
    comes_of(kinds)
    code, said, err = campaign(capsys, path, "--seeds", "1:3")
    assert (code, said["failed"]) == (1, [2])
    assert "expect: label held, expected label broken" in err


# -- what can be played ------------------------------------------------------------------------------------------------------


def test_a_model_is_refused_with_what_to_do_with_it(capsys):
    code, said, _ = campaign(capsys, "sites/model-queue.toml")
    assert (code, said["faults"][0]["seen"], said["faults"][0]["expected"]) == (1, "a [model]", "a shift")


def test_a_thousand_million_seeds_are_not_drawn_before_the_first_is_played(capsys, comes_of):
    comes_of(lambda *_: ("label: x",))
    assert campaign(capsys, "--seeds", "1:1000000000", "--first")[1]["failed"] == [1]


def test_more_seeds_than_can_be_counted_are_wrong_usage(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["sim", "qa", "--seeds", "0:99999999999999999999"])
    assert ended.value.code == 2
