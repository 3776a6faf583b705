"""What is hashed of a fact, and how an order's chain of facts is verified (H3).

The body of a fact enters the chain only by a digest that is salted: when body and salt are erased, the chain still
verifies and nothing can be guessed back from the digest.
"""

from dataclasses import dataclass
from hashlib import sha256

START = ""
"""The hash that the first fact of an order follows."""


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
