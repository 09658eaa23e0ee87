"""A recorded journal, seen again: the same hall at the same time, forwards and backwards."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packline.core.clock import ManualClock
from packline.store.figures import Figures
from tests.web.stage import LOST, READY, START, WAITING, furnished_stage, healthy, run
from web.replay import Player, Recording


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Give a stage with some history, and an alarm at its end."""
    stage = furnished_stage(tmp_path_factory.mktemp("replay"))
    stage.alarm(2102, "label-1")
    yield stage
    stage.close()


def recording_of(stage, **options):
    idle = [{**station, "state": "idle", "devices": [], "tasks": []} for station in healthy()["stations"]]
    return Recording(stage.store.tape, idle, **options)


def test_at_its_end_a_recording_shows_what_the_books_hold(played):
    recording = recording_of(played)
    shot = recording.snapshot(recording.end)
    floor = run(Figures(played.store.writer).count(START))["floor"]

    by_lpn = {parcel["lpn"]: parcel for parcel in shot["floor"]["parcels"]}
    assert by_lpn == {parcel["lpn"]: dict(parcel) for parcel in floor["parcels"]}
    assert [dict(case) for case in shot["floor"]["cases"]] == [dict(case) for case in floor["cases"]]
    assert {READY, WAITING, LOST} == set(by_lpn) and (shot["exceptions"], shot["alarms"]) == (1, 1)


def test_the_journal_tells_where_a_station_stands(played):
    shot = recording_of(played).snapshot(recording_of(played).end)
    label = next(station for station in shot["stations"] if station["name"] == "label-1")
    pack = next(station for station in shot["stations"] if station["name"] == "pack-1")

    assert (label["state"], label["fault"]["code"], shot["line"]["state"]) == ("asking", 2103, "holding")
    assert pack["next"]["key"] == "recorded" and pack["next"]["params"]["event"] == "ParcelPacked"


@settings(max_examples=15)
@given(parts=st.lists(st.integers(0, 100), min_size=1, max_size=6))
def test_whatever_way_one_comes_to_a_time_the_hall_is_the_same(played, parts):
    there_and_back = recording_of(played, keyframe_rows=3)
    for part in parts:
        at = there_and_back.begin + (there_and_back.end - there_and_back.begin) * part / 100
        assert there_and_back.snapshot(at) == recording_of(played).snapshot(at)


def test_a_row_that_no_table_knows_changes_nothing(played):
    recording = recording_of(played)
    floor = recording.floor(recording.end).copy()
    before = dict(floor.parcels)
    row = next(row for row in played.store.tape.after(0, 500) if row.kind == "ParcelPacked")
    floor.take(row)

    assert floor.parcels == before


def test_time_goes_on_by_the_factor_and_stands_still_when_told():
    stage, clock = Staged(), ManualClock(START)
    player = Player(stage.recording, clock, factor=5)
    clock.advance(100)
    assert at(player) == stage.recording.begin  # nobody looks
    player.look()
    clock.advance(2)
    assert at(player) == stage.recording.begin + timedelta(seconds=10)
    player.pause()
    player.look()
    clock.advance(100)
    assert at(player) == stage.recording.begin + timedelta(seconds=10)
    player.speed(20)
    player.play()
    clock.advance(1)
    assert at(player) == stage.recording.begin + timedelta(seconds=30)


def test_an_alarm_that_returned_before_it_was_acknowledged_is_counted_once(stage):
    for _ in range(3):
        stage.alarm(2102, "label-1")
        run(stage.store.desk.clear_alarm(2102, source="label-1"))
    recording = recording_of(stage)

    assert recording.snapshot(stage.clock.now())["alarms"] == 1


def test_it_stops_at_the_end_and_begins_anew_when_played_again():
    stage, clock = Staged(), ManualClock(START)
    player = Player(stage.recording, clock, factor=300)
    player.look()
    clock.advance(1)
    assert (at(player), player.state()["playing"], player.state()["part"]) == (stage.recording.end, False, 1000)
    player.play()
    assert at(player) == stage.recording.begin


def test_a_slider_goes_to_a_part_of_the_whole_and_never_beyond():
    stage = Staged()
    player = Player(stage.recording, ManualClock(START), waits=False)
    for part, seconds in ((500, 50), (-7, 0), (5000, 100)):
        player.seek(part)
        assert at(player) == stage.recording.begin + timedelta(seconds=seconds)


def test_a_recording_answers_snapshots_and_nothing_else():
    player = Player(Staged().recording, ManualClock(START), waits=False)

    assert player.ask({"do": "wake"}) == {"ok": False}
    assert player.ask({"do": "snapshot"})["replay"]["playing"] is False


class Staged:
    """A recording of a hundred seconds in which nothing happens."""

    def __init__(self):
        self.recording = Recording(self, [])

    def span(self):
        return START, START + timedelta(seconds=100), 2

    def after(self, seq, most):
        return []


def at(player):
    return datetime.fromisoformat(player.ask({"do": "snapshot"})["replay"]["at"])
