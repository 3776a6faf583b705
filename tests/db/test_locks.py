"""No two commands wait for each other on PostgreSQL: every pair that touches several rows is brought to where it would.

Somebody else holds an order, a draft or the answers kept for it. One command comes and waits, then another one on another
process; then both may go on. Where they lock rows in different orders, that is a deadlock, which PostgreSQL counts.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from itertools import count, islice, product
from typing import Any

import asyncpg
import pytest

from ordre.application import accounts, drafts, erasure
from ordre.application.change import Call
from ordre.application.ids import uuid7
from ordre.application.orders import execute
from ordre.application.store import Store
from ordre.application.views import Found
from ordre.auth.tokens import rotate_keys
from ordre.bootstrap import make_store
from ordre.db import locks
from ordre.domain.draft import DraftItem, Options, Sketch, created, deleted
from ordre.domain.lines import PricedItem
from ordre.domain.order.lifecycle import Comment, DeleteComment
from ordre.domain.order.parts import About, Content, Moment
from ordre.domain.order.placing import Place
from ordre.domain.refusals import Refused
from ordre.settings import Settings
from throwaway import Cluster, unbound

pytestmark = pytest.mark.slow

NOW, LATER = 1_700_000_000_000, 1_800_000_000_000
AT_ONCE = 32
"""So many pairs meet at once, each in an account of its own."""
SETTLED_SECONDS = 0.04
"""After so long without a new one, whoever has to wait does."""
PATIENT_SECONDS = 60.0
"""PostgreSQL finds a deadlock after one second."""
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Scene:
    """An account with an order, a draft that was completed into it, and others that wait to be added to it or to replace it."""

    account: str

    def call(self, key: str | None = None) -> Call:
        return Call(account_id=self.account, by="c", at=NOW, event='{"request":{"body":""}}', key=key, digest="d")

    async def drafted(self, store: Store, id_: str, line_id: int, *, replaces: bool = False, expires: bool = True) -> None:
        item = DraftItem(priced=PricedItem(line_id=line_id, gross=5), store_id=None, fields={"line_id": str(line_id)})
        about = About(time_to_live=86_400 if expires else None)
        sketch = Sketch(currency="NOK", items=(item,), fields={}, about=about)
        options = Options(target="web-1", replaces=replaces)
        draft = created(id_, sketch, options, {}, Moment(at=NOW, by="c"), 10)
        await drafts.create(store, self.call(f"draft-{id_}"), draft, lambda _: "{}")

    async def prepare(self, store: Store) -> None:
        await accounts.create_account(store, self.account, "Shop", NOW)
        item = PricedItem(line_id=1, gross=100)
        place = Place(
            id=uuid7(NOW),
            order_id="web-1",
            order_number=None,
            currency="NOK",
            multiple_authorizations=False,
            items=(item,),
            content=Content(fields={}, items={1: {"line_id": "1"}}),
            about=About(time_to_live=86_400),
        )
        await execute(store, self.call("order"), "web-1", place)
        await execute(store, self.call("comment"), "web-1", Comment(id="c1", fields={"body": '"x"'}))
        await self.drafted(store, "d0", 2)
        await self.complete(store, "d0")
        await self.drafted(store, "d1", 3)
        await self.drafted(store, "d2", 4, replaces=True)

    async def complete(self, store: Store, draft: str) -> Any:
        return await drafts.complete(store, self.call(f"complete-{draft}"), draft, lambda: uuid7(NOW))


Command = Callable[[Store, Scene], Awaitable[Any]]


async def erase(store: Store, scene: Scene) -> Any:
    return await erasure.erase(store, scene.call("erase"), "web-1")


async def append(store: Store, scene: Scene) -> Any:
    return await scene.complete(store, "d1")


async def replace(store: Store, scene: Scene) -> Any:
    return await scene.complete(store, "d2")


async def delete_draft(store: Store, scene: Scene) -> Any:
    gone = Moment(at=NOW, by="c")
    return await drafts.edit(store, scene.call("delete"), "d1", lambda draft: deleted(draft, gone), lambda _: "{}")


async def draft_beside(store: Store, scene: Scene) -> Any:
    return await scene.drafted(store, "d3", 5)


async def expire(store: Store, scene: Scene) -> Any:
    return await erasure.erase_expired(store, scene.account, LATER)


async def forget(store: Store, scene: Scene) -> Any:
    return await store.forget_answers(scene.account, LATER * 2)


async def erase_customer(store: Store, scene: Scene) -> Any:
    found = Found(orders=["web-1"], drafts=["d2", "d1"])
    return await erasure.erase_found(store, scene.account, found, erasure.OPERATOR, NOW)


async def erase_drafts(store: Store, scene: Scene) -> Any:
    return await store.erase_drafts(scene.account, ["d2", "d1", "d0"], "operator", LATER)


async def delete_comment(store: Store, scene: Scene) -> Any:
    return await execute(store, scene.call("uncomment"), "web-1", DeleteComment(id="c1"))


async def batch(store: Store, scene: Scene) -> Any:
    """Several changes of one batch, on the order and beside it."""
    comments = (Comment(id=f"b{number}") for number in range(3))
    keys = ("b-2", "b-1", "b-0")
    work = [execute(store, scene.call(key), "web-1", one) for key, one in zip(keys, comments, strict=True)]
    return await asyncio.gather(delete_draft(store, scene), *work, return_exceptions=True)


async def keys(store: Store, _: Scene) -> Any:
    await rotate_keys(store, NOW)
    return await store.seal_signing_keys()


COMMANDS: tuple[Command, ...] = (
    erase,
    append,
    delete_draft,
    draft_beside,
    expire,
    forget,
    erase_customer,
    erase_drafts,
    delete_comment,
    batch,
)
PAIRS = (*product(COMMANDS, COMMANDS), (replace, erase), (erase, replace), (replace, append), (keys, keys), (keys, append))
HELD = (
    "select 1 from orders where account_id = any($1) for update",
    "select 1 from drafts where account_id = any($1) for update",
    "select 1 from idempotency where account_id = any($1) for update",
)


async def meet(stores: tuple[Store, Store], own: Any, wave: list[tuple[Command, Command, str]]) -> list[BaseException]:
    """Let pairs of commands meet where somebody else holds what they want; return what failed."""
    scenes = [Scene(f"T{next(_numbers):08d}") for _ in wave]
    await asyncio.gather(*(scene.prepare(stores[number % 2]) for number, scene in enumerate(scenes)))
    holding = own.transaction()
    await holding.start()
    for held in HELD:
        await own.fetch(held, [scene.account for scene, one in zip(scenes, wave, strict=True) if one[2] == held])
    running = [asyncio.ensure_future(one[0](stores[0], scene)) for scene, one in zip(scenes, wave, strict=True)]
    await settled(own)
    running += [asyncio.ensure_future(one[1](stores[1], scene)) for scene, one in zip(scenes, wave, strict=True)]
    await settled(own)
    await holding.rollback()
    done = await asyncio.gather(*running, return_exceptions=True)
    return [one for one in done if isinstance(one, BaseException) and not isinstance(one, Refused)]


async def settled(own: Any) -> None:
    """Wait until nobody else comes to wait for a lock."""
    before, since = -1, 0.0
    while since < SETTLED_SECONDS:
        await asyncio.sleep(SETTLED_SECONDS / 4)
        waiting = await own.fetchval("select count(*) from pg_locks where not granted")
        since = since + SETTLED_SECONDS / 4 if waiting == before else 0.0
        before = waiting


def waves(pairs: Iterator[tuple[Command, Command, str]]) -> Iterator[list[tuple[Command, Command, str]]]:
    while wave := list(islice(pairs, AT_ONCE)):
        yield wave


def test_no_pair_of_commands_waits_for_each_other(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    for name in ("WAIT_SECONDS", "HASTY_SECONDS", "IDLE_SECONDS"):  # on a slow machine whoever waits is not given up meanwhile
        monkeypatch.setattr(locks, name, PATIENT_SECONDS)
    database = cluster.database()

    async def running() -> int:
        one, other = (make_store(Settings(database=database, pool_size=70)) for _ in range(2))
        await one.migrate()
        own: Any = await asyncpg.connect(unbound(database))
        failed: list[BaseException] = []
        for store in (one, other):
            await store.open()
        for wave in waves((*pair, held) for pair in PAIRS for held in HELD):
            failed += await meet((one, other), own, wave)
        for store in (one, other):
            await store.close()
        assert failed == []
        deadlocks: int = await own.fetchval("select deadlocks from pg_stat_database where datname = current_database()")
        await own.close()
        return deadlocks

    assert asyncio.run(running()) == 0
    record_property("meetings of two commands", len(PAIRS) * len(HELD))
