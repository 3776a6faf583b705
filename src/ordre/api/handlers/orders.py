"""Handlers of orders: make, read, list, change, open, close, cancel."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Literal, TypeVar
from urllib.parse import urlencode

from ordre.api.http.answers import pieces
from ordre.api.http.context import Context, Reply
from ordre.api.http.requests import path_of
from ordre.api.wire.answers import in_parts, listed, order_json
from ordre.api.wire.common import given
from ordre.api.wire.events import request_event
from ordre.api.wire.orders import (
    Cancellation,
    ItemStatuses,
    NewOrder,
    OrderChange,
    cancel_order,
    place_order,
    set_statuses,
    update_order,
)
from ordre.api.wire.queries import NoBody, NoQuery, OneOrder, OrderListOf, events_asked, list_query
from ordre.application import erasure
from ordre.application.aside import aside
from ordre.application.change import Outcome
from ordre.application.lists import COUNT_LIMIT, Page
from ordre.application.orders import execute
from ordre.application.views import View
from ordre.domain.order.decide import Command
from ordre.domain.order.lifecycle import Close, Open
from ordre.domain.refusals import InvalidValue, OrderErased, Refused, UnknownOrder

T = TypeVar("T")


async def create(context: Context, order: NewOrder, asked: OneOrder) -> Reply:
    """Place an order without a draft. It needs a currency and one item or more."""
    place = place_order(order, context.new_id())
    outcome = await execute(context.store, context.call, place.order_id, place, limits=context.limits)
    return await changed(context, outcome, asked)


async def read_of_store(context: Context, _: NoBody, asked: OneOrder) -> Reply:
    """An order of the store."""
    view = await current(context)
    if context.path["store_id"] not in view.order.about.store_ids:
        raise Refused(UnknownOrder())
    return await one(context, view, asked)


async def read_of_customer(context: Context, _: NoBody, asked: OneOrder) -> Reply:
    """An order of the customer."""
    view = await current(context)
    if context.path["customer_id"] != view.order.about.customer_id:
        raise Refused(UnknownOrder())
    return await one(context, view, asked)


async def list_all(context: Context, _: NoBody, asked: OrderListOf) -> Reply:
    """The account's orders, newest first, by any filter and by words."""
    return await _list(context, asked)


async def list_of_store(context: Context, _: NoBody, asked: OrderListOf) -> Reply:
    """The orders that the store, or one of whose items, names."""
    return await _list(context, asked, "store_id")


async def list_of_customer(context: Context, _: NoBody, asked: OrderListOf) -> Reply:
    """The orders of the customer."""
    return await _list(context, asked, "customer_id")


async def update(context: Context, change: OrderChange, asked: OneOrder) -> Reply:
    """Change what an order says.

    What is left out stays, `null` takes a field away; amounts of a line with payment operations stand.
    """
    return await _execute(context, update_order(change), asked)


async def set_item_statuses(context: Context, statuses: ItemStatuses, asked: OneOrder) -> Reply:
    """Give items a status, in words of your own."""
    return await _execute(context, set_statuses(statuses), asked)


async def reopen(context: Context, _: NoBody, asked: OneOrder) -> Reply:
    """Open a closed order again. An open one is answered as it is."""
    return await _execute(context, Open(), asked)


async def close(context: Context, _: NoBody, asked: OneOrder) -> Reply:
    """Close an order: money may still leave it, and none may enter. A closed one is answered as it is."""
    return await _execute(context, Close(), asked)


async def cancel(context: Context, cancellation: Cancellation, asked: OneOrder) -> Reply:
    """Cancel an order on which captured less refunded is 0 on every line. Nothing opens it again."""
    return await _execute(context, cancel_order(cancellation), asked)


async def erase(context: Context, _: NoBody, __: NoQuery) -> Reply:
    """Erase an order: everything but its ids and times goes, of every version, for good.

    What the request says beyond its path is not kept.
    """
    call = replace(context.call, event=request_event(context.request.method, path_of(context.request), ""))
    return await changed(context, await erasure.erase(context.store, call, context.order))


async def changed(context: Context, outcome: Outcome, asked: OneOrder | None = None) -> Reply:
    """Return the orders that a write is answered with, each as it was at the version that the write made."""
    context.was_written()
    events = None if asked is None else events_asked(asked.include_events)
    documents, version, names = [], None, await _names(context, events)
    for id_, number in outcome.answer.orders:
        view = await _view_at(context, outcome, id_, number)
        version = view.order.version
        documents.append(await _json(context, view, events, names))
    body = listed("orders", documents) if outcome.answer.many else documents[0]
    return Reply(body=body, version=None if outcome.answer.many else version, replayed=outcome.replayed)


async def _view_at(context: Context, outcome: Outcome, id_: str, version: int) -> View:
    fresh = context.store.new_order(outcome, id_)
    if fresh is not None:
        return fresh
    view = await context.store.order(context.account_id, id_)
    if view is not None and version != view.order.version:
        try:
            view = await context.store.order_at(context.account_id, id_, version)
        except Refused as refused:
            raise Refused(OrderErased()) from refused  # since the write, and before its answer was read
    if view is None:
        raise Refused(UnknownOrder())
    return view


async def _execute(context: Context, command: Command, asked: OneOrder) -> Reply:
    outcome = await execute(context.store, context.call, context.order, command, limits=context.limits)
    return await changed(context, outcome, asked)


async def current(context: Context) -> View:
    """Return the order that the path names."""
    view = await context.store.order(context.account_id, context.order)
    if view is None:
        raise Refused(UnknownOrder())
    return view


async def one(context: Context, view: View, asked: OneOrder) -> Reply:
    """Return an order as the answer, with the events that are asked for."""
    events = events_asked(asked.include_events)
    names = await _names(context, events)
    return Reply(body=await _json(context, view, events, names), version=view.order.version)


async def _json(context: Context, view: View, events: frozenset[str] | None, names: Mapping[str, str]) -> bytes:
    if events is not None:
        view = await context.store.with_events(context.account_id, view, events)
    return await aside(view.size, partial(order_json, context.account_id, view, names))


async def _names(context: Context, events: frozenset[str] | None) -> Mapping[str, str]:
    """Return the names of the account's clients, which events show, where events are asked for."""
    return {} if events is None else await context.names()


async def _list(context: Context, asked: OrderListOf, within: Literal["store_id", "customer_id"] | None = None) -> Reply:
    """Answer a page of the account's orders, or of those of the store or customer that the path names."""
    events = events_asked(asked.include_events)
    query = list_query(asked)
    if within is not None:
        named = context.path[within]
        if given(getattr(asked, within)) not in (None, named):
            raise Refused(InvalidValue(path=within, reason=f"Must be {named!r}, as in the path"))
        query = replace(query, terms=(*query.terms, (within, (named,))))
    page = await context.store.orders(context.account_id, query, events)
    names = await _names(context, events)

    def shown(view: View) -> bytes:
        return order_json(context.account_id, view, names)

    return await paged(context, "orders", page, shown, lambda view: view.order.id)


async def paged(context: Context, name: str, page: Page[T], shown: Callable[[T], bytes], id_of: Callable[[T], str]) -> Reply:
    """Answer a page, each row of it as its JSON; ``name`` is that of the collection."""

    def body_and_last() -> tuple[list[bytes], str | None]:
        documents, last = [], None
        for row in page.rows:
            documents.append(shown(row))
            last = id_of(row)
        return pieces(in_parts(name, documents)), last

    body, last = await aside(page.size, body_and_last)
    return Reply(body=body, headers=page_headers(context, page.more, page.total, last))


def page_headers(context: Context, more: bool, total: int | None, last: str | None) -> dict[str, str]:
    """Return the headers of a page: where the next one is, and how many there are in all, exact up to the limit."""
    headers = {}
    if more and last is not None:
        kept = [(name, value) for name, value in context.request.query_params.multi_items() if name != "starting_after"]
        url = f"{context.base_url}{context.request.scope['path']}"  # as it was quoted
        headers["link"] = f'<{url}?{urlencode([*kept, ("starting_after", last)])}>; rel="next"'
    if total is not None:
        headers["total-count"] = str(total) if total <= COUNT_LIMIT else f"{COUNT_LIMIT}+"
    return headers
