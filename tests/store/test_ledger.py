import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest
from sqlalchemy import create_engine, select

from packline.core.clock import LoopClock, ManualClock
from packline.core.effects import EFFECT_TABLE, PRINT, TURN, Effect, EffectKind, EffectState, Evidence
from packline.core.faults import Fault
from packline.core.ids import SeededIds
from packline.store import open_store, schema
from packline.store.ledger import MOST_QUESTIONS, StoredLedger
from tests.waiting import eventually

S = EffectState


def effect(kind: EffectKind = PRINT, generation: int = 1) -> Effect:
    return Effect(kind=kind, subject="PL0000000018", generation=generation, station="label-1", parameters={"sscc": "1"})


def person(state: EffectState) -> Evidence:
    return Evidence(state=state, source="person lin")


def history(store) -> list[tuple[int, EffectState]]:
    query = select(schema.effect_history).order_by(schema.effect_history.c.id)
    return store.writer.read_now(lambda db: [(row.attempt, row.state) for row in db.execute(query)])


async def test_intent_and_ticket_are_committed_before_the_first_byte_leaves(store, url, device):
    seen: list[object] = []
    other = create_engine(url)

    async def look() -> None:
        with other.connect() as connection:
            seen.append(connection.execute(select(schema.effect.c.state, schema.effect.c.job)).all())

    printer = device()
    printer.while_sending = look
    await store.ledger.perform(effect(), printer)
    other.dispose()

    assert seen == [[(S.INTENDED, 1)]]


async def test_effect_is_confirmed_by_the_machines_word_and_every_step_is_kept(store, device):
    outcome = await store.ledger.perform(effect(), device())

    assert outcome.ok
    assert outcome.evidence.source == "machine memory"
    assert history(store) == [(1, S.INTENDED), (1, S.SENT), (1, S.CONFIRMED)]


async def test_confirmed_effect_is_answered_without_the_machine(store, device):
    await store.ledger.perform(effect(), device())
    idle = device()

    outcome = await store.ledger.perform(effect(), idle)

    assert outcome.ok
    assert outcome.evidence.source == "machine memory"
    assert outcome.evidence.data == {"at": "2026-01-01T00:00:00.000000+00:00"}
    assert not idle.sends
    assert not idle.inquiries


@pytest.mark.parametrize("state", [S.FAILED, S.VOIDED])
async def test_failed_and_voided_effects_are_answered_as_they_are(store, device, state):
    first = await store.ledger.perform(effect(), device(inquire=S.FAILED))
    if state is S.VOIDED:
        await store.ledger.settle(first.effect_id, person(S.VOIDED))
    idle = device()

    outcome = await store.ledger.perform(effect(), idle)

    assert outcome.state is state
    assert not idle.sends


@pytest.mark.parametrize("trouble", [Fault(1001, where="printer"), OSError("reset"), TimeoutError()])
async def test_lost_answer_of_a_once_effect_is_a_doubt_and_is_never_sent_again(store, device, trouble):
    printer = device(send=trouble, inquire=[trouble, trouble, S.CONFIRMED])

    first = await store.ledger.perform(effect(), printer)
    second = await store.ledger.perform(effect(), printer)
    third = await store.ledger.perform(effect(), printer)

    assert (first.state, second.state, third.state) == (S.UNKNOWN, S.UNKNOWN, S.CONFIRMED)
    assert len(printer.sends) == 1
    assert {ticket.job for ticket in printer.inquiries} == {1}


async def test_fault_of_a_lost_answer_is_kept_as_evidence(store, device):
    outcome = await store.ledger.perform(effect(), device(send=S.SENT, inquire=Fault(1001, where="printer")))

    assert outcome.evidence.fault == 1001
    assert outcome.evidence.data["where"] == "printer"


async def test_repeatable_effect_in_doubt_is_sent_again_under_a_new_ticket(store, device):
    table = device(inquire=[S.UNKNOWN, S.CONFIRMED])

    first = await store.ledger.perform(effect(TURN), table)
    second = await store.ledger.perform(effect(TURN), table)

    assert (first.state, second.state) == (S.UNKNOWN, S.CONFIRMED)
    assert [ticket.job for ticket in table.sends] == [1, 2]


async def test_effect_that_was_not_executed_is_sent_again_under_a_new_ticket(store, device):
    printer = device(send=[S.NOT_EXECUTED, S.SENT])

    refused = await store.ledger.perform(effect(), printer)
    done = await store.ledger.perform(effect(), printer)

    assert refused.state is S.NOT_EXECUTED
    assert done.ok
    assert done.effect_id == refused.effect_id
    assert [ticket.job for ticket in printer.sends] == [1, 2]
    assert history(store) == [
        (1, S.INTENDED),
        (1, S.NOT_EXECUTED),
        (2, S.INTENDED),
        (2, S.SENT),
        (2, S.CONFIRMED),
    ]


async def test_open_effect_is_asked_after_and_not_sent_even_when_it_was_not_executed(store, device):
    """The reconciliation after a stop relies on it: asking moves nothing."""
    broken = device(send=RuntimeError("killed"))
    with pytest.raises(RuntimeError):
        await store.ledger.perform(effect(), broken)
    printer = device(inquire=S.NOT_EXECUTED)

    outcome = await store.ledger.perform(effect(), printer)

    assert outcome.state is S.NOT_EXECUTED
    assert not printer.sends
    assert [ticket.job for ticket in printer.inquiries] == [1]


async def test_machine_that_cannot_take_a_job_leaves_no_row(store, device):
    printer = device()
    printer.refuses = Fault(2001, where="printer")

    with pytest.raises(Fault):
        await store.ledger.perform(effect(), printer)

    assert await store.ledger.find(PRINT, effect().subject, 1) is None
    assert await store.ledger.open_effects() == []


async def test_running_machine_is_asked_until_it_is_done(url, device):
    store = open_store(url, clock=LoopClock(), ids=SeededIds("x"), inline=True)
    printer = device(inquire=[S.SENT, S.SENT, S.CONFIRMED])

    outcome = await store.ledger.perform(effect(), printer)
    store.close()

    assert outcome.ok
    assert len(printer.inquiries) == 3


async def test_machine_that_says_for_ever_that_it_runs_leaves_a_doubt(store, device):
    """However often it was asked: that it was not done is proved by nothing."""

    class Standing(ManualClock):
        async def sleep(self, seconds: float) -> None:
            await asyncio.sleep(0)

    ledger, runs = StoredLedger(store.writer, Standing(), SeededIds("x")), device(inquire=S.SENT)

    outcome = await ledger.perform(effect(), runs)
    again = await ledger.perform(effect(), device(inquire=S.UNKNOWN))

    assert (outcome.state, outcome.evidence.source) == (again.state, "ledger") == (S.UNKNOWN, "ledger")
    assert (len(runs.sends), len(runs.inquiries)) == (1, MOST_QUESTIONS)


async def test_answer_to_an_attempt_that_is_over_says_nothing_of_the_next(store, device):
    """Another controller had it settled as not executed while the machine was asked, and sent it out again."""
    slow = device(inquire=S.CONFIRMED)
    doubt = await store.ledger.perform(effect(), device(inquire=S.UNKNOWN))
    other = StoredLedger(store.writer, ManualClock(), SeededIds("other"))
    runs = device(send=RuntimeError("killed"))

    async def meanwhile() -> None:
        await other.settle(doubt.effect_id, person(S.NOT_EXECUTED))
        with pytest.raises(RuntimeError):
            await other.perform(effect(), runs)

    slow.while_asked = meanwhile
    with pytest.raises(Fault) as fault:
        await store.ledger.ask(effect(), slow)
    assert fault.value.code == 5101
    assert (await store.ledger.find(PRINT, effect().subject, 1)).state is S.INTENDED


async def test_cancelled_effect_stays_as_it_is_and_is_asked_after_later(store, device):
    printer = device()
    printer.while_sending = asyncio.Event().wait

    task = asyncio.create_task(store.ledger.perform(effect(), printer))
    await eventually(lambda: printer.sends)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    (left,) = await store.ledger.open_effects("label-1")
    assert left.state is S.INTENDED
    assert (await store.ledger.perform(effect(), printer)).ok
    assert len(printer.sends) == 1


async def test_two_who_want_the_same_effect_get_one(threaded, device):
    printer = device()

    outcomes = await asyncio.gather(*(threaded.ledger.perform(effect(), printer) for _ in range(5)))

    assert all(outcome.ok for outcome in outcomes)
    assert len(printer.sends) == 1


async def test_person_settles_a_doubt(store, device):
    doubt = await store.ledger.perform(effect(), device(inquire=S.UNKNOWN))

    outcome = await store.ledger.settle(doubt.effect_id, person(S.CONFIRMED))

    assert outcome.ok
    assert await store.ledger.open_effects() == []
    assert (await store.ledger.perform(effect(), device())).evidence.source == "person lin"


async def test_what_a_device_wants_to_remember_of_a_job_is_in_its_ticket_from_then_on_and_not_in_the_evidence(
    url, device
):
    """A printer that stopped with a job inside is never believed about it again, whoever asks and after whatever crash."""
    store, asked = open_store(url, clock=LoopClock(), ids=SeededIds("x"), inline=True), device(inquire=S.UNKNOWN)
    asked.remember = {"was_interrupted": True}
    doubt = await store.ledger.perform(effect(), asked)
    store.close()

    store, asked = open_store(url, clock=LoopClock(), ids=SeededIds("y"), inline=True), device(inquire=S.UNKNOWN)
    again = await store.ledger.perform(effect(), asked)
    kept = store.writer.read_now(lambda db: db.execute(select(schema.effect.c.evidence)).scalar_one())
    store.close()

    assert again.effect_id == doubt.effect_id
    assert [ticket.extra["was_interrupted"] for ticket in asked.inquiries] == [True]
    assert set(kept) == {"state", "source", "data", "fault"}


async def test_evidence_that_the_table_does_not_know_changes_nothing(store, device):
    done = await store.ledger.perform(effect(), device())

    with pytest.raises(Fault) as caught:
        await store.ledger.settle(done.effect_id, person(S.NOT_EXECUTED))

    assert caught.value.code == 5101
    found = await store.ledger.find(PRINT, effect().subject, 1)
    assert found is not None
    assert found.state is S.CONFIRMED


async def test_machine_that_knows_nothing_leaves_a_proof_that_came_from_elsewhere_meanwhile(store, device):
    asked = device(send=S.UNKNOWN, inquire=S.UNKNOWN)
    asked.while_sending = lambda: prove(store)

    outcome = await store.ledger.perform(effect(), asked)

    assert outcome.ok
    assert outcome.evidence.source == "person lin"
    assert history(store) == [(1, S.INTENDED), (1, S.CONFIRMED)]


@pytest.mark.parametrize("said", [S.SENT, S.CONFIRMED], ids=["while it ran", "in its answer"])
async def test_machine_that_did_it_after_all_is_believed_and_the_job_is_not_done_twice(store, device, said):
    """A person said "not done" while the machine was asked; its proof was refused, and the next pass did it again."""
    asked = device(send=said, inquire=S.CONFIRMED)
    asked.while_sending = lambda: prove(store, S.NOT_EXECUTED)

    with suppress(Fault):
        await store.ledger.perform(effect(), asked)

    assert (await store.ledger.perform(effect(), asked)).ok
    assert len(asked.sends) == 1


@pytest.mark.parametrize("said", [S.UNKNOWN, S.FAILED])
async def test_persons_word_stands_against_a_machine_that_proves_nothing(store, device, said):
    asked = device(send=said, inquire=said)
    asked.while_sending = lambda: prove(store, S.NOT_EXECUTED)

    outcome = await store.ledger.perform(effect(), asked)

    assert (outcome.state, outcome.evidence.source) == (S.NOT_EXECUTED, "person lin")
    assert history(store) == [(1, S.INTENDED), (1, S.NOT_EXECUTED)]


async def prove(store, state=S.CONFIRMED) -> None:
    found = await store.ledger.find(PRINT, effect().subject, 1)
    await store.ledger.settle(found.effect_id, person(state))


@pytest.mark.parametrize("state", list(S))
async def test_settling_follows_the_effect_table(store, device, state):
    for generation, to in enumerate(S, 1):
        reached = await reach(store, device, state, generation)
        if to in EFFECT_TABLE[state]:
            assert (await store.ledger.settle(reached, person(to))).state is to
        else:
            with pytest.raises(Fault):
                await store.ledger.settle(reached, person(to))


async def reach(store, device: Callable, state: EffectState, generation: int) -> str:
    way = {S.INTENDED: RuntimeError(), S.SENT: S.SENT, S.VOIDED: S.UNKNOWN}.get(state, state)
    asked = RuntimeError() if state is S.SENT else S.UNKNOWN
    with suppress(RuntimeError):
        await store.ledger.perform(effect(PRINT, generation), device(send=way, inquire=asked))
    found = await store.ledger.find(PRINT, effect().subject, generation)
    if state is S.VOIDED:
        await store.ledger.settle(found.effect_id, person(S.VOIDED))
        found = await store.ledger.find(PRINT, effect().subject, generation)
    assert found.state is state
    return found.effect_id


async def test_job_numbers_are_never_given_twice_even_when_nothing_came_of_them(store, device):
    printer = device()
    printer.refuses = Fault(2001, where="printer")
    with pytest.raises(Fault):
        await store.ledger.perform(effect(), printer)
    printer.refuses = None

    await store.ledger.perform(effect(), printer)

    assert printer.jobs == [2]


async def test_what_happened_to_an_effect_is_in_the_journal(store, device, received):
    await store.ledger.perform(effect(), device(inquire=S.UNKNOWN))

    query = select(schema.journal.c.kind, schema.journal.c.subject).order_by(schema.journal.c.seq)
    rows = store.writer.read_now(lambda db: db.execute(query).all())
    assert rows == [("EffectIntended", effect().subject), ("EffectUnknown", effect().subject)]


async def test_epoch_of_a_machine_is_never_lowered(store):
    await store.epochs.raise_epoch("arm-1", 7)
    await store.epochs.raise_epoch("arm-1", 3)

    assert await store.epochs.epoch("arm-1") == 7
    assert await store.epochs.epoch("packer-1") == 0


async def test_asking_never_sends_even_when_the_row_was_settled_as_not_executed_meanwhile(store, device):
    printer = device(send=TimeoutError(), inquire=S.UNKNOWN)
    await store.ledger.perform(effect(), printer)
    (listed,) = await store.ledger.open_effects()
    await store.ledger.settle(listed.effect_id, person(S.NOT_EXECUTED))

    outcome = await store.ledger.ask(listed.effect, printer)

    assert outcome.state is S.NOT_EXECUTED
    assert len(printer.sends) == 1


async def test_nobody_asks_after_what_was_never_meant(store, device):
    with pytest.raises(Fault) as fault:
        await store.ledger.ask(effect(), device())
    assert fault.value.code == 5101
