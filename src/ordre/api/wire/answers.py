"""Orders as they are answered: JSON joined as bytes, nothing parsed."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType, field

from ordre.api.wire.common import Currency, DateTime, Link, Size, Uuid, Wire, draft_links, encode, instant
from ordre.api.wire.events import ApiEvent, ServiceEvent, order_events, state_of_reports
from ordre.api.wire.facts import without_text
from ordre.api.wire.items import LinePayments, OrderItem
from ordre.api.wire.operations import Operation, Session
from ordre.api.wire.orders import OrderFields, Visibility
from ordre.api.wire.travel import ExternalId
from ordre.application.views import View
from ordre.domain.ledger import Remaining, payment_status, remains_on, total
from ordre.domain.lines import totals
from ordre.domain.order.facts import CommentDeleted, Commented
from ordre.domain.order.order import Order, Status
from ordre.domain.order.parts import Moment


class PaymentDetails(Wire, kw_only=True):
    """What remains, over all lines. Computed, never stored.

    Attributes:
        remaining_capture_amount: What remains to be captured: authorized less captured and cancelled; 0 on a cancelled
            order
        remaining_refund_amount: What remains to be refunded: captured less refunded
        remaining_cancellation_amount: What remains to be cancelled: authorized less captured and cancelled
        amount_due: What the customer still owes: net less captured; 0 on a cancelled order
        remaining_authorization_amount: What remains to be authorized: net less what is authorized and not cancelled; 0
            on a cancelled order
    """

    remaining_capture_amount: int
    remaining_refund_amount: int
    remaining_cancellation_amount: int
    amount_due: int
    remaining_authorization_amount: int


class Comment(Wire, kw_only=True):
    """A comment on an order.

    Attributes:
        id: The comment's id
        body: The text; absent once the comment is deleted
        visibility: Whether the customer may read it
        created_at: When it was written
        created_by: The id of the client that wrote it
        deleted_at: When it was deleted
        deleted_by: The id of the client that deleted it
    """

    id: Uuid
    body: str | UnsetType = UNSET
    visibility: Visibility
    created_at: DateTime
    created_by: str
    deleted_at: DateTime | UnsetType = UNSET
    deleted_by: str | UnsetType = UNSET


class OrderAnswer(OrderFields, kw_only=True):
    """An order.

    Attributes:
        id: The order's own id, a UUID that sorts by time
        order_id: The id that you chose, or `id`
        created_at: When the order was made
        created_by: The id of the client that made it
        updated_at: When it last changed
        currency: The currency of every amount
        status: Open until it is closed or cancelled; a closed one can be opened again
        payment_status: How far it is paid, by the sums of captured and refunded against net
        version: How many changes there were; `If-Match` names it
        gross_amount: The sum of the lines before discounts
        net_amount: The sum of the lines after discounts: what the customer pays
        total_discount: All discounts together, as a size
        total_manual_discount_amount: Those given by hand (`discount_type` `manual`), as a size
        multiple_authorizations: Whether a line may have several authorizations at once
        payment_details: What remains, over all lines
        items: The lines
        sessions: Payment sessions, oldest first
        authorizations: Authorizations, oldest first, failed ones too
        captures: Captures, oldest first, failed ones too
        refunds: Refunds, oldest first, failed ones too
        cancellations: Cancellations, oldest first, failed ones too
        comments: Comments, oldest first
        events: The latest changes and reports, oldest first, of a page's size; empty unless `include_events` asks for them
        events_left_out: How many came before these, which the order's list of events has; absent where none did
        state: What the reports of services combine to; absent unless `include_events` asks for events
        closed_at: When it was closed; absent once it is opened again
        closed_by: The id of the client that closed it
        cancelled_at: When it was cancelled
        cancelled_by: The id of the client that cancelled it
        cancelled_reason: Why it was cancelled
        time_to_live_expires_at: When it will be erased, unless it changes before
        links: The drafts that it came from
    """

    id: Uuid
    order_id: str
    created_at: DateTime
    created_by: str
    updated_at: DateTime
    currency: Currency
    status: Literal["open", "closed", "cancelled"]
    payment_status: Literal["pending", "partially_paid", "paid", "partially_refunded", "refunded"]
    version: int
    gross_amount: int
    net_amount: int
    total_discount: Size
    total_manual_discount_amount: Size
    multiple_authorizations: bool
    payment_details: PaymentDetails
    items: list[OrderItem]
    sessions: list[Session]
    authorizations: list[Operation]
    captures: list[Operation]
    refunds: list[Operation]
    cancellations: list[Operation]
    comments: list[Comment]
    events: list[ApiEvent | ServiceEvent]
    events_left_out: int | UnsetType = UNSET
    state: Literal["failure", "pending", "success"] | UnsetType = UNSET
    closed_at: DateTime | UnsetType = UNSET
    closed_by: str | UnsetType = UNSET
    cancelled_at: DateTime | UnsetType = UNSET
    cancelled_by: str | UnsetType = UNSET
    cancelled_reason: Literal["customer", "declined", "other"] | UnsetType = UNSET
    time_to_live_expires_at: DateTime | UnsetType = UNSET
    links: list[Link] | UnsetType = field(name="_links", default=UNSET)


class ErasedOrder(Wire, kw_only=True):
    """All that is kept of an order after it was erased, on request or at the end of its time to live.

    Attributes:
        id: The order's own id
        order_id: The id that you chose, or `id`
        created_at: When the order was made
        updated_at: When it last changed before it was erased
        deleted_at: When it was erased
        deleted_by: The id of the client that erased it, `time-to-live`, or `operator`
        version: How many changes there were, the erasing among them
        order_number: The number for people
        external_ids: What it was called in other systems
    """

    id: Uuid
    order_id: str
    created_at: DateTime
    updated_at: DateTime
    deleted_at: DateTime
    deleted_by: str
    version: int
    order_number: str | UnsetType = UNSET
    external_ids: list[ExternalId] | UnsetType = UNSET


class OrderList(Wire, kw_only=True):
    """A page of orders.

    Attributes:
        orders: The page's orders, newest first
    """

    orders: list[OrderAnswer]


class Authorizations(Wire, kw_only=True):
    """The authorizations of an order.

    Attributes:
        authorizations: The authorizations, oldest first
    """

    authorizations: list[Operation]


class Captures(Wire, kw_only=True):
    """The captures of an order.

    Attributes:
        captures: The captures, oldest first
    """

    captures: list[Operation]


class Refunds(Wire, kw_only=True):
    """The refunds of an order.

    Attributes:
        refunds: The refunds, oldest first
    """

    refunds: list[Operation]


class Cancellations(Wire, kw_only=True):
    """The cancellations of an order.

    Attributes:
        cancellations: The cancellations, oldest first
    """

    cancellations: list[Operation]


class Sessions(Wire, kw_only=True):
    """The payment sessions of an order.

    Attributes:
        sessions: The sessions, oldest first
    """

    sessions: list[Session]


class _Named(msgspec.Struct):
    id: str


COLLECTIONS = {
    "session": "sessions",
    "authorization": "authorizations",
    "capture": "captures",
    "refund": "refunds",
    "cancellation": "cancellations",
}
"""Type of fact -> the collection that it is shown in."""

_named = msgspec.json.Decoder(_Named).decode
_apart = msgspec.json.Decoder(list[msgspec.Raw]).decode
_LINE_PAYMENTS = b',"payment_details":{%b}}' % b",".join(b'"%b":%%d' % name.encode() for name in LinePayments.__struct_fields__)
"""The end of an item. Takes a line's ``Sums``, then its ``Remaining``: the fields stand in that order."""


def id_of(document: str | bytes) -> str:
    """Return the id of an operation, session or comment."""
    return _named(document).id


def order_json(account_id: str, view: View, names: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """Return the order as it is answered, with its events and its ``state`` where it comes with them.

    ``names`` are those of the account's clients, by id.
    """
    order = view.order
    if order.deleted is not None:
        return _erased(order, order.deleted, view.fields)
    cancelled = order.status is Status.CANCELLED
    lefts = [remains_on(line, cancelled_order=cancelled) for line in order.lines.values()]
    fields = {**_head(order), **_statuses(order), **_money(order, total(lefts))}
    fields["_links"] = draft_links(account_id, order.drafts)
    shown = _collections(view.shown)
    shown["events"] = b"[]"
    if view.events is not None:
        shown["events"] = f"[{','.join(order_events(account_id, order.id, view.events, names))}]".encode()
        if view.events.left_out:
            shown["events_left_out"] = b"%d" % view.events.left_out
        shown["state"] = encode(state_of_reports(view.events.reports))
    collections = b",".join([b'"%b":%b' % (name.encode(), value) for name, value in shown.items()])
    parts = [encode(fields)[:-1], view.fields[1:-1], _items(view, lefts), collections]
    return b",".join([part for part in parts if part]) + b"}"


def listed(name: str, documents: Sequence[bytes]) -> bytes:
    """Return a collection of documents that are JSON already."""
    return b"".join(in_parts(name, documents))


def in_parts(name: str, documents: Sequence[bytes]) -> list[bytes]:
    """Return the same as bytes that follow on one another."""
    separators = [b'{"%b":[' % name.encode()] + [b","] * (len(documents) - 1)
    parts = [part for pair in zip(separators, documents, strict=False) for part in pair]
    return [*(parts or separators), b"]}"]


def _head(order: Order) -> dict[str, object]:
    fields: dict[str, object] = {
        "id": order.id,
        "order_id": order.order_id,
        "created_at": instant(order.created.at),
        "created_by": order.created.by,
        "updated_at": instant(order.updated_at),
        "version": order.version,
        "currency": order.currency,
        "multiple_authorizations": order.multiple_authorizations,
    }
    if order.order_number is not None:
        fields["order_number"] = order.order_number
    if order.expires_at is not None:
        fields["time_to_live_expires_at"] = instant(order.expires_at)
    return fields


def _erased(order: Order, deleted: Moment, fields: bytes) -> bytes:
    head: dict[str, object] = {
        "id": order.id,
        "order_id": order.order_id,
        "created_at": instant(order.created.at),
        "updated_at": instant(order.updated_at),
        "deleted_at": instant(deleted.at),
        "deleted_by": deleted.by,
        "version": order.version,
    }
    if order.order_number is not None:
        head["order_number"] = order.order_number
    return b",".join([part for part in (encode(head)[:-1], fields[1:-1]) if part]) + b"}"


def _statuses(order: Order) -> dict[str, object]:
    fields: dict[str, object] = {"status": order.status, "payment_status": payment_status(order.lines)}
    if order.closed is not None:
        fields["closed_at"] = instant(order.closed.at)
        fields["closed_by"] = order.closed.by
    if order.cancelled is not None:
        fields["cancelled_at"] = instant(order.cancelled.at)
        fields["cancelled_by"] = order.cancelled.by
        fields["cancelled_reason"] = order.cancelled_reason
    return fields


def _money(order: Order, left: Remaining) -> dict[str, object]:
    sums = totals(order.lines.values())
    return {
        "gross_amount": sums.gross,
        "net_amount": sums.net,
        "total_discount": sums.discount,
        "total_manual_discount_amount": sums.manual_discount,
        "payment_details": {
            "remaining_authorization_amount": left.authorization,
            "remaining_capture_amount": left.capture,
            "remaining_refund_amount": left.refund,
            "remaining_cancellation_amount": left.cancellation,
            "amount_due": left.due,
        },
    }


def _items(view: View, lefts: Sequence[Remaining]) -> bytes:
    """Return the items, each with its line's payments. Items and lines stand in the same order, as both are only added to."""
    lines = view.order.lines.values()
    items = [
        bytes(item)[:-1] + _LINE_PAYMENTS % (*line.sums, *left)
        for item, line, left in zip(_apart(view.items), lines, lefts, strict=True)
    ]
    return b'"items":[%b]' % b",".join(items)


def _collections(shown: Sequence[tuple[str, bytes]]) -> dict[str, bytes]:
    """Return operations, sessions and comments by collection; a deleted comment in the place of the comment."""
    found: dict[str, list[bytes]] = {name: [] for name in COLLECTIONS.values()}
    comments: dict[str, bytes] = {}
    for type_, document in shown:
        if type_ in COLLECTIONS:
            found[COLLECTIONS[type_]].append(document)
        elif type_ == Commented.type:
            comments[id_of(document)] = document
        elif type_ == CommentDeleted.type:  # earlier versions of Ordre kept its text there
            comments[id_of(document)] = without_text(document).encode()
    found["comments"] = list(comments.values())
    return {name: b"[%b]" % b",".join(documents) for name, documents in found.items()}
