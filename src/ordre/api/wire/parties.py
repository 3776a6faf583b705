"""Customers, addresses and stores."""

from typing import Annotated

from msgspec import UNSET

from ordre.api.wire.common import (
    COUNTRIES,
    Country,
    Date,
    DateTime,
    Email,
    FieldError,
    Id,
    Maybe,
    Metadata,
    Number,
    Phone,
    ShortText,
    Text,
    Wire,
    given,
    word,
)

CustomerType = Annotated[str, word("customer", "company", "contact", "employee", "other")]
AddressType = Annotated[str, word("home", "work", "other", "custom")]


class Place(Wire):
    """An address without a name on it.

    Attributes:
        address_line: Street and number
        address_line_2: The second line of the address
        postal_code: Postal code
        postal_place: Town
        country: The country's code
        latitude: Degrees north
        longitude: Degrees east
    """

    address_line: Maybe[ShortText] = UNSET
    address_line_2: Maybe[ShortText] = UNSET
    postal_code: Maybe[ShortText] = UNSET
    postal_place: Maybe[ShortText] = UNSET
    country: Maybe[Country] = UNSET
    latitude: Maybe[Number] = UNSET
    longitude: Maybe[Number] = UNSET

    def __post_init__(self) -> None:
        if (country := given(self.country)) is not None and country not in COUNTRIES:
            if not country.isascii() or country.upper() not in COUNTRIES:
                raise FieldError("country", f"Must be a country code of ISO 3166-1 of two letters, is {country[:40]!r}")
            self.country = country.upper()


class Address(Place):
    """Where to ship to, or to send the bill to.

    Attributes:
        first_name: The first name of who lives there
        last_name: The last name of who lives there
        comment: A remark for who delivers
    """

    first_name: Maybe[ShortText] = UNSET
    last_name: Maybe[ShortText] = UNSET
    comment: Maybe[Text] = UNSET


class CustomerAddress(Place):
    """An address of a customer.

    Attributes:
        type: What kind of address
        custom_type: A kind of your own
    """

    type: Maybe[AddressType] = UNSET
    custom_type: Maybe[ShortText] = UNSET


class EnrolledBy(Wire):
    """Who or what made somebody a customer.

    Attributes:
        value: Who, or what
        type: What kind of thing enrolled the customer
    """

    value: Maybe[Text] = UNSET
    type: Maybe[ShortText] = UNSET


class Company(Wire):
    """``bussiness_name`` is spelled as the reference spells it.

    Attributes:
        bussiness_name: The company's name
        organization_number: Its number in the register
        department: The department
        industry: What it does
        website: Its website
        number_of_employees: How many work there, as text
    """

    bussiness_name: Maybe[ShortText] = UNSET
    organization_number: Maybe[ShortText] = UNSET
    department: Maybe[ShortText] = UNSET
    industry: Maybe[ShortText] = UNSET
    website: Maybe[Text] = UNSET
    number_of_employees: Maybe[ShortText] = UNSET


class Consent(Wire):
    """Whether a customer agreed to something.

    Attributes:
        consent: Whether the customer agreed
        updated_at: When the customer last said so
    """

    consent: Maybe[bool] = UNSET
    updated_at: Maybe[DateTime] = UNSET


class MarketingConsent(Wire):
    """What a customer agreed to be sent.

    Attributes:
        sms: To text messages
        email: To e-mail
    """

    sms: Maybe[Consent] = UNSET
    email: Maybe[Consent] = UNSET


class Term(Wire):
    """Terms that hold for a customer.

    Attributes:
        id: The id of the terms that hold for the customer
    """

    id: Maybe[ShortText] = UNSET


class Customer(Wire):
    """Who ordered.

    Attributes:
        first_name: First name
        last_name: Last name
        id: The customer's id in the shop; lists find orders by it
        gender: Gender, as the shop writes it
        email: E-mail address; lists find orders by it, whatever its case
        metadata: Anything of yours, a JSON object of at most 16 KiB
        phone_number: Phone number
        addresses: The customer's addresses
        pays_tax: Whether the customer pays tax
        date_of_birth: Date of birth
        enrolled_by: Who or what made this a customer
        favorite_store: The id of the customer's favorite store
        company: The company that the customer is, or buys for
        marketing_consent: What the customer agreed to be sent
        status: The shop's own word for the customer's standing
        term: The terms that hold for the customer
        type: A person or a company
    """

    first_name: Maybe[ShortText] = UNSET
    last_name: Maybe[ShortText] = UNSET
    id: Maybe[Id] = UNSET
    gender: Maybe[ShortText] = UNSET
    email: Maybe[Email] = UNSET
    metadata: Maybe[Metadata] = UNSET
    phone_number: Maybe[Phone] = UNSET
    addresses: Maybe[list[CustomerAddress]] = UNSET
    pays_tax: Maybe[bool] = UNSET
    date_of_birth: Maybe[Date] = UNSET
    enrolled_by: Maybe[EnrolledBy] = UNSET
    favorite_store: Maybe[ShortText] = UNSET
    company: Maybe[Company] = UNSET
    marketing_consent: Maybe[MarketingConsent] = UNSET
    status: Maybe[ShortText] = UNSET
    term: Maybe[Term] = UNSET
    type: Maybe[CustomerType] = UNSET


class Store(Wire):
    """A shop.

    Attributes:
        id: The store's id; lists find orders by it
        organization_number: Its number in the register
        name: The store's name
        business_name: The name of the business behind it
    """

    id: Maybe[Id] = UNSET
    organization_number: Maybe[ShortText] = UNSET
    name: Maybe[ShortText] = UNSET
    business_name: Maybe[ShortText] = UNSET


class OrderStore(Store):
    """The store that sells an order.

    Attributes:
        comments: Remarks of the store
    """

    comments: Maybe[list[Text]] = UNSET


class ItemStore(Store):
    """The store that sells an item.

    Attributes:
        comment: A remark of the store
    """

    comment: Maybe[Text] = UNSET
