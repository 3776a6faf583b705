"""The tables as the migrations make them, from which a backup is read and written.

The migrations are run in memory to find out. So a new table or a new column is in every backup without anybody having to think
of it.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache

from ordre.db.schema import HISTORY, migrations


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table: the type of each column by its name, ``bigint``, ``text`` or ``blob``, and the columns of its key."""

    name: str
    columns: Mapping[str, str]
    key: tuple[str, ...]

    @property
    def of_accounts(self) -> bool:
        """Whether each row belongs to an account."""
        return "account_id" in self.columns

    @property
    def select(self) -> str:
        """The query for its rows by their key: of the account $1 where it is one of accounts, else all."""
        of = " where account_id = $1" if self.of_accounts else ""
        return f"select {', '.join(self.columns)} from {self.name}{of} order by {', '.join(self.key)}"

    @property
    def count(self) -> str:
        """The query for the number of its rows, as in ``select``."""
        return f"select count(*) from {self.name}{' where account_id = $1' if self.of_accounts else ''}"


@cache
def layout(number: int) -> tuple[Table, ...]:
    """Return the tables after the migrations up to this number. A table comes after those that it refers to."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(HISTORY)
        for step in migrations("sqlite"):
            for statement in step.statements if step.number <= number else ():
                connection.execute(statement)
        made = "select name from sqlite_master where type = 'table' and name <> 'schema_migrations' order by rowid"
        return tuple(_table(connection, name) for (name,) in connection.execute(made).fetchall())


def _table(connection: sqlite3.Connection, name: str) -> Table:
    rows = connection.execute(f"pragma table_info({name})").fetchall()
    key = sorted((place, column) for _, column, _, _, _, place in rows if place)
    return Table(name=name, columns={row[1]: row[2].lower() for row in rows}, key=tuple(column for _, column in key))
