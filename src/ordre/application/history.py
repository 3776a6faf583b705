"""The last entries of a history, within bounds."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from ordre.application.change import DraftEvent, HeldDraft
from ordre.domain.draft import Draft

T = TypeVar("T")

DRAFT_EVENTS = 20
DRAFT_EVENTS_BYTES = 64 * 1024
"""Of a draft's events so many go with it at most, which together are no larger; the last one in any case."""


def latest(entries: Sequence[T], size: Callable[[T], int]) -> tuple[T, ...]:
    """Return the last entries within these bounds, in their order; ``size`` is one's in bytes."""
    total, first = 0, len(entries)
    for entry in reversed(entries[-DRAFT_EVENTS:]):
        total += size(entry)
        if total > DRAFT_EVENTS_BYTES and first < len(entries):
            break
        first -= 1
    return tuple(entries[first:])


def changed(held: HeldDraft | None, draft: Draft, event: DraftEvent) -> HeldDraft:
    """Return a draft after a change, with the latest of its events."""
    events = (*(held.events if held else ()), event)
    return HeldDraft(draft=draft, events=latest(events, lambda one: len(one.event.encode())))
