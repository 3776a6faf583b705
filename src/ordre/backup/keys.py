"""The keys that sign tokens, as a backup holds them: the public half and, unless it is left out, the whole key encrypted."""

import base64
import json
from dataclasses import replace

from ordre.application.directory import SigningKey
from ordre.auth.roots import public_jwk
from ordre.auth.sealing import CannotUnseal, key_of_passphrase, seal, unseal
from ordre.backup.file import BadBackup

_PRIVATE = "d"
"""The private half of a JWK."""
_SEALED = "sealed"
"""The member of a JWK that holds the whole of it, encrypted."""


class Lock:
    """The lock of the keys in a file: a passphrase and the file's salt (hexadecimal)."""

    def __init__(self, passphrase: str, salt: str) -> None:
        self._key = key_of_passphrase(passphrase, bytes.fromhex(salt))

    def seal(self, jwk: str, kid: str) -> str:
        """Return a key encrypted."""
        return base64.b64encode(seal(self._key, jwk.encode(), _about(kid))).decode()

    def unseal(self, sealed: str, kid: str) -> str:
        """Return a key that was encrypted.

        Raises:
            BadBackup: It was encrypted with another passphrase.
        """
        try:
            return unseal(self._key, base64.b64decode(sealed), _about(kid)).decode()
        except (CannotUnseal, ValueError) as error:
            raise BadBackup("the passphrase is not the one that the backup was made with") from error


def is_private(jwk: str) -> bool:
    """Whether a key can sign."""
    return _PRIVATE in json.loads(jwk)


def locked(jwk: str, kid: str, lock: Lock | None) -> str:
    """Return a key as a file holds it: without a lock, its public half alone."""
    sealed = {_SEALED: lock.seal(jwk, kid)} if lock is not None and is_private(jwk) else {}
    return json.dumps({**public_jwk(jwk), **sealed})


def unlocked(key: SigningKey, lock: Lock | None, made_at: int) -> SigningKey:
    """Return a key as a database is to hold it. One that cannot sign is retired, so that a new one is made.

    Raises:
        BadBackup: The passphrase is another one, or what was encrypted is another key than it says.
    """
    public = json.loads(key.jwk)
    sealed = public.pop(_SEALED, None)
    if sealed is None or lock is None:
        return replace(key, jwk=json.dumps(public), retired_at=made_at if key.retired_at is None else key.retired_at)
    whole = lock.unseal(sealed, key.kid)
    if public_jwk(whole) != public:
        raise BadBackup(f"the file was changed since it was written: the key {key.kid} is not the one it was")
    return replace(key, jwk=whole)


def _about(kid: str) -> str:
    return f"signing key {kid} in a backup"
