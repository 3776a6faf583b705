"""Terms of what was written before they were read as they are now are found once, by whoever migrates."""

import asyncio
from typing import Any

import pytest

from commands import run, run_json
from database import sql
from ordre.api.wire.search import TERMS
from ordre.bootstrap import make_store
from ordre.settings import Settings
from service import items, operation, serving

pytestmark = pytest.mark.slow


def migrate(database: str) -> None:
    """What `ordre migrate` does, in this process."""

    async def running() -> None:
        store = make_store(Settings(database=database))
        await store.migrate()
        await store.close()

    asyncio.run(running())


def terms(database: str) -> list[Any]:
    every = sql(database, "select account_id, id, kind, term from order_terms")
    return sorted([*every, *sql(database, "select account_id, id, kind, term from draft_terms")])


def test_orders_and_drafts_of_before_are_found_by_what_is_read_now(own_database: str) -> None:
    with serving(own_database) as service, service.shop() as shop:
        order = shop.order(100, comment="Ring twice", metadata={"note": "for Torunn"}, customer={"first_name": "Kari"})["id"]
        shop.post(f"/orders/{order}/authorizations", operation((1, 100), payment_details={"payment_id": "P-1"}))
        kept = shop.post(f"/orders/{order}/comments", {"body": "Solveig called"})["id"]
        gone = shop.post(f"/orders/{order}/comments", {"body": "never mind"})["id"]
        shop.delete(f"/orders/{order}/comments/{gone}")
        for number in range(120):
            shop.order(5, order_number=f"N-{number}")
        shop.post(
            "/draft_orders", {"order": {"currency": "NOK", "items": items(5), "comment": "Ring once", "time_to_live": 86400}}
        )
        erased = shop.order(5, order_number="E-1")["id"]
        shop.delete(f"/orders/{erased}")
    written = terms(own_database)
    assert any(kind == "comment" and term.endswith(kept) for _, _, kind, term in written)
    forget = ("kind = 'comment'", "kind = 'word' and term in ('ring', 'torunn', 'for')", "id = (select min(id) from orders)")
    for condition in forget:
        sql(own_database, f"delete from order_terms where {condition}")
    sql(own_database, "delete from draft_terms")
    sql(own_database, "update drafts set net_amount = 0, expires_at = null")
    migrate(own_database)
    assert terms(own_database) != written, "of an account that was read under this version, nothing is filled in silently"
    assert "not found under exactly the terms" in run("verify", database=own_database, status=1)
    sql(own_database, "update accounts set terms_version = 0")
    migrate(own_database)
    assert terms(own_database) == written
    assert sql(own_database, "select net_amount, expires_at > 0 from drafts")[0][0] == 5
    assert sql(own_database, "select min(terms_version) from accounts") == [(TERMS.version,)]
    assert run_json("verify", database=own_database)["differences"] == []


def test_an_order_that_was_tampered_with_does_not_stop_a_migration(own_database: str) -> None:
    run("migrate", database=own_database)
    run("demo", database=own_database)
    sql(own_database, "update orders set head = '{}' where id = (select min(id) from orders)")
    sql(own_database, "update facts set data = '{}' where type = 'service_event' and id <> (select min(id) from orders)")
    sql(own_database, "delete from order_terms")
    sql(own_database, "update accounts set terms_version = 0")
    migrate(own_database)
    found = {row[0] for row in sql(own_database, "select distinct id from order_terms")}
    assert {row[0] for row in sql(own_database, "select id from orders where head <> '{}'")} == found, (
        "but for what cannot be read"
    )
    assert sql(own_database, "select min(terms_version) from accounts") == [(TERMS.version,)]
    assert "the order's head is not the fold of its facts" in run("verify", database=own_database, status=1)
