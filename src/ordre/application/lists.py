"""Lists of orders and of drafts: what is asked for, what is answered, and the terms under which each is found."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Generic, TypeVar, overload

from ordre.application.aside import small
from ordre.domain.draft import Draft
from ordre.domain.order.facts import Fact
from ordre.domain.order.order import Order
from ordre.domain.order.parts import Content

S = TypeVar("S")
T = TypeVar("T")


class Made(Sequence[T], Generic[S, T]):
    """Makes its items from the rows of a sequence each time they are asked for, so that nothing large is made early or kept."""

    def __init__(self, make: Callable[[S], T], rows: Sequence[S]) -> None:
        self._make, self._rows = make, rows

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> "Made[S, T]": ...
    def __getitem__(self, place: int | slice) -> "T | Made[S, T]":
        """Return one of them, or a part of the sequence."""
        if isinstance(place, slice):
            return Made(self._make, self._rows[place])
        small.give_way()
        return self._make(self._rows[place])

    def __len__(self) -> int:
        """Return their number."""
        return len(self._rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """``size`` is about how many characters its rows have in the store."""

    rows: Sequence[T]
    more: bool
    size: int
    total: int | None = None
    """Counted up to ``COUNT_LIMIT`` + 1, where asked for."""


PAGE_BYTES = 1024 * 1024
"""About so large a page is at most; it has one row in any case."""
PAGE_ENTRIES = 1_000
"""So many entries of what an order holds are on a page where no number is asked for."""


def fitting(sizes: Iterable[int], most_bytes: int) -> int:
    """Return how many of the first rows fit into this size together: at least one, where there is one."""
    found = 0
    for through in accumulate(sizes):
        if through > most_bytes and found:
            break
        found += 1
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """An order's events of these types, oldest first: after a version, up to one, after the report with the id ``after_ref``.

    With ``latest`` they are the last ones, where there are more.
    """

    types: frozenset[str]
    since: int = 0
    up_to: int | None = None
    after_ref: str | None = None
    limit: int = PAGE_ENTRIES
    most_bytes: int = PAGE_BYTES
    latest: bool = False
    total: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage(Generic[T]):
    """Facts that show events. ``total`` counts those of the whole list, where asked for."""

    facts: Sequence[T]
    more: bool = False
    left_out: int = 0
    """With ``latest``: how many of those that are asked for come before these."""
    total: int | None = None
    deleted: frozenset[str]
    """What the order's deletions of comments are known by."""
    reports: Sequence[str]
    """What services reported up to the version, all of it, oldest first, as JSON with ``service`` and ``state``."""


COUNT_LIMIT = 10_000
"""How far a list is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """A list, newest first. Instants in milliseconds, bounds included; ``after`` is the id of the last one seen."""

    limit: int
    after: str | None = None
    total: bool = False
    statuses: tuple[str, ...] = ()
    payment_statuses: tuple[str, ...] = ()
    created_from: int | None = None
    created_to: int | None = None
    updated_from: int | None = None
    updated_to: int | None = None
    net_from: int | None = None
    net_to: int | None = None
    terms: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(kind, values): each must be met by one of the values."""
    words: tuple["Word", ...] = ()
    """What is searched for: each word must be met."""


Term = tuple[str, str]
"""(kind, value) under which an order or a draft is found: a filter of lists and its value, or a word of what it says."""

RECORDED_KINDS = ("payment", "payment_id", "comment")
"""Kinds of terms that come from what was recorded on the order, operations and comments, not from what it says of itself."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """The beginning of a term, and the kinds that it may be of."""

    kinds: tuple[str, ...]
    text: str


Word = tuple[Beginning, ...]
"""Beginnings of terms, one of which an order must have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Reads the terms of what is stored. What is read follows from its arguments alone, so that it can be verified."""

    version: int
    """Rises when more is read: what was written under an earlier one is then read again, by whoever migrates."""
    of_order: Callable[[Order, Content], frozenset[Term]]
    of_fact: Callable[[Fact, str], frozenset[Term]]
    """Reads what a fact recorded on the order, and its document. A comment's terms are its own, so that they go with it."""
    of_draft: Callable[[Draft], frozenset[Term]]
