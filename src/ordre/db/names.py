"""Which of many names are those of orders that are there."""

from collections.abc import Sequence

from ordre.db.sql import Row, Statements


async def there(database: Statements, account_id: str, names: Sequence[str]) -> Sequence[Row]:
    """Return (id, order_id) of each of the account's orders that has one of these names as either."""
    if not names:
        return []
    places = ", ".join(f"${number}" for number in range(2, 2 + len(names)))
    of_account = "select id, order_id from orders where account_id = $1 and"
    sql = f"{of_account} id in ({places}) union {of_account} order_id in ({places})"
    return await database.rows(sql, account_id, *names)
