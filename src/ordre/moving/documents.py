"""The documents that are brought in: orders as the API answers them, of Ordre or of the service whose API it speaks."""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType, field

from ordre.api.wire.common import (
    DateTime,
    Id,
    Link,
    Maybe,
    OperationId,
    ShortText,
    Uuid,
    Wire,
)
from ordre.api.wire.events import NewEvent, Request
from ordre.api.wire.items import NewItem
from ordre.api.wire.operations import NewOperation, SessionDetails, SessionItem
from ordre.api.wire.orders import NewOrder, Visibility


class ImportedItem(NewItem, kw_only=True):
    """An item, with the version of the order that wrote it."""

    version: int | UnsetType = UNSET


class ImportedOperation(NewOperation, kw_only=True):
    """An operation, and when and by whom it was recorded."""

    created_at: DateTime | UnsetType = UNSET
    created_by: Id | UnsetType = UNSET
    links: list[Link] | UnsetType = field(name="_links", default=UNSET)


class ImportedSession(SessionDetails, kw_only=True):
    """A payment session, and when and by whom it was recorded."""

    items: list[SessionItem]
    id: Maybe[OperationId] = UNSET
    amount: Maybe[int] = UNSET
    created_at: DateTime | UnsetType = UNSET
    created_by: Id | UnsetType = UNSET
    links: list[Link] | UnsetType = field(name="_links", default=UNSET)


class ImportedComment(Wire, kw_only=True):
    """A comment; one that was deleted has no text any more."""

    id: Uuid | UnsetType = UNSET
    body: Maybe[str] = UNSET
    visibility: Visibility | UnsetType = UNSET
    created_at: DateTime | UnsetType = UNSET
    created_by: Id | UnsetType = UNSET
    deleted_at: DateTime | UnsetType = UNSET
    deleted_by: Id | UnsetType = UNSET
    links: list[Link] | UnsetType = field(name="_links", default=UNSET)


class ImportedReport(NewEvent, kw_only=True):
    """What a service reported, and when and by whom that was recorded."""

    created_at: DateTime | UnsetType = UNSET
    created_by: Id | UnsetType = UNSET
    links: list[Link] | UnsetType = field(name="_links", default=UNSET)


class ImportedEvent(Wire, kw_only=True):
    """An event of either kind, as far as it says which it is, when it was and what was asked for."""

    event_type: str = "api-event"
    created_at: DateTime
    created_by: Id | UnsetType = UNSET
    created_by_name: str | UnsetType = UNSET
    version: int | UnsetType = UNSET
    request: Request | UnsetType = UNSET
    draft_id: ShortText | UnsetType = UNSET


class ImportedOrder(NewOrder, kw_only=True):
    """An order with all that happened to it."""

    items: list[ImportedItem]  # type: ignore[assignment]  # a list of what is more than an item
    id: Maybe[Id] = UNSET
    created_at: DateTime
    created_by: Id | UnsetType = UNSET
    updated_at: DateTime | UnsetType = UNSET
    version: int | UnsetType = UNSET
    status: Literal["open", "closed", "cancelled"] = "open"
    closed_at: Maybe[DateTime] = UNSET
    closed_by: Maybe[Id] = UNSET
    cancelled_at: Maybe[DateTime] = UNSET
    cancelled_by: Maybe[Id] = UNSET
    cancelled_reason: Maybe[Literal["customer", "declined", "other"]] = UNSET
    sessions: list[ImportedSession] = field(default_factory=list)
    authorizations: list[ImportedOperation] = field(default_factory=list)
    captures: list[ImportedOperation] = field(default_factory=list)
    refunds: list[ImportedOperation] = field(default_factory=list)
    cancellations: list[ImportedOperation] = field(default_factory=list)
    comments: list[ImportedComment] = field(default_factory=list)
    events: list[msgspec.Raw] = field(default_factory=list)
    events_left_out: int | UnsetType = UNSET
    links: list[Link] = field(name="_links", default_factory=list)


ONLY_IMPORTED = tuple(name for name in ImportedOrder.__struct_encode_fields__ if name not in NewOrder.__struct_encode_fields__)
"""The fields of an imported order that no client sends."""
Imported = ImportedOperation | ImportedSession | ImportedComment | ImportedReport
