"""An older copy of the books comes back while machines, floor and host have gone on."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from controller.__main__ import main
from packline.core.local import ask
from tests.crash.campaign import Campaign
from tests.crash.hall import Hall, open_hall

pytestmark = [pytest.mark.crash, pytest.mark.timeout(0)]

ORDERS = 9
SEED = 11


def test_after_a_restore_in_mid_run_nothing_is_done_twice_and_no_order_is_lost(folder: Path):
    with open_hall(folder, orders=ORDERS, seed=SEED) as hall:
        campaign = Campaign(hall=hall, seed=SEED)
        copy = folder / "copy.db"
        campaign.kill_when(lambda: is_backed_up(hall, copy) and has_gone_on(hall, copy))
        lost_epochs, lost_sscc = epochs(hall.database), newest_sscc(hall)

        restore(hall, copy)
        run = campaign.begin()
        found = hall.until(lambda: recovered(hall), "the run says that its books are older", 30.0)
        campaign.end(run)

        assert found["notes"] == ["serials_jumped"]
        assert {3008, 3009} <= codes(hall)
        assert all(epoch > lost_epochs[name] for name, epoch in epochs(hall.database).items())
        assert serial(hall.database, "sscc") > lost_sscc
        campaign.demand_well(is_restored=True)


def is_backed_up(hall: Hall, copy: Path) -> bool:
    """Copy the books once, when a first parcel is labelled and not yet gone; tell whether that is done."""
    if not copy.exists() and hall.stage()["progress"]["labelled"] >= 2:
        assert main(["backup", str(hall.path), str(copy)]) == 0
    return copy.exists()


def has_gone_on(hall: Hall, copy: Path) -> bool:
    """Tell whether the line has since labelled two more parcels and let one out of the door that the copy has here."""
    with closing(sqlite3.connect(copy)) as old:
        known = dict(old.execute("SELECT lpn, state FROM parcel"))
    parcels = hall.truth()["parcels"]
    left = [lpn for lpn, parcel in parcels.items() if parcel["left"] and known.get(lpn) not in ("shipped", "delivered")]
    labelled = [lpn for lpn, p in parcels.items() if p["labels_on"] and known.get(lpn) in (None, "open", "collected")]
    return bool(left) and len(labelled) >= 2


def restore(hall: Hall, copy: Path) -> None:
    hall.close_web()
    assert main(["backup", str(hall.path), str(copy), "--restore"]) == 0
    hall.open_web()


def recovered(hall: Hall) -> dict:
    try:
        found = ask(hall.data, {"do": "snapshot"})["run"]["recovered"]
    except (OSError, ValueError):
        return {}
    return found if found and found["books_older"] and found["notes"] else {}


def epochs(database: Path) -> dict[str, int]:
    with closing(sqlite3.connect(database)) as books:
        return dict(books.execute("SELECT machine, epoch FROM machine_epoch"))


def serial(database: Path, name: str) -> int:
    with closing(sqlite3.connect(database)) as books:
        return books.execute("SELECT last FROM serial WHERE name = ?", [name]).fetchone()[0]


def codes(hall: Hall) -> set[int]:
    with closing(sqlite3.connect(hall.database)) as books:
        return {code for (code,) in books.execute("SELECT code FROM exception")}


def newest_sscc(hall: Hall) -> int:
    """Give the serial in the newest SSCC that came out of a printer."""
    printed = [fact["sscc"] for fact in hall.facts() if fact["name"] == "label_printed" and fact["sscc"]]
    company = re.escape(str(hall.site.site.company_prefix))
    return max(int(re.sub(rf"^\d{company}", "", code)[:-1]) for code in printed)
