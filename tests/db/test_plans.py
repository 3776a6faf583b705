"""Each filter of a list is answered from an index. Plans are asked for on 20,000 orders and as many drafts, on both engines.

What walks an account from the newest order on is listed too, and docs/api.md says why: it is never a scan of the whole table.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from many_orders import ACCOUNT, COUNT, FILL, term, words

from commands import run
from database import ENGINES, new_database
from ordre.application.change import Wanted
from ordre.application.lists import PAGE_BYTES, ListQuery
from ordre.bootstrap import opened
from ordre.db import lists, postgres_plans
from ordre.db.events import REPORTED
from ordre.db.lists import DRAFTS, FEW, MANY, ORDERS, Finding, Listed
from ordre.db.postgres_batch import JOINS, parts_of, read_parameters, reading
from ordre.db.postgres_plans import PLANNED_ONCE, Plans
from ordre.db.postgres_write import SHAPES
from ordre.db.postgres_write import statement as writing
from ordre.db.queries import END, for_sqlite
from ordre.db.store import SqlStore
from ordre.db.terms import Statement
from ordre.settings import Settings
from throwaway import Cluster, unbound

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True)
class Filled:
    database: str

    @asynccontextmanager
    async def store(self, *, bound: bool = True) -> AsyncIterator[SqlStore]:
        async with opened(Settings(database=self.database if bound else unbound(self.database))) as store:
            assert isinstance(store, SqlStore)
            yield store


@pytest.fixture(scope="module", params=ENGINES)
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Filled:
    made = Filled(new_database(request, request.param, tmp_path_factory))
    run("migrate", database=made.database)

    async def fill() -> None:
        async with made.store(bound=False) as store:
            for statement in FILL:
                await store.write_shared(statement)
            await store.write_shared("analyze" if request.param == "sqlite" else "vacuum analyze")

    asyncio.run(fill())
    return made


async def plan_of(store: SqlStore, database: str, statement: Statement) -> str:
    sql, parameters = statement
    if database.startswith("sqlite"):
        rows = await store.shared(f"explain query plan {for_sqlite(sql)}", *parameters)
        inner = "USE TEMP B-TREE"  # the last twenty events of a draft are sorted
        return "\n".join(detail for _, parent, _, detail in rows if parent == 0 or not detail.startswith(inner))
    connection: Any = await asyncpg.connect(database)
    try:
        return "\n".join(row[0] for row in await connection.fetch(f"explain {sql}", *parameters))
    finally:
        await connection.close()


BY_TERM = r"Index Only Scan.* using found_\w+_pkey|SEARCH n USING PRIMARY KEY \(account_id=. AND kind=. AND term"
LED: dict[str, tuple[dict[str, Any], str]] = {
    "one customer": (term("customer_id", "C7"), BY_TERM),
    "an external id": (term("external_id", "E7"), BY_TERM),
    "metadata": (term("metadata.channel", "pos"), BY_TERM),
    "a currency": (term("currency", "NOK"), BY_TERM),
    "a rare word": (words("rare19"), BY_TERM),
    "a rare word and a common one": (words("common", "rare19"), BY_TERM),
    "a common word in a customer's": ({**words("common"), **term("customer_id", "C7")}, BY_TERM),
    "an amount": ({"net_from": 70, "net_to": 90}, "by_amount"),
    "a status": ({"statuses": ("deleted",)}, "by_status"),
    "two statuses": ({"statuses": ("closed", "deleted")}, "by_status"),
    "what was written lately": ({"updated_from": COUNT - 10}, "by_time"),
}
WALKED: dict[str, dict[str, Any]] = {
    "no filter": {},
    "since an instant": {"created_from": 5},
    "until an instant": {"updated_to": 50},
    "words that most have": words("common", "rare"),
    "most amounts": {"net_from": 1},
    "two statuses that most have": {"statuses": ("open", "closed")},
    "one of two currencies": term("currency", "NOK", "SEK"),
    "what was written ever": {"updated_from": 1},
}
ORDERS_ALONE = {"a payment status": ({"payment_statuses": ("paid",)}, "by_payment_status")}
LISTED = {"orders": ORDERS, "drafts": DRAFTS}


async def plans(filled: Filled, listed: Listed, query: dict[str, Any]) -> tuple[str, list[str]]:
    """The plans of the page and of the count, and those of the probes."""
    async with filled.store() as store:
        finding = Finding(listed, ACCOUNT, ListQuery(limit=10, **query))
        probes = []
        if finding.probed:
            probes.append(await plan_of(store, filled.database, finding.probe()))
            sql, parameters = finding.probe()
            (counts,) = await store.rows(sql, *parameters)
            assert max(counts) <= (FEW if len(counts) == 1 else MANY) + 1
            finding.choose(counts)
        read = finding.page()
        sql = read.of_sqlite if filled.database.startswith("sqlite") else read.of_postgres(PAGE_BYTES)
        page = await plan_of(store, filled.database, (sql, read.parameters))
        return page, [*probes, await plan_of(store, filled.database, finding.count())]


def no_scan(plan: str) -> None:
    """Nothing reads a table from one end to the other."""
    assert not re.search(
        r"Seq Scan|^SCAN (o|b|d|t|f|e|orders|drafts|facts|found_\w+|\w+_terms|\w+_events)\b", plan, flags=re.MULTILINE
    ), plan


@pytest.mark.parametrize(
    ("name", "case"), [*((name, case) for name in LISTED for case in LED), *(("orders", case) for case in ORDERS_ALONE)]
)
def test_led_by_an_index(filled: Filled, name: str, case: str) -> None:
    query, index = {**LED, **ORDERS_ALONE}[case]
    page, others = asyncio.run(plans(filled, LISTED[name], query))
    assert re.search(index, page), page
    for plan in (page, *others[:-1]):
        no_scan(plan)


@pytest.mark.parametrize("name", LISTED)
@pytest.mark.parametrize("case", WALKED)
def test_walked_from_the_newest(filled: Filled, monkeypatch: pytest.MonkeyPatch, name: str, case: str) -> None:
    monkeypatch.setattr(lists, "MANY", FEW)  # the tables are not as large as that
    page, _ = asyncio.run(plans(filled, LISTED[name], WALKED[case]))
    table = LISTED[name].table
    assert re.search(rf"{table}_pkey|sqlite_autoindex_{table}_1|SEARCH . USING (PRIMARY KEY|INDEX)", page), page
    assert "USE TEMP B-TREE FOR ORDER BY" not in page, page
    no_scan(page)


@pytest.mark.parametrize("name", LISTED)
@pytest.mark.parametrize(
    "both", [words("rare1", "rare2"), {**words("rare1"), "net_to": 1_000}], ids=["words", "a word and amounts"]
)
def test_of_two_conditions_that_many_meet_one_is_read_as_a_whole(filled: Filled, name: str, both: dict[str, Any]) -> None:
    """Rows that meet one are not asked one by one whether they meet the other: perhaps none of thousands does."""
    page, others = asyncio.run(plans(filled, LISTED[name], both))
    for plan in (page, others[-1]):
        assert re.search(r"hashed SubPlan|LIST SUBQUERY", plan), plan
        assert re.search(BY_TERM, plan)
        no_scan(plan)


@pytest.mark.parametrize("filled", ["postgres"], indirect=True)
def test_a_page_is_planned_for_what_it_asks_for(filled: Filled) -> None:
    """After five first pages PostgreSQL would keep a plan that walks from there to a deep one."""

    async def said() -> str:
        async with filled.store() as store:
            ((mode,),) = await store.walk("select current_setting('plan_cache_mode') where $1::text <> ''", ACCOUNT)
            return str(mode)

    assert asyncio.run(said()) == "force_custom_plan"


@pytest.mark.parametrize("name", LISTED)
def test_filters_are_no_joins(filled: Filled, name: str) -> None:
    """PostgreSQL's planner tries joins in every order: what it takes grows with the third power of their number, and worse."""
    many = {
        "terms": tuple((f"metadata.k{number}", ("v",)) for number in range(40)),
        **words("common", *(f"r{n}" for n in range(7))),
    }
    page, others = asyncio.run(plans(filled, LISTED[name], many))
    for plan in (page, *others[1:]):
        assert len(re.findall(r"Nested Loop|Hash Join|Merge Join|Semi Join", plan)) <= 2, plan


@pytest.mark.parametrize("filled", ["postgres"], indirect=True)  # SQLite joins bodies to orders one by one
def test_a_deep_page_reads_no_more_than_its_rows(filled: Filled) -> None:
    listed = ListQuery(limit=10, after=f"i{100_000 + COUNT // 2}")

    async def looked_at() -> int:
        read = Finding(ORDERS, ACCOUNT, listed).page()
        plan = await explained(filled, read.of_postgres(PAGE_BYTES), read.parameters, *AS_OF_A_MILLION)
        return rows_of(plan, "order_bodies")

    assert asyncio.run(looked_at()) <= 100


AS_OF_A_MILLION = ("set enable_nestloop = off", "set enable_hashjoin = off")
"""So that PostgreSQL joins as it does once the tables are large."""


async def explained(filled: Filled, sql: str, parameters: Sequence[object], *settings: str) -> dict[str, Any]:
    """The plan of a statement that was run, with what it looked at."""
    connection: Any = await asyncpg.connect(unbound(filled.database))
    try:
        for one in settings:
            await connection.execute(one)
        ((plan,),) = await connection.fetch(f"explain (analyze, format json) {sql}", *parameters)
    finally:
        await connection.close()
    found: dict[str, Any] = json.loads(plan)[0]["Plan"]
    return found


FACTS = 3_000


@pytest.mark.parametrize("filled", ["postgres"], indirect=True)  # SQLite reads each change's facts by a statement of its own
def test_a_change_reads_no_more_of_a_long_history_than_it_wants(filled: Filled) -> None:
    async def looked_at() -> int:
        async with filled.store(bound=False) as store:
            await store.write_shared(LONG_HISTORY)
            await store.write_shared("vacuum analyze facts")
        wanted = [Wanted(account_id=ACCOUNT, order=f"o{number}", refs=("r17", "r18")) for number in (7, 8)]
        return rows_of(await kept_plan(filled.database, reading(parts_of(wanted)), read_parameters(wanted), run=True), "facts")

    assert asyncio.run(looked_at()) <= 10


def test_so_it_is_where_there_are_many_accounts(cluster: Cluster) -> None:
    """Once PostgreSQL has looked at them all: it would expect one fact of each order."""
    made = Filled(cluster.database())
    run("migrate", database=made.database)

    async def looked_at() -> int:
        async with made.store(bound=False) as store:
            for statement in (*FILL, *MANY_ACCOUNTS, LONG_HISTORY, "vacuum analyze"):
                await store.write_shared(statement)
            told = "select n_distinct from pg_stats where tablename = 'facts' and attname = 'account_id'"
            assert await store.shared(told) == [(1.0,)], "it tells by the account how many facts an order has, else one"
        wanted = [Wanted(account_id=ACCOUNT, order="o7", refs=("r17", "r18"))]
        return rows_of(await kept_plan(made.database, reading(parts_of(wanted)), read_parameters(wanted), run=True), "facts")

    assert asyncio.run(looked_at()) <= 10


def test_what_stands_beside_a_page_of_events_is_found_by_an_index_of_its_own(filled: Filled) -> None:
    async def running() -> str:
        async with filled.store(bound=False) as store:
            return await plan_of(store, unbound(filled.database), (REPORTED, (ACCOUNT, "i100007", END)))

    assert "facts_beside" in asyncio.run(running())


NAMES = {"orders": {"orders_pkey", "orders_account_id_order_id_key"}, "facts": {"facts_by_ref"}, "drafts": {"drafts_pkey"}}
BATCHES = [
    (reading(frozenset(JOINS)), 10),
    (reading(frozenset(JOINS) - {"of_draft"}), 10),
    *(
        (writing(parts, held=held, bound=not held and "draft" in parts), sum(len(SHAPES[part]) for part in parts) + 1)
        for held in (False, True)
        for parts in (
            ("head", "fact", "feed"),
            ("head", "draft", "body", "rewritten", "recorded", "fact", "draft_event", "answer", "tally", "feed"),
            ("head", "body", "recorded", "recorded_gone", "fact", "answer", "tally", "feed"),
        )
    ),
]


@pytest.mark.parametrize("filled", ["postgres"], indirect=True)
@pytest.mark.parametrize("state", ["empty", "large"])
def test_an_index_leads_to_each_row_of_a_batch_however_large_the_tables_were(
    cluster: Cluster, filled: Filled, state: str
) -> None:
    """Its plans are made once and kept, perhaps when there was nothing yet."""
    database = filled.database if state == "large" else cluster.database()
    run("migrate", database=database)
    for sql, number in BATCHES:
        led_by_indexes(asyncio.run(kept_plan(database, sql, [*([[]] * (number - 1)), ""])), exactly=state == "large")


def led_by_indexes(plan: dict[str, Any], *, exactly: bool) -> None:
    found = nodes(plan)
    assert not {"Seq Scan", "Hash Join", "Merge Join"} & {one["Node Type"] for one in found}, plan
    used = [(one["Relation Name"], one["Index Name"]) for one in found if "Index Name" in one and "Relation Name" in one]
    assert "orders" in {table for table, _ in used}
    if exactly:
        assert [one for one in used if one[1] not in NAMES.get(one[0], {one[1]})] == []


def test_what_was_planned_on_empty_tables_is_planned_again(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without statistics too, which PostgreSQL gathers later."""
    monkeypatch.setattr(postgres_plans, "FIRST_SECONDS", 0.0)
    database = cluster.database()
    run("migrate", database=database)

    async def running() -> dict[str, Any]:
        connection: Any = await asyncpg.connect(unbound(database), server_settings=PLANNED_ONCE)
        plans = Plans()
        sql, number = BATCHES[0]
        await plans.renew(connection)
        await connection.execute(f"prepare kept as {sql}")
        given = ", ".join(map(literal, [*([[]] * (number - 1)), ""]))
        explaining = f"explain (format json) execute kept({given})"
        await connection.fetch(explaining)
        for statement in FILL:
            await connection.execute(statement)
        await plans.renew(connection)
        ((plan,),) = await connection.fetch(explaining)
        await connection.close()
        found: dict[str, Any] = json.loads(plan)[0]["Plan"]
        return found

    led_by_indexes(asyncio.run(running()), exactly=True)


async def kept_plan(database: str, sql: str, parameters: Sequence[object], *, run: bool = False) -> dict[str, Any]:
    """The plan of a statement on a connection like those that batches use: the same whatever the parameters are."""
    connection: Any = await asyncpg.connect(database, server_settings=PLANNED_ONCE)
    try:
        await connection.execute(f"prepare kept as {sql}")
        given = ", ".join(map(literal, parameters))
        ((plan,),) = await connection.fetch(f"explain (format json{', analyze' if run else ''}) execute kept({given})")
    finally:
        await connection.close()
    found: dict[str, Any] = json.loads(plan)[0]["Plan"]
    return found


def literal(value: Any) -> str:
    """A text, or an array of what batches hand over."""
    if isinstance(value, str):
        return f"'{value}'"
    return "'{" + ",".join("null" if one is None else str(one) for one in value) + "}'"


LONG_HISTORY = f"""
insert into facts (account_id, id, version, type, at, actor, ref, data, document, event, salt, digest, hash)
select '{ACCOUNT}', 'i100007', n, 'capture', n, 'x', 'r' || n, '{{}}', '{{}}', '{{}}', 'x', 'x', 'x'
from generate_series(2, {FACTS}) n
"""


MANY_ACCOUNTS = (
    """insert into accounts (account_id, name, created_at, terms_version)
        select 'T1' || (1000000 + n), 'x', 0, 1000 from generate_series(1, 200) n""",
    """insert into orders (account_id, id, order_id, version, status, payment_status, currency, gross_amount, net_amount,
        created_at, updated_at, head, hash)
        select a.account_id, a.account_id || n, n, 1, 'open', 'pending', 'NOK', n, n, n, n, '{}', 'x'
        from accounts a, generate_series(1, 100) n where a.name = 'x'""",
    """insert into facts (account_id, id, version, type, at, actor, ref, data, document, event, salt, digest, hash)
        select o.account_id, o.id, n, 'capture', n, 'x', md5(o.id || n) || 'abcd', '{}', '{}', '{}', 'x', 'x', 'x'
        from orders o, generate_series(1, 5) n where o.order_id not like 'o%'""",
)


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """A plan and all that it is made of."""
    return [plan, *(node for one in plan.get("Plans", ()) for node in nodes(one))]


def rows_of(plan: dict[str, Any], table: str) -> int:
    """How many rows of a table a statement looked at, those that it did not want too."""
    looked_at = [one for one in nodes(plan) if one.get("Relation Name") == table]
    return int(sum(one["Actual Loops"] * (one["Actual Rows"] + one.get("Rows Removed by Filter", 0)) for one in looked_at))
