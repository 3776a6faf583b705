"""Jobs that wait for the database, and the callers that wait for them: a job that was refused is not done later."""

import asyncio
import threading
from typing import Any

from ordre.application.troubles import StoreUnavailable, Trouble

SETTLE_SECONDS = 5.0
"""How long a caller whose time is over is kept where what he wanted is being done, to be told what became of it."""


class Pending:
    """A job and its answer. Until it is taken, its caller may withdraw it; from then on he is told what became of it.

    It is made on its caller's event loop, and taken there or on another thread.
    """

    __slots__ = ("_answer", "_is_wanted", "_late", "_lock", "_taken", "job")

    def __init__(self, job: Any) -> None:
        self.job = job
        self._answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._late: list[Any] = []
        self._lock = threading.Lock()
        self._taken = False
        self._is_wanted = True

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop of its caller, where the result is handed over."""
        return self._answer.get_loop()

    def take(self) -> bool:
        """Begin the job; return False where its caller has withdrawn it."""
        with self._lock:
            self._taken = True
            return self._is_wanted

    def give_back(self) -> bool:
        """Put the job back, since nothing of it was done; return False where its caller's time is over: then it is withdrawn."""
        with self._lock:
            self._taken = False
            is_wanted = self._is_wanted
        if not is_wanted:
            self._answer.cancel()
        return is_wanted

    def tell(self, result: Any) -> None:
        """Hand the caller, if it still waits, the result or the exception."""
        if self._answer.done():
            self._late.append(result)
        elif isinstance(result, BaseException):
            self._answer.set_exception(result)
        else:
            self._answer.set_result(result)

    async def outcome(self) -> Any:
        """Wait for the result. A caller that is cancelled meanwhile withdraws the job, or waits on if it is already being done.

        Raises:
            StoreUnavailable: It could not be done, or (``unsure``) whether it was done cannot be told in time.
        """
        try:
            return await self._answer
        except asyncio.CancelledError:
            if self._withdrawn():
                raise
        if self._answer.cancelled():
            self._answer = asyncio.get_running_loop().create_future()
            if self._late:
                self.tell(self._late.pop())
        # not asyncio.timeout: up to Python 3.11.2 it does not end in a task that has caught a cancellation before
        if not (await asyncio.wait([self._answer], timeout=SETTLE_SECONDS))[0]:
            raise StoreUnavailable("the request timed out while it was being written", Trouble.BUSY, unsure=True)
        return self._answer.result()

    async def result(self) -> Any:
        """Wait for the result of a job that changes nothing: a caller that is cancelled does not wait on."""
        try:
            return await self._answer
        except asyncio.CancelledError:
            self._withdrawn()
            raise

    def _withdrawn(self) -> bool:
        """Withdraw the job unless it is being done; return whether it was withdrawn."""
        with self._lock:
            self._is_wanted = False
            return not self._taken
