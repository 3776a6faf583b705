"""Scopes: what a token may do.

A scope is ``level:resource``, optionally narrowed by a path: ``write:shopping:/orders/ANY/events``. An operation lists the
scopes that admit to it, any of which is enough; ``admin`` admits to whatever ``read`` and ``write`` of its resource do.
"""

from collections.abc import Iterable

SCOPES = (
    "admin:shopping",
    "read:shopping",
    "write:shopping",
    "read:shopping:/orders/ANY/events",
    "write:shopping:/orders/ANY/events",
    "admin:hooks",
    "read:hooks",
    "write:hooks",
)
"""Every scope that a client may be granted, as the reference names them."""


def allows(granted: Iterable[str], needed: Iterable[str]) -> bool:
    """Whether one of the needed scopes is granted."""
    return not set(granted).isdisjoint(needed)
