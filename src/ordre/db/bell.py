"""Wakes those who wait for the feed of an account to go on, in this process."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager


class Bell:
    """Is rung for an account after something of it was committed. Whoever hears it looks at the feed: it may ring for nothing."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)
        self.silent = False
        """Whether it has been taken down: nobody waits any more."""

    def ring(self, account_id: str) -> None:
        """Wake those who wait for this account. It is called in the event loop."""
        if account_id in self._waiting:
            for one in self._waiting[account_id]:
                if not one.done():
                    one.set_result(None)

    def take_down(self) -> None:
        """Wake everybody, for good."""
        self.silent = True
        for account_id in [*self._waiting]:
            self.ring(account_id)

    @property
    def awaited(self) -> Collection[str]:
        """The accounts that somebody waits for."""
        return self._waiting.keys()

    @contextmanager
    def heard(self, account_id: str) -> Iterator[asyncio.Future[None]]:
        """Listen inside ``with``: what is given is done once the bell has rung."""
        rung = asyncio.get_running_loop().create_future()
        if self.silent:
            rung.set_result(None)
        self._waiting[account_id].add(rung)
        try:
            yield rung
        finally:
            self._waiting[account_id].discard(rung)
            if not self._waiting[account_id]:
                del self._waiting[account_id]
