"""The handler of the feed."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace

from starlette.requests import ClientDisconnect

from ordre.api.http.answers import pieces
from ordre.api.http.context import Context, Reply
from ordre.api.http.errors import unauthorized
from ordre.api.http.requests import header_of
from ordre.api.http.stream import gone
from ordre.api.wire.answers import in_parts, order_json
from ordre.api.wire.common import given
from ordre.api.wire.feed import EVENT_STREAM, RETRY, FeedOf, entry_json, event_of, position_of
from ordre.api.wire.queries import NoBody
from ordre.application.aside import aside
from ordre.application.feed import DRAFT_KINDS, FeedEntry, FeedPage, FeedQuery
from ordre.application.lists import PAGE_BYTES
from ordre.domain.order.facts import Erased
from ordre.domain.refusals import Refused

ALIVE_SECONDS = 15.0
"""After which a stream of events without any says that it is still there, and how far it is."""
STREAM_SECONDS = 600.0
"""After which a stream of events ends: whoever reads it comes again."""
MAKING_SECONDS = 2.0
"""After which a page of whole orders ends: each is folded from its facts, of which there may be many."""


async def read(context: Context, _: NoBody, asked: FeedOf) -> Reply:
    """The account's changes in the order in which they were committed, each at its position, without gaps.

    A reader keeps one number, the `position` that was answered last, and misses nothing, whichever server it asks. Who accepts
    `text/event-stream` is sent each entry as an event, as it is made; `Last-Event-ID` goes on after a position.
    """
    query, request = asked.query(), context.request
    if EVENT_STREAM in (header_of(request, b"accept") or ""):
        last = header_of(request, b"last-event-id")
        events = _events(context, query if last is None else replace(query, after=position_of(last)), whole=_whole(asked))
        first = await anext(events)  # whatever is refused is refused by now
        return Reply(
            body=events, first=first, media=EVENT_STREAM, headers={"cache-control": "no-store", "x-accel-buffering": "no"}
        )
    page = await context.store.feed(context.account_id, query)
    if not page.entries and asked.wait:
        with context.followers.of(context.account_id):
            page = await _awaited(context, query, page, asked.wait)
        if not await context.is_let_in():
            raise unauthorized("The token has expired, or its client is disabled, since the request began")
    entries = await entries_json(context, page.entries, whole=_whole(asked))
    return Reply(
        body=pieces([*in_parts("entries", entries)[:-1], b'],"position":%d,"end":%d}' % (_through(page, len(entries)), page.end)])
    )


async def _awaited(context: Context, query: FeedQuery, page: FeedPage, seconds: float) -> FeedPage:
    """Wait until there is an entry that is asked for, or many were left out, at most so long."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while not page.entries and page.position >= page.end and (left := until - loop.time()) > 0:
        if not await _moved(context, page.position, left):
            break
        page = await context.store.feed(context.account_id, replace(query, after=page.position))
    return page


async def _moved(context: Context, after: int, seconds: float) -> bool:
    """Wait until the feed goes beyond a position, at most so long; return whether it does.

    Raises:
        ClientDisconnect: Nobody is there any more to be answered.
    """
    moved = asyncio.create_task(context.store.feed_moved(context.account_id, after, seconds))
    left = asyncio.create_task(gone(context.request.receive))
    try:
        with context.waiting():
            await asyncio.wait([moved, left], return_when=asyncio.FIRST_COMPLETED)
        if not moved.done():
            raise ClientDisconnect
        return moved.result()
    finally:
        moved.cancel()
        left.cancel()


async def _events(context: Context, query: FeedQuery, *, whole: bool) -> AsyncGenerator[bytes, None]:
    """Yield entries as server-sent events as they are made, and now and then how far it is, where others are left out.

    It ends after a while, and where the caller may not read it any more.
    """
    loop, store, account = asyncio.get_running_loop(), context.store, context.account_id
    until, told, position = loop.time() + STREAM_SECONDS, loop.time(), query.after
    with context.followers.of(account):
        yield RETRY
        while store.lets_wait and loop.time() < until and await context.is_let_in():
            page = await store.feed(account, replace(query, after=position))
            position, left = page.position, told + ALIVE_SECONDS - loop.time()
            if page.entries:
                texts = await entries_json(context, page.entries, whole=whole)
                position = _through(page, len(texts))
                yield b"".join(event_of(entry, text) for entry, text in zip(page.entries, texts, strict=False))
            elif position >= page.end and left > 0 and await store.feed_moved(account, position, left):
                continue
            else:
                yield b"id: %d\n\n" % position
            told = loop.time()


async def entries_json(context: Context, entries: Sequence[FeedEntry], *, whole: bool) -> list[bytes]:
    """Return entries as they are answered, with ``whole`` each with its order: as many as fit into a page, one at least."""
    loop, names = asyncio.get_running_loop(), await context.names()
    until, found, size = loop.time() + MAKING_SECONDS, list[bytes](), 0
    for entry in entries:
        if found and whole and loop.time() >= until:
            break
        text = entry_json(entry, names, await _order(context, entry, names) if whole else None)
        size += len(text)
        if found and size > PAGE_BYTES:
            break
        found.append(text)
    return found


def _whole(asked: FeedOf) -> bool:
    return given(asked.include) == "order"


def _through(page: FeedPage, sent: int) -> int:
    """Return how far is read once so many of a page's entries are sent."""
    return page.position if sent == len(page.entries) else page.entries[sent - 1].position


async def _order(context: Context, entry: FeedEntry, names: Mapping[str, str]) -> bytes | None:
    """Return the order as it was after a change; None where there is none, or it is erased by now."""
    if entry.kind in DRAFT_KINDS or entry.kind == Erased.type:
        return None
    try:
        view = await context.store.order_at(context.account_id, entry.id, entry.version)
    except Refused:
        return None
    if view is None:
        return None
    return await aside(view.size, lambda: order_json(context.account_id, view, names))
