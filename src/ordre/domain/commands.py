"""What a caller may want of an order. ``decide`` answers each with facts or a refusal."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ordre.domain.ledger import Kind
from ordre.domain.lines import PricedItem
from ordre.domain.order import About, Content, EventState, Frozen, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Make an order. ``content`` is complete; its items stand in the order of ``items``."""

    id: str
    order_id: str
    order_number: str | None
    currency: str
    multiple_authorizations: bool
    items: tuple[PricedItem, ...]
    content: Content
    about: About
    gross: int | None = None
    net: int | None = None
    draft_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replace:
    """Put a completed draft in the place of everything the order holds."""

    place: Place
    draft_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddLines:
    """Append the items of a completed draft."""

    currency: str
    items: tuple[PricedItem, ...]
    content: Mapping[int, Frozen]
    item_store_ids: tuple[str, ...]
    draft_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemChange:
    """New values for one line. ``None`` leaves an amount as it is."""

    line_id: int
    fields: Frozen
    gross: int | None = None
    net: int | None = None
    discounts: tuple[tuple[int, bool], ...] | None = None
    additions: tuple[int, ...] = ()
    taxes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """New values for fields and lines. ``None`` leaves what is named as it is; the value ``null`` takes a field away."""

    fields: Frozen
    items: tuple[ItemChange, ...]
    about: Callable[[About], About]
    order_id: str | None = None
    order_number: str | None = None
    currency: str | None = None
    multiple_authorizations: bool | None = None
    gross: int | None = None
    net: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Record an authorization, capture, refund or cancellation that happened elsewhere."""

    kind: Kind
    id: str
    items: tuple[tuple[int, int], ...]
    """(line id, amount) in the order of the request."""
    success: bool
    authorization_id: str | None
    fingerprint: str
    amount: int | None = None
    """What the caller says that the items add up to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSession:
    """Record a payment session. An amount of None is what remains to be authorized on its line."""

    id: str
    items: tuple[tuple[int, int | None], ...]
    amount: int | None = None
    """What the caller says that the items add up to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A service tells how far it is with the order."""

    id: str
    service: str
    state: EventState


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteComment:
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    reason: Reason = Reason.OTHER


@dataclass(frozen=True, slots=True, kw_only=True)
class Erase:
    """Keep nothing of the order but its names and times. ``external_ids`` are those that it shows, as JSON."""

    external_ids: str | None


Command = (
    Place | Replace | AddLines | Update | Record | StartSession | Report | Comment | DeleteComment | Open | Close | Cancel | Erase
)
