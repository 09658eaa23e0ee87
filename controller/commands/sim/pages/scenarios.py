"""The reference page and the JSON Schema of scenario files of a shift."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from controller.commands.sim.scenario_file import COUNTED, FIGURES, Scenario
from controller.reference.markdown import block, code, codes, page, table
from controller.reference.schema import Explained
from simulation.people.demand import KNOWN_TRAITS
from simulation.people.demand import TRAITS as TURNS
from simulation.virtual.breakages import BREAKAGES
from simulation.virtual.faults import ALL_FACTS

INTRO = """
One TOML file says a shift of the line in virtual time: which line, what is ordered, what goes wrong and when, how long it may take, and what must
come of it. [`packline sim run FILE`](command-line.md#sim-run) plays it, [`packline sim qa FILE`](command-line.md#sim-qa) plays it with other seeds and
faults that it draws. `packline check FILE` says every mistake at once, with place, what was seen, what was expected, and what to do. How to
write one: [write a scenario](../how-to/write-a-scenario.md). A file with a `[model]` is another thing: see [model file](model-file.md).

[`sites/shift-quiet.toml`](../../sites/shift-quiet.toml) and [`sites/shift-rough.toml`](../../sites/shift-rough.toml) ship. Nothing must be said: an
empty `[shift]` is the demo's. An editor that knows TOML schemas helps while you type. Put this line first:
"""
EXAMPLE = """
horizon_s = 600

[shift]
site = "sites/demo.toml"
orders = 12
seed = 4

[demand]
every = { kind = "exponential", mean = 12 }
shares = { plain = 5, two_lines = 3, no_approval = 2, late = 1 }

[[faults]]
device = "arm-1"
fault = "label_dropped"
when = { fact = "label_printed", nth = 2 }
times = 1

[[faults]]
device = "cam-verify"
fault = "dark"
at_s = 9
for_s = 4

[[faults]]
device = "controller"
fault = "kill_after_commit"
when = { commit = 300 }

[expect]
orders_over = 12
exceptions_le = 6
"""
TRAITS = {
    "plain": "One line, paid, with an address; the buyer approves.",
    "two_lines": "Two articles.",
    "four_lines": "Four articles.",
    "three_of_one": "Three pieces of one article.",
    "oversize": "Too large for the packaging machine.",
    "dated": "It must leave within an hour of the shift's beginning, and goes to the floor before those that need not.",
    "no_approval": "Nobody is asked for a picture's approval.",
    "late": "The buyer approves after the deadline.",
    "rejects": "The buyer says no to the picture.",
    "silent": "The buyer never answers.",
    "reserved": "Bought only when the buyer has seen it on the table.",
    "unpaid": "Paid four minutes later.",
    "unaddressed": "The address follows.",
    "miscounted": "Its sum is wrong, and is corrected.",
    "renamed": "The buyer's name is corrected.",
    "posted_twice": "The message comes twice.",
    "long_address": "Three long lines, two scripts.",
    "emoji": "Names that a printer's font may not have.",
}
FACTS = {
    "piece_taken": "A piece is taken off the shelf.",
    "piece_put_back": "A piece is put back on its shelf.",
    "carton_taken": "A fresh carton is taken.",
    "boxed": "A piece is put into a carton.",
    "taken_out": "A piece is taken out of one.",
    "sealed": "A carton is sealed, by a machine or a person.",
    "cut_open": "A sealed carton is cut open.",
    "moved": "A carton comes to another place.",
    "left_door": "A carton passes the door.",
    "returned_to_shelf": "A carton is unpacked, and what was in it goes back.",
    "label_printed": "A label comes out of a printer.",
    "label_applied": "A label is put on a carton.",
    "label_removed": "A label is taken off one.",
    "label_discarded": "A label is thrown away.",
    "label_lost": "A label fell off, and nobody meant it.",
    "motion": "A motion begins: of the fault's own machine, or of any where its device is none.",
}
FIGURE_WORDS = {
    "orders_over": "Orders that ended, by what left the door and by what every subscriber was told.",
    "parcels_shipped": "Cartons that passed the door.",
    "labels_printed": "Labels that came out of printers.",
    "labels_applied": "Labels put on cartons.",
    "events_delivered": "Tracking events that arrived, repetitions not counted.",
    "exceptions": "Rows that the shift leader saw.",
    "faults": "Faults that happened before the shift was over.",
    "deaths": "Deaths of the controller.",
    "journal_rows": "Rows of the journal.",
    "virtual_seconds": "Seconds of the line.",
    "mean_flow_s": "Simulated seconds of a parcel in the hall, from the fresh carton to the door: their mean,",
    "p50_flow_s": "their median,",
    "p95_flow_s": "what 95 in 100 do not exceed (linear between neighbours, as in `sim report`),",
    "most_flow_s": "and the longest.",
    "parcels_per_hour": "Parcels that left in a simulated hour, from the first carton to the last door; `throughput_per_h` of `sim report` counts from the start of the shift.",
}
EXPECT = """
Each figure may stand alone (exactly), with `_ge` (at least) or with `_le` (at most): `exceptions_le = 6`. A run that misses one ends with exit code 1
and says place, what was seen and what was expected. What no run can come to (less than 0, more orders than the shift has, `_ge` above `_le`) is a
mistake of the file. Nothing that must never be may be broken, but what `broken` names: then it *must* be (a
scenario that shows a planted fault). Figures in the list of what is never on the floor are explained with the [faults of the
twin](twin-faults.md#figures-of-the-summary).
"""


def scenario_pages() -> dict[str, str]:
    """Give page and schema by their names under the reference folder."""
    return {"scenario-file.md": _page(), "scenario.schema.json": _explained().as_json("Packline scenario file")}


def _explained() -> Explained:
    return Explained(Scenario, {"Law.kind": "The law, see the model file."})


def _page() -> str:
    explained = _explained()
    return page(
        "Scenario file",
        INTRO,
        block("#:schema docs/reference/scenario.schema.json", "toml"),
        "For example:",
        block(EXAMPLE.strip(), "toml"),
        "## Before the first table\n\n"
        + explained.rows("Scenario", {"shift", "demand", "faults", "campaign", "expect"}),
        _part(explained, "[shift]", "ShiftPart"),
        _part(explained, "[demand]", "DemandPart"),
        "### What an order can be like\n\n" + _table("share", sorted(KNOWN_TRAITS), TRAITS) + "\n\n" + _turns(),
        _part(explained, "[[faults]]", "FaultPart"),
        "### when\n\n" + explained.rows("WhenPart") + "\n\n" + _table("fact", ALL_FACTS, FACTS),
        _part(explained, "[campaign]", "CampaignPart"),
        "## [expect]\n\n" + EXPECT.strip(),
        _table("figure", [name for name in FIGURES if name in FIGURE_WORDS], FIGURE_WORDS),
        "Always 0 on a line that works: " + codes(name for name in COUNTED if name not in FIGURE_WORDS) + ".",
        "### What may be broken\n\n"
        + table(["word", "what must be"], ((code(word), must) for word, must in BREAKAGES.items())),
    )


def _turns() -> str:
    """Say in which order they come where the file says nothing of shares."""
    each = ", ".join(
        f"{n} {' and '.join(code(trait) for trait in traits) or code('plain')}" for n, traits in enumerate(TURNS)
    )
    return f"Without `shares` they take turns, beginning with `turn`: {each}; then again from 0."


def _part(explained: Explained, heading: str, definition: str) -> str:
    return f"## {heading}\n\n{explained.meaning(definition)}\n\n{explained.rows(definition)}"


def _table(head: str, names: Iterable[str], words: Mapping[str, str]) -> str:
    return table([head, "is"], ((code(name), words[name]) for name in names))
