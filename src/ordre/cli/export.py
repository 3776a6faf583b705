"""`ordre export`."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack, aclosing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, BinaryIO
from urllib.parse import urlencode

from cyclopts import Parameter
from starlette.requests import Request

from ordre.api.http.requests import Queries
from ordre.api.wire.columns import Rows
from ordre.api.wire.exports import Csv, Form, Making, making
from ordre.api.wire.queries import MOST_EXPORTED, OrderExportOf, list_query
from ordre.application import accounts
from ordre.application.lists import ListQuery
from ordre.application.store import Access, Store
from ordre.application.views import View
from ordre.cli.exported import Exported, cut_off, last_of_csv, last_of_ndjson
from ordre.cli.notices import console, progress
from ordre.cli.options import Database, Json, Switch, with_store
from ordre.cli.output import counted, print_fields
from ordre.domain.refusals import Refused
from ordre.settings import BadSetting

_STANDARD = "-"
_CHUNK_BYTES = 1024 * 1024
_QUERIES = Queries(OrderExportOf)


def export(
    *,
    account: str,
    output: Annotated[str, Parameter(allow_leading_hyphen=True)],
    form: Annotated[Form, Parameter(name="--format")] = "ndjson",
    rows: Rows = "orders",
    include_events: Switch = False,
    where: Annotated[list[str] | None, Parameter(negative="")] = None,
    resume: Switch = False,
    database: Database = None,
    json: Json = False,
) -> None:
    """Write an account's orders to a file, oldest first, as they are at one instant, while servers go on.

    Lines of JSON are orders as the API answers them, which `ordre import` reads. In a table each amount stands in minor units and
    as a decimal. The file is readable by its owner alone. Erased orders are left out, as lists leave them out.

    Args:
        account: The account, such as T12345678.
        output: The file, which must be new; - writes to standard output.
        form: ndjson, csv or parquet; the last needs pyarrow: install ordre[parquet].
        rows: What a row of a table is: an order, or a line of one.
        include_events: Write each order with all of its events, so that an import gives it its whole history.
        where: A filter of the API's list, such as status=open or created_at.gte=2026-01-01T00:00:00Z; repeat it for several.
        resume: Go on with a file that was cut off: after its last whole order, with the orders as they are now. Its name, the
            format and the filters are those of before.
    """
    asked = _asked(form, rows, where or [])
    if include_events and form != "ndjson":
        raise BadSetting("--include-events goes with --format ndjson")
    if form == "ndjson" and rows != "orders":
        raise BadSetting("--rows goes with --format csv or parquet")
    done = _found(output, asked, resume=resume)
    query = replace(list_query(asked), after=done.last)

    async def work(store: Store) -> int:
        await accounts.known_account(store, account)
        names = {one.client_id: one.name for one in await store.clients(account)} if include_events else {}
        made = Csv(rows, go_on=True) if form == "csv" and done.size else making(form, rows, account, names)
        with ExitStack() as opened:
            file = opened.enter_context(_opened(output, done, resume=resume))
            return await _written(store, account, query, made, file, events=include_events, quiet=json or output == _STANDARD)

    orders = with_store(database, work, Access.READ)
    if output == _STANDARD:
        console().print(f"exported {counted(orders, 'order')}", highlight=False)
    else:
        print_fields({"file": output, "orders": orders, "bytes": Path(output).stat().st_size}, json=json)


def _asked(form: Form, rows: Rows, where: Sequence[str]) -> OrderExportOf:
    """Return the filters, read as the API reads them."""
    pairs = [one.partition("=") for one in where]
    for name, equals, _ in pairs:
        if not equals or name in ("format", "rows", "include_events", "starting_after", "total"):
            raise BadSetting(f"--where {name}: name a filter of the API's list and its value, such as status=open")
    query = urlencode([(name, value) for name, _, value in pairs])
    try:
        asked = _QUERIES.decode(Request({"type": "http", "query_string": query.encode(), "headers": []}))
    except Refused as refused:
        raise BadSetting("; ".join(f"--where {one.path}: {one.message}" for one in refused.refusals)) from refused
    return OrderExportOf(**{**{name: getattr(asked, name) for name in asked.__struct_fields__}, "format": form, "rows": rows})


def _found(output: str, asked: OrderExportOf, *, resume: bool) -> Exported:
    """Return the contents of a file that is to be gone on with."""
    if not resume:
        if output != _STANDARD and Path(output).exists():
            raise BadSetting(f"{output} already exists, and is never overwritten: name another file, or add --resume")
        return Exported(size=0, last=None)
    if output == _STANDARD or asked.format == "parquet":
        raise BadSetting("--resume goes on with a file of ndjson or csv: a Parquet file that was cut off cannot be gone on with")
    if asked.limit != MOST_EXPORTED:
        raise BadSetting("--resume does not go with --where limit=...: name another file")
    path = Path(output)
    if not path.exists():
        return Exported(size=0, last=None)
    return last_of_ndjson(path) if asked.format == "ndjson" else last_of_csv(path, asked.rows)


def _opened(output: str, done: Exported, *, resume: bool) -> BinaryIO:
    """Return the file, cut off behind what it holds of use."""
    if output == _STANDARD:
        return os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    if resume and Path(output).exists():
        return cut_off(Path(output), done.size)
    return os.fdopen(os.open(output, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")


async def _written(
    store: Store, account: str, query: ListQuery, made: Making, file: BinaryIO, *, events: bool, quiet: bool
) -> int:
    """Write the orders, while the next are read; return how many."""
    orders, total = 0, await _total(store, account, query)

    def write(views: Sequence[View]) -> None:
        file.write(made.part(views))

    with progress(quiet=quiet) as shown:
        task = shown.add_task("Exporting", total=total)
        async with aclosing(_ahead(store.export(account, query, events=events, most_bytes=_CHUNK_BYTES))) as chunks:
            async for views in chunks:
                await asyncio.to_thread(partial(write, views))
                orders += len(views)
                shown.update(task, completed=orders)
        file.write(made.end())
        file.flush()
    return orders


async def _total(store: Store, account: str, query: ListQuery) -> int | None:
    """Return how many orders there are, where all are wanted."""
    everything = query == ListQuery(limit=MOST_EXPORTED)
    return await store.count_orders(account) if everything else None


async def _ahead(chunks: AsyncGenerator[Sequence[View], None]) -> AsyncGenerator[Sequence[View], None]:
    """Yield the same, and read the next chunk meanwhile."""

    async def following() -> Sequence[View] | None:
        return await anext(chunks, None)

    async with aclosing(chunks):
        reading = asyncio.create_task(following())
        try:
            while (found := await reading) is not None:
                reading = asyncio.create_task(following())
                yield found
        finally:
            reading.cancel()
            await asyncio.wait([reading])
