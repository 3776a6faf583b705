"""Looks after the connections of a process: ends what is late, and makes room where there are too many."""

import asyncio
import heapq
import resource
from collections.abc import Iterable
from typing import Protocol
from weakref import WeakKeyDictionary

from uvicorn.server import ServerState

PAUSE_SECONDS = 0.5
MOST_CONNECTIONS = 4_000
"""Of one process. Each may take 20 KB of memory."""
LEAST_CONNECTIONS = 16
OTHER_FILES = 128
"""Descriptors that are left for databases, logs and what Python opens."""
ROOM = 64
"""One of so many is ended where there are too many, so that looking for them costs a new connection little."""


class Watched(Protocol):
    """A connection. ``idle_until`` is when it will be ended, where it is not at work on a request; else infinity."""

    idle_until: float

    def look(self, now: float) -> None:
        """End the connection if its client is late."""

    def give_way(self) -> None:
        """End at once, to make room for another."""


def most_connections() -> int:
    """Return the largest number of connections of this process: as many as its descriptors allow, up to ``MOST_CONNECTIONS``."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if files == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return min(max(files - OTHER_FILES, LEAST_CONNECTIONS), MOST_CONNECTIONS)


def allow_connections() -> None:
    """Let this process, and those that it starts, open as many files as that needs, where the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


class Watch:
    """Looks at every connection twice a second, so that a request sets no timer."""

    def __init__(self, connections: Iterable[Watched], loop: asyncio.AbstractEventLoop) -> None:
        self._connections, self._loop, self.most = connections, loop, most_connections()
        self._room = max(self.most // ROOM, 1)
        loop.call_later(PAUSE_SECONDS, self._look)

    def _look(self) -> None:
        now = self._loop.time()
        for one in tuple(self._connections):
            one.look(now)
        self._loop.call_later(PAUSE_SECONDS, self._look)

    def make_room(self) -> bool:
        """End the idle connections that would time out first; return whether there were any."""
        first = heapq.nsmallest(self._room, self._connections, key=lambda one: one.idle_until)
        idle = [one for one in first if one.idle_until != float("inf")]
        for one in idle:
            one.give_way()
        return bool(idle)


_watches: WeakKeyDictionary[ServerState, Watch] = WeakKeyDictionary()


def watch_of(state: ServerState, loop: asyncio.AbstractEventLoop) -> Watch:
    """Return the ``Watch`` over the connections of a server."""
    if state not in _watches:
        _watches[state] = Watch(state.connections, loop)  # type: ignore[arg-type]  # ours are not in uvicorn's list of protocols
    return _watches[state]
