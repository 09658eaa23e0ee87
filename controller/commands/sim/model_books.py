"""What the books say, and how a model file says it: the last part of its reference page, and what a file cannot say."""

from __future__ import annotations

INTRO = """
## What the books call it

How to say what a textbook asks for. `M` is `{ kind = "exponential", mean = 1 }`, `D` a number, `E_k` an `erlang`, `H` a `hyperexponential`, `PH` a `coxian`.
"""
SAID = (
    ("M/G/c/K", "`server` with `channels` = c, `queue` = K - c and `full = \"lose\"`; without `queue` it has no end, with `channels = inf` there is none"),
    ("GI/G/1; renewal arrivals", "any distribution as the source's `every`"),
    ("Erlang B, Erlang C", "`lost_share` with `queue = 0` and `full = \"lose\"`; `delayed_share`, and `in_time_share` with `target_s`"),
    ("Erlang A, M/M/c+G; balking", "`patience`; `balk = [0, 0, 0.5]`"),
    ("guard channels, trunk reservation", "`balk_by_class = { new = [0, 0, 0, 0, 1] }`: who finds four there is turned away, if he is `new`"),
    ("overflow groups, retrials", "`overflow` to the next group; to a `server` with `channels = inf` that leads back"),
    ("finite source, machine repair, Engset", "no source: a `server` with `channels = inf` (as many as may run at once, where there are spares) and `initial = { \"\" = 6 }`, whose `next` is the repair, whose `next` leads back"),
    ("closed network, CPU and terminals", "the same; terminals are a `server` with `channels = inf`. Or a saturated source and a `limit`"),
    ("M^[X]/M/1; bulk service", "`size` at the source; `batch`, `batch_least`. A bus that comes now and then is a `courier` with `load`"),
    ("priorities, with and without preemption", "`classes` with a `priority`, `mix` at the source, `preempt`; figures of each class at a block are `BLOCK.classes.CLASS.*`"),
    ("priorities that grow with waiting (delay-dependent)", "`discipline = \"ageing\"`, and `classes` with a `gain`"),
    ("class-dependent routes, job shop", "a `divert` by `class` behind each station"),
    ("re-entrant line: another class on the way back", "`unpack` with `makes`: an item that was never packed becomes one of that class, as old as before"),
    ("feedback, rework, Bernoulli splitting", "`next = { a = 0.2, out = 0.8 }`"),
    ("quantum of time, round robin", "a short `service`, and `next` back to itself; processor sharing is `discipline = \"shared\"`"),
    ("one queue before unlike servers", "a `buffer`, then a `divert` with `first_free` to `machine`s without a queue"),
    ("join the shortest queue; by turns", "`divert` with `shortest`, or `turns`"),
    ("fixed-cycle traffic light", "an `operator` with `shifts` and `cycle_s`: who has begun finishes after the end of green"),
    ("servers by the hour, M/M/c(t)", "`channels` for the most there are, and an `operator` with `shifts` whom each of them needs"),
    ("saturated line, blocking", "a `source` without `every`, `machine`s, a `buffer` with `capacity` between; `blocking`"),
    ("time- or operation-dependent failures", "`failures` by `time` (any time it is up) or `busy` (at work only), `cycles`"),
    ("one who loads several machines, machine interference", "a saturated source, a `limit` of as many as there are machines, a server for the loader, one with as many channels for the machines"),
    ("CONWIP, kanban, POLCA, a window with loss", "`limit` and `release`; with `blocked = \"lose\"` at the source who finds it closed is lost"),
    ("kitting, token bucket, taxi rank", "`assembly` of two classes; a source with `blocked = \"lose\"` where its places are few, a `buffer` before it where the others wait without end"),
    ("base stock, make to stock", "a `fork` of each demand to the shop and to an `assembly` of demand and piece; the shop's `next` is an `unpack` that `makes` pieces; a `buffer` with `initial` pieces leads to the assembly. There, the number of pieces is on hand, that of demands is owed"),
    ("(r, Q), (s, S) with demands of one", "as above, with a `pack` of Q before a `server` of the lead time, and an `unpack` behind it: Q are ordered when on hand, owed and on order fall to `initial` - Q"),
    ("lost sales", "a source with `blocked = \"lose\"` and a `limit` of as many as are kept: who passes it has bought one, and goes on as the order for another (a `pack` of Q, a `server` of the lead time, an `unpack`) to its `release`. Its `number` is what is not on hand"),
    ("periodic review", "a `courier` instead of the `pack`: what it takes is ordered together"),
    ("series-parallel activity network", "`fork` and `join`, one project at a time by a `limit` of 1; the longest way is `flow`"),
    ("the first 25 customers; mean number at t", "`most = 25`, `warmup_s = 0`, many `replications`; a short time from `warmup_s` to `horizon_s` around t"),
    ("rates by the hour; random rates", "`profile`; `phases`"),
)  # fmt: skip
CANNOT = """
### What a file cannot say

So that nobody looks for it: weights among those who share a processor, a server that takes some classes only
(skills) unless each class has a queue before it, work that needs several channels or several operators at once, channels that are switched on and off by
the length of a queue (but `start_at`), failures that throw out all who wait, work that goes on more slowly during a vacation, a walk from queue to
queue that rests while all are empty or comes to one of them twice in a round, one after the other at a speed that follows their number (but `shared`), speeds that depend on the state of another block, arrivals that
depend on anything but the clock and their phases (but closed networks), demands for several pieces of a stock at once that wait for all of them in part,
a patience that goes on while work is done, and draws that depend on each other. Figures are of the whole time that counts, not by the hour:
set `warmup_s` and `horizon_s` around the hour that you ask for, with many `replications`.
"""
