"""What a STATUS proves about a job, by itself: what is not proved stays in doubt."""

from dataclasses import replace

import pytest

from plc.handshake.frames import CAPS_RETENTIVE, Result, Status, identity
from plc.handshake.verdicts import BOOTS_BELIEVED, Intent, Verdict, judge, look

EPOCH, BOOT = 5, 100
MEANT = Intent(id=identity(EPOCH, 3), job=7, boot=BOOT, ack=identity(EPOCH, 2))
FENCED = Status(
    boot=BOOT,
    count=1,
    state=6,
    mode=1,
    owner_epoch=EPOCH + 1,
    owner_id=1,
    ack=MEANT.ack,
    done=MEANT.ack,
    result=Result.OK,
    rej=0,
    rej_code=0,
    job=6,
    error=0,
    data=(0, 0, 0, 0),
    fault=0,
    safety=0,
    caps=CAPS_RETENTIVE,
    state_ack=0,
    spare=(0,) * 6,
)


def test_a_job_that_a_fenced_machine_does_not_know_was_not_executed():
    assert judge(FENCED, MEANT) is Verdict.NOT_EXECUTED


@pytest.mark.parametrize("epoch", [EPOCH - 1, EPOCH])
def test_nothing_is_given_up_before_the_machine_is_fenced_above_it(epoch):
    """A copy of its block may still be on its way, and would be obeyed."""
    assert judge(replace(FENCED, owner_epoch=epoch), MEANT) is Verdict.UNKNOWN


@pytest.mark.parametrize(
    "ahead, verdict",
    [
        (1, Verdict.NOT_EXECUTED),
        (BOOTS_BELIEVED, Verdict.NOT_EXECUTED),
        (BOOTS_BELIEVED + 1, Verdict.UNKNOWN),
        (-1, Verdict.UNKNOWN),
    ],
)
def test_a_boot_a_little_ahead_is_believed_and_one_that_fell_back_is_not(ahead, verdict):
    assert judge(replace(FENCED, boot=BOOT + ahead), MEANT) is verdict
    rolled = replace(MEANT, boot=65535)  # 1 follows 65,535
    assert judge(replace(FENCED, boot=(65534 + ahead) % 65535 + 1), rolled) is verdict


def test_a_job_is_not_over_by_the_result_of_the_one_before():
    taken = replace(FENCED, ack=MEANT.id, job=MEANT.job)
    assert look(taken, MEANT) is judge(taken, MEANT) is Verdict.RUNNING
    done = replace(taken, done=MEANT.id)
    assert look(done, MEANT) is judge(done, MEANT) is Verdict.ENDED
    for result in (Result.RUNNING,):  # it says both that it is done and that it runs
        assert look(replace(done, result=result), MEANT) is Verdict.UNKNOWN
