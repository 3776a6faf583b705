"""The feed of an account on the wire."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType, field

from ordre.api.wire.answers import OrderAnswer
from ordre.api.wire.common import DateTime, Id, Wire, given, instant, json_text, object_text
from ordre.api.wire.queries import Several
from ordre.application.feed import DRAFT_KINDS, FeedEntry, FeedQuery
from ordre.domain.refusals import InvalidValue, Refused

Position = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Kind = Literal[
    "placed",
    "replaced",
    "lines_added",
    "updated",
    "authorization",
    "capture",
    "refund",
    "cancellation",
    "session",
    "service_event",
    "comment",
    "comment_deleted",
    "opened",
    "closed",
    "cancelled",
    "erased",
    "draft_added",
    "draft_updated",
    "draft_completed",
    "draft_deleted",
    "draft_erased",
]
EVENT_STREAM = "text/event-stream"
RETRY = b"retry: 1000\n\n"
"""Begins a stream of events: how many milliseconds a browser waits until it connects again."""
MOST_SECONDS = 30
MOST_INCLUDED = 100
"""Entries on a page where each comes with its document or its whole order: they are read before it is seen how many fit."""


class FeedOf(Wire):
    """The entries after a position.

    Attributes:
        after: The `position` that was answered last; 0 reads from the beginning
        limit: How many at most; with `include` 100 at most
        wait: Seconds to wait for an entry where there is none yet
        kind: The kinds wanted, one or several. Left out, all
        store_id: Those of orders and drafts that name this store, and of all that were erased
        include: With each entry `document`, what the change shows as a part of its order, such as the capture; or `order`, the
            whole order as it was after it
    """

    after: Position = 0
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    wait: Annotated[int, Meta(ge=0, le=MOST_SECONDS)] = 0
    kind: Several[Kind] = field(default_factory=list)
    store_id: Id | UnsetType = UNSET
    include: Literal["document", "order"] | UnsetType = UNSET

    def query(self) -> FeedQuery:
        """Return the query for the store."""
        limit = min(self.limit, MOST_INCLUDED) if given(self.include) else self.limit
        documents = given(self.include) == "document"
        asked = FeedQuery(after=self.after, limit=limit, store_id=given(self.store_id), documents=documents)
        return asked.of_kinds(frozenset(self.kind)) if self.kind else asked


class Entry(Wire, kw_only=True):
    """A change that was committed.

    Attributes:
        position: Its place in the feed of the account, without gaps
        type: What changed
        id: The `id` of the order or draft
        version: The version that the change made
        kind: What happened to it
        created_at: When
        created_by: The id of the client that did it
        created_by_name: What that client is called now
        hash: Over the entry before it and this change, in hexadecimal
        document: What the change shows as a part of its order, with `include=document`, where it shows anything
        order: The order as it was after the change, with `include=order`; left out where it is erased by now
    """

    position: int
    type: Literal["order", "draft_order"]
    id: str
    version: int
    kind: Kind
    created_at: DateTime
    created_by: str
    created_by_name: str | UnsetType = UNSET
    hash: str
    document: dict[str, Any] | UnsetType = UNSET
    order: OrderAnswer | UnsetType = UNSET


class Feed(Wire, kw_only=True):
    """A page of the feed.

    Attributes:
        entries: The entries, oldest first
        position: How far was read: to be sent as `after` the next time
        end: The position of the newest entry there is; what is beyond `position` can be read at once
    """

    entries: list[Entry]
    position: int
    end: int


def entry_json(entry: FeedEntry, names: Mapping[str, str], order: bytes | None = None) -> bytes:
    """Return an entry as it is answered, with what it shows or the whole ``order`` where there is one."""
    name = names.get(entry.by)
    fields = {
        "position": str(entry.position),
        "type": '"draft_order"' if entry.kind in DRAFT_KINDS else '"order"',
        "id": json_text(entry.id),
        "version": str(entry.version),
        "kind": json_text(entry.kind),
        "created_at": json_text(instant(entry.at)),
        "created_by": json_text(entry.by),
        **({} if name is None else {"created_by_name": json_text(name)}),
        "hash": json_text(entry.hash),
        **({"document": entry.document} if entry.document else {}),
    }
    text = object_text(fields).encode()
    return text if order is None else b'%b,"order":%b}' % (text[:-1], order)


def event_of(entry: FeedEntry, text: bytes) -> bytes:
    """Return an entry, as it is answered, as a server-sent event: its position is the event's id, its kind the event's name."""
    data = b"".join(b"data: %b\n" % line for line in text.splitlines())
    return b"id: %d\nevent: %b\n%b\n" % (entry.position, entry.kind.encode(), data)


def position_of(last_event_id: str) -> int:
    """Return the position that a client of server-sent events says it has read.

    Raises:
        Refused: It is none.
    """
    if not re.fullmatch("[0-9]{1,15}", last_event_id):
        raise Refused(InvalidValue(path="Last-Event-ID", reason="Must be a position, as the id of an event is"))
    return int(last_event_id)
