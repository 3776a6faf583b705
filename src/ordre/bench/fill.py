"""Fills a database with orders by bulk: made in several processes, copied in one transaction, with indexes built at the end."""

import asyncio
import multiprocessing
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ordre.audit import processors
from ordre.bench import copies
from ordre.bench.copies import Chunk, Copier, Wanted
from ordre.bench.databases import Database, new_account
from ordre.bench.fill_sqlite import SqliteFilling
from ordre.bootstrap import opened, without_ctrl_c
from ordre.db import feeding
from ordre.domain.chain import followed

if TYPE_CHECKING:
    from ordre.bench.fill_postgres import PostgresFilling

Told = Callable[[str, int, int], None]
"""Is told what is done now, how much is done, and of how much."""
_MODELS, _COPIES = 1_200, 20
"""Models at most, and how many copies of each there are at least."""
_WAITING = 3
"""Chunks that are made ahead, for each process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """An account that was filled, and in how many seconds. ``client_id`` and ``secret`` are of its client."""

    account_id: str
    client_id: str
    secret: str
    orders: int
    facts: int
    seconds: float
    now: int


def fill(database: Database, orders: int, told: Told) -> Filled:
    """Make an account of so many orders in a database of this version's schema. It is all there in the end, or nothing of it.

    Raises:
        StoreUnavailable: The database cannot be reached.
    """
    return asyncio.run(_fill(database, orders, told))


async def _fill(database: Database, orders: int, told: Told) -> Filled:
    async with opened(database.settings, by="ordre bench") as store:
        account_id, client_id, secret = await new_account(store)
    now, started = time.time_ns() // 1_000_000, time.monotonic()
    wanted = Wanted(
        account_id=account_id, client_id=client_id, orders=orders, now=now, models=min(max(orders // _COPIES, 1), _MODELS)
    )
    done = facts = 0
    feed = _Feed(account_id)
    what = f"filling {database.label} with {orders:,} orders"
    columns = (await asyncio.to_thread(Copier, wanted.of_one_model(), 0)).columns
    async with _filling(database, account_id, orders) as filling:
        async for chunk in _made(wanted):
            for name, text in chunk.tables.items():
                await filling.add(name, columns[name], text)
            await filling.add("feed", feeding.COLUMNS, feed.rows(chunk.entries))
            done, facts = done + chunk.orders, facts + chunk.facts
            told(what, done, orders)
        await filling.end_feed(account_id, facts, feed.hash)
        told(f"building the indexes of {database.label}", done, orders)
    return Filled(
        account_id=account_id,
        client_id=client_id,
        secret=secret,
        orders=orders,
        facts=facts,
        seconds=time.monotonic() - started,
        now=now,
    )


class _Feed:
    """The feed of a new account, which is chained from its beginning on."""

    def __init__(self, account_id: str) -> None:
        self._account_id, self._position, self.hash = account_id, 0, ""

    def rows(self, entries: Sequence[str]) -> bytes:
        """Return entries that follow as rows: their position is put before them, and their hash in the place of their digest."""
        rows = []
        for said, _, digest in (entry.rstrip("\n").rpartition("\t") for entry in entries):
            self._position, self.hash = self._position + 1, followed(self.hash, digest)
            rows.append(f"{self._account_id}\t{self._position}\t{said}\t{self.hash}\n")
        return "".join(rows).encode()


def _filling(database: Database, account_id: str, orders: int) -> "SqliteFilling | PostgresFilling":
    if database.file is not None:
        return SqliteFilling(database.file, orders)
    from ordre.bench.fill_postgres import PostgresFilling  # noqa: PLC0415 - where the database is SQLite, its driver is not loaded

    return PostgresFilling(database.settings.database, account_id, orders)


async def _made(wanted: Wanted) -> AsyncIterator[Chunk]:
    """Yield every chunk, in order; all processors but one make them."""
    processes = max(min(processors() - 1, len(copies.starts(wanted.orders))), 1)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, spawn, copies.begin, (wanted,)) as pool:
        waiting: deque[asyncio.Future[Chunk]] = deque()
        try:
            for start in copies.starts(wanted.orders):
                with nullcontext() if waiting else without_ctrl_c():
                    waiting.append(asyncio.get_running_loop().run_in_executor(pool, copies.made_here, start))
                if len(waiting) > processes * _WAITING:
                    yield await waiting.popleft()
            while waiting:
                yield await waiting.popleft()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
