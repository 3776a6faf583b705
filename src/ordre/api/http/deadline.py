"""A deadline for many tasks, each of which has as long.

A timeout of asyncio sets a timer and takes it back, and a request has two: 5 % of what it costs.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType


class Deadline:
    """So many seconds for what a task does inside ``with``; a task is inside once at a time.

    As all have as long, who came first is late first: there is one timer, for whoever has been inside longest when it is set.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._ends: dict[asyncio.Task[object], float] = {}
        self._is_timed = False

    def __enter__(self) -> None:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        if task is None:
            raise RuntimeError("A deadline is one of a task")
        self._ends[task] = loop.time() + self.seconds
        if not self._is_timed:
            self._await(loop)

    def __exit__(self, type_: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Leave.

        Raises:
            TimeoutError: In place of the cancellation by which what took too long was ended.
        """
        task = asyncio.current_task()
        if task is None or self._ends.pop(task, None) is not None:
            return
        if task.uncancel() == 0 and type_ is asyncio.CancelledError:
            raise TimeoutError from error

    @contextmanager
    def but_for_this(self) -> Iterator[None]:
        """Let a task that is inside wait for as long as it likes; after that it has so many seconds again."""
        task = asyncio.current_task()
        is_inside = task is not None and self._ends.pop(task, None) is not None
        try:
            yield
        finally:
            if is_inside:
                self.__enter__()

    def _await(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_timed = True
        loop.call_at(next(iter(self._ends.values())), self._end_late, loop)

    def _end_late(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_timed, now = False, loop.time()
        late = [task for task, end in self._ends.items() if end <= now]
        for task in late:
            del self._ends[task]
            task.cancel()
        if self._ends:
            self._await(loop)
