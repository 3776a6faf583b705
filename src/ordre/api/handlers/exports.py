"""The handler of exports."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from functools import partial

from ordre.api.handlers.orders import page_headers
from ordre.api.http.context import Context, Reply
from ordre.api.wire.exports import MEDIA, Making, NoParquet, making
from ordre.api.wire.queries import NoBody, OrderExportOf, list_query
from ordre.application.aside import LARGE, aside
from ordre.application.lists import ListQuery
from ordre.domain.refusals import InvalidValue, Refused

CHUNK_BYTES = 128 * 1024
"""Of rows that are read and made at once: what is large is shared out, so that nobody waits for it."""


async def export(context: Context, _: NoBody, asked: OrderExportOf) -> Reply:
    """All of the account's orders that meet the filters, oldest first, as they are at one instant.

    They are sent as they are read, so an answer that breaks off is not whole: go on with `starting_after`. Lines of JSON are
    orders as they are read one by one; with `include_events` each has all of its events. In a table each amount stands in minor
    units and as a decimal. A server makes few exports at once, and of an account one.
    """
    _check(asked)
    query, events = list_query(asked), bool(asked.include_events)
    names = await context.names() if events else {}
    try:
        made = making(asked.format, asked.rows, context.account_id, names)
    except NoParquet as error:
        raise Refused(InvalidValue(path="format", reason=str(error))) from error
    headers = {"content-disposition": f'attachment; filename="orders-{context.account_id}.{asked.format}"'}
    if asked.total:
        page = await context.store.orders(context.account_id, replace(query, limit=1, after=None))
        headers |= page_headers(context, more=False, total=page.total, last=None)
    parts = _parts(context, query, made, events=events)
    first = await anext(parts)  # whatever is refused is refused by now
    return Reply(body=parts, first=first, media=MEDIA[asked.format], headers=headers)


def _check(asked: OrderExportOf) -> None:
    if asked.format != "ndjson" and asked.include_events:
        raise Refused(InvalidValue(path="include_events", reason="Goes with the format ndjson alone"))
    if asked.format == "ndjson" and asked.rows != "orders":
        raise Refused(InvalidValue(path="rows", reason="Goes with the formats csv and parquet alone"))
    if named := set(asked.include_events) - {"true", "false"}:
        raise Refused(InvalidValue(path="include_events", reason=f"Must be true or false, is {min(named)}: events go whole"))


async def _parts(context: Context, query: ListQuery, made: Making, *, events: bool) -> AsyncGenerator[bytes, None]:
    """Yield the export part by part, and have a place among the exports meanwhile."""
    with context.exports.of(context.account_id):
        chunks = context.store.export(context.account_id, query, events=events, most_bytes=CHUNK_BYTES)
        async with aclosing(chunks):
            async for views in chunks:
                yield await aside(LARGE, partial(made.part, views))
        yield await aside(LARGE, made.end)
