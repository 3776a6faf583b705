"""Personal values of which each stands nowhere else, and looking for them in everything that a database keeps."""

import asyncio
import random
import re
import string
from pathlib import Path
from typing import Any

import asyncpg

from database import sql
from throwaway import Cluster, unbound

KEPT = ("order_id", "order_number", "external_ids")
MARKED = re.compile(r"^[A-Za-z][A-Za-z \-.]{3,}$")
FIXED = {"country", "type", "discount_type", "currency", "status", "nationality", "from_currency", "to_currency"}


class Marks:
    """Makes personal values of which each stands nowhere else, and looks for them."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self._refused: list[str] = []
        self._own = "".join(random.choices(string.ascii_uppercase, k=6))

    def new(self) -> str:
        self.all.append(f"{self._own}{len(self.all):05d}")
        return self.all[-1]

    def refused(self) -> str:
        """Make one that is to be written nowhere from the beginning."""
        self._refused.append(self._own + "R")
        return self._refused[-1]

    def put(self, value: Any) -> Any:
        """Replace texts that may be anything, wherever they stand."""
        if isinstance(value, dict):
            return {name: one if name in KEPT or name in FIXED else self.put(one) for name, one in value.items()}
        if isinstance(value, list):
            return [self.put(one) for one in value]
        return self.new() if isinstance(value, str) and MARKED.match(value) else value

    def found(self, text: bytes) -> set[str]:
        """Find those that stand in it, in whatever case."""
        lower = text.lower()
        return {mark for mark in (*self.all, *self._refused) if mark.lower().encode() in lower}


def everything_in(database: str) -> bytes:
    """The files of an SQLite database, its log with them; of PostgreSQL every row of every table and every catalog."""
    if database.startswith("sqlite"):
        path = Path(database.removeprefix("sqlite:///"))
        return b"".join(one.read_bytes() for one in path.parent.glob(f"{path.name}*"))

    async def rows() -> bytes:
        connection = await asyncpg.connect(unbound(database))
        try:
            await connection.execute("analyze")
            tables = await connection.fetch("select oid::regclass::text from pg_class where relkind in ('r', 'm')")
            found = [await connection.fetch(f"select t::text from {name} t") for (name,) in tables]
        finally:
            await connection.close()
        return "\n".join(row[0] for rows in found for row in rows).encode()

    return asyncio.run(rows())


def files_of(cluster: Cluster, database: str) -> bytes:
    """Every file of a PostgreSQL database and of its server but for the write-ahead log, once all is written to them."""
    sql(database, "checkpoint")
    ((oid,),) = sql(database, "select oid::text from pg_database where datname = current_database()")
    beside = [one for one in cluster.data.iterdir() if one.name not in ("base", "pg_wal")]
    found = [one for folder in (cluster.data / "base" / oid, *beside) for one in (folder, *folder.rglob("*"))]
    return b"".join(one.read_bytes() for one in found if one.is_file())
