"""What a line does by the calendar: it asks its hosts what they know, and looks after books, sign-ins and certificates."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from controller.backups import Backups
from controller.certificate_watch import CertificateWatch
from controller.disk_watch import DiskWatch, RoomOf
from controller.site import Site
from packline.core.clock import Clock
from packline.feeds.http import Http
from packline.feeds.intake import Intake
from packline.feeds.reconcile import Reconciler
from packline.store import Store
from packline.store.pictures import FORGOTTEN_AT_ONCE
from stations.ports import Offload

FIRST_LOOK = timedelta(seconds=2)
CERTIFICATE_MINUTES = 60
RECONCILE_MINUTES = 60
BACKUP_MINUTES = 60
DISK_MINUTES = 60
BREATH_S = 1.0
SIGN_INS_KEPT_S = 30 * 86400.0


class Upkeep:
    """The works of one line; `calendar` says when each is due, and `reconcile` is due at each start besides."""

    def __init__(
        self,
        *,
        site: Site,
        data: Path,
        store: Store,
        intake: Intake,
        http: Http,
        clock: Clock,
        offload: Offload,
        room: RoomOf,
    ) -> None:
        self._site, self._data, self._store = site, data, store
        self._intake, self._http, self._clock, self._offload, self._room = intake, http, clock, offload, room

    def calendar(self) -> dict[str, tuple[BaseTrigger, Callable[[], Awaitable[object]]]]:
        """Give each work by its name, and what says when it is due."""
        zone, now = self._site.site.time_zone, self._clock.now()
        soon, later = now + FIRST_LOOK, now + timedelta(minutes=RECONCILE_MINUTES)
        # without a start of ours these triggers would begin at the computer's own time
        certificates = CertificateWatch(self._data, self._store.desk, self._clock, self._offload)
        backups = Backups(self._data / "backups", self._store, self._store.desk, self._clock, self._offload)
        disk = DiskWatch(self._data, self._store.desk, self._offload, self._room)
        hourly = IntervalTrigger(minutes=CERTIFICATE_MINUTES, start_date=soon, timezone=zone)
        return {
            "look at certificates": (hourly, certificates.look),
            "reconcile hosts": (
                IntervalTrigger(minutes=RECONCILE_MINUTES, start_date=later, timezone=zone),
                self.reconcile,
            ),
            "nightly backup": (CronTrigger(hour=3, minute=10, timezone=zone), backups.make),
            "missed backup": (
                IntervalTrigger(minutes=BACKUP_MINUTES, start_date=later, timezone=zone),
                backups.make_up,
            ),
            "room on the disk": (
                IntervalTrigger(minutes=DISK_MINUTES, start_date=later, timezone=zone),
                disk.look,
            ),
            "old pictures": (CronTrigger(hour=3, minute=30, timezone=zone), self._forget_pictures),
            "tidy sign-ins": (CronTrigger(hour=3, minute=20, timezone=zone), self._tidy),
        }

    async def reconcile(self) -> bool:
        """Compare the books with every host; tells whether all of them answered."""
        answered = True
        for name, part in self._site.feeds.items():
            if part.reconcile_url:
                reconciler = Reconciler(
                    channel=name,
                    url=part.reconcile_url,
                    secret=part.keys()[0],
                    intake=self._intake,
                    books=self._store.books,
                    bell=self._store.books,
                    http=self._http,
                    clock=self._clock,
                )
                found = await reconciler.run_once()
                answered = answered and not found.unreachable
        return answered

    async def _forget_pictures(self) -> None:
        """Drop old pictures a few at a time: who works at night must not wait for it."""
        days = self._site.policy.keep_pictures_days
        before = self._clock.now() - timedelta(days=days)
        while days and await self._store.pictures.forget(before) == FORGOTTEN_AT_ONCE:
            await self._clock.sleep(BREATH_S)

    async def _tidy(self) -> None:
        await self._offload(self._store.users.tidy, self._clock.now(), SIGN_INS_KEPT_S)
