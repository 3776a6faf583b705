"""The operations of events and comments."""

from ordre.api.handlers import events
from ordre.api.operations.row import COMMENT_ID, ORDER, READ_EVENTS, WRITE, WRITE_EVENTS, Made, Route
from ordre.api.wire.answers import Comment
from ordre.api.wire.events import Events, NewEvent, ServiceEvent
from ordre.api.wire.orders import NewComment
from ordre.api.wire.queries import EventList, NoBody, NoQuery

EVENT_ROUTES = (
    Route(
        id="aid_orders_id_events_get",
        method="GET",
        path=f"{ORDER}/events",
        tag="orderevents",
        summary="List the order's events",
        access=READ_EVENTS,
        body=NoBody,
        query=EventList,
        answer=Events,
        handler=events.list_all,
    ),
    Route(
        id="aid_orders_id_events_post",
        method="POST",
        path=f"{ORDER}/events",
        tag="orderevents",
        summary="Create an order event",
        access=WRITE_EVENTS,
        body=NewEvent,
        query=NoQuery,
        answer=ServiceEvent,
        handler=events.create,
    ),
    Route(
        id="aid_orders_id_comments_post",
        method="POST",
        path=f"{ORDER}/comments",
        tag="ordercomments",
        summary="Add a comment",
        access=WRITE,
        body=NewComment,
        query=NoQuery,
        answer=Comment,
        handler=events.comment,
        made=Made(parameter=COMMENT_ID, at="/id"),
    ),
    Route(
        id="aid_orders_id_comments_comment_id_delete",
        method="DELETE",
        path=f"{ORDER}/comments/{COMMENT_ID}",
        tag="ordercomments",
        summary="Delete a comment",
        access=WRITE,
        body=NoBody,
        query=NoQuery,
        answer=Comment,
        handler=events.delete_comment,
    ),
)
