"""The live picture comes from the video process, on a port of its own, past a strict policy."""

import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast

import pytest
from werkzeug.serving import make_server

from packline.core.clock import ManualClock, WallClock
from packline.core.pictures import Still
from tests.browser.conftest import Quiet, Site
from tests.web.stage import SECRET, START, drawn, furnished_stage
from web.settings import Wedge
from web.video import VideoSettings, create_video_app

pytestmark = pytest.mark.browser


class Mixed(WallClock):
    """The stage's date with the wall's pace."""

    def __init__(self, stage: ManualClock) -> None:
        self.stage = stage

    def now(self) -> datetime:
        return self.stage.now()


class Reel:
    """A camera that always has a next frame."""

    def __init__(self, name: str, _url: str) -> None:
        self.name = name
        self.stopped = threading.Event()

    def next_after(self, frame: int | None, _timeout_s: float) -> Still | None:
        if self.stopped.wait(0.05):
            return None
        number = (frame or 0) + 1
        return Still(jpeg=drawn("live", number % 3), camera=self.name, frame=number, captured_at=START)


@pytest.fixture
def site(tmp_path) -> Iterator[Site]:
    video = make_server("127.0.0.1", 0, lambda *_: [], threaded=True, request_handler=Quiet)
    stage = furnished_stage(tmp_path, wedge=Wedge(), video_url=f":{video.server_port}")
    settings = VideoSettings(cameras={"cam-table": "none"}, secret=SECRET, clock=Mixed(stage.clock))
    app = create_video_app(settings, cast(Any, Reel))
    video.app = app
    web = make_server("127.0.0.1", 0, stage.app, threaded=True, request_handler=Quiet)
    for server in (video, web):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Site(stage=stage, url=f"http://127.0.0.1:{web.server_port}", video=f"http://127.0.0.1:{video.server_port}")
    stage.hub.stop()
    app.extensions["packline-video"].grabbers["cam-table"].stopped.set()
    for server in (video, web):
        server.shutdown()
        server.server_close()
    stage.store.close()


def test_a_station_shows_its_cameras_live_picture(visit, site):
    page = visit("/station/induct-1")
    picture = page.locator("img[data-video]")

    picture.wait_for()
    for _ in range(200):
        if picture.evaluate("image => image.naturalWidth") == 640:
            break
        page.wait_for_timeout(50)
    assert picture.evaluate("image => image.naturalWidth") == 640
    assert page.evaluate("fetch('/api/health').then(answer => answer.status)") == 200


def test_a_station_without_a_camera_shows_no_empty_frame(visit, site):
    page = visit("/station/pack-1")

    assert page.locator("img[data-video]").count() == 0
