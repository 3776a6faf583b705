"""Order items, and the amounts that the rules read of them."""

from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from ordre.api.wire.common import (
    Amount,
    AnyJson,
    FieldError,
    Id,
    LineId,
    Maybe,
    Metadata,
    ShortText,
    Text,
    Wire,
    given,
    json_fields,
    without_nulls,
)
from ordre.api.wire.item_parts import (
    Addition,
    Conversion,
    Dimension,
    DiscountLine,
    DynamicPayout,
    Group,
    Payout,
    Quantity,
    RelatedItem,
    TaxLine,
)
from ordre.api.wire.parties import ItemStore
from ordre.domain.draft import DraftItem
from ordre.domain.lines import PricedItem, line_of
from ordre.domain.order.placing import ItemChange


class ItemDetails(Conversion):
    """What an item may say beside its identity and its gross amount.

    Attributes:
        net_amount: The line's gross amount less its discounts. Left out, it is computed; sent and different, the
            request is refused
        quantity: How many pieces; may be a fraction. Amounts are the line's, whatever the quantity. Left out, it is 1
        status: The shop's own word for how far the item is
        metadata: Anything of yours, a JSON object of at most 16 KiB
        groups: Groups that the item belongs to
        description: The text for people
        description_alias: A shorter text, as for a receipt
        is_changed: Whether a discount was applied to the gross amount
        eligible_for_discount: Whether discounts may be given on it
        dimension: What tells variants of the item apart
        discount_lines: What was taken off the gross amount
        additions: What the gross amount is made of besides the item itself; together no more than it
        store: The store that sells this item; `split_draft` makes an order for each
        external_id: The item's id in another system; lists find the order by it
        related_item: Another line of the order that this one belongs to, or takes back
        salesperson_id: Who sold it
        salesperson_name: The name of who sold it
        comment: A remark for people
        reversed_reason: Why this line takes an earlier one back
        dynamic_payout: The rule that shares out the payout
        manual_payout: A payout of your own making, of any shape, kept as it was sent
        payout: Who the line's amount is paid out to
    """

    net_amount: Maybe[Amount] = UNSET
    quantity: Maybe[Quantity] = UNSET
    status: Maybe[ShortText] = UNSET
    metadata: Maybe[Metadata] = UNSET
    groups: Maybe[list[Group]] = UNSET
    description: Maybe[Text] = UNSET
    description_alias: Maybe[Text] = UNSET
    is_changed: Maybe[bool] = UNSET
    eligible_for_discount: Maybe[bool] = UNSET
    dimension: Maybe[Dimension] = UNSET
    discount_lines: Maybe[list[DiscountLine]] = UNSET
    additions: Maybe[list[Addition]] = UNSET
    store: Maybe[ItemStore] = UNSET
    external_id: Maybe[ShortText] = UNSET
    related_item: Maybe[RelatedItem] = UNSET
    salesperson_id: Maybe[ShortText] = UNSET
    salesperson_name: Maybe[ShortText] = UNSET
    comment: Maybe[Text] = UNSET
    reversed_reason: Maybe[Text] = UNSET
    dynamic_payout: Maybe[DynamicPayout] = UNSET
    manual_payout: AnyJson | UnsetType = UNSET
    payout: Maybe[Payout] = UNSET

    def __post_init__(self) -> None:
        super().__post_init__()
        if (quantity := given(self.quantity)) is not None and quantity < 0:
            raise FieldError("quantity", f"Must not be negative, is {quantity}; the amounts carry the sign")


class NewItem(ItemDetails, kw_only=True):
    """An item of a draft or of a new order.

    Attributes:
        id: The article's id or number in the shop
        line_id: The line's number, one of its own on the order; operations name it
        gross_amount: What the whole line costs before discounts, tax included: all pieces together, not one piece.
            Negative on a line that takes another back
        tax_lines: The taxes of the line, recorded as they are sent
    """

    id: Id
    line_id: LineId
    gross_amount: Amount
    tax_lines: Maybe[list[TaxLine]] = UNSET


class ChangedItem(ItemDetails, kw_only=True):
    """New values for the item with this ``line_id``; what is left out stays.

    Attributes:
        id: The article's id or number in the shop
        line_id: The line to change
        gross_amount: What the whole line costs before discounts. Refused once the line has a payment operation
        net_amount: Gross less discounts; sent and different from that, the request is refused
        quantity: How many pieces; may be a fraction
        tax_lines: The taxes of the line, in the place of those before
    """

    line_id: LineId
    id: Id | UnsetType = UNSET
    gross_amount: Amount | UnsetType = UNSET
    net_amount: Amount | UnsetType = UNSET
    quantity: Quantity | UnsetType = UNSET
    tax_lines: Maybe[list[TaxLine]] = UNSET


class Item(NewItem, kw_only=True):
    """An item as answered.

    Attributes:
        version: The version of the order or draft that wrote the item
    """

    tax_lines: list[TaxLine]
    version: int | UnsetType = UNSET


class LinePayments(Wire, kw_only=True):
    """What successful operations add up to on this line, and what remains of it. Computed, never stored.

    Attributes:
        authorized_amount: What is authorized, the cancelled part of it too. In minor units, with the line's sign, as all here
        captured_amount: What is captured
        refunded_amount: What is refunded
        cancelled_amount: What is cancelled of what was authorized
        remaining_authorization_amount: What remains to be authorized: net less what is authorized and not cancelled
        remaining_capture_amount: What remains to be captured: authorized less captured and cancelled
        remaining_refund_amount: What remains to be refunded: captured less refunded
        remaining_cancellation_amount: What remains to be cancelled: authorized less captured and cancelled
        amount_due: What the customer still owes for the line: net less captured; 0 on a cancelled order
    """

    authorized_amount: int
    captured_amount: int
    refunded_amount: int
    cancelled_amount: int
    remaining_authorization_amount: int
    remaining_capture_amount: int
    remaining_refund_amount: int
    remaining_cancellation_amount: int
    amount_due: int


class OrderItem(Item, kw_only=True):
    """An item of an order, as answered.

    Attributes:
        payment_details: What was recorded of the line, and what remains of it
    """

    payment_details: LinePayments


class ItemStatus(Wire):
    """The status of one line.

    Attributes:
        line_id: The line
        status: The shop's own word for how far the item is
    """

    line_id: LineId
    status: ShortText


def priced(item: NewItem) -> PricedItem:
    """Return the item's amounts."""
    return PricedItem(
        line_id=item.line_id,
        gross=item.gross_amount,
        discounts=_discounts(item) or (),
        net=given(item.net_amount),
        additions=_additions(item),
        taxes=_taxes(item.tax_lines),
    )


def shown_item(item: NewItem, amounts: PricedItem, version: int) -> dict[str, str]:
    """Return the fields that the item shows, with defaults for those that the client left out."""
    fields = without_nulls(json_fields(item))
    fields.setdefault("quantity", "1")
    fields.setdefault("tax_lines", "[]")
    return {**fields, "net_amount": str(line_of(amounts).net), "version": str(version)}


def draft_item(item: NewItem, version: int) -> DraftItem:
    """Return the item for a draft."""
    amounts = priced(item)
    return DraftItem(priced=amounts, store_id=store_id(item), fields=shown_item(item, amounts, version))


def item_change(item: ChangedItem) -> ItemChange:
    """Return the new values for a line of an order."""
    fields = json_fields(item)
    if item.tax_lines is None:
        fields = {**fields, "tax_lines": "[]"}
    return ItemChange(
        line_id=item.line_id,
        fields=fields,
        gross=given(item.gross_amount),
        net=given(item.net_amount),
        discounts=_discounts(item),
        additions=_additions(item),
        taxes=_taxes(item.tax_lines),
    )


def store_id(item: ItemDetails) -> str | None:
    """Return the id of the item's own store."""
    store = given(item.store)
    return None if store is None else given(store.id)


def item_stores(items: Sequence[ItemDetails]) -> tuple[str, ...]:
    """Return the ids of the stores that the items name."""
    return tuple(dict.fromkeys(store for item in items if (store := store_id(item)) is not None))


def _discounts(item: ItemDetails) -> tuple[tuple[int, bool], ...] | None:
    if isinstance(item.discount_lines, UnsetType):
        return None
    return tuple((line.amount, line.discount_type == "manual") for line in item.discount_lines or ())


def _taxes(lines: Maybe[list[TaxLine]]) -> tuple[int, ...]:
    return tuple(given(line.amount) or 0 for line in given(lines) or ())


def _additions(item: ItemDetails) -> tuple[int, ...]:
    return tuple(given(addition.gross_amount) or 0 for addition in given(item.additions) or ())
