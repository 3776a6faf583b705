"""Is everything that is stored what was written? Of orders, see ``db/verify.py``; here is what stands beside them."""

from collections.abc import AsyncIterator, Sequence

from ordre.application.ports import Act
from ordre.db.store import SqlTables
from ordre.db.verify import Difference
from ordre.db.verify_acts import administered


async def beside_orders(database: SqlTables, acts: Sequence[Act], accounts: Sequence[str]) -> AsyncIterator[Difference]:
    """Yield where what is stored beside orders is not what was written, of these accounts and of what is no account's."""
    async for one in administered(database, acts, accounts):
        yield one
