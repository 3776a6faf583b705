"""The operations of drafts."""

from ordre.api.handlers import drafts, payments
from ordre.api.operations.row import DRAFT, DRAFT_ID, DRAFTS, LINE_ID, ORDER_ID, READ, WRITE, Made, Next, Route
from ordre.api.wire.answers import OrderList
from ordre.api.wire.drafts import Completion, DraftAnswer, DraftChange, DraftList, NewDraft
from ordre.api.wire.items import NewItem
from ordre.api.wire.queries import DraftListOf, NoBody, NoQuery

DRAFT_ROUTES = (
    Route(
        id="aid_draft_orders_post",
        method="POST",
        path=DRAFTS,
        tag="draft",
        summary="Create a draft order",
        access=WRITE,
        body=NewDraft,
        query=NoQuery,
        answer=DraftAnswer,
        handler=drafts.create,
        made=Made(parameter=DRAFT_ID, at="/id"),
    ),
    Route(
        id="aid_draft_orders_get",
        method="GET",
        path=DRAFTS,
        tag="orderlist",
        summary="List draft orders",
        access=READ,
        body=NoBody,
        query=DraftListOf,
        answer=DraftList,
        handler=drafts.list_all,
    ),
    Route(
        id="aid_draft_orders_id_get",
        method="GET",
        path=DRAFT,
        tag="draft",
        summary="Get a draft order",
        access=READ,
        body=NoBody,
        query=NoQuery,
        answer=DraftAnswer,
        handler=drafts.read,
    ),
    Route(
        id="aid_draft_orders_id_put",
        method="PUT",
        path=DRAFT,
        tag="draft",
        summary="Update a draft order",
        access=WRITE,
        body=DraftChange,
        query=NoQuery,
        answer=DraftAnswer,
        handler=drafts.update,
    ),
    Route(
        id="aid_draft_orders_id_delete",
        method="DELETE",
        path=DRAFT,
        tag="draft",
        summary="Delete a draft order",
        access=WRITE,
        body=NoBody,
        query=NoQuery,
        answer=DraftAnswer,
        handler=drafts.delete,
    ),
    Route(
        id="aid_draft_orders_id_complete_put",
        method="PUT",
        path=f"{DRAFT}/complete",
        tag="draft",
        summary="Complete a draft order",
        access=WRITE,
        body=Completion,
        body_optional=True,
        query=NoQuery,
        answer=OrderList,
        handler=drafts.complete,
        completes=DRAFT_ID,
        made=Made(parameter=ORDER_ID, at="/orders/0/id"),
        followed_by=(
            Next(
                handler=payments.authorize,
                body={
                    "items": [
                        {
                            "line_id": "$response.body#/orders/0/items/0/line_id",
                            "amount": "$response.body#/orders/0/items/0/net_amount",
                        }
                    ]
                },
            ),
        ),
    ),
    Route(
        id="aid_draft_orders_id_items_post",
        method="POST",
        path=f"{DRAFT}/items",
        tag="draftitems",
        summary="Add an item",
        access=WRITE,
        body=NewItem,
        query=NoQuery,
        answer=DraftAnswer,
        handler=drafts.add_item,
    ),
    Route(
        id="aid_draft_orders_id_items_line_id_put",
        method="PUT",
        path=f"{DRAFT}/items/{LINE_ID}",
        tag="draftitems",
        summary="Change an item",
        access=WRITE,
        body=NewItem,
        query=NoQuery,
        answer=DraftAnswer,
        handler=drafts.change_item,
    ),
    Route(
        id="aid_draft_orders_id_items_line_id_delete",
        method="DELETE",
        path=f"{DRAFT}/items/{LINE_ID}",
        tag="draftitems",
        summary="Remove an item",
        access=WRITE,
        body=NoBody,
        query=NoQuery,
        answer=DraftAnswer,
        handler=drafts.remove_item,
    ),
)
