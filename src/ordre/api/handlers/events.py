"""Handlers of events and comments."""

from functools import partial

from msgspec.structs import replace

from ordre.api.handlers.orders import page_headers
from ordre.api.handlers.payments import written
from ordre.api.http.context import Context, Reply
from ordre.api.wire.answers import id_of
from ordre.api.wire.common import given, json_text
from ordre.api.wire.events import (
    NewEvent,
    order_events,
    report,
    service_event,
    state_of_reports,
    version_of,
)
from ordre.api.wire.events import comment as comment_on
from ordre.api.wire.facts import without_text
from ordre.api.wire.orders import NewComment
from ordre.api.wire.queries import EventList, NoBody, NoQuery
from ordre.application.aside import aside
from ordre.application.lists import PAGE_ENTRIES, EventQuery
from ordre.application.orders import execute
from ordre.domain.order.lifecycle import DeleteComment
from ordre.domain.refusals import Refused, UnknownOrder


async def list_all(context: Context, _: NoBody, asked: EventList) -> Reply:
    """The order's events, oldest first, and the state that services' reports combine to."""
    names = await context.names()
    order = await context.store.head(context.account_id, context.order)
    if order is None:
        raise Refused(UnknownOrder())
    since = None if asked.starting_after is None else version_of(order.id, order.version, asked.starting_after)
    query = EventQuery(
        types=asked.types(),
        since=since or 0,
        after_ref=None if since else asked.starting_after,
        limit=given(asked.limit) or PAGE_ENTRIES,
        total=asked.total,
    )
    page = await context.store.events(context.account_id, order.id, query)
    shown = partial(order_events, context.account_id, order.id, page, names)
    events = await aside(sum(fact.size for fact in page.facts), shown)
    headers = page_headers(context, page.more, page.total, id_of(events[-1]) if events else None)
    return Reply(body=f'{{"events":[{",".join(events)}],"state":{json_text(state_of_reports(page.reports))}}}', headers=headers)


async def create(context: Context, event: NewEvent, _: NoQuery) -> Reply:
    """Record how far a service is with the order."""
    names, command = await context.names(), report(event, context.new_id())
    reply = written(await execute(context.store, context.call, context.order, command, context.limits))
    if reply.version is None:
        raise AssertionError("an event makes a version of its order")
    return replace(reply, body=service_event(str(reply.body), reply.version, names.get(context.call.by)))


async def comment(context: Context, sent: NewComment, _: NoQuery) -> Reply:
    """Add a comment for people."""
    command = comment_on(sent, context.new_id())
    return written(await execute(context.store, context.call, context.order, command, context.limits))


async def delete_comment(context: Context, _: NoBody, __: NoQuery) -> Reply:
    """Delete a comment. Its text goes from the order, from its earlier versions and from its events; that it was there stays."""
    command = DeleteComment(id=context.path["comment_id"])
    reply = written(await execute(context.store, context.call, context.order, command, context.limits))
    return replace(reply, body=without_text(str(reply.body)))  # earlier versions of Ordre kept its text in the answer
