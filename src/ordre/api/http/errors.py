"""Refusals and failures to status and body: one table, one shape."""

from collections.abc import Iterable, Sequence
from http import HTTPStatus

import msgspec
from msgspec import UNSET, UnsetType

from ordre.api.wire.common import Wire, encode
from ordre.api.wire.events import ApiEvent, ServiceEvent
from ordre.domain.refusals import (
    AlreadyUsed,
    Invalid,
    KeyReused,
    NotNow,
    Refusal,
    Refused,
    Unknown,
    VersionDiffers,
)

STATUSES: tuple[tuple[type[Refusal], int], ...] = (
    (Unknown, 404),
    (Invalid, 400),
    (NotNow, 400),
    (AlreadyUsed, 409),
    (VersionDiffers, 412),
    (KeyReused, 422),
)
"""Family of refusals -> status."""
_CODES = {413: "REQUEST ENTITY TOO LARGE", 422: "UNPROCESSABLE ENTITY"}
"""Python 3.13 has other phrases for these; what clients compare is the same on every Python."""
MOST_FAULTS = 20
"""So many faults of a body are looked for."""


class ErrorDetail(Wire, kw_only=True):
    """One fault: its stable code, the path of the field, and the values of the case.

    Attributes:
        code: The stable code of the fault; docs/errors.md lists all
        message: The fault in a sentence
        path: The field or parameter, such as `items[0].amount`
        line_id: The line that it is about
        sent: The amount that was sent
        expected: The amount that the lines add up to
        amount: The amount that was to be recorded, or of the reversal
        remaining: What remains of the line for an operation of this kind, or is left of it to reverse
        live: What is neither captured nor cancelled of the line's authorization
        reversed: What the reversals of the line add up to
        captured: What is captured of the line
        refunded: What is refunded of the line
        limit: How much or how many there may be at most
        currency: The currency that is not taken here
        parameter: The parameter that is not known
        allowed: The parameters that are
        kind: The kind of operation that was not found
        status: The status that the draft has, or the state of the subscription
        id: The id that is used already
        order_id: The order_id that is used already
        authorization_id: The authorization that is not there
        current_version: The version that the order or draft is at
        events: The last of what happened since the version that `If-Match` named, oldest first: at most 20, of 256 KiB
        left_out: How many events before these are left out; an order's events list has them
    """

    code: str
    message: str
    path: str | UnsetType = UNSET
    line_id: int | UnsetType = UNSET
    sent: int | UnsetType = UNSET
    expected: int | UnsetType = UNSET
    amount: int | UnsetType = UNSET
    remaining: int | UnsetType = UNSET
    live: int | UnsetType = UNSET
    reversed: int | UnsetType = UNSET
    captured: int | UnsetType = UNSET
    refunded: int | UnsetType = UNSET
    limit: int | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    parameter: str | UnsetType = UNSET
    allowed: list[str] | UnsetType = UNSET
    kind: str | UnsetType = UNSET
    status: str | UnsetType = UNSET
    id: str | UnsetType = UNSET
    order_id: str | UnsetType = UNSET
    authorization_id: str | UnsetType = UNSET
    current_version: int | UnsetType = UNSET
    events: list[ApiEvent | ServiceEvent] | UnsetType = UNSET
    left_out: int | UnsetType = UNSET


class ErrorContent(Wire, kw_only=True):
    """What went wrong.

    Attributes:
        code: The status's phrase in capitals, such as `BAD REQUEST`
        message: The first fault in a sentence, and how many more there are
        errors: Every fault
    """

    code: str
    message: str
    errors: list[ErrorDetail]


class ErrorBody(Wire, kw_only=True):
    """What every answer above 399 holds. ``error.code`` is the upper-case reason phrase.

    Attributes:
        error: What went wrong
    """

    error: ErrorContent


class Failure(Exception):  # noqa: N818 - a refusal of HTTP, not of the domain
    """An answer above 399 that is not a refusal of the domain. ``code`` is the stable code of its one fault."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers or {}


def unauthorized(message: str, scheme: str = "Bearer") -> Failure:
    """Return a 401."""
    return Failure(HTTPStatus.UNAUTHORIZED, "unauthorized", message, {"www-authenticate": f'{scheme} realm="ordre"'})


class Stale(Refused):
    """A write on another version than the current one.

    ``events`` are the last ones since the caller's version, in JSON; ``left_out`` is how many there are before them.
    """

    def __init__(self, refused: Refused, events: list[str], left_out: int) -> None:
        super().__init__(*refused.refusals)
        self.events, self.left_out = events, left_out


def status_of(refusals: Iterable[Refusal]) -> int:
    """Return the status of a request that is refused for these: that of the first."""
    first = next(iter(refusals))
    return next(status for family, status in STATUSES if isinstance(first, family))


def refusal_body(refused: Refused) -> bytes:
    """Return the error body that names every fault."""
    faults, refusals = [], refused.refusals
    for refusal in refusals:
        fault: dict[str, object] = {"code": refusal.code, "message": refusal.message}
        if refusal.path:
            fault["path"] = refusal.path
        faults.append({**fault, **refusal.details()})
    if isinstance(refused, Stale):
        faults[0]["events"] = [msgspec.Raw(event.encode()) for event in refused.events]
        if refused.left_out:
            faults[0]["left_out"] = refused.left_out
    return _body(status_of(refusals), _summary(refusals), faults)


def _summary(refusals: Sequence[Refusal]) -> str:
    """Return the first fault in a sentence with its path, and how many more there are."""
    first, more = refusals[0], len(refusals) - 1
    message = f"{first.path}: {_inside(first.message)}" if first.path else first.message
    at_least = "at least " if len(refusals) == MOST_FAULTS else ""
    return f"{message} (and {at_least}{more} more)" if more else message


def _inside(sentence: str) -> str:
    """Return a sentence as it continues another: its first word small, unless it is a name or an abbreviation."""
    word = sentence.partition(" ")[0]
    return sentence[0].lower() + sentence[1:] if word.isalpha() and word == word.capitalize() else sentence


def failure_body(failure: Failure) -> bytes:
    """Return the error body of a failure."""
    return _body(failure.status, failure.message, [{"code": failure.code, "message": failure.message}])


def _body(status: int, message: str, faults: list[dict[str, object]]) -> bytes:
    code = _CODES.get(status) or HTTPStatus(status).phrase.upper()
    return encode({"error": {"code": code, "message": message, "errors": faults}})
