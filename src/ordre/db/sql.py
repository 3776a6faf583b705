"""How statements are run on a database, whichever engine it has."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from ordre.application.directory import SERVICE
from ordre.application.documents import Documents
from ordre.auth.sealing import Sealer
from ordre.db.schema import Engine
from ordre.db.scripts import Script, T
from ordre.db.within import Sized, until

Row = Sequence[Any]


class Statements(ABC):
    """Runs statements. Whoever derives from it says how rows are read and how one statement is written."""

    engine: Engine

    def __init__(self, documents: Documents, sealer: Sealer, by: str = SERVICE) -> None:
        self.documents, self.terms = documents, documents.terms
        self.by = by
        self._sealer = sealer

    @abstractmethod
    async def run(self, script: Script[T], account_id: str = "") -> T:
        """Run a script on one account, or on what is no account's, durably."""

    @abstractmethod
    async def rows(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Read rows of one account, which is the first parameter."""

    async def walk(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Read few rows by a query that may have to look at many."""
        return await self.rows(sql, *parameters)

    async def rows_within(self, query: Sized, most_bytes: int) -> Sequence[Row]:
        """Read rows until they are larger than this, and two at least; one that makes them larger is the last."""
        return until(await self.rows(query.sql, *query.parameters), most_bytes, query.size)

    @abstractmethod
    async def write(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Run one statement on one account, which is the first parameter, durably; return what it returns."""

    @abstractmethod
    async def shared(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Read what is no account's: accounts themselves, keys that sign, the schema."""

    @abstractmethod
    async def write_shared(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Run one statement, durably, on what is no account's."""

    @abstractmethod
    async def count_overwritten(self) -> None:
        """Remember that the files may hold what no table does any more, so that ``settle`` rids them of it."""
