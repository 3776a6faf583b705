"""Refusals and failures to status and body: one table, one shape."""

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from ordre.api.wire.common import Wire, encode
from ordre.api.wire.events import ApiEvent, ServiceEvent
from ordre.domain.refusals import (
    AlreadyUsed,
    Invalid,
    InvalidValue,
    KeyReused,
    MissingField,
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


class ErrorDetail(Wire, kw_only=True):
    """One fault: its stable code, the path of the field, and the values of the case."""

    code: str
    message: str
    path: str | UnsetType = UNSET
    line_id: int | UnsetType = UNSET
    remaining: int | UnsetType = UNSET
    live: int | UnsetType = UNSET
    current_version: int | UnsetType = UNSET
    events: list[ApiEvent | ServiceEvent] | UnsetType = UNSET


class ErrorContent(Wire, kw_only=True):
    code: str
    message: str
    errors: list[ErrorDetail]


class ErrorBody(Wire, kw_only=True):
    """What every answer above 399 holds. ``error.code`` is the upper-case reason phrase."""

    error: ErrorContent


class Failure(Exception):  # noqa: N818 - a refusal of HTTP, not of the domain
    """An answer above 399 that is not a refusal of the domain. ``code`` is the stable code of its one fault."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers or {}


class Stale(Refused):
    """A write on another version than the current one. ``events`` are those since the caller's version, in JSON."""

    def __init__(self, refused: Refused, events: list[str]) -> None:
        super().__init__(*refused.refusals)
        self.events = events


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
    message = refusals[0].message if len(refusals) == 1 else f"{refusals[0].message}, and {len(refusals) - 1} more"
    return _body(status_of(refusals), message, faults)


def failure_body(failure: Failure) -> bytes:
    """Return the error body of a failure."""
    return _body(failure.status, failure.message, [{"code": failure.code, "message": failure.message}])


def _body(status: int, message: str, faults: list[dict[str, object]]) -> bytes:
    code = HTTPStatus(status).phrase.upper()
    return encode({"error": {"code": code, "message": message, "errors": faults}})


MOST_FAULTS = 20
_STAND_INS: tuple[Any, ...] = (
    0,
    1,
    "x",
    "NOK",
    "2026-01-01T00:00:00Z",
    "2026-01-01",
    True,
    {},
    [],
    "NO",
    86_400,
    "+47",
    "a@b",
    [{}],
)
"""Values tried in the place of a wrong one, so that the faults behind it are found too."""


def decode_faults(value: Any, decoder: "msgspec.json.Decoder[object]", first: msgspec.ValidationError) -> list[Refusal]:
    """Return every fault of a value that is not of its type.

    The decoder stops at its first fault; so the wrong value is replaced by one that fits, and the rest is decoded again.
    """
    found: list[Refusal] = []
    error: msgspec.ValidationError | None = first
    while error is not None and len(found) < MOST_FAULTS:
        reason, steps = _read(error)
        found.append(_fault(reason, steps))
        error = _mended(value, steps, str(error), decoder)
    return found


def _mended(
    value: Any, steps: list[str | int], before: str, decoder: "msgspec.json.Decoder[object]"
) -> msgspec.ValidationError | None:
    """Put a stand-in at the path; return the next fault, or None where there is none or nothing fits."""
    if not steps:
        return None
    parent = value
    for step in steps[:-1]:
        parent = parent[step]
    for stand_in in _STAND_INS:
        parent[steps[-1]] = stand_in
        try:
            decoder.decode(msgspec.json.encode(value))
        except msgspec.ValidationError as error:
            if str(error) != before and _read(error)[1][: len(steps)] != steps:
                return error
        else:
            return None
    return None


_MISSING = re.compile(r"^Object missing required field `(.+?)`")
_OWN = re.compile(r"^`(\w+)` ")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]")


def _read(error: msgspec.ValidationError) -> tuple[str, list[str | int]]:
    """Return what is wrong, and the steps to where, from the decoder's message."""
    reason, _, place = str(error).partition(" - at `")
    known = place.rstrip("`").partition("[...]")[0]
    steps: list[str | int] = [match[1] or int(match[2]) for match in _STEP.finditer(known)]
    if named := _MISSING.match(reason) or _OWN.match(reason):
        steps.append(named[1])
    return reason, steps


def _fault(reason: str, steps: list[str | int]) -> Refusal:
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")
    if _MISSING.match(reason):
        return MissingField(path=path)
    return InvalidValue(path=path, reason=reason.replace("`", ""))
