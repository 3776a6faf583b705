"""Fairness between accounts inside a process: few of an account's large reads run at once."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

from ordre.api.http.errors import Failure
from ordre.api.http.watch import most_connections

EXPORTS_AT_ONCE = 2
"""Of all accounts in a process, and one of each: each holds a connection to the database, and one instant of it."""
EXPORT_RETRY_SECONDS = 5
AT_ONCE = 1
"""Large reads of one account that run at once in a process; others of it wait, first come first served."""
WAITING = 100
"""So many wait at most."""
FOLLOWERS = 100
"""Who wait for the feed of one account, or are sent it as a stream, at once in a process: each holds a connection."""
FOLLOWER_RETRY_SECONDS = 5


@dataclass(slots=True)
class _Line:
    running: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class Turns:
    """The readers of each account. Nothing is kept of an account without any."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    @asynccontextmanager
    async def of(self, account_id: str) -> AsyncIterator[None]:
        """Wait for a turn of the account, and have it.

        Raises:
            Failure: Too many wait.
        """
        line = self._lines.setdefault(account_id, _Line())
        try:
            if line.running < AT_ONCE:
                line.running += 1
            else:
                await _wait(line)
            try:
                yield
            finally:
                _pass_on(line)
        finally:
            if line.running == 0:
                self._lines.pop(account_id, None)


class Exports:
    """The accounts of which an export is under way."""

    def __init__(self) -> None:
        self._running: set[str] = set()

    @contextmanager
    def of(self, account_id: str) -> Iterator[None]:
        """Have an export of the account.

        Raises:
            Failure: It has one, or too many are under way.
        """
        if account_id in self._running or len(self._running) >= EXPORTS_AT_ONCE:
            what = "An export of this account is" if account_id in self._running else f"{EXPORTS_AT_ONCE} exports are"
            headers = {"retry-after": str(EXPORT_RETRY_SECONDS)}
            raise Failure(
                HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests", f"{what} under way; try again when it has ended", headers
            )
        self._running.add(account_id)
        try:
            yield
        finally:
            self._running.discard(account_id)


class Followers:
    """Those who follow the feed of each account. All together they hold half of the connections of a process at most."""

    def __init__(self) -> None:
        self._following, self._most = Counter[str](), most_connections() // 2

    @contextmanager
    def of(self, account_id: str) -> Iterator[None]:
        """Follow the feed of the account.

        Raises:
            Failure: Too many do.
        """
        if self._following[account_id] >= FOLLOWERS or self._following.total() >= self._most:
            headers = {"retry-after": str(FOLLOWER_RETRY_SECONDS)}
            message = "Too many wait for the feed; let one of them tell the others"
            raise Failure(HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests", message, headers)
        self._following[account_id] += 1
        try:
            yield
        finally:
            self._following[account_id] -= 1
            if not self._following[account_id]:
                del self._following[account_id]


async def _wait(line: _Line) -> None:
    if len(line.waiting) >= WAITING:
        message = f"{WAITING} lists wait to be read on this account; send fewer at once"
        raise Failure(HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests", message, {"retry-after": "1"})
    turn = asyncio.get_running_loop().create_future()
    line.waiting.append(turn)
    try:
        await turn
    except asyncio.CancelledError:
        if not turn.cancelled():
            _pass_on(line)  # it was given, and is not taken
        elif turn in line.waiting:
            line.waiting.remove(turn)
        raise


def _pass_on(line: _Line) -> None:
    """Give the turn to whoever waits longest; where nobody does, one fewer runs."""
    while line.waiting:
        turn = line.waiting.popleft()
        if not turn.done():
            turn.set_result(None)
            return
    line.running -= 1
