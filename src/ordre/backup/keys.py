"""The keys that sign tokens, and the secrets of webhooks, as a backup holds them.

Of a key that is the public half and, unless it is left out, the whole key encrypted; a secret is encrypted, or left out.
"""

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

    def seal(self, text: str, about: str) -> str:
        """Return a key or secret encrypted; ``about`` says of what."""
        return base64.b64encode(seal(self._key, text.encode(), about)).decode()

    def unseal(self, sealed: str, about: str) -> str:
        """Return a key or secret that was encrypted.

        Raises:
            BadBackup: It was encrypted with another passphrase.
        """
        try:
            return unseal(self._key, base64.b64decode(sealed), about).decode()
        except (CannotUnseal, ValueError) as error:
            raise BadBackup("the passphrase is not the one that the backup was made with") from error


def is_private(jwk: str) -> bool:
    """Whether a key can sign."""
    return _PRIVATE in json.loads(jwk)


def locked(jwk: str, kid: str, lock: Lock | None) -> str:
    """Return a key as a file holds it: without a lock, its public half alone."""
    sealed = {_SEALED: lock.seal(jwk, _about(kid))} if lock is not None and is_private(jwk) else {}
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
    whole = lock.unseal(sealed, _about(key.kid))
    if public_jwk(whole) != public:
        raise BadBackup(f"the file was changed since it was written: the key {key.kid} is not the one it was")
    return replace(key, jwk=whole)


def locked_secret(secret: str, hook_id: str, lock: Lock | None) -> str | None:
    """Return the secret of a subscription as a file holds it: without a lock, not at all."""
    return None if lock is None else lock.seal(secret, _about_secret(hook_id))


def unlocked_secret(sealed: str, hook_id: str, lock: Lock | None) -> str | None:
    """Return the secret of a subscription, None where there is no lock to open it with.

    Raises:
        BadBackup: The passphrase is another one.
    """
    return None if lock is None else lock.unseal(sealed, _about_secret(hook_id))


def _about_secret(hook_id: str) -> str:
    return f"secret of subscription {hook_id} in a backup"


def _about(kid: str) -> str:
    return f"signing key {kid} in a backup"
