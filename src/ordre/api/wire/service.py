"""The token endpoint."""

from typing import Literal

from msgspec import UNSET

from ordre.api.wire.common import Id, Maybe, Text, Wire


class TokenRequest(Wire, kw_only=True):
    """A token for client credentials. Id and secret stand in the Authorization header (Basic), or here.

    Attributes:
        grant_type: The only way to get a token
        audience: The account's address, such as `http://127.0.0.1:8080/v1/accounts/T00000001`
        client_id: The client's id, where the Authorization header does not name it
        client_secret: The client's secret, where the Authorization header does not hold it
    """

    grant_type: Literal["client_credentials"]
    audience: Maybe[Text] = UNSET
    client_id: Maybe[Id] = UNSET
    client_secret: Maybe[Text] = UNSET


class Token(Wire, kw_only=True):
    """``expires_in`` is in seconds.

    Attributes:
        access_token: The token: `Authorization: Bearer <token>`
        token_type: How to send it
        expires_in: How long it is good, in seconds
    """

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int


class PublicKey(Wire, kw_only=True):
    """A key that verifies tokens, as a JSON Web Key (RFC 8037).

    Attributes:
        kty: The kind of key
        kid: The key's id, which tokens name
        alg: The algorithm that it signs with
        use: What it is for: signatures
        crv: The curve
        x: The public key itself, base64url
    """

    kty: str
    kid: str
    alg: str
    use: str
    crv: str
    x: str


class PublicKeys(Wire, kw_only=True):
    """A JSON Web Key Set.

    Attributes:
        keys: The keys that sign now, or signed before
    """

    keys: list[PublicKey]


class Health(Wire, kw_only=True):
    """That requests can be taken.

    Attributes:
        status: `ok` while requests can be taken
        version: Ordre's version
    """

    status: Literal["ok"]
    version: str
