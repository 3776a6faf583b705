"""A database that an earlier version of Ordre filled goes on to work: what it holds verifies, and the rules of now apply to it.

`earlier.json` holds the rows that the code before migration 0006 wrote, each order named for what is special about it;
`earlier/NNNN.json` those that the last code of each earlier schema wrote (`record_earlier.py`).
"""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from commands import run, run_json
from database import ENGINES, new_database
from ordre.db.schema import HISTORY, Engine, migrations
from service import Service, Shop, faults_of, item, operation, serving
from throwaway import unbound

pytestmark = pytest.mark.slow

ACCOUNT = "T12345678"
STATUSES = ("pending", "partially_paid", "paid", "partially_refunded", "refunded")
Rows = dict[str, list[dict[str, Any]]]
"""Of a whole database, by table."""
ROWS: Rows = json.loads(Path(__file__).with_name("earlier.json").read_text(encoding="utf-8"))
SCHEMAS = sorted(Path(__file__).with_name("earlier").glob("*.json"))
BETWEEN = [pytest.param(one, marks=pytest.mark.long) for one in SCHEMAS[1:-1]]
NEVER_NEWEST = {4, 15}
"""Migrations that came together with the next one, so no version left a database that ends in them."""


def with_bytes(read: dict[str, Any]) -> Any:
    """What `record_earlier.hexadecimal` wrote."""
    return bytes.fromhex(read["hex"]) if read.keys() == {"hex"} else read


def statements(engine: Engine, rows: Rows) -> list[str]:
    """The schema as it was when the rows were written."""
    applied = {row["number"]: row["digest"] for row in rows["schema_migrations"]}
    made = [HISTORY]
    for step in migrations(engine):
        if step.number in applied:
            assert applied[step.number] == step.digest, "a migration was changed after it was released"
            made += step.statements
    return made


def fill_sqlite(database: str, filled: Rows) -> None:
    connection = sqlite3.connect(database.removeprefix("sqlite:///"))
    for statement in statements("sqlite", filled):
        connection.execute(statement)
    for table, rows in filled.items():
        columns = list(rows[0])
        marks = ", ".join("?" * len(columns))
        connection.executemany(
            f"insert into {table} ({', '.join(columns)}) values ({marks})", [tuple(row.values()) for row in rows]
        )
    connection.commit()
    connection.close()


async def fill_postgres(database: str, filled: Rows) -> None:
    owner, superuser = await asyncpg.connect(database), await asyncpg.connect(unbound(database))
    for statement in statements("postgres", filled):
        await owner.execute(statement)
    for table, rows in filled.items():
        await superuser.copy_records_to_table(table, columns=list(rows[0]), records=[tuple(row.values()) for row in rows])
    await owner.close()
    await superuser.close()


def fill(database: str, filled: Rows) -> None:
    if database.startswith("sqlite"):
        fill_sqlite(database, filled)
    else:
        asyncio.run(fill_postgres(database, filled))


def test_there_is_a_filled_database_of_every_earlier_schema() -> None:
    """Before a migration is added, `record_earlier.py` records what the code without it leaves."""
    numbers = {one.number for one in migrations("sqlite")}
    assert {int(one.stem) for one in SCHEMAS} == numbers - {max(numbers)} - NEVER_NEWEST


@pytest.mark.parametrize("path", [SCHEMAS[0], *BETWEEN, SCHEMAS[-1]], ids=lambda path: path.stem)
def test_a_filled_database_of_an_earlier_schema_is_brought_up(own_database: str, path: Path) -> None:
    """What it holds verifies, its orders are answered as they were, and it takes a change of now."""
    recorded = json.loads(path.read_text(encoding="utf-8"), object_hook=with_bytes)
    fill(own_database, recorded["rows"])
    later = [step for step in migrations("sqlite") if step.number > int(path.stem)]
    assert run("migrate", database=own_database).count("applied ") == len(later)
    report = run_json("verify", database=own_database)
    assert (report["orders"], report["differences"]) == (len(recorded["rows"]["orders"]), [])
    for name, answered in recorded["answered"].items():
        shown = run_json("order", "show", ACCOUNT, name, database=own_database)
        assert {field: shown[field] for field in answered} == answered
    run("erase", ACCOUNT, "--order", "paid", "--yes", database=own_database)
    assert run_json("verify", database=own_database)["differences"] == []


@pytest.fixture(scope="module", params=ENGINES)
def earlier(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database of each engine with the rows of `earlier.json`, brought up to this version."""
    database = new_database(request, request.param, tmp_path_factory)
    fill(database, ROWS)
    run("migrate", database=database)
    return database


@pytest.fixture(scope="module")
def old_service(earlier: str) -> Iterator[Service]:
    with serving(earlier) as made:
        yield made


@pytest.fixture
def old_shop(old_service: Service) -> Iterator[Shop]:
    with old_service.shop(account_id=ACCOUNT) as made:
        yield made


def test_it_verifies(earlier: str) -> None:
    report = run_json("verify", database=earlier)
    assert (report["orders"], report["differences"]) == (len(ROWS["orders"]), [])


def test_what_costs_nothing_is_found_as_paid(old_shop: Shop) -> None:
    free = ["free", "refunded and reversed", "reversed", "reversed and captured"]
    for path in [f"/orders/{name}" for name in free]:
        assert old_shop.get(path)["payment_status"] == "paid"
    found = {status: old_shop.get("/orders", params={"payment_status": status, "limit": 50})["orders"] for status in STATUSES}
    assert sorted(one["order_id"] for one in found["paid"] if one["net_amount"] == 0) == free
    for status, orders in found.items():
        assert {one["payment_status"] for one in orders} <= {status}
    assert sum(len(orders) for orders in found.values()) == len(ROWS["orders"]) - 1


def test_a_cancelled_order_of_before_owes_nothing(old_shop: Shop) -> None:
    details = old_shop.get("/orders/cancelled")["payment_details"]
    assert (details["amount_due"], details["remaining_capture_amount"], details["remaining_cancellation_amount"]) == (0, 0, 100)


def test_an_operation_of_before_is_answered_and_repeated_as_it_was(old_shop: Shop) -> None:
    made = old_shop.get("/orders/remarks/authorizations/a1")
    assert (made["amount"], "authorization_id" in made) == (60, False)
    sent = operation((1, 60), id="a1", authorization_id="gateway-7", payment_details={"payment_id": "P1"})
    for again in (sent, {**sent, "amount": 60}):
        assert old_shop.post("/orders/remarks/authorizations", again) == made
    other = old_shop.refused("POST", "/orders/remarks/authorizations", {**sent, "amount": 59}, status=409)
    assert faults_of(other) == [("already_used", "id")]


def test_a_wrong_relation_of_before_stands_in_nobodys_way(old_shop: Shop) -> None:
    path = "/orders/related to nothing"
    answered = old_shop.get(path)
    assert [line.get("related_item", {}).get("line_id") for line in answered["items"]] == [None, 1, 99]
    changed = old_shop.put(path, {**answered, "comment": "seen"})
    assert (changed["comment"], changed["items"]) == ("seen", answered["items"])
    old_shop.post(f"{path}/authorizations", operation((1, 100), (2, -150), (3, 10)))
    more = {"options": {"order_id": "related to nothing"}, "order": {"currency": "NOK", "items": [item(4, 5)]}}
    old_shop.put(f"/draft_orders/{old_shop.post('/draft_orders', more)['id']}/complete")


def test_a_reversal_of_before_counts(old_shop: Shop) -> None:
    (draft,) = old_shop.get("/draft_orders", params={"status": "open"})["draft_orders"]
    (fault,) = old_shop.refused("PUT", f"/draft_orders/{draft['id']}/complete")
    assert (fault["code"], fault["amount"], fault["remaining"]) == ("exceeds_reversible", -60, -40)


def test_a_voided_order_of_before_is_paid_by_another_authorization(old_shop: Shop, earlier: str) -> None:
    path = "/orders/voided"
    assert old_shop.get(path)["payment_details"]["remaining_authorization_amount"] == 100
    assert old_shop.get(path, params={"version": 2})["payment_details"]["remaining_authorization_amount"] == 0
    old_shop.post(f"{path}/authorizations", operation((1, 100)))
    old_shop.post(f"{path}/captures", operation((1, 100)))
    again = old_shop.refused("POST", "/orders/several/captures", operation((1, 1), authorization_id="a2"))
    assert faults_of(again) == [("exceeds_remaining", "items[0].amount")]
    old_shop.post("/orders/several/authorizations", operation((1, 40), id="a3"))
    assert run_json("verify", "--account", ACCOUNT, "--order", "voided", database=earlier)["differences"] == []
    assert run_json("verify", database=earlier)["differences"] == []
