"""Captures on an order with a long history against captures on a new one: milliseconds of each, one at a time, and their ratio.

    .venv/bin/python script/bench_history.py --database sqlite:////tmp/history.sqlite --database postgresql://...

The databases are to be empty. Both orders are written to in alternation through the store; the least of each round is kept, and
the medians of the rounds are printed.
"""

import argparse
import asyncio
import statistics
import time

from ordre.application import accounts
from ordre.application.change import Call
from ordre.application.ids import uuid7
from ordre.application.orders import execute
from ordre.application.store import Store
from ordre.bootstrap import make_store
from ordre.db.store import SqlStore
from ordre.domain.ledger import Kind
from ordre.domain.lines import PricedItem
from ordre.domain.order.conditions import Limits
from ordre.domain.order.parts import About, Content
from ordre.domain.order.paying import Record
from ordre.domain.order.placing import Place
from ordre.settings import Settings

LIMITS = Limits(operations=10**6)
ACCOUNT, NOW = "T00000001", 1_700_000_000_000
AT_ONCE = 64
ROUNDS, TIMES = 15, 20


class History:
    """An order, and captures on it."""

    def __init__(self, store: Store, name: str) -> None:
        self.store, self.name, self.captures = store, name, 0

    def _call(self) -> Call:
        return Call(account_id=ACCOUNT, by="bench", at=NOW, event='{"request":{"body":"{}"}}')

    async def begin(self) -> None:
        """Place the order, and authorize all of it."""
        place = Place(
            id=uuid7(NOW),
            order_id=self.name,
            order_number=None,
            currency="NOK",
            multiple_authorizations=False,
            items=(PricedItem(line_id=1, gross=10**8),),
            content=Content(fields={}, items={1: {"line_id": "1"}}),
            about=About(),
        )
        await execute(self.store, self._call(), self.name, place)
        await self._record(Kind.AUTHORIZATION, 10**8)

    async def capture(self) -> None:
        """Capture a little."""
        await self._record(Kind.CAPTURE, 1)

    async def _record(self, kind: Kind, amount: int) -> None:
        self.captures += 1
        record = Record(
            kind=kind,
            id=f"{self.name}-{self.captures}",
            items=((1, amount),),
            success=True,
            authorization_id=None,
            fingerprint="f",
        )
        await execute(self.store, self._call(), self.name, record, LIMITS)

    async def grow(self, facts: int) -> None:
        """Capture until the order has so many facts."""
        while self.captures < facts:
            await asyncio.gather(*(self.capture() for _ in range(min(AT_ONCE, facts - self.captures))))

    async def least(self) -> float:
        """Return the least milliseconds that a capture took."""
        took = []
        for _ in range(TIMES):
            began = time.perf_counter()
            await self.capture()
            took.append((time.perf_counter() - began) * 1000)
        return min(took)


async def measure(database: str, facts: int) -> None:
    """Fill, measure, and print a line."""
    store = make_store(Settings(database=database))
    await store.migrate()
    await store.open()
    await accounts.create_account(store, ACCOUNT, "Bench", NOW)
    long, short = History(store, "long"), History(store, "short")
    for one in (long, short):
        await one.begin()
    await long.grow(facts)
    await short.grow(10)
    assert isinstance(store, SqlStore)  # noqa: S101 - both engines are
    await store.write_shared("analyze")  # as autovacuum does within a minute
    rounds = [(await long.least(), await short.least()) for _ in range(ROUNDS)]
    await store.close()
    of_long, of_short = (statistics.median(one) for one in zip(*rounds, strict=True))
    ratio = statistics.median(one / other for one, other in rounds)
    print(f"{database.partition(':')[0]:11} {facts} facts {of_long:6.2f} ms   10 facts {of_short:6.2f} ms   ratio {ratio:5.2f}")


def main() -> None:
    """Measure each database."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", action="append", required=True)
    parser.add_argument("--facts", type=int, default=10_000)
    given = parser.parse_args()
    for database in given.database:
        asyncio.run(measure(database, given.facts))


if __name__ == "__main__":
    main()
