"""Milliseconds of a page of 20 orders by each kind of filter, with and without the total, on an account of many orders.

    .venv/bin/python script/bench_lists.py --orders 200000 --database sqlite:////tmp/lists.sqlite --database postgresql://...

The databases are to be empty. Orders are filled in by SQL, as for `tests/db/test_plans.py`; the medians of 7 are printed.
"""

import argparse
import asyncio
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import asyncpg

from ordre.application.lists import PAGE_BYTES, ListQuery
from ordre.bootstrap import make_store
from ordre.db.lists import ORDERS, Finding, Statement
from ordre.db.store import SqlStore
from ordre.settings import Settings

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "db")]

from many_orders import ACCOUNT, COUNT, FILL, term, words  # noqa: E402 - it lies among the tests

TIMES = 7


def queries(orders: int) -> dict[str, dict[str, Any]]:
    """Return what is asked for."""
    return {
        "the newest": {},
        "one customer": term("customer_id", "C7"),
        "an external id": term("external_id", "E7"),
        "metadata of a third": term("metadata.channel", "pos"),
        "a rare word": words(f"rare{orders - 1}"),
        "a word of all": words("common"),
        "both": words("common", f"rare{orders // 100}"),
        "an amount": {"net_from": 70, "net_to": 90},
        "closed": {"statuses": ("closed",)},
        "written lately": {"updated_from": orders - 10},
    }


async def fill(store: SqlStore, database: str, orders: int) -> None:
    """Fill an empty database; without the store's time limit on a statement."""
    statements = [statement.replace(str(COUNT), str(orders)) for statement in FILL]
    if database.startswith("sqlite"):
        for statement in statements:
            await store.write_shared(statement)
        return
    connection = await asyncpg.connect(database)
    for statement in [*statements, "analyze"]:
        await connection.execute(statement)
    await connection.close()


async def once(store: SqlStore, query: ListQuery) -> float:
    """Return how long one page takes, in milliseconds."""

    async def rows(statement: Statement) -> Any:
        sql, parameters = statement
        return await store.rows(sql, *parameters)

    started = time.perf_counter()
    finding = Finding(ORDERS, ACCOUNT, query)
    if finding.probed:
        finding.choose((await rows(finding.probe()))[0])
    await store.rows_within(finding.page(), PAGE_BYTES)
    if query.total:
        await rows(finding.count())
    return (time.perf_counter() - started) * 1000


async def measure(database: str, orders: int) -> None:
    """Fill, and print a line for each query."""
    store = make_store(Settings(database=database))
    assert isinstance(store, SqlStore)  # noqa: S101 - both engines are
    await store.migrate()
    await store.open()
    await fill(store, database, orders)
    for name, query in queries(orders).items():
        medians = []
        for total in (False, True):
            asked = ListQuery(limit=20, total=total, **query)
            medians.append(statistics.median([await once(store, asked) for _ in range(TIMES)]))
        print(f"{database.partition(':')[0]:11} {name:20} {medians[0]:7.1f} ms   with total {medians[1]:7.1f} ms")
    await store.close()


def main() -> None:
    """Measure each database."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", action="append", required=True)
    parser.add_argument("--orders", type=int, default=200_000)
    given = parser.parse_args()
    for database in given.database:
        asyncio.run(measure(database, given.orders))


if __name__ == "__main__":
    main()
