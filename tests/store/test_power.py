"""What is left of the books when the power goes, and how to go back to a backup."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select

from packline.core.clock import ManualClock
from packline.core.faults import Fault
from packline.core.ids import SeededIds
from packline.store import open_store, restore, schema
from packline.store.audit import audit
from packline.store.engine import has_wal_fault, open_engines, sqlite_library

CUTS = 40
SCRAMBLED_BYTES = 4096

needs_wal = pytest.mark.skipif(
    has_wal_fault(sqlite_library().sqlite_version_info), reason="no WAL with this SQLite: it has the reset fault"
)


def look(path: Path) -> tuple[str, list[str], int]:
    """Open what was left as a start would; gives (integrity, audit, orders)."""
    engines = open_engines(f"sqlite:///{path}")
    with engines.read.connect() as db:
        found = (
            db.exec_driver_sql("PRAGMA integrity_check").scalar_one(),
            audit(db),
            db.execute(select(func.count()).select_from(schema.orders)).scalar_one(),
        )
    engines.dispose()
    return found


@pytest.fixture
async def written(store, path, received):
    """Thirty orders in the WAL, none in the file yet; gives (file, WAL, the WAL's size after each commit)."""
    wal = path.with_name("books.db-wal")
    sizes = []
    await store.outbox.set_subscribers([("shop", "merchant")])
    for number in range(30):
        await store.books.record(received(number))
        sizes.append(wal.stat().st_size)
    return path.read_bytes(), wal.read_bytes(), sizes


@needs_wal
@pytest.mark.parametrize("scrambled", [False, True], ids=["cut", "cut and scrambled"])
async def test_wal_cut_anywhere_leaves_whole_transactions_and_every_synced_one(written, tmp_path, scrambled):
    database, wal, sizes = written
    chance = random.Random(f"power {scrambled}")
    for n in range(CUTS):
        cut = chance.randrange(len(wal) + 1)
        rest = bytearray(wal[:cut])
        whole = cut
        if scrambled:
            whole = max(0, cut - SCRAMBLED_BYTES)
            rest[whole:] = chance.randbytes(len(rest) - whole)
        left = tmp_path / f"left-{n}.db"
        left.write_bytes(database)
        left.with_name(f"{left.name}-wal").write_bytes(rest)

        integrity, findings, orders = look(left)

        assert (integrity, findings) == ("ok", []), f"cut at {cut}"
        assert orders >= sum(size <= whole for size in sizes), f"cut at {cut}"


@needs_wal
async def test_power_that_goes_while_the_wal_is_carried_over_loses_nothing(written, tmp_path):
    """Pages of a checkpoint reach the file in any order, or not at all; the WAL is there until all did."""
    database, wal, sizes = written
    carried = tmp_path / "carried.db"
    carried.write_bytes(database)
    carried.with_name("carried.db-wal").write_bytes(wal)
    look(carried)
    with closing(sqlite_library().connect(carried)) as connection:
        page = connection.execute("PRAGMA page_size").fetchone()[0]
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    after = carried.read_bytes()
    before = database.ljust(len(after), b"\0")
    chance = random.Random("checkpoint")
    for n in range(CUTS // 3):
        starts = range(0, len(after), page)
        pages = [chance.choice((before, after))[start : start + page] for start in starts]
        left = tmp_path / f"mixed-{n}.db"
        left.write_bytes(b"".join(pages))
        left.with_name(f"{left.name}-wal").write_bytes(wal)

        assert look(left) == ("ok", [], len(sizes))


WRITES = 20
CHILD = f"""
import sys
from packline.core.clock import WallClock
from packline.core.ids import SystemIds
from packline.store import open_store, serials

store = open_store(sys.argv[1], clock=WallClock(), ids=SystemIds(), inline=True)
for _ in range({WRITES}):
    store.writer.write_now(lambda db: serials.advance(db, "x"))
print("written", flush=True)
store.close()
"""


def test_every_answer_costs_a_sync(sqlite_only, url, tmp_path):
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    trace = tmp_path / "trace"
    command = [strace, "-f", "-e", "trace=fsync,fdatasync,write", "-o", str(trace), sys.executable, "-c", CHILD, url]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)
    if run.returncode:
        pytest.skip(f"strace may not trace here: {run.stderr[:100]}")

    before_the_end, _, _ = trace.read_text().partition('write(1, "written')

    assert len(re.findall(r"f(?:data)?sync\(\d+\)", before_the_end)) >= WRITES


async def test_backup_taken_in_mid_run_is_whole_and_can_be_gone_back_to(threaded, path, tmp_path, received):
    backup = tmp_path / "backup.db"
    await threaded.books.record(received(1))
    threaded.backup(backup)
    await threaded.books.record(received(2))
    threaded.close()

    restore(backup, path, mark="restored")

    assert look(path) == ("ok", [], 1)
    store = open_store(f"sqlite:///{path}", clock=ManualClock(), ids=SeededIds("again"), inline=True)
    await store.books.record(received(3))
    assert await store.books.order("market-HM-2") is None
    assert await store.meta.get("restored") == "yes"
    store.close()


@needs_wal
async def test_what_a_crash_left_beside_the_books_is_not_played_into_the_backup(store, path, tmp_path, received):
    await store.books.record(received(1))
    store.backup(tmp_path / "backup.db")
    await store.books.record(received(2))
    crashed = tmp_path / "crashed.db"
    for end in ("", "-wal"):
        shutil.copy(f"{path}{end}", f"{crashed}{end}")

    restore(tmp_path / "backup.db", crashed)

    assert look(crashed) == ("ok", [], 1)


@pytest.mark.parametrize("name", ["books.db", "books.db-wal", "link.db", "same.db"])
async def test_books_are_not_replaced_by_a_copy_of_themselves(threaded, path, received, name):
    """A running line went on in a file without a name, and what it wrote was gone with its next start."""
    path.with_name("link.db").symlink_to(path)
    path.with_name("same.db").hardlink_to(path)
    for refused in (threaded.backup, lambda to: restore(to, path)):
        with pytest.raises(Fault) as caught:
            refused(path.with_name(name))
        assert (caught.value.code, caught.value.seen) == (5002, "the books themselves")
    await threaded.books.record(received(1))

    threaded.close()
    assert look(path) == ("ok", [], 1)


@needs_wal
async def test_file_copied_by_hand_without_its_last_writes_is_not_gone_back_to(store, path, tmp_path, received):
    await store.books.record(received(1))
    for end in ("", "-wal"):
        shutil.copy(f"{path}{end}", f"{tmp_path}/by-hand.db{end}")
    with pytest.raises(Fault) as caught:
        restore(tmp_path / "by-hand.db", tmp_path / "new.db")

    assert "by-hand.db-wal" in caught.value.seen


DIES_BEFORE_THE_LAST_STEP = """
import os, sys
from pathlib import Path
from packline.store import restore
sys.addaudithook(lambda event, _: os._exit(9) if event == "os.rename" else None)
restore(Path(sys.argv[1]), Path(sys.argv[2]))
"""


@needs_wal
async def test_stop_in_the_middle_of_going_back_leaves_the_books_as_they_were(store, path, tmp_path, received):
    store.backup(tmp_path / "backup.db")
    await store.books.record(received(1))
    crashed = tmp_path / "crashed.db"
    for end in ("", "-wal"):
        shutil.copy(f"{path}{end}", f"{crashed}{end}")

    killed = [sys.executable, "-c", DIES_BEFORE_THE_LAST_STEP, str(tmp_path / "backup.db"), str(crashed)]
    assert subprocess.run(killed, check=False).returncode == 9

    assert look(crashed) == ("ok", [], 1)


async def test_backup_replaces_the_older_one_only_when_it_is_whole(sqlite_only, store, tmp_path, received):
    backup = tmp_path / "backup.db"
    store.backup(backup)
    await store.books.record(received(1))

    store.backup(backup)

    assert look(backup)[2] == 1
    with pytest.raises(Fault) as caught:
        store.backup(tmp_path / "no" / "folder.db")
    assert caught.value.code == 5002


def test_damaged_backup_is_not_gone_back_to(store, path, tmp_path):
    store.backup(tmp_path / "backup.db")
    store.close()
    damaged = bytearray((tmp_path / "backup.db").read_bytes())
    damaged[4096 : 4096 * 6] = bytes(4096 * 5)
    (tmp_path / "backup.db").write_bytes(damaged)
    before = path.read_bytes()

    with pytest.raises(Fault) as caught:
        restore(tmp_path / "backup.db", path)

    assert caught.value.code == 5002
    assert path.read_bytes() == before


def test_books_in_memory_have_no_backup(tmp_path):
    store = open_store("sqlite://", clock=ManualClock(), ids=SeededIds("x"))
    with pytest.raises(Fault):
        store.backup(tmp_path / "backup.db")
    store.close()
