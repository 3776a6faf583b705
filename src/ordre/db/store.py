"""A store over SQL: what both engines share, and whether changes are taken."""

import asyncio
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import ClassVar

from ordre.application.change import Change, Outcome
from ordre.application.directory import SERVICE
from ordre.application.documents import Documents
from ordre.application.troubles import StoreUnavailable, Trouble
from ordre.application.views import View
from ordre.auth.sealing import Sealer
from ordre.db import names
from ordre.db.bell import Bell
from ordre.db.hooks import HookTables
from ordre.db.indexing import index_terms, pack
from ordre.db.reads import OrderTables
from ordre.db.schema import APPLIED, Engine, applied_from, shortfall

_TOUCH = "update schema_migrations set applied_at = applied_at + 1 - 2 * (applied_at % 2) where number = 1"
"""A real write, since SQLite skips one that changes nothing: it toggles an instant that nothing reads by a millisecond."""
_WATCH_SECONDS = 0.0005
"""For each account that is looked at, as many there are."""


class SqlStore(OrderTables, HookTables):
    """A store over SQL. An engine says how a change is run."""

    engine: Engine
    watch_seconds: ClassVar[float]
    """Between two looks for what other processes wrote, while somebody waits for it."""

    def __init__(self, documents: Documents, sealer: Sealer, by: str = SERVICE) -> None:
        super().__init__(documents, sealer, by)
        self._trouble: Trouble | None = None
        self._bell = Bell()
        self._watching: asyncio.Task[None] | None = None

    @abstractmethod
    async def changed(self, change: Change) -> Outcome:
        """Run a change."""

    async def change(self, change: Change) -> Outcome:
        """Run a change; remember why the database did not take it."""
        try:
            outcome = await self.changed(change)
        except StoreUnavailable as error:
            self._trouble = error.trouble
            raise
        self._trouble = None
        self.ring(change.wanted.account_id)
        return outcome

    def ring(self, account_id: str) -> None:
        """Wake those who wait for the feed of an account."""
        self._bell.ring(account_id)

    @property
    def lets_wait(self) -> bool:
        """Whether it has not been told to stop waiting."""
        return not self._bell.silent

    def stop_waiting(self) -> None:
        """Let those go who wait for a feed, and nobody wait from now on."""
        self._bell.take_down()
        if self._watching is not None:
            self._watching.cancel()

    async def feed_moved(self, account_id: str, after: int, seconds: float) -> bool:
        """Wait until the feed of the account goes beyond a position, at most so long; return whether it does."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        await self.listen()
        while True:
            with self._bell.heard(account_id) as rung:
                if await self.feed_end(account_id) > after:
                    return True
                left = until - loop.time()
                if left <= 0 or self._bell.silent:
                    return False
                await asyncio.wait([rung], timeout=left)

    async def listen(self) -> None:
        """See to it that the bell is rung for what other processes write, while anybody listens to it."""
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        ends: dict[str, int] = {}
        while not self._bell.silent:
            await asyncio.sleep(max(self.watch_seconds, len(self._bell.awaited) * _WATCH_SECONDS))
            before, ends = ends, {}
            if not self._bell.awaited:
                return
            for account_id in [*self._bell.awaited]:
                with suppress(StoreUnavailable):
                    ends[account_id] = await self.feed_end(account_id)
                    if ends[account_id] != before.get(account_id):
                        self._bell.ring(account_id)

    async def there(self, account_id: str, named: Sequence[str]) -> Sequence[tuple[str, str]]:
        """Return the (``id``, ``order_id``) of each order that has one of these names as either."""
        return [(row[0], row[1]) for row in await names.there(self, account_id, named)]

    async def views(self, account_id: str, ids: Sequence[str]) -> Mapping[str, View]:
        """Return the orders that have one of these ids, by id."""
        return await names.views(self, account_id, ids)

    async def take_room(self) -> None:
        """Write something that takes room on the disk, where the engine has a way to; fail where the disk is still full."""

    async def renew(self) -> None:
        """Write anew what an earlier version stored otherwise: terms, and large facts and bodies."""
        await index_terms(self)
        await pack(self)

    async def ping(self) -> None:
        """Ask the database for a row; where the last change failed, write one, which tells whether it takes changes again."""
        await self.shared("select 1")
        if self._trouble is not None:
            await self.write_shared(_TOUCH)
            if self._trouble is Trouble.FULL:
                await self.take_room()
            self._trouble = None

    async def check_schema(self) -> None:
        """Refuse a schema that this version cannot serve, such as one that was migrated meanwhile."""
        lacking = shortfall(applied_from(await self.shared(APPLIED)), self.engine)
        if lacking is not None:
            raise StoreUnavailable(lacking, Trouble.SCHEMA)
