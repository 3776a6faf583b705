"""Every operation of the API, one row each, in the order of the documentation."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import msgspec

from ordre.api import accounts, drafts, events, health, orders, past, payments
from ordre.api.context import Context, Reply
from ordre.api.wire import accounts as account_wire
from ordre.api.wire.answers import (
    Authorizations,
    Cancellations,
    Captures,
    Comment,
    ErasedOrder,
    OrderAnswer,
    OrderList,
    Refunds,
    Sessions,
)
from ordre.api.wire.diff import Diff
from ordre.api.wire.drafts import Completion, DraftAnswer, DraftChange, DraftList, NewDraft
from ordre.api.wire.events import Events, NewEvent, ServiceEvent
from ordre.api.wire.items import NewItem
from ordre.api.wire.operations import NewOperation, NewSession, Operation, Session
from ordre.api.wire.orders import Cancellation, ItemStatuses, NewComment, NewOrder, OrderChange
from ordre.api.wire.queries import Between, DraftListOf, EventList, NoQuery, OneOrder, OrderListOf, OrderThen, SubList

Handler = Callable[[Context], Awaitable[Reply]]

READ = ("admin:shopping", "write:shopping", "read:shopping")
ADMIN = ("admin:shopping",)
WRITE = ("admin:shopping", "write:shopping")
READ_EVENTS = ("admin:shopping", "read:shopping", "write:shopping", "read:shopping:/orders/ANY/events")
WRITE_EVENTS = ("admin:shopping", "write:shopping", "write:shopping:/orders/ANY/events")
OPEN: tuple[str, ...] = ()
"""No token is needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation. ``id`` is the operationId; a ``body`` may be left out where ``body_optional``."""

    id: str
    method: str
    path: str
    tag: str
    summary: str
    handler: Handler
    scopes: tuple[str, ...]
    answer: type[msgspec.Struct]
    body: type[msgspec.Struct] | None = None
    body_optional: bool = False
    query: type[msgspec.Struct] = NoQuery
    or_erased: bool = False
    """Whether it may be answered with an erased order instead."""

    @property
    def writes(self) -> bool:
        """Whether it changes an order or a draft."""
        return self.method != "GET" and bool(self.scopes)


ACCOUNT = "/v1/accounts/{aid}"
DRAFTS = f"{ACCOUNT}/shopping/draft_orders"
DRAFT = f"{DRAFTS}/{{id}}"
ORDERS = f"{ACCOUNT}/shopping/orders"
ORDER = f"{ORDERS}/{{order_id}}"
STORE_ORDERS = f"{ACCOUNT}/shopping/stores/{{store_id}}/orders"
CUSTOMER_ORDERS = f"{ACCOUNT}/shopping/customers/{{customer_id}}/orders"


def _get(
    path: str,
    tag: str,
    id_: str,
    summary: str,
    handler: Handler,
    answer: type[msgspec.Struct],
    query: type[msgspec.Struct] = NoQuery,
) -> Route:
    return Route(
        id=id_, method="GET", path=path, tag=tag, summary=summary, handler=handler, scopes=READ, answer=answer, query=query
    )


def _write(
    method: str,
    path: str,
    tag: str,
    id_: str,
    summary: str,
    handler: Handler,
    answer: type[msgspec.Struct],
    body: type[msgspec.Struct] | None = None,
    query: type[msgspec.Struct] = NoQuery,
    *,
    body_optional: bool = False,
) -> Route:
    return Route(
        id=id_,
        method=method,
        path=path,
        tag=tag,
        summary=summary,
        handler=handler,
        scopes=WRITE,
        answer=answer,
        body=body,
        body_optional=body_optional,
        query=query,
    )


def _operations(
    name: str, kind: str, collection: type[msgspec.Struct], record: Handler, list_: Handler, read: Handler
) -> list[Route]:
    """The three rows of a kind of payment operation."""
    path, tag = f"{ORDER}/{name}", f"order{name}"
    article = "an" if kind[0] == "a" else "a"
    return [
        _get(path, tag, f"aid_orders_id_{name}_get", f"List the order's {name}", list_, collection, SubList),
        _write(
            "POST", path, tag, f"aid_orders_id_{_POSTED[name]}_post", f"Record {article} {kind}", record, Operation, NewOperation
        ),
        _get(f"{path}/{{{kind}_id}}", tag, f"aid_orders_id_{name}_{kind}_id_get", f"Get {article} {kind}", read, Operation),
    ]


_POSTED = {
    "authorizations": "authorization",
    "captures": "capture",
    "refunds": "refunds",
    "cancellations": "cancellation",
}
"""Collection -> its word in the operationId that the reference has."""

ROUTES: tuple[Route, ...] = (
    Route(
        id="aid_auths_oauth_token_post",
        method="POST",
        path=f"{ACCOUNT}/auth/token",
        tag="authenticate",
        summary="Get a token",
        handler=accounts.issue_token,
        scopes=OPEN,
        answer=account_wire.Token,
        body=account_wire.TokenRequest,
    ),
    _write("POST", DRAFTS, "draft", "aid_draft_orders_post", "Create a draft order", drafts.create, DraftAnswer, NewDraft),
    _get(DRAFTS, "orderlist", "aid_draft_orders_get", "List draft orders", drafts.list_all, DraftList, DraftListOf),
    _get(DRAFT, "draft", "aid_draft_orders_id_get", "Get a draft order", drafts.read, DraftAnswer),
    _write("PUT", DRAFT, "draft", "aid_draft_orders_id_put", "Update a draft order", drafts.update, DraftAnswer, DraftChange),
    _write("DELETE", DRAFT, "draft", "aid_draft_orders_id_delete", "Delete a draft order", drafts.delete, DraftAnswer),
    _write(
        "PUT",
        f"{DRAFT}/complete",
        "draft",
        "aid_draft_orders_id_complete_put",
        "Complete a draft order",
        drafts.complete,
        OrderList,
        Completion,
        body_optional=True,
    ),
    _write(
        "POST",
        f"{DRAFT}/items",
        "draftitems",
        "aid_draft_orders_id_items_post",
        "Add an item",
        drafts.add_item,
        DraftAnswer,
        NewItem,
    ),
    _write(
        "PUT",
        f"{DRAFT}/items/{{line_id}}",
        "draftitems",
        "aid_draft_orders_id_items_line_id_put",
        "Change an item",
        drafts.change_item,
        DraftAnswer,
        NewItem,
    ),
    _write(
        "DELETE",
        f"{DRAFT}/items/{{line_id}}",
        "draftitems",
        "aid_draft_orders_id_items_line_id_delete",
        "Remove an item",
        drafts.remove_item,
        DraftAnswer,
    ),
    _get(ORDERS, "orderlist", "aid_orders_get", "List orders", orders.list_all, OrderList, OrderListOf),
    _write("POST", ORDERS, "orders", "aid_orders_post", "Create an order", orders.create, OrderAnswer, NewOrder, OneOrder),
    replace(_get(ORDER, "orders", "aid_orders_id_get", "Get an order", past.read, OrderAnswer, OrderThen), or_erased=True),
    _get(f"{ORDER}/diff", "orders", "aid_orders_id_diff_get", "Compare two versions of an order", past.diff, Diff, Between),
    _write("PUT", ORDER, "orders", "aid_orders_id_put", "Update an order", orders.update, OrderAnswer, OrderChange, OneOrder),
    Route(
        id="aid_orders_id_delete",
        method="DELETE",
        path=ORDER,
        tag="orders",
        summary="Erase an order",
        handler=orders.erase,
        scopes=ADMIN,
        answer=ErasedOrder,
    ),
    _write(
        "PUT",
        f"{ORDER}/items",
        "orderitems",
        "aid_orders_id_items_put",
        "Set the status of items",
        orders.set_item_statuses,
        OrderAnswer,
        ItemStatuses,
        OneOrder,
    ),
    _write(
        "POST",
        f"{ORDER}/open",
        "orderstatus",
        "aid_orders_id_open_post",
        "Open an order",
        orders.reopen,
        OrderAnswer,
        query=OneOrder,
    ),
    _write(
        "POST",
        f"{ORDER}/close",
        "orderstatus",
        "aid_orders_id_close_post",
        "Close an order",
        orders.close,
        OrderAnswer,
        query=OneOrder,
    ),
    _write(
        "POST",
        f"{ORDER}/cancel",
        "orderstatus",
        "aid_orders_id_cancel_post",
        "Cancel an order",
        orders.cancel,
        OrderAnswer,
        Cancellation,
        OneOrder,
        body_optional=True,
    ),
    *_operations(
        "authorizations",
        "authorization",
        Authorizations,
        payments.authorize,
        payments.list_authorizations,
        payments.read_authorization,
    ),
    *_operations("captures", "capture", Captures, payments.capture, payments.list_captures, payments.read_capture),
    *_operations("refunds", "refund", Refunds, payments.refund, payments.list_refunds, payments.read_refund),
    *_operations(
        "cancellations", "cancellation", Cancellations, payments.cancel, payments.list_cancellations, payments.read_cancellation
    ),
    _get(
        f"{ORDER}/sessions",
        "ordersessions",
        "aid_orders_id_sessions_get",
        "List sessions",
        payments.list_sessions,
        Sessions,
        SubList,
    ),
    _write(
        "POST",
        f"{ORDER}/sessions",
        "ordersessions",
        "aid_orders_id_sessions_post",
        "Create a session",
        payments.start,
        Session,
        NewSession,
    ),
    _get(
        f"{ORDER}/sessions/{{session_id}}",
        "ordersessions",
        "aid_orders_id_sessions_session_id_get",
        "Get a session",
        payments.read_session,
        Session,
    ),
    Route(
        id="aid_orders_id_events_get",
        method="GET",
        path=f"{ORDER}/events",
        tag="orderevents",
        summary="List the order's events",
        handler=events.list_all,
        scopes=READ_EVENTS,
        answer=Events,
        query=EventList,
    ),
    Route(
        id="aid_orders_id_events_post",
        method="POST",
        path=f"{ORDER}/events",
        tag="orderevents",
        summary="Create an order event",
        handler=events.create,
        scopes=WRITE_EVENTS,
        answer=ServiceEvent,
        body=NewEvent,
    ),
    _write(
        "POST",
        f"{ORDER}/comments",
        "ordercomments",
        "aid_orders_id_comments_post",
        "Add a comment",
        events.comment,
        Comment,
        NewComment,
    ),
    _write(
        "DELETE",
        f"{ORDER}/comments/{{comment_id}}",
        "ordercomments",
        "aid_orders_id_comments_comment_id_delete",
        "Delete a comment",
        events.delete_comment,
        Comment,
    ),
    _get(
        STORE_ORDERS,
        "storeorder",
        "aid_stores_id_orders_get",
        "List a store's orders",
        orders.list_of_store,
        OrderList,
        OrderListOf,
    ),
    _get(
        f"{STORE_ORDERS}/{{order_id}}",
        "storeorder",
        "aid_stores_id_orders_id_get",
        "Get a store's order",
        orders.read_of_store,
        OrderAnswer,
        OneOrder,
    ),
    _get(
        CUSTOMER_ORDERS,
        "customerorder",
        "aid_customers_id_orders_get",
        "List a customer's orders",
        orders.list_of_customer,
        OrderList,
        OrderListOf,
    ),
    _get(
        f"{CUSTOMER_ORDERS}/{{order_id}}",
        "customerorder",
        "aid_customers_id_orders_id_get",
        "Get a customer's order",
        orders.read_of_customer,
        OrderAnswer,
        OneOrder,
    ),
    Route(
        id="jwks_get",
        method="GET",
        path="/.well-known/jwks.json",
        tag="service",
        summary="Get the keys that verify tokens",
        handler=accounts.public_keys,
        scopes=OPEN,
        answer=account_wire.PublicKeys,
    ),
    Route(
        id="health_get",
        method="GET",
        path="/health",
        tag="service",
        summary="Ask whether the service can take requests",
        handler=health.health,
        scopes=OPEN,
        answer=account_wire.Health,
    ),
    Route(
        id="health_live_get",
        method="GET",
        path="/health/live",
        tag="service",
        summary="Ask whether the process answers; restart it where it does not",
        handler=health.live,
        scopes=OPEN,
        answer=account_wire.Health,
    ),
    Route(
        id="health_ready_get",
        method="GET",
        path="/health/ready",
        tag="service",
        summary="Ask whether to send requests to this process",
        handler=health.ready,
        scopes=OPEN,
        answer=account_wire.Health,
    ),
)
