"""Cameras: only a frame newer than the question is handed on, at the grabber and again at the client."""

import http.server
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import cv2
import httpx
import numpy as np
import pytest

from packline.core.clock import ManualClock
from packline.core.faults import Fault
from scanning.cameras.client import VideoStill
from scanning.cameras.grabber import Grabber
from scanning.cameras.sources import CameraError, Frame, SnapshotSource, StreamSource, open_source, wall_now

START = datetime(2026, 1, 1, tzinfo=UTC)
JPEG = b"\xff\xd8 a picture \xff\xd9"


def video(answers):
    """Make a client of a video process that gives `answers` (frame, seconds after the question) one after another."""
    clock = ManualClock(START)
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        step = answers.pop(0)
        if isinstance(step, (httpx.Response, Exception)):
            if isinstance(step, Exception):
                raise step
            return step
        frame, after_s = step
        at = clock.now() + timedelta(seconds=after_s)
        return httpx.Response(
            200, content=JPEG, headers={"X-Frame-Counter": str(frame), "X-Captured-At": at.isoformat()}
        )

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    camera = VideoStill("verify-1", "http://127.0.0.1:1/", clock, headers={"Authorization": "Bearer x"}, http=http)
    return camera, asked


async def test_a_fresh_frame_is_handed_on_with_its_stamp():
    camera, asked = video([(7, 0.1)])
    still = await camera.still()
    assert (still.camera, still.frame, still.jpeg) == ("verify-1", 7, JPEG)
    assert still.captured_at > START
    assert asked[0].url.path == "/still/verify-1"
    assert asked[0].url.params["fresh"] == "1"
    assert asked[0].headers["Authorization"] == "Bearer x"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(503, json={"error": "no frame"}),
        httpx.Response(200, content=JPEG),
        httpx.Response(
            200, content=JPEG, headers={"X-Frame-Counter": "x", "X-Captured-At": "2026-01-02T00:00:00+00:00"}
        ),
        httpx.Response(200, content=JPEG, headers={"X-Frame-Counter": "9", "X-Captured-At": "2026-01-02T00:00:00"}),
        httpx.Response(200, content=b"no", headers={"X-Frame-Counter": "9", "X-Captured-At": "2026-01-02T00:00:00Z"}),
        httpx.ConnectError("refused"),
    ],
)
async def test_no_frame_and_an_unstamped_one_are_refused(answer):
    camera, _ = video([answer])
    with pytest.raises(Fault) as caught:
        await camera.still()
    assert caught.value.code == 1005


class Scripted:
    """A source whose frames a test lets go one by one."""

    pause_s = 0.0

    def __init__(self) -> None:
        self.allowed = threading.Semaphore(0)
        self.frames: list[Frame | CameraError] = []
        self.is_closed = False

    def give(self, *frames: Frame | CameraError) -> None:
        for frame in frames:
            self.frames.append(frame)
            self.allowed.release()

    def grab(self) -> Frame:
        if not self.allowed.acquire(timeout=20):
            raise CameraError("the test gave none")
        frame = self.frames.pop(0)
        if isinstance(frame, CameraError):
            raise frame
        return frame

    def close(self) -> None:
        self.is_closed = True


def frame(counter: int, at_s: float) -> Frame:
    return Frame(jpeg=JPEG, counter=counter, captured_at=START + timedelta(seconds=at_s))


@pytest.fixture
def grabbing():
    source = Scripted()
    grabber = Grabber("verify-1", source, now=lambda: START)
    grabber.start()
    yield grabber, source
    threading.Thread(target=source.give, args=(CameraError("end"),) * 3).start()
    grabber.stop()
    assert source.is_closed


def fresh_while(grabber: Grabber, give) -> list:
    got: list = []
    asker = threading.Thread(target=lambda: got.append(grabber.fresh(10)))
    asker.start()
    while grabber._askers == 0:
        pass
    give()
    asker.join()
    return got


def test_fresh_passes_over_old_frames_and_frames_that_do_not_move(grabbing):
    grabber, source = grabbing
    source.give(frame(1, -5))
    assert grabber.next_after(None, 10) is not None
    (still,) = fresh_while(grabber, lambda: source.give(frame(1, 1), frame(2, -1), frame(2, 0), frame(3, 2)))
    assert (still.frame, still.captured_at) == (3, START + timedelta(seconds=2))
    assert grabber.latest() == still


def test_a_frozen_camera_has_no_fresh_frame(grabbing):
    grabber, source = grabbing
    source.give(frame(1, -5))
    assert grabber.next_after(None, 10) is not None
    source.give(frame(1, 1), frame(1, 2))
    assert grabber.fresh(0.05) is None


def test_a_camera_that_nobody_watches_rests_and_is_there_at_once_for_whoever_looks_or_asks(grabbing, monkeypatch):
    monkeypatch.setattr("scanning.cameras.grabber.UNWATCHED_PAUSE_S", 3600.0)
    grabber, source = grabbing
    source.pause_s = 1e-6
    source.give(frame(1, -5))
    assert grabber.next_after(None, 10) is not None
    source.give(frame(2, -4))
    assert grabber.next_after(1, 10).frame == 2
    (still,) = fresh_while(grabber, lambda: source.give(frame(3, 1)))
    assert still.frame == 3


def test_a_failing_camera_says_why_and_comes_back(grabbing):
    grabber, source = grabbing
    source.give(CameraError("unplugged"), frame(5, 1))
    assert grabber.next_after(None, 10) is not None
    assert grabber.error() == ""


def snapshot(*responses: httpx.Response) -> SnapshotSource:
    left = list(responses)
    http = httpx.Client(transport=httpx.MockTransport(lambda _: left.pop(0)))
    return SnapshotSource("http://127.0.0.1:1/snapshot.jpg", now=lambda: START, http=http)


def test_a_snapshot_is_as_old_as_the_older_of_grab_and_camera_say():
    def answer(at: str) -> httpx.Response:
        return httpx.Response(200, content=JPEG, headers={"X-Frame-Counter": "4", "X-Captured-At": at})

    source = snapshot(answer("2025-12-31T23:59:00+00:00"), answer("2026-01-01T00:00:09+00:00"), answer("nonsense"))
    old, claimed_newer, without = source.grab(), source.grab(), source.grab()
    assert old.captured_at == START - timedelta(minutes=1)
    assert claimed_newer.captured_at == START
    assert without.captured_at == START
    assert {old.counter, claimed_newer.counter, without.counter} == {4}
    source.close()


def test_a_camera_without_a_counter_moves_only_when_its_picture_does():
    other = JPEG + b"x"
    source = snapshot(*(httpx.Response(200, content=content) for content in (JPEG, JPEG, other)))
    assert [source.grab().counter for _ in range(3)] == [1, 1, 2]
    source.close()


def test_an_answer_that_is_no_picture_is_a_camera_error():
    source = snapshot(httpx.Response(200, content=b"<html>"), httpx.Response(500))
    for _ in range(2):
        with pytest.raises(CameraError):
            source.grab()
    source.close()


def test_the_address_tells_snapshot_from_stream():
    for url in ("http://127.0.0.1:1/snapshot.jpg", "http://127.0.0.1:1/SNAPSHOT?x=1"):
        source = open_source(url)
        assert isinstance(source, SnapshotSource)
        source.close()
    assert isinstance(open_source("http://127.0.0.1:1/stream.mjpg"), StreamSource)
    assert isinstance(open_source("rtsp://127.0.0.1/1"), StreamSource)


class Mjpeg(http.server.BaseHTTPRequestHandler):
    """Streams a picture that grows brighter, as IP cameras do."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        shade = 0
        try:
            while True:
                shade = (shade + 20) % 256
                jpeg = cv2.imencode(".jpg", np.full((120, 160, 3), shade, np.uint8))[1].tobytes()
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                self.wfile.write(head.encode() + jpeg + b"\r\n")
        except OSError:
            return

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def mjpeg() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mjpeg)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/stream"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.wire
def test_a_stream_gives_moving_frames_that_count_as_old_as_their_forerunner(mjpeg):
    source = open_source(mjpeg)
    first, second = source.grab(), source.grab()
    assert second.counter == first.counter + 1
    assert second.captured_at > first.captured_at
    picture = cv2.imdecode(np.frombuffer(second.jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    assert picture.shape == (120, 160)
    source.close()


@pytest.mark.wire
def test_a_frame_of_a_stream_is_as_old_as_the_stream_may_hold_it_back(mjpeg):
    """A frame from a buffer of two seconds shows the time before the question: it is not fresh, though it just arrived."""
    begun = wall_now()
    source = open_source(mjpeg, delay_s=2.0)
    still = source.grab()
    assert still.captured_at <= wall_now() - timedelta(seconds=2) and still.captured_at < begun
    source.close()


@pytest.mark.wire
def test_a_stream_that_is_not_there_is_a_camera_error():
    with pytest.raises(CameraError):
        StreamSource("http://127.0.0.1:9/stream").grab()
