"""What changed between two versions of an order."""

from msgspec import UNSET, Raw, UnsetType, field

from ordre.api.wire.common import Wire
from ordre.api.wire.events import ApiEvent, ServiceEvent


class Change(Wire, kw_only=True):
    """One field. ``before`` is absent where it is new, ``after`` where it is gone; entries of lists are named by their id.

    Attributes:
        path: The field, such as `items[line_id=1].status`
        before: Its value in the earlier version; absent where it is new
        after: Its value in the later version; absent where it is gone
    """

    path: str
    before: Raw | UnsetType = UNSET
    after: Raw | UnsetType = UNSET


class Diff(Wire, kw_only=True):
    """The fields that differ, and the last events between, oldest first.

    Attributes:
        from_: The earlier version
        to: The later version
        changes: The fields that differ
        events: The last events between, oldest first, of a page's size
        events_left_out: How many came before these, which the order's list of events has; absent where none did
    """

    from_: int = field(name="from")
    to: int
    changes: list[Change]
    events: list[ApiEvent | ServiceEvent]
    events_left_out: int | UnsetType = UNSET
