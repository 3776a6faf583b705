"""What facts, commands and orders are made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypedDict

JsonFields = Mapping[str, str]
"""Field name -> its value as compact JSON text. Of all this the rules read what an item says of others, see ``relations``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """The values by which lists find an order. ``time_to_live`` is in seconds."""

    customer_id: str | None = None
    store_id: str | None = None
    item_store_ids: tuple[str, ...] = ()
    time_to_live: int | None = None

    @property
    def store_ids(self) -> tuple[str, ...]:
        """The order's own store, and those that its items name."""
        own = () if self.store_id is None else (self.store_id,)
        return tuple(dict.fromkeys(own + self.item_store_ids))


class AboutChange(TypedDict, total=False):
    """New values of an ``About``, but for the stores of items; what is not in it stays as it is."""

    customer_id: str | None
    store_id: str | None
    time_to_live: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The shown part of an order: its own fields, and its items by line id in the order of arrival."""

    fields: JsonFields
    items: Mapping[int, JsonFields]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When and by whom something was done. ``at`` is in milliseconds since 1970; ``by`` is the id of a client or user."""

    at: int
    by: str


class Reason(StrEnum):
    """Why an order was cancelled."""

    CUSTOMER = "customer"
    DECLINED = "declined"
    OTHER = "other"


class EventState(StrEnum):
    """The state that a service reports; also the one that an order's events combine to."""

    ERROR = "error"
    FAILURE = "failure"
    SUCCESS = "success"
    PENDING = "pending"
