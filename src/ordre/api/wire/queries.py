"""Query parameters. Names of the wire; anything else in a query string is refused."""

from collections.abc import Iterable
from typing import Annotated, Literal, TypeAlias, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType, field

from ordre.api.wire.common import Amount, Currency, Id, Wire, given, milliseconds
from ordre.api.wire.search import MOST_CHARACTERS, searched
from ordre.application.lists import ListQuery, Word
from ordre.domain.money import DIGITS
from ordre.domain.refusals import InvalidValue, Refused, UnknownCurrency

T = TypeVar("T")
MOST_VALUES = 20
"""Of a parameter that takes several."""
MOST_METADATA_FILTERS = 10
Several: TypeAlias = Annotated[list[T], Meta(max_length=MOST_VALUES)]
Limit = Annotated[int, Meta(ge=1, le=100)]
MOST_EXPORTED = 10**9
ExportLimit = Annotated[int, Meta(ge=1, le=MOST_EXPORTED)]
Version = Annotated[int, Meta(ge=1, le=2**31 - 1)]
"""As large as the databases take one."""
Instant = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
EventChoice = Literal["true", "false", "api-event", "service-event"]

ALL_EVENTS = frozenset({"api-event", "service-event"})
METADATA = "metadata."
"""How a parameter begins whose end names a key of ``metadata``."""
LISTS = frozenset({"status", "payment_status", "include_events", "currency", "kind"})
"""Parameters that may be given several times, or as values with commas between."""


EXACT = ("customer_id", "store_id", "order_number", "external_id", "payment_id")
"""Parameters that are met by exactly their value."""


class NoQuery(Wire):
    """No parameter."""


class NoBody(Wire):
    """No body is read."""


class OneOrder(Wire):
    """Asks for events of an order, or for none.

    Attributes:
        include_events: Which events are wanted, and with them `state`
    """

    include_events: Several[EventChoice] = field(default_factory=list)


class OrderThen(OneOrder):
    """Asks for the order as it was.

    Attributes:
        version: The order as it was at this version
        at: The order as it was at this instant
    """

    version: Version | UnsetType = UNSET
    at: Instant | None = None


class Between(Wire, kw_only=True):
    """Two versions of an order.

    Attributes:
        from_: The earlier version. Left out, the one before `to`
        to: The later version. Left out, the current one
    """

    from_: Version | UnsetType = field(name="from", default=UNSET)
    to: Version | UnsetType = UNSET


class SubList(Wire):
    """A page of what an order holds, oldest first; it ends after about 1 MiB, with one entry at least.

    Attributes:
        limit: How many at most. Left out, 1,000
        starting_after: The id of the last one seen: the page goes on from there
        total: Whether the header `total-count` is wanted
    """

    limit: Limit | UnsetType = UNSET
    starting_after: str | None = None
    total: bool = False


class EventList(SubList):
    """A page of an order's events, of all types or of the named ones.

    Attributes:
        include_events: Which events are wanted. Left out, all
    """

    include_events: Several[EventChoice] = field(default_factory=list)

    def types(self) -> frozenset[str]:
        """The types of events asked for: all, where none is named."""
        return events_asked(self.include_events) or ALL_EVENTS


class ListOf(Wire):
    """A page of a list, newest first.

    Attributes:
        limit: How many at most
        starting_after: The id of the last one seen: the page goes on from there
        total: Whether the header `total-count` is wanted, exact up to 10,000
        created_from: Made at this instant or later
        created_to: Made at this instant or earlier
        updated_from: Last changed at this instant or later
        updated_to: Last changed at this instant or earlier
        customer_id: The `customer.id`
        store_id: The `store.id` of the order, or of one of its items
        order_number: The order number
        external_id: An id in `external_ids`, or the `external_id` of an item
        currency: The currency, one or several
        net_from: A net amount of this or more, in minor units
        net_to: A net amount of this or less, in minor units
        metadata: The value of this key of `metadata`
        q: At most 8 words, each the beginning of one in numbers, ids, names, e-mail, phone, items, payments, bookings, comments
            or metadata
    """

    limit: Limit = 10
    starting_after: str | None = None
    total: bool = False
    created_from: Instant | None = field(default=None, name="created_at.gte")
    created_to: Instant | None = field(default=None, name="created_at.lte")
    updated_from: Instant | None = field(default=None, name="updated_at.gte")
    updated_to: Instant | None = field(default=None, name="updated_at.lte")
    customer_id: Id | UnsetType = UNSET
    store_id: Id | UnsetType = UNSET
    order_number: Id | UnsetType = UNSET
    external_id: Id | UnsetType = UNSET
    currency: Several[Currency] = field(default_factory=list)
    net_from: Amount | UnsetType = field(name="net_amount.gte", default=UNSET)
    net_to: Amount | UnsetType = field(name="net_amount.lte", default=UNSET)
    metadata: dict[str, str] = field(default_factory=dict)
    q: Annotated[str, Meta(max_length=200)] | UnsetType = UNSET


class OrderListOf(ListOf):
    """Filters, all of which an order must meet.

    Attributes:
        status: The status, one or several
        payment_status: The payment status, one or several
        include_events: Which events are wanted with each order, and with them `state`
        payment_id: The `payment_details.payment_id` of an operation
    """

    status: Several[Literal["open", "closed", "cancelled"]] = field(default_factory=list)
    payment_status: Several[Literal["pending", "partially_paid", "paid", "partially_refunded", "refunded"]] = field(
        default_factory=list
    )
    include_events: Several[EventChoice] = field(default_factory=list)
    payment_id: Id | UnsetType = UNSET


class OrderExportOf(OrderListOf):
    """The filters of a list, and the form of what is exported.

    Attributes:
        limit: How many orders at most. Left out, all
        starting_after: The id of the last order that you have: the export goes on after it
        format: Lines of JSON; a table as CSV; or as Parquet, where the server has what writes it
        rows: What a row of a table is: an order, or a line of one
    """

    limit: ExportLimit = MOST_EXPORTED
    format: Literal["ndjson", "csv", "parquet"] = "ndjson"
    rows: Literal["orders", "lines"] = "orders"


class DraftListOf(ListOf):
    """Filters, all of which a draft must meet.

    Attributes:
        status: The status, one or several
    """

    status: Several[Literal["open", "completed", "deleted"]] = field(default_factory=list)


def is_large(query: Struct) -> bool:
    """Whether the answer may be large: a list, an order's history, or an order with its events."""
    match query:
        case ListOf() | SubList() | Between():
            return True
        case OrderThen(version=version, at=at) if at is not None or version is not UNSET:
            return True
        case OneOrder(include_events=events):
            return bool(events)
        case _:
            return False


def events_asked(choices: list[EventChoice]) -> frozenset[str] | None:
    """Return the types of events that are asked for; None where none are."""
    if "true" in choices:
        return ALL_EVENTS
    named = frozenset(choice for choice in choices if choice.endswith("-event"))
    return named or None


def list_query(query: OrderListOf | DraftListOf) -> ListQuery:
    """Return the query for the store.

    Raises:
        Refused: An instant is none, a value is too long, or there are too many words.
    """
    named = {name: given(getattr(query, name, UNSET)) for name in EXACT}
    terms: list[tuple[str, tuple[str, ...]]] = [(name, (value,)) for name, value in named.items() if value is not None]
    for name, value in query.metadata.items():
        if len(value) > MOST_CHARACTERS:
            raise Refused(
                InvalidValue(
                    path=f"{METADATA}{name}", reason=f"Must be at most {MOST_CHARACTERS} characters long, is {len(value)}"
                )
            )
        terms.append((f"{METADATA}{name}", (value,)))
    if unknown := [currency for currency in query.currency if currency not in DIGITS]:
        raise Refused(UnknownCurrency(path="currency", currency=unknown[0]))
    if query.currency:
        terms.append(("currency", _different(query.currency)))
    return ListQuery(
        limit=query.limit,
        after=query.starting_after,
        total=query.total,
        statuses=_different(query.status),
        payment_statuses=_different(query.payment_status) if isinstance(query, OrderListOf) else (),
        created_from=_bound("created_at.gte", query.created_from, up=True),
        created_to=_bound("created_at.lte", query.created_to, up=False),
        updated_from=_bound("updated_at.gte", query.updated_from, up=True),
        updated_to=_bound("updated_at.lte", query.updated_to, up=False),
        net_from=given(query.net_from),
        net_to=given(query.net_to),
        terms=tuple(terms),
        words=_words(given(query.q) or ""),
    )


def _different(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _words(text: str) -> tuple[Word, ...]:
    try:
        return searched(text)
    except ValueError as error:
        raise Refused(InvalidValue(path="q", reason=str(error))) from error


def instant_asked(name: str, text: str, *, up: bool = False) -> int:
    """Return the instant that a parameter names, in milliseconds, rounded down, or ``up``.

    Raises:
        Refused: It is none.
    """
    try:
        return milliseconds(text.replace(" ", "+"), up=up)
    except ValueError as error:
        raise Refused(InvalidValue(path=name, reason=str(error))) from error


def _bound(name: str, text: str | None, *, up: bool) -> int | None:
    return None if text is None else instant_asked(name, text, up=up)
