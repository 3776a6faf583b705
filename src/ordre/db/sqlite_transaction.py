"""The whole of an SQLite file in one transaction, on a connection of its own."""

import contextlib
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

from ordre.application.directory import SERVICE
from ordre.application.documents import Documents
from ordre.application.troubles import StoreUnavailable
from ordre.auth.sealing import Sealer
from ordre.db import queries, sqlite_file
from ordre.db.layout import Table
from ordre.db.schema import Engine
from ordre.db.scripts import Script, T
from ordre.db.sql import Row
from ordre.db.sqlite_batch import run_script, told
from ordre.db.transaction import RowsRefused, Transaction


class SqliteTransaction(Transaction):
    """To be read, the file is opened for reading only; to be written, it is made where it is not there, removed on failure."""

    engine: Engine = "sqlite"

    def __init__(self, path: Path, documents: Documents, sealer: Sealer, by: str = SERVICE) -> None:
        super().__init__(documents, sealer, by)
        self._path = path
        self._connected: sqlite3.Connection | None = None

    @contextlib.asynccontextmanager
    async def begun(self, *, read_only: bool) -> AsyncIterator[None]:
        """Open the file and begin."""
        reading = sqlite_file.Reading(self._path) if read_only else None
        is_new = not self._path.exists()
        try:
            with self._open(reading) as connection, _explained():
                self._connected = connection
                yield
                connection.execute("commit")
        except BaseException:
            if is_new:
                sqlite_file.remove(self._path)
            raise
        finally:
            self._connected = None
        if reading is not None:
            reading.check()

    async def rows(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Read rows."""
        return self._run(sql, parameters).fetchall()

    async def shared(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Read rows."""
        return self._run(sql, parameters).fetchall()

    async def write(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Run one statement."""
        return self._run(sql, parameters).fetchall()

    async def write_shared(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Run one statement."""
        return self._run(sql, parameters).fetchall()

    async def run(self, script: Script[T], account_id: str = "") -> T:  # noqa: ARG002 - every row is seen here
        """Run a script."""
        return run_script(self._connection, script)

    async def stream(self, sql: str, *parameters: object) -> AsyncIterator[Row]:
        """Yield rows as SQLite finds them."""
        for row in self._run(sql, parameters):
            yield row

    async def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """Insert rows."""
        marks = ", ".join("?" * len(table.columns))
        try:
            self._connection.executemany(f"insert into {table.name} ({', '.join(table.columns)}) values ({marks})", rows)
        except sqlite3.IntegrityError as error:
            raise RowsRefused(str(error)) from error

    async def execute(self, statement: str) -> None:
        """Run a statement."""
        self._connection.execute(statement)

    async def has_history(self) -> bool:
        """Look for the table of migrations."""
        return bool(await self.shared("select 1 from sqlite_master where name = 'schema_migrations'"))

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._connected is None:
            raise StoreUnavailable("the transaction is over")
        return self._connected

    def _run(self, sql: str, parameters: Sequence[object]) -> sqlite3.Cursor:
        named = {str(number): value for number, value in enumerate(parameters, 1)}
        return self._connection.execute(queries.for_sqlite(sql), named)

    def _connect(self) -> sqlite3.Connection:
        sqlite_file.make_private(self._path)
        return sqlite3.connect(self._path, timeout=sqlite_file.BUSY_SECONDS, isolation_level=None)

    @contextlib.contextmanager
    def _open(self, reading: sqlite_file.Reading | None) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._connect() if reading is None else reading.connect()
        except (OSError, sqlite3.Error) as error:
            raise StoreUnavailable(f"cannot open {self._path}: {error}") from error
        with contextlib.closing(connection):
            try:
                connection.execute("pragma foreign_keys = on")
                connection.execute("begin immediate" if reading is None else "begin")
                connection.execute("select count(*) from sqlite_master").fetchone()  # from here on it is a snapshot
            except sqlite3.Error as error:
                raise StoreUnavailable(f"cannot read {self._path}: {error}") from error
            yield connection


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise told(error) from error
