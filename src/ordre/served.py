"""Puts the application together: settings and a store to the API with its lifespan, which a server runs."""

import asyncio
import gc
import sys
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass
from socket import socket
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from ordre import logs
from ordre.api.app import make_app
from ordre.api.handlers.health import Lifecycle
from ordre.api.handlers.sandbox import new_account
from ordre.api.http.clock import clock_from
from ordre.application.erasure import tidy
from ordre.application.store import Store
from ordre.application.troubles import StoreUnavailable, Trouble
from ordre.bootstrap import make_store
from ordre.delivering import deliver_for_ever
from ordre.demo import fill
from ordre.domain.refusals import Refused
from ordre.settings import Settings, current
from ordre.stopping import Stopping
from ordre.tidying import tidy_for_ever

_SWITCH_SECONDS = 0.0002
"""A thread that works beside the loop keeps Python so long when the loop wants it; a request may have to ask several times."""
_GARBAGE = 20_000, 20, 50
"""So many more objects than before are made until the young are looked through; so often those, until others are; and these."""
_AWAY_SECONDS = 1.0
"""Between attempts to reach a database that is away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """The account and the client that a server in memory begins with. What is empty is made up."""

    account_id: str = "T00000001"
    client_id: str = ""
    client_secret: str = ""
    demo: bool = False
    """Whether the account is filled with the orders of the demo."""


class Application:
    """The API with its lifespan: opens the store at start, keeps it tidy, closes it at the end. It listens on ``sockets``."""

    def __init__(self, settings: Settings, sockets: Sequence[socket], guest: Guest | None = None) -> None:
        self._settings, self._sockets, self._guest = settings, sockets, guest
        self._store = make_store(settings)
        self._clock = clock_from(settings.clock)
        self._app: ASGIApp = make_app(self._store, settings, self._clock, self._tidied)
        self.greeting: dict[str, str] = {}
        """For a guest: how to use the server, but for its address."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        await receive()
        lifecycle = scope.setdefault("state", {})["lifecycle"] = Lifecycle()
        stopping = Stopping(
            lifecycle,
            self._settings.drain_seconds,
            self._sockets,
            alone=self._settings.workers == 1,
            ending=self._store.stop_waiting,
        )
        try:
            await self._open()
            await self._store.signing_keys()  # so that a worker without the secret does not start
            if self._guest is not None:
                self.greeting = await _welcome(self._store, self._guest, self._clock.now()[0])
        except (StoreUnavailable, Refused) as error:
            await send({"type": "lifespan.startup.failed", "message": _reason(error)})
            return
        beside = [asyncio.create_task(work) for work in self._beside()]
        stopping.listen()
        _favour_the_loop()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await self._store.close()
        logs.write_waiting()
        await send({"type": "lifespan.shutdown.complete"})

    async def _open(self) -> None:
        """Open the store. One of several processes waits for a database that is away: it takes the place of one that died."""
        while True:
            try:
                return await self._store.open()
            except StoreUnavailable as error:
                if error.trouble is not Trouble.AWAY or self._settings.workers == 1:
                    raise
                logs.warning("waiting", reason=str(error))
                await asyncio.sleep(_AWAY_SECONDS)

    def _beside(self) -> Iterator[Coroutine[Any, Any, None]]:
        """Yield what this process does beside serving, where no worker does it: erasing, while its clock runs, and delivering."""
        if self._settings.tidy_seconds > 0 and not self._settings.clock:
            yield self._tidy()
        if self._settings.hook_poll_seconds > 0:
            yield deliver_for_ever(self._store, self._settings)

    async def _tidy(self) -> None:
        await tidy_for_ever(self._store, self._settings, self._settings.vacuum_bytes)

    async def _tidied(self, at: int) -> None:
        await tidy(self._store, at, self._settings.idempotency_seconds)


def _favour_the_loop() -> None:
    """Let the event loop wait for other threads no longer than need be, and for the garbage collector.

    A request that is answered leaves nothing to it, so it may look seldom.
    """
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.collect()
    gc.freeze()  # what is there by now stays, and looking through all of it takes some 40 ms each time
    gc.set_threshold(*_GARBAGE)


def _reason(error: StoreUnavailable | Refused) -> str:
    return "; ".join(one.message for one in error.refusals) if isinstance(error, Refused) else str(error)


async def _welcome(store: Store, guest: Guest, now: int) -> dict[str, str]:
    """Make an account and a client in a store that has none; return how to use them."""
    made = await new_account(store, guest.account_id, now, guest.client_id, guest.client_secret)
    if guest.demo:
        await fill(store, made["account_id"], made["client_id"], now)
    return made


def app(sockets: Sequence[socket]) -> ASGIApp:
    """Return the application of this process's environment: what a worker process is started with."""
    return Application(current(), sockets)
