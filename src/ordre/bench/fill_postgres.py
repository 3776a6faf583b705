"""Fills a PostgreSQL database: one transaction, in which indexes and constraints of the tables go first and come back last.

Rows cannot be copied into a table whose rows a policy guards against its owner, so the owner is not bound until the end. All of
it stands in the transaction: if that ends before, nothing has happened.
"""

import io
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import asyncpg

from ordre.db.admission import ADMIT

_TABLES = ("orders", "order_bodies", "recorded_terms", "found_orders", "facts", "feed")
_END = "update feeds set position = $1, hash = $2 where account_id = $3"
_FORCED = "select relname from pg_class where oid = any ($1::regclass[]) and relforcerowsecurity"
_CONSTRAINTS = """select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint
    where contype in ('f', 'p', 'u') and (conrelid = any ($1::regclass[]) or confrelid = any ($1::regclass[]))
    order by contype = 'f' desc, conrelid"""
_INDEXES = """select indexrelid::regclass::text, pg_get_indexdef(indexrelid) from pg_index
    where indrelid = any ($1::regclass[]) and not exists (select 1 from pg_constraint where conindid = indexrelid)"""
_MEMORY = "set local maintenance_work_mem = '512MB'"


class PostgresFilling:
    """A filling that is under way; nothing of it is there unless it ends well."""

    def __init__(self, url: str, account_id: str, orders: int) -> None:
        self._url, self._account_id, self._orders = url, account_id, orders
        self._later: list[str] = []

    async def __aenter__(self) -> Self:
        """Begin."""
        self._connection = await asyncpg.connect(self._url, server_settings={"application_name": "ordre bench"})
        self._transaction = self._connection.transaction()
        await self._transaction.start()
        await self._connection.execute(_MEMORY)
        await self._connection.execute(ADMIT, self._account_id)
        if not await self._holds_more():  # else building them anew takes longer than keeping them up
            await self._put_off()
        for (table,) in await self._connection.fetch(_FORCED, _TABLES):
            await self._connection.execute(f"alter table {table} no force row level security")
            self._later.append(f"alter table {table} force row level security")
        return self

    async def _holds_more(self) -> bool:
        pages = "select coalesce(sum(greatest(reltuples, 0)), 0) from pg_class where oid = 'orders'::regclass"
        return bool(await self._connection.fetchval(pages) > self._orders)

    async def _put_off(self) -> None:
        """Drop indexes and constraints, which are built at the end."""
        constraints = [tuple(row) for row in await self._connection.fetch(_CONSTRAINTS, _TABLES)]
        indexes = [tuple(row) for row in await self._connection.fetch(_INDEXES, _TABLES)]
        for table, name, _ in constraints:
            await self._connection.execute(f"alter table {table} drop constraint {name}")
        for name, _ in indexes:
            await self._connection.execute(f"drop index {name}")
        self._later += [definition for _, definition in indexes]
        self._later += [
            f"alter table {table} add constraint {name} {definition}" for table, name, definition in reversed(constraints)
        ]

    async def add(self, table: str, columns: Sequence[str], text: bytes) -> None:
        """Add rows of a table, as text."""
        await self._connection.copy_to_table(table, source=io.BytesIO(text), columns=columns, format="text")

    async def end_feed(self, account_id: str, position: int, hash_: str) -> None:
        """Store where the feed of the account ends."""
        await self._connection.execute(_END, position, hash_, account_id)

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Build the indexes and commit; or take everything back."""
        try:
            if kind is None:
                for statement in self._later:
                    await self._connection.execute(statement)
                await self._transaction.commit()
                await self._connection.execute(f"analyze {', '.join(_TABLES)}")
                await self._connection.close()
        finally:
            self._connection.terminate()
