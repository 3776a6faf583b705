"""Orders: what a client may write, to commands; what is answered."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from ordre.api.wire.common import (
    EXPECTED,
    Amount,
    Currency,
    DateTime,
    Id,
    LineId,
    Maybe,
    Metadata,
    Number,
    OrderId,
    ShortText,
    Text,
    Wire,
    given,
    json_fields,
    without_nulls,
    word,
)
from ordre.api.wire.items import ChangedItem, ItemStatus, NewItem, item_change, item_stores, priced, shown_item
from ordre.api.wire.parties import Address, Customer, OrderStore
from ordre.api.wire.travel import Attachment, ExternalId, Leg
from ordre.domain.order.lifecycle import Cancel
from ordre.domain.order.parts import About, AboutChange, Content, Reason
from ordre.domain.order.placing import Place, Update


class DiscountUse(Wire):
    """What a discount took off one line.

    Attributes:
        line_id: The line
        amount: What was taken off it
    """

    line_id: Maybe[LineId] = UNSET
    amount: Maybe[Amount] = UNSET


class DiscountStatistics(Wire):
    """How a discount was used so far.

    Attributes:
        amount: How much was saved so far
        stamp: How many stamps were collected
        usage: How often it was used
    """

    amount: Maybe[Number] = UNSET
    stamp: Maybe[Number] = UNSET
    usage: Maybe[Number] = UNSET


class DiscountRef(Wire):
    """A discount that was used on the order.

    Attributes:
        id: The discount's id
        amount: What it took off the order
        statistics: How it was used so far
        stamp: How many stamps it gave
        usages: How often it was used on the order
        items: The lines that it was used on
    """

    id: Maybe[ShortText] = UNSET
    amount: Maybe[Amount] = UNSET
    statistics: Maybe[DiscountStatistics] = UNSET
    stamp: Maybe[Number] = UNSET
    usages: Maybe[Number] = UNSET
    items: Maybe[list[DiscountUse]] = UNSET


class Discount(Wire):
    """Discounts that were used together.

    Attributes:
        id: The id of the group of discounts
        refs: The discounts that were used
    """

    id: Maybe[ShortText] = UNSET
    refs: Maybe[list[DiscountRef]] = UNSET


class ExternalLink(Wire):
    """A link to a page about the order elsewhere.

    Attributes:
        text: The text of the link
        href: Where it leads
        public: Whether the customer may see it
    """

    text: Maybe[ShortText] = UNSET
    href: Maybe[Text] = UNSET
    public: Maybe[bool] = UNSET


_SECONDS = {EXPECTED: "a whole number of seconds"}
TimeToLive = Annotated[int, Meta(ge=86_400, le=10**10, description="Seconds, counted from updated_at", extra=_SECONDS)]
Visibility = Annotated[str, word("private", "public")]
OrderComment = Annotated[str, Meta(max_length=255)]


class OrderFields(Wire):
    """What a client may write of an order, whether it is new, changed or drafted.

    Attributes:
        customer: Who ordered
        gross_amount: The sum of the lines before discounts. Left out, it is computed; sent and different, the request
            is refused
        net_amount: The sum of the lines after discounts: what the customer pays. Left out, it is computed; sent and
            different, the request is refused
        shipping_address: Where to send the goods
        billing_address: Where to send the bill
        metadata: Anything of yours, a JSON object of at most 16 KiB; lists find orders by `metadata.<key>`
        comment: A remark about the order, for people
        salesperson_id: Who sold it
        salesperson_name: The name of who sold it
        delivery_at: When the customer wants it delivered; left out, as soon as possible
        pickup_at: When the courier is to pick it up
        courier_id: The courier
        delivery_id: The courier's id of the delivery
        pre_order: Whether delivery is wanted later, see `delivery_at`
        time_to_live: How long the order is kept after its last change; then it is erased. Left out, it is kept
        itinerary: The journey, leg by leg
        external_ids: What the order is called in other systems; kept when it is erased
        type: The shop's own word for the kind of order
        order_number: A number for people; lists find the order by it
        order_id: The order's id of your choice, one of its own in the account. Left out, the order's `id`
        multiple_authorizations: Whether a line may have several authorizations at once; captures, refunds and
            cancellations then name theirs. Left out, false
        discounts: Discounts that were used, for reference; amounts stand in the items' `discount_lines`
        store: The store that sells
        external_links: Links to pages about the order elsewhere
        attachments: Reservations of a travel order
    """

    customer: Maybe[Customer] = UNSET
    gross_amount: Maybe[Amount] = UNSET
    net_amount: Maybe[Amount] = UNSET
    shipping_address: Maybe[Address] = UNSET
    billing_address: Maybe[Address] = UNSET
    metadata: Maybe[Metadata] = UNSET
    comment: Maybe[OrderComment] = UNSET
    salesperson_id: Maybe[ShortText] = UNSET
    salesperson_name: Maybe[ShortText] = UNSET
    delivery_at: Maybe[DateTime] = UNSET
    pickup_at: Maybe[DateTime] = UNSET
    courier_id: Maybe[ShortText] = UNSET
    delivery_id: Maybe[ShortText] = UNSET
    pre_order: Maybe[bool] = UNSET
    time_to_live: Maybe[TimeToLive] = UNSET
    itinerary: Maybe[list[Leg]] = UNSET
    external_ids: Maybe[list[ExternalId]] = UNSET
    type: Maybe[ShortText] = UNSET
    order_number: Maybe[Id] = UNSET
    order_id: Maybe[OrderId] = UNSET
    multiple_authorizations: Maybe[bool] = UNSET
    discounts: Maybe[list[Discount]] = UNSET
    store: Maybe[OrderStore] = UNSET
    external_links: Maybe[list[ExternalLink]] = UNSET
    attachments: Maybe[list[Attachment]] = UNSET


READ_BY_RULES = ("gross_amount", "net_amount", "order_number", "order_id", "multiple_authorizations", "currency", "items")
"""Fields that the rules read; what is shown of them comes from the order itself."""


class NewOrder(OrderFields, kw_only=True):
    """An order made directly.

    Attributes:
        currency: The currency of every amount of the order
        items: The lines, at least one
    """

    currency: Currency
    items: Annotated[list[NewItem], Meta(min_length=1)]


class OrderChange(OrderFields):
    """New values for an order; what is left out stays, null takes away. Items are found by ``line_id``.

    Attributes:
        currency: The currency; refused where it differs from the order's
        items: New values for these lines; the others stay
    """

    currency: Maybe[Currency] = UNSET
    items: Maybe[list[ChangedItem]] = UNSET


class ItemStatuses(Wire):
    """A status for each of some lines.

    Attributes:
        items: The lines, and the status of each
    """

    items: Annotated[list[ItemStatus], Meta(min_length=1)]


class Cancellation(Wire):
    """Why an order is cancelled.

    Attributes:
        cancelled_reason: Why the order is cancelled
    """

    cancelled_reason: Literal["customer", "declined", "other"] | None = "other"


class NewComment(Wire):
    """A comment to be added.

    Attributes:
        body: The text
        visibility: Whether the customer may read it
    """

    body: Annotated[str, Meta(min_length=1, max_length=4_000)]
    visibility: Visibility | None = "private"


def place_order(order: NewOrder, id_: str) -> Place:
    """Return the command that makes the order under this id."""
    amounts = tuple(priced(item) for item in order.items)
    shown = {amount.line_id: shown_item(item, amount, 1) for item, amount in zip(order.items, amounts, strict=True)}
    return Place(
        id=id_,
        order_id=given(order.order_id) or id_,
        order_number=given(order.order_number),
        currency=order.currency,
        multiple_authorizations=given(order.multiple_authorizations) or False,
        items=amounts,
        content=Content(fields=without_nulls(json_fields(order, *READ_BY_RULES)), items=shown),
        about=About(**about_change(order), item_store_ids=item_stores(order.items)),
        gross=given(order.gross_amount),
        net=given(order.net_amount),
    )


def update_order(change: OrderChange) -> Update:
    """Return the command that puts the new values in."""
    items = given(change.items) or []
    return Update(
        fields=json_fields(change, *READ_BY_RULES),
        items=tuple(item_change(item) for item in items),
        about=about_change(change),
        order_id=given(change.order_id),
        order_number=given(change.order_number),
        currency=given(change.currency),
        multiple_authorizations=given(change.multiple_authorizations),
        gross=given(change.gross_amount),
        net=given(change.net_amount),
    )


def set_statuses(statuses: ItemStatuses) -> Update:
    """Return the command that gives items a new status and leaves the rest."""
    changes = [ChangedItem(line_id=item.line_id, status=item.status) for item in statuses.items]
    return update_order(OrderChange(items=changes))


def cancel_order(body: Cancellation) -> Cancel:
    """Return the command that cancels, for ``other`` where no reason is given."""
    return Cancel(reason=Reason(body.cancelled_reason) if body.cancelled_reason else Reason.OTHER)


def about_change(order: OrderFields) -> AboutChange:
    """Return the values that lists filter by, of these fields."""
    change = AboutChange()
    if not isinstance(order.customer, UnsetType):
        change["customer_id"] = given(order.customer.id) if order.customer else None
    if not isinstance(order.time_to_live, UnsetType):
        change["time_to_live"] = order.time_to_live
    if not isinstance(order.store, UnsetType):
        change["store_id"] = given(order.store.id) if order.store else None
    return change
