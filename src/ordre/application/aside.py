"""Work that takes long, in a thread beside the event loop: who asks for little does not wait for it.

It is one thread for all such work. Two would be no faster, as Python runs one at a time.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

LARGE = 32 * 1024
"""Characters or bytes. What reads or writes fewer is done sooner than it is handed to a thread and back."""
WAY_SECONDS = 0.002
"""How long a thread gives way at a time, so that it gets on where there is always somebody."""
_thread = ThreadPoolExecutor(1, "ordre-aside")


class _Small:
    """Requests for little that are being answered, all of them by one event loop."""

    def __init__(self) -> None:
        self._number = 0
        self._none = threading.Event()
        self._none.set()

    def __enter__(self) -> None:
        if self._number == 0:
            self._none.clear()
        self._number += 1

    def __exit__(self, *_: object) -> None:
        self._number -= 1
        if self._number == 0:
            self._none.set()

    def give_way(self) -> None:
        """Wait, in a thread, while there are any."""
        if self._number:
            self._none.wait(WAY_SECONDS)


small = _Small()


async def aside(size: int, make: Callable[[], T]) -> T:
    """Return what ``make`` returns: where the ``size`` of what it reads or writes is large, beside the loop."""
    if size < LARGE:
        return make()
    return await asyncio.get_running_loop().run_in_executor(_thread, make)
