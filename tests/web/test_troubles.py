"""What is wrong with a station's devices is seen, at the urgency of its alarm; what a release ends has its button."""

from copy import deepcopy

import pytest

from packline.core.faults import FAULTS
from packline.orders.policy import POLICY, Action, Reaction
from tests.web.stage import healthy, say
from web.floor import draw, first_thing
from web.troubles import beside, culprits, ended_by_release, quality_of, severity, state_of
from web.words import load


def stricken(name="label-1", device="printer-1", **changes):
    """Give a station of the healthy line, one device of which is changed."""
    found = next(deepcopy(one) for one in healthy()["stations"] if one["name"] == name)
    next(one for one in found["devices"] if one["name"] == device).update(changes)
    return found


def held(code, **changes):
    return {**stricken(), "state": "held", "fault": {"code": code}, "next": say("fault", code=code), **changes}


@pytest.mark.parametrize(
    "changes, code",
    [({"faults": [2101]}, 2101), ({"faults": [1001], "quality": "absent"}, 1001)],
    ids=["empty", "gone"],
)
def test_a_dead_printer_colours_its_idle_station_and_nothing_there_is_called_ready_or_good(changes, code):
    station = stricken(**changes)

    assert severity(station) == FAULTS[code].severity == "high"
    assert (state_of(station), [one.code for one in beside(station)]) == ("not_ready", [code])
    assert quality_of(next(d for d in station["devices"] if d["name"] == "printer-1")) in ("fault", "absent")
    tile = next(one for one in draw({"stations": [station]}).tiles)
    assert (tile.severity, tile.state, tile.trouble and tile.trouble.device) == (
        "high",
        "not_ready",
        "printer-1",
    )


@pytest.mark.parametrize("code", sorted({1001, 1005, 1006, 1101, 2002, 2101, 2103, 2201}))
def test_the_tile_has_the_urgency_of_the_alarm(code):
    assert severity(stricken(faults=[code])) == FAULTS[code].severity


def test_the_worst_of_several_troubles_colours_the_tile():
    assert severity({**stricken(faults=[1006]), "fault": {"code": 3002}}) == "critical"
    assert severity({**stricken(faults=[2101]), "fault": {"code": 1006}}) == "high"


def test_a_device_that_the_work_gets_along_without_leaves_the_station_ready():
    assert state_of(stricken(name="bench-1", device="scan-bench", faults=[1006], quality="absent")) == "idle"


def test_what_the_stations_own_fault_tells_of_is_named_there_and_not_told_twice():
    station = {**stricken(device="arm-1", faults=[2002, 2007], own_faults=[2]), "fault": {"code": 2002}}

    assert [(one.device, one.numbers) for one in culprits(station)] == [("arm-1", (2,))]
    assert [one.code for one in beside(station)] == [2007]


def test_a_machine_that_another_controller_took_can_be_taken_back():
    taken = {**stricken(device="arm-1", faults=[1101], owned=False), "state": "offline", "fault": {"code": 1101}}

    assert ended_by_release(taken) == "machine"
    assert quality_of(taken["devices"][0]) == "taken"
    assert ended_by_release({**taken, "state": "idle", "fault": None}) == "machine"
    assert ended_by_release(stricken(device="arm-1", owned=False)) == "machine"


def test_a_machine_that_is_away_is_not_said_to_be_taken():
    away = {**stricken(device="arm-1", faults=[1001], owned=False, quality="absent"), "state": "offline"}

    assert ended_by_release({**away, "fault": {"code": 1001}}) == ""


@pytest.mark.parametrize("code", sorted(code for code, rule in POLICY.items() if rule.reaction is Reaction.HOLD))
def test_a_release_is_offered_for_every_hold_that_it_ends_and_for_no_other(code):
    ends = ended_by_release(held(code, state="offline" if code < 2000 else "held"))

    assert bool(ends) == (Action.RELEASE in POLICY[code].actions)


def test_whoever_held_a_station_can_release_it():
    assert ended_by_release({**stricken(), "hold_by": "lin", "state": "held"}) == "station"
    assert ended_by_release(stricken()) == ""


@pytest.mark.parametrize("code", sorted(code for code, rule in POLICY.items() if rule.actions == (Action.RELEASE,)))
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_remedy_of_a_hold_names_its_button_as_it_is_called(language, code):
    words = load(language)
    remedy = words.get(f"fault.{code}.remedy", FAULTS[code].remedy)

    assert words["station.take_back" if code == 1101 else "station.release"] in remedy


def test_no_task_is_told_twice():
    store, fetch = say("store", lpn="a"), say("fetch", lpn="b")
    station = {**stricken(), "next": store, "tasks": [store, fetch]}

    assert first_thing(station) == (store, [fetch])
