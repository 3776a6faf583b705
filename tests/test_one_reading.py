"""A verification, and a look of a witness, read what belongs to no single account once, however many accounts there are."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from database import sql
from ordre import audit, witness
from ordre.application import accounts
from ordre.auth.tokens import rotate_keys
from ordre.bootstrap import make_store
from ordre.db.administration import ACTS
from ordre.db.postgres_transaction import PostgresTransaction
from ordre.db.sqlite_transaction import SqliteTransaction
from ordre.kept import State
from ordre.settings import Settings

NOW = 1_700_000_000_000
MANY = 12


def filled(database: str) -> Settings:
    """Make accounts that were never looked at."""

    async def running() -> None:
        store = make_store(settings)
        await store.migrate()
        await store.open()
        await rotate_keys(store, NOW)
        for number in range(MANY):
            await accounts.create_account(store, f"T{number:08d}", "Shop", NOW)
            await accounts.create_client(store, f"T{number:08d}", "Client", ("admin:shopping",), "digest", NOW)
        await store.close()

    settings = Settings(database=database)
    asyncio.run(running())
    return settings


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often a transaction was asked each statement that is about no single account."""
    counted: Counter[str] = Counter()
    for kind in (SqliteTransaction, PostgresTransaction):

        async def shared(
            self: object, sql: str, *parameters: object, real: Callable[..., Awaitable[object]] = kind.shared
        ) -> object:
            if not parameters:
                counted[sql] += 1
            return await real(self, sql, *parameters)

        monkeypatch.setattr(kind, "shared", shared)
    return counted


def searches(readings: Counter[str]) -> Counter[str]:
    """Those of them that look for rows of accounts that are not there."""
    return Counter({sql: times for sql, times in readings.items() if "account_id not in (select account_id" in sql})


def test_a_first_look_reads_the_log_and_looks_for_strangers_once(own_database: str, readings: Counter[str]) -> None:
    settings = filled(own_database)
    first = asyncio.run(witness.look(settings, None, {}, NOW))
    assert (len(first.roots), first.differences) == (MANY, [])
    assert readings[ACTS] == 1
    assert len(searches(readings)) > 1
    assert set(readings.values()) == {1}, readings.most_common(3)

    readings.clear()
    before = {root.account_id: State() for root in first.roots}
    for root in first.roots:
        before[root.account_id].go_on(root)
    assert len(asyncio.run(witness.look(settings, None, before, NOW)).roots) == MANY
    assert readings[ACTS] == 1
    assert searches(readings) == {}, "as before: only a first root is over everything"


def test_a_verification_reads_the_log_and_looks_for_strangers_once(own_database: str, readings: Counter[str]) -> None:
    settings = filled(own_database)
    for account_id, wishes in ((None, audit.Wishes()), ("T00000003", audit.Wishes(root=True, at=NOW))):
        readings.clear()
        report = audit.verify(settings, account_id, 1, lambda *_: None, wishes)
        assert report.differences == []
        assert readings[ACTS] == 1
        assert len(searches(readings)) > 1
        assert set(searches(readings).values()) == {1}


def test_rows_of_no_account_keep_every_first_root_back_and_are_named_once(tmp_path: Path) -> None:
    settings = filled(f"sqlite:///{tmp_path}/o.sqlite")
    row = "insert into tallies (account_id, id, kind, count, sum) values ('T99999999', 'x', 'facts', 0, '0')"
    sql(settings.database, row)
    found = asyncio.run(witness.look(settings, None, {}, NOW))
    assert found.roots == []
    assert [(one.account_id, one.about) for one in found.differences] == [("T99999999", "rows of tallies")]
