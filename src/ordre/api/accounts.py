"""Handlers of tokens and public keys."""

import base64
import binascii
from http import HTTPStatus

from ordre.api.context import Context, Reply, reply
from ordre.api.edge import CLIENT
from ordre.api.errors import Failure
from ordre.api.wire.accounts import Token, TokenRequest
from ordre.api.wire.common import given
from ordre.auth.secrets import digest_of, matches
from ordre.auth.tokens import is_audience_of
from ordre.domain.refusals import InvalidValue, Refused

_NOBODY = digest_of("")


async def issue_token(context: Context) -> Reply:
    """A token for a client that knows its secret.

    Id and secret stand in the Authorization header (Basic), or in the body, as JSON or as a form.
    """
    sent = context.sent(TokenRequest)
    client_id, secret = _credentials(context.request.headers.get("authorization"), sent)
    account_id = context.account_id
    audience = given(sent.audience) or f"{context.base_url}/v1/accounts/{account_id}"
    if not is_audience_of(audience, account_id):
        raise Refused(InvalidValue(path="audience", reason=f"Must end in /accounts/{account_id}"))
    account, client = await context.store.account(account_id), await context.store.client(account_id, client_id)
    if client is not None:
        context.request.scope[CLIENT] = client.client_id
    known = matches(secret, client.secret_digest if client else _NOBODY)
    if account is None or client is None or not known or client.disabled_at is not None or account.disabled_at is not None:
        raise unauthorized("The client id or secret is wrong", scheme="Basic")
    token = await context.tokens.issue(account_id, client_id, client.scopes, audience)
    answer = Token(access_token=token, token_type="Bearer", expires_in=context.tokens.life_seconds)  # noqa: S106 - no secret
    return Reply(body=reply(answer).body, headers={"cache-control": "no-store"})


async def public_keys(context: Context) -> Reply:
    """The keys that verify tokens, as a JSON Web Key Set: those that sign now, and those that signed before."""
    return reply(await context.tokens.jwks())


def unauthorized(message: str, scheme: str = "Bearer") -> Failure:
    """Return a refusal for want of credentials."""
    return Failure(HTTPStatus.UNAUTHORIZED, "unauthorized", message, {"www-authenticate": f'{scheme} realm="ordre"'})


def _credentials(header: str | None, sent: TokenRequest) -> tuple[str, str]:
    if header is None:
        client_id, secret = given(sent.client_id), given(sent.client_secret)
        if client_id is None or secret is None:
            raise unauthorized("Send the client id and secret as HTTP Basic credentials or in the body", scheme="Basic")
        return client_id, secret
    scheme, _, encoded = header.partition(" ")
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise unauthorized("The Basic credentials cannot be read", scheme="Basic") from error
    client_id, colon, secret = text.partition(":")
    if scheme.lower() != "basic" or not colon or "\x00" in client_id:
        raise unauthorized("The Authorization header holds no Basic credentials", scheme="Basic")
    return client_id, secret
