"""Verifying a database, one order or all of them, on as many processes as there are; and proofs that can be checked elsewhere.

A verification reads one snapshot: what is written meanwhile is not in it. This process reads, others check what it hands them.
"""

import asyncio
import multiprocessing
import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from typing import Any

from ordre import bootstrap
from ordre.api.wire.search import TERMS
from ordre.application.accounts import known_account
from ordre.application.directory import Act, SigningKey
from ordre.application.names import order_named
from ordre.application.troubles import StoreUnavailable
from ordre.application.views import StoredOrder
from ordre.auth.roots import root_key
from ordre.auth.roots import signed_root as sign_root
from ordre.db.tally import Tally
from ordre.db.transaction import Transaction
from ordre.db.verify import Difference, differences
from ordre.db.verify_acts import logged_accounts
from ordre.db.verify_all import beside_orders, tallies_of
from ordre.domain.merkle import GrowingRoot, Head, leaf, path, root
from ordre.domain.refusals import Refused, UnknownOrder
from ordre.kept import Comparison, Kept, State, hashes_of, signed_kept
from ordre.settings import Settings

CHUNK = 50
"""Orders that one process verifies before it takes the next."""
_WAITING = 3
"""Chunks that are read ahead, for each process."""
Told = Callable[[int, int], None]
"""Is told how many orders are done, of how many."""
Seen = Callable[[StoredOrder], None]
"""Is shown each order as it is read."""


@dataclass(slots=True)
class Report:
    """The result of a verification, with the differences. ``roots`` are over the orders of each account, as they were verified.

    ``acts`` are the log of administration, as it was read for that. ``root`` and ``proof`` are there where they were wished for
    and nothing differs.
    """

    orders: int = 0
    facts: int = 0
    differences: list[Difference] = field(default_factory=list)
    roots: dict[str, GrowingRoot] = field(default_factory=dict)
    tallies: dict[str, Tally] = field(default_factory=dict)
    acts: Sequence[Act] = ()
    root: Kept | None = None
    proof: dict[str, Any] | None = None

    def add(self, part: "Part") -> None:
        """Add the results for the next orders."""
        self.orders += len(part.leaves)
        for account_id, tally in part.tallies.items():
            self.tallies.setdefault(account_id, Tally()).add(tally)
            self.facts += tally.counts["facts"]
        self.differences += part.differences
        for account_id, one in part.leaves:
            self.roots.setdefault(account_id, GrowingRoot()).add(one)


@dataclass(slots=True)
class Part:
    """The results for some orders. ``leaves`` are what each is in the tree of its account, with the account."""

    differences: list[Difference]
    leaves: list[tuple[str, str]]
    tallies: dict[str, Tally]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """The tasks of a verification beside verifying: compare with roots that were ``kept``, by account; make a root or a proof.

    They are made at ``at``, in milliseconds since 1970, of the account that is verified, and only where nothing differs.
    """

    kept: Mapping[str, State] = field(default_factory=dict)
    root: bool = False
    proof: str | None = None
    at: int = 0


_NOTHING = Wishes()


def verify(settings: Settings, account_id: str | None, processes: int, told: Told, wishes: Wishes = _NOTHING) -> Report:
    """Verify every order, of one account or of all, and do what is wished beside that, all in one snapshot.

    Raises:
        Refused: There is no such account, or not the order that is to be proven.
        StoreUnavailable: The database is not there, or its schema is another version's.
    """

    async def running() -> Report:
        async with bootstrap.snapshot(settings) as database:
            if wishes.proof is not None and account_id is not None:
                await _known(database, account_id, wishes.proof)
            compared, heads = Comparison(wishes.kept), list[Head]()

            def see(stored: StoredOrder) -> None:
                compared.see(stored)
                if wishes.root or wishes.proof is not None:
                    heads.append(head_of(stored))

            report = await verified(database, account_id, processes, told, see)
            report.differences += compared.differences(hashes_of(report.acts))
            if account_id is not None and not report.differences and (wishes.root or wishes.proof is not None):
                key = await signing_key(settings, database)
                if wishes.root:
                    report.root = signed_kept(key, account_id, heads, report.acts, wishes.at, State())
                if wishes.proof is not None:
                    report.proof = _proof(key, await _known(database, account_id, wishes.proof), heads, wishes.at)
            return report

    return asyncio.run(running())


async def verified(
    database: Transaction,
    account_id: str | None,
    processes: int = 1,
    told: Told = lambda *_: None,
    seen: Seen = lambda _: None,
) -> Report:
    """Verify what a transaction sees, as ``verify`` does."""
    if account_id is not None:
        await known_account(database, account_id)
    report = Report(acts=await database.acts())
    accounts = await _accounts(database, report.acts, account_id)
    total = sum([await database.count_orders(one) for one in accounts])
    async for part in _checked_by(min(processes, -(-total // CHUNK)), _chunks(database, accounts, seen)):
        report.add(part)
        told(report.orders, total)
    report.differences += [one async for one in beside_orders(database, report.acts, accounts, report.tallies)]
    return report


def verify_one(settings: Settings, account_id: str, order: str) -> Report:
    """Verify one order.

    Raises:
        Refused: There is no such order.
    """

    async def running() -> Report:
        async with bootstrap.snapshot(settings) as database:
            report = Report()
            report.add(_checked([await _known(database, account_id, order)]))
            return report

    return asyncio.run(running())


def _proof(key: SigningKey, stored: StoredOrder, heads: Sequence[Head], at: int) -> dict[str, Any]:
    """Return an order's facts, the way from its head to the root over all heads of its account, and that root, signed."""
    leaves = [leaf(stored.account_id, head) for head in heads]
    place = next(place for place, head in enumerate(heads) if head.order == stored.id)
    return {
        "account_id": stored.account_id,
        "order": asdict(heads[place]),
        "facts": [{name: value for name, value in fact._asdict().items() if name != "ref"} for fact in stored.facts],
        "path": path(leaves, place),
        "root": sign_root(key, stored.account_id, len(leaves), root(leaves), at),
    }


async def signing_key(settings: Settings, database: Transaction) -> SigningKey:
    """Return the key that signs roots: one that stands outside the database, or else the one that signs tokens.

    Raises:
        StoreUnavailable: There is neither.
    """
    private = settings.own_root_key()
    if private:
        return root_key(private)
    key = next((key for key in await database.signing_keys() if key.retired_at is None), None)
    if key is None:
        raise StoreUnavailable("there is no key to sign with yet: `ordre key rotate` makes one")
    return key


def known_keys(settings: Settings) -> list[SigningKey]:
    """Return the keys that a kept root may be signed with: the one that stands outside the database, or else those that it holds.

    Not both: who writes to the database could put a key there, and sign with it what was never kept.
    """
    private = settings.own_root_key()
    if private:
        return [root_key(private)]

    async def running() -> list[SigningKey]:
        async with bootstrap.snapshot(settings) as database:
            return list(await database.signing_keys())

    return asyncio.run(running())


def head_of(stored: StoredOrder) -> Head:
    """Return the end of the chain of an order's facts."""
    return Head(order=stored.id, version=len(stored.facts), hash=stored.hash)


async def _known(database: Transaction, account_id: str, order: str) -> StoredOrder:
    await known_account(database, account_id)
    stored = await database.stored_order(account_id, await order_named(database, account_id, order))
    if stored is None:
        raise Refused(UnknownOrder())
    return stored


async def _accounts(database: Transaction, acts: Sequence[Act], account_id: str | None) -> list[str]:
    """Return the accounts that are verified: also those of which only the log knows."""
    if account_id is not None:
        return [account_id]
    return sorted({*(account.account_id for account in await database.accounts()), *logged_accounts(acts)})


async def _chunks(database: Transaction, accounts: Sequence[str], seen: Seen) -> AsyncIterator[list[StoredOrder]]:
    chunk: list[StoredOrder] = []
    for account_id in accounts:
        async for stored in database.stored_orders(account_id):
            seen(stored)
            chunk.append(stored)
            if len(chunk) == CHUNK:
                yield chunk
                chunk = []
    if chunk:
        yield chunk


async def _checked_by(processes: int, chunks: AsyncIterator[list[StoredOrder]]) -> AsyncIterator[Part]:
    """Yield what was found in each chunk, in their order; so many processes check them."""
    if processes <= 1:
        async for chunk in chunks:
            yield _checked(chunk)
        return
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), bootstrap.end_at_ctrl_c) as pool:
        waiting: deque[asyncio.Future[Part]] = deque()
        async for chunk in chunks:
            with nullcontext() if waiting else bootstrap.without_ctrl_c():
                waiting.append(asyncio.get_running_loop().run_in_executor(pool, _checked, chunk))
            if len(waiting) > processes * _WAITING:
                yield await waiting.popleft()
        while waiting:
            yield await waiting.popleft()


def _checked(chunk: Sequence[StoredOrder]) -> Part:
    heads = [(one.account_id, head_of(one)) for one in chunk]
    return Part(
        differences=[difference for one in chunk for difference in differences(one, TERMS)],
        leaves=[(account_id, leaf(account_id, head)) for account_id, head in heads],
        tallies=tallies_of(chunk),
    )


def processors() -> int:
    """Return the number of processors that this process may use."""
    return os.cpu_count() or 1
