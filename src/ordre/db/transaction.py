"""The whole database in one transaction: the snapshot that a backup reads, or everything that a restore writes."""

import time
from abc import abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from ordre.application.troubles import StoreUnavailable
from ordre.db.administration import migrated
from ordre.db.directory import about_key
from ordre.db.hooks import about_secret, opened_secret
from ordre.db.layout import Table
from ordre.db.reads import OrderTables
from ordre.db.schema import APPLIED, HISTORY, Applied, Engine, Migration, applied_from, migrations
from ordre.db.sql import Row


class RowsRefused(StoreUnavailable):
    """A table does not take rows: one is there already, or refers to none, or holds what no column can."""


class Transaction(OrderTables):
    """One transaction. As ``OrderTables`` it reads and writes in it; nothing is to be seen from outside before its end."""

    engine: Engine

    @abstractmethod
    def begun(self, *, read_only: bool) -> AbstractAsyncContextManager[None]:
        """Begin; commit at the end, or take everything back where an exception leaves.

        Raises:
            StoreUnavailable: The database cannot be reached or, to be read, is not there.
        """

    @abstractmethod
    def stream(self, sql: str, *parameters: object) -> AsyncIterator[Row]:
        """Yield rows as ``rows`` returns them, without holding them all."""

    @abstractmethod
    async def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """Insert rows of a table, each with all of its columns.

        Raises:
            RowsRefused: See there.
        """

    @abstractmethod
    async def execute(self, statement: str) -> None:
        """Run a statement of a migration."""

    @abstractmethod
    async def has_history(self) -> bool:
        """Whether the database was ever migrated."""

    async def count_overwritten(self) -> None:
        """Do nothing: a transaction that reads overwrites nothing, and one that writes begins with nothing."""

    async def applied(self) -> Sequence[Applied]:
        """Return the migrations that the database has had, oldest first."""
        return applied_from(await self.shared(APPLIED)) if await self.has_history() else []

    async def migrate(self, after: int, until: int) -> Sequence[Migration]:
        """Run the migrations after one number up to another; they are yet to be recorded. Return them."""
        if not await self.has_history():
            await self.execute(HISTORY)
        steps = [step for step in migrations(self.engine) if after < step.number <= until]
        for step in steps:
            for statement in step.statements:
                await self.execute(statement)
        return steps

    async def record(self, steps: Sequence[Migration], ran: Sequence[Migration]) -> None:
        """Record and log migrations, up to the newest; ``ran`` are those that were run on what is there."""
        numbers = {step.number for step in ran}
        await self.run(migrated(steps, numbers, self.by, time.time_ns() // 1_000_000, self.engine))

    def opened_key(self, kid: str, stored: str) -> str:
        """Return a key that signs tokens as a JWK, from how a database with this one's secret stores it.

        Raises:
            KeysUnreadable: It is encrypted under another secret.
        """
        return self._signing_key((kid, stored, 0, None)).jwk

    def sealed_key(self, kid: str, jwk: str) -> str:
        """Return a key that signs tokens as this database stores it."""
        return self._sealer.seal(jwk, about_key(kid))

    def opened_secret(self, hook_id: str, stored: str) -> str:
        """Return the secret of a subscription, from how a database with this one's secret stores it.

        Raises:
            KeysUnreadable: It is encrypted under another secret.
        """
        return opened_secret(self._sealer, hook_id, stored)

    def sealed_secret(self, hook_id: str, secret: str) -> str:
        """Return the secret of a subscription as this database stores it."""
        return self._sealer.seal(secret, about_secret(hook_id))

    async def account_ids(self) -> Sequence[str]:
        """Return every account's id, in order."""
        return [row[0] for row in await self.shared("select account_id from accounts order by account_id")]

    async def table(self, table: Table) -> AsyncIterator[Row]:
        """Yield every row of a table, account by account, by the table's key."""
        for account in await self.account_ids() if table.of_accounts else [None]:
            async for row in self.stream(table.select, account) if account is not None else self.stream(table.select):
                yield row

    async def count(self, table: Table) -> int:
        """Return the number of rows of a table."""
        if not table.of_accounts:
            return int((await self.shared(table.count))[0][0])
        return sum([int((await self.rows(table.count, account))[0][0]) for account in await self.account_ids()])


class Step(Protocol):
    """A migration that a database has had, perhaps one of another version of Ordre."""

    @property
    def number(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def digest(self) -> str: ...


def known(steps: Sequence[Step], what: str) -> int:
    """Return the number of the newest of these migrations; 0 where there is none. ``what`` has had them, for the message.

    Raises:
        StoreUnavailable: One of them is not a migration of this version of Ordre.
    """
    ours = {step.number: step.digest for step in migrations("sqlite")}
    for step in steps:
        if ours.get(step.number) != step.digest:
            raise StoreUnavailable(
                f"{what} has had the migration {step.name}, which this version of Ordre does not know: use a newer one"
            )
    return max((step.number for step in steps), default=0)
