"""The root over the orders of an account, signed with the key that signs tokens, and whether a signature is one of a key."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

from ordre.application.ports import SigningKey
from ordre.auth.tokens import REGISTRY, key_of, signed


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
    """Tell whether a signature is of this content, as JSON, by one of the keys, of which the public halves do."""
    known = KeySet([key_of(key) for key in keys])
    try:
        return bool(json.loads(jws.deserialize_compact(signature, known, registry=REGISTRY).payload) == content)
    except (JoseError, ValueError):
        return False


def public_jwk(jwk: str) -> dict[str, Any]:
    """Return the public half of a key."""
    return dict(OKPKey.import_key(json.loads(jwk)).as_dict(private=False))
