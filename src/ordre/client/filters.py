"""What lists can be narrowed to, as typed arguments. A dot in a parameter's name is written ``__``: ``created_at__gte``."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, TypeAlias, TypedDict, TypeVar

T = TypeVar("T")
OneOrMore: TypeAlias = T | Iterable[T]
"""One value, or several of which one must be met."""
Instant: TypeAlias = str | datetime
"""An RFC 3339 date-time with an offset, or a datetime with a time zone."""
EventType: TypeAlias = Literal["api-event", "service-event"]


class PageOptions(TypedDict, total=False):
    """Which page. ``total`` asks how many entries there are in all; ``starting_after`` is the id of the last one seen."""

    limit: int
    starting_after: str
    total: bool


class HookOptions(PageOptions, total=False):
    """Which page, and whether deleted subscriptions are wanted, too."""

    include_deleted: bool


class EventOptions(PageOptions, total=False):
    """Which events, and which page of them."""

    include_events: OneOrMore[EventType]


class ViewOptions(TypedDict, total=False):
    """Which events come with an order: all, none, or those of some types."""

    include_events: bool | OneOrMore[EventType]


class MomentOptions(ViewOptions, total=False):
    """The order as it was at a version, or at an instant."""

    version: int
    at: Instant


class _ListFilters(PageOptions, total=False):
    created_at__gte: Instant
    created_at__lte: Instant
    updated_at__gte: Instant
    updated_at__lte: Instant
    customer_id: str
    store_id: str
    order_number: str
    external_id: str
    currency: OneOrMore[str]
    net_amount__gte: int
    net_amount__lte: int
    metadata: Mapping[str, str]
    q: str


class DraftFilters(_ListFilters, total=False):
    """Filters, all of which a draft must meet. Amounts are in minor units; ``metadata`` is keys with their values."""

    status: OneOrMore[Literal["open", "completed", "deleted"]]


class OrderFilters(_ListFilters, total=False):
    """Filters, all of which an order must meet. Amounts are in minor units; ``metadata`` is keys with their values."""

    status: OneOrMore[Literal["open", "closed", "cancelled"]]
    payment_status: OneOrMore[Literal["pending", "partially_paid", "paid", "partially_refunded", "refunded"]]
    payment_id: str
    include_events: bool | OneOrMore[EventType]


class FeedFilters(TypedDict, total=False):
    """Which entries of the feed, and what with each: what the change shows (``document``), or the whole order after it."""

    limit: int
    kind: OneOrMore[str]
    store_id: str
    include: Literal["document", "order"]


def parameters(options: Mapping[str, Any]) -> dict[str, str]:
    """Return the options as parameters of a query.

    Raises:
        ValueError: A datetime has no time zone, so that nobody knows which instant it is.
    """
    found = {}
    for name, value in options.items():
        if name == "metadata":
            found.update({f"metadata.{key}": text for key, text in value.items()})
        else:
            found[name.replace("__", ".")] = _text(name, value)
    return found


def _text(name: str, value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case datetime() if value.tzinfo is None:
            raise ValueError(f"{name} has no time zone: give it one, such as datetime.now(UTC)")
        case datetime():
            return value.isoformat()
        case str() | int():
            return str(value)
        case Iterable():
            return ",".join(str(one) for one in value)
        case _:
            raise TypeError(f"{name} is a {type(value).__name__}")
