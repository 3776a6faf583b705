"""An order to be shown, its facts as they are stored, and all that is held of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ordre.application.lists import EventPage, Term
from ordre.domain.order.order import Order


class FactRow(NamedTuple):
    """A fact as it is stored, with its place in the chain, in the order of its columns.

    Of an order that was erased the texts of earlier facts are empty. ``document`` is what it shows as a part of the order,
    ``event`` the request that made it, both JSON; so is ``data``, the fact itself.
    """

    version: int
    type: str
    at: int
    actor: str
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
    """An order to be shown. ``fields`` and ``items`` are JSON in UTF-8; ``shown`` are (type of fact, such JSON), oldest first.

    None of it is text: it is answered as it was stored, and to read text and write it again takes longer than all else.

    ``events`` are its latest ones of the types that were asked for, up to its version.
    """

    order: Order
    fields: bytes
    items: bytes
    shown: Sequence[tuple[str, bytes]] = ()
    events: EventPage[FactRow] | None = None

    @property
    def size(self) -> int:
        """About how many bytes it has."""
        shown = sum(len(document) for _, document in self.shown)
        events = 0
        if self.events is not None:
            events = sum(fact.size for fact in self.events.facts) + sum(map(len, self.events.reports))
        return len(self.fields) + len(self.items) + shown + events


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredOrder:
    """Everything the store holds of one order, for verifying it. ``columns`` are those that lists filter by."""

    account_id: str
    id: str
    columns: Mapping[str, object]
    head: str
    hash: str
    fields: str
    items: str
    terms: Mapping[str, str]
    """Its terms as they are stored, by part."""
    earlier: frozenset[Term] | None
    """Those that an earlier version of Ordre wrote; None where there should be none any more, and are."""
    leading: int
    """How many of its terms lead to it."""
    facts: tuple[FactRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Ids of orders and of drafts."""

    orders: Sequence[str] = ()
    drafts: Sequence[str] = ()


Subject = tuple[str, str]
"""(account id, id) of an order or a draft: where it stands among all, and what a compare-and-set is about."""
