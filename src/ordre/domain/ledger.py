"""Per line and in total: authorized, captured, refunded, cancelled; what remains of each; the payment status.

M1, with ``s`` the side of zero that the line's net amount is on:
``0 <= s*refunded <= s*captured``, ``0 <= s*cancelled``, ``s*captured + s*cancelled <= s*authorized``,
``s*(authorized - cancelled) <= s*net``: what is cancelled of an authorization may be authorized again.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from ordre.domain.lines import NOTHING, Line, Sums
from ordre.domain.money import sign


class Kind(StrEnum):
    """The four payment operations: one shape, four kinds."""

    AUTHORIZATION = "authorization"
    CAPTURE = "capture"
    REFUND = "refund"
    CANCELLATION = "cancellation"


class PaymentStatus(StrEnum):
    PENDING = "pending"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"


class Remaining(NamedTuple):
    """The amounts that remain to be recorded, and the one still due, in minor units, signed."""

    authorization: int = 0
    capture: int = 0
    refund: int = 0
    cancellation: int = 0
    due: int = 0


def remaining(kind: Kind, net: int, sums: Sums) -> int:
    """Return the amount that remains for an operation of this kind, with the sign of the line."""
    match kind:
        case Kind.AUTHORIZATION:
            return net - (sums.authorized - sums.cancelled)
        case Kind.CAPTURE | Kind.CANCELLATION:
            return live(sums)
        case Kind.REFUND:
            return sums.captured - sums.refunded


def live(sums: Sums) -> int:
    """Return the amount that is authorized and neither captured nor cancelled yet, in minor units, signed."""
    return sums.authorized - sums.captured - sums.cancelled


def add(sums: Sums, kind: Kind, amount: int) -> Sums:
    """Return the sums with a successful operation's amount added."""
    match kind:
        case Kind.AUTHORIZATION:
            return sums._replace(authorized=sums.authorized + amount)
        case Kind.CAPTURE:
            return sums._replace(captured=sums.captured + amount)
        case Kind.REFUND:
            return sums._replace(refunded=sums.refunded + amount)
        case Kind.CANCELLATION:
            return sums._replace(cancelled=sums.cancelled + amount)


def holds(net: int, sums: Sums) -> bool:
    """Whether promise M1 holds for one line, or promise M5 for one line inside one authorization."""
    side = sign(net)
    authorized, captured, refunded, cancelled = (side * amount for amount in sums)
    return (
        0 <= refunded <= captured
        and cancelled >= 0
        and captured + cancelled <= authorized
        and authorized - cancelled <= side * net
        and (side != 0 or sums == NOTHING)
    )


def remains_on(line: Line, *, cancelled_order: bool = False) -> Remaining:
    """Return the remaining amounts of one line (M3). A cancelled order owes nothing: money may only leave it."""
    authorized, captured, refunded, cancelled = line.sums
    open_amount = authorized - captured - cancelled
    if cancelled_order:
        return Remaining(0, 0, captured - refunded, open_amount, 0)
    return Remaining(line.net - authorized + cancelled, open_amount, captured - refunded, open_amount, line.net - captured)


def total(lefts: Iterable[Remaining]) -> Remaining:
    """Return the remaining amounts of all lines: the sums of those of each line."""
    return Remaining(*map(sum, zip(*lefts, strict=True)))


def payment_status(lines: Mapping[int, Line]) -> PaymentStatus:
    """Return the status by signed totals: captured C, refunded R, net N (M3).

    N = 0: paid, since the order costs nothing. Nothing captured on any line: pending. Otherwise, on N's side of zero:
    C < N partially paid; C >= N and R = 0 paid; 0 < R < C partially refunded; R >= C refunded.
    """
    net = captured = refunded = 0
    touched = False
    for line in lines.values():
        net += line.net
        captured += line.sums.captured
        refunded += line.sums.refunded
        touched = touched or line.sums.captured != 0
    if net == 0:
        return PaymentStatus.PAID
    if not touched:
        return PaymentStatus.PENDING
    side = sign(net)
    net, captured, refunded = side * net, side * captured, side * refunded
    if refunded > 0:
        return PaymentStatus.REFUNDED if refunded >= captured else PaymentStatus.PARTIALLY_REFUNDED
    return PaymentStatus.PARTIALLY_PAID if captured < net else PaymentStatus.PAID
