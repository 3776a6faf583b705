"""One subscription that this process holds: its deliveries are made from the feed, and sent.

They are sent in order per order or draft, many orders at once, and each result is stored before the next one of its order goes.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ordre import logs
from ordre.application.feed import FeedPage, FeedQuery
from ordre.application.hooks import (
    Attempt,
    Delivery,
    DeliveryState,
    HookStore,
    Look,
    Subscription,
    deliveries_of,
)
from ordre.application.troubles import StoreUnavailable
from ordre.domain.hooks import ATTEMPTS, GIVEN_UP, pause_before
from ordre.webhooks.addresses import Network
from ordre.webhooks.queue import Queue
from ordre.webhooks.sending import AT_ONCE, Sender
from ordre.webhooks.signing import read_secret

LEASE_SECONDS = 20.0
"""A subscription is held for so long at a time; whoever holds it stops in time where it cannot hold it longer."""
RENEW_SECONDS = 5.0
STOP_SECONDS = 5.0
"""Before the end of the lease whatever is on its way is broken off; and so long a process that stops waits for answers."""
IDLE_SECONDS = 10.0
"""A subscription for which there is nothing to do for so long is let go."""
WINDOW = 1_000
"""So many deliveries wait in memory."""
PAGE = 200
"""Entries of the feed that are read at once."""
_OK, _MULTIPLE, _IGNORED = 200, 300, 400

Bodies = Callable[[Subscription, Delivery], Awaitable[bytes]]
"""(subscription, delivery) -> the body that is sent, as JSON."""


class DeliveringStore(HookStore, Protocol):
    """What delivering needs of a store."""

    async def feed(self, account_id: str, query: FeedQuery) -> FeedPage: ...
    async def feed_moved(self, account_id: str, after: int, seconds: float) -> bool:
        """Wait until the feed of the account goes beyond a position, at most so long; return whether it does."""
        ...

    @property
    def lets_wait(self) -> bool:
        """Whether it has not been told to stop waiting."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How to deliver. ``by`` names this process among all that deliver."""

    by: str
    seconds: float
    """The time for one attempt."""
    retry_seconds: float
    """The pause before the second attempt; the later ones are longer."""
    networks: Sequence[Network]


class Lane:
    """Holds one subscription until there is nothing to do for it, or it is taken away."""

    def __init__(self, store: DeliveringStore, subscription: Subscription, bodies: Bodies, wishes: Wishes) -> None:
        self._store, self._subscription, self._bodies, self._wishes = store, subscription, bodies, wishes
        secret = None if subscription.secret is None else read_secret(subscription.secret)
        self._sender = Sender(
            subscription.url,
            secret,
            insecure=subscription.insecure,
            seconds=wishes.seconds,
            networks=wishes.networks,
        )
        self._queue = Queue()
        self._flying: set[asyncio.Task[Delivery]] = set()
        self._woken = asyncio.Event()
        self._moved: asyncio.Task[bool] | None = None
        """Waits until there is more to read, where there is nothing now."""
        self._unread, self._changed, self._more = True, True, False
        self._revision = subscription.revision
        self._trouble = 0
        """Attempts in a row that failed: the more of them, the fewer requests at once."""
        self._stopping = False

    def tell(self, look: Look) -> None:
        """Tell it of what was seen of its subscription."""
        if look.revision != self._revision:
            self._revision = look.revision
            self._woken.set()
        if look.unread > 0:
            self._unread = True
            self._woken.set()

    def tell_gone(self) -> None:
        """Tell it that its subscription is not there any more."""
        self._revision = 0
        self._woken.set()

    def stop(self) -> None:
        """Begin nothing more; end once what is on its way is answered."""
        self._stopping = True
        self._woken.set()

    async def run(self) -> None:
        """Deliver. What is on its way at the end is broken off, and is sent again by whoever holds the subscription next.

        Raises:
            StoreUnavailable: The store is.
        """
        account_id, hook_id = self._subscription.account_id, self._subscription.id
        try:
            async with asyncio.timeout(LEASE_SECONDS - STOP_SECONDS) as lease:
                await self._deliver(lease)
        except TimeoutError:
            logs.warning("webhook_lost", account_id=account_id, subscription=hook_id)
        finally:
            ending = [*self._flying, *([] if self._moved is None else [self._moved])]
            for task in ending:
                task.cancel()
            await asyncio.gather(*ending, return_exceptions=True)
            await self._sender.close()
            with suppress(StoreUnavailable):
                await self._store.release(account_id, hook_id, self._wishes.by)

    async def _deliver(self, lease: asyncio.Timeout) -> None:
        loop = asyncio.get_running_loop()
        renewed = busy = loop.time()
        while True:
            now = loop.time()
            if now - renewed >= RENEW_SECONDS or self._revision != self._subscription.revision:
                if not await self._held():
                    return
                renewed = now
                lease.reschedule(now + LEASE_SECONDS - STOP_SECONDS)
            if self._stopping and not self._flying:
                return
            if not self._stopping:
                await self._fill()
                self._start()
            if self._flying or self._unread:
                busy = now
            elif now - busy >= IDLE_SECONDS:
                return
            if not await self._next(renewed + RENEW_SECONDS - now):
                return

    async def _held(self) -> bool:
        """Hold it longer; return whether that is so. What changed is read anew."""
        one, at = self._subscription, _now()
        until = at + round(LEASE_SECONDS * 1000)
        found = await self._store.claim(one.account_id, one.id, self._wishes.by, at, until)
        if found is None:
            return False
        if found.revision != one.revision:
            self._changed = self._unread = True
        self._subscription, self._revision = found, found.revision
        return True

    async def _fill(self) -> None:
        """Read what waits, then the feed, until enough waits here."""
        one = self._subscription
        if self._changed or (self._more and len(self._queue) <= WINDOW // 2):
            found = await self._store.waiting(one.account_id, one.id, WINDOW)
            self._queue.reload(found)
            self._changed, self._more = False, len(found) == WINDOW
        if not self._unread or self._more or len(self._queue) > WINDOW - PAGE:
            return
        query = FeedQuery(after=one.position, limit=PAGE, kinds=one.kinds)
        page = await self._store.feed(one.account_id, query)
        if page.position > one.position:
            made = deliveries_of(one, page.entries, _now())
            if not await self._store.make_deliveries(one, made, page.position, self._wishes.by):
                self._revision = 0  # somebody moved its place, or took it away: it is read anew
                return
            self._subscription = replace(one, position=page.position)
            self._queue.add(made)
        self._unread = page.position < page.end

    def _start(self) -> None:
        """Send what may go now."""
        at = _now()
        while len(self._flying) < self._most:
            one = self._queue.next(at)
            if one is None:
                return
            self._flying.add(asyncio.create_task(self._sent(one)))

    @property
    def _most(self) -> int:
        """So many requests at once."""
        return max(1, AT_ONCE >> self._trouble)

    async def _next(self, most_seconds: float) -> bool:
        """Wait until there is something to do, and take note of what was answered; return whether to go on."""
        due_at = self._queue.due_at
        seconds = max(0.0, min(most_seconds, IDLE_SECONDS))
        if due_at is not None and len(self._flying) < self._most and not self._stopping:
            seconds = min(seconds, max(0.0, (due_at - _now()) / 1000))
        if self._unread and not (self._stopping or self._more) and len(self._queue) <= WINDOW - PAGE:
            seconds = 0.0
        await self._wait(seconds)
        done = {task for task in self._flying if task.done()}
        self._flying -= done
        return not done or await self._took_note([task.result() for task in done])

    async def _wait(self, seconds: float) -> None:
        """Wait until something is answered, there is more to read, or somebody says so."""
        one = self._subscription
        if self._moved is None and not self._unread and self._store.lets_wait:
            self._moved = asyncio.create_task(self._store.feed_moved(one.account_id, one.position, IDLE_SECONDS))
        waking = asyncio.create_task(self._woken.wait())
        waiting: set[asyncio.Task[Any]] = {waking, *self._flying, *([] if self._moved is None else [self._moved])}
        try:
            await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waking.cancel()
        self._woken.clear()
        if self._moved is not None and self._moved.done():
            self._unread |= self._moved.result()
            self._moved = None

    async def _took_note(self, results: Sequence[Delivery]) -> bool:
        """Store what became of deliveries; return whether to go on: too many that were given up suspend the subscription."""
        one, failures = self._subscription, self._subscription.failures
        for result in results:
            if result.state is DeliveryState.FAILED:
                failures += 1
                logs.warning("webhook_given_up", account_id=one.account_id, subscription=one.id, delivery=result.id)
            elif result.state is not DeliveryState.WAITING:
                failures = 0
            self._trouble = 0 if result.state in (DeliveryState.DELIVERED, DeliveryState.IGNORED) else self._trouble + 1
        await self._store.attempted(one.account_id, one.id, results, failures)
        self._subscription = replace(one, failures=failures)
        for result in results:
            self._queue.came_back(result)
        if failures < GIVEN_UP:
            return True
        last = next(_words(result.log[-1]) for result in reversed(results) if result.state is DeliveryState.FAILED)
        reason = f"{failures} deliveries in a row failed {ATTEMPTS} times each; the last one: {last}"
        logs.warning("webhook_suspended", account_id=one.account_id, subscription=one.id, reason=reason)
        await self._store.suspend(one.account_id, one.id, reason, _now())
        return False

    async def _sent(self, one: Delivery) -> Delivery:
        """Send a delivery; return what became of it."""
        try:
            body = await self._bodies(self._subscription, one)
            attempt = await self._sender.send(one.id, one.event, body)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one that cannot be sent must not hold up the others
            logs.error("webhook_not_sent", delivery=one.id, exc_info=error)
            attempt = Attempt(at=_now(), milliseconds=0, error="Ordre failed to send it")
        return _after(one, attempt, self._wishes.retry_seconds)


def _after(one: Delivery, attempt: Attempt, retry_seconds: float) -> Delivery:
    """Return a delivery after an attempt."""
    attempts, status = one.attempts + 1, attempt.status or 0
    state, due_at = DeliveryState.WAITING, None
    if _OK <= status < _MULTIPLE:
        state = DeliveryState.DELIVERED
    elif status == _IGNORED:
        state = DeliveryState.IGNORED
    elif attempts >= ATTEMPTS:
        state = DeliveryState.FAILED
    else:
        pause = pause_before(attempts + 1, retry_seconds, random.random())  # noqa: S311 - no secret
        due_at = _now() + round(pause * 1000)
    return replace(one, state=state, due_at=due_at, attempts=attempts, log=(*one.log, attempt))


def _words(attempt: Attempt) -> str:
    return attempt.error or f"it answered {attempt.status}"


def _now() -> int:
    return time.time_ns() // 1_000_000
