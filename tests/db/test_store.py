"""The store contract on both engines, without HTTP: batches, races between processes, retries, one spoiling change."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import asyncpg
import pytest
from given import placing

from ordre import audit
from ordre.application import accounts, drafts
from ordre.application.change import Answer, Call, Change, Loaded, Outcome, Wanted
from ordre.application.ids import uuid7
from ordre.application.orders import execute
from ordre.application.store import Store
from ordre.application.troubles import StoreUnavailable
from ordre.bootstrap import make_store, snapshot
from ordre.db import erasure, feeding, postgres_bell, tally
from ordre.db.bell import Bell
from ordre.db.postgres_bell import TELL
from ordre.db.scripts import Script
from ordre.db.store import SqlStore
from ordre.domain.draft import Draft, DraftItem, Options, Sketch, created
from ordre.domain.ledger import Kind
from ordre.domain.lines import PricedItem
from ordre.domain.order.lifecycle import Close, Comment, Open
from ordre.domain.order.parts import About, Content, Moment
from ordre.domain.order.paying import Record
from ordre.domain.order.placing import Place
from ordre.domain.refusals import Refused
from ordre.settings import Settings
from throwaway import Cluster

ACCOUNT = "T00000001"
NOW = 1_700_000_000_000


def call(key: str | None = None, digest: str = "d", account: str = ACCOUNT) -> Call:
    return Call(account_id=account, by="c", at=NOW, event='{"request":{}}', key=key, digest=digest)


def order(number: int = 1, *amounts: int) -> Place:
    id_ = uuid7(NOW + number)
    return placing(*(amounts or (100,)), id=id_, order_id=f"order-{number}")


def recording(kind: Kind, amount: int, id_: str) -> Record:
    return Record(kind=kind, id=id_, items=((1, amount),), success=True, authorization_id=None, fingerprint="f")


@asynccontextmanager
async def stores(database: str, count: int = 2) -> AsyncIterator[list[Store]]:
    """As many stores on one database as there would be processes."""
    made = [make_store(Settings(database=database)) for _ in range(count)]
    await made[0].migrate()
    for store in made:
        await store.open()
    await accounts.create_account(made[0], ACCOUNT, "Shop", NOW)
    try:
        yield made
        async with snapshot(Settings(database=database)) as seen:
            assert (await audit.verified(seen, None)).differences == []
    finally:
        for store in made:
            await store.close()


def running(database: str, test: Callable[[list[Store]], Awaitable[None]], count: int = 2) -> None:
    async def whole() -> None:
        async with stores(database, count) as made:
            await test(made)

    asyncio.run(whole())


async def outcomes(*work: Awaitable[Outcome]) -> tuple[list[Outcome], list[BaseException]]:
    done = await asyncio.gather(*work, return_exceptions=True)
    return [one for one in done if isinstance(one, Outcome)], [one for one in done if isinstance(one, BaseException)]


def test_many_changes_of_one_order_are_one_batch(own_database: str) -> None:
    """The sum of their hashes takes more than 64 bits, which was too much for PostgreSQL: each was run again by itself."""

    async def test(made: list[Store]) -> None:
        (store,) = made
        await execute(store, call(), "order-1", order())
        work = [
            execute(store, call(f"k{number}"), "order-1", Comment(id=f"c{number}", fields={"body": '"x"'}))
            for number in range(64)
        ]
        await asyncio.gather(*work)
        assert isinstance(store, SqlStore)
        added = await store.rows("select count(*) from tallies where account_id = $1 and kind = 'answers'", ACCOUNT)
        assert added[0][0] <= 2, "a batch adds one row"

    running(own_database, test, 1)


def test_a_head_is_the_order_without_what_it_shows(own_database: str) -> None:
    async def test(made: list[Store]) -> None:
        (store,) = made
        await execute(store, call(), "order-1", order())
        await execute(store, call("k"), "order-1", Comment(id="c", fields={"body": '"x"'}))
        shown = await store.order(ACCOUNT, "order-1")
        assert shown is not None
        assert shown.order.version == 2
        assert [await store.head(ACCOUNT, name) for name in ("order-1", shown.order.id)] == [shown.order] * 2
        assert await store.head(ACCOUNT, "order-2") is None
        assert await store.head("T00000002", "order-1") is None

    running(own_database, test, 1)


def test_of_captures_over_several_stores_exactly_those_that_fit_succeed(own_database: str) -> None:
    async def test(made: list[Store]) -> None:
        await execute(made[0], call(), "order-1", order())
        await execute(made[0], call(), "order-1", recording(Kind.AUTHORIZATION, 100, "a"))
        work = (execute(made[number % 4], call(), "order-1", recording(Kind.CAPTURE, 7, f"c{number}")) for number in range(60))
        done, refused = await outcomes(*work)
        assert (len(done), len(refused)) == (14, 46)
        assert all(isinstance(one, Refused) for one in refused), refused
        view = await made[0].order(ACCOUNT, "order-1")
        assert view is not None
        assert (view.order.lines[1].sums.captured, view.order.version) == (98, 16)

    running(own_database, test, 4)


def test_nobodys_write_is_lost(own_database: str) -> None:
    async def test(made: list[Store]) -> None:
        for number in range(5):
            await execute(made[0], call(), f"order-{number}", order(number))
        work = (execute(made[number % 4], call(), f"order-{number % 5}", Comment(id=f"c{number}")) for number in range(200))
        done, failed = await outcomes(*work)
        assert (len(done), failed) == (200, [])
        for number in range(5):
            view = await made[0].order(ACCOUNT, f"order-{number}")
            assert view is not None
            assert (view.order.comments, view.order.version) == (40, 41)

    running(own_database, test, 4)


def test_an_order_id_taken_by_another_process_is_refused(own_database: str) -> None:
    async def test(made: list[Store]) -> None:
        done, refused = await outcomes(*(execute(made[number % 2], call(), "same", _same(number)) for number in range(10)))
        assert len(done) == 1
        assert all(isinstance(one, Refused) for one in refused), refused

    def _same(number: int) -> Place:
        return placing(100, id=uuid7(NOW + number), order_id="same")

    running(own_database, test)


def test_a_key_used_over_several_stores_has_one_effect(own_database: str) -> None:
    async def test(made: list[Store]) -> None:
        done, failed = await outcomes(
            *(execute(made[number % 4], call("k"), f"order-{number}", order(number)) for number in range(24))
        )
        assert failed == []
        assert len({one.answer.orders for one in done}) == 1
        assert sum(not one.replayed for one in done) == 1
        assert await made[0].count_orders(ACCOUNT) == 1

    running(own_database, test, 4)


def test_a_key_with_two_requests_at_once_is_refused_once(own_database: str) -> None:
    async def test(made: list[Store]) -> None:
        work = (execute(made[number % 2], call("k", f"digest-{number}"), f"order-{number}", order(number)) for number in range(6))
        done, refused = await outcomes(*work)
        assert (len(done), len(refused)) == (1, 5)
        assert await made[0].count_orders(ACCOUNT) == 1

    running(own_database, test)


def test_one_change_that_fails_spoils_no_other(own_database: str) -> None:
    async def test(made: list[Store]) -> None:
        def fail(_: Loaded) -> Outcome:
            raise RuntimeError("a bug")

        def nobody(_: Loaded) -> Outcome:
            return Outcome(answer=Answer(), orders=decided.orders)

        decided = await execute(made[0], call(), "order-1", order(1))
        bad = Change(wanted=Wanted(account_id=ACCOUNT), decide=fail)
        spoiling = Change(wanted=Wanted(account_id="T99999999"), decide=nobody)
        work = [execute(made[0], call(), f"order-{number}", order(number)) for number in range(2, 12)]
        work[5:5] = [made[0].change(bad), made[0].change(spoiling)]
        done, failed = await outcomes(*work)
        assert len(done) == 10
        assert {type(one) for one in failed} <= {RuntimeError, StoreUnavailable}
        assert len(failed) == 2

    running(own_database, test, 1)


def test_accounts_do_not_meet(own_database: str) -> None:
    async def test(made: list[Store]) -> None:
        await accounts.create_account(made[0], "T00000002", "Other", NOW)
        await execute(made[0], call("k"), "order-1", order())
        await execute(made[0], call("k", account="T00000002"), "order-1", order())
        mine = await made[0].order(ACCOUNT, "order-1")
        theirs = await made[0].order("T00000002", "order-1")
        assert mine is not None
        assert theirs is not None
        assert mine.order.id != theirs.order.id
        assert await made[0].order(ACCOUNT, theirs.order.id) is None

    running(own_database, test, 1)


def test_serial_numbers_are_drawn_once(own_database: str) -> None:
    async def test(made: list[Store]) -> None:
        drawn = await asyncio.gather(*(made[number % 3].serial(ACCOUNT) for number in range(60)))
        assert sorted(drawn) == list(range(1, 61))

    running(own_database, test, 3)


def test_answers_are_kept_for_their_time(own_database: str) -> None:
    async def test(made: list[Store]) -> None:
        await execute(made[0], call("k"), "order-1", order())
        assert await made[0].forget_answers(call("k").account_id, NOW) == 0
        assert await made[0].forget_answers(call("k").account_id, NOW * 2) == 1
        with pytest.raises(Refused):
            await execute(made[0], call("k"), "order-1", order())

    running(own_database, test, 1)


def test_what_an_account_holds_is_added_up_while_others_write(own_database: str) -> None:
    async def test(made: list[Store]) -> None:
        async def writing(number: int) -> None:
            store, id_ = made[number % 3], f"order-{number}"
            await execute(store, call(f"k{number}"), id_, order(number))
            await execute(store, call(), id_, Close())
            sketch = Sketch(currency="NOK", fields={}, about=About())
            draft = created(f"d{number}", sketch, Options(), {}, Moment(at=NOW, by="c"), 10)
            await drafts.create(store, call(f"d{number}"), draft, lambda _: "{}")
            if number % 3 == 0:
                await made[1].erase_drafts(ACCOUNT, [draft.id], "c", NOW)
            await store.forget_answers(ACCOUNT, NOW * 2 if number % 5 == 0 else 0)

        async def adding(store: Store) -> None:
            for _ in range(10):
                await store.add_up(ACCOUNT)
                await asyncio.sleep(0.01)

        await asyncio.gather(*map(writing, range(1, 31)), *map(adding, made))
        for store in made:
            await store.add_up(ACCOUNT)
        held = {kind: count for kind, count, _ in await cast("SqlStore", made[0]).rows(tally.TALLIES, ACCOUNT)}
        assert held.keys() <= {"answers"}
        assert await made[0].feed_end(ACCOUNT) == 60 + 30 + 10
        assert len(await cast("SqlStore", made[0]).rows(tally.TALLIES, ACCOUNT)) <= 3

    running(own_database, test, 3)


def test_the_end_of_a_feed_is_locked_when_all_drafts_are_dropped(own_database: str) -> None:
    """Whoever writes to the account waits for it."""
    said: list[str] = []

    def recorded(script: Script[None]) -> Script[None]:
        statement = next(script, None)
        while statement is not None:
            said.append(statement[0])
            rows = yield statement
            try:
                statement = script.send(rows)
            except StopIteration:
                return

    async def test(made: list[Store]) -> None:
        for id_ in ("d1", "d2", "d3"):
            sketch = Sketch(currency="NOK", fields={}, about=About())
            draft = created(id_, sketch, Options(), {}, Moment(at=NOW, by="c"), 10)
            await drafts.create(made[0], call(id_), draft, lambda _: "{}")
        await cast("SqlStore", made[0]).run(recorded(erasure.of_drafts(ACCOUNT, ["d1", "d2", "d3"], "c", NOW)), ACCOUNT)
        assert said.count(feeding.TAKE) == 1
        assert [sql for sql in said[said.index(feeding.TAKE) :] if "feed" not in sql] == []
        assert await made[0].feed_end(ACCOUNT) == 6

    running(own_database, test, 1)


def test_where_nobody_can_listen_few_attempts_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that takes no connection does not keep whoever waits for a feed, one after another."""
    monkeypatch.setattr(postgres_bell, "LISTEN_SECONDS", 0.01)
    attempts: list[int] = []

    async def silence(*_: object) -> Any:
        attempts.append(1)
        await asyncio.Event().wait()

    async def test() -> None:
        telling = postgres_bell.Telling(Bell(), silence, silence)
        await asyncio.wait_for(asyncio.gather(*(telling.listen() for _ in range(20))), 10)

    asyncio.run(test())
    assert attempts == [1]


def test_completing_over_several_stores_makes_the_orders_once(own_database: str) -> None:
    async def test(made: list[Store]) -> None:
        items = tuple(DraftItem(priced=PricedItem(line_id=n, gross=5), store_id=f"s{n % 3}", fields={}) for n in range(6))
        sketch = Sketch(currency="NOK", items=items, fields={}, about=About())
        draft = created("d1", sketch, Options(split=True), {}, Moment(at=NOW, by="c"), 10)
        await drafts.create(made[0], call(), draft, lambda _: "{}")
        work = (drafts.complete(made[number % 3], call(), "d1", lambda: uuid7(NOW)) for number in range(12))
        done, failed = await outcomes(*work)
        assert (len(done), failed) == (12, [])
        assert {tuple(id_ for id_, _ in one.answer.orders) for one in done} == {tuple(id_ for id_, _ in done[0].answer.orders)}
        assert await made[0].count_orders(ACCOUNT) == 3

    running(own_database, test, 3)


def test_time_travel_reads_each_version_as_it_was(own_database: str) -> None:
    async def test(made: list[Store]) -> None:
        store, seen = made[0], []
        commands: list[Any] = [order(), recording(Kind.AUTHORIZATION, 60, "a"), recording(Kind.CAPTURE, 40, "c"), Close(), Open()]
        for command in commands:
            await execute(store, call(), "order-1", command)
            seen.append(await store.order(ACCOUNT, "order-1"))
        for version, then in enumerate(seen, 1):
            again = await store.order_at(ACCOUNT, "order-1", version)
            assert then is not None
            assert again is not None
            assert (again.order, again.fields, again.items) == (then.order, then.fields, then.items)
            assert list(again.shown) == list(then.shown)
        assert await store.order_at(ACCOUNT, "order-1", 99) is None

    running(own_database, test, 1)


def test_a_closed_store_says_so(own_database: str) -> None:
    async def test(made: list[Store]) -> None:
        await made[1].close()
        for work in (made[1].ping(), made[1].order(ACCOUNT, "x"), execute(made[1], call(), "order-1", order())):
            with pytest.raises(StoreUnavailable):
                await work

    running(own_database, test, 2)


def test_a_row_that_cannot_be_read_fails_its_own_caller_alone(own_database: str) -> None:
    async def whole() -> None:
        store = make_store(Settings(database=own_database))
        assert isinstance(store, SqlStore)
        await store.migrate()
        await store.open()
        await accounts.create_account(store, ACCOUNT, "Shop", NOW)
        for number in range(3):
            await execute(store, call(), f"order-{number}", order(number))
        await store.write("update orders set head = 'nonsense' where account_id = $1 and order_id = $2", ACCOUNT, "order-1")
        for _ in range(3):
            done, failed = await outcomes(
                *(execute(store, call(), f"order-{number % 3}", Comment(id=f"c{number}-{_}")) for number in range(12))
            )
            assert (len(done), len(failed)) == (8, 4)
        await store.close()

    asyncio.run(whole())


def drafted(id_: str, *, order_id: str | None = None, target: str | None = None) -> Draft:
    item = DraftItem(priced=PricedItem(line_id=7, gross=5), store_id=None, fields={"line_id": "7"})
    sketch = Sketch(currency="NOK", items=(item,), fields={}, about=About(), order_id=order_id)
    return created(id_, sketch, Options(target=target), {}, Moment(at=NOW, by="c"), 10)


def whole(number: int = 1) -> Place:
    """An order whose content can be read again."""
    return replace(order(number), content=Content(fields={}, items={1: {"line_id": "1"}}))


async def complete(store: Store, id_: str) -> Outcome:
    return await drafts.complete(store, call(f"complete-{id_}"), id_, lambda: uuid7(NOW))


def test_a_draft_is_completed_with_its_order_or_not_at_all(own_database: str) -> None:
    """Somebody else makes an order of the same name at the same time."""

    async def test(made: list[Store]) -> None:
        for number in range(20):
            await drafts.create(made[0], call(), drafted(f"d{number}", order_id=f"order-{number}"), lambda _: "{}")
            work = (complete(made[0], f"d{number}"), execute(made[1], call(), f"order-{number}", whole(number)))
            done, refused = await outcomes(*work)
            assert (len(done), [type(one) for one in refused]) == (1, [Refused])
            draft = await made[0].draft(ACCOUNT, f"d{number}")
            assert draft is not None
            assert bool(draft.draft.orders) is (done[0].draft is not None)

    running(own_database, test)


def test_drafts_are_added_to_an_order_that_others_write_to(own_database: str) -> None:
    async def test(made: list[Store]) -> None:
        await execute(made[0], call(), "order-1", whole())
        for number in range(8):
            one = drafted(f"d{number}", target="order-1") if number < 1 else drafted(f"d{number}", order_id=f"new-{number}")
            await drafts.create(made[0], call(), one, lambda _: "{}")
        comments = [
            execute(made[number % 2], call(), "order-1", Comment(id=f"c{number}", fields={"body": '"x"'})) for number in range(40)
        ]
        done, failed = await outcomes(
            *comments[:20], *(complete(made[number % 2], f"d{number}") for number in range(8)), *comments[20:]
        )
        assert (len(done), failed) == (48, [])
        view = await made[0].order(ACCOUNT, "order-1")
        assert view is not None
        assert (view.order.version, set(view.order.lines)) == (42, {1, 7})

    running(own_database, test)


def test_a_change_takes_two_statements_of_postgres(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """One reads and one writes, without a transaction around them: also where a draft becomes an order, or part of one.

    Other processes are told of many changes at once, after them.
    """
    asked: list[str] = []

    def counted(name: str) -> None:
        method = getattr(asyncpg.Connection, name)

        async def counting(self: Any, sql: str, *arguments: Any, **more: Any) -> Any:
            asked.extend([sql] if sql not in ("discard plans", TELL) else [])
            return await method(self, sql, *arguments, **more)

        monkeypatch.setattr(asyncpg.Connection, name, counting)

    for name in ("fetch", "fetchrow", "fetchval", "execute"):
        counted(name)

    async def test(made: list[Store]) -> None:
        (store,) = made
        await execute(store, call("k0"), "order-2", whole(2))  # the connection is made
        changes: dict[str, Callable[[], Awaitable[Outcome]]] = {
            "new order": lambda: execute(store, call("k1"), "order-1", whole()),
            "capture": lambda: execute(store, call("k2"), "order-1", recording(Kind.AUTHORIZATION, 100, "a")),
            "close": lambda: execute(store, call("k3"), "order-1", Close()),
            "open": lambda: execute(store, call("k4"), "order-1", Open()),
            "draft": lambda: drafts.create(store, call("k5"), drafted("d1"), lambda _: "{}"),
            "draft of a name": lambda: drafts.create(store, call("k6"), drafted("d2", order_id="mine"), lambda _: "{}"),
            "completed": lambda: complete(store, "d1"),
            "completed under its name": lambda: complete(store, "d2"),
        }
        took = {}
        for name, change in changes.items():
            asked.clear()
            await change()
            took[name] = len(asked)
        await drafts.create(store, call("k7"), drafted("d3", target="order-1"), lambda _: "{}")
        asked.clear()
        await complete(store, "d3")
        assert {**took, "added": len(asked)} == dict.fromkeys([*changes, "added"], 2)

    running(cluster.database(), test, 1)
