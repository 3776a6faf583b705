"""Order items, and the amounts that the rules read of them."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from ordre.api.wire.common import (
    Amount,
    Currency,
    DateTime,
    FieldError,
    Id,
    LineId,
    Maybe,
    Metadata,
    Number,
    ShortText,
    Size,
    Text,
    Wire,
    frozen,
    given,
    without_nulls,
    word,
)
from ordre.api.wire.people import ItemStore
from ordre.domain.commands import ItemChange
from ordre.domain.draft import DraftItem
from ordre.domain.lines import PricedItem, line_of
from ordre.domain.money import DIGITS

DiscountType = Annotated[str, word("customer", "periodic", "manual", "loyalty", "total", "employee", "external")]
Quantity = Annotated[Number, Meta(extra_json_schema={"minimum": 0})]


class TaxLine(Wire):
    """Recorded as sent: shops round tax in different ways. Checked for the line's sign and for not exceeding its gross."""

    amount: Amount
    percentage: Maybe[Number] = UNSET
    amount_dwh: Maybe[ShortText] = UNSET
    exempt: Maybe[bool] = UNSET
    included_in_price: Maybe[bool] = UNSET
    tax_basis: Maybe[Amount] = UNSET
    tax_basis_dwh: Maybe[ShortText] = UNSET
    tax_code: Maybe[ShortText] = UNSET
    tax_group: Maybe[ShortText] = UNSET


class Group(Wire):
    id: Maybe[ShortText] = UNSET
    name: Maybe[ShortText] = UNSET


class Dimension(Wire):
    color: Maybe[ShortText] = UNSET
    size: Maybe[ShortText] = UNSET
    style: Maybe[ShortText] = UNSET
    config: Maybe[ShortText] = UNSET
    variant: Maybe[ShortText] = UNSET


class DiscountLine(Wire):
    """A discount by its size: it takes the line's amount towards zero, whatever the line's sign."""

    amount: Size
    percentage: Maybe[Number] = UNSET
    discount_type: Maybe[DiscountType] = UNSET
    discount_subtype: Maybe[ShortText] = UNSET
    discount_id: Maybe[ShortText] = UNSET
    description: Maybe[Text] = UNSET
    line_id: Maybe[LineId] = UNSET


class Addition(Wire):
    """Part of the line's gross amount, not on top of it."""

    id: Maybe[ShortText] = UNSET
    description: Maybe[Text] = UNSET
    quantity: Maybe[Number] = UNSET
    gross_amount: Maybe[Amount] = UNSET
    groups: Maybe[list[Group]] = UNSET


class RelatedItem(Wire):
    line_id: Maybe[LineId] = UNSET
    type: Maybe[ShortText] = UNSET


class DynamicPayout(Wire):
    rule_type: Maybe[ShortText] = UNSET
    rule_id: Maybe[ShortText] = UNSET


class PayoutNode(Wire):
    """A node of a payout tree."""

    type: Maybe[ShortText] = UNSET
    value: Maybe[ShortText] = UNSET
    amount: Maybe[Amount] = UNSET
    destination: Maybe[ShortText] = UNSET
    destinations: "Maybe[list[PayoutNode]]" = UNSET


class Payout(Wire):
    destinations: Maybe[list[PayoutNode]] = UNSET


class Conversion(Wire):
    """What an amount was in another currency. Recorded, never applied."""

    original_currency: Maybe[Currency] = UNSET
    original_gross_amount: Maybe[Amount] = UNSET
    conversion_rate_ppm: Maybe[Size] = UNSET
    conversion_rate_timestamp: Maybe[DateTime] = UNSET
    conversion_rate_source: Maybe[ShortText] = UNSET

    def __post_init__(self) -> None:
        super().__post_init__()
        if (currency := given(self.original_currency)) is not None and currency not in DIGITS:
            raise FieldError("original_currency", f"Must be a current ISO 4217 currency, is {currency!r}")


class ItemDetails(Conversion):
    """What an item may say beside its identity and its gross amount."""

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
    manual_payout: Maybe[Metadata] = UNSET
    payout: Maybe[Payout] = UNSET

    def __post_init__(self) -> None:
        super().__post_init__()
        if (quantity := given(self.quantity)) is not None and quantity < 0:
            raise FieldError("quantity", f"Must not be negative, is {quantity}; the amounts carry the sign")


class NewItem(ItemDetails, kw_only=True):
    """An item of a draft or of a new order."""

    id: Id
    line_id: LineId
    gross_amount: Amount
    tax_lines: list[TaxLine]


class ChangedItem(ItemDetails, kw_only=True):
    """New values for the item with this ``line_id``; what is left out stays."""

    line_id: LineId
    id: Id | UnsetType = UNSET
    gross_amount: Amount | UnsetType = UNSET
    net_amount: Amount | UnsetType = UNSET
    quantity: Quantity | UnsetType = UNSET
    tax_lines: list[TaxLine] | UnsetType = UNSET


class Item(NewItem, kw_only=True):
    """An item as answered."""

    version: int | UnsetType = UNSET


class LinePayments(Wire, kw_only=True):
    """What successful operations add up to on this line, and what remains of it. Computed, never stored."""

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
    """An item of an order, as answered."""

    payment_details: LinePayments


class ItemStatus(Wire):
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
        taxes=tuple(tax.amount for tax in item.tax_lines),
    )


def shown_item(item: NewItem, amounts: PricedItem, version: int) -> dict[str, str]:
    """Return what the item shows, with what the client may leave out filled in."""
    fields = without_nulls(frozen(item))
    fields.setdefault("quantity", "1")
    return {**fields, "net_amount": str(line_of(amounts).net), "version": str(version)}


def draft_item(item: NewItem, version: int) -> DraftItem:
    """Return the item for a draft."""
    amounts = priced(item)
    return DraftItem(priced=amounts, store_id=store_id(item), fields=shown_item(item, amounts, version))


def item_change(item: ChangedItem) -> ItemChange:
    """Return the new values for a line of an order."""
    taxes = given(item.tax_lines) or []
    return ItemChange(
        line_id=item.line_id,
        fields=frozen(item),
        gross=given(item.gross_amount),
        net=given(item.net_amount),
        discounts=_discounts(item),
        additions=_additions(item),
        taxes=tuple(tax.amount for tax in taxes),
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


def _additions(item: ItemDetails) -> tuple[int, ...]:
    return tuple(given(addition.gross_amount) or 0 for addition in given(item.additions) or ())
