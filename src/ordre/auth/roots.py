"""The root over the orders of an account, signed, the key that signs it, and whether a signature is one of a key."""

import base64
import json
import os
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

from ordre.application.directory import SigningKey
from ordre.auth.tokens import ALGORITHM, REGISTRY, key_of, signed

_SEED_BYTES = 32


def signed_root(key: SigningKey, account_id: str, orders: int, root: str, at: int) -> dict[str, Any]:
    """Return the hash over an account's orders at an instant (in milliseconds since 1970), signed.

    What is signed is the other fields, as JSON.
    """
    found = {"account_id": account_id, "orders": orders, "root": root, "at": at}
    return {**found, "signature": sign(key, found)}


def sign(key: SigningKey, content: Mapping[str, Any]) -> str:
    """Return the signature of some content, as a compact JWS of its JSON."""
    return signed(key, msgspec.json.encode(content))


def is_signed(signature: str, content: Mapping[str, Any], keys: Iterable[SigningKey]) -> bool:
    """Whether one of these keys made the signature of this content, as JSON. Public keys are enough."""
    known = KeySet([key_of(key) for key in keys])
    try:
        return bool(json.loads(jws.deserialize_compact(signature, known, registry=REGISTRY).payload) == content)
    except (JoseError, ValueError):
        return False


def new_root_key() -> str:
    """Return a new private key to sign roots with, as a setting has it: 32 random bytes in base64url."""
    return _base64(os.urandom(_SEED_BYTES))


def root_key(private: str) -> SigningKey:
    """Return the key that ``new_root_key`` wrote. Its id follows from its public half."""
    seed = base64.urlsafe_b64decode(private + "=")
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    kid = f"root-{sha256(public).hexdigest()[:16]}"
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": _base64(public), "d": _base64(seed), "kid": kid, "use": "sig", "alg": ALGORITHM}
    return SigningKey(kid=kid, jwk=json.dumps(jwk), created_at=0, retired_at=None)


def public_keys(text: bytes) -> list[SigningKey]:
    """Return the keys of a JSON Web Key Set, such as `/.well-known/jwks.json` answers.

    Raises:
        ValueError: It is none, or holds a key that cannot sign roots.
    """
    try:
        listed = json.loads(text)["keys"]
        found = [SigningKey(kid=str(key["kid"]), jwk=json.dumps(key), created_at=0, retired_at=None) for key in listed]
        for key in found:
            key_of(key)
    except (JoseError, KeyError, TypeError) as error:
        raise ValueError(f"no list of keys: {error!r}") from error
    return found


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def public_jwk(jwk: str) -> dict[str, Any]:
    """Return the public half of a key."""
    return dict(OKPKey.import_key(json.loads(jwk)).as_dict(private=False))
