"""The live picture comes from the video process, on a port of its own, past a strict policy."""

import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast

import pytest
from playwright.sync_api import expect
from werkzeug.serving import make_server

from packline.core.clock import ManualClock, WallClock
from packline.core.pictures import Still
from tests.browser.conftest import Quiet, Site
from tests.web.stage import SECRET, START, device, drawn, furnished_stage
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
def site(tmp_path, front) -> Iterator[Site]:
    video = make_server("127.0.0.1", 0, lambda *_: [], threaded=True, request_handler=Quiet)
    stage = furnished_stage(tmp_path, wedge=Wedge(), video_url=f":{video.server_port}")
    settings = VideoSettings(cameras={"cam-table": "none"}, secret=SECRET, clock=Mixed(stage.clock))
    app = create_video_app(settings, cast(Any, Reel))
    video.app = app
    threading.Thread(target=video.serve_forever, daemon=True).start()
    front.app = stage.app
    yield Site(stage=stage, url=f"http://127.0.0.1:{front.server_port}", video=f"http://127.0.0.1:{video.server_port}")
    stage.hub.stop()
    app.extensions["packline-video"].grabbers["cam-table"].stopped.set()
    video.shutdown()
    video.server_close()
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


def test_only_what_a_camera_shows_now_is_called_live(visit, site):
    camera = device("cam-table", "camera", "http", "127.0.0.1:18081")
    induct = next(one for one in site.stage.controller.snapshot["stations"] if one["name"] == "induct-1")
    induct["devices"].append(camera)
    site.stage.hub.poll()
    page = visit("/station/induct-1")
    expect(page.locator("figure.view figcaption")).to_contain_text("Live")

    camera.update(quality="absent", faults=[1005])
    site.stage.hub.poll()
    expect(page.locator("figure.view.none figcaption")).to_contain_text("No picture")
    expect(page.locator("figure.view img")).to_be_hidden()
    expect(page.locator("#side .devices li", has_text="cam-table")).to_contain_text("Absent")
    expect(page.locator(".card.fault")).to_contain_text("Camera gives no fresh frame")

    camera.update(quality="good", faults=[])
    site.stage.hub.poll()
    expect(page.locator("figure.view:not(.none) figcaption")).to_contain_text("Live")


def test_a_camera_that_never_answered_is_an_empty_frame_that_says_so(visit, site):
    page = visit("/station/label-1")

    expect(page.locator("figure.view.none figcaption")).to_contain_text("No picture")
    expect(page.locator("figure.view")).not_to_contain_text("Live")
