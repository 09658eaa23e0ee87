"""What books and other programs call the keys and values of a model file: a wrong word is told the right one."""

from __future__ import annotations

from collections.abc import Mapping

from packline.core.faults import Fault

UNKNOWN_KEY = 4202

KEYS: Mapping[str, str] = {
    **dict.fromkeys(("servers", "c", "parallel", "machines"), "channels"),
    **dict.fromkeys(
        ("capacity", "places", "k", "buffer", "room"), "queue: places besides the channels, K - c of M/M/c/K"
    ),
    **dict.fromkeys(
        ("mu", "rate", "mean", "service_rate", "service_time", "service_s", "time", "time_s", "process"),
        'service, a time: a number, or { kind = "exponential", mean = 1 }',
    ),
    **dict.fromkeys(("bulk", "group", "batch_size"), "batch, and batch_least"),
    **dict.fromkeys(("reneging", "abandonment", "renege", "max_wait"), "patience, a time"),
    **dict.fromkeys(("balking", "balks"), "balk, probabilities with 0, 1, 2 ... there"),
    **dict.fromkeys(
        ("mtbf", "mttf", "mttr", "uptime", "downtime", "breakdowns", "failure"),
        'failures = [{ by = "busy", every = 100, repair = 10 }]',
    ),
    **dict.fromkeys(("vacation_s", "vacation_time"), "vacation, a time"),
    **dict.fromkeys(("setup_s", "setup_time", "changeover"), "setup, a time"),
    **dict.fromkeys(("priority", "priorities"), "classes with a priority, and mix at the source"),
    **dict.fromkeys(("routing", "to", "out", "routes", "route"), "next"),
    **dict.fromkeys(("start", "initially", "population", "customers"), 'initial = { "" = 6 }'),
    **dict.fromkeys(("n_policy", "threshold"), "start_at"),
    **dict.fromkeys(("operators", "worker", "workers"), "operator, the name of a block of kind operator"),
}
"""Of a station, or another block."""
SOURCE_KEYS: Mapping[str, str] = {
    **dict.fromkeys(
        ("rate", "lambda", "arrival_rate", "arrivals", "interarrival", "interarrival_s", "arrival", "mean"),
        'every = { kind = "exponential", rate = 0.8 }, the time between two arrivals',
    ),
    **dict.fromkeys(("batch", "bulk", "group", "batch_size"), "size, how many come together"),
    **dict.fromkeys(("class", "classes", "type", "priority"), "mix = { a = 1 }, the classes and their weights"),
    **dict.fromkeys(("times", "schedule", "arrive_at"), "at, a list of seconds"),
    **dict.fromkeys(("count", "limit", "total"), "most"),
    **dict.fromkeys(("routing", "to", "out", "routes", "route"), "next"),
}
"""Of a source."""
HEAD: Mapping[str, str] = {
    **dict.fromkeys(("runs", "reps", "n"), "replications"),
    **dict.fromkeys(("duration", "duration_s", "until", "length", "time", "end"), "horizon_s"),
    **dict.fromkeys(("warm_up", "warm_up_s", "transient"), "warmup_s"),
    **dict.fromkeys(("confidence", "alpha"), "level"),
}
"""Of `[model]`."""
FIGURES: Mapping[str, str] = {
    **dict.fromkeys(("sd", "std", "sigma", "deviation", "stddev", "var", "variance"), "cv: standard deviation / mean"),
    **dict.fromkeys(("scale", "mu", "alpha", "beta"), "mean, and cv or shape"),
    **dict.fromkeys(("min", "a"), "low"),
    **dict.fromkeys(("max", "b"), "high"),
    **dict.fromkeys(("probabilities", "p", "probs"), "weights"),
    **dict.fromkeys(("rates", "lambda"), "means: 1 / rate of each"),
    **dict.fromkeys(("value", "constant"), "mean"),
    **dict.fromkeys(("stages", "phases"), "k"),
}
"""Of a distribution."""
KINDS: Mapping[str, str] = {
    **dict.fromkeys(("queue", "station", "resource", "desk", "node"), "server"),
    **dict.fromkeys(("generator", "arrivals", "create"), "source"),
    **dict.fromkeys(("exit", "dispose", "drain"), 'sink, or next = "out"'),
    **dict.fromkeys(("split", "router", "switch", "branch"), "divert"),
    **dict.fromkeys(("delay", "infinite"), "server with channels = inf"),
    **dict.fromkeys(("worker", "crew", "people"), "operator"),
    **dict.fromkeys(("store", "storage"), "buffer"),
    **dict.fromkeys(("scale", "checkweigh"), "checkweigher"),
}
"""Of blocks."""
LAWS: Mapping[str, str] = {
    **dict.fromkeys(("exp", "m", "markov", "negexp"), "exponential"),
    **dict.fromkeys(("const", "constant", "fixed", "d"), "deterministic"),
    **dict.fromkeys(
        ("normal", "gaussian", "truncnorm"), "lognormal or gamma with mean and cv: a normal time would also be negative"
    ),
    **dict.fromkeys(("beta", "pert"), "triangular"),
    **dict.fromkeys(("discrete", "table", "trace", "binomial", "bernoulli"), "empirical with values and weights"),
    **dict.fromkeys(("hyper", "h2"), "hyperexponential"),
    **dict.fromkeys(("phase", "ph"), "coxian"),
}
"""Of distributions."""
VALUES: Mapping[str, str] = {
    **dict.fromkeys(("ps", "processor_sharing", "sharing"), "shared"),
    **dict.fromkeys(("lcfs", "stack"), "lifo"),
    **dict.fromkeys(("fcfs", "first_come"), "fifo"),
    **dict.fromkeys(("siro", "rss"), "random"),
    **dict.fromkeys(("spt", "sjf", "srpt"), 'shortest, with preempt = "resume" for the least that is left'),
    **dict.fromkeys(("aging", "delay_dependent", "dynamic"), "ageing, with a gain of each class"),
    **dict.fromkeys(("priority", "hol"), "fifo: classes with a priority go first in every discipline"),
}
"""Of a discipline."""
ENDS: Mapping[str, str] = dict.fromkeys(("exit", "sink", "leave", "end", "done"), '"out", or a block of kind sink')
"""Of the way out."""


def with_meaning(fault: Fault, place: str, kind: str = "") -> Fault:
    """Say in the remedy what a word that is not known was meant to be, where a book would use it; else give the fault as it is.

    `place` is its dotted place in its block (of that kind), or in `[model]` without one.
    """
    parts = place.split(".")
    if fault.code == UNKNOWN_KEY:
        found = _key(parts, kind, parts[-1].lower())
    else:
        found = _value(parts, fault.seen.strip("'\"").lower())
    if not found:
        return fault
    return Fault(fault.code, where=fault.where, seen=fault.seen, expected=fault.expected, remedy=f"Here it is {found}.")


def _key(parts: list[str], kind: str, word: str) -> str:
    if not kind:
        return HEAD.get(word, "") if len(parts) == 1 else ""
    if len(parts) > 1:
        return FIGURES.get(word, "")
    return (SOURCE_KEYS if kind == "source" else KEYS).get(word, "")


def _value(parts: list[str], word: str) -> str:
    last = parts[-1]
    if last == "kind":
        return (KINDS if len(parts) == 1 else LAWS).get(word, "")
    return {"discipline": VALUES, "next": ENDS}.get(last, {}).get(word, "")
