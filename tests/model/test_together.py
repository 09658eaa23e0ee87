"""Mistakes in what is done together are told like all others: where, seen, expected."""

import pytest

from tests.model.test_model_file import changed, faults

SERVICE, MIX, NEXT = "service = 1", "mix = { vip = 1 }", "next = { desk = 0.25, out = 0.75 }"
POLLING = 'kind = "polling"\nwalk = 1\norder = ["vip"]'
WRONG = [
    (SERVICE, "service = 1\nbatch = 2\nbatch_least = 3", "desk.batch_least"),
    (SERVICE, "service = 1\nbatch_wait_s = 3", "desk.batch_wait_s"),
    (SERVICE, "service = 1\nbatch_each = 3", "desk.batch_each"),
    (SERVICE, "service = 1\nbatch_open = true", "desk.batch_open"),
    (SERVICE, "service = 1\nbatch = 2\nbatch_open = true\nbatch_each = 3", "desk.batch_each"),
    (SERVICE, "service = 1\nbatch = 2\npreempt = 'resume'", "desk.preempt"),
    (SERVICE, "service = 1\nbatch = 2\nblocking = 'before'", "desk.blocking"),
    (SERVICE, "service = 1\nbatch = 2\nstart_at = 4", "desk.start_at"),
    (SERVICE, "service = 1\nbatch = 2\ndiscipline = 'shortest'", "desk.discipline"),
    (SERVICE, "service = 1\nbatch = 1.5", "desk.batch"),
    (SERVICE, "service = 1\nbatch = 2\nchannels = inf", "desk.batch"),
    (SERVICE, "service = 1\nbatch = 2\ndiscipline = 'shared'", "desk.batch"),
    (
        SERVICE,
        "service = 1\nbatch = 2\nfailures = [{ every = 5, repair = 1, passed_on = true }]",
        "desk.failures.0.passed_on",
    ),
    (SERVICE, "service = 1\nfailures = [{ every = 5, repair = 1, whole = true, by = 'busy' }]", "desk.failures.0.by"),
    (
        SERVICE,
        "service = 1\nfailures = [{ every = 5, repair = 1, whole = true, passed_on = true }]",
        "desk.failures.0.passed_on",
    ),
    (SERVICE, "service = 1\nbalk = [0, 2]", "desk.balk.1"),
    (SERVICE, "service = 1\nstart_at = 4\nqueue = 1", "desk.start_at"),
    (SERVICE, "service = 1\nstart_at = 4\nvacation = 1", "desk.vacation"),
    (SERVICE, "service = 1\nspeeds = [1, 2]", "desk.speeds"),
    (SERVICE, "service = 1\ndiscipline = 'shared'\nspeeds = [0]", "desk.speeds.0"),
    ('kind = "server"', POLLING.replace("vip", "vop"), "desk.order.vop"),
    ('kind = "server"', POLLING.replace('["vip"]', '["vip", "vip"]'), "desk.order"),
    ('kind = "server"', POLLING.replace("walk = 1", "walk = 0"), "desk.walk"),
    ('kind = "server"', POLLING.replace("walk = 1\n", ""), "desk.walk"),
    ('kind = "server"', f"{POLLING}\nchannels = 2", "desk.channels"),
    ('kind = "server"', f"{POLLING}\ndiscipline = 'lifo'", "desk.discipline"),
    ('kind = "server"', f"{POLLING}\nvacation = 2", "desk.vacation"),
    (MIX, "phases = { a = { times = 1, last = 0 } }", "in.phases.a.last"),
    (MIX, "phases = { a = { times = 0, last = 1 } }", "in.phases"),
    (MIX, "phases = { a = { times = 1, last = 1, next = 'b' } }", "in.phases.a.next"),
    (MIX, "phases = { a = { times = 1, last = 1, next = { a = 0.5 } } }", "in.phases.a.next"),
    (MIX, "phases = { a = { times = 1, last = 1 } }\nprofile = [{ from_s = 0, times = 1 }]", "in.phases"),
    (MIX, "together = true", "in.blocked"),
    (
        'every = { kind = "exponential", mean = 1.25 }',
        "at = [1]\nphases = { a = { times = 1, last = 1 } }",
        "in.phases",
    ),
    (NEXT, 'next = "x"\n[model.blocks.x]\nkind = "fork"\nto = []', "x.to"),
    (NEXT, 'next = "x"\n[model.blocks.x]\nkind = "fork"\nto = ["out", "deks"]', "x.to"),
    (NEXT, 'next = "x"\n[model.blocks.x]\nkind = "join"\ncapacity = 0\nnext = "out"', "x.capacity"),
    (NEXT, 'next = "x"\n[model.blocks.x]\nkind = "assembly"\nneeds = {}\nnext = "out"', "x.needs"),
    (NEXT, 'next = "x"\n[model.blocks.x]\nkind = "assembly"\nneeds = { vop = 1 }\nnext = "out"', "x.needs.vop"),
    (
        NEXT,
        'next = "x"\n[model.blocks.x]\nkind = "assembly"\nneeds = { vip = 3 }\nplaces = 2\nnext = "out"',
        "x.places",
    ),
    (NEXT, 'next = "x"\n[model.blocks.x]\nkind = "pack"\npieces = 3\ncapacity = 2\nnext = "out"', "x.capacity"),
    (NEXT, 'next = "x"\n[model.blocks.x]\nkind = "pack"\npieces = 3\nmakes = "box"\nnext = "out"', "x.makes.box"),
    (NEXT, 'next = "x"\n[model.blocks.x]\nkind = "unpack"\npieces = 0\nnext = "out"', "x.pieces"),
    (NEXT, 'next = "x"\n[model.blocks.x]\nkind = "limit"\nmost = 0\nnext = "out"', "x.most"),
    (NEXT, 'next = "x"\n[model.blocks.x]\nkind = "release"\nlimit = "desk"\nnext = "out"', "x.limit"),
    (NEXT, 'next = "x"\n[model.blocks.x]\nkind = "release"\nnext = "out"', "x.limit"),
]


@pytest.mark.parametrize("before, after, place", WRONG, ids=[f"{place}: {after[-40:]!r}" for _, after, place in WRONG])
def test_a_mistake_in_what_is_done_together_is_told_where_it_is(before, after, place):
    found = faults(changed((before, after)))
    assert list(found) == [f"model.blocks.{place}"], found
    assert all(found[f"model.blocks.{place}"])


SATURATED = changed(('every = { kind = "exponential", mean = 1.25 }\n', ""), ('next = "desk"', 'next = "cap"'))
CAP = '\n[model.blocks.cap]\nkind = "limit"\nmost = 3\nnext = "desk"\n'


def test_a_saturated_source_behind_a_limit_may_lead_to_an_endless_queue():
    assert faults(SATURATED + CAP) == {}


def test_a_limit_that_lets_go_without_time_is_none():
    let_go = CAP.replace('"desk"', '"free"') + '[model.blocks.free]\nkind = "release"\nlimit = "cap"\nnext = "desk"\n'
    assert "model.blocks.in.every" in faults(SATURATED + let_go)
    assert "model.blocks.in.every" in faults(
        SATURATED.replace("service = 1", "service = 1\nqueue = 0\nfull = 'lose'") + CAP
    )


def test_a_circle_of_joins_and_packs_takes_no_time():
    pack = '\n[model.blocks.x]\nkind = "pack"\npieces = 1\nnext = "y"\n[model.blocks.y]\nkind = "unpack"\nnext = { x = 0.5, out = 0.5 }\n'
    found = faults(changed((NEXT, 'next = "x"')) + pack)
    assert found["model.blocks.x.next"][0] == "x -> y -> x"
