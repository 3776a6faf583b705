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
    """An address without a name on it."""

    address_line: Maybe[ShortText] = UNSET
    address_line_2: Maybe[ShortText] = UNSET
    postal_code: Maybe[ShortText] = UNSET
    postal_place: Maybe[ShortText] = UNSET
    country: Maybe[Country] = UNSET
    latitude: Maybe[Number] = UNSET
    longitude: Maybe[Number] = UNSET

    def __post_init__(self) -> None:
        if (country := given(self.country)) is not None and country not in COUNTRIES:
            raise FieldError("country", f"Must be a country code of ISO 3166-1 of two capital letters, is {country!r}")


class Address(Place):
    """Where to ship to, or to send the bill to."""

    first_name: Maybe[ShortText] = UNSET
    last_name: Maybe[ShortText] = UNSET
    comment: Maybe[Text] = UNSET


class CustomerAddress(Place):
    type: Maybe[AddressType] = UNSET
    custom_type: Maybe[ShortText] = UNSET


class EnrolledBy(Wire):
    value: Maybe[Text] = UNSET
    type: Maybe[ShortText] = UNSET


class Company(Wire):
    """``bussiness_name`` is spelled as the reference spells it."""

    bussiness_name: Maybe[ShortText] = UNSET
    organization_number: Maybe[ShortText] = UNSET
    department: Maybe[ShortText] = UNSET
    industry: Maybe[ShortText] = UNSET
    website: Maybe[Text] = UNSET
    number_of_employees: Maybe[ShortText] = UNSET


class Consent(Wire):
    consent: Maybe[bool] = UNSET
    updated_at: Maybe[DateTime] = UNSET


class MarketingConsent(Wire):
    sms: Maybe[Consent] = UNSET
    email: Maybe[Consent] = UNSET


class Term(Wire):
    id: Maybe[ShortText] = UNSET


class Customer(Wire):
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
    id: Maybe[Id] = UNSET
    organization_number: Maybe[ShortText] = UNSET
    name: Maybe[ShortText] = UNSET
    business_name: Maybe[ShortText] = UNSET


class OrderStore(Store):
    comments: Maybe[list[Text]] = UNSET


class ItemStore(Store):
    comment: Maybe[Text] = UNSET
