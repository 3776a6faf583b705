"""Changes on PostgreSQL: one batch at a time a process, and a lane for each order or draft that has to be waited for.

Between processes the version in the compare-and-set decides. A change whose order was lost, or is locked by somebody else, is
read again and run again; after that it goes into the lane of its order, where changes are run under the order's lock. So does a
change of several new orders, and one that erases. What is waited for in a lane holds up nobody else: the batches go on
beside it, and lanes take no more than half of the connections.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractAsyncContextManager

import asyncpg

from ordre.application.change import Change, Outcome
from ordre.application.lists import Terms
from ordre.application.troubles import StoreUnavailable, Trouble
from ordre.application.views import Subject
from ordre.db import locks
from ordre.db.admission import ADMIT
from ordre.db.batch import Ran
from ordre.db.pending import Pending
from ordre.db.postgres_batch import tried
from ordre.db.postgres_faults import LockedOut, StatementRefused, explained
from ordre.db.postgres_pool import Connection

BATCH = 64
LOST_BEFORE_LANE = 1
ATTEMPTS = 8
SUSPECTED_SECONDS = 10.0
"""How long all changes of an account go into lanes, after one was locked out though it had locked its own order."""
_LOST_RACE = (asyncpg.IntegrityConstraintViolationError, asyncpg.DeadlockDetectedError)

Name = tuple[str, str]
"""(account id, how an order or draft is named): what a lane is of. What names nothing has the lane of its account."""


class _Waiting(Pending):
    """A change that waits. ``lost`` is how often it lost its order; ``tries`` how often it was run in a lane.

    ``alone`` says that it may spoil others; ``hasty`` that it has waited for a lock once, and is told no soon if it has to again.
    """

    __slots__ = ("alone", "change", "hasty", "lost", "tries")

    def __init__(self, change: Change) -> None:
        super().__init__(change)
        self.change = change
        self.lost, self.tries = 0, 0
        self.alone, self.hasty = change.several or change.erases, False

    @property
    def name(self) -> Name:
        """The order or draft that its lane is for."""
        wanted = self.change.wanted
        return wanted.account_id, wanted.order or wanted.draft or ""


class Changes:
    """The changes that wait to be written. ``connection`` lends a connection; as many as ``lanes`` lanes hold one at a time."""

    def __init__(self, terms: Terms, connection: Callable[[], AbstractAsyncContextManager[Connection]], lanes: int) -> None:
        self._terms, self._connection = terms, connection
        self._waiting: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()
        self._lanes: dict[Name, deque[_Waiting]] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(lanes)
        self._suspected: dict[str, float] = {}
        self._closing = False
        self._loop = asyncio.create_task(self._batches())

    async def run(self, change: Change) -> Outcome:
        """Run a change in the next batch, or in a lane where it has several subjects, erases, or has to wait for others."""
        if self._closing:
            raise StoreUnavailable("the store is closed")
        waiting = _Waiting(change)
        if self._suspected and self._is_suspected(change.wanted.account_id):
            waiting.alone = waiting.hasty = True
        if waiting.alone or waiting.name in self._lanes:
            self._put_in_lane(waiting)
        else:
            self._waiting.append(waiting)
            self._arrived.set()
        outcome: Outcome = await waiting.outcome()
        return outcome

    async def close(self) -> None:
        """Finish what waits."""
        self._closing = True
        self._arrived.set()
        await self._loop
        while self._running:
            await asyncio.wait(self._running)

    async def _batches(self) -> None:
        while not self._closing or self._waiting:
            if not self._waiting:
                self._arrived.clear()
                await self._arrived.wait()
                continue
            taken = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            for one in [one for one in taken if one.name in self._lanes]:
                taken.remove(one)
                self._put_in_lane(one)
            if taken:
                await self._run(taken)

    async def _run(self, taken: list[_Waiting]) -> None:
        """Run one batch. Where one of it spoils it, or somebody has locked it out, each goes on in its lane."""
        try:
            async with self._connection() as connection:
                taken = [one for one in taken if one.take()]
                ran, lost = await self._tried(connection, taken, held=False)
        except LockedOut:
            self._put_apart(taken, hasty=True)
        except StoreUnavailable as error:
            if isinstance(error, StatementRefused) and len(taken) > 1:
                self._put_apart(taken)
            else:
                _tell_all(taken, error)
        except Exception:  # noqa: BLE001 - it comes again, to its own caller alone
            self._put_apart(taken)
        else:
            for one, result in zip(taken, ran, strict=True):
                if not result.unheld and result.saw.isdisjoint(lost):
                    one.tell(result.outcome or result.refused)
                elif one.give_back():
                    self._put_again(one, unheld=result.unheld)

    def _put_again(self, one: _Waiting, *, unheld: bool) -> None:
        one.lost += 1
        if unheld or one.lost > LOST_BEFORE_LANE:
            self._put_in_lane(one)
        else:
            self._waiting.append(one)

    def _put_apart(self, taken: Iterable[_Waiting], *, hasty: bool = False) -> None:
        for one in taken:
            if one.give_back():
                one.alone, one.hasty = True, hasty
                self._put_in_lane(one)

    def _put_in_lane(self, one: _Waiting) -> None:
        lane = self._lanes.get(one.name)
        if lane is not None:
            lane.append(one)
            return
        self._lanes[one.name] = deque([one])
        running = asyncio.create_task(self._run_lane(one.name))
        self._running.add(running)
        running.add_done_callback(self._running.discard)

    async def _run_lane(self, name: Name) -> None:
        """Run what waits in a lane until nothing does."""
        lane = self._lanes[name]
        while lane:
            async with self._places:
                await self._run_locked(lane)
        del self._lanes[name]

    async def _run_locked(self, lane: deque[_Waiting]) -> None:
        """Run the first of a lane, and those behind that may go with it, in a transaction that locks what they want.

        Where the lock cannot be had, everybody who waits for it is told.
        """
        taken: list[_Waiting] = []
        try:
            async with self._connection() as connection:
                ran, lost = await self._locked(connection, lane, taken)
        except _LOST_RACE:
            _put_back(lane, taken or [lane.popleft()])
        except Exception as error:  # noqa: BLE001 - their callers are told
            if isinstance(error, LockedOut) and taken:
                self._suspect(taken[0].change.wanted.account_id)
            of_all = isinstance(error, StoreUnavailable) and not isinstance(error, StatementRefused)
            if len(taken) > 1 and not of_all:
                _put_back(lane, taken)
            else:
                _tell_all(taken or _emptied(lane), error)
        else:
            if lost:
                _put_back(lane, taken)
            else:
                for one, result in zip(taken, ran, strict=True):
                    one.tell(result.outcome or result.refused)

    def _suspect(self, account_id: str) -> None:
        """Remember that somebody else has locked something that no lane locks: the account itself, or a whole table."""
        self._suspected[account_id] = asyncio.get_running_loop().time() + SUSPECTED_SECONDS

    def _is_suspected(self, account_id: str) -> bool:
        if asyncio.get_running_loop().time() < self._suspected.get(account_id, 0.0):
            return True
        self._suspected.pop(account_id, None)
        return False

    async def _locked(self, connection: Connection, lane: deque[_Waiting], taken: list[_Waiting]) -> tuple[Sequence[Ran], bool]:
        """Lock what the first of a lane wants, then move it, and those that are run with it, to ``taken``, and run these."""
        transaction = connection.transaction()
        await transaction.start()
        try:
            await _lock(connection, lane[0])
            taken += _together(lane)
            ran, lost = await self._tried(connection, taken, held=True)
        except BaseException:
            with explained():
                await transaction.rollback()
            raise
        if lost or not any(one.outcome for one in ran):
            await transaction.rollback()
        else:
            with explained(in_doubt=True):
                await transaction.commit()
        return ran, bool(lost)

    async def _tried(
        self, connection: Connection, taken: Sequence[_Waiting], *, held: bool
    ) -> tuple[Sequence[Ran], Collection[Subject]]:
        return await tried(self._terms, connection, [one.change for one in taken], held=held) if taken else ([], ())


async def _lock(connection: Connection, one: _Waiting) -> None:
    """Lock what a change wants, in the order of ``locks``."""
    wanted = one.change.wanted
    await connection.execute(ADMIT, wanted.account_id)
    if one.hasty:
        await connection.execute(locks.timeout(locks.HASTY_SECONDS))
    order = wanted.order
    if wanted.of_draft:
        order = await connection.fetchval(locks.NAMED, wanted.account_id, wanted.draft)
    if order is not None:
        await connection.execute(locks.ORDER, wanted.account_id, order)
    if wanted.draft is not None:
        await connection.execute(locks.DRAFTS, wanted.account_id, [wanted.draft])


def _together(lane: deque[_Waiting]) -> list[_Waiting]:
    """Take the first of a lane, and those behind that want the same lock, unless one of them may spoil the others."""
    first = lane.popleft()
    taken = [first] if first.take() else []
    wanted = first.change.wanted
    while lane and not first.alone and len(taken) < BATCH:
        following = lane[0]
        if following.alone or (following.change.wanted.order, following.change.wanted.draft) != (wanted.order, wanted.draft):
            break
        lane.popleft()
        taken += [following] if following.take() else []
    return taken


def _put_back(lane: deque[_Waiting], taken: Iterable[_Waiting]) -> None:
    """Put changes back to be run again, each by itself, a bounded number of times."""
    for one in reversed([one for one in taken if one.give_back()]):
        one.tries, one.alone = one.tries + 1, True
        if one.tries < ATTEMPTS:
            lane.appendleft(one)
        else:
            one.tell(StoreUnavailable("other writers changed the same order first, too often", Trouble.BUSY))


def _emptied(lane: deque[_Waiting]) -> list[_Waiting]:
    """Empty a lane; return what was in it."""
    taken = list(lane)
    lane.clear()
    return taken


def _tell_all(taken: Iterable[_Waiting], error: Exception) -> None:
    for one in taken:
        one.tell(error)
