"""Hashes of rows beside facts: of the events of a draft, of an erased draft, of a kept answer, and of an entry of the feed."""

import os

from ordre.application.change import DraftEvent
from ordre.domain.chain import digest

ANSWER_COLUMNS = "account_id, key, digest, answer, created_at, owner"
"""What the hash of an answer is of."""
EVENT_COLUMNS = ("version", "at", "actor", "event", "salt", "digest", "state", "hash")

Entry = tuple[str, str, int, str, int, str, str]
"""What is to be added to a feed: (account id, id of the order or draft, version, kind, instant, actor, digest)."""


def event_row(
    account_id: str, draft: str, previous: str, event: DraftEvent, text: str
) -> tuple[int, int, str, str, str, str, str, str]:
    """Return an event of a draft as a row, in the order of ``EVENT_COLUMNS``, chained to the one before.

    ``text`` is the draft after it, as it is stored: of the last event, ``state`` is its digest.
    """
    salt = os.urandom(16).hex()
    body, state = event_digest(salt, event.event), state_digest(salt, text)
    hash_ = event_hash(previous, account_id, draft, event.version, event.at, event.by, body, state)
    return event.version, event.at, event.by, event.event, salt, body, state, hash_


def event_digest(salt: str, event: str) -> str:
    """Return the salted digest of what an event says."""
    return digest("", "draft event", salt, event)


def state_digest(salt: str, text: str) -> str:
    """Return the salted digest of a draft as it is stored."""
    return digest("", "draft", salt, text)


def event_hash(previous: str, account_id: str, draft: str, version: int, at: int, by: str, body: str, state: str) -> str:
    """Return the hash of an event that follows the event with the hash ``previous``."""
    return digest("", "draft event", previous, account_id, draft, str(version), str(at), by, body, state)


def entry(account_id: str, id_: str, version: int, kind: str, at: int, by: str, hash_: str) -> Entry:
    """Return an entry of the feed, whose digest is of what is said of a fact, event or erasure, and of the hash of that."""
    held = digest("", "feed entry", account_id, id_, str(version), kind, str(at), by, hash_)
    return account_id, id_, version, kind, at, by, held


def erased_hash(account_id: str, draft: str, events: int, at: int, by: str, total: str, before: str) -> str:
    """Return the hash of what is left of a draft: how many events it had, the sum of their hashes, and the last of them."""
    return digest("", "erased draft", account_id, draft, str(events), str(at), by, total, before)


def answer_hash(account_id: str, key: str, request: str, answer: str, created_at: int, owner: str | None) -> str:
    """Return the hash of an answer that is kept for a key, with the digest of its request."""
    return digest("", "answer", account_id, key, request, answer, str(created_at), *(() if owner is None else (owner,)))
