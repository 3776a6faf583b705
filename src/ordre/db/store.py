"""A store over SQL: what both engines share, and whether changes are taken."""

from abc import abstractmethod

from ordre.application.change import Change, Outcome
from ordre.application.directory import SERVICE
from ordre.application.documents import Documents
from ordre.application.troubles import StoreUnavailable, Trouble
from ordre.auth.sealing import Sealer
from ordre.db.reads import OrderTables
from ordre.db.schema import APPLIED, Engine, applied_from, shortfall

_TOUCH = "update schema_migrations set applied_at = applied_at + 1 - 2 * (applied_at % 2) where number = 1"
"""A real write, since SQLite skips one that changes nothing: it toggles an instant that nothing reads by a millisecond."""


class SqlStore(OrderTables):
    """A store over SQL. An engine says how a change is run."""

    engine: Engine

    def __init__(self, documents: Documents, sealer: Sealer, by: str = SERVICE) -> None:
        super().__init__(documents, sealer, by)
        self._trouble: Trouble | None = None

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
        return outcome

    async def take_room(self) -> None:
        """Write something that takes room on the disk, where the engine has a way to; fail where the disk is still full."""

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
