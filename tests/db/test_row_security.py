"""T1, the second wall: on PostgreSQL a statement finds no row of an account that it does not name, whatever its conditions."""

import asyncio
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from commands import run, run_json
from ordre.bootstrap import opened
from ordre.db.postgres import PostgresStore
from ordre.settings import Settings
from service import Shop, items, operation, serving
from throwaway import OWNER, SUPERUSER, Cluster, unbound

pytestmark = pytest.mark.slow

ROLE = "ordre_application"
KEPT = ("clients", "erased_drafts", "facts", "feed", "feeds", "order_bodies", "orders", "subscriptions")
"""What no server deletes."""
TENANT = (
    "clients",
    "deliveries",
    "draft_events",
    "draft_terms",
    "drafts",
    "erased_drafts",
    "facts",
    "feed",
    "feeds",
    "found_drafts",
    "found_orders",
    "idempotency",
    "order_bodies",
    "order_terms",
    "orders",
    "recorded_terms",
    "subscriptions",
    "tallies",
)


@pytest.fixture(scope="module")
def granted(cluster: Cluster) -> str:
    """A database that belongs to one role, used by another that may do nothing but read and write rows."""
    database = cluster.database()
    cluster.role(ROLE)
    run("migrate", "--grant", ROLE, database=database)
    return database.replace(f"//{OWNER}@", f"//{ROLE}@")


@pytest.fixture(scope="module")
def shops(granted: str) -> Iterator[tuple[Shop, Shop]]:
    """Two accounts with one of everything, made by a server that connects as that role."""
    with serving(granted) as service, service.shop() as one, service.shop() as other:
        for shop in (one, other):
            order = shop.order(100, order_id="same", customer={"id": "C"})["id"]
            shop.post(
                f"/orders/{order}/authorizations",
                operation((1, 60), payment_details={"payment_id": "P"}),
                headers={"Idempotency-Key": "same"},
            )
            draft = shop.post("/draft_orders", {"order": {"currency": "NOK"}}, headers={"Idempotency-Key": "draft"})["id"]
            for table, id_ in (("order_terms", order), ("draft_terms", draft)):  # as earlier versions wrote them
                values = f"'{shop.account_id}', '{id_}', 'word', 'x'"
                row = f"insert into {table} (account_id, id, kind, term) values ({values}) returning 1"
                assert ask(granted, as_account(shop.account_id), row) == [(1,)]
            completed = shop.post("/draft_orders", {"order": {"currency": "NOK", "items": items(5)}})
            (made,) = shop.put(f"/draft_orders/{completed['id']}/complete")["orders"]
            shop.delete(f"/orders/{made['id']}")
            shop.subscribe("https://shop.example/webhooks")
        yield one, other


def ask(database: str, *statements: str) -> list[Any]:
    """Run statements in one transaction; return what the last one answers."""

    async def running() -> list[Any]:
        connection = await asyncpg.connect(database)
        try:
            async with connection.transaction():
                for statement in statements[:-1]:
                    await connection.execute(statement)
                return [tuple(row) for row in await connection.fetch(statements[-1])]
        finally:
            await connection.close()

    return asyncio.run(running())


def owner_of(database: str) -> str:
    return database.replace(f"//{ROLE}@", f"//{OWNER}@")


def as_account(account_id: str) -> str:
    return f"select set_config('ordre.accounts', '{account_id}', true)"


def test_every_table_with_an_account_has_the_policy(granted: str) -> None:
    having = "select table_name from information_schema.columns where column_name = 'account_id' and table_schema = 'public'"
    assert {row[0] for row in ask(granted, having)} == {*TENANT, "accounts"}
    forced = "select relname from pg_class where relrowsecurity and relforcerowsecurity order by relname"
    assert tuple(row[0] for row in ask(granted, forced)) == TENANT


@pytest.mark.parametrize("table", TENANT)
def test_only_rows_of_the_accounts_that_are_named(granted: str, shops: tuple[Shop, Shop], table: str) -> None:
    one, other = (shop.account_id for shop in shops)
    everything = f"select distinct account_id from {table} order by account_id"
    assert ask(granted, everything) == []
    assert ask(granted, as_account(one), everything) == [(one,)]
    assert ask(granted, as_account(f"{one},{other}"), everything) == sorted([(one,), (other,)])
    assert ask(granted, as_account("T9999999"), everything) == []
    before = ask(unbound(owner_of(granted)), f"select count(*) from {table} where account_id = '{other}'")
    if table not in KEPT:
        ask(granted, as_account(one), f"delete from {table} where account_id = '{other}' returning 1")
    assert ask(unbound(owner_of(granted)), f"select count(*) from {table} where account_id = '{other}'") == before > [(0,)]


@pytest.mark.parametrize("table", [*KEPT, "accounts", "signing_keys", "schema_migrations", "acts"])
def test_what_is_kept_is_deleted_by_nobody_who_serves(granted: str, shops: tuple[Shop, Shop], table: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
        ask(granted, as_account(shops[0].account_id), f"delete from {table} returning 1")


@pytest.mark.parametrize("table", ["facts", "order_bodies", "orders"])
def test_nor_by_the_owner(granted: str, shops: tuple[Shop, Shop], table: str) -> None:
    """A server may well connect as the owner of its tables."""
    deleting = f"delete from {table} where account_id = '{shops[0].account_id}' returning 1"
    assert ask(owner_of(granted), as_account(shops[0].account_id), deleting) == []


@pytest.mark.parametrize(
    "change",
    [
        "facts set digest = 'x'",
        "facts set hash = 'x'",
        "facts set at = 0",
        "facts set actor = 'x'",
        "schema_migrations set digest = ''",
    ],
)
def test_of_a_fact_its_texts_are_all_that_can_change(granted: str, shops: tuple[Shop, Shop], change: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
        ask(granted, as_account(shops[0].account_id), f"update {change} returning 1")


def test_whoever_was_admitted_to_more_is_narrowed_by_the_next_migration(cluster: Cluster) -> None:
    database = cluster.database()
    cluster.role(ROLE)
    run("migrate", database=database)
    owner = asyncpg_run(database, f"grant select, insert, update, delete on all tables in schema public to {ROLE}")
    assert owner == "GRANT"
    asyncpg_run(unbound(database), "delete from schema_migrations where number = 11")
    for table in ("orders", "order_bodies", "facts"):
        asyncpg_run(unbound(database), f"drop policy kept on {table}")
    assert "applied 0011" in run("migrate", database=database)
    for table in ("orders", "order_bodies", "facts"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
            ask(database.replace(f"//{OWNER}@", f"//{ROLE}@"), f"delete from {table}")


def asyncpg_run(database: str, statement: str) -> str:
    async def running() -> str:
        connection: Any = await asyncpg.connect(database)
        try:
            return str(await connection.execute(statement))
        finally:
            await connection.close()

    return asyncio.run(running())


def test_a_row_of_another_account_is_not_written(granted: str, shops: tuple[Shop, Shop]) -> None:
    one, other = (shop.account_id for shop in shops)
    for statement in (
        f"insert into draft_terms (account_id, id, kind, term) values ('{other}', 'x', 'word', 'x')",
        f"update orders set account_id = '{other}' where account_id = '{one}'",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            ask(granted, as_account(one), statement)


@pytest.mark.parametrize(
    "statement",
    [
        "alter table orders disable row level security",
        "drop policy accounts on orders",
        "alter role ordre_application bypassrls",
        "set role ordre",
        "set session authorization ordre",
        "truncate facts",
        "delete from schema_migrations",
        "create policy mine on orders using (true)",
    ],
)
def test_the_role_cannot_get_past_it(granted: str, shops: tuple[Shop, Shop], statement: str) -> None:
    with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.InvalidParameterValueError)):
        ask(granted, statement)


def test_turning_it_off_for_a_session_is_an_error_not_a_way(granted: str, shops: tuple[Shop, Shop]) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        ask(granted, "set local row_security = off", "select count(*) from orders")


def test_no_connection_keeps_an_account(granted: str, shops: tuple[Shop, Shop]) -> None:
    async def running() -> None:
        async with opened(Settings(database=granted, pool_size=4)) as store:
            assert isinstance(store, PostgresStore)
            for shop in shops:
                assert await store.order(shop.account_id, "same") is not None
                assert await store.shared("select count(*) from orders") == [(0,)]
                assert await store.shared("select coalesce(current_setting('ordre.accounts', true), '')") == [("",)]
            # a query that names another account than its first parameter finds nothing, though its condition says otherwise
            sql = "select count(*) from orders where $1 <> '' and account_id = $2"
            assert await store.rows(sql, shops[0].account_id, shops[1].account_id) == [(0,)]
            assert await store.rows(sql, shops[1].account_id, shops[1].account_id) == [(2,)]

    asyncio.run(running())


def test_the_operators_tools_work_as_that_role_too(granted: str, shops: tuple[Shop, Shop]) -> None:
    for shop in shops:
        for table in ("order_terms", "draft_terms"):
            assert ask(granted, as_account(shop.account_id), f"delete from {table} returning 1") == [(1,)]
    report = run_json("verify", database=granted)
    assert (report["orders"], report["differences"]) == (4, [])
    assert len(run_json("account", "list", database=granted)) == 2
    assert run_json("worker", "--once", database=granted) == {"orders": 0, "drafts": 0}


def test_a_role_that_is_not_bound_is_named_at_the_start(granted: str) -> None:
    async def running(database: str) -> str | None:
        async with opened(Settings(database=database)) as store:
            return await store.unbound()

    assert asyncio.run(running(granted)) is None
    assert asyncio.run(running(unbound(owner_of(granted)))) == SUPERUSER
    assert "does not exist" in run("migrate", "--grant", "nobody-knows", database=owner_of(granted), status=1)


def test_an_sqlite_file_has_no_roles(tmp_path: Any) -> None:
    assert "has no roles" in run("migrate", "--grant", "x", database=f"sqlite:///{tmp_path}/x.sqlite", status=1)


def test_erasing_is_left_to_that_role(granted: str) -> None:
    with serving(granted) as service, service.shop() as shop:
        made = shop.order(100, customer={"email": "kari@example.com"})["id"]
        shop.post("/draft_orders", {"options": {"order_id": made}, "order": {"currency": "NOK", "comment": "for Kari"}})
        assert shop.delete(f"/orders/{made}").keys() >= {"deleted_at"}
        drafted = shop.post("/draft_orders", {"order": {"currency": "NOK", "customer": {"email": "kari@example.com"}}})["id"]
        run("erase", shop.account_id, "--email", "kari@example.com", "--yes", database=granted)
        shop.refused("GET", f"/draft_orders/{drafted}", status=404)
    assert ask(unbound(owner_of(granted)), "select count(*) from facts where event like '%kari%' or data like '%kari%'") == [(0,)]
