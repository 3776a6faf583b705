"""The clock of requests: the machine's, or for tests one that moves only when told."""

import re
import time
from calendar import monthrange
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from ordre.api.wire.common import milliseconds


class Clock:
    """The machine's clock."""

    def now(self) -> tuple[int, int]:
        """The instant of a request: milliseconds since 1970, and the nanoseconds of the millisecond."""
        return divmod(time.time_ns(), 1_000_000)


class SetClock(Clock):
    """A clock that stands still but for one millisecond at each request, so that what is made later sorts later."""

    def __init__(self, start: int) -> None:
        self._now = start

    def now(self) -> tuple[int, int]:
        """The next instant."""
        self._now += 1
        return self._now, 0

    def move(self, to: int) -> None:
        """Go to an instant, ahead or back."""
        self._now = to

    @property
    def time(self) -> int:
        """The instant at which the clock stands."""
        return self._now


_DURATION = re.compile(
    r"P(?=[0-9T])(?:([0-9]+)Y)?(?:([0-9]+)M)?(?:([0-9]+)W)?(?:([0-9]+)D)?"
    r"(?:T(?=[0-9])(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+(?:\.[0-9]{1,3})?)S)?)?"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


Moved = Callable[[int], Awaitable[object]]
"""Does what the passing of time asks for, up to an instant."""


def later(at: int, duration: str) -> int:
    """Return the instant that is an ISO 8601 duration after another, both in milliseconds.

    Years and months are those of the calendar; where the month has no such day, its last one is meant.

    Raises:
        ValueError: It is not a duration, or ends after the year 9999.
    """
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise ValueError("Must be an ISO 8601 duration, such as P1D, PT90M, P1M or P1Y2M3DT4H5M6.7S")
    years, months, weeks, days, hours, minutes = (int(part or 0) for part in match.groups()[:6])
    try:
        start = _EPOCH + timedelta(milliseconds=at)
        year, month = divmod(start.year * 12 + start.month - 1 + years * 12 + months, 12)
        day = min(start.day, monthrange(year, month + 1)[1])
        rest = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=float(match[7] or 0))
        end = start.replace(year=year, month=month + 1, day=day) + rest
    except (OverflowError, ValueError) as error:
        raise ValueError("Must end before the year 10000") from error
    return (end - _EPOCH) // timedelta(milliseconds=1)


def clock_from(setting: str) -> Clock:
    """Return the clock that a setting starts, or the machine's."""
    return SetClock(milliseconds(setting)) if setting else Clock()
