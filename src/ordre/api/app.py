"""The application: authenticate, decode, call, encode. Written once, for every row of the table."""

from collections import defaultdict
from collections.abc import AsyncGenerator
from functools import partial
from hashlib import sha256
from http import HTTPStatus
from itertools import count
from re import fullmatch
from typing import Generic
from urllib.parse import unquote

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from ordre.api.handlers.conflict import explained
from ordre.api.http.answers import JsonAnswer
from ordre.api.http.clock import Clock, Moved
from ordre.api.http.context import WRITES, Context, Reply
from ordre.api.http.errors import Failure, unauthorized
from ordre.api.http.failures import failed
from ordre.api.http.kept import kept_body
from ordre.api.http.middleware import CLIENT, OPERATION, Edge
from ordre.api.http.paths import Paths
from ordre.api.http.rates import cost_of
from ordre.api.http.requests import (
    STRANGER_BYTES,
    Bodies,
    Queries,
    body_of,
    check_names,
    check_type,
    form_of,
    header_of,
    idempotency_key,
    path_of,
    text_of,
    token_of,
    version_named,
)
from ordre.api.http.shared import Api
from ordre.api.http.stream import StreamAnswer
from ordre.api.http.unseen import TOLD, Told, told
from ordre.api.operations.row import B, PlainRoute, Q, Route
from ordre.api.routes import ROUTES
from ordre.api.wire.events import request_event
from ordre.api.wire.queries import NoBody, is_large
from ordre.application.accounts import ACCOUNT_ID
from ordre.application.aside import aside, small
from ordre.application.change import Call
from ordre.application.ids import uuid7
from ordre.application.store import Store
from ordre.auth.tokens import Caller, InvalidToken
from ordre.domain.access import allows
from ordre.domain.refusals import Refused
from ordre.settings import Settings

SPENDS, SENT = "ordre.spends", "ordre.sent"
"""Where the scope has the account that a request costs, and the bytes of its body."""
NO_BODY = (b"", b"null")


class Endpoint(Generic[B, Q]):
    """One row of the table as an ASGI application."""

    def __init__(self, api: Api, route: Route[B, Q]) -> None:
        self._api, self._route = api, route
        self._queries = Queries(route.query)
        self._bodies = Bodies(route.body, api.settings.json_depth)
        self._nothing = route.body() if route.body is NoBody or route.body_optional else None
        """What the handler is given where no body is read, or where it may be left out and is."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        scope[OPERATION], scope[WRITES] = self._route.id, self._route.writes
        try:
            with self._api.deadline:
                reply = await self._reply(request)
            response = _response(request, reply)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - every failure is answered, here and nowhere else
            response = failed(error, scope)
        if TOLD in scope:
            response.add(scope[TOLD].headers())
        if SPENDS in scope:
            response.add(self._api.budget.spend(scope[SPENDS], cost_of(scope.get(SENT, 0), response.length)))
            if isinstance(response, StreamAnswer):
                response.spent = partial(self._spend_more, scope[SPENDS])
        await response(scope, receive, send)

    def _spend_more(self, account_id: str, answered: int) -> None:
        """Charge bytes that were answered after the head of their answer."""
        self._api.budget.spend(account_id, cost_of(0, answered) - 1)

    async def _reply(self, request: Request) -> Reply:
        route = self._route
        caller = await self._caller(request) if route.scopes else None
        most = self._api.settings.body_bytes if caller else min(self._api.settings.body_bytes, STRANGER_BYTES)
        body = await body_of(request, most, self._api.body_deadline)
        request.scope[SENT] = len(body)
        context, sent, asked = await self._understood(request, caller, body)
        if caller is None or route.writes or not is_large(asked):
            with small:
                return await self._handled(context, sent, asked)
        async with self._api.turns.of(context.account_id):
            return await self._handled(context, sent, asked)

    async def _handled(self, context: Context, sent: B, asked: Q) -> Reply:
        try:
            return await self._route.handler(context, sent, asked)
        except Refused as refused:
            raise await explained(context, refused) from refused

    async def _understood(self, request: Request, caller: Caller | None, body: bytes) -> tuple[Context, B, Q]:
        """Return the request, read whole and as this operation wants it."""
        route = self._route
        check_names(request)
        text = text_of(body)
        asked = self._queries.decode(request)
        form = self._left_out(body) is None and check_type(request, form=route.form)
        noted = told(caller.account_id, request.scope["headers"]) if caller and route.writes else None
        if noted is None:
            sent = await aside(len(body), partial(self._decoded, form_of(body) if form else body))
        else:
            request.scope[TOLD] = noted
            sent = await aside(len(body), partial(self._noted, noted, body))
        return self._context(request, caller, text), sent, asked

    async def _caller(self, request: Request) -> Caller:
        token = token_of(request)
        if not token:
            raise unauthorized("Send a token: Authorization: Bearer <token>")
        try:
            caller = await self._api.tokens.verify(token)
        except InvalidToken as error:
            raise unauthorized("The token is not valid, has expired, or its client is disabled") from error
        request.scope[CLIENT] = caller.client_id
        if request.path_params.get("aid") != caller.account_id:
            raise Failure(HTTPStatus.FORBIDDEN, "forbidden", "The token is for another account")
        if not allows(caller.scopes, self._route.scopes):
            needed = ", ".join(self._route.scopes)
            raise Failure(HTTPStatus.FORBIDDEN, "missing_scope", f"The token needs one of the scopes {needed}")
        self._api.client_rate.take((caller.account_id, caller.client_id))
        self._api.budget.check(caller.account_id)
        request.scope[SPENDS] = caller.account_id
        return caller

    def _decoded(self, body: bytes) -> B:
        nothing = self._left_out(body)
        return self._bodies.decode(body) if nothing is None else nothing

    def _noted(self, noted: Told, body: bytes) -> B:
        """Decode a body, and note its ignored fields."""
        is_sent = body.strip() not in NO_BODY
        try:
            sent = self._decoded(body)
        except Refused as refused:
            if is_sent:
                noted.refuse(self._route.body, body, refused.refusals)
            raise
        if is_sent:
            noted.refuse(self._route.body, body, ())
        return sent

    def _left_out(self, body: bytes) -> B | None:
        """Return the stand-in for a body that is not read, or was left out where it may be; None for any other."""
        if self._nothing is None:
            return None
        return self._nothing if self._route.body is NoBody or body.strip() in NO_BODY else None

    def _event(self, request: Request, text: str, path: dict[str, str]) -> str:
        """Return the request as the fact that it makes keeps it."""
        completed = self._route.completes
        draft = path[completed.name] if completed else None
        return request_event(request.method, path_of(request), kept_body(self._route.body, text), draft)

    def _context(self, request: Request, caller: Caller | None, text: str) -> Context:
        api, path = self._api, {name: unquote(value) for name, value in request.path_params.items()}
        account_id = caller.account_id if caller else path.get("aid", "")
        if self._route.access.by_secret and not fullmatch(ACCOUNT_ID, account_id):
            raise unauthorized("There is no such account", scheme="Basic")
        (at, nanoseconds), numbers = api.clock.now(), count()
        writes, noted = self._route.writes, request.scope.get(TOLD)
        key = idempotency_key(request) if writes else None
        call = Call(
            account_id=account_id,
            by=caller.client_id if caller else "",
            at=at,
            event=self._event(request, text, path) if writes else "",
            key=key,
            digest=_digest(request, text) if key is not None else "",
            version=version_named(request) if writes else None,
            strict=noted is not None and noted.strict,
        )
        return Context(
            store=api.store,
            clients=api.clients,
            tokens=api.tokens,
            guesses=api.guesses,
            deadline=api.deadline,
            exports=api.exports,
            followers=api.followers,
            limits=api.limits,
            call=call,
            path=path,
            request=request,
            new_id=lambda: uuid7(at, nanoseconds, next(numbers)),
            told=noted,
        )


class PlainEndpoint:
    """The row of what is no operation as an ASGI application."""

    def __init__(self, api: Api, route: PlainRoute) -> None:
        self._api, self._handler = api, route.handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._handler(self._api, Request(scope, receive, send))
        await response(scope, receive, send)


def make_app(store: Store, settings: Settings, clock: Clock, moved: Moved) -> ASGIApp:
    """Return the API as an ASGI application over a store that is open while it serves.

    ``moved`` is awaited after a client has moved the clock, where it can.
    """
    api = Api(store, settings, clock, moved)
    by_path: dict[str, dict[str, ASGIApp]] = defaultdict(dict)
    for route in ROUTES:
        if not isinstance(route, PlainRoute):
            by_path[route.path][route.method] = Endpoint(api, route)
        elif route.only_with is None or getattr(settings, route.only_with):
            by_path[route.path][route.method] = PlainEndpoint(api, route)
    return Edge(Paths(by_path), failed)


def _response(request: Request, reply: Reply) -> JsonAnswer | StreamAnswer:
    headers = dict(reply.headers)
    if isinstance(reply.body, AsyncGenerator):
        return StreamAnswer(reply.first, reply.body, reply.media, headers)
    if reply.version is not None:
        headers["etag"] = f'"{reply.version}"'
        if request.method in ("GET", "HEAD") and headers["etag"] in (header_of(request, b"if-none-match") or ""):
            return JsonAnswer(None, HTTPStatus.NOT_MODIFIED, headers)
    if reply.replayed:
        headers["idempotency-replayed"] = "true"
    return JsonAnswer(reply.body, reply.status, headers)


def _digest(request: Request, text: str) -> str:
    start = f"{request.method}\n{path_of(request)}\n".encode() + request.scope["query_string"] + b"\n"
    return sha256(start + text.encode()).hexdigest()
