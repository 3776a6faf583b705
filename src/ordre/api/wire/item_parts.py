"""What an item is made of besides its amounts: tax lines, discounts, additions, groups, and what it says of another."""

from typing import Annotated

from msgspec import UNSET, Meta

from ordre.api.wire.common import (
    Amount,
    AnyJson,
    Currency,
    DateTime,
    FieldError,
    LineId,
    Maybe,
    Number,
    ShortText,
    Size,
    Text,
    Wire,
    given,
    word,
)
from ordre.domain.money import DIGITS

DiscountType = Annotated[str, word("customer", "periodic", "manual", "loyalty", "total", "employee", "external")]
Quantity = Annotated[Number, Meta(extra_json_schema={"minimum": 0})]


class TaxLine(Wire):
    """Recorded as sent: shops round tax in different ways. Its amount is on the line's side of zero and not above its gross.

    Attributes:
        amount: The tax of the line, on the line's side of zero. It may be left out
        percentage: The rate, such as 25 for 25 %
        amount_dwh: The tax with more digits, as text, for a data warehouse
        exempt: Whether the line is exempt from this tax
        included_in_price: Whether the gross amount holds the tax already
        tax_basis: The amount that the tax is computed on, without the tax
        tax_basis_dwh: The same with more digits, as text, for a data warehouse
        tax_code: The shop's own code of the tax
        tax_group: The shop's own group of the tax
    """

    amount: Maybe[Amount] = UNSET
    percentage: Maybe[Number] = UNSET
    amount_dwh: Maybe[ShortText] = UNSET
    exempt: Maybe[bool] = UNSET
    included_in_price: Maybe[bool] = UNSET
    tax_basis: Maybe[Amount] = UNSET
    tax_basis_dwh: Maybe[ShortText] = UNSET
    tax_code: Maybe[ShortText] = UNSET
    tax_group: Maybe[ShortText] = UNSET


class Group(Wire):
    """A group that an item belongs to.

    Attributes:
        id: The group's id
        name: The group's name
    """

    id: Maybe[ShortText] = UNSET
    name: Maybe[ShortText] = UNSET


class Dimension(Wire):
    """What tells variants of an item apart.

    Attributes:
        color: Color
        size: Size
        style: Style
        config: Configuration
        variant: Variant
    """

    color: Maybe[ShortText] = UNSET
    size: Maybe[ShortText] = UNSET
    style: Maybe[ShortText] = UNSET
    config: Maybe[ShortText] = UNSET
    variant: Maybe[ShortText] = UNSET


class DiscountLine(Wire):
    """A discount by its size: it takes the line's amount towards zero, whatever the line's sign.

    Attributes:
        amount: How much is taken off the line, as a size: it takes the amount towards zero, whatever the line's sign
        percentage: The discount in percent; the amount counts
        discount_type: Why it was given; `manual` is added up in `total_manual_discount_amount`
        discount_subtype: A finer word for why
        discount_id: The id of the campaign or rule behind it
        description: The text for people
        line_id: The discount's own number inside the line
    """

    amount: Size
    percentage: Maybe[Number] = UNSET
    discount_type: Maybe[DiscountType] = UNSET
    discount_subtype: Maybe[ShortText] = UNSET
    discount_id: Maybe[ShortText] = UNSET
    description: Maybe[Text] = UNSET
    line_id: Maybe[LineId] = UNSET


class Addition(Wire):
    """Part of the line's gross amount, not on top of it.

    Attributes:
        id: The addition's id, such as that of an extra topping
        description: The text for people
        quantity: How many of it
        gross_amount: Its part of the line's gross amount
        groups: Groups that it belongs to
    """

    id: Maybe[ShortText] = UNSET
    description: Maybe[Text] = UNSET
    quantity: Maybe[Number] = UNSET
    gross_amount: Maybe[Amount] = UNSET
    groups: Maybe[list[Group]] = UNSET


class RelatedItem(Wire):
    """Another line of the order.

    Attributes:
        line_id: The line that this one belongs to, or takes back: of the order, or of the same request
        type: How they belong together: `reversed` takes the other line back, `required` comes with it
    """

    line_id: Maybe[LineId] = UNSET
    type: Maybe[ShortText] = UNSET


class DynamicPayout(Wire):
    """A rule that shares out a payout.

    Attributes:
        rule_type: The kind of rule that shares out the payout
        rule_id: The rule's id
    """

    rule_type: Maybe[ShortText] = UNSET
    rule_id: Maybe[ShortText] = UNSET


class Payout(Wire):
    """How a line's amount is paid out.

    Attributes:
        destinations: Who is paid: a tree of any shape, such as `{"type", "value", "amount", "destinations"}`, kept as it was sent
    """

    destinations: Maybe[list[AnyJson]] = UNSET


class Conversion(Wire):
    """What an amount was in another currency. Recorded, never applied.

    Attributes:
        original_currency: The currency that the amount was first in
        original_gross_amount: The amount in that currency, in its own minor units
        conversion_rate_ppm: The rate that was used, in millionths
        conversion_rate_timestamp: When the rate held
        conversion_rate_source: Where the rate is from
    """

    original_currency: Maybe[Currency] = UNSET
    original_gross_amount: Maybe[Amount] = UNSET
    conversion_rate_ppm: Maybe[Size] = UNSET
    conversion_rate_timestamp: Maybe[DateTime] = UNSET
    conversion_rate_source: Maybe[ShortText] = UNSET

    def __post_init__(self) -> None:
        super().__post_init__()
        if (currency := given(self.original_currency)) is not None and currency not in DIGITS:
            raise FieldError("original_currency", f"Must be a current ISO 4217 currency, is {currency!r}")
