"""The clock of requests: the machine's, or for tests one that moves only when told."""

import time
from collections.abc import Awaitable, Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ordre.api.answers import JsonAnswer
from ordre.api.wire.common import DateTime, Wire, decoder, instant, milliseconds
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
    now: DateTime


_decode = decoder(_Time).decode


Moved = Callable[[int], Awaitable[object]]
"""Does what the passing of time asks for, up to an instant."""


def clock_from(setting: str) -> Clock:
    """Return the clock that a setting starts, or the machine's."""
    return SetClock(milliseconds(setting)) if setting else Clock()


def routes(clock: Clock, moved: Moved) -> list[BaseRoute]:
    """Return the endpoint that reads and moves a clock; none for the machine's. It answers after ``moved`` is done."""
    if not isinstance(clock, SetClock):
        return []

    async def answer(request: Request) -> Response:
        if request.method == "PUT":
            try:
                clock.move(milliseconds(_decode(await request.body()).now))
            except (msgspec.MsgspecError, ValueError) as error:
                raise Refused(InvalidValue(path="now", reason=str(error))) from error
            await moved(clock.time)
        return JsonAnswer(f'{{"now":"{instant(clock.time)}"}}')

    return [Route("/clock", answer, methods=["GET", "PUT"])]
