"""How the feed is read on and on, without I/O: whoever drives it sends and waits."""

import random
from collections.abc import Sequence

from ordre.api.wire.feed import Entry, Feed
from ordre.client.calls import Call, read_feed
from ordre.client.filters import FeedFilters

WAIT_SECONDS = 20
"""For which the server waits for an entry at most, before it says that there is none: less than a request may take."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0


class Reading:
    """A reading of the feed. ``goes_on`` says whether there is more to ask for: always, where the server is asked to wait."""

    def __init__(self, after: int, wait: int, filters: FeedFilters) -> None:
        self._position, self._wait, self._filters = after, min(wait, WAIT_SECONDS), filters
        self._pause = _FIRST_PAUSE
        self.goes_on = True

    @property
    def call(self) -> Call[Feed]:
        """The call for the next page."""
        return read_feed(self._position, wait=self._wait, **self._filters)

    def took(self, page: Feed) -> Sequence[Entry]:
        """Go on behind a page; return its entries."""
        self._position, self._pause = page.position, _FIRST_PAUSE
        self.goes_on = bool(self._wait) or page.position < page.end
        return page.entries

    def pause(self) -> float:
        """Return the seconds until the next attempt, after one that failed: twice those before, less up to half at random."""
        seconds = self._pause * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        return seconds
