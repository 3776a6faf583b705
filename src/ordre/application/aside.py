"""Work that takes long, in a thread beside the event loop, so that small requests do not wait for it.

It is one thread for all such work. Two would be no faster, as Python runs one at a time.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

LARGE = 32 * 1024
"""Characters or bytes. What reads or writes fewer is done sooner than it is handed to a thread and back."""
WAY_SECONDS = 0.002
"""How long a thread gives way at a time, so that it gets on where there is always somebody."""
_thread = ThreadPoolExecutor(1, "ordre-aside")


class _Small:
    """Requests for little that are being answered, each by a task, all of them by one event loop."""

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[object] | None, int] = {}
        self._none: threading.Event | None = None
        """Is set once there are none, for the threads that wait for it: without one, a request touches no lock."""
        self._loop_thread = 0

    def __enter__(self) -> None:
        self._loop_thread = threading.get_ident()
        task = asyncio.current_task()
        self._enter(task, self._tasks.pop(task, 0) + 1)

    def __exit__(self, *_: object) -> None:
        task = asyncio.current_task()
        self._enter(task, self._tasks.pop(task) - 1)

    @contextmanager
    def but_for_this(self) -> Iterator[None]:
        """Leave out the request being answered, such as a write, while it does large work of its own.

        That work would give way to itself.
        """
        task = asyncio.current_task()
        times = self._tasks.pop(task, 0)
        self._enter(task, 0)
        try:
            yield
        finally:
            self._enter(task, times)

    def give_way(self) -> None:
        """Wait, in a thread, while there are any. On the event loop do not wait: nobody else could end it."""
        if self._tasks and threading.get_ident() != self._loop_thread:
            none = self._none
            if none is None:
                self._none = none = threading.Event()
            if self._tasks:  # else they may have ended before they could see it
                none.wait(WAY_SECONDS)

    def _enter(self, task: asyncio.Task[object] | None, times: int) -> None:
        if times:
            self._tasks[task] = times
        if not self._tasks and self._none is not None:
            self._none.set()
            self._none = None


small = _Small()


async def aside(size: int, make: Callable[[], T]) -> T:
    """Call ``make`` and return its result: in a thread beside the event loop where the ``size`` of its data is large."""
    if size < LARGE:
        return make()
    with small.but_for_this():
        return await asyncio.get_running_loop().run_in_executor(_thread, make)
