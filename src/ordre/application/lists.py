"""Lists of orders and of drafts: what is asked for, what is answered, and the terms under which each is found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ordre.domain.draft import Draft
from ordre.domain.order import Content, Order

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    rows: Sequence[T]
    more: bool
    total: int | None = None
    """Counted up to ``COUNT_LIMIT`` + 1, where asked for."""


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
    """How a term begins, and the kinds that it may be of."""

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
    of_operation: Callable[[str], frozenset[Term]]
    """Reads the document of a recorded operation; returns kinds of ``RECORDED_KINDS``."""
    of_comment: Callable[[str], frozenset[Term]]
    """Reads the document of a comment; returns terms that no other comment has, so that they go with it."""
    of_draft: Callable[[Draft], frozenset[Term]]
