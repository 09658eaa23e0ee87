"""The words under a report's scales of time do not run into each other, on a phone either."""

import pytest

from simulation.report.charts import time_axis
from simulation.report.style import CSS

pytestmark = pytest.mark.browser

ENDS_S = (59, 343, 480, 559, 3600, 86_400, 90_000)
LEFT_OF_A_SCREEN = {390: 230, 1280: 480}
"""How wide a scale is drawn on a screen of so many pixels."""
CLASHES = """[...document.querySelectorAll('.xs')].filter(axis => {
    const words = [...axis.children].map(one => one.getBoundingClientRect()).filter(box => box.width);
    return words.some((box, n) => n && box.left < words[n - 1].right);
}).map(axis => axis.textContent)"""


@pytest.mark.parametrize("screen", LEFT_OF_A_SCREEN)
def test_words_under_a_scale_of_time_do_not_overlap(screen, browser):
    page = browser.new_page(viewport={"width": screen, "height": 800})
    axes = "".join(str(time_axis(end_s)) for end_s in ENDS_S)
    page.set_content(f"<style>{CSS}.here{{width:{LEFT_OF_A_SCREEN[screen]}px}}</style><div class=here>{axes}</div>")

    assert page.locator(".xs").count() == len(ENDS_S)
    assert page.evaluate(CLASHES) == []
    page.close()
