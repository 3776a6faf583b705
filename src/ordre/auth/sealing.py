"""Sealing: encrypts what the database stores but must not be able to read, under a key kept outside of it.

AES-256-GCM, so that what was changed does not open. ``about`` says what a sealed value is of: it opens only under the same words,
so that one sealed value cannot be put in the place of another. Every sealing has a random nonce of 12 bytes before it.
"""

import base64
import hashlib
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
SALT_BYTES = 16
_NONCE_BYTES = 12
_MARK = "sealed:1:"
"""Begins every sealed text, with the version of its form."""
_MEBIBYTE = 1024 * 1024


class CannotUnseal(Exception):  # noqa: N818 - it is named for the state it tells of
    """The key is another one, or what was sealed was changed since."""


def seal(key: bytes, content: bytes, about: str) -> bytes:
    """Return the content encrypted under a key of 32 bytes."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, content, about.encode())


def unseal(key: bytes, sealed: bytes, about: str) -> bytes:
    """Decrypt what ``seal`` encrypted.

    Raises:
        CannotUnseal: See there.
    """
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about.encode())
    except (InvalidTag, ValueError) as error:
        raise CannotUnseal("it was sealed under another key, or changed since") from error


def key_of_secret(secret: str, purpose: str) -> bytes:
    """Return the key for one purpose that follows from a random secret: it is quick, so not for what people think of."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"ordre {purpose}".encode()).derive(secret.encode())


def key_of_passphrase(passphrase: str, salt: bytes) -> bytes:
    """Return the key that follows from what a person remembers, by scrypt: it takes 64 MiB and about a quarter of a second."""
    return hashlib.scrypt(passphrase.encode(), salt=salt, n=2**16, r=8, p=1, maxmem=128 * _MEBIBYTE, dklen=KEY_BYTES)


class Sealer:
    """Seals texts under the first of some secrets, and opens what any of them sealed; without one, texts stay as they are."""

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        self._keys = {_id_of(secret): key_of_secret(secret, "sealing") for secret in secrets}
        self._current = next(iter(self._keys), None)

    @property
    def seals(self) -> bool:
        """Whether there is a secret."""
        return self._current is not None

    def seal(self, text: str, about: str) -> str:
        """Return the text sealed, with the id of the secret before it; without a secret, as it is."""
        if self._current is None:
            return text
        sealed = seal(self._keys[self._current], text.encode(), about)
        return f"{_MARK}{self._current}:{base64.urlsafe_b64encode(sealed).decode()}"

    def unseal(self, text: str, about: str) -> str:
        """Decrypt a sealed text; return one that is not sealed as it is.

        Raises:
            CannotUnseal: No secret is the one that it was sealed under, or it was changed since.
        """
        if not is_sealed(text):
            return text
        if self._current is None:
            raise CannotUnseal("it is encrypted, and no secret key is given")
        id_, _, sealed = text.removeprefix(_MARK).partition(":")
        if id_ not in self._keys:
            raise CannotUnseal("it is encrypted under another secret key than the one given")
        try:
            content = base64.urlsafe_b64decode(sealed)
        except ValueError as error:
            raise CannotUnseal("it was changed since it was encrypted") from error
        return unseal(self._keys[id_], content, about).decode()

    def is_current(self, text: str) -> bool:
        """Whether sealing the text anew would change nothing: it is under the first secret, or there is none and it is plain."""
        return text.startswith(f"{_MARK}{self._current}:") if self.seals else not is_sealed(text)


def is_sealed(text: str) -> bool:
    """Whether the text is one that a sealer made."""
    return text.startswith(_MARK)


def _id_of(secret: str) -> str:
    """Return an id of the secret that reveals nothing of it."""
    return key_of_secret(secret, "id of a secret")[:4].hex()
