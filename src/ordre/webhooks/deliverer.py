"""Delivering: looks, round after round, for subscriptions with something to be sent, and holds those that nobody else holds."""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection

from ordre import logs
from ordre.application.hooks import Look
from ordre.application.troubles import KeysUnreadable, StoreUnavailable
from ordre.webhooks.lane import LEASE_SECONDS, STOP_SECONDS, Bodies, DeliveringStore, Lane, Wishes

CLAIMED_AT_ONCE = 4
"""Of an account, in each round: others that deliver find some, too."""
_AGAIN_SECONDS = 60.0
"""Until a subscription is tried again whose secret cannot be read, or on which delivering failed."""
Pause = Callable[[], Awaitable[None]]
"""Waits until the next round."""


class Deliverer:
    """Delivers for every account, beside any number of others that do."""

    def __init__(self, store: DeliveringStore, bodies: Bodies, wishes: Wishes, pause: Pause) -> None:
        self._store, self._bodies, self._wishes, self._pause = store, bodies, wishes, pause
        self._lanes: defaultdict[str, dict[str, tuple[Lane, asyncio.Task[None]]]] = defaultdict(dict)
        self._not_before: dict[tuple[str, str], float] = {}

    async def run(self) -> None:
        """Deliver until cancelled; then what is on its way is waited for, for a while."""
        try:
            while True:
                await self.look()
                await self._pause()
        finally:
            await self._stop()

    async def look(self) -> None:
        """Do one round; where it fails, such as by a database that is away, say so."""
        try:
            accounts = await self._store.accounts_with_hooks()
            for account_id in [*self._lanes]:
                if account_id not in accounts:
                    self._let_go(account_id, there=frozenset())
            for account_id in accounts:
                await self._look_at(account_id)
        except StoreUnavailable as error:
            logs.warning("delivering_failed", reason=str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, the next round may go well
            logs.error("delivering_failed", exc_info=error)

    async def _look_at(self, account_id: str) -> None:
        looks, claimed = list(await self._store.looks(account_id)), 0
        random.shuffle(looks)
        self._let_go(account_id, there={look.id for look in looks})
        for look in looks:
            lane = self._lane(account_id, look.id)
            if lane is not None:
                lane.tell(look)
            elif claimed < CLAIMED_AT_ONCE and self._wants(account_id, look):
                claimed += await self._claim(account_id, look.id)

    def _let_go(self, account_id: str, there: Collection[str]) -> None:
        """End the lanes of subscriptions that are not there any more."""
        for hook_id in [*self._lanes[account_id]]:
            if hook_id not in there and (lane := self._lane(account_id, hook_id)) is not None:
                lane.tell_gone()
        if not self._lanes[account_id]:
            del self._lanes[account_id]

    def _lane(self, account_id: str, hook_id: str) -> Lane | None:
        """Return the lane of a subscription, where it is held here; of one that ended, see to what it ended with."""
        lane, task = self._lanes[account_id].get(hook_id, (None, None))
        if task is None or not task.done():
            return lane
        del self._lanes[account_id][hook_id]
        error = task.exception()
        if isinstance(error, StoreUnavailable):
            logs.warning("delivering_failed", reason=str(error))
        elif error is not None:
            logs.error("delivering_failed", account_id=account_id, subscription=hook_id, exc_info=error)
            self._not_before[account_id, hook_id] = time.monotonic() + _AGAIN_SECONDS
        return None

    def _wants(self, account_id: str, look: Look) -> bool:
        """Whether there is something to do that nobody seems to do."""
        at = _now()
        free = look.held_by in (None, self._wishes.by) or look.held_until <= at
        due = look.unread > 0 or (look.due_at is not None and look.due_at <= at)
        return look.active and free and due and self._not_before.get((account_id, look.id), 0.0) <= time.monotonic()

    async def _claim(self, account_id: str, hook_id: str) -> bool:
        at = _now()
        until = at + round(LEASE_SECONDS * 1000)
        try:
            found = await self._store.claim(account_id, hook_id, self._wishes.by, at, until)
        except KeysUnreadable as error:
            logs.warning("delivering_failed", account_id=account_id, subscription=hook_id, reason=str(error))
            self._not_before[account_id, hook_id] = time.monotonic() + _AGAIN_SECONDS
            return False
        if found is None:
            return False
        lane = Lane(self._store, found, self._bodies, self._wishes)
        self._lanes[account_id][hook_id] = (lane, asyncio.create_task(lane.run()))
        return True

    async def _stop(self) -> None:
        held = [one for lanes in self._lanes.values() for one in lanes.values()]
        tasks = [task for _, task in held]
        for lane, _ in held:
            lane.stop()
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _now() -> int:
    return time.time_ns() // 1_000_000
