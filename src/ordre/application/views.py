"""An order to be shown, and the facts that its events are shown by."""

from collections.abc import Sequence
from dataclasses import dataclass

from ordre.application.lists import EventPage
from ordre.domain.order import Order


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFact:
    """A fact as it stands in the store, with its place in the chain. Before an ``erased`` one the texts are empty."""

    version: int
    type: str
    at: int
    by: str
    ref: str | None
    data: str
    document: str
    event: str
    salt: str
    digest: str
    hash: str

    @property
    def size(self) -> int:
        """About how many characters it has."""
        return len(self.data) + len(self.document) + len(self.event)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """An order to be shown. ``fields`` and ``items`` are JSON; ``shown`` are (type of fact, JSON), oldest first.

    ``events`` are its latest ones of the types that were asked for, up to its version.
    """

    order: Order
    fields: str
    items: str
    shown: Sequence[tuple[str, str]] = ()
    events: EventPage[StoredFact] | None = None

    @property
    def size(self) -> int:
        """About how many characters it has."""
        shown = sum(len(document) for _, document in self.shown)
        events = 0
        if self.events is not None:
            events = sum(fact.size for fact in self.events.facts) + sum(map(len, self.events.reports))
        return len(self.fields) + len(self.items) + shown + events
