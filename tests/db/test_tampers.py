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
from ordre.db.verify import Difference
from ordre.settings import Settings
from throwaway import OWNER, unbound

pytestmark = pytest.mark.slow

UNSEEN = {
    ("accounts", "next_serial"): "numbers may have gaps, and are drawn without an act",
    ("accounts", "terms_version"): "whoever migrates reads the terms of an earlier version again; the terms themselves are bound",
    ("clients", "last_used_on"): "every token changes it",
    ("schema_migrations", "applied_at"): "a server tries by it whether the database takes writes again",
}
BOUND = ("accounts", "clients", "signing_keys", "acts", "schema_migrations", "facts")
TAMPERS = [one for table in tables() if table.name in BOUND for one in tampers(table)]
Verified = Callable[[str], list[Difference]]


@pytest.fixture(scope="module", params=ENGINES)
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    database = new_database(request, request.param, tmp_path_factory)
    fill(database)
    return database


@pytest.fixture
def verified(filled: str, tmp_path: Path) -> Verified:
    """Does something behind Ordre's back and verifies, in a copy of the database or a transaction that is taken back."""

    def copied(statement: str) -> list[Difference]:
        copy = f"sqlite:///{shutil.copy(filled.removeprefix('sqlite:///'), tmp_path)}"
        sql(copy, statement)
        return asyncio.run(_found(copy))

    def taken_back(statement: str) -> list[Difference]:
        return asyncio.run(_found(unbound(filled), statement))

    return copied if filled.startswith("sqlite") else taken_back


async def _found(database: str, statement: str = "") -> list[Difference]:
    async with bootstrap.transaction(Settings(database=database), read_only=not statement) as opened:
        if not statement:
            return (await audit.verified(opened, None)).differences
        await opened.execute("set local session_replication_role = replica")
        await opened.execute("savepoint before")
        await opened.execute(statement)
        await opened.execute(f"set local role {OWNER}")
        found = (await audit.verified(opened, None)).differences
        await opened.execute("rollback to before")
        return found


def test_what_nobody_touched_differs_in_nothing(verified: Verified) -> None:
    assert verified("select 1") == []


@pytest.mark.parametrize("table", tables(), ids=lambda table: table.name)
def test_there_is_something_to_tamper_with(filled: str, table: Table) -> None:
    assert sql(filled, f"select count(*) from {table.name}")[0][0] > 1


@pytest.mark.parametrize("tamper", TAMPERS, ids=lambda one: f"{one.table} {one.what}")
def test_a_tamper_is_named(verified: Verified, tamper: Tamper) -> None:
    found = verified(tamper.statement)
    if (tamper.table, tamper.what) in UNSEEN:
        assert found == []
    else:
        assert found, "nothing was named"
        assert all(one.reason for one in found)
