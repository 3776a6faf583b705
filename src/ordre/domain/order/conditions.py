"""Conditions that several rules have."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ordre.domain.order.facts import Fact
from ordre.domain.order.order import Order, Status
from ordre.domain.refusals import AlreadyUsed, LimitReached, OrderCancelled, OrderClosed, OrderErased, Refusal, Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits on the size of one order, and of the subscriptions of an account."""

    lines: int = 1_000
    operations: int = 2_000
    """Payment operations; sessions have the same limit of their own."""
    events: int = 10_000
    """Reports of services."""
    comments: int = 1_000
    subscriptions: int = 20


LIMITS = Limits()
Earlier = Mapping[str, Fact]
"""Those facts of the order that the command refers to, by the id that they gave to an operation, session, event or comment."""


def shut(order: Order) -> list[Refusal]:
    """Money may leave a closed or cancelled order, but nothing new may enter."""
    match order.status:
        case Status.OPEN:
            return []
        case Status.CLOSED:
            return [OrderClosed()]
        case Status.CANCELLED:
            return [OrderCancelled()]
        case Status.ERASED:
            return [OrderErased()]


def used(id: str, earlier: Earlier) -> list[Refusal]:  # noqa: A002 - the domain's word
    """An id names one operation, session or report of its order."""
    return [AlreadyUsed(path="id", id=id)] if id in earlier else []


def full(held: int, limit: int) -> list[Refusal]:
    """An order holds no more than its limits say."""
    return [LimitReached(limit=limit)] if held >= limit else []


def refuse(refusals: Iterator[Refusal] | list[Refusal]) -> None:
    """Raise ``Refused`` where there is a reason."""
    found = tuple(refusals)
    if found:
        raise Refused(*found)
