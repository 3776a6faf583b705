"""Whatever is changed in the tables behind Ordre's back is found, and named."""

import asyncio
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from commands import run, run_json
from database import ENGINES, new_database, sql
from ordre.api.wire.search import TERMS
from ordre.bootstrap import opened
from ordre.db.verify import differences
from ordre.settings import Settings
from throwaway import Cluster

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=ENGINES)
def original(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with demo data."""
    database = new_database(request, request.param, tmp_path_factory)
    run("migrate", database=database)
    run("demo", database=database)
    return database


@pytest.fixture
def demo(original: str, cluster: Cluster, tmp_path: Path) -> tuple[str, str]:
    """A copy of it, and the id of an order with several facts in it."""
    if original.startswith("sqlite"):
        copy = f"sqlite:///{shutil.copy(original.removeprefix('sqlite:///'), tmp_path)}"
    else:
        copy = cluster.database(original)
    ((order,),) = sql(copy, "select id from facts group by id having count(*) >= 6 order by id limit 1")
    return copy, order


def found(database: str) -> list[dict[str, Any]]:
    async def running() -> list[dict[str, Any]]:
        async with opened(Settings(database=database)) as store:
            return [asdict(one) async for stored in store.stored_orders(None) for one in differences(stored, TERMS)]

    return asyncio.run(running())


FACT_CHANGES = {
    "data": "replace(data, '}', ',\"x\":1}')",
    "document": "document || ' '",
    "event": "replace(event, 'POST', 'PUT')",
    "at": "at + 1",
    "actor": "'someone else'",
    "type": "'closed'",
    "ref": "'mine'",
    "salt": "'0'",
    "digest": "'0'",
    "hash": "'0'",
}


@pytest.mark.parametrize("column", FACT_CHANGES)
def test_a_changed_fact(demo: tuple[str, str], column: str) -> None:
    database, order = demo
    sql(database, f"update facts set {column} = {FACT_CHANGES[column]} where id = $1 and version = 3", order)
    (difference,) = found(database)
    assert (difference["order"], difference["version"], difference["account_id"]) == (order, 3, "T00000001")


HEAD_CHANGES = {
    "version": "version + 1",
    "status": "'cancelled'",
    "payment_status": "'refunded'",
    "currency": "'XXX'",
    "gross_amount": "gross_amount + 1",
    "net_amount": "net_amount + 1",
    "created_at": "created_at + 1",
    "updated_at": "updated_at + 1",
    "expires_at": "1",
    "order_id": "'x'",
    "head": 'replace(head, \'"status":"\', \'"status":"x\')',
    "hash": "'0'",
}


@pytest.mark.parametrize("column", HEAD_CHANGES)
def test_a_changed_head(demo: tuple[str, str], column: str) -> None:
    database, order = demo
    sql(database, f"update orders set {column} = {HEAD_CHANGES[column]} where id = $1", order)
    assert [difference["order"] for difference in found(database)] == [order]


@pytest.mark.parametrize("column", ["fields", "items"])
def test_a_changed_body(demo: tuple[str, str], column: str) -> None:
    database, order = demo
    sql(database, f"update order_bodies set {column} = {column} || ' ' where id = $1", order)
    assert found(database)[0]["reason"] == "the order's body is not the fold of its facts"


def test_a_missing_body(demo: tuple[str, str]) -> None:
    database, order = demo
    sql(database, "delete from order_bodies where id = $1", order)
    assert {difference["order"] for difference in found(database)} - {None} == {order}


def test_a_dropped_fact(demo: tuple[str, str]) -> None:
    database, order = demo
    sql(database, "delete from facts where id = $1 and version = 3", order)
    (difference,) = found(database)
    assert (difference["order"], difference["version"]) == (order, 3)


def test_a_dropped_last_fact(demo: tuple[str, str]) -> None:
    database, order = demo
    sql(database, "delete from facts where id = $1 and version = (select max(version) from facts where id = $1)", order)
    assert [difference["order"] for difference in found(database)] == [order]
    said = run("verify", database=database, status=1)
    assert order in said
    assert "2 differences\n" in said, "and the account misses a fact"
    run("account", "create", "T00000009", "--name", "Another", database=database)
    assert run("verify", "--account", "T00000009", "--empty-ok", database=database)


def test_no_facts_at_all(demo: tuple[str, str]) -> None:
    database, order = demo
    sql(database, "delete from facts where id = $1", order)
    assert found(database)[0]["reason"] == "the order has no facts"


def test_swapped_facts(demo: tuple[str, str]) -> None:
    database, order = demo
    for before, after in ((3, -1), (4, 3), (-1, 4)):
        sql(database, "update facts set version = $2 where id = $1 and version = $3", order, after, before)
    assert found(database)[0]["version"] == 3


def test_a_duplicated_fact(demo: tuple[str, str]) -> None:
    database, order = demo
    columns = "account_id, id, type, at, actor, data, document, event, salt, digest, hash"
    last = "(select max(version) from facts where id = $1)"
    sql(
        database,
        f"insert into facts ({columns}, version) select {columns}, version + 1 from facts where id = $1 and version = {last}",
        order,
    )
    assert [difference["order"] for difference in found(database)] == [order]


LED = "kind = $1 and id = (select id from found_orders where kind = 'payment_id' order by id limit 1)"
TERM_CHANGES = {
    "gone": f"delete from found_orders where {LED}",
    "another": f"update found_orders set term = term || 'x' where {LED}",
    "of another kind": f"update found_orders set kind = 'word' where {LED}",
}


@pytest.mark.parametrize("change", TERM_CHANGES)
@pytest.mark.parametrize("kind", ["currency", "payment_id"])
def test_a_term_that_leads_to_an_order_and_is(demo: tuple[str, str], change: str, kind: str) -> None:
    database, _ = demo
    ((order,),) = sql(database, "select id from recorded_terms order by id limit 1")
    sql(database, TERM_CHANGES[change], kind)
    assert {difference["order"] for difference in found(database)} - {None} == {order}


TEXT_CHANGES = {
    "shorter": "update order_bodies set terms = replace(terms, 'currency', 'word') where id = $1",
    "none": "update order_bodies set terms = null where id = $1",
    "without a payment": "delete from recorded_terms where id = $1",
    "of another part": "update recorded_terms set part = part || 'x' where id = $1",
    "as an earlier version wrote them, too": "insert into order_terms (account_id, id, kind, term)"
    " select account_id, id, 'word', 'x' from orders where id = $1",
}


@pytest.mark.parametrize("change", TEXT_CHANGES)
def test_the_terms_that_an_order_says_of_itself_are(demo: tuple[str, str], change: str) -> None:
    database, _ = demo
    ((order,),) = sql(database, "select id from recorded_terms order by id limit 1")
    sql(database, TEXT_CHANGES[change], order)
    assert {difference["order"] for difference in found(database)} - {None} == {order}


def test_a_term_that_leads_to_an_order_and_is_new(demo: tuple[str, str]) -> None:
    database, _ = demo
    sql(
        database,
        "insert into found_orders (account_id, kind, term, id) select account_id, 'word', 'x', id from found_orders limit 1",
    )
    assert "of found_orders: no such row says that it is found by the word 'x'" in run("verify", database=database, status=1)


def test_facts_of_another_order_do_not_fit(demo: tuple[str, str]) -> None:
    database, order = demo
    ((other,),) = sql(database, "select id from orders where id <> $1 order by id limit 1", order)
    sql(database, "delete from facts where id = $1", other)
    sql(database, "update facts set id = $2 where id = $1", order, other)
    assert {difference["order"] for difference in found(database)} == {order, other}


def test_an_untouched_database_is_in_order(demo: tuple[str, str]) -> None:
    assert run_json("verify", database=demo[0])["differences"] == []
