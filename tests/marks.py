"""Personal values of which each stands nowhere else, orders full of them, and looking for them in all that a database keeps."""

import asyncio
import json
import random
import re
import string
from importlib.resources import files
from pathlib import Path
from typing import Any

import asyncpg

from database import sql
from ordre.db.packing import unpacked
from service import Shop, operation
from throwaway import Cluster, unbound

EVERYTHING = json.loads((files("ordre.conformance") / "every_field.json").read_text(encoding="utf-8"))
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
        return b"".join(one.read_bytes() for one in path.parent.glob(f"{path.name}*")) + unpacked_in(database)

    async def rows() -> bytes:
        connection = await asyncpg.connect(unbound(database))
        try:
            await connection.execute("analyze")
            tables = await connection.fetch("select oid::regclass::text from pg_class where relkind in ('r', 'm')")
            found = [await connection.fetch(f"select t::text from {name} t") for (name,) in tables]
        finally:
            await connection.close()
        return "\n".join(row[0] for rows in found for row in rows).encode()

    return asyncio.run(rows()) + unpacked_in(database)


def unpacked_in(database: str) -> bytes:
    """What is packed in a database, as it is unpacked."""
    tables = ("facts", "order_bodies")
    found = [row for one in tables for row in sql(database, f"select packed, size from {one} where packed is not null")]
    return "".join(text for row in found for text in unpacked(*row) or ()).encode()


def files_of(cluster: Cluster, database: str) -> bytes:
    """Every file of a PostgreSQL database and of its server but for the write-ahead log, once all is written to them."""
    sql(database, "checkpoint")
    ((oid,),) = sql(database, "select oid::text from pg_database where datname = current_database()")
    beside = [one for one in cluster.data.iterdir() if one.name not in ("base", "pg_wal")]
    found = [one for folder in (cluster.data / "base" / oid, *beside) for one in (folder, *folder.rglob("*"))]
    return b"".join(one.read_bytes() for one in found if one.is_file())


def live(shop: Shop, marks: Marks, **more: Any) -> tuple[str, str]:
    """An order with every field, changed and paid and commented on; return its id and its customer's e-mail address."""
    shop.http.event_hooks = {}  # what is answered is not the point here, and checking it takes longer than answering it
    email = f"{marks.new()}@example.com"
    described = marks.put(EVERYTHING) | {"order_id": f"o-{id(marks)}-{len(marks.all)}", **more}
    described["customer"] |= {"email": email, "id": marks.new()}
    keys = (f"key-{id(marks)}-{len(marks.all)}-{n}" for n in range(100))
    draft = {name: value for name, value in described.items() if name != "multiple_authorizations"}
    drafted = shop.post("/draft_orders", {"order": draft}, headers={"Idempotency-Key": next(keys)})
    note = {"order": {"comment": marks.new()}}
    shop.put(f"/draft_orders/{drafted['id']}", note, headers={"Idempotency-Key": next(keys)})
    completed = shop.put(f"/draft_orders/{drafted['id']}/complete", headers={"Idempotency-Key": next(keys)})
    (made,) = completed["orders"]
    path = f"/orders/{made['id']}"
    session = {
        "profile_id": marks.new(),
        "url": {"return_url": f"https://example.com/{marks.new()}"},
        "items": [{"line_id": "1"}],
    }
    shop.post(f"{path}/sessions", session, headers={"Idempotency-Key": next(keys)})
    whole = operation(*((line["line_id"], line["net_amount"]) for line in made["items"]))
    for kind in ("authorizations", "captures", "refunds"):
        personal = {"payment_details": {"payment_id": marks.new()}, "metadata": {"note": marks.new()}, "id": marks.new()}
        for _ in range(2):  # the second is answered with the first, and changes nothing
            shop.post(f"{path}/{kind}", {**whole, **personal}, headers={"Idempotency-Key": next(keys)})
    shop.post(f"{path}/comments", {"body": marks.new()}, headers={"Idempotency-Key": next(keys)})
    comment = shop.post(f"{path}/comments", {"body": "taken away with the comment"}, headers={"Idempotency-Key": next(keys)})
    shop.delete(f"{path}/comments/{comment['id']}", headers={"Idempotency-Key": next(keys)})
    reported = {"service": marks.new(), "service_status": marks.new(), "description": marks.new()}
    shop.post(f"{path}/events", reported, headers={"Idempotency-Key": next(keys)})
    moved = {
        "customer": {"email": f"{marks.new()}@example.com", "last_name": marks.new()},
        "metadata": {marks.new(): marks.new()},
    }
    shop.put(path, moved, headers={"Idempotency-Key": next(keys)})
    amending = {"currency": "NOK", "comment": marks.new()}
    waiting = {"options": {"order_id": made["order_id"]}, "order": amending}
    shop.post("/draft_orders", waiting, headers={"Idempotency-Key": next(keys)})
    shop.refused("PUT", path, {"customer": {"email": marks.refused()}})
    return made["id"], email
