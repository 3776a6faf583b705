"""`pg_dump` of a database that keeps accounts apart, by the role that Ordre makes for it: the commands of docs/operate.md."""

import asyncio
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from commands import run, run_json
from ordre.bootstrap import make_store
from ordre.db import postgres
from ordre.db.schema import migrations
from ordre.settings import Settings
from page import run_block
from service import operation, serving
from throwaway import OWNER, Cluster, unbound

pytestmark = pytest.mark.slow

ROLE = "ordre_backup"


@pytest.fixture(scope="module")
def dumped(cluster: Cluster) -> str:
    """A database with an order, of a role that owns it but is bound by the policy."""
    database = cluster.database()
    with serving(database) as service, service.shop() as shop:
        order = shop.order(100, customer={"email": "kari@example.com"})
        shop.post(f"/orders/{order['id']}/authorizations", operation((1, 100)), headers={"Idempotency-Key": "k"})
        shop.post("/draft_orders", {"order": {"currency": "NOK"}})
    return database


def as_role(database: str, role: str) -> str:
    return database.replace(f"//{OWNER}@", f"//{role}@")


async def ask(database: str, sql: str) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(database)
    try:
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


TABLES = "select table_name from information_schema.tables where table_schema = 'public' order by table_name"


async def contents(database: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, as a superuser sees it."""
    tables = [row[0] for row in await ask(database, TABLES)]
    return {table: sorted(await ask(unbound(database), f"select * from {table}"), key=repr) for table in tables}


def test_the_commands_of_the_page(cluster: Cluster, dumped: str, tmp_path: Any) -> None:
    restored = f"{dumped}_restored"
    names = {
        "postgresql://ordre_owner@db.internal/ordre_restored": restored,
        "postgresql://ordre_owner@db.internal/ordre": dumped,
        "postgresql://ordre_backup@db.internal/ordre": as_role(dumped, ROLE),
        "createdb -O ordre_owner ordre_restored": f"createdb -O {OWNER} {restored.rsplit('/', 1)[-1]}",
    }
    said = run_block("operate.md", "tests/test_pg_dump.py", tmp_path, names, cluster.environment())
    assert said.endswith("1 order, 2 facts, 0 differences\n")
    before, after = asyncio.run(contents(dumped)), asyncio.run(contents(restored))
    assert {table for table, rows in before.items() if rows} >= {
        "orders",
        "facts",
        "drafts",
        "idempotency",
        "clients",
        "signing_keys",
    }
    assert after == before
    policies = "select tablename, policyname, roles, qual from pg_policies order by tablename, policyname"
    assert asyncio.run(ask(restored, policies)) == asyncio.run(ask(dumped, policies)) != []


def test_the_role_reads_all_and_writes_nothing(cluster: Cluster, dumped: str, tmp_path: Path) -> None:
    cluster.role("ordre_reader")
    for _ in range(2):
        run("migrate", "--backup-role", "ordre_reader", database=dumped)
    reader = as_role(dumped, "ordre_reader")
    for (table,) in asyncio.run(ask(dumped, TABLES)):
        everything = f"select count(*) from {table}"
        assert asyncio.run(ask(reader, everything)) == asyncio.run(ask(unbound(dumped), everything))
        for statement in (f"delete from {table}", f"insert into {table} select * from {table}", f"truncate {table}"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                asyncio.run(ask(reader, statement))
    assert run_json("verify", database=reader)["differences"] == []
    assert run_json("backup", str(tmp_path / "file"), "--without-keys", database=reader)["rows"]["orders"] == 1
    assert asyncio.run(ask(dumped, "select count(*) from orders")) == [(0,)], "the owner is bound as before"


def test_a_role_that_was_admitted_is_admitted_to_new_tables_too(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    database = cluster.database()
    cluster.role("ordre_nightly")
    run("migrate", "--backup-role", "ordre_nightly", database=database)
    statements = (
        "create table notes (account_id text)",
        "insert into notes values ('T1')",
        "alter table notes enable row level security",
        "alter table notes force row level security",
    )
    step = replace(migrations("postgres")[0], number=9999, name="9999_notes", statements=statements)
    monkeypatch.setattr(postgres, "pending", lambda *_: [step])

    async def migrated() -> None:
        store = make_store(Settings(database=database))
        assert await store.migrate() == ["9999_notes"]
        await store.close()

    asyncio.run(migrated())
    assert asyncio.run(ask(as_role(database, "ordre_nightly"), "select * from notes")) == [("T1",)]
    assert asyncio.run(ask(database, "select * from notes")) == []


def test_the_owner_would_dump_no_order(cluster: Cluster, dumped: str) -> None:
    def dump(*flags: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **cluster.environment()}
        program = str(Path(environment["PATH"]) / "pg_dump")
        return subprocess.run(
            [program, *flags, "--data-only", "--inserts", dumped], capture_output=True, text=True, check=False, env=environment
        )

    refused = dump()
    assert (refused.returncode, "row-level security" in refused.stderr) == (1, True)
    trap = dump("--enable-row-security")
    assert (trap.returncode, trap.stderr, "INTO public.accounts" in trap.stdout, "INTO public.orders" in trap.stdout) == (
        0,
        "",
        True,
        False,
    )


def test_a_role_that_is_not_there_is_named(dumped: str) -> None:
    assert '"nobody-knows" does not exist' in run("migrate", "--backup-role", "nobody-knows", database=dumped, status=1)


def test_an_sqlite_file_has_no_roles(tmp_path: Any) -> None:
    assert "has no roles" in run("migrate", "--backup-role", "x", database=f"sqlite:///{tmp_path}/x.sqlite", status=1)
