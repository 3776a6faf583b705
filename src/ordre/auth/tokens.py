"""Tokens: JWTs signed with Ed25519 keys that the store keeps; verified once and remembered by their digest."""

import copy
import json
import secrets
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

from ordre import logs
from ordre.application.directory import AccountStore, SigningKey
from ordre.application.troubles import KeysUnreadable

ALGORITHM = "EdDSA"
"""Of RFC 8037, which PyJWT, Authlib and gateways know. RFC 9864 gives it the name of the curve, as ``EARLIER`` tokens have it."""
EARLIER = "Ed25519"
ISSUER = "ordre"
REMEMBERED = 10_000
KEYS_SECONDS = 5.0
UNKNOWN_KEY_SECONDS = 0.05
"""Keys are read again for an unknown key, but not more often than this."""
CLIENT_SECONDS = 2.0
"""How long a client that was found enabled is taken to be."""
MAX_TOKEN_LENGTH = 4_096


def is_audience_of(audience: str, account_id: str) -> bool:
    """Whether an audience names the account: at its end, whatever the host, or as the user name before the host."""
    if audience.rstrip("/").endswith(f"/accounts/{account_id}"):
        return True
    try:
        url = urlsplit(audience)
    except ValueError:
        return False
    return url.username == account_id and "/accounts/" not in url.path


class InvalidToken(Exception):  # noqa: N818 - it is named for the state it tells of
    """The token is no token of ours, has expired, or its client is disabled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The client that a token was issued to. ``expires_at`` is in seconds since 1970."""

    account_id: str
    client_id: str
    scopes: tuple[str, ...]
    expires_at: int


def new_signing_key(at: int) -> SigningKey:
    """Return a new Ed25519 key, made at this instant in milliseconds."""
    kid = secrets.token_hex(8)
    key = OKPKey.generate_key("Ed25519", {"kid": kid, "use": "sig", "alg": ALGORITHM}, private=True)
    return SigningKey(kid=kid, jwk=json.dumps(key.as_dict(private=True)), created_at=at, retired_at=None)


async def rotate_keys(store: AccountStore, at: int) -> SigningKey:
    """Make a new key and retire the others: they sign nothing more, but what they signed is good until it expires."""
    await store.signing_keys()  # where they cannot be read, a new one would be made under the wrong secret
    new = new_signing_key(at)
    await store.put_signing_key(new)
    for key in await store.signing_keys():
        if key.kid != new.kid and key.retired_at is None:
            await store.put_signing_key(SigningKey(kid=key.kid, jwk=key.jwk, created_at=key.created_at, retired_at=at))
    return new


async def current_key(store: AccountStore, at: int) -> SigningKey:
    """Return the key that signs now; the first time, make it."""
    key = _not_retired(await store.signing_keys())
    if key is not None:
        return key
    made = new_signing_key(at)
    await store.put_signing_key(made)
    return made


def signed(key: SigningKey, content: bytes) -> str:
    """Return the content signed, as a compact JWS."""
    header = {"alg": ALGORITHM, "kid": key.kid}
    return jws.serialize_compact(header, content, key_of(key), registry=REGISTRY)


class Tokens:
    """Issues and verifies. ``life_seconds`` is how long a token is good."""

    def __init__(self, store: AccountStore, life_seconds: int) -> None:
        self.life_seconds = life_seconds
        self._store = store
        self._keys: Sequence[SigningKey] = ()
        self._good: Sequence[SigningKey] = ()
        self._set = KeySet([])
        self._read_at = 0.0
        self._verified: OrderedDict[bytes, Caller] = OrderedDict()
        self._enabled: dict[tuple[str, str], float] = {}

    async def issue(self, account_id: str, client_id: str, scopes: Sequence[str], audience: str) -> str:
        """Return a signed token for the client."""
        key = await self._signing_key()
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": client_id,
            "aud": audience,
            "aid": account_id,
            "scope": " ".join(scopes),
            "iat": now,
            "exp": now + self.life_seconds,
            "jti": secrets.token_hex(8),
        }
        return jwt.encode({"alg": ALGORITHM, "kid": key.kid}, claims, key_of(key), registry=REGISTRY)

    async def verify(self, token: str) -> Caller:
        """Return the caller that the token names.

        Raises:
            InvalidToken: See there.
        """
        if len(token) > MAX_TOKEN_LENGTH:
            raise InvalidToken
        digest = sha256(token.encode()).digest()
        caller = self._verified.get(digest)
        if caller is None:
            caller = await self._verify(token)
            self._verified[digest] = caller
            while len(self._verified) > REMEMBERED:
                self._verified.popitem(last=False)
        if caller.expires_at <= time.time():
            self._verified.pop(digest, None)
            raise InvalidToken
        await self._check_enabled(caller)
        return caller

    async def jwks(self) -> dict[str, Any]:
        """Return the public keys."""
        await self._read_keys()
        return {"keys": [{**key_of(key).as_dict(private=False), "alg": ALGORITHM} for key in self._keys]}

    async def _verify(self, token: str) -> Caller:
        await self._read_keys()
        try:
            claims = jwt.decode(token, self._set, registry=REGISTRY).claims
        except (JoseError, ValueError):
            await self._read_keys(soon=True)
            try:
                claims = jwt.decode(token, self._set, registry=REGISTRY).claims
            except (JoseError, ValueError) as error:
                raise InvalidToken from error
        return _caller(claims)

    async def _check_enabled(self, caller: Caller) -> None:
        key = (caller.account_id, caller.client_id)
        now = time.monotonic()
        if now - self._enabled.get(key, -CLIENT_SECONDS) < CLIENT_SECONDS:
            return
        self._enabled.pop(key, None)
        client = await self._store.client(*key)
        account = await self._store.account(caller.account_id)
        if client is None or account is None or client.disabled_at is not None or account.disabled_at is not None:
            raise InvalidToken
        if len(self._enabled) > REMEMBERED:
            self._enabled.clear()
        self._enabled[key] = now

    async def _signing_key(self) -> SigningKey:
        await self._read_keys()
        current = _not_retired(self._keys)
        if current is None:
            current = await current_key(self._store, time.time_ns() // 1_000_000)
            self._read_at = -KEYS_SECONDS  # the keys were read this very moment, without this one
            await self._read_keys()
        return current

    async def _read_keys(self, *, soon: bool = False) -> None:
        """Read the keys again where the last reading is old, or (``soon``) not of this very moment."""
        age = time.monotonic() - self._read_at
        if age < (UNKNOWN_KEY_SECONDS if soon else KEYS_SECONDS) and self._keys:
            return
        try:
            self._keys = await self._store.signing_keys()
        except KeysUnreadable as error:
            if not self._keys:
                raise
            logs.warning("keys_unreadable", reason=str(error))  # encrypted meanwhile, by a process that has the secret
        good = [key for key in self._keys if self._is_good(key)]
        if [key.kid for key in good] != [key.kid for key in self._good]:
            self._verified.clear()
        self._good = good
        self._set = KeySet([key_of(key) for key in good])
        self._read_at = time.monotonic()

    def _is_good(self, key: SigningKey) -> bool:
        """Whether a token by this key may still be valid: whoever holds a retired key could make tokens that expire late."""
        return key.retired_at is None or key.retired_at / 1000 + self.life_seconds > time.time()


def _registry() -> jws.JWSRegistry:
    """Return a registry that takes both names of the algorithm; the library's own warns of RFC 8037's at every token."""
    made = jws.JWSRegistry(algorithms=[ALGORITHM, EARLIER])
    made.algorithms = {name: copy.copy(jws.JWSRegistry.algorithms[name]) for name in (ALGORITHM, EARLIER)}
    made.algorithms[ALGORITHM].security_warning = None
    return made


REGISTRY = _registry()


def key_of(key: SigningKey) -> OKPKey:
    """Return a key of the store for either name of the algorithm; its JWK has the one that tokens had when it was made."""
    jwk = {name: value for name, value in json.loads(key.jwk).items() if name != "alg"}
    return OKPKey.import_key(jwk)


def _not_retired(keys: Sequence[SigningKey]) -> SigningKey | None:
    return next((key for key in keys if key.retired_at is None), None)


def _caller(claims: dict[str, Any]) -> Caller:
    account, client, scope, expires = (claims.get(name) for name in ("aid", "sub", "scope", "exp"))
    mine = claims.get("iss") == ISSUER and isinstance(account, str) and is_audience_of(str(claims.get("aud", "")), account)
    if not mine or not isinstance(account, str) or not isinstance(client, str) or not isinstance(expires, int):
        raise InvalidToken
    return Caller(account_id=account, client_id=client, scopes=tuple(str(scope).split()), expires_at=expires)
