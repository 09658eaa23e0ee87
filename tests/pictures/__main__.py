"""Takes the documents' pictures again, from the demo line in a real browser: `python -m tests.pictures [NAME...]`.

It runs `packline demo` in a folder of its own, waits for what each picture shows, breaks what it needs broken, and writes
PNG files of at most 256 colours to docs/pictures. Without names it takes all; it needs Chromium and some minutes.
"""

from __future__ import annotations

import http.client
import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import FLAGS

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "pictures"
SITE = ROOT / "sites" / "demo.toml"
DEMO = ["demo", "--orders", "300", "--speed", "8", "--seed", "11"]
PERSON, PASSWORD = "lin", "a password for pictures only"
DESK, PHONE = (1440, 900), (390, 844)
GAP = 40
MOST_BYTES = 250_000
FLAT_COLOURS = 96
MOST_WAIT_MS = 600_000
LOOK_MS = 200


class Line:
    """The demo line, and a person who looks at it."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self._browser = browser
        self._env = {**os.environ, "PACKLINE_DATA": str(folder)}
        words = [sys.executable, "-m", "controller", *DEMO, "--data", str(folder)]
        self._demo = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.url = self._address()
        words = [sys.executable, "-m", "controller", "user", str(SITE), PERSON, "--role", "supervisor"]
        subprocess.run(words, cwd=ROOT, input=PASSWORD, text=True, env=self._env, check=True, capture_output=True)

    def _address(self) -> str:
        assert self._demo.stdout is not None
        for line in self._demo.stdout:
            if found := re.search(r"dashboard at (\S+)", line):
                return found[1]
        raise SystemExit("the demo did not start")

    def end(self) -> None:
        """End the demo as Ctrl-C does, which a shell's background keeps from whoever works there."""
        self._demo.send_signal(signal.SIGTERM)
        self._demo.communicate()

    def twin(self, path: str, **body: Any) -> None:
        """Break or mend a machine of the twin, as the tutorial does with curl."""
        moved = int(self.url.rpartition(":")[2]) - 8080
        twin = http.client.HTTPConnection("127.0.0.1", 18099 + moved, timeout=10)
        twin.request("POST", path, json.dumps(body))
        answer = twin.getresponse()
        assert answer.status == 200, answer.read()
        twin.close()

    def look(self, path: str, size: tuple[int, int] = DESK, **options: Any) -> Page:
        """Open a page."""
        width, height = size
        looks = {"locale": "en-GB", "color_scheme": "light", "reduced_motion": "reduce", **options}
        context = self._browser.new_context(viewport={"width": width, "height": height}, **looks)
        context.set_default_timeout(MOST_WAIT_MS)
        answer = context.request.post(f"{self.url}/api/login", data={"user": PERSON, "password": PASSWORD})
        assert answer.ok, answer.text()
        page = context.new_page()
        page.goto(self.url + path)
        return page


def line_overview(line: Line) -> Image.Image:
    """Show the healthy line at work."""
    return busy(line.look("/"))


def line_overview_zh(line: Line) -> Image.Image:
    """Show it in Chinese, on a dark screen."""
    return busy(line.look("/", locale="zh-CN", color_scheme="dark"))


def line_plan(line: Line) -> Image.Image:
    """Show the plan while the printer's cover is open and cartons queue before it; then close it."""
    return beset(line, line.look("/plan"))


def line_plan_phone(line: Line) -> Image.Image:
    """Show the same on a phone."""
    return beset(line, line.look("/plan", (390, 1000), device_scale_factor=1.5))


def station_label(line: Line) -> Image.Image:
    """Show the labelling station while its camera sees a label on a carton."""
    page = line.look("/station/label-1", (1440, 1000))
    page.wait_for_selector("figure.view:not(.none)")
    page.locator("#side, #view").locator(".strip a").nth(3).wait_for()
    page.locator("#next .say", has_text="check by camera").wait_for()
    return shot(page)


def station_bench(line: Line) -> Image.Image:
    """Show a station that a person runs, while there is something to do."""
    page = line.look("/station/bench-1", (1440, 760))
    page.get_by_role("button", name="Not done").wait_for()
    return shot(page)


def parcel(line: Line) -> Image.Image:
    """Show the page of a parcel that has come to its end."""
    page = line.look("/orders?show=done", (1440, 1080))
    page.locator("#rows a[href^='/parcels/']").first.wait_for()
    page.locator("#rows a[href^='/parcels/']").first.click()
    page.locator(".steps li.here", has_text="Delivered").wait_for()
    page.wait_for_load_state("networkidle")
    return shot(page)


def line_held(line: Line) -> Image.Image:
    """Show the line while the printer's cover is open."""
    page = line.look("/")
    line.twin("/fault", device="printer-1", fault="cover_open")
    alone = ".whole:not(:has(.figure .badge, .tile:not(#tile-label-1) .badge)) #tile-label-1.high .state"
    page.locator(alone, has_text="Stopped").wait_for()
    return shot(page)


def station_held(line: Line) -> Image.Image:
    """Show what the station says of it; then close the cover."""
    line.twin("/fault", device="printer-1", fault="cover_open")
    page = line.look("/station/label-1", (1440, 1000))
    page.locator("#fault").wait_for()
    page.wait_for_selector("figure.view:not(.none)")
    return shot(page)


def alarms(line: Line) -> Image.Image:
    """Show the list in which an alarm waits to be acknowledged."""
    line.twin("/fault", device="printer-1", fault="cover_open")
    page = line.look("/alarms", (1440, 520))
    page.get_by_role("button", name="Acknowledge").first.wait_for()
    picture = shot(page)
    line.twin("/mend", device="printer-1", fault="cover_open")
    return picture


def exceptions(line: Line) -> Image.Image:
    """Show a decision that waits; the virtual shift leader is quick, so the page is open before it does."""
    page = line.look("/exceptions", (1440, 400))
    line.twin("/fault", device="arm-1", fault="label_dropped", times=1)
    page.locator(".case", has_text="2104").wait_for()
    return shot(page)


def phones(line: Line) -> Image.Image:
    """Show a station and a buyer's page on phones, side by side."""
    bench = line.look("/station/bench-1", PHONE, device_scale_factor=1.5)
    bench.locator("#next .say", has_text="Stick the label").wait_for()
    station = shot(bench)
    return beside(station, shot(asked_buyer(line)))


PICTURES: Mapping[str, Callable[[Line], Image.Image]] = {
    "station-label": station_label,
    "parcel": parcel,
    "line-overview": line_overview,
    "line-overview-zh": line_overview_zh,
    "line-plan": line_plan,
    "line-plan-phone": line_plan_phone,
    "line-held": line_held,
    "station-held": station_held,
    "alarms": alarms,
    "exceptions": exceptions,
    "station-bench": station_bench,
    "phones": phones,
}


def busy(page: Page) -> Image.Image:
    """Wait until the line has something to show: work at two stations at least, and nothing that waits for a decision."""
    page.locator(".whole:not(:has(.figure .badge, .tile .badge)) .tile.working").nth(1).wait_for()
    return shot(page)


def beset(line: Line, page: Page) -> Image.Image:
    """Open the printer's cover, and wait until it shows and the cartons behind it do."""
    line.twin("/fault", device="printer-1", fault="cover_open")
    alone = ".plan:not(:has(.spot:is(.critical, .high, .warning):not([id$=label-1])))"
    page.locator(f"{alone} .spot.high .state:visible", has_text="Stopped").wait_for()
    page.locator(f"{alone} .box.coming[data-station=label-1]:visible").first.wait_for()
    picture = shot(page)
    line.twin("/mend", device="printer-1", fault="cover_open")
    return picture


def asked_buyer(line: Line) -> Page:
    """Find a buyer who has not answered yet."""
    orders = line.look("/orders?show=floor")
    buyer = line.look("/account", PHONE, device_scale_factor=1.5)
    for _ in range(MOST_WAIT_MS // LOOK_MS):
        waiting = orders.locator("tbody tr", has_text="Verified").locator("a[href^='/orders/']")
        for address in [one.get_attribute("href") for one in waiting.all()]:
            buyer.goto(f"{line.url}{address}")
            link = buyer.locator("a[href*='/buyer/']").first.get_attribute("href") or ""
            buyer.goto(link if link.startswith("http") else line.url + link)
            if buyer.get_by_role("button", name="Approve").count():
                buyer.wait_for_load_state("networkidle")
                return buyer
        orders.wait_for_timeout(LOOK_MS)
        orders.reload()
    raise SystemExit("every buyer has answered")


def shot(page: Page) -> Image.Image:
    """Take what the window shows."""
    return Image.open(io.BytesIO(page.screenshot()))


def beside(left: Image.Image, right: Image.Image) -> Image.Image:
    """Put two pictures on one white sheet."""
    sheet = Image.new("RGB", (left.width + GAP + right.width, max(left.height, right.height)), "white")
    sheet.paste(left, (0, 0))
    sheet.paste(right, (left.width + GAP, 0))
    return sheet


def keep(name: str, picture: Image.Image) -> None:
    """Write a picture as a small file; raises when it is not small."""
    path = FOLDER / f"{name}.png"
    picture = picture.convert("RGB")
    picture.quantize(palette=palette(picture), dither=Image.Dither.NONE).save(path, optimize=True)
    size = path.stat().st_size
    print(f"{path.relative_to(ROOT)}: {picture.width} x {picture.height}, {size} bytes", flush=True)
    assert size <= MOST_BYTES, f"{name} has more than {MOST_BYTES} bytes"


def palette(picture: Image.Image) -> Image.Image:
    """Choose 256 colours: the commonest exactly, which are those of the screens, and the rest for what cameras saw."""
    common = sorted(picture.getcolors(picture.width * picture.height) or [], key=lambda one: one[0], reverse=True)
    exact = [part for _, colour in common[:FLAT_COLOURS] for part in cast(tuple[int, ...], colour)]
    seen = picture.quantize(256 - FLAT_COLOURS, method=Image.Quantize.MEDIANCUT).getpalette() or []
    chosen = Image.new("P", (1, 1))
    chosen.putpalette([*exact, *seen][: 3 * 256])
    return chosen


def main(wanted: list[str]) -> None:
    """Take the pictures in the order of the table."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        line = Line(browser, Path(folder))
        try:
            line.look("/").locator(".tile").first.wait_for()
            for name in wanted or PICTURES:
                keep(name, PICTURES[name](line))
        finally:
            line.end()
            browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
