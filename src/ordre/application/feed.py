"""The feed of an account: every change that was committed, at positions 1, 2, 3 ... without a gap, in the order of commit."""

from dataclasses import dataclass, replace

from ordre.domain.draft import DraftStatus
from ordre.domain.order.facts import FACTS

DRAFT_ADDED, DRAFT_UPDATED, DRAFT_COMPLETED = "draft_added", "draft_updated", "draft_completed"
DRAFT_DELETED, DRAFT_ERASED = "draft_deleted", "draft_erased"
DRAFT_KINDS = (DRAFT_ADDED, DRAFT_UPDATED, DRAFT_COMPLETED, DRAFT_DELETED, DRAFT_ERASED)
KINDS = (*FACTS, *DRAFT_KINDS)
"""The kinds of entries: the types of facts, and what becomes of drafts."""
SCANNED = 10_000
"""Entries that are looked at, at most, for one page of a feed that is filtered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """One change: of the order or draft with this ``id``, to this version, at an instant in milliseconds, by somebody.

    ``hash`` is chained to that of the entry before it. The version that follows the last one of a draft is that of its erasure.
    """

    position: int
    id: str
    version: int
    kind: str
    at: int
    by: str
    hash: str
    document: str = ""
    """What the change shows as a part of its order, in JSON, where that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedQuery:
    """The entries after a position: at most ``limit``, of these kinds, of orders and drafts of a store where one is named."""

    after: int = 0
    limit: int
    kinds: frozenset[str] = frozenset(KINDS)
    store_id: str | None = None
    documents: bool = False

    def of_kinds(self, kinds: frozenset[str]) -> "FeedQuery":
        """Return the same of these kinds alone."""
        return replace(self, kinds=kinds)

    @property
    def filtered(self) -> bool:
        """Whether some entries are left out."""
        return self.store_id is not None or len(self.kinds) < len(KINDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPage:
    """Entries, oldest first. ``position`` is how far was read for them; ``end`` the position of the newest entry there is."""

    entries: tuple[FeedEntry, ...]
    position: int
    end: int


def draft_kind(status: DraftStatus, version: int) -> str:
    """Return the kind of the change that left a draft in a state, at a version."""
    match status:
        case DraftStatus.OPEN:
            return DRAFT_ADDED if version == 1 else DRAFT_UPDATED
        case DraftStatus.COMPLETED:
            return DRAFT_COMPLETED
        case DraftStatus.DELETED:
            return DRAFT_DELETED
