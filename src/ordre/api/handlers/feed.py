"""The handler of the feed."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from ordre.api.http.answers import pieces
from ordre.api.http.context import Context, Reply
from ordre.api.wire.answers import order_json
from ordre.api.wire.common import given
from ordre.api.wire.feed import FeedOf, entry_json
from ordre.api.wire.queries import NoBody
from ordre.application.aside import aside
from ordre.application.feed import DRAFT_KINDS, FeedEntry, FeedPage, FeedQuery
from ordre.application.lists import PAGE_BYTES
from ordre.domain.order.facts import Erased
from ordre.domain.refusals import Refused


async def read(context: Context, _: NoBody, asked: FeedOf) -> Reply:
    """The account's changes in the order in which they were committed, each at its position, without gaps.

    A reader keeps one number, the `position` that was answered last, and misses nothing, whichever server it asks.
    """
    query = asked.query()
    page = await context.store.feed(context.account_id, query)
    if not page.entries and asked.wait:
        page = await _awaited(context, query, page, asked.wait)
    entries = await entries_json(context, page.entries, whole=given(asked.include) == "order")
    position = page.position if len(entries) == len(page.entries) else page.entries[len(entries) - 1].position
    parts = [b'{"entries":[', *_between(entries), b'],"position":%d,"end":%d}' % (position, page.end)]
    return Reply(body=pieces(parts))


async def _awaited(context: Context, query: FeedQuery, page: FeedPage, seconds: float) -> FeedPage:
    """Wait until there is an entry that is asked for, at most so long."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while not page.entries:
        with context.waiting():
            moved = await context.store.feed_moved(context.account_id, page.position, until - loop.time())
        if not moved:
            break
        page = await context.store.feed(context.account_id, replace(query, after=page.position))
    return page


async def entries_json(context: Context, entries: Sequence[FeedEntry], *, whole: bool) -> list[bytes]:
    """Return entries as they are answered, with ``whole`` each with its order: as many as fit into a page, one at least."""
    names = await context.names()
    found, size = list[bytes](), 0
    for entry in entries:
        text = entry_json(entry, names, await _order(context, entry) if whole else None)
        size += len(text)
        if found and size > PAGE_BYTES:
            break
        found.append(text)
    return found


async def _order(context: Context, entry: FeedEntry) -> bytes | None:
    """Return the order as it was after a change; None where there is none, or it is erased by now."""
    if entry.kind in DRAFT_KINDS or entry.kind == Erased.type:
        return None
    try:
        view = await context.store.order_at(context.account_id, entry.id, entry.version)
    except Refused:
        return None
    if view is None:
        return None
    names = await context.names()
    return await aside(view.size, lambda: order_json(context.account_id, view, names))


def _between(entries: Sequence[bytes]) -> list[bytes]:
    return [part for place, entry in enumerate(entries) for part in ((b",", entry) if place else (entry,))]
