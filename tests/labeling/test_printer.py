"""The printer driver against a printer on a real socket."""

from dataclasses import replace

import pytest

from labeling.drivers.replies import StatusBlock
from labeling.printer import LabelPrinter
from packline.core.effects import EffectState
from packline.core.faults import Fault

pytestmark = pytest.mark.wire


async def print_once(driver: LabelPrinter, effect):
    ticket = await driver.prepare(effect, 1)
    evidence = await driver.send(effect, ticket)
    return noted(ticket, evidence), evidence


def noted(ticket, evidence):
    """Give the ticket as the ledger gives it back."""
    return replace(ticket, extra={**ticket.extra, **evidence.remember})


async def test_a_label_is_confirmed_by_its_process_id(fake, driver, effect):
    ticket, evidence = await print_once(driver, effect)
    assert (evidence.state, evidence.source) == (EffectState.CONFIRMED, "process id")
    assert ticket.extra["counter_before"] == 7
    assert ticket.extra["print_number"] == 1234
    assert fake.labels == 1


async def test_the_counter_confirms_a_label_whose_answer_was_lost_with_the_controller(fake, driver, effect):
    ticket, _ = await print_once(driver, effect)
    await driver.close()
    evidence = await driver.inquire(effect, ticket)
    assert (evidence.state, evidence.source) == (EffectState.CONFIRMED, "label counter")
    assert fake.labels == 1


async def test_a_job_that_never_left_is_told_as_not_executed(driver, effect):
    ticket = await driver.prepare(effect, 1)
    evidence = await driver.inquire(effect, ticket)
    assert evidence.state is EffectState.NOT_EXECUTED


async def test_one_connection_serves_several_labels(fake, driver, effect):
    for _ in range(2):
        _, evidence = await print_once(driver, effect)
        assert evidence.state is EffectState.CONFIRMED
    assert fake.connections == 1


@pytest.mark.parametrize(
    "state,code", [({"paper": False}, 2101), ({"cover_open": True}, 2102), ({"broken": True}, 2106)]
)
async def test_a_printer_that_cannot_print_is_given_no_job(fake, driver, effect, state, code):
    for name, value in state.items():
        setattr(fake, name, value)
    with pytest.raises(Fault) as caught:
        await driver.prepare(effect, 1)
    assert caught.value.code == code


async def test_a_silent_printer_is_given_no_job(fake, driver, effect):
    fake.silent = True
    with pytest.raises(Fault, match="2103"):
        await driver.prepare(effect, 1)


async def test_a_printer_that_is_off_is_told_as_not_reachable(fake, effect, unused_address):
    driver = fake_driver(unused_address)
    with pytest.raises(Fault, match="1001"):
        await driver.prepare(effect, 1)
    assert not driver.is_connected()


async def test_paper_that_runs_out_in_mid_label_spoils_it_though_the_rest_comes_out_later(fake, driver, effect):
    fake.rows_until_paper_out = 300
    ticket, evidence = await print_once(driver, effect)
    assert (evidence.state, evidence.fault, evidence.data) == (EffectState.UNKNOWN, 2105, {"cause": 2101})
    again = await driver.inquire(effect, ticket)
    assert (again.state, again.fault, again.data) == (EffectState.UNKNOWN, 2101, {"says": "no paper"})
    fake.reload()
    evidence = await driver.inquire(effect, ticket)
    assert (evidence.state, evidence.fault) == (EffectState.FAILED, 2105)
    assert fake.labels == 1


async def test_a_printer_found_without_paper_after_a_crash_makes_the_label_doubtful(fake, driver, effect):
    ticket = await driver.prepare(effect, 1)
    fake.rows_until_paper_out = 300
    await driver.send(effect, ticket)
    restarted = fake_driver(fake.address)
    evidence = await restarted.inquire(effect, ticket)
    assert evidence.fault == 2101
    fake.reload()
    assert (await restarted.inquire(effect, noted(ticket, evidence))).state is EffectState.FAILED
    await restarted.close()


async def test_a_stop_is_not_forgotten_by_a_controller_that_begins_again_after_the_paper_was_loaded(
    fake, driver, effect
):
    fake.rows_until_paper_out = 300
    ticket, _ = await print_once(driver, effect)
    fake.reload()
    restarted = fake_driver(fake.address)
    evidence = await restarted.inquire(effect, ticket)
    assert (evidence.state, evidence.fault) == (EffectState.FAILED, 2105)
    await restarted.close()


async def test_a_cover_that_was_open_for_shorter_than_anybody_asks_spoils_the_label_in_the_making(fake, driver, effect):
    fake.opened_after_rows = 300
    ticket, evidence = await print_once(driver, effect)
    assert (evidence.state, evidence.fault, evidence.data) == (EffectState.UNKNOWN, 2105, {"cause": 2102})
    evidence = await driver.inquire(effect, ticket)
    assert (evidence.state, evidence.fault) == (EffectState.FAILED, 2105)


async def test_a_cover_that_was_open_between_two_jobs_spoils_neither(fake, driver, effect):
    await print_once(driver, effect)
    driver._dialogue._unread.append(StatusBlock(data=bytes((0x38, 0, 0, 0))))
    assert (await print_once(driver, effect))[1].state is EffectState.CONFIRMED


async def test_a_printer_that_was_ready_and_did_not_say_what_it_counted_is_not_believed_when_it_does(
    fake, driver, effect
):
    """Nobody saw it stop; somebody takes the half label away, and the rest comes out with its cut."""
    ticket = await driver.prepare(effect, 1)
    fake.rows_until_paper_out, fake.is_exit_taken = 300, True
    ticket = noted(ticket, await driver.send(effect, ticket))
    silent = await driver.inquire(effect, ticket)
    assert (silent.state, silent.fault) == (EffectState.UNKNOWN, 2103)
    fake.is_exit_taken, fake.rows_until_paper_out = False, None
    fake.work()
    evidence = await driver.inquire(effect, noted(ticket, silent))
    assert fake.labels == 1 and (evidence.state, evidence.fault) == (EffectState.FAILED, 2105)


async def test_an_interrupted_job_that_cannot_be_asked_about_is_half_a_label_and_no_silence(fake, driver, effect):
    """The half label keeps the exit, what is left of the job waits behind it, and questions wait behind that."""
    fake.rows_until_paper_out = 300
    ticket, _ = await print_once(driver, effect)
    fake.paper, fake.rows_until_paper_out, fake.is_exit_taken = True, None, True
    evidence = await driver.inquire(effect, ticket)
    assert (evidence.state, evidence.fault) == (EffectState.UNKNOWN, 2105)


async def test_a_late_word_about_the_label_before_says_nothing_of_this_one(fake, driver, effect):
    """The printer took long to say that the first was out, and stops in the middle of the second."""
    fake.keeps_back = 1
    _, first = await print_once(driver, effect)
    assert (first.state, first.fault) == (EffectState.UNKNOWN, 2103)
    fake.rows_until_paper_out = 300
    _, second = await print_once(driver, effect)
    assert (second.state, second.fault) == (EffectState.UNKNOWN, 2105)


async def test_a_late_answer_is_not_taken_for_that_to_the_next_question(fake, driver, effect):
    fake.late_counters = 1
    with pytest.raises(Fault) as fault:
        await driver.prepare(effect, 1)
    assert fault.value.code == 2103
    fake.cuts += 1  # somebody pressed the feed button
    assert (await driver.prepare(effect, 2)).extra["counter_before"] == fake.cuts
    assert fake.connections == 2


async def test_an_answer_that_comes_twice_is_not_taken_for_that_to_the_next_question(fake, driver, effect):
    fake.answers_twice = True
    extra = (await driver.prepare(effect, 1)).extra
    assert (extra["counter_before"], extra["rows_before"]) == (fake.cuts, fake.rows)


async def test_a_label_that_is_still_on_its_way_through_the_printer_is_waited_for(fake, driver, effect):
    """Once is not enough: the first look at the counters was before the head began."""
    ticket = await driver.prepare(effect, 1)
    fake.comes_out_after_questions = 2
    evidence = await driver.inquire(effect, ticket)
    assert (evidence.state, evidence.source) == (EffectState.CONFIRMED, "label counter")


async def test_a_label_that_broke_off_is_told_as_half_printed(fake, driver, effect):
    fake.rows_until_break = 200
    ticket, evidence = await print_once(driver, effect)
    assert (evidence.state, evidence.fault) == (EffectState.UNKNOWN, 2105)
    fake.repair()
    evidence = await driver.inquire(effect, ticket)
    assert (evidence.state, evidence.fault) == (EffectState.FAILED, 2105)
    assert fake.labels == 0


async def test_a_printer_that_swallows_the_job_leaves_it_open_and_the_counter_settles_it(fake, driver, effect):
    fake.swallow_jobs = True
    ticket, evidence = await print_once(driver, effect)
    assert (evidence.state, evidence.fault) == (EffectState.UNKNOWN, 2103)
    fake.swallow_jobs = False
    evidence = await driver.inquire(effect, ticket)
    assert (evidence.state, evidence.fault) == (EffectState.UNKNOWN, 2103)


async def test_a_printer_that_falls_silent_leaves_the_job_open(fake, driver, effect):
    ticket = await driver.prepare(effect, 1)
    fake.silent = True
    evidence = await driver.send(effect, ticket)
    assert (evidence.state, evidence.fault) == (EffectState.UNKNOWN, 2103)
    fake.silent = False
    assert (await driver.inquire(effect, ticket)).state is EffectState.CONFIRMED
    assert fake.labels == 1


async def test_a_connection_lost_in_mid_job_leaves_it_open_and_the_head_tells_of_the_half_label(fake, driver, effect):
    ticket = await driver.prepare(effect, 1)
    fake.hang_up_after_bytes = fake.received + 20_000
    evidence = await driver.send(effect, ticket)
    assert evidence.state is EffectState.UNKNOWN
    fake.hang_up_after_bytes = None
    evidence = await driver.inquire(effect, ticket)
    assert (evidence.state, evidence.fault) == (EffectState.FAILED, 2105)


async def test_a_printer_without_a_head_counter_is_judged_by_its_cuts(fake, driver, effect):
    fake.counts_rows = False
    ticket, evidence = await print_once(driver, effect)
    assert evidence.state is EffectState.CONFIRMED
    assert ticket.extra["rows_before"] is None
    assert (await driver.inquire(effect, ticket)).state is EffectState.CONFIRMED


async def test_labels_of_somebody_else_leave_the_job_open(fake, driver, effect):
    ticket = await driver.prepare(effect, 1)
    fake.cuts += 2
    evidence = await driver.inquire(effect, ticket)
    assert (evidence.state, evidence.fault) == (EffectState.UNKNOWN, 2005)


async def test_nothing_is_sent_when_the_printer_is_gone_before_the_job(fake, effect, unused_address):
    driver = fake_driver(fake.address)
    ticket = await driver.prepare(effect, 1)
    await driver.close()
    driver = fake_driver(unused_address)
    evidence = await driver.send(effect, ticket)
    assert (evidence.state, evidence.fault) == (EffectState.NOT_EXECUTED, 1001)
    assert fake.labels == 0


async def test_a_connection_that_went_stale_between_labels_is_opened_afresh(fake, driver, effect):
    await driver.prepare(effect, 1)
    fake.hang_up_after_bytes = 0
    await driver.status()
    fake.hang_up_after_bytes = None
    _, evidence = await print_once(driver, effect)
    assert evidence.state is EffectState.CONFIRMED


async def test_status_tells_paper_cover_and_counter(fake, driver):
    status = await driver.status()
    assert (status.connected, status.online, status.paper, status.counter) == (True, True, True, 7)
    fake.cover_open = True
    status = await driver.status()
    assert (status.online, status.cover_open, status.counter) == (False, True, None)


def fake_driver(address: str) -> LabelPrinter:
    import random

    from labeling.transport import tcp_ports
    from packline.core.clock import LoopClock

    clock = LoopClock()
    return LabelPrinter(
        name="printer-1", address=address, open_port=tcp_ports(clock), clock=clock, rng=random.Random(2)
    )


@pytest.fixture
def unused_address() -> str:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


async def test_a_printer_that_is_mended_between_two_questions_is_no_broken_one(fake, driver, effect):
    """Offline, said the first answer; the others named no cause any more: that was told as a printer error."""
    fake.paper, fake.mended_after_question = False, 1

    assert (await driver.prepare(effect, 1)).machine == driver.name
