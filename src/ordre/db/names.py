"""Which of many names are those of orders that are there, and these orders."""

from collections.abc import Mapping, Sequence

from ordre.application.views import View
from ordre.db import queries
from ordre.db.reads import view_of
from ordre.db.sql import Row, Statements


async def there(database: Statements, account_id: str, names: Sequence[str]) -> Sequence[Row]:
    """Return (id, order_id) of each of the account's orders that has one of these names as either."""
    if not names:
        return []
    places = ", ".join(f"${number}" for number in range(2, 2 + len(names)))
    of_account = "select id, order_id from orders where account_id = $1 and"
    sql = f"{of_account} id in ({places}) union {of_account} order_id in ({places})"
    return await database.rows(sql, account_id, *names)


async def views(database: Statements, account_id: str, ids: Sequence[str]) -> Mapping[str, View]:
    """Return those of the account's orders that have one of these ids, by id."""
    if not ids:
        return {}
    places = ", ".join(f"${number}" for number in range(2, 2 + len(ids)))
    sql = f"select {queries.VIEW_BYTES}, o.id from {queries.VIEW_TABLES} where {queries.VIEW_JOIN} and o.account_id = $1 and o.id"
    return {row[-1]: view_of(row) for row in await database.walk(f"{sql} in ({places})", account_id, *ids)}
