"""E1: after erasure no personal value of the order is anywhere in the database, its files or the log, and the chain verifies."""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from commands import run, run_json
from database import sql
from in_memory import send
from marks import Marks, everything_in, files_of, live
from ordre.application.erasure import tidy
from ordre.application.views import Found
from ordre.bootstrap import opened
from ordre.pytest import RunningOrdre
from ordre.settings import Settings
from service import Service, items, serving
from throwaway import Cluster

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]


def check_gone(service: Service, log: Path, marks: Marks) -> None:
    assert marks.found(everything_in(service.database)) == set()
    assert marks.found(log.read_bytes()) == set()
    assert run_json("verify", database=service.database)["differences"] == []


def test_on_request(logged: tuple[Service, Path], record_property: Callable[[str, object], None]) -> None:
    service, log = logged
    marks = Marks()
    with service.shop() as shop:
        ids = [live(shop, marks)[0] for _ in range(3)]
        written = marks.found(everything_in(service.database))
        assert len(written) == len(marks.all) > 250
        record_property("personal values looked for", len(written))
        for id_ in ids:
            shop.delete(f"/orders/{id_}")
    run("worker", "--once", database=service.database)
    check_gone(service, log, marks)


VACUUMED = (
    "facts",
    "order_bodies",
    "recorded_terms",
    "found_orders",
    "order_terms",
    "orders",
    "drafts",
    "draft_events",
    "found_drafts",
    "draft_terms",
    "idempotency",
)


def test_nothing_stays_in_the_files_of_postgres_once_it_has_vacuumed(cluster: Cluster, tmp_path: Path) -> None:
    """As docs/operate.md has it; what PostgreSQL writes to its own log is looked at, too."""
    database, marks = cluster.database(), Marks()
    with serving(database) as service, service.shop() as shop:
        made = [live(shop, marks)[0] for _ in range(2)]
        sql(database, "analyze")
        assert len(marks.found(files_of(cluster, database))) > 50
        for id_ in made:
            shop.delete(f"/orders/{id_}")
    for table in VACUUMED:
        assert f"`{table}`" in (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
        sql(database, f"vacuum (full) {table}")
    assert marks.found(files_of(cluster, database)) == set()


def test_what_postgres_sampled_before_goes_with_the_migration(cluster: Cluster) -> None:
    """Of a database of an earlier version: its statistics hold what was common, such as the words of orders and drafts."""
    database, marks = cluster.database(), Marks()
    with serving(database) as service, service.shop() as shop:
        secret = marks.new()
        for _ in range(30):
            shop.order(5, comment=secret)
            shop.post("/draft_orders", {"order": {"currency": "NOK", "comment": secret}})
        for what in ("order", "draft"):
            row = f"select account_id, id, 'word', $1 from {what}s"
            sql(database, f"insert into {what}_terms (account_id, id, kind, term) {row}", secret.lower())
        columns = sql(
            database,
            "select c.relname, a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid"
            " where a.attstattarget = 0 and a.attnum > 0 and not a.attisdropped and c.relkind = 'r'"
            " and a.attname <> 'terms' and c.relname not like 'found%' and c.relname <> 'recorded_terms'",
        )
        assert len(columns) >= 12
        for table, name in columns:
            sql(database, f"alter table {table} alter column {name} set statistics -1")
        for table in ("orders", "order_bodies", "facts"):
            sql(database, f"drop policy kept on {table}")
        assert marks.found(everything_in(database)) == {secret}
        sampled = "select 1 from pg_statistic s where s::text like $1"
        assert sql(database, sampled, f"%{secret.lower()}%") != []
        sql(database, "delete from schema_migrations where number = 11")
        sql(database, "delete from acts where number = (select max(number) from acts)")
        assert "applied 0011" in run("migrate", database=database)
        sql(database, "analyze")
        for text in (secret, secret.lower()):
            assert sql(database, sampled, f"%{text}%") == []


def ids(found: list[dict[str, Any]]) -> set[str]:
    return {one["id"] for one in found}


def after(days: int, database: str) -> Found:
    """What the worker does after so many days."""

    async def running() -> Found:
        async with opened(Settings(database=database)) as store:
            return await tidy(store, time.time_ns() // 1_000_000 + days * 86_400_000, 30 * 86_400)

    return asyncio.run(running())


@pytest.mark.once
def test_at_the_end_of_its_time_to_live(logged: tuple[Service, Path]) -> None:
    service, log = logged
    marks, kept = Marks(), Marks()
    with service.shop() as shop:
        due = [live(shop, marks, time_to_live=86400)[0] for _ in range(2)]
        live(shop, kept, time_to_live=4 * 86400)
        assert run_json("worker", "--once", database=service.database) == {"orders": 0, "drafts": 0}
        assert shop.get(f"/orders/{due[0]}")["status"] == "open"
        gone = after(2, service.database)
        assert set(gone.orders) == set(due)
        assert shop.get(f"/orders/{due[0]}")["deleted_by"] == "time-to-live"
        assert after(2, service.database) == Found(orders=[], drafts=[])
    assert kept.found(everything_in(service.database)) == set(kept.all)
    check_gone(service, log, marks)


@pytest.mark.once
@pytest.mark.parametrize("by", ["id", "email"])
def test_everything_of_a_customer(logged: tuple[Service, Path], by: str) -> None:
    service, log = logged
    marks = Marks()
    customer = {"id": f"{marks.new()} & sons", "email": f"{marks.new()}@example.com"}
    named = {by: customer[by]}
    with service.shop() as shop, service.shop() as elsewhere:
        orders = {
            shop.order(5, customer={**named, "first_name": marks.new()})["id"],
            shop.order(5, customer={**named, "first_name": marks.new()})["id"],
        }
        was = shop.order(5, customer=named)["id"]
        shop.put(f"/orders/{was}", {"customer": {"id": "other"}})
        draft = shop.post("/draft_orders", {"order": {"currency": "NOK", "customer": {**named, "last_name": marks.new()}}})["id"]
        lately = shop.post("/draft_orders", {"order": {"currency": "NOK", "customer": named}})["id"]
        shop.put(f"/draft_orders/{lately}", {"order": {"customer": None}})
        stays = [shop.order(5, customer={by: f"x{customer[by]}"})["id"], shop.order(5, comment=customer[by])["id"]]
        foreign = elsewhere.order(5, customer=named)["id"]
        flags = [f"--{'customer-id' if by == 'id' else 'email'}", customer[by].upper() if by == "email" else customer[by]]
        found = run_json("erase", shop.account_id, *flags, database=service.database)
        assert (found["erased"], ids(found["orders"]), ids(found["drafts"])) == (False, orders | {was}, {draft, lately})
        assert shop.get(f"/orders/{was}")["status"] == "open"
        assert "add --yes" in run("erase", shop.account_id, *flags, database=service.database)
        printed = run("erase", shop.account_id, *flags, "--yes", database=service.database)
        assert printed.count("erased order") == 3
        assert printed.count("erased draft") == 2
        for id_ in orders | {was}:
            assert shop.get(f"/orders/{id_}")["deleted_by"] == "operator"
        for id_ in (draft, lately):
            shop.refused("GET", f"/draft_orders/{id_}", status=404)
        for id_ in stays:
            assert shop.get(f"/orders/{id_}")["status"] == "open"
            shop.delete(f"/orders/{id_}")
        assert elsewhere.get(f"/orders/{foreign}")["status"] == "open"
        elsewhere.delete(f"/orders/{foreign}")
        named_order = shop.order(5, comment=marks.new())["id"]
        run("erase", shop.account_id, "--order", named_order, "--yes", database=service.database)
    check_gone(service, log, marks)


@pytest.mark.once
def test_what_to_erase_is_said(own_database: str) -> None:
    run("migrate", database=own_database)
    assert "say what to erase" in run("erase", "T00000001", database=own_database, status=1)
    assert "There is no account" in run("erase", "T00000001", "--email", "x@example.com", database=own_database, status=1)
    run("account", "create", "T00000001", "--name", "Shop", database=own_database)
    assert "There is no order" in run("erase", "T00000001", "--order", "x", database=own_database, status=1)
    for yes in ([], ["--yes"]):
        said = run("erase", "T00000001", "--email", "x@example.com", *yes, database=own_database)
        assert said == "no order and no draft says this, or ever said it: there is nothing to erase\n"


@pytest.mark.long
@pytest.mark.once
def test_among_many_neighbours_nothing_stays_on_a_page(logged: tuple[Service, Path]) -> None:
    service, log = logged
    gone, kept = Marks(), Marks()
    with service.shop() as shop:
        erased = []
        for number in range(240):
            marks = kept if number % 3 == 0 else gone
            sizes = {"comment": marks.new() + "x" * (number % 7 * 30), "metadata": {"note": marks.new() * (number % 40 + 1)}}
            id_ = shop.order(100, customer={"last_name": marks.new()}, **sizes)["id"]
            shop.post(f"/orders/{id_}/comments", {"body": marks.new() + "y" * (number * 13 % 900)})
            erased += [id_] if marks is gone else []
        for id_ in erased:
            shop.delete(f"/orders/{id_}")
    run("worker", "--once", database=service.database)
    assert kept.found(everything_in(service.database)) == set(kept.all)
    check_gone(service, log, gone)


def test_a_server_erases_by_itself(own_database: str) -> None:
    with serving(own_database, ORDRE_TIDY_SECONDS="0.2") as service, service.shop() as shop:
        id_ = shop.order(5, time_to_live=86400)["id"]
        drafted = shop.post("/draft_orders", {"order": {"currency": "NOK", "time_to_live": 86400}})["id"]
        for table, one in (("orders", id_), ("drafts", drafted)):
            sql(own_database, f"update {table} set expires_at = 1 where id = $1", one)
        deadline = time.monotonic() + 20
        while shop.send("GET", f"/draft_orders/{drafted}").status_code == 200:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert shop.get(f"/orders/{id_}")["status"] == "open", "what the column says is not believed"
        assert run_json("worker", "--once", database=own_database) == {"orders": 0, "drafts": 0}
        if own_database.startswith("sqlite"):
            assert sql(own_database, "pragma user_version") == [(0,)], "the file was written anew"


def test_in_memory_by_its_clock(ordre: RunningOrdre) -> None:
    ordre.move_clock("2026-03-01T12:00:00Z")
    made = send(ordre, "POST", "/orders", {"currency": "NOK", "items": items(5), "time_to_live": 86400}).json()
    ordre.move_clock("2026-03-02T11:59:00Z")
    assert send(ordre, "GET", f"/orders/{made['id']}").json()["status"] == "open"
    ordre.move_clock("2026-03-02T12:00:01Z")
    assert send(ordre, "GET", f"/orders/{made['id']}").json()["deleted_by"] == "time-to-live"


TAMPERED = {
    "a body put back": "update facts set data = '{}' where id = $1 and version = 1",
    "a salt put back": "update facts set salt = 'x' where id = $1 and version = 1",
    "an erased fact dropped": "delete from facts where id = $1 and version = 1",
    "the erasure dropped": "delete from facts where id = $1 and type = 'erased'",
    "when a fact was": "update facts set at = at + 1 where id = $1 and version = 1",
    "what a fact was": "update facts set type = 'closed' where id = $1 and version = 1",
    "what is kept": "update orders set head = replace(head, '\"N-1\"', '\"N-2\"') where id = $1",
    "a body for lists": 'update order_bodies set fields = \'{"comment":"x"}\' where id = $1',
    "a term": "update order_bodies set terms = terms || 'x' where id = $1",
    "a term of an earlier version": "insert into order_terms (account_id, id, kind, term)"
    " select account_id, id, 'word', 'x' from orders where id = $1",
}


@pytest.mark.once
@pytest.mark.parametrize("change", TAMPERED)
def test_an_erased_order_still_proves_itself(logged: tuple[Service, Path], change: str) -> None:
    service, _ = logged
    with service.shop() as shop:
        order = shop.order(5, order_number="N-1")["id"]
        shop.post(f"/orders/{order}/close")
        shop.delete(f"/orders/{order}")
    assert run_json("verify", database=service.database)["differences"] == []
    sql(service.database, TAMPERED[change], order)
    said = json.loads(run("verify", "--json", database=service.database, status=1).partition("\n}\n")[0] + "\n}")
    assert [difference["order"] for difference in said["differences"]][:1] == [order]
