"""A stranger writes what his book says: he is told the word of this file; and a line that never settles is told."""

import tomllib

import pytest

from simulation.model.reading import read_model
from simulation.model.settling import Growth, growing
from tests.blocks.made import ran, server
from tests.model.test_model_file import GOOD

WRONG = [
    ("service = 1", "service = 1\nservers = 2", "channels"),
    ("service = 1", "service = 1\ncapacity = 5", "queue: places besides the channels"),
    ("service = 1", "rate = 1.2", "service, a time"),
    ("service = 1", "service = 1\nmtbf = 90", "failures = "),
    ("service = 1", "service = 1\ndiscipline = 'PS'", "shared"),
    ("service = 1", "service = 1\ndiscipline = 'lcfs'", "lifo"),
    ("service = 1", "service = 1\ndiscipline = 'aging'", "ageing"),
    ("service = 1", "service = { kind = 'normal', mean = 1 }", "lognormal or gamma"),
    ("service = 1", "service = { kind = 'exp', mean = 1 }", "exponential"),
    ("service = 1", "service = { kind = 'lognormal', mean = 1, cv = 1, sd = 1 }", "cv: standard deviation / mean"),
    ("service = 1", "service = { kind = 'uniform', low = 0, high = 2, max = 2 }", "high"),
    ('kind = "server"', 'kind = "queue"', "server"),
    ("mix = { vip = 1 }", "mix = { vip = 1 }\nrate = 0.8", "every = "),
    ("mix = { vip = 1 }", "mix = { vip = 1 }\nbatch = 2", "size"),
    ("horizon_s = 100", "horizon_s = 100\nruns = 5", "replications"),
    ("{ desk = 0.25, out = 0.75 }", "'sink'", '"out"'),
]


@pytest.mark.parametrize("before, after, remedy", WRONG, ids=[after[-30:] for _, after, _ in WRONG])
def test_a_word_of_the_books_is_told_the_word_of_this_file(before, after, remedy):
    assert before in GOOD
    _, found = read_model(tomllib.loads(GOOD.replace(before, after, 1)), "m.toml")
    assert [fault for fault in found if fault.remedy.startswith(f"Here it is {remedy}")], [f.remedy for f in found]


def test_times_between_arrivals_are_not_poisson():
    _, found = read_model(tomllib.loads(GOOD.replace('"exponential"', '"poisson"')), "m.toml")
    assert [fault.where for fault in found] == ["m.toml [model.blocks.in.every.kind]"]


def test_an_overloaded_server_is_told_and_a_busy_one_is_not():
    def line(service):
        return {"in": {"kind": "source", "every": 1, "next": "desk"}, "desk": server(service)}

    assert [text[:16] for text in ran(line(1.2), 1000).warnings] == ["desk fills up: 1"]
    assert ran(line(1), 1000).warnings == []


def test_what_is_there_from_the_start_has_not_come_meanwhile():
    store = {"kind": "buffer", "initial": {"": 500}, "next": "desk"}
    assert ran({"store": store, "desk": server(1)}, 100).warnings == []


def test_a_few_more_are_no_overload():
    assert list(growing([])) == []
    assert list(growing([{"a": Growth(by=9, came=20)}])) == []
    assert list(growing([{"a": Growth(by=90, came=20000)}])) == []
    assert len(list(growing([{"a": Growth(by=90, came=900)}, {"a": Growth(by=91, came=900)}]))) == 1
    assert list(growing([{"a": Growth(by=90, came=900)}, {"a": Growth(by=-60, came=900)}])) == []
