"""Yardsticks: what is measured beside Ordre in the same run, to tell a slow machine from a slow Ordre.

The bare statement changes one row and adds another, durably, as little as any capture has to write; no server stands before it.
"""

import asyncio
import math
import re
import shutil
import sqlite3
import subprocess
import time
from array import array
from contextlib import closing
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from ordre.bench import processes
from ordre.bench.databases import Database
from ordre.bench.failures import BenchFailed
from ordre.bench.measured import Measured

MOST_CONNECTIONS = 16
_ROWS = 1_000
_DATA = "x" * 600
_PREPARE = (
    "drop schema if exists ordre_bench cascade",
    "create schema ordre_bench",
    "create table ordre_bench.heads (id bigint primary key, version bigint not null, head text not null) with (fillfactor = 80)",
    "create table ordre_bench.facts (id bigint, version bigint, data text not null, primary key (id, version))",
    f"insert into ordre_bench.heads select id, 0, '{_DATA}' from generate_series(1, {_ROWS}) id",
)
_STATEMENT = """with head as (update ordre_bench.heads set version = version + 1 where id = {id} returning id, version)
    insert into ordre_bench.facts select id, version, {data} from head"""
_END = "drop schema ordre_bench cascade"


def bare_statement(database: Database, lead: int | None, connections: int, seconds: float, folder: Path) -> tuple[str, Measured]:
    """Run the bare statement for so many seconds; return the name of its runner, and what was measured.

    Raises:
        BenchFailed: It cannot be run.
    """
    if database.file is not None:
        return "sqlite3, one connection", _on_sqlite(folder / "statement.sqlite", seconds)
    pgbench = shutil.which("pgbench")
    asyncio.run(_execute(database.settings.database, *_PREPARE))
    try:
        if pgbench is None:
            return "asyncpg", asyncio.run(_by_asyncpg(database.settings.database, lead, connections, seconds))
        return "pgbench", _by_pgbench(pgbench, database.settings.database, lead, connections, max(round(seconds), 1), folder)
    finally:
        asyncio.run(_execute(database.settings.database, _END))


def _on_sqlite(file: Path, seconds: float) -> Measured:
    """Run it in this process, on one connection: SQLite has one writer."""
    times = array("d")
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        run = connection.execute
        run("pragma journal_mode = wal")
        run("pragma synchronous = full")
        run("drop table if exists heads")
        run("drop table if exists added")
        run("create table heads (id integer primary key, version bigint, head text)")
        run("create table added (id bigint, version bigint, data text, primary key (id, version)) without rowid")
        connection.executemany("insert into heads values (?, 0, ?)", [(id_, _DATA) for id_ in range(_ROWS)])
        started, cpu = time.monotonic(), time.process_time()
        end = began = started
        end += seconds
        while began < end:
            id_ = len(times) * 7 % _ROWS
            run("begin immediate")
            ((version,),) = run("update heads set version = version + 1 where id = ? returning version", (id_,)).fetchall()
            run("insert into added values (?, ?, ?)", (id_, version, _DATA))
            run("commit")
            now = time.monotonic()
            times.append(now - began)
            began = now
        cpu = time.process_time() - cpu
    return Measured(seconds=began - started, times={"": times}, server_cpu=cpu)


async def _execute(url: str, *statements: str) -> None:
    import asyncpg  # noqa: PLC0415 - where the database is SQLite, its driver is not loaded

    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _by_asyncpg(url: str, lead: int | None, connections: int, seconds: float) -> Measured:
    import asyncpg  # noqa: PLC0415 - as above

    statement, times = _STATEMENT.format(id="$1", data="$2"), array("d")
    async with asyncpg.create_pool(url, min_size=connections, max_size=connections) as pool:
        before, cpu = processes.taken(None, lead), time.process_time()
        end = before.at + seconds

        async def one(place: int) -> None:
            async with pool.acquire() as connection:
                prepared = await connection.prepare(statement)
                began = time.monotonic()
                while began < end:
                    place = (place * 31 + 7) % _ROWS
                    await prepared.fetch(place + 1, _DATA)
                    now = time.monotonic()
                    times.append(now - began)
                    began = now

        await asyncio.gather(*(one(place) for place in range(connections)))
        after = processes.taken(None, lead)
    return Measured(
        seconds=after.at - before.at,
        times={"": times},
        database_cpu=processes.between(before.database, after.database),
        machine_cpu=processes.between(before.machine, after.machine),
        generator_cpu=time.process_time() - cpu,
    )


def _by_pgbench(program: str, url: str, lead: int | None, connections: int, seconds: int, folder: Path) -> Measured:
    script, log = folder / "statement.sql", folder / "pgbench"
    sql = _STATEMENT.format(id=":id", data=f"'{_DATA}'")
    script.write_text(f"\\set id random(1, {_ROWS})\n{sql};\n")
    for old in folder.glob("pgbench.*"):
        old.unlink()
    command = [program, "-n", "-M", "prepared", "-c", f"{connections}", "-T", f"{seconds}", "-f", f"{script}", "-l"]
    before, cpu = processes.taken(None, lead), getrusage(RUSAGE_CHILDREN)
    done = subprocess.run(  # noqa: S603 - pgbench, on a database that is named
        [*command, f"--log-prefix={log}", url], capture_output=True, text=True, check=False, cwd=folder
    )
    after, cpu_after = processes.taken(None, lead), getrusage(RUSAGE_CHILDREN)
    rate = re.search(r"tps = ([\d.]+)", done.stdout)
    if done.returncode or rate is None:
        raise BenchFailed(f"pgbench failed: {done.stderr.strip()}")
    microseconds = [float(line.split()[2]) for file in folder.glob("pgbench.*") for line in file.read_text().splitlines()]
    times = array("d", [one / 1e6 for one in microseconds])
    return Measured(
        seconds=len(times) / float(rate[1]) if times else math.nan,
        times={"": times},
        database_cpu=processes.between(before.database, after.database),
        machine_cpu=processes.between(before.machine, after.machine),
        generator_cpu=cpu_after.ru_utime + cpu_after.ru_stime - cpu.ru_utime - cpu.ru_stime,
    )
