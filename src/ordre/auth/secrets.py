"""Secrets of machines: 256 random bits, so one round of SHA-256 is the right digest of them."""

import secrets
import string
from hashlib import sha256

_CHARACTERS = string.ascii_letters + string.digits
"""Nothing that a shell, a URL or a command's flags would read as something else: `--client-secret -x` is no secret."""
_LENGTH = 43


def new_secret() -> str:
    """Return a new secret: 43 letters and digits, 256 random bits."""
    return "".join(secrets.choice(_CHARACTERS) for _ in range(_LENGTH))


def digest_of(secret: str) -> str:
    """Return the digest under which a secret is stored."""
    return sha256(secret.encode()).hexdigest()


def matches(secret: str, digest: str) -> bool:
    """Whether the secret has this digest, compared in constant time."""
    return secrets.compare_digest(digest_of(secret), digest)
