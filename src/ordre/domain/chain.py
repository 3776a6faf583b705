"""Hashes of facts, and how an order's chain of facts is verified (H3).

The body of a fact enters the chain only by a digest that is salted: when body and salt are erased, the chain still
verifies and nothing can be guessed back from the digest. A digest says in which of two forms it was made, and is itself chained.
"""

import re
from dataclasses import dataclass
from hashlib import sha256

START = ""
"""The hash that the first fact of an order follows."""
_FORM = "2:"
"""Begins a digest in which the salt, too, is led by its length. Earlier ones have no mark, and their salt is led by nothing."""
_DIGEST = re.compile(r"(?:2:)?[0-9a-f]{64}")
_SALT = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One fact's place in its order's chain. ``at`` is in milliseconds since 1970."""

    account_id: str
    order: str
    version: int
    type: str
    at: int
    actor: str
    digest: str


def digest(salt: str, *parts: str) -> str:
    """Return the salted SHA-256 of the parts of a fact's body, in hexadecimal. Each part is led by its length in bytes."""
    hashed = sha256(salt.encode())
    for part in parts:
        encoded = part.encode()
        hashed.update(b"%d:" % len(encoded))
        hashed.update(encoded)
    return hashed.hexdigest()


def digest_of_body(salt: str, data: str, document: str, event: str) -> str:
    """Return the digest of a new fact's body, with the mark of its form."""
    return _FORM + digest("", "fact", salt, data, document, event)


def is_digest_of_body(found: str, salt: str, data: str, document: str, event: str) -> bool:
    """Whether this is the digest of the body, in the form that the digest is marked with."""
    made = digest_of_body if found.startswith(_FORM) else digest
    return made(salt, data, document, event) == found


def is_digest(text: str) -> bool:
    """Whether a text has the form of a digest of a body."""
    return _DIGEST.fullmatch(text) is not None


def is_salt(text: str) -> bool:
    """Whether a text has the form of a salt: a longer one could hide a part of a body."""
    return _SALT.fullmatch(text) is not None


def linked(previous: str, link: Link) -> str:
    """Return the hash of a fact that follows the fact with the hash ``previous``."""
    parts = (
        previous,
        link.account_id,
        link.order,
        str(link.version),
        link.type,
        str(link.at),
        link.actor,
        link.digest,
    )
    return digest("", *parts)


def followed(previous: str, entry: str) -> str:
    """Return the hash of a feed's entry, by its digest, that follows the entry with the hash ``previous``.

    Both are hexadecimal and are hashed one after the other, which a database can do, too.
    """
    return sha256(f"{previous}{entry}".encode()).hexdigest()
