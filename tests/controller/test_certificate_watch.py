"""A certificate's end rings while the line runs: a month before, and when it has come; never twice, and not for ever."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from apscheduler.triggers.interval import IntervalTrigger

from controller.certificate_watch import CertificateWatch
from controller.duties import Calendar
from controller.site_security import pki_folder
from packline.core.clock import ManualClock
from packline.core.faults import Fault
from plc.trust import TrustFolder
from tests.plc.craft import NOW, key, made
from tests.stations.line import Life
from tests.waiting import PATIENCE_S

DAY = timedelta(days=1)
DAY_S = DAY.total_seconds()


async def inline(work: Any, *args: Any) -> Any:
    return work(*args)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW + DAY / 2)


def watch(life: Life, data: Path, clock: ManualClock) -> CertificateWatch:
    return CertificateWatch(data, life.store.desk, clock, inline)


async def standing(life: Life) -> list[tuple[int, str, int]]:
    rows = await life.store.desk.standing_alarms()
    return sorted((int(row["code"]), str(row["source"]), int(row["count"])) for row in rows)


async def test_own_and_trusted_certificates_ring_a_month_before_their_end_and_anew_when_it_has_come(
    life: Life, tmp_path: Path, clock: ManualClock
) -> None:
    pki = pki_folder(tmp_path)
    made(name="controller", ends=40 * DAY, secret=key(2048, 3)).kept(pki)
    kept = TrustFolder(pki).trust(made(name="plc-7", ends=50 * DAY).certificate)
    own, plc = "pki/own/certificate.pem", f"pki/trusted/{kept.name}"
    rung: list[list[tuple[int, str, int]]] = []
    looked: asyncio.Queue[list[tuple[int, str, int]]] = asyncio.Queue()
    looking = watch(life, tmp_path, clock)

    async def look() -> None:
        await looking.look()
        looked.put_nowait(await standing(life))

    trigger = IntervalTrigger(days=1, start_date=clock.now() + DAY)
    running = asyncio.ensure_future(Calendar(clock, {"look at certificates": (trigger, look)}).run())
    for _ in range(60):
        clock.advance(DAY_S)
        async with asyncio.timeout(PATIENCE_S):
            rung.append(await looked.get())
    running.cancel()

    def first(code: int, source: str) -> int:
        return next(day for day, seen in enumerate(rung, 1) if (code, source, 1) in seen)

    assert [first(1020, own), first(1020, plc), first(1022, own), first(1022, plc)] == [10, 20, 40, 50]
    assert rung[8] == []
    assert rung[-1] == [(1022, own, 1), (1022, plc, 1)]


async def test_alarm_of_a_certificate_ends_with_its_renewal_or_its_trust_also_in_a_later_run(
    life: Life, tmp_path: Path, clock: ManualClock
) -> None:
    pki, old = pki_folder(tmp_path), made(name="plc-7", ends=-DAY).certificate
    made(name="controller", ends=5 * DAY, secret=key(2048, 3)).kept(pki)
    TrustFolder(pki).trust(old)
    await life.store.desk.raise_alarm(Fault(1020, where="elsewhere"), source="label-1")
    await watch(life, tmp_path, clock).look()
    assert [code for code, *_ in await standing(life)] == [1020, 1020, 1022]
    made(name="controller", secret=key(2048, 3)).kept(pki)
    TrustFolder(pki).distrust(old)
    await watch(life, tmp_path, clock).look()
    assert await standing(life) == [(1020, "label-1", 1)]


async def test_a_site_without_certificates_rings_nothing(life: Life, tmp_path: Path, clock: ManualClock) -> None:
    await watch(life, tmp_path, clock).look()
    assert await standing(life) == []
