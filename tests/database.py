"""The databases of the tests: new ones, and what somebody does to one behind Ordre's back."""

import asyncio
import sqlite3
from typing import Any

import asyncpg
import pytest

from throwaway import Cluster, unbound

ENGINES = ("sqlite", "postgres")


def new_database(request: pytest.FixtureRequest, engine: str, folders: pytest.TempPathFactory) -> str:
    """Make a database that stands empty, on the cluster of all tests where it is one of PostgreSQL."""
    if engine == "sqlite":
        return f"sqlite:///{folders.mktemp('sqlite') / 'ordre.sqlite'}"
    cluster: Cluster = request.getfixturevalue("cluster")
    return cluster.database()


def sql(database: str, statement: str, *values: object) -> list[Any]:
    """Run a statement as an intruder would."""
    if database.startswith("sqlite"):
        with sqlite3.connect(database.removeprefix("sqlite:///")) as connection:
            named = {str(number): value for number, value in enumerate(values, 1)}
            found = connection.execute(statement, named).fetchall()
        connection.close()
        return found

    async def running() -> list[Any]:
        connection = await asyncpg.connect(unbound(database))
        try:
            return [tuple(row) for row in await connection.fetch(statement, *values)]
        finally:
            await connection.close()

    return asyncio.run(running())
