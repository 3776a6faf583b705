"""Verifies everything that is stored beside orders; of orders, see ``db/verify.py``."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from ordre.application.directory import Act
from ordre.application.views import StoredOrder
from ordre.db.reads import OrderTables
from ordre.db.tally import Tally, sum_of
from ordre.db.verify import Difference
from ordre.db.verify_acts import administered
from ordre.db.verify_rest import Rest, strangers


def tallies_of(orders: Iterable[StoredOrder]) -> dict[str, Tally]:
    """Return the number of facts and the sum of their hashes, by account."""
    found: dict[str, Tally] = {}
    for order in orders:
        found.setdefault(order.account_id, Tally()).put("facts", len(order.facts), sum_of(fact.hash for fact in order.facts))
    return found


async def beside_orders(
    database: OrderTables, acts: Sequence[Act], accounts: Sequence[str], facts: Mapping[str, Tally]
) -> AsyncIterator[Difference]:
    """Yield where what is stored beside orders is not what was written, of these accounts and of what is no account's.

    ``facts`` are those of the orders of each account: is that as much as was written?
    """
    async for one in administered(database, acts, accounts):
        yield one
    for account_id in accounts:
        async for one in Rest(database, account_id, facts.get(account_id, Tally())).differences():
            yield one
    async for one in strangers(database):
        yield one
