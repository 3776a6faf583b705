"""What a call may raise: one class a kind of answer, under ``OrdreError``."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

import msgspec

from ordre.api.http.errors import ErrorBody, ErrorDetail
from ordre.api.wire.answers import ErasedOrder


class OrdreError(Exception):
    """A call that was not done. ``faults`` names everything at fault: its stable code, its field, the values of the case.

    As text it is a line a fault: the field, the message and the code, such as
    ``items[0].amount: Exceeds what remains of line 1 (exceeds_remaining)``.
    """

    def __init__(self, message: str, *, status: int = 0, faults: Sequence[ErrorDetail] = (), request_id: str = "") -> None:
        super().__init__("\n".join(map(_line, faults)) or message)
        self.message, self.status, self.faults, self.request_id = message, status, tuple(faults), request_id

    @property
    def codes(self) -> tuple[str, ...]:
        """The stable codes of the faults, such as ``exceeds_remaining``."""
        return tuple(fault.code for fault in self.faults)


def _line(fault: ErrorDetail) -> str:
    where = f"{fault.path}: " if fault.path else ""
    return f"{where}{fault.message} ({fault.code})"


class UnreachableError(OrdreError):
    """No answer came, however often it was tried. A write may have been done; the same idempotency key tells."""


class BadRequestError(OrdreError):
    """400: malformed, or refused by the rules of orders and money."""


class UnauthorizedError(OrdreError):
    """401: the client id, its secret or the token is not good."""


class ForbiddenError(OrdreError):
    """403: another account, or a scope that the client lacks."""


class NotFoundError(OrdreError):
    """404: there is nothing by that name."""


class AlreadyUsedError(OrdreError):
    """409: the id is used for something else."""


class ErasedError(OrdreError):
    """The order was erased: ``order`` is what is kept of it."""

    def __init__(self, order: ErasedOrder) -> None:
        super().__init__(f"The order was erased at {order.deleted_at}", status=HTTPStatus.OK)
        self.order = order


class VersionDiffersError(OrdreError):
    """412: another version is current. The first fault holds ``current_version``, and the ``events`` since the one named."""


class KeyReusedError(OrdreError):
    """422: the idempotency key stands for another request."""


class TooManyRequestsError(OrdreError):
    """429: more than is allowed, however long was waited."""


class UnavailableError(OrdreError):
    """502, 503, 504: no answer for now, however often it was tried."""


class UnexpectedError(OrdreError):
    """Any other answer above 399, or one that is not of its type."""


CLASSES: Mapping[int, type[OrdreError]] = {
    400: BadRequestError,
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: AlreadyUsedError,
    412: VersionDiffersError,
    422: KeyReusedError,
    429: TooManyRequestsError,
    502: UnavailableError,
    503: UnavailableError,
    504: UnavailableError,
}

_decode = msgspec.json.Decoder(ErrorBody).decode


def error_of(status: int, body: bytes, request_id: str) -> OrdreError:
    """Return the exception for an answer above 399, which may also be a proxy's."""
    found = CLASSES.get(status, UnexpectedError)
    try:
        error = _decode(body).error
    except msgspec.MsgspecError:
        phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "no known status"
        return found(f"{status} {phrase}", status=status, request_id=request_id)
    return found(error.message, status=status, faults=error.errors, request_id=request_id)
