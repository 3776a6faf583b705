"""What changed between two versions of an order."""

from msgspec import UNSET, Raw, UnsetType, field

from ordre.api.wire.common import Wire
from ordre.api.wire.events import ApiEvent, ServiceEvent


class Change(Wire, kw_only=True):
    """One field. ``before`` is absent where it is new, ``after`` where it is gone; entries of lists are named by their id."""

    path: str
    before: Raw | UnsetType = UNSET
    after: Raw | UnsetType = UNSET


class Diff(Wire, kw_only=True):
    """The fields that differ, and the events between, oldest first."""

    from_: int = field(name="from")
    to: int
    changes: list[Change]
    events: list[ApiEvent | ServiceEvent]
