"""The outermost layer: a request id on every answer, one log line a request, and no failure without an answer.

A failure after the first byte of an answer has no answer any more: it is logged, and the connection ends before the body does.
"""

import re
import time
from collections.abc import Callable
from itertools import count
from secrets import token_hex

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ordre import logs
from ordre.api.http.answers import JsonAnswer
from ordre.api.http.paths import TEMPLATE
from ordre.api.http.stream import LEFT
from ordre.application.accounts import ACCOUNT_ID

CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET,HEAD,PUT,PATCH,POST,DELETE",
    "access-control-allow-headers": "Origin,Content-Type,Accept,Authorization,total-count,page-count"
    ",Idempotency-Key,If-Match,Prefer,Last-Event-ID",
    "access-control-expose-headers": "total-count,link,etag,x-request-id,idempotency-replayed,retry-after"
    ",preference-applied,x-ordre-ignored,ratelimit,ratelimit-policy",
}
ALWAYS = [(name.encode(), value.encode()) for name, value in {**CORS, "x-content-type-options": "nosniff"}.items()]
"""What every answer has: a connection writes it into each head, without another look."""
NO_CONTENT = 204
BROKEN_OFF = 500
"""What the log says of an answer that broke off, whatever status its head had."""
REQUEST_ID = "ordre.request_id"
"""Where the request id stands in the scope, for whoever logs."""
OPERATION, CLIENT, CODE = "ordre.operation", "ordre.client", "ordre.code"
"""Where the scope has what the log says of a request: its operation, the client that sent it, the code of its first refusal."""
GONE = 499
"""What the log says where the client went away before it was answered."""
is_account_id = re.compile(ACCOUNT_ID).fullmatch


class Edge:
    """Wraps the application."""

    def __init__(self, app: ASGIApp, failed: Callable[[Exception, Scope], ASGIApp]) -> None:
        self._app, self._failed = app, failed
        self._process, self._numbers = token_hex(4), count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, request_id, status, whole = time.perf_counter(), f"{self._process}{next(self._numbers):08x}", 0, False
        scope[REQUEST_ID] = request_id
        scope["path"] = scope["raw_path"].decode("latin-1")  # still quoted, so that an id may hold a slash

        async def send_on(message: Message) -> None:
            nonlocal status, whole
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            elif message["type"] == "http.response.body":
                whole = not message.get("more_body", False)
            await send(message)

        try:
            await self._answer(scope, receive, send_on)
        except Exception as error:  # noqa: BLE001 - the last resort
            if status == 0:
                await self._failed(error, scope)(scope, receive, send_on)
            else:
                logs.error("failure_in_answer", id=request_id, sent_status=status, exc_info=error)
        logged = status if whole else GONE if LEFT in scope or not status else BROKEN_OFF
        self._log(scope, logged, round((time.perf_counter() - started) * 1000, 2))

    def _log(self, scope: Scope, status: int, milliseconds: float) -> None:
        """Log the request: the template of its path, never the path or the query, which may hold personal data."""
        line = {"event": "request", "id": scope[REQUEST_ID], "method": scope["method"]}
        path = scope.get(TEMPLATE, "")
        if path:
            line["path"] = path
            if is_account_id(scope["path_params"].get("aid", "")):
                line["account"] = scope["path_params"]["aid"]
        if OPERATION in scope:
            line["operation"] = scope[OPERATION]
        if CLIENT in scope:
            line["client"] = scope[CLIENT]
        if CODE in scope:
            line["code"] = scope[CODE]
        line["status"], line["ms"] = status, milliseconds
        if status >= BROKEN_OFF:
            logs.write("error", line)
        else:
            logs.write_soon("debug" if path.startswith("/health") else "info", line)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            await JsonAnswer(None, NO_CONTENT)(scope, receive, send)
        else:
            await self._app(scope, receive, send)
