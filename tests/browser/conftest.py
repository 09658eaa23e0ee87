"""Debian's Chromium against a dashboard in this process, whose clock and controller the test holds in its hands."""

import re
import shutil
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from packline.core.clock import ManualClock
from tests.web.stage import PASSWORD, START, Stage, furnished_stage
from web.settings import Wedge, pause

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--force-color-profile=srgb", "--hide-scrollbars", "--process-per-site",
]  # fmt: skip
PATIENCE_MS = 120_000
MOST_S = 200
"""A busy machine may need long for what takes no time; whether a page falls silent in time is proved by a clock in the test's hands."""
EXPECTED = re.compile(r"Failed to load resource: (.* status of (401|404|503)|net::ERR_)")
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 800}
WALL = {"width": 1920, "height": 1080}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser that leaves in the middle of a file makes the test's server drop it; that is no fault of the dashboard."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.timeout(MOST_S))
            item.add_marker(pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"))


class Quiet(WSGIRequestHandler):
    """Says nothing of requests."""

    protocol_version = "HTTP/1.1"

    def log(self, *_args: Any) -> None:
        """Say nothing."""


@dataclass
class Site:
    """A served stage."""

    stage: Stage
    url: str
    video: str = "data:"


@pytest.fixture(scope="session")
def browser():
    chromium = shutil.which("chromium") or "/usr/bin/chromium"
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as play:
        running = play.chromium.launch(executable_path=chromium, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def front():
    """Serve one stage after the other at one address, so that a browser keeps what it has read of scripts and fonts."""
    server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


class Drawer:
    """Browser contexts that lie idle. A context's first page costs more than all else of a test, so each is used again."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self._url = url
        self._idle: dict[str, list[BrowserContext]] = {}

    def take(self, **options: Any) -> BrowserContext:
        """Give a context in which nobody has signed in, `alone` one that nobody had or will have; its first page stays open and keeps the process of its pages alive."""
        is_alone = options.pop("alone", False)
        idle = self._idle.setdefault(str(options), [])
        if idle and not is_alone:
            return idle.pop()
        context = self._browser.new_context(**options)
        context.set_default_timeout(PATIENCE_MS)
        context.new_page().goto(f"{self._url}/api/health")
        return context

    def put_back(self, context: BrowserContext, **options: Any) -> None:
        """Take a context back and make it forget."""
        if options.pop("alone", False):  # what was done to it cannot be undone
            context.close()
            return
        keeper, *pages = context.pages
        for page in pages:
            page.close()
        context.set_offline(False)
        context.clear_cookies()
        keeper.evaluate("localStorage.clear()")
        self._idle[str(options)].append(context)


@pytest.fixture(scope="session")
def drawer(browser, front):
    return Drawer(browser, f"http://127.0.0.1:{front.server_port}")


@pytest.fixture
def wedge(request):
    """Give the rule for scans: patient, because a busy machine types slowly; a test may ask for the real one."""
    return getattr(request, "param", Wedge(gap_ms=5000))


class Flowing(ManualClock):
    """Goes with the wall and can be moved on: heartbeats come by themselves, and a test need not wait for a time."""

    def __init__(self) -> None:
        super().__init__(START)
        self._begun = time.monotonic()

    def monotonic(self) -> float:
        return super().monotonic() + time.monotonic() - self._begun

    def now(self) -> datetime:
        return START + timedelta(seconds=self.monotonic())


@pytest.fixture
def clock(request):
    """Give the dashboard's clock; a test that wants silence asks for one that stands still."""
    return getattr(request, "param", Flowing)()


@pytest.fixture
def site(tmp_path, wedge, clock, front):
    stage = furnished_stage(tmp_path, clock, wedge=wedge, pause=pause)
    if isinstance(clock, Flowing):
        stage.hub.start()
    front.app = stage.app
    yield Site(stage=stage, url=f"http://127.0.0.1:{front.server_port}")
    stage.hub.stop()
    stage.store.close()


class Visit:
    """A page of a person; everything that a page should never do is noted."""

    def __init__(self, drawer: Drawer, site: Site, role: str, **options: Any) -> None:
        self.site = site
        self.complaints: list[str] = []
        self._drawer = drawer
        looks: dict[str, Any] = {"color_scheme": "light", "reduced_motion": "reduce", "forced_colors": "none"}
        looks |= {name: options.pop(name) for name in looks.keys() & options.keys()}
        viewport = options.pop("viewport", DESK)
        self._options = {"locale": "en-GB", **options}
        self.context = drawer.take(**self._options)
        if role:
            answer = self.context.request.post(f"{site.url}/api/login", data={"user": role, "password": PASSWORD})
            assert answer.ok
        self.page: Page = self.context.new_page()
        self.page.set_viewport_size(viewport)
        self.page.emulate_media(**looks)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("request", self._request)

    def close(self) -> None:
        """Leave, without a trace."""
        self._drawer.put_back(self.context, **self._options)

    def open(self, path: str) -> Page:
        """Open a page and wait until its stream has said its first word."""
        with_stream = "/login" not in path and "/buyer" not in path
        if with_stream:
            self.page.add_init_script(
                "document.addEventListener('htmx:sseOpen', () => { document.body.dataset.streaming = 'yes'; })"
            )
        self.page.goto(self.site.url + path)
        if with_stream:
            self.page.wait_for_selector("body[data-streaming]")
        return self.page

    def _console(self, message: Any) -> None:
        # What the browser itself says of an answer that the test asked for, or of a line that it cut.
        if message.type in ("error", "warning") and not EXPECTED.search(message.text):
            self.complaints.append(f"{message.type}: {message.text}")

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.site.url, self.site.video, "data:", "blob:")):
            self.complaints.append(f"foreign: {request.url}")


@pytest.fixture
def visit(drawer, site):
    """Give a function that opens a page as somebody; at the end no page may have complained."""
    made: list[Visit] = []

    def begin(path: str, role: str = "supervisor", **options: Any) -> Page:
        one = Visit(drawer, site, role, **options)
        made.append(one)
        return one.open(path)

    yield begin
    for one in made:
        one.close()
        assert one.complaints == []
