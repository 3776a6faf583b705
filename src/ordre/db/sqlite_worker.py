"""The threads of SQLite: each has a connection of its own, takes whatever waits for it, and answers all of it at once."""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any

from ordre.application.change import Change
from ordre.application.lists import Terms
from ordre.application.troubles import StoreUnavailable
from ordre.db.pending import Pending
from ordre.db.sqlite_batch import run, told, tried
from ordre.db.sqlite_file import Held

ATTEMPTS = 5
_SYNC_FAILED = (sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC)
"""After these nobody knows what is on the disk."""

Jobs = queue.SimpleQueue[Pending | None]
"""What waits for a thread; None ends it.

A job is a change, a function of the connection, or (to read) SQL, its parameters, and what takes the rows.
"""
Done = tuple[Pending, Any]
"""A job and what became of it: a result or an exception."""


class Worker:
    """A thread. It takes up to ``most`` jobs at once, and does them by ``work``."""

    def __init__(
        self,
        name: str,
        jobs: Jobs,
        connection: sqlite3.Connection,
        work: Callable[[sqlite3.Connection, Sequence[Pending]], Iterable[Done]],
        most: int,
    ) -> None:
        self.queue, self.connection = jobs, connection
        self._work, self._most = work, most
        self.thread = threading.Thread(target=self._loop, name=f"ordre-{name}", daemon=True)
        self.thread.start()

    def _loop(self) -> None:
        while (first := self.queue.get()) is not None:
            taken, last = [first], False
            while len(taken) < self._most and not last:
                try:
                    following = self.queue.get_nowait()
                except queue.Empty:
                    break
                last = following is None
                if following is not None:
                    taken.append(following)
            _answer(self._work(self.connection, taken))
            if last:
                return


def read_all(connection: sqlite3.Connection, waiting: Sequence[Pending]) -> Iterator[Done]:
    """Read for each, one after another, unless nobody waits for it any more."""
    for one in waiting:
        if one.take():
            yield one, _read(connection, *one.job)


def _read(connection: sqlite3.Connection, sql: str, parameters: Sequence[object], take: Callable[[sqlite3.Cursor], Any]) -> Any:
    try:
        with closing(run(connection, sql, parameters)) as cursor:  # what is not taken is let go
            return take(cursor)
    except Exception as error:  # noqa: BLE001 - it is raised again, to its caller
        return told(error)


def _answer(done: Iterable[Done]) -> None:
    """Hand each caller its result, waking every event loop once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Done]] = {}
    for one in done:
        by_loop.setdefault(one[0].loop, []).append(one)
    for loop, answered in by_loop.items():
        loop.call_soon_threadsafe(_tell, answered)


def _tell(done: Sequence[Done]) -> None:
    for one, result in done:
        one.tell(result)


class Writing:
    """The work of the writer thread. ``held`` is the file that it writes to, where there is one."""

    def __init__(self, terms: Terms, held: Held | None) -> None:
        self._terms, self._held = terms, held

    def work(self, connection: sqlite3.Connection, waiting: Sequence[Pending]) -> list[Done]:
        """Do the waiting jobs: neighbouring changes as one batch; an erasure, or a job that is no change, by itself."""
        done: list[Done] = []
        together: list[Pending] = []
        for one in waiting:
            if isinstance(one.job, Change) and not one.job.erases:
                together.append(one)
                continue
            done += self._batch(connection, together)
            together = []
            done += self._batch(connection, [one]) if isinstance(one.job, Change) else self._alone(connection, one)
        return done + self._batch(connection, together)

    def _alone(self, connection: sqlite3.Connection, one: Pending) -> list[Done]:
        try:
            self._begin(connection)
            if not one.take():
                _roll_back(connection)
                return []
            result = one.job(connection)
            self._commit(connection)
        except Exception as error:  # noqa: BLE001 - it is raised again, to its caller
            _roll_back(connection)
            return [(one, told(error))]
        else:
            return [(one, result)]

    def _batch(self, connection: sqlite3.Connection, waiting: Sequence[Pending]) -> list[Done]:
        """Run the changes that nobody has withdrawn by the time the database can be written, as one transaction."""
        if not waiting:
            return []
        try:
            self._begin(connection)
        except Exception as error:  # noqa: BLE001 - it is raised again, to its caller
            _roll_back(connection)
            return [(one, told(error)) for one in waiting]
        taken = [one for one in waiting if one.take()]
        done = self._begun(connection, taken)
        return done if done is not None else [(one, self._by_itself(connection, one)) for one in taken]

    def _by_itself(self, connection: sqlite3.Connection, one: Pending) -> Any:
        """Run one change of a batch that could not be written, so that none fails for another."""
        for _ in range(ATTEMPTS):
            try:
                self._begin(connection)
            except Exception as error:  # noqa: BLE001 - it is raised again, to its caller
                _roll_back(connection)
                return told(error)
            if (done := self._begun(connection, [one])) is not None:
                return done[0][1]
        return StoreUnavailable("other writers changed the same order first, too often")

    def _begun(self, connection: sqlite3.Connection, taken: Sequence[Pending]) -> list[Done] | None:
        """Run changes in the transaction that has begun, and end it; return None where each is to be run again by itself."""
        try:
            ran, lost = tried(self._terms, connection, [one.job for one in taken])
            if not lost:
                self._commit(connection)
                return [(one, result.outcome or result.refused) for one, result in zip(taken, ran, strict=True)]
            _roll_back(connection)
        except Exception as error:  # noqa: BLE001 - it is raised again, to its own caller
            _roll_back(connection)
            of_all = isinstance(error, sqlite3.Error | StoreUnavailable) and not isinstance(error, sqlite3.IntegrityError)
            if len(taken) == 1 or of_all:
                return [(one, told(error)) for one in taken]
        return None

    def _begin(self, connection: sqlite3.Connection) -> None:
        """Wait for whoever else writes, then see that what is written will be in the file of the database's name."""
        connection.execute("begin immediate")
        if self._held is not None:
            self._held.check()

    def _commit(self, connection: sqlite3.Connection) -> None:
        try:
            connection.execute("commit")
            if self._held is not None:
                self._held.check()
        except StoreUnavailable as error:
            raise StoreUnavailable(str(error), error.trouble, unsure=True) from error
        except sqlite3.Error as error:
            if error.sqlite_errorcode not in _SYNC_FAILED:
                raise
            raise StoreUnavailable(str(error), unsure=True) from error


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("rollback")
