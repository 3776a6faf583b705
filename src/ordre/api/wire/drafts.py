"""Drafts: what a client writes, to the domain; what is answered."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType, field

from ordre.api.wire.common import (
    NO_CONTROLS,
    PRINTABLE,
    AnyJson,
    Currency,
    DateTime,
    Link,
    Maybe,
    OrderId,
    Uuid,
    Wire,
    given,
    instant,
    json_fields,
    json_text,
    object_text,
    order_links,
    whole,
    without_nulls,
)
from ordre.api.wire.events import ApiEvent, api_event
from ordre.api.wire.items import Item, NewItem, draft_item
from ordre.api.wire.orders import READ_BY_RULES, OrderFields, about_change
from ordre.application.change import DraftEvent, HeldDraft
from ordre.domain.draft import Draft, Options, OrderIdStyle, Sketch, not_taken_over
from ordre.domain.order.parts import About, JsonFields


class DraftOptions(Wire):
    """What completing the draft does.

    Attributes:
        generate_order_id: Make a short `order_id`: nine capital letters and digits, none of which is easily mistaken
        order_id: The existing order that the items are added to
        split_draft: Make an order for each store that the items name. Left out, false
        replace: With `order_id`: take the place of everything in that order, which must not have a payment operation
            yet
        payout: How payouts are made, kept as it is
        serial_order_number_suffix: Give the order the account's next number, and put this behind it. Numbers may have
            gaps
    """

    generate_order_id: Maybe[Literal["ALPHANUMERIC_9"]] = UNSET
    order_id: Maybe[OrderId] = UNSET
    split_draft: Maybe[bool] = UNSET
    replace: Maybe[Literal["order"]] = UNSET
    payout: AnyJson | UnsetType = UNSET
    serial_order_number_suffix: Maybe[Annotated[str, Meta(max_length=40, pattern=whole(f"{PRINTABLE}*"), extra=NO_CONTROLS)]] = (
        UNSET
    )


class NewDraftOrder(OrderFields, kw_only=True):
    """The order that the draft is to become. Items may be added later.

    Attributes:
        currency: The currency of every amount
        items: The lines so far
    """

    currency: Currency
    items: Maybe[list[NewItem]] = UNSET


class DraftOrderChange(OrderFields, kw_only=True):
    """New values for the drafted order; what is left out stays, null takes away, ``items`` replaces all of them.

    Attributes:
        currency: The currency of every amount
        items: The lines, in the place of those before
    """

    currency: Maybe[Currency] = UNSET
    items: Maybe[list[NewItem]] = UNSET


class NewDraft(Wire, kw_only=True):
    """A draft order to be made.

    Attributes:
        order: The order to be
        options: What completing does
    """

    order: NewDraftOrder
    options: Maybe[DraftOptions] = UNSET


class DraftChange(Wire):
    """New values for a draft; what is left out stays.

    Attributes:
        order: New values for the order to be
        options: What completing does, in the place of what was said before
    """

    order: Maybe[DraftOrderChange] = UNSET
    options: Maybe[DraftOptions] = UNSET


class Completion(Wire):
    """Completing takes no field."""


class DraftedOrder(OrderFields, kw_only=True):
    """The order that a draft describes.

    Attributes:
        currency: The currency of every amount
        gross_amount: The sum of the lines before discounts
        net_amount: The sum of the lines after discounts
        total_discount: All discounts together, as a size
        total_manual_discount_amount: Those given by hand (`discount_type` `manual`), as a size
        items: The lines so far
    """

    currency: Currency
    gross_amount: int
    net_amount: int
    total_discount: int
    total_manual_discount_amount: int
    items: list[Item]


class DraftAnswer(Wire, kw_only=True):
    """A draft order.

    Attributes:
        id: The draft's id
        version: How often the draft was written; `If-Match` names it
        status: Open until it is completed or deleted
        order: The order to be
        options: What completing does
        events: The latest changes of the draft, oldest first: at most 20, of 64 KiB together; the last one in any case
        created_at: When the draft was made
        created_by: The id of the client that made it
        updated_at: When it last changed
        deleted_at: When it was deleted
        deleted_by: The id of the client that deleted it
        order_ids: The `order_id` of each order that completing it made or changed
        not_taken_over: What the order that `options.order_id` names does not take over when the draft is completed, as paths
        links: Where to find the orders that completing it made or changed: one link to each, `rel` is `order`
    """

    id: Uuid
    version: int
    status: Literal["open", "completed", "deleted"]
    order: DraftedOrder
    options: DraftOptions
    events: list[ApiEvent]
    created_at: DateTime
    created_by: str
    updated_at: DateTime
    deleted_at: DateTime | UnsetType = UNSET
    deleted_by: str | UnsetType = UNSET
    order_ids: list[str] | UnsetType = UNSET
    not_taken_over: list[str] | UnsetType = UNSET
    links: list[Link] | UnsetType = field(name="_links", default=UNSET)


class DraftList(Wire, kw_only=True):
    """A page of drafts.

    Attributes:
        draft_orders: The page's drafts, newest first
    """

    draft_orders: list[DraftAnswer]


def sketch(draft: NewDraft) -> tuple[Sketch, Options, JsonFields]:
    """Return the sketch of a new draft, its options, and the options as they are shown."""
    order = draft.order
    items = given(order.items) or []
    described = Sketch(
        currency=order.currency,
        items=tuple(draft_item(item, 1) for item in items),
        fields=without_nulls(json_fields(order, *READ_BY_RULES)),
        about=About(**about_change(order)),
        order_id=given(order.order_id),
        order_number=given(order.order_number),
        multiple_authorizations=given(order.multiple_authorizations) or False,
        gross=given(order.gross_amount),
        net=given(order.net_amount),
    )
    return described, *_options(given(draft.options))


def sketch_after(change: DraftChange, draft: Draft) -> tuple[Sketch, Options, JsonFields]:
    """Return the same after a change of an existing draft."""
    options = (draft.options, draft.shown_options)
    if not isinstance(change.options, UnsetType):
        options = _options(change.options)
    order, before = given(change.order), draft.sketch
    if order is None:
        return replace(before, gross=None, net=None), *options
    items = before.items
    if not isinstance(order.items, UnsetType):
        items = tuple(draft_item(item, draft.version + 1) for item in order.items or ())
    after = replace(
        before,
        items=items,
        currency=given(order.currency) or before.currency,
        fields=without_nulls({**before.fields, **json_fields(order, *READ_BY_RULES)}),
        about=replace(before.about, **about_change(order)),
        order_id=before.order_id if isinstance(order.order_id, UnsetType) else order.order_id,
        order_number=before.order_number if isinstance(order.order_number, UnsetType) else order.order_number,
        multiple_authorizations=_or(given(order.multiple_authorizations), before.multiple_authorizations),
        gross=given(order.gross_amount),
        net=given(order.net_amount),
    )
    return after, *options


def draft_text(account_id: str, names: Mapping[str, str], held: HeldDraft) -> str:
    """Return the draft as it is answered; ``names`` are those of the account's clients, by id."""
    draft = held.draft
    events = [draft_event(draft, event, names) for event in held.events]
    fields = {
        "id": json_text(draft.id),
        "version": str(draft.version),
        "status": json_text(draft.status.value),
        "order": _order_text(draft),
        "options": object_text(draft.shown_options),
        "events": f"[{','.join(events)}]",
        "created_at": json_text(instant(draft.created.at)),
        "created_by": json_text(draft.created.by),
        "updated_at": json_text(instant(draft.updated_at)),
    }
    if draft.deleted is not None:
        fields["deleted_at"] = json_text(instant(draft.deleted.at))
        fields["deleted_by"] = json_text(draft.deleted.by)
    if left := not_taken_over(draft):
        fields["not_taken_over"] = json_text(left)
    if draft.orders:
        ids = [id_ for id_, _ in draft.orders]
        fields["order_ids"] = json_text(draft.order_ids or ids)
        fields["_links"] = json_text(order_links(account_id, ids))
    return object_text(fields)


def draft_event(draft: Draft, event: DraftEvent, names: Mapping[str, str]) -> str:
    """Return one of the draft's events as it is answered."""
    return api_event(draft.id, event.version, event.at, event.by, event.event, names.get(event.by))


def _order_text(draft: Draft) -> str:
    order, sums = draft.sketch, draft.totals
    fields = {
        "currency": json_text(order.currency),
        "gross_amount": str(sums.gross),
        "net_amount": str(sums.net),
        "total_discount": str(sums.discount),
        "total_manual_discount_amount": str(sums.manual_discount),
        **order.fields,
    }
    if order.order_id is not None:
        fields["order_id"] = json_text(order.order_id)
    if order.order_number is not None:
        fields["order_number"] = json_text(order.order_number)
    if order.multiple_authorizations:
        fields["multiple_authorizations"] = "true"
    fields["items"] = f"[{','.join(object_text(item.fields) for item in order.items)}]"
    return object_text(fields)


def _options(options: DraftOptions | None) -> tuple[Options, JsonFields]:
    if options is None:
        return Options(), {}
    style = given(options.generate_order_id)
    read = Options(
        generate_order_id=None if style is None else OrderIdStyle(style),
        target=given(options.order_id),
        split=given(options.split_draft) or False,
        replaces=given(options.replace) is not None,
        serial_suffix=given(options.serial_order_number_suffix),
    )
    return read, without_nulls(json_fields(options))


def _or(value: bool | None, otherwise: bool) -> bool:
    return otherwise if value is None else value
