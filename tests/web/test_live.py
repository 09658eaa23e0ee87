"""The hub, and what a page hears of it."""

import json
import threading

import pytest

from controller.snapshot import FIGURES_S
from packline.core.clock import ManualClock
from tests.waiting import PATIENCE_S
from tests.web.stage import START, Cardboard, healthy, wound
from web.floor import draw
from web.live import POLL_S, STALE_S, Fragments, Hub
from web.pages import overview
from web.stream import BEAT_S, Message


@pytest.fixture
def board():
    clock = ManualClock(START)
    controller = Cardboard(clock)
    return clock, controller, Hub(ask=controller.ask, clock=clock)


def test_before_the_first_answer_nothing_is_fresh(board):
    _, _, hub = board

    assert not hub.view().fresh and hub.view().snapshot == {}


def test_an_answer_is_fresh_until_its_time_has_passed(board):
    clock, controller, hub = board
    hub.poll()
    controller.is_silent = True
    clock.advance(STALE_S - 0.001)
    young = hub.poll().fresh
    clock.advance(0.001)

    assert young and not hub.view().fresh


def test_a_controller_that_is_gone_makes_the_picture_old_at_once(board):
    clock, controller, hub = board
    before = hub.poll()
    controller.is_alive = False

    assert before.fresh and not hub.poll().fresh and not hub.view().fresh


def test_a_controller_that_was_gone_and_answers_with_what_it_said_before_stays_old(board):
    clock, controller, hub = board
    hub.poll()
    controller.is_alive, controller.is_frozen = False, True
    hub.poll()
    controller.is_alive = True

    assert not hub.poll().fresh
    controller.is_frozen = False
    clock.advance(0.25)
    assert hub.poll().fresh


def test_who_waits_wakes_when_the_time_of_the_picture_is_up(board):
    """The thread that asks may hang in its question: nobody else tells that the picture has grown old."""
    clock, controller, hub = board
    view = hub.poll()
    clock.advance(STALE_S)

    assert not hub.wait(view.version, 3600).fresh


class Overtaken(threading.Condition):
    """Lets others do something just before the second who comes takes it."""

    def __init__(self, by):
        super().__init__()
        self.others = [by, lambda: None]

    def __enter__(self):
        if self.others:
            self.others.pop()()
        return super().__enter__()


def test_who_is_slow_to_find_the_picture_old_does_not_call_a_newer_one_old(board, monkeypatch):
    clock, _, hub = board
    hub.poll()
    clock.advance(STALE_S)
    monkeypatch.setattr(hub, "_changed", Overtaken(by=hub.poll))

    assert hub.view().fresh


def test_what_the_line_does_is_on_every_page_within_a_second():
    """The hub asks this often; the figures in the answer may be that old; all else in it is of the moment of asking."""
    assert POLL_S + FIGURES_S < 1.0


def test_whoever_waits_is_woken_by_the_change_itself(board):
    """No stopwatch: the clock stands still, and the time that they would wait at most is an hour."""
    _, controller, hub = board
    before = hub.poll()
    heard: list[int] = []
    waiting = threading.Thread(target=lambda: heard.append(hub.wait(before.version, 3600).version))
    waiting.start()
    controller.snapshot["seq"] += 1
    hub.poll()
    waiting.join(PATIENCE_S)

    assert heard == [before.version + 1]


def test_the_controller_is_asked_for_another_picture_than_the_last_one_that_it_numbered():
    asked, numbers = [], iter([7, 8, None, 9])

    def answer(question):
        asked.append(question)
        number = next(numbers)
        if number is None:
            raise TimeoutError("stopped in mid-thought")
        return {**healthy(), "at": START.isoformat(), "picture": number}

    hub = Hub(ask=answer, clock=ManualClock(START))
    for _ in range(4):
        hub.poll(0.25)
    patience = [{name: value for name, value in question.items() if name != "do"} for question in asked]
    assert patience == [{}, {"seen": 7, "wait_s": 0.25}, {"seen": 8, "wait_s": 0.25}, {}]
    assert hub.view().version == 1, "a number alone is nothing that a page shows"


def test_a_controller_that_repeats_an_old_picture_is_stale_too(board):
    clock, controller, hub = board
    controller.is_frozen = True
    for _ in range(30):
        hub.poll()
        clock.advance(0.25)

    assert not hub.view().fresh and hub.view().snapshot["stations"]


def test_a_first_picture_that_is_old_already_is_not_fresh(board):
    clock, controller, hub = board
    controller.is_frozen = True
    clock.advance(60)

    assert not hub.poll().fresh


def test_freshness_comes_back_by_itself(board):
    clock, controller, hub = board
    hub.poll()
    controller.is_alive = False
    clock.advance(20)
    hub.poll()
    controller.is_alive = True

    assert hub.poll().fresh


def test_the_version_grows_only_when_something_changed(board):
    clock, controller, hub = board
    first = hub.poll().version
    clock.advance(0.25)
    same = hub.poll().version
    controller.snapshot["seq"] += 1

    assert same == first and hub.poll().version == first + 1


@pytest.mark.parametrize("answer", [{}, {"error": "busy"}])
def test_an_answer_that_is_no_snapshot_counts_as_none(answer):
    hub = Hub(ask=lambda question: answer, clock=ManualClock(START))

    assert not hub.poll().fresh


def test_a_fragment_is_made_once_for_all_who_look(board):
    made: list[str] = []
    fragments = Fragments()

    def make() -> str:
        made.append("x")
        return "x"

    texts = [fragments.get(3, ("view", "en"), make) for _ in range(200)]
    fragments.get(4, ("view", "en"), make)

    assert len(made) == 2 and set(texts) == {"x"}


def test_a_fragment_whose_making_asks_for_a_newer_one_is_kept_for_its_own_version_only():
    fragments = Fragments()

    assert fragments.get(3, ("view",), lambda: "old, " + fragments.get(4, ("counts",), lambda: "12")) == "old, 12"
    assert fragments.get(4, ("view",), lambda: "new") == "new"


def test_what_happens_while_a_screen_is_made_is_on_the_next(furnished, monkeypatch):
    well = furnished.controller.snapshot

    def overtaken(snapshot):
        if furnished.controller.snapshot is well:
            furnished.controller.snapshot = wound(well, "label-1", 2103)
            furnished.hub.poll()
        return draw(snapshot)

    monkeypatch.setattr(overview, "draw", overtaken)
    heard = listen(furnished, "/live?view=overview")
    first = heard(6)[3]
    furnished.clock.advance(BEAT_S)  # a stream that has no more to tell tells that it lives
    second = heard(1)[0]

    assert first["event"] == "view" and "tile high asking" not in first["data"]
    assert second["event"] == "view" and "tile high asking" in second["data"]


def test_a_stream_begins_with_the_state_and_a_heartbeat(furnished):
    heard = listen(furnished, "/live?view=overview&here=overview.page")

    assert [m["event"] for m in heard(6)] == ["nav", "bell", "estop", "view", "changed", "beat"]


def test_event_ids_are_the_journals_numbers(furnished):
    heard = listen(furnished, "/live?view=page")(5)

    assert {m["id"] for m in heard} == {str(healthy()["seq"])}


def test_a_change_is_told_in_the_next_message_and_only_once(furnished):
    heard = listen(furnished, "/live?view=overview")
    heard(6)
    furnished.controller.snapshot = wound(furnished.controller.snapshot, "label-1", 2103)
    furnished.hub.poll()

    told = heard(2)

    assert told[0]["event"] == "view" and "tile high asking" in told[0]["data"]
    assert told[1]["event"] == "changed"


def test_heartbeats_come_every_two_seconds_and_say_when_the_picture_is_old(furnished):
    heard = listen(furnished, "/live?view=page")
    heard(5)
    furnished.controller.is_silent = True
    beats = []
    for _ in range(2):
        furnished.clock.advance(2)
        beats += heard(1)

    assert [m["event"] for m in beats] == ["beat"] * 2
    assert [json.loads(m["data"])["fresh"] for m in beats] == [True, False]


def test_that_the_controller_is_gone_is_the_next_word_of_a_stream_and_so_is_its_return(furnished):
    heard = listen(furnished, "/live?view=page")
    heard(5)
    furnished.controller.is_alive = False
    furnished.hub.poll()
    gone = heard(1)
    furnished.controller.is_alive = True
    furnished.clock.advance(0.25)
    furnished.hub.poll()
    back = heard(1)

    assert [json.loads(m["data"])["fresh"] for m in (*gone, *back)] == [False, True]


def test_a_program_may_wait_for_another_picture_than_the_one_it_has_seen(furnished):
    client = furnished.client("viewer")
    seen = client.get("/api/line").json["version"]
    assert client.get(f"/api/line?after={seen - 1}&wait_s=3600").json["version"] == seen
    heard = []
    waiting = threading.Thread(
        target=lambda: heard.append(client.get(f"/api/line?after={seen}&wait_s=3600").json["version"])
    )
    waiting.start()
    furnished.controller.snapshot["seq"] += 1
    furnished.hub.poll()
    waiting.join(PATIENCE_S)
    assert heard == [seen + 1]


@pytest.mark.parametrize(
    "words", ["after=x&wait_s=9", "after=1&wait_s=nan", "after=1&wait_s=-1", "after=-5&wait_s=9", "wait_s=9"]
)
def test_a_wait_that_makes_no_sense_is_none(furnished, words):
    assert furnished.client("viewer").get(f"/api/line?{words}").json["fresh"]


def test_no_more_programs_wait_than_there_are_places_for_streams(tmp_path):
    from tests.web.stage import Stage

    stage = Stage(tmp_path, most_streams=1)
    try:
        client = stage.client("viewer")
        seen = client.get("/api/line").json["version"]
        assert stage.app.extensions["packline"].gauge.enter()
        assert client.get(f"/api/line?after={seen}&wait_s=3600").json["version"] == seen
    finally:
        stage.close()


def test_a_page_that_knows_the_state_is_not_told_again(furnished):
    url = furnished.client("viewer").get("/orders").text.split('sse-connect="')[1].split('"')[0].replace("&amp;", "&")

    assert "changed" not in [m["event"] for m in listen(furnished, url)(4)]


def test_streams_beyond_the_cap_get_503_and_pages_still_work(tmp_path):
    from tests.web.stage import Stage

    stage = Stage(tmp_path, most_streams=2)
    try:
        client = stage.client("viewer")
        place = stage.app.extensions["packline"].gauge
        assert place.enter() and place.enter()
        refused = client.get("/live?view=page")

        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
        assert client.get("/live/once?view=page").json[-1]["event"] == "beat"
        place.leave()
        with client.get("/live?view=page") as again:
            assert again.status_code == 200
    finally:
        stage.close()


def test_a_stream_ends_when_its_session_does(furnished):
    client = furnished.client("operator")
    heard = listen(furnished, "/live?view=page", client)
    heard(5)
    furnished.store.users.end_sessions("operator")
    furnished.clock.advance(31)

    with pytest.raises(StopIteration):
        heard(10)


def test_streams_close_themselves_when_the_process_stops(furnished):
    heard = listen(furnished, "/live?view=page")
    heard(5)
    furnished.hub.stop()

    with pytest.raises(StopIteration):
        heard(1)


def test_a_fragment_of_several_lines_stays_one_event():
    assert Message(event="view", data="<p>\n<b>\n", id=7).encode() == "id: 7\nevent: view\ndata: <p>\ndata: <b>\n\n"


def test_an_unreadable_database_does_not_end_the_stream(furnished, monkeypatch):
    from packline.core.faults import Fault

    def broken():
        raise Fault(5002, where="database", seen="disk full")

    monkeypatch.setattr(furnished.store.views, "exception_counts", broken)
    furnished.hub.poll()

    assert [m["event"] for m in listen(furnished, "/live?view=overview")(6)][-1] == "beat"


def listen(stage, url, client=None):
    """Give a function that takes the next n events off the stream."""
    answer = (client or stage.client("viewer")).get(url)
    assert answer.status_code == 200 and answer.mimetype == "text/event-stream"
    chunks = iter(answer.response)

    def take(count):
        taken: list[dict[str, str]] = []
        while len(taken) < count:
            chunk = next(chunks)
            block = (chunk.decode() if isinstance(chunk, bytes) else chunk).strip().split("\n")
            fields = [line.split(": ", 1) for line in block if ": " in line]
            if any(name == "event" for name, _ in fields):
                data = "\n".join(value for name, value in fields if name == "data")
                taken.append({**dict(fields), "data": data})
        return taken

    return take
