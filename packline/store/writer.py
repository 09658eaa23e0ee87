"""The one door for changes: a thread that commits waiting work together; inline in virtual time."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from packline.core.faults import Fault
from packline.store.doubt import was_committed
from packline.store.engine import Engines, database_fault, is_full, is_lost, is_trouble
from packline.store.hand import Db, Hand

T = TypeVar("T")
WrapCommit = Callable[[Callable[[], None]], Callable[[], None]]

MOST_WAITING = 2000
"""Works that may wait for the writer; more means that the database stands still, and the caller is told."""
MOST_PER_COMMIT = 64
PATIENCE_S = 5.0
"""How long a thread waits for room in the queue."""


@dataclass(slots=True)
class _Work(Generic[T]):
    """One piece of work and whoever waits for it."""

    run: Callable[[Connection], T]
    future: Future[T] = field(default_factory=Future)


class Writer:
    """Runs work in transactions.

    A work is a function of a connection that only touches the database: it may be run again after a failed commit. Work
    that raises changes nothing and does not disturb the others in its transaction. Answers come after the commit. A
    database that is full, locked or broken answers Fault 5002; the next work tries afresh.
    """

    def __init__(self, engines: Engines, *, inline: bool = False, wrap_commit: WrapCommit | None = None) -> None:
        self._engines = engines
        self._commit = wrap_commit(self._commit_now) if wrap_commit else self._commit_now
        self._db: Db | None = None
        self._readers: deque[Db] = deque()
        self._lock = threading.RLock()
        self._closed = False
        self._queue: queue.Queue[_Work[Any] | None] = queue.Queue(MOST_WAITING)
        self._thread = None if inline else threading.Thread(target=self._serve, name="store-writer", daemon=True)
        self._reader = None if inline else ThreadPoolExecutor(1, thread_name_prefix="store-reader")
        if self._thread:
            self._thread.start()

    async def write(self, run: Callable[[Connection], T]) -> T:
        """Run `run` in a transaction and give its answer after the commit; raises what it raises, or Fault 5002."""
        if self._thread is None:
            return self.write_now(run)
        return await asyncio.wrap_future(self._submit(run, block=False))

    def write_now(self, run: Callable[[Connection], T]) -> T:
        """Do the same for a caller without a loop; blocks until the commit."""
        if self._thread is not None:
            return self._submit(run, block=True).result()
        with self._lock:
            return self._write_alone(run)

    async def read(self, run: Callable[[Connection], T]) -> T:
        """Run a question on a reading connection."""
        if self._reader is None:
            return self.read_now(run)
        return await asyncio.get_running_loop().run_in_executor(self._reader, self.read_now, run)

    def read_now(self, run: Callable[[Connection], T]) -> T:
        """Do the same for a caller without a loop; several threads may.

        A question sees one state of the books, and cannot change it. It may be asked of a connection that others asked before.
        """
        if self._thread is not None:
            return self._ask_beside(run)
        with self._lock:
            return self._ask_alone(run)

    def close(self) -> None:
        """Finish what waits, then let go of the database."""
        if self._closed:
            return
        self._closed = True
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
        if self._reader is not None:
            self._reader.shutdown()
        with self._lock:
            self._let_go()
        with suppress(IndexError):
            while True:
                self._readers.pop().close()
        self._engines.dispose()

    def _ask_alone(self, run: Callable[[Connection], T]) -> T:
        """Ask the connection that writes: what is asked and what is changed take turns here, and one need not tell the other."""
        try:
            db = self._begun(Hand.begin_reading)
            answer = run(db)
            db.hand.end_reading()
            return answer
        except DBAPIError as error:
            if is_trouble(error):
                raise database_fault(error) from error
            raise
        finally:
            self._rolled_back()

    def _ask_beside(self, run: Callable[[Connection], T]) -> T:
        """Ask a connection of those that wait for questions; one that saw an error is not asked again."""
        db = self._asked_before()
        if db is None:
            db = _opened(self._engines)
        try:
            answer = run(db)
            db.hand.end_reading()
        except BaseException as error:
            db.close()
            if isinstance(error, DBAPIError) and is_trouble(error):
                raise database_fault(error) from error
            raise
        self._readers.append(db)
        return answer

    def _asked_before(self) -> Db | None:
        """Give a connection that waits for questions, begun; those that a server's restart has cut off are let go."""
        while True:
            try:
                db = self._readers.pop()
            except IndexError:
                return None
            try:
                db.hand.begin_reading()
            except DBAPIError as error:
                db.close()
                if not is_lost(error):
                    raise database_fault(error) from error
            else:
                return db

    def _submit(self, run: Callable[[Connection], T], *, block: bool) -> Future[T]:
        if self._closed:
            raise Fault(5002, where="database", seen="closed", expected="an open store")
        work = _Work(run)
        try:
            self._queue.put(work, block=block, timeout=PATIENCE_S)
        except queue.Full:
            raise Fault(5002, where="database", seen=f"{MOST_WAITING} changes waiting", expected="room") from None
        return work.future

    def _serve(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, ended = self._gather(first)
            if wanted := [work for work in batch if work.future.set_running_or_notify_cancel()]:
                self._transact(wanted)
            if ended:
                break
        self._let_go()

    def _gather(self, first: _Work[Any]) -> tuple[list[_Work[Any]], bool]:
        batch = [first]
        while len(batch) < MOST_PER_COMMIT:
            try:
                work = self._queue.get_nowait()
            except queue.Empty:
                break
            if work is None:
                return batch, True
            batch.append(work)
        return batch, False

    def _transact(self, batch: list[_Work[Any]]) -> None:
        try:
            answers = self._attempt(batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            self._fail(batch, error)
            return
        except BaseException:
            self._rolled_back()
            raise
        for work, answer in zip(batch, answers, strict=True):
            if isinstance(answer, _Refused):
                work.future.set_exception(answer.error)
            else:
                work.future.set_result(answer)

    def _fail(self, batch: list[_Work[Any]], error: Exception) -> None:
        self._rolled_back()
        if is_full(error) and len(batch) > 1:
            # One large picture finds no room; the small rows beside it may.
            for work in batch:
                self._transact([work])
            return
        for work in batch:
            work.future.set_exception(database_fault(error) if isinstance(error, DBAPIError) else error)

    def _attempt(self, batch: list[_Work[Any]]) -> list[Any]:
        db = self._begun(Hand.begin_writing)
        answers = [_run(db, work.run) for work in batch]
        self._commit()
        return answers

    def _write_alone(self, run: Callable[[Connection], T]) -> T:
        """Run one work in a transaction of its own: what it raises takes back all of it."""
        is_works = False
        try:
            db = self._begun(Hand.begin_writing)
            is_works = True
            answer = run(db)
            is_works = False
            self._commit()
        except DBAPIError as error:
            self._rolled_back()
            if is_works and not is_trouble(error):
                raise
            raise database_fault(error) from error
        except BaseException:
            self._rolled_back()
            raise
        return answer

    def _begun(self, begin: Callable[[Hand], None]) -> Db:
        """Give the connection, begun; one that was cut off while nothing was asked of it is made anew, once."""
        db = self._connected()
        try:
            begin(db.hand)
        except DBAPIError as error:
            if not is_lost(error):
                raise
            self._let_go()
            db = self._connected()
            begin(db.hand)
        return db

    def _commit_now(self) -> None:
        db = self._connected()
        mark = db.hand.mark
        try:
            db.hand.commit()
        except DBAPIError as error:
            if not (mark and is_lost(error)):
                raise
            self._let_go()
            if not was_committed(self._engines, mark):
                raise

    def _connected(self) -> Db:
        if self._db is None:
            self._db = Db(self._engines.write, self._engines.manners)
        return self._db

    def _rolled_back(self) -> None:
        try:
            if self._db is not None:
                self._db.hand.rollback()
                if self._db.invalidated:
                    self._let_go()
        except DBAPIError:
            self._let_go()

    def _let_go(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None


@dataclass(slots=True)
class _Refused:
    error: Exception


def _opened(engines: Engines) -> Db:
    try:
        db = Db(engines.read, engines.manners)
    except DBAPIError as error:
        raise database_fault(error) from error
    try:
        db.hand.begin_reading()
    except DBAPIError as error:
        db.close()
        raise database_fault(error) from error
    return db


def _run(db: Db, run: Callable[[Connection], T]) -> T | _Refused:
    db.hand.save()
    try:
        answer = run(db)
    except Exception as error:  # whatever it is, it is the answer to this work alone
        if isinstance(error, DBAPIError) and is_trouble(error):
            raise
        db.hand.back_to_save()
        return _Refused(error)
    db.hand.release_save()
    return answer
