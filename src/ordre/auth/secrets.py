"""Secrets of machines: 256 random bits, so one round of SHA-256 is the right digest of them."""

import secrets
from hashlib import sha256


def new_secret() -> str:
    """Return a new secret: 43 characters that are safe in URLs, 256 random bits."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """Return what is stored of a secret."""
    return sha256(secret.encode()).hexdigest()


def matches(secret: str, digest: str) -> bool:
    """Whether the secret has this digest, in a time that tells nothing."""
    return secrets.compare_digest(digest_of(secret), digest)
