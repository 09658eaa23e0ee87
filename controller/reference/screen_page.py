"""The page of instructions: the sentences that stations say to people, as keys and in English."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

from controller.reference.markdown import code, codes, page, table

INTRO = """
A station's `next`, its `tasks` and the answers to scans are each a key with parameters; the dashboard puts them into the reader's language
(English and Simplified Chinese; the catalogues are `web/words/*.json`). Programs should look at keys, never at words. A sentence for the case
that a parameter is not known yet stands under the key with `.any`.
"""
ACTIONS = (
    ("`DO:OK`", "Yes."),
    ("`DO:DONE`", "The step on the screen is done."),
    ("`DO:NOTDONE`", "It is not, and will not be: put back, not closed, not handed over."),
    ("`DO:SHORT`", "The item is not at its place."),
    ("`DO:HOLD`", "Known to the scanners; no station offers it now: hold a station or a parcel on its page."),
)
CODES = (
    ("Carton plate (LPN)", "`PL`, nine digits, check digit", "on every carton before it is used"),
    (
        "Label mark",
        "`PK1|<SSCC>|<LPN>|<print number>`, a small Data Matrix",
        "on every label; tells one print from every other",
    ),
    ("SSCC", "GS1-128, `(00)` and 18 digits", "the label's bars; what the courier scans"),
    ("Item barcode", "GTIN or an alias of the item master", "on the article"),
    ("Action", "`DO:...`", "on a card at the station"),
)


def screen_page() -> str:
    """Give the page."""
    words = _words()
    steps = words["step"]
    rows = ((code(key), codes(_parameters(text)), text) for key, text in steps.items())
    return page(
        "Instructions",
        INTRO,
        table(["key", "parameters", "in English"], rows),
        "## Station states",
        table(["state", "in English"], ((code(key), text) for key, text in words["state"].items())),
        "## Reasons why something waits",
        table(["key", "in English"], ((code(key), text) for key, text in words["why"].items())),
        "## What may be scanned",
        table(["code", "looks like", "is"], CODES),
        "## Action codes",
        table(["code", "means"], ACTIONS),
    )


def _words() -> Mapping[str, Any]:
    text = (resources.files("web") / "words" / "en.json").read_text("utf-8")
    words: Mapping[str, Any] = json.loads(text)
    return words


def _parameters(text: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r"\{(\w+)\}", text)))
