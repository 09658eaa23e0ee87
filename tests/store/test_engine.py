import asyncio
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from packline.core.clock import ManualClock
from packline.core.faults import Fault
from packline.core.ids import SeededIds
from packline.orders.model import OrderState
from packline.store import migrate, open_store, sqlite_report
from packline.store.codec import dumps
from packline.store.engine import has_wal_fault, journal_mode, open_engines, sqlite_library
from packline.store.newest import HEAD_SQL
from packline.store.schema import metadata
from packline.store.version import HEAD


def opened(url: str):
    return open_store(url, clock=ManualClock(), ids=SeededIds("x"), inline=True)


@pytest.mark.parametrize(
    "version,faulty",
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 53, 4), False),
        ((4, 0, 0), False),
    ],
)
def test_versions_with_the_wal_reset_fault_are_known(version, faulty):
    assert has_wal_fault(version) is faulty


def test_faulty_library_gets_the_rollback_journal_and_a_sound_one_wal(tmp_path):
    for library in (sqlite3, sqlite_library()):
        path = tmp_path / f"{library.__name__}.db"
        engines = open_engines(f"sqlite:///{path}", library)
        with engines.write.connect() as connection:
            mode = connection.execute(text("PRAGMA journal_mode")).scalar()
        engines.dispose()

        assert mode == journal_mode(library) == ("delete" if has_wal_fault(library.sqlite_version_info) else "wal")


def test_every_connection_is_synchronous_and_knows_foreign_keys(sqlite_only, url):
    engines = open_engines(url)
    for engine in (engines.write, engines.read):
        with engine.connect() as connection:
            answers = [
                connection.execute(text(f"PRAGMA {name}")).scalar()
                for name in ("synchronous", "foreign_keys", "busy_timeout")
            ]
            assert answers == [2, 1, 5000]
    engines.dispose()


def test_books_that_need_not_survive_a_loss_of_power_do_not_wait_for_the_disk(tmp_path):
    engines = open_engines(f"sqlite:///{tmp_path}/shift.db", survives_power=False)
    for engine in (engines.write, engines.read):
        with engine.connect() as connection:
            assert connection.execute(text("PRAGMA synchronous")).scalar() == 0
    engines.dispose()


def test_doctor_is_told_which_sqlite_is_used():
    report = sqlite_report()

    assert report["version"] == sqlite_library().sqlite_version
    assert report["wal_reset_fault"] is (report["journal_mode"] == "delete")


def test_migrations_make_the_tables_that_the_code_expects(tmp_path):
    store = opened(f"sqlite:///{tmp_path}/new.db")

    def compare(db):
        return compare_metadata(MigrationContext.configure(db, opts={"compare_server_default": False}), metadata)

    assert store.writer.read_now(compare) == []
    store.close()


@pytest.mark.parametrize(
    "release", [found.revision for found in ScriptDirectory.from_config(migrate.config()).walk_revisions()]
)
def test_books_of_every_release_are_brought_up_with_what_is_in_them(tmp_path, release):
    url = f"sqlite:///{tmp_path}/old.db"
    engines, settings = open_engines(url), migrate.config()
    with engines.write.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, release)
        message = "('market', 'feed', 'm-1', '2026-01-01T00:00:00.000000+00:00', '{}', x'00', '')"
        columns = "channel, kind, delivery_id, received_at, headers, body, sha256"
        connection.exec_driver_sql(f"INSERT INTO inbox ({columns}) VALUES {message}")
    engines.dispose()

    with closing(opened(url)) as store:
        found = store.writer.read_now(
            lambda db: compare_metadata(
                MigrationContext.configure(db, opts={"compare_server_default": False}), metadata
            )
        )
        assert found == []
        assert [row.delivery_id for row in asyncio.run(store.inbox.pending())] == ["m-1"]


def test_orders_that_wait_in_older_books_go_by_their_dates_after_the_upgrade(tmp_path, place_order):
    url = f"sqlite:///{tmp_path}/old.db"
    engines, settings = open_engines(url), migrate.config()
    days = {"none": None, "second": datetime(2026, 1, 5, tzinfo=UTC), "first": datetime(2026, 1, 3, tzinfo=UTC)}
    with engines.write.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, "0003")
        columns = "order_id, channel, external_id, merchant, version, content, state, received_at, changed_at"
        at = "2026-01-01T00:00:00.000000+00:00"
        for number, day in days.items():
            new = place_order(number, ship_by=day)
            row = (new.order_id, new.channel, new.external_id, new.merchant, 1, dumps(new), "received", at, at)
            connection.exec_driver_sql(f"INSERT INTO orders ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    engines.dispose()

    with closing(opened(url)) as store:
        waiting = asyncio.run(store.books.orders({OrderState.RECEIVED}))
        assert [order.content.external_id for order in waiting] == ["HM-first", "HM-second", "HM-none"]


def test_newest_migration_is_the_one_that_the_code_names():
    assert ScriptDirectory.from_config(migrate.config()).get_current_head() == HEAD


def test_new_books_are_made_as_all_migrations_together_make_them():
    """After a new migration: `python -m packline.store.migrate`."""
    assert HEAD_SQL.read_text("utf-8") == migrate.head_sql()


def test_books_of_a_newer_packline_are_refused(url, path):
    with closing(sqlite3.connect(path)) as other:
        other.execute("UPDATE alembic_version SET version_num = '9999'")
        other.commit()

    with pytest.raises(Fault) as caught:
        opened(url)

    assert caught.value.code == 5002
    assert "9999" in caught.value.seen
    assert "newer Packline" in caught.value.remedy


def test_somebody_elses_database_is_refused(tmp_path):
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
        other.commit()

    with pytest.raises(Fault) as caught:
        opened(f"sqlite:///{tmp_path}/other.db")

    assert "recipes" in caught.value.seen


@pytest.mark.parametrize("where", ["broken.db", "no/such/folder.db"])
def test_unusable_file_is_refused_with_its_name(tmp_path, where):
    (tmp_path / "broken.db").write_bytes(b"this is no database" * 1000)

    with pytest.raises(Fault) as caught:
        opened(f"sqlite:///{tmp_path}/{where}")

    assert caught.value.code == 5002
    assert where in caught.value.where


def test_several_processes_may_open_new_books_at_once(tmp_path):
    url = f"sqlite:///{tmp_path}/new.db"
    faults = []

    def start() -> None:
        try:
            opened(url).close()
        except Fault as fault:
            faults.append(fault)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert faults == []


def test_books_in_place_are_opened_without_loading_the_migrations(url):
    code = (
        "import sys; from packline.core.clock import WallClock; from packline.core.ids import SystemIds; "
        f"from packline.store import open_store; open_store({url!r}, clock=WallClock(), ids=SystemIds()).close(); "
        "sys.exit('alembic' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
