"""The reference page and the JSON Schema of the `[model]` of a scenario file."""

from __future__ import annotations

import math
from typing import Any, get_args, get_type_hints

from controller.commands.sim import model_books
from controller.reference.markdown import block, code, page, table
from controller.reference.schema import Explained
from simulation.blocks.machines import PACKML
from simulation.blocks.time_sheet import STATES
from simulation.model.laws import Law
from simulation.model.model_file import BLOCKS, ModelFile
from simulation.model.parts import Part
from simulation.model.reading import STATIONS
from simulation.model.station_parts import StationPart

INTRO = """
One TOML file with a `[model]` describes a line or a queue as places and times: any textbook station, any line of machines, conveyors and
people. No controller runs on it. `packline sim model FILE` runs it so often that intervals are known, `--against FILE` runs a second one with
the same random numbers and says what differs. The file is checked like a [site file](site-file.md): every mistake at once, with place, what
was seen, what was expected, and what to do. [`sites/model-queue.toml`](../../sites/model-queue.toml) is the smallest,
[`sites/model-line.toml`](../../sites/model-line.toml) a whole line.

All times are seconds. An editor that knows TOML schemas helps while you type. Put this line first:
"""
EXAMPLE = """
[model]
title = "two machines, four places between, arrivals at random"
horizon_s = 20000
warmup_s = 1000
replications = 10

[model.blocks.in]
kind = "source"
every = { kind = "exponential", mean = 1.5 }
next = "a"

[model.blocks.a]
kind = "server"
service = { kind = "lognormal", mean = 1, cv = 0.5 }
next = "store"

[model.blocks.store]
kind = "buffer"
capacity = 4
next = "b"

[model.blocks.b]
kind = "machine"
service = 1.2
failures = [{ by = "busy", every = { kind = "exponential", mean = 60 }, repair = { kind = "exponential", mean = 5 } }]
next = { a = 0.05, out = 0.95 }
"""
STATION = """
Servers, machines and all that follow are stations: channels, a queue before them, and what may befall both. The keys here belong to each of
them; what one has besides, or with another default, is told with it. A `server` without more than `service` is the single server with an
endless queue.
"""
LAWS = """
A time is a number (always that), or a table with its kind and what it needs. Each is drawn from a stream of its own, seeded by
`seed/run/block.purpose`, so that one more block, or one more failure, does not shift what the others draw.
"""
LAW_WORDS = {
    "deterministic": ("mean", "Always the same; a plain number is short for it."),
    "exponential": ("mean, or rate", "No memory; cv = 1."),
    "erlang": ("mean and k, or mean and cv", "Sum of k exponentials; cv = 1 / sqrt(k)."),
    "hyperexponential": (
        "mean and cv (at least 1), or means and weights",
        "One of several exponentials; by cv: two with balanced means.",
    ),
    "lognormal": ("mean and cv", "Of the values themselves, not of their logarithms."),
    "uniform": ("low and high, or mean and cv", "All alike."),
    "triangular": ("low, mode, high", "When only the least, the usual and the worst are known."),
    "weibull": ("mean and shape", "Lives of machines."),
    "gamma": ("mean and cv", "Any cv; drawn by rejection, so antithetic runs do not mirror it."),
    "geometric": ("mean (at least 1)", "Whole numbers from 1 on: cycles to a failure."),
    "poisson": ("mean", "Whole numbers from 0 on: pieces at once."),
    "hypoexponential": ("means", "Sum of exponentials that are not alike; cv below 1."),
    "coxian": ("means and go_on", "Exponential phases in a row that may end after each: phase-type."),
    "pareto": ("mean and shape (above 1)", "A heavy tail; up to shape 2 without a variance."),
    "empirical": ("values; weights; smooth", "What was measured; smooth: also between the values."),
}
SEMANTICS = """
## What exactly happens

**At one instant**, first what is measured begins (the warm-up ends), then everything that ends: work, transport, repairs, shifts, visits, in
the order in which it was begun to be waited for; then machines fail; then something new arrives. So a place freed at an instant can be taken
by what arrives at that instant, and work that ends when a failure is due is done. The horizon itself belongs to the time after. Times that
computers cannot hold exactly (0.1 + 0.2) do not meet at one instant: take whole seconds, or halves, where ties matter.

**Places.** A station has `channels` + `queue` places, whatever state its channels are in: M/M/c/K has `queue` = K - c, and a machine that is
down keeps its place for a piece. Who comes to a full block waits where he is (`full = "block"`: a source keeps him outside, a machine holds
him, first blocked goes first), is lost (`lose`), or goes to `overflow`. Priorities say who leaves a queue, not who comes in. A batch comes in one
after the other, as far as there is room. A block that feeds itself needs no second place. Circles of full blocks may come to stand for ever;
the report says so. Who is there at the start (`initial`) has his place before anybody moves, and is not turned away.

**Blocking.** `after`: the finished piece stays on its channel until there is room ahead, and the channel does nothing else. `before`: the channel
has the piece, but does not begin until a place ahead is kept for it; nobody else gets that place. A way drawn by chance is drawn once, and waited
for. A `buffer` of capacity 0 is no place at all: what gives to it sees only what follows.

**Priorities.** A lower number goes first. With `preempt`, who is better than the worst in work breaks that off, when there is a place for both; the
one broken off goes back to where it stood, before those of its class that came later. `resume` does the rest of the work, `repeat` all of it again,
`restart` a new time. Finished pieces, and what lies on a machine that is down, are not broken off; when the machine is up again, who is better goes
first. `lifo` with `preempt` breaks off for every arrival, `shortest` for everyone with less work than is left. `random` draws whose turn it is when a
channel is free. `ageing` looks then whose time there, times the `gain` of the class, is the longest; priorities still go first. `shared` works on everyone at once, each at the same rate and at most as fast as one channel.

**Failures.** Each channel has its own. The clock of `time` runs while the channel is up, idle or not; `busy` while it works; `cycles` counts pieces, and
the machine stops when it would begin the next one, with a place kept where it keeps one. Several clocks hold while one of them has
the channel down. A finished piece leaves a machine that is down as soon as there is room. `passed_on` gives the piece to another channel that is
free. Rolls and reels are stops by cycles that count as setup. `whole`: one clock for the machine, which runs while it is up; all channels stop
together and go on together, each with its piece; one that is down by itself at that time is repaired meanwhile and goes on when both are over.

**Operators** are asked before the setup, and let go when the work is done, also when the piece cannot go on, and when the machine fails. A repair that
needs one waits as `down`. Lower priority numbers are served first, then who asked first.

**Vacations** begin when a channel finds nothing to do after work, not at the start of the run. **Patience** counts from the arrival until work
is begun; who is broken off does not lose it.

**Batches.** With `batch` a channel begins with up to so many at once, the best of the queue first, and is closed until all of them have left (with `batch_open`, who comes while it has room and works joins in); they
are done at one instant, and go on one after the other as far as there is room. A free channel begins as soon as `batch_least` wait, and does not
wait for more; or with fewer, when the one who waited longest has waited `batch_wait_s`. `queue` counts those who wait while the channels work; a
free channel has the places of its next batch besides. Service time, setup, operator and failures are the batch's; waits and numbers are counted in
pieces; `oee.effectiveness` compares with full batches, and is unknown where a batch has no end.

**Gathering.** With `start_at`, after the block has become empty nothing is begun until so many are there; then it goes on until it is empty again.
**Balking**: who finds a place looks once how many are there, those in work included, and does not stay with that probability.
With `balk_by_class` a class is turned away while others still come in.
**Polling**: at each queue the server serves by its rule, then walks on, also while all queues are empty; the walk is the state `away`. `gated` serves
those who were there when it came. At the beginning it stands at the first queue until somebody comes. Classes that `order` does not name wait with
the first. **`speeds`** are those of the whole block, shared alike by all who are there.

**Fork and join.** A fork takes one item and makes a sibling for each way of `to`, of the same class; those that find no room wait in the fork, which takes
the next one when all have gone on. A join keeps siblings until all of one parent are there, and gives on the parent, with his class and age. When a
sibling is lost or spoiled on the way, the others of the family are lost in the join; one that leaves the line by a way out is not waited for. The last
of a family needs no place in a full join. Forks may stand between another fork and its join. **Assembly** uses its parts, the oldest of each class, at the
instant at which what follows takes what is made of them; until then they keep their places. What is made is as old as its oldest part. **Pack** likewise;
with `wait_s` it goes with fewer. **Unpack** gives what is inside piece by piece, each with its class and age from before; what a pack or an assembly has
made can be taken apart so. Each item on the floor counts as one in `wip`, a carton as well as a piece: `made` and `used` are counted where they change.

**Limit.** Who passes it has a permit until he passes its `release`, or leaves the line, lost or spoiled included; without a free permit he waits where he is,
first come first served. A carton has the permits of its pieces, a parent keeps his until his siblings are joined or gone. `sojourn` is the time from permit to
release, `number` how many have one. Items that are there at the start have none.

**Merge, divert** and a buffer without places take no time and hold nothing. Behind a merge, who waits is chosen by its rule; one whose own way is full
holds up those behind him there, as in a queue.

**Conveyor**: an item leaves its zone at the instant at which it moves on, and the next may follow. **Belt**: everything on it stops while the
item at its end cannot go on.

**Sources**: with `profile` time runs faster or slower for the arrivals, which for exponential times is exactly the Poisson process with those rates.
Who waits outside a full line is in the line for flow time and work in progress; a source without `every` gives only what is taken. `phases` make time run
faster or slower likewise, for random times: the arrival that is due is put off or hastened when the phase changes. `together`: all of one arrival
find a place, or none of them comes in.
"""
FIGURES = (
    ("throughput, wip, flow", "of the whole model: items leaving by `out` or a sink a second, mean number there, mean time from arrival to leaving; "
     "`flow_deviation`, `flow_p50` to `flow_p99`"),
    ("arrivals, departures, lost, scrapped", "counts of the whole model, after the warm-up"),
    ("made, used", "items that a fork, join, assembly, pack or unpack has made, and those that it used for it; only where there are such"),
    ("little_residual", "(wip - throughput x flow) / wip; near 0 in a long run. Not where something is lost, scrapped, made, or there from the start"),
    ("BLOCK.number, BLOCK.queue", "mean number in the block; of these, whose work is not begun"),
    ("BLOCK.wait, BLOCK.sojourn", "mean time until work begins first, of those whose work was begun (of all who came: `queue` / rate of arrivals); mean time from coming to going, also of those who gave up. Also `wait_deviation`, `wait_p95`"),
    ("BLOCK.delayed_share, BLOCK.in_time_share", "share that waited at all; that waited at most `target_s` until its work was begun. Who gave up has waited, and in vain"),
    ("BLOCK.lost, BLOCK.lost_share, BLOCK.balked, BLOCK.reneged, BLOCK.scrapped", "who found no room or did not stay, also as a share of all who came; of these, who did not stay; who gave up; what a failure spoiled"),
    ("BLOCK.reneged_share", "who gave up, as a share of those who came in"),
    ("BLOCK.classes.CLASS.number, .wait, .sojourn, .lost_share", "the same of one class there; of a class in an assembly: its stock. With classes only"),
    ("BLOCK.at.N", "share of time with N in the block, for N below 64"),
    ("BLOCK.states.STATE", f"share of time of a channel in {', '.join(STATES)}; they sum to 1"),
    ("BLOCK.packml.STATE", f"of a packer: {', '.join(sorted(set(PACKML.values())))}"),
    ("BLOCK.oee.availability, .effectiveness, .quality, .index", "by ISO 22400-2: time at work / time not away; planned time of what was made / time at work; good / made; the product"),
    ("BLOCK.eyes.N", "share of time in which an item stood under the photo-eye of zone N of a conveyor"),
    ("BLOCK.batch, BLOCK.batches, BLOCK.pack", "mean number in a batch, and how many were begun; mean number in a pack"),
    ("BLOCK.visits", "how often a courier came, or a polling server to a queue"),
    ("BLOCK.waiting.CLASS", "parts of a class that stand in an assembly at the end"),
    ("BLOCK.verdicts.WORD", "how often a block found that of a piece"),
    ("classes.CLASS.flow, .departures", "flow time and number of a class"),
)  # fmt: skip
RUNS = """
## Runs and intervals

Each run has random numbers of its own; intervals are Student's over the runs (over pairs of runs with `antithetic`). `warmup_s = "mser"` looks
at five pilot runs of their own with MSER-5 and takes the longest cut; when one has not settled, half of the horizon, and a warning. With one run only,
the flow time has an interval from 30 batch means, with von Neumann's ratio: near 2 is well. Against a second file both run with the same
seeds, and the differences are paired run by run.

The bottleneck is told in two ways: the station that is least starved or blocked, and the one that is most often in the longest uninterrupted
active period (Roser, Nakano & Tanaka 2002), for stations of one channel.

Figures, as they are called in the JSON and by [`packline sim model`](command-line.md#sim-model), which shows the first of them and with
`--figure PATTERN` any:
"""


def model_pages() -> dict[str, str]:
    """Give page and schema by their names under the reference folder."""
    return {"model-file.md": _page(), "model.schema.json": _schema()}


def _explained() -> Explained:
    words = {f"{part.__name__}.kind": "Says which block it is." for part in BLOCKS.values()}
    return Explained(ModelFile, {**words, "Law.kind": "The law.", "ModelFile.model": "The model."})


def _schema() -> str:
    explained = _explained()
    _without_infinity(explained.schema)
    return explained.as_json("Packline model file")


def _without_infinity(node: Any) -> None:
    """Take out defaults that JSON has no number for; the words say that there is no end."""
    if isinstance(node, dict):
        default = node.get("default")
        if isinstance(default, float) and math.isinf(default):
            del node["default"]
        for value in node.values():
            _without_infinity(value)
    elif isinstance(node, list):
        for value in node:
            _without_infinity(value)


def _page() -> str:
    explained = _explained()
    text = page(
        "Model file",
        INTRO,
        block("#:schema docs/reference/model.schema.json", "toml"),
        "For example:",
        block(EXAMPLE.strip(), "toml"),
        f"## [model]\n\n{explained.rows('Model')}",
        f"## [model.classes.*name*]\n\n{explained.meaning('ClassPart')}\n\n{explained.rows('ClassPart')}",
        "## [model.blocks.*name*]\n\nThe keys of a block depend on its `kind`.",
        *(_part(explained, kind, part) for kind, part in BLOCKS.items() if kind not in STATIONS),
        _inner(explained, "RatePart", "Rates of a source"),
        _inner(explained, "PhasePart", "Phases of a source"),
        _inner(explained, "ShiftPart", "Shifts of operators"),
        "## Stations\n" + STATION + "\n" + explained.rows("ServerPart", _of_its_own(BLOCKS["server"])),
        *(_part(explained, kind, BLOCKS[kind]) for kind in STATIONS),
        _inner(explained, "FailurePart", "Failures"),
        _inner(explained, "StockPart", "Rolls and reels"),
        "## Distributions\n" + LAWS + "\n" + _laws() + "\n\n" + explained.rows("Law", {"kind"}),
        SEMANTICS,
        RUNS,
        table(["figure", "is"], ((code(name), words) for name, words in FIGURES)),
        f"{model_books.INTRO.strip()}\n\n{table(['in the book', 'in the file'], model_books.SAID)}",
        model_books.CANNOT,
    )
    return text.replace("`Infinity`", "`inf`")


def _part(explained: Explained, kind: str, part: type[Part]) -> str:
    name = part.__name__
    told = _told_with_stations(part) if kind in STATIONS else {"kind"}
    rows = explained.rows(name, told) if set(part.model_fields) - told else ""
    return f"### {kind}\n\n{explained.meaning(name)}\n\n{rows}".rstrip()


def _of_its_own(part: type[Part]) -> set[str]:
    """Give the keys that not every station has."""
    return set(part.model_fields) - set(StationPart.model_fields)


def _told_with_stations(part: type[Part]) -> set[str]:
    """Give the keys that are told for all stations: those with another default are told again."""
    server = BLOCKS["server"].model_fields
    common = (key for key in StationPart.model_fields if part.model_fields[key].default == server[key].default)
    return {"kind", *common}


def _inner(explained: Explained, definition: str, title: str) -> str:
    return f"### {title}\n\n{explained.meaning(definition)}\n\n{explained.rows(definition)}"


def _laws() -> str:
    kinds = get_args(get_type_hints(Law, include_extras=True)["kind"])
    return table(["kind", "needs", "is"], ((code(kind), *LAW_WORDS[kind]) for kind in kinds))
