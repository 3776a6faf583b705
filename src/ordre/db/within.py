"""Reads rows up to a size in bytes, so that a page costs no more than its bytes, however many and large its rows are.

PostgreSQL adds up the sizes of a statement's rows, which it knows without reading long texts, and sends those that are wanted.
SQLite gives a row a time, and is not asked for the next one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ordre.application.aside import small

Row = Sequence[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sized:
    """A query in an order. ``texts`` are the places of columns whose sizes count; ``order`` names places (``c0 desc, c1``).

    ``as_bytes`` tells whether these columns are read as UTF-8, to be sent on as they are.
    """

    sql: str
    parameters: Sequence[object]
    columns: int
    texts: Sequence[int]
    order: str
    as_bytes: bool = False
    size: int | None = None
    """The place of a column that says how large a row is beside its texts, if there is one."""

    def of_postgres(self, most_bytes: int) -> str:
        """Return the query for its first rows: up to the one with which they are larger than this, and two of them at least."""
        names = ", ".join(f"c{place}" for place in range(self.columns))
        size = " + ".join(f"coalesce(octet_length(c{place}), 0)" for place in self.texts)
        size += "" if self.size is None else f" + coalesce(c{self.size}, 0)"
        window = f"over (order by {self.order} rows unbounded preceding)"
        sent = self._columns("textsend({})")  # last, so that what is not wanted is not read for it
        return f"""select {sent} from (
            select {names}, row_number() {window} as place, sum({size}) {window} - ({size}) as before
            from ({self.sql}) read({names})) counted
            where before <= {most_bytes} or place <= 2 order by {self.order}"""

    @property
    def of_sqlite(self) -> str:
        """The query, whose rows are read one by one."""
        if not self.as_bytes:
            return self.sql
        names = ", ".join(f"c{place}" for place in range(self.columns))
        return f"with read({names}) as ({self.sql}) select {self._columns('cast({} as blob)')} from read"

    def _columns(self, as_bytes: str) -> str:
        """Return the columns, of which the texts are made bytes where that is wanted."""
        texts = self.texts if self.as_bytes else ()
        return ", ".join(as_bytes.format(f"c{place}") if place in texts else f"c{place}" for place in range(self.columns))


def until(rows: Iterable[Row], most_bytes: int, beside: int | None = None) -> list[Row]:
    """Return the first rows: up to the one with which they are larger than this, and two of them at least.

    ``beside`` is the place of a column that says how large a row is beside its texts.
    """
    found: list[Row] = []
    size = 0
    for row in rows:
        small.give_way()
        found.append(row)
        size += size_of(row, beside)
        if size > most_bytes and len(found) > 1:
            break
    return found


def size_of(row: Row, beside: int | None = None) -> int:
    """Return about how many bytes a row has: the characters of its texts, or their bytes, and what a column says beside them."""
    return sum(len(value) for value in row if isinstance(value, str | bytes)) + (0 if beside is None else row[beside] or 0)
