"""A small database that has something of everything, and what an intruder does to it: each column, each row, each table."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from commands import run
from ordre.application import accounts
from ordre.auth.secrets import digest_of
from ordre.auth.tokens import rotate_keys
from ordre.bootstrap import opened
from ordre.db.layout import Table, layout
from ordre.db.schema import migrations
from ordre.settings import Settings
from receivers import QUICK, receiving, wait_for
from service import item, operation, serving

ACCOUNT = "T00000007"
OTHER = "T00000008"
UNIQUE = ("order_id", "ref")
"""Columns beside the key of which no two rows may have the same value."""
HISTORY = Table(
    name="schema_migrations",
    columns={"number": "bigint", "name": "text", "digest": "text", "applied_at": "bigint", "compatible_with": "bigint"},
    key=("number",),
)


_OTHER = {"bigint": "{} + 700", "text": "{} || 'x'", "blob": "substr({}, 2)"}
_NOTHING = {"bigint": "0", "text": "''", "blob": "''"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tamper:
    """What is done: a statement, and which column of which table it is about, or ``gone``, ``all gone``, ``added``."""

    table: str
    what: str
    statement: str


def fill(database: str) -> None:
    """Make orders that are paid, erased, and without a comment that they had; drafts in every state; clients, keys, answers."""
    run("migrate", database=database)
    with (
        serving(database, ORDRE_TIDY_SECONDS="0", **QUICK) as service,
        service.shop(account_id=ACCOUNT) as shop,
        receiving() as receiver,
    ):
        shop.subscribe(receiver.url)
        order = shop.post("/orders", {"currency": "NOK", "items": [item(1, 60)]}, headers={"Idempotency-Key": "placed"})
        path = f"/orders/{order['id']}"
        shop.post(
            f"{path}/authorizations",
            operation((1, 60), payment_details={"payment_id": "P"}),
            headers={"Idempotency-Key": "authorized"},
        )
        comment = shop.post(f"{path}/comments", {"body": "Ring twice"}, headers={"Idempotency-Key": "said"})
        shop.delete(f"{path}/comments/{comment['id']}")
        shop.order(7, customer={"id": "C1", "email": "kari@example.com"}, order_number="N-1")
        shop.delete(f"/orders/{shop.order(8)['id']}")
        for what in ("open", "completed", "deleted", "erased", "completed, too"):
            options = {"serial_order_number_suffix": "-A"}
            sketch = {"currency": "NOK", "items": [item(1, 20)]}
            draft = shop.post("/draft_orders", {"options": options, "order": sketch}, headers={"Idempotency-Key": what})
            place = f"/draft_orders/{draft['id']}"
            shop.put(place, {"options": options, "order": {**sketch, "comment": f"This is {what}"}})
            if what.startswith("completed"):
                shop.put(f"{place}/complete")
            if what == "deleted":
                shop.delete(place)
        wait_for(lambda: len(receiver.all) > 1)
        run("erase", ACCOUNT, "--text", "This is erased", "--yes", database=database)
    asyncio.run(_administer(database))


async def _administer(database: str) -> None:
    async with opened(Settings(database=database)) as store:
        await accounts.create_account(store, OTHER, "Other", 1)
        made = await accounts.create_client(store, OTHER, "Till", ["admin:shopping"], digest_of("x"), 1)
        await accounts.rotate_secret(store, OTHER, made.client_id, digest_of("y"), 2**45)
        await accounts.set_client_disabled(store, OTHER, made.client_id, 5)
        await rotate_keys(store, 2)


@cache
def tables() -> tuple[Table, ...]:
    return (*layout(max(step.number for step in migrations("sqlite"))), HISTORY)


def tampers(table: Table) -> Iterator[Tamper]:
    """Yield every tamper of one row, the first by its key, and of all of them."""
    key, last = table.key, table.key[-1]
    first = f"({', '.join(key)}) = (select {', '.join(key)} from {table.name} order by {', '.join(key)} limit 1)"
    for column, type_ in table.columns.items():
        other = _OTHER[type_].format(f"coalesce({column}, {_NOTHING[type_]})")
        statement = f"update {table.name} set {column} = {other} where {first}"
        yield Tamper(table=table.name, what=column, statement=statement)
    yield Tamper(table=table.name, what="gone", statement=f"delete from {table.name} where {first}")
    yield Tamper(table=table.name, what="all gone", statement=f"delete from {table.name}")
    if key == ("account_id",) and table.name != "accounts":
        return  # there is a row an account, and no other account
    copied = []
    for column, type_ in table.columns.items():
        other = _OTHER[type_].format(column)
        copied.append(other if column in (last, *UNIQUE) else column)
    copy = f"select {', '.join(copied)} from {table.name} where {first}"
    yield Tamper(table=table.name, what="added", statement=f"insert into {table.name} ({', '.join(table.columns)}) {copy}")
