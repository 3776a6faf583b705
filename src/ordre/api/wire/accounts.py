"""The token endpoint."""

from typing import Literal

from msgspec import UNSET

from ordre.api.wire.common import Id, Maybe, Text, Wire


class TokenRequest(Wire, kw_only=True):
    """A token for client credentials. Id and secret stand in the Authorization header (Basic), or here."""

    grant_type: Literal["client_credentials"]
    audience: Maybe[Text] = UNSET
    client_id: Maybe[Id] = UNSET
    client_secret: Maybe[Text] = UNSET


class Token(Wire, kw_only=True):
    """``expires_in`` is in seconds."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int


class PublicKey(Wire, kw_only=True):
    kty: str
    kid: str
    alg: str
    use: str
    crv: str
    x: str


class PublicKeys(Wire, kw_only=True):
    """A JSON Web Key Set."""

    keys: list[PublicKey]


class Health(Wire, kw_only=True):
    status: Literal["ok"]
    version: str
