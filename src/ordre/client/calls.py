"""Every operation of the API as a function that makes a call, in the order of the documentation.

A body is a wire type or a plain mapping with the names of the wire. ``version`` is the version that a write is made on; with
``key`` a write has an idempotency key of your own, which holds across restarts of your program.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeAlias, TypeVar, Unpack
from urllib.parse import quote

import msgspec

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
from ordre.api.wire.common import decoder, encode
from ordre.api.wire.diff import Diff
from ordre.api.wire.drafts import DraftAnswer, DraftChange, DraftList, NewDraft
from ordre.api.wire.events import ApiEvent, Events, NewEvent, ServiceEvent
from ordre.api.wire.feed import Feed
from ordre.api.wire.items import NewItem
from ordre.api.wire.operations import NewOperation, NewSession, Operation, Session
from ordre.api.wire.orders import Cancellation, ItemStatuses, NewComment, NewOrder, OrderChange
from ordre.client.errors import ErasedError
from ordre.client.filters import (
    DraftFilters,
    EventOptions,
    FeedFilters,
    MomentOptions,
    OrderFilters,
    PageOptions,
    ViewOptions,
    parameters,
)

T = TypeVar("T")
P = TypeVar("P")
Body: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T]):
    """A request to be sent: ``path`` is below ``room``; ``decode`` makes the answer's type of its bytes."""

    method: str
    room: str = "/shopping"
    path: str
    decode: Callable[[bytes], T]
    query: Mapping[str, str] | None = None
    body: object = None
    key: str | None = None
    version: int | None = None

    @property
    def writes(self) -> bool:
        """Whether it changes an order or a draft."""
        return self.method != "GET"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Generic[P, T]):
    """A call whose answer is a page. ``entries`` are those of a page, ``name`` is the id of one, from which the next goes on."""

    call: Call[P]
    entries: Callable[[P], list[T]]
    name: Callable[[T], str]

    def after(self, id_: str) -> "Listing[P, T]":
        """Return the listing of what comes after the entry with this id."""
        return replace(self, call=replace(self.call, query={**(self.call.query or {}), "starting_after": id_}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[P, T]):
    """A page of a list.

    ``total`` says how many entries there are in all; from 10,000 on there may be more, and ``total_is_exact`` is false. Both are
    None where the total was not asked for. ``next`` asks for the next page, where there is more. ``answer`` is the answer itself,
    such as ``Events`` with its ``state``.
    """

    entries: list[T]
    total: int | None
    total_is_exact: bool | None
    next: Listing[P, T] | None
    answer: P

    def __iter__(self) -> Iterator[T]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)


def create_draft(draft: NewDraft | Body, *, key: str | None = None) -> Call[DraftAnswer]:
    """Create a draft order."""
    return Call(method="POST", path="/draft_orders", decode=_draft, body=draft, key=key)


def list_drafts(**filters: Unpack[DraftFilters]) -> Listing[DraftList, DraftAnswer]:
    """List draft orders, newest first."""
    call = Call(method="GET", path="/draft_orders", decode=_drafts, query=parameters(filters))
    return Listing(call=call, entries=lambda page: page.draft_orders, name=lambda draft: draft.id)


def get_draft(id_: str) -> Call[DraftAnswer]:
    """Get a draft order."""
    return Call(method="GET", path=f"/draft_orders/{_in_path(id_)}", decode=_draft)


def update_draft(
    id_: str, change: DraftChange | Body, *, key: str | None = None, version: int | None = None
) -> Call[DraftAnswer]:
    """Update a draft order; what is left out stays."""
    return Call(method="PUT", path=f"/draft_orders/{_in_path(id_)}", decode=_draft, body=change, key=key, version=version)


def delete_draft(id_: str, *, key: str | None = None, version: int | None = None) -> Call[DraftAnswer]:
    """Delete a draft order."""
    return Call(method="DELETE", path=f"/draft_orders/{_in_path(id_)}", decode=_draft, key=key, version=version)


def complete_draft(id_: str, *, key: str | None = None, version: int | None = None) -> Call[OrderList]:
    """Make a draft's orders. Completing again is answered with the same orders."""
    path = f"/draft_orders/{_in_path(id_)}/complete"
    return Call(method="PUT", path=path, decode=_orders, body={}, key=key, version=version)


def add_item(id_: str, item: NewItem | Body, *, key: str | None = None, version: int | None = None) -> Call[DraftAnswer]:
    """Add an item to a draft."""
    path = f"/draft_orders/{_in_path(id_)}/items"
    return Call(method="POST", path=path, decode=_draft, body=item, key=key, version=version)


def change_item(
    id_: str, line_id: int, item: NewItem | Body, *, key: str | None = None, version: int | None = None
) -> Call[DraftAnswer]:
    """Put another item in the place of a draft's item."""
    path = f"/draft_orders/{_in_path(id_)}/items/{line_id}"
    return Call(method="PUT", path=path, decode=_draft, body=item, key=key, version=version)


def remove_item(id_: str, line_id: int, *, key: str | None = None, version: int | None = None) -> Call[DraftAnswer]:
    """Remove an item from a draft."""
    path = f"/draft_orders/{_in_path(id_)}/items/{line_id}"
    return Call(method="DELETE", path=path, decode=_draft, key=key, version=version)


def list_orders(**filters: Unpack[OrderFilters]) -> Listing[OrderList, OrderAnswer]:
    """List orders, newest first. ``metadata={"channel": "pos"}`` finds those with this value under this key."""
    return _listing("/orders", filters)


def export_orders(**filters: Unpack[OrderFilters]) -> Call[list[OrderAnswer]]:
    """Export orders, oldest first. All of them come at once: of a large account `ordre export` writes a file."""
    return Call(method="GET", path="/orders/export", decode=_lines, query=parameters(filters))


def create_order(order: NewOrder | Body, *, key: str | None = None) -> Call[OrderAnswer]:
    """Create an order without a draft."""
    return Call(method="POST", path="/orders", decode=_order, body=order, key=key)


def get_order(order: str, **options: Unpack[MomentOptions]) -> Call[OrderAnswer]:
    """Get an order by its ``order_id`` or ``id``: as it is, or with ``version`` or ``at`` as it was.

    Sending it raises ``ErasedError`` where the order was erased.
    """
    return Call(method="GET", path=_of(order), decode=_order_kept, query=parameters(options))


def erase_order(order: str, *, key: str | None = None, version: int | None = None) -> Call[ErasedOrder]:
    """Erase an order with its drafts; what is kept of it is answered."""
    return Call(method="DELETE", path=_of(order), decode=_erased, key=key, version=version)


def compare_versions(order: str, from_: int | None = None, to: int | None = None) -> Call[Diff]:
    """Get what changed between two versions: up to now where ``to`` is left out, the last step where both are."""
    query = {name: str(value) for name, value in (("from", from_), ("to", to)) if value is not None}
    return Call(method="GET", path=f"{_of(order)}/diff", decode=_diff, query=query)


def update_order(
    order: str, change: OrderChange | Body, *, key: str | None = None, version: int | None = None
) -> Call[OrderAnswer]:
    """Update an order; what is left out stays, null takes away."""
    return Call(method="PUT", path=_of(order), decode=_order, body=change, key=key, version=version)


def set_item_statuses(
    order: str, statuses: ItemStatuses | Body, *, key: str | None = None, version: int | None = None
) -> Call[OrderAnswer]:
    """Set the status of items."""
    return Call(method="PUT", path=f"{_of(order)}/items", decode=_order, body=statuses, key=key, version=version)


def open_order(order: str, *, key: str | None = None, version: int | None = None) -> Call[OrderAnswer]:
    """Open a closed order."""
    return Call(method="POST", path=f"{_of(order)}/open", decode=_order, key=key, version=version)


def close_order(order: str, *, key: str | None = None, version: int | None = None) -> Call[OrderAnswer]:
    """Close an order."""
    return Call(method="POST", path=f"{_of(order)}/close", decode=_order, key=key, version=version)


def cancel_order(
    order: str, reason: Cancellation | Body | None = None, *, key: str | None = None, version: int | None = None
) -> Call[OrderAnswer]:
    """Cancel an order of which nothing is captured that was not refunded."""
    return Call(method="POST", path=f"{_of(order)}/cancel", decode=_order, body=reason or {}, key=key, version=version)


def list_authorizations(order: str, **options: Unpack[PageOptions]) -> Listing[Authorizations, Operation]:
    """List the order's authorizations."""
    call = Call(method="GET", path=f"{_of(order)}/authorizations", decode=_authorizations, query=parameters(options))
    return Listing(call=call, entries=lambda page: page.authorizations, name=lambda one: one.id)


def authorize(order: str, operation: NewOperation | Body, *, key: str | None = None) -> Call[Operation]:
    """Record an authorization."""
    return _recorded(order, "authorizations", operation, key)


def get_authorization(order: str, id_: str) -> Call[Operation]:
    """Get an authorization."""
    return _read(order, "authorizations", id_)


def list_captures(order: str, **options: Unpack[PageOptions]) -> Listing[Captures, Operation]:
    """List the order's captures."""
    call = Call(method="GET", path=f"{_of(order)}/captures", decode=_captures, query=parameters(options))
    return Listing(call=call, entries=lambda page: page.captures, name=lambda one: one.id)


def capture(order: str, operation: NewOperation | Body, *, key: str | None = None) -> Call[Operation]:
    """Record a capture."""
    return _recorded(order, "captures", operation, key)


def get_capture(order: str, id_: str) -> Call[Operation]:
    """Get a capture."""
    return _read(order, "captures", id_)


def list_refunds(order: str, **options: Unpack[PageOptions]) -> Listing[Refunds, Operation]:
    """List the order's refunds."""
    call = Call(method="GET", path=f"{_of(order)}/refunds", decode=_refunds, query=parameters(options))
    return Listing(call=call, entries=lambda page: page.refunds, name=lambda one: one.id)


def refund(order: str, operation: NewOperation | Body, *, key: str | None = None) -> Call[Operation]:
    """Record a refund."""
    return _recorded(order, "refunds", operation, key)


def get_refund(order: str, id_: str) -> Call[Operation]:
    """Get a refund."""
    return _read(order, "refunds", id_)


def list_cancellations(order: str, **options: Unpack[PageOptions]) -> Listing[Cancellations, Operation]:
    """List the order's cancellations."""
    call = Call(method="GET", path=f"{_of(order)}/cancellations", decode=_cancellations, query=parameters(options))
    return Listing(call=call, entries=lambda page: page.cancellations, name=lambda one: one.id)


def cancel(order: str, operation: NewOperation | Body, *, key: str | None = None) -> Call[Operation]:
    """Record a cancellation of what is authorized and not captured."""
    return _recorded(order, "cancellations", operation, key)


def get_cancellation(order: str, id_: str) -> Call[Operation]:
    """Get a cancellation."""
    return _read(order, "cancellations", id_)


def list_sessions(order: str, **options: Unpack[PageOptions]) -> Listing[Sessions, Session]:
    """List the order's payment sessions."""
    call = Call(method="GET", path=f"{_of(order)}/sessions", decode=_sessions, query=parameters(options))
    return Listing(call=call, entries=lambda page: page.sessions, name=lambda one: one.id)


def start_session(order: str, session: NewSession | Body, *, key: str | None = None) -> Call[Session]:
    """Record that a payment session is started."""
    return Call(method="POST", path=f"{_of(order)}/sessions", decode=_session, body=session, key=key)


def get_session(order: str, id_: str) -> Call[Session]:
    """Get a payment session."""
    return Call(method="GET", path=f"{_of(order)}/sessions/{_in_path(id_)}", decode=_session)


def list_events(order: str, **options: Unpack[EventOptions]) -> Listing[Events, ApiEvent | ServiceEvent]:
    """List the order's events, oldest first, with the state that they combine to."""
    call = Call(method="GET", path=f"{_of(order)}/events", decode=_events, query=parameters(options))
    return Listing(call=call, entries=lambda page: page.events, name=lambda one: one.id)


def report_event(order: str, event: NewEvent | Body, *, key: str | None = None) -> Call[ServiceEvent]:
    """Record what a service reports."""
    return Call(method="POST", path=f"{_of(order)}/events", decode=_event, body=event, key=key)


def add_comment(order: str, comment: NewComment | Body, *, key: str | None = None) -> Call[Comment]:
    """Add a comment."""
    return Call(method="POST", path=f"{_of(order)}/comments", decode=_comment, body=comment, key=key)


def delete_comment(order: str, id_: str, *, key: str | None = None) -> Call[Comment]:
    """Delete a comment: it stays in the order, marked as deleted and without its text."""
    return Call(method="DELETE", path=f"{_of(order)}/comments/{_in_path(id_)}", decode=_comment, key=key)


def list_store_orders(store_id: str, /, **filters: Unpack[OrderFilters]) -> Listing[OrderList, OrderAnswer]:
    """List a store's orders, newest first."""
    return _listing(f"/stores/{_in_path(store_id)}/orders", filters)


def get_store_order(store_id: str, order: str, **options: Unpack[ViewOptions]) -> Call[OrderAnswer]:
    """Get a store's order."""
    return Call(method="GET", path=f"/stores/{_in_path(store_id)}{_of(order)}", decode=_order, query=parameters(options))


def list_customer_orders(customer_id: str, /, **filters: Unpack[OrderFilters]) -> Listing[OrderList, OrderAnswer]:
    """List a customer's orders, newest first."""
    return _listing(f"/customers/{_in_path(customer_id)}/orders", filters)


def get_customer_order(customer_id: str, order: str, **options: Unpack[ViewOptions]) -> Call[OrderAnswer]:
    """Get a customer's order."""
    return Call(method="GET", path=f"/customers/{_in_path(customer_id)}{_of(order)}", decode=_order, query=parameters(options))


def plain(value: object) -> Any:
    """Return an answer as plain values: mappings, lists, texts and numbers, with the names of the wire."""
    return msgspec.json.decode(encode(value))


def _of(order: str) -> str:
    return f"/orders/{_in_path(order)}"


def _in_path(id_: str) -> str:
    return quote(id_, safe="")


def _listing(path: str, filters: Mapping[str, Any]) -> Listing[OrderList, OrderAnswer]:
    call = Call(method="GET", path=path, decode=_orders, query=parameters(filters))
    return Listing(call=call, entries=lambda page: page.orders, name=lambda order: order.id)


def _recorded(order: str, collection: str, operation: NewOperation | Body, key: str | None) -> Call[Operation]:
    return Call(method="POST", path=f"{_of(order)}/{collection}", decode=_operation, body=operation, key=key)


def read_feed(after: int = 0, *, wait: int = 0, **filters: Unpack[FeedFilters]) -> Call[Feed]:
    """Read the entries of the feed after a position; where there is none yet, wait so many seconds for one."""
    query = {"after": str(after), "wait": str(wait), **parameters(filters)}
    return Call(method="GET", path="/feed", decode=_feed, query=query)


def _read(order: str, collection: str, id_: str) -> Call[Operation]:
    return Call(method="GET", path=f"{_of(order)}/{collection}/{_in_path(id_)}", decode=_operation)


def _lines(content: bytes) -> list[OrderAnswer]:
    return [_order(line) for line in content.splitlines()]


def _order_kept(content: bytes) -> OrderAnswer:
    try:
        return _order(content)
    except msgspec.ValidationError:
        with suppress(msgspec.ValidationError):
            raise ErasedError(_erased(content)) from None
        raise


_erased = decoder(ErasedOrder).decode
_draft, _drafts = decoder(DraftAnswer).decode, decoder(DraftList).decode
_order, _orders, _diff = decoder(OrderAnswer).decode, decoder(OrderList).decode, decoder(Diff).decode
_operation, _session, _sessions = decoder(Operation).decode, decoder(Session).decode, decoder(Sessions).decode
_authorizations, _captures = decoder(Authorizations).decode, decoder(Captures).decode
_refunds, _cancellations = decoder(Refunds).decode, decoder(Cancellations).decode
_feed = decoder(Feed).decode
_event, _events, _comment = decoder(ServiceEvent).decode, decoder(Events).decode, decoder(Comment).decode
