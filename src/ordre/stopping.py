"""How a server process stops: clients that are connected are served, new ones are refused, and nobody is reset.

A listening socket that is closed resets whoever stands in its queue. So before that nobody new gets into the queue, and what is
in it is taken.
"""

import asyncio
import ctypes
import multiprocessing
import os
import select
import signal
import socket
import struct
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType

from ordre import logs
from ordre.api.handlers.health import Lifecycle

_QUEUE_SECONDS = 0.1
"""For what is on its way into the queue, and for the processes that share it."""
_MOST_QUEUE_SECONDS = 5.0
_ATTACH_FILTER = 26
"""SO_ATTACH_FILTER of Linux: a program that looks at each packet to a socket."""
_LOAD_BYTE, _IF_ANY_BIT, _RETURN = 0x30, 0x45, 0x06
_FLAGS, _SYN = 13, 0x02
"""Where the flags stand in the head of TCP, and the one that begins a connection."""


def shut(sockets: Sequence[socket.socket]) -> None:
    """Let nobody new into the queues of listening sockets, in whichever process they are open; what is in them stays.

    Who tries to connect meanwhile tries again a second later, and is refused once the sockets are closed. Elsewhere than on
    Linux, and where a kernel leaves filters to root, nothing is done: then who connects in the instant between the last look at
    the queue and its end may be reset.
    """
    if sys.platform != "linux":
        return
    steps = [(_LOAD_BYTE, 0, 0, _FLAGS), (_IF_ANY_BIT, 0, 1, _SYN), (_RETURN, 0, 0, 0), (_RETURN, 0, 0, 2**32 - 1)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    for one in sockets:
        if one.fileno() >= 0:
            with suppress(PermissionError):
                one.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HP", len(steps), ctypes.addressof(program)))


class Stopping:
    """Stops this process in order. ``alone`` tells that no other process listens on the sockets.

    ``ending`` is called once no more is to be waited for than requests that are being answered.

    On SIGTERM it first serves on for a while, saying that the end is near. It does not on a second one, on SIGINT, and once the
    process that started it is gone.
    """

    def __init__(
        self,
        lifecycle: Lifecycle,
        drain_seconds: float,
        sockets: Sequence[socket.socket],
        *,
        alone: bool,
        ending: Callable[[], None],
    ) -> None:
        self._lifecycle, self._drain_seconds, self._sockets, self._alone = lifecycle, drain_seconds, sockets, alone
        self._let_go = ending
        self._loop = asyncio.get_running_loop()
        self._stop: dict[int, Callable[[int, FrameType | None], object]] = {}
        self._ending: asyncio.Task[None] | None = None
        parent = multiprocessing.parent_process()
        if not alone and parent is not None:
            self._loop.add_reader(parent.sentinel, self._orphaned, parent.sentinel)

    def listen(self) -> None:
        """Hear signals from now on, before whoever heard them until now."""
        for number in (signal.SIGINT, signal.SIGTERM):
            stop = signal.getsignal(number)
            if callable(stop):
                self._stop[number] = stop
                signal.signal(number, self._told)

    def _told(self, number: int, frame: FrameType | None) -> None:
        if self._ending is not None:
            self._stop[number](number, frame)
        elif number == signal.SIGTERM and self._drain_seconds > 0 and not self._lifecycle.stopping:
            self._lifecycle.stopping = True
            logs.info("draining", seconds=self._drain_seconds)
            self._loop.call_soon_threadsafe(self._loop.call_later, self._drain_seconds, self._end, number)
        else:
            self._loop.call_soon_threadsafe(self._end, number)

    def _orphaned(self, sentinel: int) -> None:
        self._loop.remove_reader(sentinel)
        logs.error("orphaned", reason="the process that started this one is gone")
        if not self._stop:  # not started yet: it may wait for a database, with nothing to finish
            os._exit(1)
        self._alone = True
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        if self._ending is None:
            self._lifecycle.stopping = True
            self._let_go()
            self._ending = self._loop.create_task(self._ended(number))

    async def _ended(self, number: int) -> None:
        """Empty the queue, then go on, whatever came of that, as if we had not been asked first."""
        try:
            await self._emptied()
        finally:
            self._stop[number](number, None)

    async def _emptied(self) -> None:
        """Close the queue to new connections, and wait until those in it are taken."""
        if self._alone:
            shut(self._sockets)
        await asyncio.sleep(_QUEUE_SECONDS)
        ends, queue = self._loop.time() + _MOST_QUEUE_SECONDS, select.poll()
        for one in self._sockets:
            queue.register(one, select.POLLIN)
        while queue.poll(0) and self._loop.time() < ends:  # noqa: ASYNC110 - the kernel knows, and tells who accepts
            await asyncio.sleep(_QUEUE_SECONDS / 10)
