"""Webhooks: the events that a subscription may be of, what makes each, the mask of fields, and the pauses between attempts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ordre.domain.ledger import Kind
from ordre.domain.order.facts import (
    Cancelled,
    Closed,
    CommentDeleted,
    Commented,
    Erased,
    LinesAdded,
    Opened,
    Placed,
    Replaced,
    ServiceReported,
    SessionStarted,
    Updated,
)

DRAFT_ADD = "shopping_draft_add"
DRAFT_UPDATE = "shopping_draft_update"
DRAFT_COMPLETE = "shopping_draft_complete"
ORDER_UPDATE = "shopping_order_update"
ORDER_EVENT_ADD = "shopping_order_event_add"
ORDER_DELETE = "shopping_order_delete"
EVENTS = (DRAFT_ADD, DRAFT_UPDATE, DRAFT_COMPLETE, ORDER_UPDATE, ORDER_EVENT_ADD, ORDER_DELETE)
"""Every event that a subscription may be of."""
PING = "ping"
"""The event by which a receiver is tried. It goes to every subscription."""

EVENT_OF: Mapping[str, str] = {
    "draft_added": DRAFT_ADD,
    "draft_updated": DRAFT_UPDATE,
    "draft_completed": DRAFT_COMPLETE,
    "draft_deleted": DRAFT_UPDATE,
    "draft_erased": DRAFT_UPDATE,
    **dict.fromkeys((kind.value for kind in Kind), ORDER_UPDATE),
    Placed.type: ORDER_UPDATE,
    Replaced.type: ORDER_UPDATE,
    LinesAdded.type: ORDER_UPDATE,
    Updated.type: ORDER_UPDATE,
    SessionStarted.type: ORDER_UPDATE,
    Commented.type: ORDER_UPDATE,
    CommentDeleted.type: ORDER_UPDATE,
    Opened.type: ORDER_UPDATE,
    Closed.type: ORDER_UPDATE,
    Cancelled.type: ORDER_UPDATE,
    ServiceReported.type: ORDER_EVENT_ADD,
    Erased.type: ORDER_DELETE,
}
"""Kind of an entry of the feed -> the event that it makes: exactly one, so that who is told of all events misses no version."""

ATTEMPTS = 5
"""So often a delivery is tried."""
PAUSES = (1, 12, 120, 720)
"""Before each attempt after the first, in units of the first pause."""
GIVEN_UP = 10
"""So many deliveries in a row that were given up suspend their subscription."""

Mask: TypeAlias = Mapping[str, "Mask | None"]
"""Name of a field, or ``*`` for each -> what is wanted of its value, None for all of it."""
_EVERY = "*"
_DEEPEST = 32


class BadMask(ValueError):  # noqa: N818 - it is named for the state it tells of
    """A text is no mask of fields."""


@dataclass(slots=True)
class _Reading:
    """Where the reading of a mask stands."""

    text: str
    at: int = field(default=0)

    def next_is(self, sign: str) -> bool:
        """Whether this sign comes next; it is passed if so."""
        if not self.text.startswith(sign, self.at):
            return False
        self.at += 1
        return True

    def name(self) -> str:
        """Return the name that comes next.

        Raises:
            BadMask: There is none.
        """
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in ",/()":
            self.at += 1
        found = self.text[start : self.at].strip()
        if not found:
            raise BadMask(f"a name is missing at character {start + 1}")
        return found


def mask_of(text: str) -> Mask:
    """Return the mask that a text such as ``id,items/id,customer(email,phone_number)`` says.

    Raises:
        BadMask: It is none.
    """
    reading = _Reading(text)
    found = _masks(reading, 0)
    if reading.at < len(text):
        raise BadMask(f"there is a {text[reading.at]!r} too many at character {reading.at + 1}")
    return found


def _masks(reading: _Reading, depth: int) -> Mask:
    found: dict[str, Mask | None] = {}
    while True:
        name, inner = _one(reading, depth)
        found[name] = _joined(found[name], inner) if name in found else inner
        if not reading.next_is(","):
            return found


def _one(reading: _Reading, depth: int) -> tuple[str, Mask | None]:
    if depth == _DEEPEST:
        raise BadMask(f"it is nested deeper than {_DEEPEST} levels")
    name = reading.name()
    if reading.next_is("/"):
        inner_name, inner = _one(reading, depth + 1)
        return name, {inner_name: inner}
    if reading.next_is("("):
        within = _masks(reading, depth + 1)
        if not reading.next_is(")"):
            raise BadMask(f"a ')' is missing at character {reading.at + 1}")
        return name, within
    return name, None


def _joined(one: Mask | None, other: Mask | None) -> Mask | None:
    """Return the mask that wants whatever one of two wants."""
    if one is None or other is None:
        return None
    found = dict(one)
    for name, inner in other.items():
        found[name] = _joined(found[name], inner) if name in found else inner
    return found


def masked(value: Any, mask: Mask | None) -> Any:
    """Return the parts of a JSON value that a mask wants. Of a list, they are those of each entry."""
    if mask is None:
        return value
    if isinstance(value, list):
        return [masked(one, mask) for one in value]
    if not isinstance(value, dict):
        return value
    every = mask.get(_EVERY, {})
    found = {}
    for name, one in value.items():
        if name in mask:
            found[name] = masked(one, _joined(mask[name], every) if _EVERY in mask else mask[name])
        elif _EVERY in mask:
            found[name] = masked(one, every)
    return found


def pause_before(attempt: int, first_seconds: float, drawn: float) -> float:
    """Return the pause in seconds before an attempt, the second or a later one.

    It is up to a fifth longer or shorter, by what is ``drawn`` between 0 and 1.
    """
    return first_seconds * PAUSES[min(attempt - 2, len(PAUSES) - 1)] * (0.8 + 0.4 * drawn)
