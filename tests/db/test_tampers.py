"""Every row of every table is bound: `ordre verify` names whatever is changed, taken away or added behind Ordre's back.

What it does not name stands in ``UNSEEN``, and docs/proofs.md says so too.
"""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tampering import Tamper, fill, tables, tampers

from database import ENGINES, new_database, sql
from ordre import audit, bootstrap
from ordre.db.layout import Table
from ordre.db.tally import number_of
from ordre.db.verify import Difference
from ordre.settings import Settings
from throwaway import OWNER, unbound

pytestmark = pytest.mark.slow

UNSEEN = {
    ("accounts", "next_serial"): "numbers may have gaps, and are drawn without an act",
    ("accounts", "terms_version"): "whoever migrates reads the terms of an earlier version again; the terms themselves are bound",
    ("accounts", "stored_form"): "whoever tidies looks for what is still to be packed; what is packed is bound as it was",
    ("accounts", "hooks"): "that it has had a subscription, so that whoever sends looks at it",
    ("clients", "last_used_on"): "every token changes it",
    ("tallies", "id"): "what is summed up stays the same",
    ("schema_migrations", "applied_at"): "a server tries by it whether the database takes writes again",
}
EARLIER = ("order_terms", "draft_terms")
"""Tables in which nothing is, once all that an earlier version wrote was written anew."""
TABLES = [table for table in tables() if table.name not in EARLIER]
UNBOUND = {
    "subscriptions": "who is told of what happens, and how far: it is no part of what happened",
    "deliveries": "what became of telling it: the feed says what there was to tell",
}
"""Tables of which nothing is named."""
TAMPERS = [one for table in TABLES for one in tampers(table)]
Verified = Callable[..., list[Difference]]


@pytest.fixture(scope="module", params=ENGINES)
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    database = new_database(request, request.param, tmp_path_factory)
    fill(database)
    return database


@pytest.fixture
def verified(filled: str, tmp_path: Path) -> Verified:
    """Does something behind Ordre's back and verifies, in a copy of the database or a transaction that is taken back."""

    def copied(*statements: str) -> list[Difference]:
        copy = f"sqlite:///{shutil.copy(filled.removeprefix('sqlite:///'), tmp_path)}"
        for statement in statements:
            sql(copy, statement)
        return asyncio.run(_found(copy))

    def taken_back(*statements: str) -> list[Difference]:
        return asyncio.run(_found(unbound(filled), *statements))

    return copied if filled.startswith("sqlite") else taken_back


async def _found(database: str, *statements: str) -> list[Difference]:
    async with bootstrap.transaction(Settings(database=database), read_only=not statements) as opened:
        if not statements:
            return (await audit.verified(opened, None)).differences
        await opened.execute("set local session_replication_role = replica")
        await opened.execute("savepoint before")
        for statement in statements:
            await opened.execute(statement)
        await opened.execute(f"set local role {OWNER}")
        found = (await audit.verified(opened, None)).differences
        await opened.execute("rollback to before")
        return found


def test_what_nobody_touched_differs_in_nothing(verified: Verified) -> None:
    assert verified("select 1") == []


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_there_is_something_to_tamper_with(filled: str, table: Table) -> None:
    assert sql(filled, f"select count(*) from {table.name}")[0][0] > 0


@pytest.mark.once
@pytest.mark.parametrize("tamper", TAMPERS, ids=lambda one: f"{one.table} {one.what}")
def test_a_tamper_is_named(verified: Verified, tamper: Tamper) -> None:
    found = verified(tamper.statement)
    if (tamper.table, tamper.what) in UNSEEN or tamper.table in UNBOUND:
        assert found == []
    else:
        assert found, "nothing was named"
        assert all(one.reason for one in found)


@pytest.mark.parametrize("what", ["order", "draft"])
def test_what_only_an_earlier_version_would_write_is_named(verified: Verified, what: str) -> None:
    row = f"select account_id, id, 'word', 'x' from {what}s where id = (select min(id) from {what}s)"
    assert verified(f"insert into {what}_terms (account_id, id, kind, term) {row}")


_TABLES = (
    "recorded_terms",
    "order_bodies",
    "facts",
    "orders",
    "draft_events",
    "drafts",
    "idempotency",
    "tallies",
    "erased_drafts",
)
_LAST_HASH = "select hash from facts f where f.id = orders.id order by version desc limit 1"
WHOLE = {
    "an order with everything": [f"delete from {table} where {{order}}" for table in _TABLES[:4]],
    "an order without its facts": [
        f"delete from {table} where {{order}}" for table in ("recorded_terms", "order_bodies", "orders")
    ],
    "all orders with everything": [f"delete from {table}" for table in _TABLES[:4]],
    "everything of the account": [f"delete from {table}" for table in (*_TABLES, "clients", "accounts")],
    "the account's row": ["delete from accounts where account_id = 'T00000007'"],
    "the account's row and clients": [f"delete from {table} where account_id = 'T00000007'" for table in ("clients", "accounts")],
    "a draft with everything": [f"delete from {table} where id in (select min(id) from drafts)" for table in _TABLES[4:6]],
    "all kept answers and drafts": [f"delete from {table}" for table in _TABLES[4:7]],
    "what is left of an erased draft": ["delete from erased_drafts"],
    "another scope": ["update clients set scopes = 'admin:shopping shopping:orders:read'"],
    "an enabled client": ["update clients set disabled_at = null"],
    "the last fact, consistently": [
        "delete from facts where {order} and version = (select max(version) from facts where {order})",
        f"update orders set version = version - 1, hash = ({_LAST_HASH}) where {{order}}",
    ],
    "the log of administration": ["delete from acts"],
}


@pytest.mark.parametrize("what", WHOLE)
def test_what_goes_as_a_whole_is_named(filled: str, verified: Verified, what: str) -> None:
    ((order,),) = sql(filled, "select id from facts group by id having count(*) > 2 order by id limit 1")
    statements = [one.format(order=f"id = '{order}'") for one in WHOLE[what]]
    assert verified(*statements), "nothing was named"


def test_facts_of_no_order_are_named_as_such(filled: str, verified: Verified) -> None:
    ((order,),) = sql(filled, "select id from facts group by id having count(*) > 2 order by id limit 1")
    found = [str(one) for one in verified(f"delete from orders where id = '{order}'")]
    assert f"T00000007 row {order} of facts: it belongs to nothing: orders has no such row" in found
    assert any("facts of orders, and" in one for one in found)


@pytest.mark.parametrize(("kind", "what"), [("draft_erased", "erasures"), ("draft_updated", "events"), ("placed", "facts")])
def test_what_has_no_position_in_the_feed_is_named(filled: str, verified: Verified, kind: str, what: str) -> None:
    """Tallies count it, as they did before there were feeds: so it is after a server of before then wrote to the database."""
    ((first,),) = sql(filled, f"select max(position) from feed where kind = '{kind}'")
    hashes = [
        (name, row[0])
        for name, table in (("facts", "facts"), ("events", "draft_events"))
        for row in sql(
            filled, f"select x.hash from {table} x join feed f on f.id = x.id and f.version = x.version where position >= {first}"
        )
    ]
    ((draft, joined),) = sql(filled, "select id, hashes from erased_drafts")
    for (version,) in sql(filled, f"select version from feed where id = '{draft}' and position >= {first}"):
        hashes += [("events", held)] if (held := joined[(version - 1) * 64 : version * 64]) else []
    into = "insert into tallies (account_id, id, kind, count, sum)"
    tallies = [
        f"{into} values ('T00000007', 'x{place}', '{name}', 1, '{number_of(held)}')" for place, (name, held) in enumerate(hashes)
    ]
    before = f"select hash from feed where position = {first - 1}"
    found = verified(
        f"update feeds set position = {first - 1}, hash = ({before}) where position >= {first}",
        f"delete from feed where position >= {first}",
        *tallies,
    )
    assert found
    assert all("its feed has positions of" in one.reason for one in found)
    assert any(what in one.reason for one in found)


def test_an_entry_before_the_first_position_is_named(verified: Verified) -> None:
    columns = "id, version, kind, at, actor, hash"
    added = f"select account_id, 0, {columns} from feed where position = 1"
    found = verified(f"insert into feed (account_id, position, {columns}) {added}")
    assert any(one.about == "feed position 1" for one in found)
