"""Handlers of tokens and public keys."""

import base64
import binascii

from ordre import logs
from ordre.api.http.context import Context, Reply, reply
from ordre.api.http.errors import unauthorized
from ordre.api.http.middleware import CLIENT
from ordre.api.wire.common import given, instant
from ordre.api.wire.queries import NoBody, NoQuery
from ordre.api.wire.service import Token, TokenRequest
from ordre.application.directory import Client
from ordre.application.troubles import StoreUnavailable
from ordre.auth.secrets import digest_of, matches, new_secret
from ordre.auth.tokens import is_audience_of
from ordre.domain.refusals import InvalidValue, Refused

_NOBODY = digest_of(new_secret())
"""Of a secret that nobody has: what is sent is compared with it where there is nothing else, so that the time tells nothing."""


async def issue_token(context: Context, sent: TokenRequest, _: NoQuery) -> Reply:
    """A token for a client that knows its secret.

    Id and secret stand in the Authorization header (Basic), or in the body, as JSON or as a form.
    """
    client_id, secret = _credentials(context.request.headers.get("authorization"), sent)
    account_id = context.account_id
    audience = given(sent.audience) or f"{context.base_url}/v1/accounts/{account_id}"
    if not is_audience_of(audience, account_id):
        raise Refused(
            InvalidValue(
                path="audience",
                reason=f"Must end in /accounts/{account_id}, or have {account_id} as its user name: https://{account_id}@...",
            )
        )
    account, client = await context.store.account(account_id), await context.store.client(account_id, client_id)
    if client is not None:
        context.request.scope[CLIENT] = client.client_id
    known = _is_secret_of(client, secret, context.call.at)
    if account is None or client is None or not known or client.disabled_at is not None or account.disabled_at is not None:
        context.guesses.count(context.request.client and context.request.client.host, account_id, client_id)
        raise unauthorized("The client id or secret is wrong", scheme="Basic")
    token = await context.tokens.issue(account_id, client_id, client.scopes, audience)
    await _mark_used(context, client)
    answer = Token(access_token=token, token_type="Bearer", expires_in=context.tokens.life_seconds)  # noqa: S106 - no secret
    return Reply(body=reply(answer).body, headers={"cache-control": "no-store"})


async def public_keys(context: Context, _: NoBody, __: NoQuery) -> Reply:
    """The keys that verify tokens, as a JSON Web Key Set: those that sign now, and those that signed before."""
    return reply(await context.tokens.jwks())


def _is_secret_of(client: Client | None, secret: str, at: int) -> bool:
    """Whether this is the client's secret, or its earlier one that is still good, compared in constant time."""
    latest, earlier = _NOBODY, _NOBODY
    if client is not None:
        latest = client.secret_digest
        if client.earlier_digest is not None and client.earlier_until_after(at) is not None:
            earlier = client.earlier_digest
    return matches(secret, latest) | matches(secret, earlier)


async def _mark_used(context: Context, client: Client) -> None:
    """Keep the day on which the client was last given a token. Where the database takes no write, the token is good as well."""
    day = instant(context.call.at)[:10]
    if client.last_used_on is not None and client.last_used_on >= day:
        return
    try:
        await context.store.mark_used(client.account_id, client.client_id, day)
    except StoreUnavailable as error:
        logs.warning("use_not_kept", reason=str(error))


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
