"""The clock of requests: the machine's, or for tests one that moves only when told."""

import re
import time
from calendar import monthrange
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import UNSET, UnsetType
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ordre.api.answers import JsonAnswer
from ordre.api.requests import STRANGER_BYTES, body_of
from ordre.api.wire.common import Wire, decoder, instant, milliseconds
from ordre.domain.refusals import InvalidValue, Refused


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
        """Where it stands."""
        return self._now


class _Time(Wire, kw_only=True):
    now: str | UnsetType = UNSET
    advance: str | UnsetType = UNSET


_BODY_SECONDS = 15.0
_decode = decoder(_Time).decode
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
        ValueError: It is no duration, or ends after the year 9999.
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


def _goal(body: bytes, now: int) -> int:
    """Return where a body moves a clock that stands at ``now``."""
    try:
        asked = _decode(body)
    except msgspec.MsgspecError as error:
        raise Refused(InvalidValue(path="", reason=_ALLOWED)) from error
    if isinstance(asked.now, str) == isinstance(asked.advance, str):
        raise Refused(InvalidValue(path="", reason=_ALLOWED))
    path = "now" if isinstance(asked.now, str) else "advance"
    try:
        return milliseconds(asked.now) if isinstance(asked.now, str) else later(now, str(asked.advance))
    except ValueError as error:
        raise Refused(InvalidValue(path=path, reason=str(error))) from error


_ALLOWED = (
    'Must be {"now": an RFC 3339 date-time such as "2026-01-31T12:00:00Z"} or {"advance": an ISO 8601 duration such as "P1D"}'
)


def clock_from(setting: str) -> Clock:
    """Return the clock that a setting starts, or the machine's."""
    return SetClock(milliseconds(setting)) if setting else Clock()


def routes(clock: Clock, moved: Moved) -> list[Route]:
    """Return the endpoint that reads and moves a clock; none for the machine's. It answers after ``moved`` is done."""
    if not isinstance(clock, SetClock):
        return []

    async def answer(request: Request) -> Response:
        if request.method == "PUT":
            clock.move(_goal(await body_of(request, STRANGER_BYTES, _BODY_SECONDS), clock.time))
            await moved(clock.time)
        return JsonAnswer(f'{{"now":"{instant(clock.time)}"}}')

    return [Route("/clock", answer, methods=["GET", "PUT"])]
