"""The facts: all that may happen to an order.

Each is one version of it, and knows the word that it is stored under and the name that it is found again by.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, get_args

from ordre.domain.ledger import Kind
from ordre.domain.lines import Line
from ordre.domain.order.parts import About, Content, EventState, JsonFields, Moment, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    type: ClassVar[str] = "placed"
    ref: ClassVar[None] = None
    id: str
    order_id: str
    order_number: str | None
    currency: str
    multiple_authorizations: bool
    lines: Mapping[int, Line]
    content: Content
    about: About
    draft_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """A completed draft took the place of everything the order held."""

    type: ClassVar[str] = "replaced"
    ref: ClassVar[None] = None
    order_number: str | None
    currency: str
    multiple_authorizations: bool
    lines: Mapping[int, Line]
    content: Content
    about: About
    draft_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinesAdded:
    type: ClassVar[str] = "lines_added"
    ref: ClassVar[None] = None
    lines: Mapping[int, Line]
    items: Mapping[int, JsonFields]
    item_store_ids: tuple[str, ...]
    draft_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Updated:
    """Fields and items were changed. The value ``null`` takes a field away. ``lines`` are those whose amounts changed."""

    type: ClassVar[str] = "updated"
    ref: ClassVar[None] = None
    fields: JsonFields
    items: Mapping[int, JsonFields]
    lines: Mapping[int, Line]
    about: About
    order_number: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A payment operation. ``fingerprint`` tells whether a second call with its id says the same."""

    kind: Kind
    id: str
    amounts: Mapping[int, int]
    success: bool
    authorization_id: str | None
    fingerprint: str

    @property
    def type(self) -> str:
        """Its kind, so that the operations of each kind are found by their type."""
        return self.kind.value

    @property
    def ref(self) -> str:
        """Its own id."""
        return self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStarted:
    type: ClassVar[str] = "session"
    id: str
    amounts: Mapping[int, int]

    @property
    def ref(self) -> str:
        """Its own id."""
        return self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceReported:
    type: ClassVar[str] = "service_event"
    id: str
    service: str
    state: EventState

    @property
    def ref(self) -> str:
        """Its own id."""
        return self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Commented:
    type: ClassVar[str] = "comment"
    id: str

    @property
    def ref(self) -> str:
        """Its own id."""
        return self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentDeleted:
    type: ClassVar[str] = "comment_deleted"
    id: str

    @property
    def ref(self) -> str:
        """Longer than any id that a client may choose: a comment's id is a UUID."""
        return f"{self.id}/deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    type: ClassVar[str] = "opened"
    ref: ClassVar[None] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    type: ClassVar[str] = "closed"
    ref: ClassVar[None] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    type: ClassVar[str] = "cancelled"
    ref: ClassVar[None] = None
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """Everything that is kept of an order. The bodies of the facts before it are gone, so it says all of it itself.

    ``version`` is the order's last one before. ``external_ids`` is JSON.
    """

    type: ClassVar[str] = "erased"
    ref: ClassVar[None] = None
    id: str
    order_id: str
    order_number: str | None
    external_ids: str | None
    created: Moment
    updated_at: int
    version: int


Fact = (
    Placed
    | Replaced
    | LinesAdded
    | Updated
    | Recorded
    | SessionStarted
    | ServiceReported
    | Commented
    | CommentDeleted
    | Opened
    | Closed
    | Cancelled
    | Erased
)
"""What may happen to an order. Its ``type`` is the word that it is stored under; its ``ref`` the name, among all of the order,
by which a later command finds it again, None where none does."""


FACTS: Mapping[str, type[Fact]] = {
    **{fact.type: fact for fact in get_args(Fact) if fact is not Recorded},
    **dict.fromkeys((kind.value for kind in Kind), Recorded),
}
"""type -> fact."""

NO_CONTENT = Content(fields={}, items={})


def shown_by(fact: Fact) -> Content:
    """Return the fields and items of the order that a fact holds: everything in it that may be of a person."""
    match fact:
        case Placed() | Replaced():
            return fact.content
        case LinesAdded():
            return Content(fields={}, items=fact.items)
        case Updated():
            return Content(fields=fact.fields, items=fact.items)
        case Erased():
            return Content(fields={} if fact.external_ids is None else {"external_ids": fact.external_ids}, items={})
        case Recorded() | SessionStarted() | ServiceReported() | Commented() | CommentDeleted():
            return NO_CONTENT
        case Opened() | Closed() | Cancelled():
            return NO_CONTENT
