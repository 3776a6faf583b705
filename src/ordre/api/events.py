"""Handlers of events and comments."""

from ordre.api.context import Context, Reply
from ordre.api.payments import after, written
from ordre.api.wire.common import given, json_text
from ordre.api.wire.events import NewEvent, order_events, report, shown_comment, shown_deletion, shown_event, state_text
from ordre.api.wire.orders import NewComment
from ordre.api.wire.queries import EventList
from ordre.application.orders import execute
from ordre.domain.commands import Comment, DeleteComment
from ordre.domain.refusals import Refused, UnknownComment, UnknownOrder


async def list_all(context: Context) -> Reply:
    """E1: the order's events, oldest first, and their combined state."""
    view = await context.store.order(context.account_id, context.order, events=True)
    if view is None or view.events is None:
        raise Refused(UnknownOrder())
    asked = context.asked(EventList)
    events = order_events(view.order.id, view.events, asked.types())
    if asked.starting_after is not None:
        events = after(events, asked.starting_after)
    body = f'{{"events":[{",".join(events[: given(asked.limit)])}],"state":{json_text(state_text(view.events))}}}'
    return Reply(body=body)


async def create(context: Context) -> Reply:
    """E2: record what a service reports."""
    event = context.sent(NewEvent)
    command = report(event, context.new_id())
    shown = shown_event(event, command.id, context.call)
    return written(await execute(context.store, context.call, context.order, command, shown, context.limits))


async def comment(context: Context) -> Reply:
    """M1: add a comment."""
    sent = context.sent(NewComment)
    id_ = context.new_id()
    shown = shown_comment(sent, id_, context.call)
    return written(await execute(context.store, context.call, context.order, Comment(id=id_), shown, context.limits))


async def delete_comment(context: Context) -> Reply:
    """M2: mark a comment as deleted."""
    id_ = context.path["comment_id"]
    before = await context.store.shown_one(context.account_id, context.order, "comment", id_)
    if before is None:
        raise Refused(UnknownComment())
    shown = shown_deletion(context.call, before)
    return written(await execute(context.store, context.call, context.order, DeleteComment(id=id_), shown, context.limits))
