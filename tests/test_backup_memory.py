"""A backup and a restore need no more memory for many orders than for few."""

import asyncio
import os
import subprocess
from pathlib import Path

import asyncpg
import pytest
from many_orders import COUNT, FILL

from commands import run
from database import ENGINES, new_database, sql
from ordre.db.queries import for_sqlite
from service import ORDRE
from throwaway import unbound

pytestmark = [pytest.mark.slow, pytest.mark.long]

FEW, MANY = 200, 6_000
MOST_MORE = 12 * 1024
"""Kilobytes. Held in memory, the rows of the many alone would be several times that."""


def filled(database: str, orders: int) -> None:
    """Fill a database with as many orders and drafts, by SQL: none of them has facts that fold, which a backup does not mind."""
    run("migrate", database=database)
    statements = [statement.replace(str(COUNT), str(orders)) for statement in FILL]
    if database.startswith("sqlite"):
        for statement in statements:
            sql(database, for_sqlite(statement))
        return

    async def running() -> None:
        connection = await asyncpg.connect(unbound(database))
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(running())


def kilobytes(*arguments: str) -> int:
    """Run the command; return the most memory that it had."""
    process = subprocess.Popen([ORDRE, *arguments], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return used.ru_maxrss


@pytest.mark.parametrize("engine", ENGINES)
def test_the_same_memory_for_any_number(
    engine: str,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
) -> None:
    used: list[tuple[int, int]] = []
    for orders in (FEW, MANY):
        source, target = (new_database(request, engine, tmp_path_factory) for _ in range(2))
        filled(source, orders)
        file = str(tmp_path / f"{orders}.backup")
        saving = kilobytes("backup", file, "--without-keys", "--database", source)
        used.append((saving, kilobytes("restore", file, "--allow-differences", "--database", target)))
        assert sql(target, "select count(*) from orders") == [(orders,)]
    for few, many in zip(*used, strict=True):
        assert many - few < MOST_MORE
