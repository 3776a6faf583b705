"""Verifying a database, one order or all of them, on as many processes as there are; and proofs that can be checked elsewhere."""

import asyncio
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

from ordre import bootstrap
from ordre.api.wire.search import TERMS
from ordre.application.accounts import known_account
from ordre.application.names import order_named
from ordre.application.ports import Access, Place, Store, StoredOrder, StoreUnavailable
from ordre.auth.roots import signed_root as sign_root
from ordre.db.verify import Difference, differences
from ordre.domain.refusals import Refused, UnknownOrder
from ordre.domain.tree import leaf, path, root
from ordre.settings import Settings

CHUNK = 500
"""Orders that one process verifies before it takes the next."""
_FACT_FIELDS = ("version", "type", "at", "actor", "data", "document", "event", "salt", "digest", "hash")


@dataclass(slots=True)
class Report:
    """What was verified, and where it differs."""

    orders: int = 0
    facts: int = 0
    differences: list[Difference] = field(default_factory=list)

    def add(self, other: "Report") -> None:
        """Take in what another part found."""
        self.orders, self.facts = self.orders + other.orders, self.facts + other.facts
        self.differences += other.differences


def verify(settings: Settings, account_id: str | None, processes: int, told: Callable[[int, int], None]) -> Report:
    """Verify every order, of one account or of all. ``told`` is called with how many are done, of how many.

    Raises:
        Refused: There is no such account.
        StoreUnavailable: The database is not there, or its schema is another version's.
    """
    total, places = asyncio.run(_divided(settings, account_id))
    edges: list[Place | None] = [None, *places, None]
    parts = [(settings, account_id, after, until) for after, until in pairwise(edges)]
    report = Report()
    for part in _each(parts, min(processes, len(parts))):
        report.add(part)
        told(report.orders, total)
    return report


def verify_one(settings: Settings, account_id: str, order: str) -> Report:
    """Verify one order.

    Raises:
        Refused: There is no such order.
    """

    async def running() -> Report:
        async with bootstrap.opened(settings, Access.READ) as store:
            return _checked(await _known(store, account_id, order))

    return asyncio.run(running())


def signed_root(settings: Settings, account_id: str, at: int) -> dict[str, Any]:
    """Return the hash over all orders of the account as they are now, signed with the key that signs tokens.

    ``at`` is now, in milliseconds since 1970. What is signed is the other fields, as JSON.
    """

    async def running() -> dict[str, Any]:
        async with bootstrap.opened(settings, Access.READ) as store:
            leaves = [leaf(account_id, head) for head in await store.heads(account_id)]
            return await _root(store, account_id, leaves, at)

    return asyncio.run(running())


def proof(settings: Settings, account_id: str, order: str, at: int) -> dict[str, Any]:
    """Return an order's facts, the way from its head to the root of its account, and that root, signed.

    Raises:
        Refused: There is no such order.
    """

    async def running() -> dict[str, Any]:
        async with bootstrap.opened(settings, Access.READ) as store:
            heads = await store.heads(account_id)
            leaves = [leaf(account_id, head) for head in heads]
            stored = await _known(store, account_id, order)
            place = next(place for place, head in enumerate(heads) if head.order == stored.id)
            facts = [fact for fact in stored.facts if fact.version <= heads[place].version]
            shown = [{name: getattr(fact, "by" if name == "actor" else name) for name in _FACT_FIELDS} for fact in facts]
            return {
                "account_id": account_id,
                "order": asdict(heads[place]),
                "facts": shown,
                "path": path(leaves, place),
                "root": await _root(store, account_id, leaves, at),
            }

    return asyncio.run(running())


async def _root(store: Store, account_id: str, leaves: Sequence[str], at: int) -> dict[str, Any]:
    key = next((key for key in await store.signing_keys() if key.retired_at is None), None)
    if key is None:
        raise StoreUnavailable("there is no key to sign with yet: `ordre key rotate` makes one")
    return sign_root(key, account_id, len(leaves), root(leaves), at)


async def _known(store: Store, account_id: str, order: str) -> StoredOrder:
    await known_account(store, account_id)
    stored = await store.stored_order(account_id, await order_named(store, account_id, order))
    if stored is None:
        raise Refused(UnknownOrder())
    return stored


async def _divided(settings: Settings, account_id: str | None) -> tuple[int, list[Place]]:
    async with bootstrap.opened(settings, Access.READ) as store:
        if account_id is not None:
            await known_account(store, account_id)
        return await store.count_orders(account_id), list(await store.places(account_id, CHUNK))


def _each(parts: list[tuple[Settings, str | None, Place | None, Place | None]], processes: int) -> Iterator[Report]:
    if processes == 1:
        yield from (_verified(*part) for part in parts)
        return
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), bootstrap.end_at_ctrl_c) as pool:
        with bootstrap.without_ctrl_c():
            found = pool.map(_verified, *zip(*parts, strict=True))
        yield from found


def _verified(settings: Settings, account_id: str | None, after: Place | None, until: Place | None) -> Report:
    async def running() -> Report:
        report = Report()
        async with bootstrap.opened(settings, Access.READ) as store:
            async for stored in store.stored_orders(account_id, after, until):
                report.add(_checked(stored))
        return report

    return asyncio.run(running())


def _checked(stored: StoredOrder) -> Report:
    return Report(orders=1, facts=len(stored.facts), differences=list(differences(stored, TERMS)))


def processors() -> int:
    """Return how many processes are of use here."""
    return os.cpu_count() or 1
