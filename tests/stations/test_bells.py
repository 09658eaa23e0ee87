"""An alarm rings as long as somebody has its cause, and no longer, also where the books are away in between."""

from __future__ import annotations

import pytest

from packline.core.faults import Fault
from stations.bells import Bells
from tests.stations.line import Life

ESTOP = Fault(2007, where="arm-1")


def bells_of(life: Life) -> Bells:
    return Bells("label-1", life.store.desk, lambda: None)


async def standing(life: Life) -> list[int]:
    return [row["code"] for row in await life.store.desk.standing_alarms()]


async def away(*_args: object, **_words: object) -> None:
    raise Fault(5002, where="database", seen="locked")


async def test_an_alarm_whose_end_could_not_be_written_down_ends_at_the_next_good_step(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    bells = bells_of(life)
    await bells.ring(ESTOP, "step")
    with monkeypatch.context() as change:
        change.setattr(life.store.desk, "clear_alarm", away)
        with pytest.raises(Fault, match="5002"):
            await bells.hush("step")
    assert await standing(life) == [2007]
    await bells.hush("step")
    assert await standing(life) == []


async def test_an_alarm_of_an_earlier_run_that_could_not_be_cleared_is_cleared_the_next_time(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bells_of(life).ring(ESTOP, "step")
    bells = bells_of(life)
    with monkeypatch.context() as change:
        change.setattr(life.store.desk, "clear_alarm", away)
        with pytest.raises(Fault, match="5002"):
            await bells.forget_old_ones({2007})
    await bells.forget_old_ones({2007})
    assert await standing(life) == []


async def test_who_rings_while_another_is_hushed_is_heard(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    bells, clear = bells_of(life), life.store.desk.clear_alarm
    await bells.ring(ESTOP, "step")

    async def overtaken(code: int, *, source: str) -> None:
        await clear(code, source=source)
        await bells.ring(ESTOP, "link")

    monkeypatch.setattr(life.store.desk, "clear_alarm", overtaken)
    await bells.hush("step")
    assert await standing(life) == [2007]
