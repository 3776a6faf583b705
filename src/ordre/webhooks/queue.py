"""What waits to be sent to one receiver: in order per order or draft, and of several that may go, the earliest event first."""

from collections import deque
from collections.abc import Iterable
from heapq import heappop, heappush

from ordre.application.hooks import Delivery


class Queue:
    """Deliveries, by what they are about. Of each order or draft only the first may go, once it is due and none is on its way."""

    def __init__(self) -> None:
        self._of: dict[str, deque[Delivery]] = {}
        self._away: dict[str, Delivery] = {}
        self._later: list[tuple[int, int, str]] = []
        self._ready: list[tuple[int, str]] = []

    def __len__(self) -> int:
        """Return how many wait, or are on their way."""
        return sum(map(len, self._of.values())) + len(self._away)

    def add(self, deliveries: Iterable[Delivery]) -> None:
        """Add deliveries, in the order of the feed, behind those that are there."""
        for one in deliveries:
            subject = _subject(one)
            waiting = self._of.setdefault(subject, deque())
            waiting.append(one)
            if len(waiting) == 1 and subject not in self._away:
                self._plan(subject)

    def reload(self, deliveries: Iterable[Delivery]) -> None:
        """Put deliveries in the place of all that wait; those that are on their way are not added again."""
        self._of, self._later, self._ready = {}, [], []
        away = {one.id for one in self._away.values()}
        self.add(one for one in deliveries if one.id not in away)

    def next(self, at: int) -> Delivery | None:
        """Return a delivery that may go at an instant, in milliseconds: it is on its way now. None where none may."""
        while self._later and self._later[0][0] <= at:
            _, position, subject = heappop(self._later)
            heappush(self._ready, (position, subject))
        while self._ready:
            _, subject = heappop(self._ready)
            waiting = self._of.get(subject)
            if waiting and subject not in self._away and (waiting[0].due_at or 0) <= at:
                one = self._away[subject] = waiting.popleft()
                if not waiting:
                    del self._of[subject]
                return one
        return None

    def came_back(self, one: Delivery) -> None:
        """Take note of what became of a delivery: one that is to be tried again comes before all others of its order."""
        subject = _subject(one)
        self._away.pop(subject, None)
        if one.due_at is not None:
            self._of.setdefault(subject, deque()).appendleft(one)
        if self._of.get(subject):
            self._plan(subject)

    @property
    def due_at(self) -> int | None:
        """When the next one may go, in milliseconds, where none may now."""
        return self._later[0][0] if self._later else None

    def _plan(self, subject: str) -> None:
        first = self._of[subject][0]
        heappush(self._later, (first.due_at or 0, first.position, subject))


def _subject(one: Delivery) -> str:
    """Return the id of the order or draft that a delivery is about; a ping is about itself."""
    return one.id if one.entry is None else one.entry.id
