"""The video process: tokens, fresh stills, parts with their length, viewers that cannot slow the camera."""

import json
from datetime import timedelta
from typing import Any, cast

import pytest

from packline.core.clock import ManualClock
from packline.core.pictures import Still
from packline.core.tokens import sign
from tests.web.stage import SECRET, START
from web.video import VideoSettings, create_video_app, part
from web.video_token import camera_claims


class Roll:
    """A grabber of cardboard: frames that the test put in."""

    def __init__(self, name, url):
        self.name, self.url, self.frames, self.why = name, url, [], ""

    def put(self, frame, jpeg=b"\xff\xd8one"):
        self.frames.append(Still(jpeg=jpeg, camera=self.name, frame=frame, captured_at=START))

    def latest(self):
        return self.frames[-1] if self.frames else None

    def fresh(self, timeout_s):
        return None if self.why else self.latest()

    def next_after(self, frame, timeout_s):
        later = [still for still in self.frames if frame is None or still.frame > frame]
        return later[-1] if later else None

    def error(self):
        return self.why


@pytest.fixture
def video():
    clock = ManualClock(START)
    settings = VideoSettings(
        cameras={"cam-table": "http://127.0.0.1:1/x.jpg"}, secret=SECRET, clock=clock, most_viewers=1
    )
    app = create_video_app(settings, cast(Any, Roll))
    return app.test_client(), app.extensions["packline-video"].grabbers["cam-table"], clock


def token(clock, camera="cam-table", seconds=60):
    return sign(SECRET, camera_claims(camera), clock.now() + timedelta(seconds=seconds))


def test_a_fresh_still_carries_counter_and_capture_time(video):
    client, roll, _ = video
    roll.put(7)

    answer = client.get("/still/cam-table?fresh=1")

    assert (answer.status_code, answer.data, answer.mimetype) == (200, b"\xff\xd8one", "image/jpeg")
    assert (answer.headers["X-Frame-Counter"], answer.headers["X-Captured-At"]) == ("7", START.isoformat())


def test_no_frame_newer_than_the_question_is_503_and_not_the_old_one(video):
    client, roll, _ = video
    roll.put(7)
    roll.why = "no route to camera"

    assert client.get("/still/cam-table?fresh=1").status_code == 503
    assert client.get("/still/cam-table").status_code == 200


@pytest.mark.parametrize("change", ["none", "other camera", "expired", "forged"])
def test_a_stream_needs_a_token_for_this_camera_that_is_not_over(video, change):
    client, roll, clock = video
    roll.put(1)
    given = {
        "none": "",
        "other camera": token(clock, "cam-verify"),
        "expired": token(clock, seconds=-1),
        "forged": sign(b"x" * 32, camera_claims("cam-table"), clock.now() + timedelta(hours=1)),
    }[change]

    assert client.get(f"/stream/cam-table?token={given}").status_code == 403


def test_strangers_get_no_still_without_a_token_but_the_controller_beside_does(video):
    client, roll, clock = video
    roll.put(1)
    far = {"REMOTE_ADDR": "203.0.113.9"}

    assert client.get("/still/cam-table", environ_overrides=far).status_code == 403
    assert client.get(f"/still/cam-table?token={token(clock)}", environ_overrides=far).status_code == 200
    assert client.get("/still/cam-table").status_code == 200


def test_unknown_cameras_are_404_only_for_those_who_may_ask(video):
    client, _, _ = video

    assert client.get("/still/nowhere").status_code == 404
    assert client.get("/still/nowhere", environ_overrides={"REMOTE_ADDR": "203.0.113.9"}).status_code == 403


def test_a_viewer_gets_the_newest_frame_and_misses_what_it_was_too_slow_for(video):
    client, roll, clock = video
    roll.put(1, b"\xff\xd8first")
    with client.get(f"/stream/cam-table?token={token(clock)}") as answer:
        parts = iter(answer.response)
        assert next(parts) == b"--frame\r\n"
        first = next(parts)
        roll.put(2)
        roll.put(3)
        roll.put(4, b"\xff\xd8fourth")
        clock.advance(1)
        second = next(parts)

    assert b"first" in first and b"fourth" in second
    assert answer.mimetype == "multipart/x-mixed-replace"


def test_a_stream_ends_with_its_viewers_time_and_not_when_they_please(video):
    client, roll, clock = video
    roll.put(1)
    with client.get(f"/stream/cam-table?token={token(clock, seconds=60)}") as answer:
        parts = iter(answer.response)
        assert next(parts) == b"--frame\r\n" and b"one" in next(parts)
        clock.advance(61)
        roll.put(2)
        assert list(parts) == []


def test_every_part_says_its_length():
    still = Still(jpeg=b"\xff\xd8data", camera="c", frame=1, captured_at=START)

    assert part(still) == b"Content-Type: image/jpeg\r\nContent-Length: 6\r\n\r\n\xff\xd8data\r\n--frame\r\n"


def test_viewers_beyond_the_cap_are_asked_to_come_again(video):
    client, roll, clock = video
    roll.put(1)
    with client.get(f"/stream/cam-table?token={token(clock)}") as first:
        refused = client.get(f"/stream/cam-table?token={token(clock)}")
        assert (first.status_code, refused.status_code, refused.headers["Retry-After"]) == (200, 503, "5")
    with client.get(f"/stream/cam-table?token={token(clock)}") as again:
        assert again.status_code == 200


def test_health_names_cameras_that_give_nothing(video):
    client, roll, _ = video
    roll.why = "refused"

    assert json.loads(client.get("/health").data) == {"ok": True, "cameras": {"cam-table": False}}
