"""The operations that serve clients and operators: tokens, keys, health."""

from ordre.api.handlers import health
from ordre.api.handlers import tokens as accounts
from ordre.api.operations.row import ACCOUNT, ANYONE, BY_SECRET, Route
from ordre.api.wire.queries import NoBody, NoQuery
from ordre.api.wire.service import Health, PublicKeys, Token, TokenRequest

TOKEN_ROUTES = (
    Route(
        id="aid_auths_oauth_token_post",
        method="POST",
        path=f"{ACCOUNT}/auth/token",
        tag="authenticate",
        summary="Get a token",
        access=BY_SECRET,
        body=TokenRequest,
        form=True,
        query=NoQuery,
        answer=Token,
        handler=accounts.issue_token,
    ),
)

SERVICE_ROUTES = (
    Route(
        id="jwks_get",
        method="GET",
        path="/.well-known/jwks.json",
        tag="service",
        summary="Get the keys that verify tokens",
        access=ANYONE,
        body=NoBody,
        query=NoQuery,
        answer=PublicKeys,
        handler=accounts.public_keys,
    ),
    Route(
        id="health_get",
        method="GET",
        path="/health",
        tag="service",
        summary="Ask whether the service can take requests",
        access=ANYONE,
        body=NoBody,
        query=NoQuery,
        answer=Health,
        handler=health.health,
    ),
    Route(
        id="health_live_get",
        method="GET",
        path="/health/live",
        tag="service",
        summary="Ask whether the process answers; restart it where it does not",
        access=ANYONE,
        body=NoBody,
        query=NoQuery,
        answer=Health,
        handler=health.live,
    ),
    Route(
        id="health_ready_get",
        method="GET",
        path="/health/ready",
        tag="service",
        summary="Ask whether to send requests to this process",
        access=ANYONE,
        body=NoBody,
        query=NoQuery,
        answer=Health,
        handler=health.ready,
    ),
)
