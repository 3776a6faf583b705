"""Fills an SQLite file: one transaction, in which indexes that are not in the order of the rows go first and come back last."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from ordre.bench.stamps import parsed

_CACHE = -256 * 1024
"""Of pages in memory, in KiB: building an index sorts there."""
_TABLES = ("orders", "order_bodies", "recorded_terms", "found_orders", "facts", "feed")
_END = "update feeds set position = ?, hash = ? where account_id = ?"
_INDEXES = "select name, sql from sqlite_master where type = 'index' and sql is not null and tbl_name = ?"


class SqliteFilling:
    """A filling that is under way; nothing of it is there unless it ends well."""

    def __init__(self, file: Path, orders: int) -> None:
        self._file, self._orders = file, orders
        self._indexes: list[str] = []

    async def __aenter__(self) -> Self:
        """Begin."""
        self._connection = sqlite3.connect(self._file, isolation_level=None, timeout=30)
        run = self._connection.execute
        run("pragma synchronous = full")
        run(f"pragma cache_size = {_CACHE}")
        run("begin immediate")
        ((there,),) = run("select count(*) from (select account_id from orders limit ?)", (self._orders,)).fetchall()
        if there < self._orders:  # else building them anew takes longer than keeping them up
            for table in _TABLES:
                for name, sql in run(_INDEXES, (table,)).fetchall():
                    self._indexes.append(sql)
                    run(f"drop index {name}")
        return self

    async def add(self, table: str, columns: Sequence[str], text: bytes) -> None:
        """Add rows of a table, as text."""
        sql = f"insert into {table} ({', '.join(columns)}) values ({', '.join('?' * len(columns))})"
        self._connection.executemany(sql, map(parsed, text.decode().split("\n")[:-1]))

    async def end_feed(self, account_id: str, position: int, hash_: str) -> None:
        """Store where the feed of the account ends."""
        self._connection.execute(_END, (position, hash_, account_id))

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Build the indexes and commit; or take everything back."""
        try:
            if kind is None:
                for sql in self._indexes:
                    self._connection.execute(sql)
                self._connection.execute("commit")
                self._connection.execute("analyze")
        finally:
            self._connection.close()
