"""Terms of what was written before they were read as they are now are found once, by whoever migrates."""

import asyncio
import os
from typing import Any

import pytest

from commands import run, run_json
from database import sql
from ordre.api.wire.search import TERMS
from ordre.bootstrap import make_store
from ordre.db.terms import entries_in
from ordre.settings import Settings
from service import Service, Shop, items, operation, serving

pytestmark = pytest.mark.slow


def migrate(database: str) -> None:
    """What `ordre migrate` does, in this process."""

    async def running() -> None:
        store = make_store(Settings(database=database))
        await store.migrate()
        await store.close()

    asyncio.run(running())


TABLES = ("found_orders", "found_drafts", "recorded_terms")
TEXTS = ("select id, terms from order_bodies", "select id, terms from drafts")


def terms(database: str) -> list[Any]:
    """All that is stored of terms: what leads to orders and drafts, and what they say of themselves."""
    every = [f"select * from {table}" for table in TABLES]
    return [sorted(sql(database, one)) for one in (*every, *TEXTS)]


def make_earlier(database: str) -> None:
    """Store the terms as version 1 of them was: each with its id, in two tables."""
    for what, own, *others in (("order", "order_bodies", "recorded_terms"), ("draft", "drafts")):
        for table in (own, *others):
            for account, id_, text in sql(database, f"select account_id, id, terms from {table}"):
                for kind, term in entries_in(text):
                    row = (account, id_, kind, term)
                    sql(database, f"insert into {what}_terms (account_id, id, kind, term) values ($1, $2, $3, $4)", *row)
        sql(database, f"update {own} set terms = null")
    completed = "select account_id, id, 'word', id from drafts where status = 'completed'"
    sql(database, f"insert into draft_terms (account_id, id, kind, term) {completed}")
    for table in TABLES:
        sql(database, f"delete from {table}")
    sql(database, "update accounts set terms_version = 1")


def fill(shop: Shop) -> tuple[str, str]:
    """Orders and drafts that are found by many things; return one that is found by a comment, and the comment."""
    order = shop.order(100, comment="Ring twice", metadata={"note": "for Torunn"}, customer={"first_name": "Kari"})["id"]
    shop.post(f"/orders/{order}/authorizations", operation((1, 100), payment_details={"payment_id": "P-1"}))
    comment = shop.post(f"/orders/{order}/comments", {"body": "Solveig called"})["id"]
    gone = shop.post(f"/orders/{order}/comments", {"body": "never mind"})["id"]
    shop.delete(f"/orders/{order}/comments/{gone}")
    draft = {"currency": "NOK", "items": items(5), "comment": "Ring once", "time_to_live": 86400}
    made = [shop.post("/draft_orders", {"order": draft})["id"] for _ in range(2)]
    shop.put(f"/draft_orders/{made[1]}/complete")
    erased = shop.order(5, order_number="E-1")["id"]
    shop.delete(f"/orders/{erased}")
    return order, comment


def test_orders_and_drafts_of_before_are_found_by_what_is_read_now(own_database: str) -> None:
    with serving(own_database) as service, service.shop() as shop:
        fill(shop)
        for number in range(120):
            shop.order(5, order_number=f"N-{number}")
    written = terms(own_database)
    make_earlier(own_database)
    sql(own_database, "update drafts set net_amount = 0, expires_at = null where status = 'open'")
    forget = ("kind = 'comment'", "kind = 'word' and term in ('ring', 'torunn', 'for')", "id = (select min(id) from orders)")
    for condition in forget:
        sql(own_database, f"delete from order_terms where {condition}")
    migrate(own_database)
    assert terms(own_database) == written
    for table in ("order_terms", "draft_terms"):
        assert sql(own_database, f"select count(*) from {table}") == [(0,)]
    assert sql(own_database, "select net_amount, expires_at > 0 from drafts where status = 'open'")[0][0] == 5
    assert sql(own_database, "select min(terms_version) from accounts") == [(TERMS.version,)]
    assert run_json("verify", database=own_database)["differences"] == []
    sql(own_database, "delete from found_orders where kind = 'comment'")
    migrate(own_database)
    assert terms(own_database) != written, "of an account that was read under this version, nothing is filled in silently"
    assert "not found under exactly the terms" in run("verify", database=own_database, status=1)


def test_until_then_they_are_found_verified_changed_and_erased_as_they_are(own_database: str) -> None:
    """A server that does not tidy leaves them as an earlier version wrote them, but for what is changed."""
    asked = ("q=solv", "q=ring", "q=kari", "customer_id=C-9", "payment_id=P-1", "q=P-1 kari", "q=solveig ring", "q=ring tw")

    def found(shop: Shop) -> dict[str, list[str]]:
        return {
            f"{collection}?{one}": [order["id"] for order in shop.get(f"/{collection}?{one}&total=true")[collection]]
            for collection in ("orders", "draft_orders")
            for one in asked
            if collection == "orders" or "payment" not in one
        }

    with serving(own_database, ORDRE_TIDY_SECONDS="0") as service, service.shop() as shop:
        order, comment = fill(shop)
        shop.order(7, customer={"id": "C-9", "first_name": "Karin"}, order_number="N-1")
        before = found(shop)
    assert {key: len(ids) for key, ids in before.items() if ids}.keys() >= {
        "orders?q=solv",
        "orders?q=ring tw",
        "draft_orders?q=ring",
    }
    make_earlier(own_database)
    assert run_json("verify", database=own_database)["differences"] == []
    service = Service(own_database, environment={**os.environ, "ORDRE_TIDY_SECONDS": "0"})
    service.migrated = True
    service.start()
    with service.shop(account_id=shop.account_id) as shop:
        assert found(shop) == before
        assert sql(own_database, "select count(*) > 0 from order_terms") in ([(1,)], [(True,)])
        shop.delete(f"/orders/{order}/comments/{comment}")
        shop.put(f"/orders/{order}", {"customer": {"first_name": "Ola"}})
        assert [shop.get(f"/orders?q={q}")["orders"] for q in ("solveig", "kari ring")] == [[], []]
        assert [one["id"] for one in shop.get("/orders?q=ola")["orders"]] == [order]
        assert run_json("verify", database=own_database)["differences"] == []
        shop.delete(f"/orders/{order}")
    service.stop()
    assert sql(own_database, "select count(*) from order_terms where id = $1", order) == [(0,)]
    assert run_json("verify", database=own_database)["differences"] == []
    run("worker", "--once", database=own_database)
    assert sql(own_database, "select count(*) from order_terms") == [(0,)]
    assert run_json("verify", database=own_database)["differences"] == []


def test_an_order_that_was_tampered_with_does_not_stop_a_migration(own_database: str) -> None:
    run("migrate", database=own_database)
    run("demo", database=own_database)
    sql(own_database, "update orders set head = '{}' where id = (select min(id) from orders)")
    sql(own_database, "update facts set data = '{}' where type = 'service_event' and id <> (select min(id) from orders)")
    make_earlier(own_database)
    sql(own_database, "delete from order_terms")
    migrate(own_database)
    found = {row[0] for row in sql(own_database, "select distinct id from order_bodies where terms is not null")}
    assert {row[0] for row in sql(own_database, "select id from orders where head <> '{}'")} == found, (
        "but for what cannot be read"
    )
    assert sql(own_database, "select min(terms_version) from accounts") == [(TERMS.version,)]
    assert "the order's head is not the fold of its facts" in run("verify", database=own_database, status=1)
