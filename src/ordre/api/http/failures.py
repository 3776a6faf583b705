"""The answer to a failed request: one table, by the type of the failure."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.types import Scope

from ordre import logs
from ordre.api.http.answers import JsonAnswer
from ordre.api.http.context import WRITES, WRITTEN
from ordre.api.http.errors import Failure, failure_body, refusal_body, status_of
from ordre.api.http.middleware import CODE, REQUEST_ID
from ordre.application.troubles import StoreUnavailable
from ordre.domain.refusals import Refused

RETRY_SECONDS = 1
_AGAIN = "send it again under the same Idempotency-Key, or read first what is there"


def failed(error: Exception, scope: Scope) -> JsonAnswer:
    """Return the answer to an exception: that of its type, or else of its nearest base class."""
    answer = next(ANSWERS[type_] for type_ in type(error).__mro__ if type_ in ANSWERS)
    return answer(error, scope)


def _refused(error: Refused, scope: Scope) -> JsonAnswer:
    scope[CODE] = error.refusals[0].code
    return JsonAnswer(refusal_body(error), status_of(error.refusals))


def _failure(error: Failure, scope: Scope) -> JsonAnswer:
    scope[CODE] = error.code
    return JsonAnswer(failure_body(error), error.status, error.headers)


def _unavailable(error: StoreUnavailable, scope: Scope) -> JsonAnswer:
    logs.error("store_unavailable", id=scope.get(REQUEST_ID), reason=str(error))
    return _not_answered("store_unavailable", error.trouble, scope, unsure=error.unsure)


def _late(_: TimeoutError, scope: Scope) -> JsonAnswer:
    return _not_answered("timeout", "The request took too long", scope)


def _of_http(error: HTTPException, scope: Scope) -> JsonAnswer:
    phrase = HTTPStatus(error.status_code).phrase
    code = phrase.lower().replace(" ", "_")
    return _failure(Failure(error.status_code, code, phrase, dict(error.headers or {})), scope)


def _unforeseen(error: Exception, scope: Scope) -> JsonAnswer:
    logs.error("failure", id=scope.get(REQUEST_ID), exc_info=error)
    message = "Ordre failed; the log says why, under this x-request-id"
    return _failure(Failure(HTTPStatus.INTERNAL_SERVER_ERROR, "failure", message), scope)


ANSWERS: dict[type, Callable[[Any, Scope], JsonAnswer]] = {
    Refused: _refused,
    Failure: _failure,
    StoreUnavailable: _unavailable,
    TimeoutError: _late,
    HTTPException: _of_http,
    Exception: _unforeseen,
}
"""Type of a failure -> what makes its answer."""


def _not_answered(code: str, reason: str, scope: Scope, *, unsure: bool = False) -> JsonAnswer:
    """Answer a request that could not be answered: why, and of a write whether it was recorded."""
    what = "try again"
    if WRITTEN in scope:
        code, what = "answer_lost", f"this was recorded, but its answer could not be read: {_AGAIN}"
    elif unsure:
        code, what = "outcome_unknown", f"it is not known whether this was recorded: {_AGAIN}"
    elif scope.get(WRITES):
        what = "nothing was recorded, try again"
    headers = {"retry-after": str(RETRY_SECONDS)}
    return _failure(Failure(HTTPStatus.SERVICE_UNAVAILABLE, code, f"{reason}; {what}", headers), scope)
