"""Grey is healthy: colour shows what is wrong, where it is wrong, and nothing else."""

import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.web.stage import healthy, run, wound

pytestmark = pytest.mark.browser

MOST_GREY = 0.005
LEAST_SHOWN = 5000
FAULTS = {
    "induct-1": 1001,
    "pack-1": 2002,
    "label-1": 3002,
    "hold-1": 3007,
    "gate-1": 3014,
    "bench-1": 2105,
    "clarify-1": 3001,
}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_healthy_line_is_grey(visit, site, theme):
    calm(site)
    page = visit("/", color_scheme=theme)
    for path in ("/", "/plan"):
        page.goto(site.url + path)

        assert saturated(page.screenshot()).mean() < MOST_GREY, path


def test_a_fault_colours_its_own_tile_and_nothing_but_the_counts(visit, site):
    calm(site)
    page = visit("/")
    before = saturated(page.screenshot()).sum()
    for station, code in FAULTS.items():
        site.stage.controller.snapshot = wound(healthy(), station, code)
        site.stage.hub.poll()
        page.wait_for_selector(f"#tile-{station}:is(.critical, .high, .warning)")
        expect(page.locator(".tile:is(.critical, .high, .warning)")).to_have_count(1)

        inside, outside = shown(page, station, before + LEAST_SHOWN)
        assert inside > before + LEAST_SHOWN, station
        assert outside < MOST_GREY, station


def test_colour_is_never_the_only_sign(visit, site):
    site.stage.controller.snapshot = wound(healthy(), "label-1", 3002)
    site.stage.hub.poll()
    page = visit("/", forced_colors="active")

    tile = page.locator("#tile-label-1")
    assert tile.get_by_role("img", name="Critical").is_visible() and "Wrong label" in tile.inner_text()


def calm(site):
    """Take what waits for people out of the books, so that only the line is looked at."""
    for row in site.stage.store.views.exceptions():
        run(site.stage.store.books.close_exception(row.exception_id, action="done", actor="test"))
    site.stage.controller.snapshot["seq"] += 1
    site.stage.hub.poll()


def shown(page, station, enough):
    """Count coloured pixels inside a tile, and their share outside; a busy machine paints a page in pieces, so look again."""
    for _ in range(10):
        colour = saturated(page.screenshot())
        inside = colour[box_of(page, station)].sum()
        outside = (colour.sum() - inside) / colour.size
        if inside > enough and outside < MOST_GREY:
            break
    return inside, outside


def box_of(page, station):
    """Give the part of a screenshot that shows a station's tile."""
    box = page.locator(f"#tile-{station}").bounding_box()
    left, top = int(box["x"]), int(box["y"])
    return np.s_[top : top + int(box["height"]) + 2, left : left + int(box["width"]) + 2]


def saturated(png):
    """Give where a picture is clearly coloured: more than a quarter saturated, and not nearly black."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
    most, least = pixels.max(axis=2), pixels.min(axis=2)
    return (most - least > 0.25 * most) & (most - least > 24)
