"""What else happens to an order: reports, comments, opening, closing, cancelling, erasing."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ordre.domain.order.conditions import Earlier, Limits, full, refuse, used
from ordre.domain.order.facts import Cancelled, Closed, CommentDeleted, Commented, Erased, Fact, Opened, ServiceReported
from ordre.domain.order.order import Order, Status
from ordre.domain.order.parts import Content, EventState, JsonFields, Reason
from ordre.domain.refusals import OrderCancelled, OrderCaptured, Refusal, Refused, UnknownComment


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A service tells how far it is with the order."""

    id: str
    service: str
    state: EventState
    fields: JsonFields = field(default_factory=dict)
    """What it shows besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """Add a remark for people."""

    id: str
    fields: JsonFields = field(default_factory=dict)
    """What it shows besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteComment:
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    reason: Reason = Reason.OTHER


@dataclass(frozen=True, slots=True, kw_only=True)
class Erase:
    """Keep nothing of the order but its names and times.

    With ``expired_by`` it stays as it is, unless its time to live ended by that instant, in milliseconds since 1970.
    """

    expired_by: int | None = None


def report(order: Order, command: Report, earlier: Earlier, limits: Limits) -> tuple[Fact, ...]:
    """Refuse an id that is used, and more reports than an order may hold."""
    refuse(used(command.id, earlier))
    refuse(full(order.events, limits.events))
    return (ServiceReported(id=command.id, service=command.service, state=command.state),)


def comment(order: Order, command: Comment, limits: Limits) -> tuple[Fact, ...]:
    """Refuse more comments than an order may hold."""
    refuse(full(order.comments, limits.comments))
    return (Commented(id=command.id),)


def delete_comment(command: DeleteComment, earlier: Earlier) -> tuple[Fact, ...]:
    """Refuse what is no comment of the order; a deleted one stays as it is."""
    if not isinstance(earlier.get(command.id), Commented):
        raise Refused(UnknownComment())
    deletion = CommentDeleted(id=command.id)
    return () if deletion.ref in earlier else (deletion,)


def reopen(order: Order) -> tuple[Fact, ...]:
    """Refuse a cancelled order."""
    if order.status is Status.CANCELLED:
        raise Refused(OrderCancelled())
    return (Opened(),) if order.status is Status.CLOSED else ()


def close(order: Order) -> tuple[Fact, ...]:
    """Refuse a cancelled order."""
    if order.status is Status.CANCELLED:
        raise Refused(OrderCancelled())
    return (Closed(),) if order.status is Status.OPEN else ()


def cancel(order: Order, command: Cancel) -> tuple[Fact, ...]:
    """Refuse an order of which money is captured and not refunded."""
    if order.status is Status.CANCELLED:
        return ()
    refuse(_captured(order))
    return (Cancelled(reason=command.reason),)


def erase(order: Order, command: Erase, content: Content | None) -> tuple[Fact, ...]:
    """Refuse nothing; an erased order stays as it is."""
    if order.status is Status.ERASED or not _due(order, command.expired_by):
        return ()
    erased = Erased(
        id=order.id,
        order_id=order.order_id,
        order_number=order.order_number,
        external_ids=content.fields.get("external_ids") if content else None,
        created=order.created,
        updated_at=order.updated_at,
        version=order.version,
    )
    return (erased,)


def _due(order: Order, expired_by: int | None) -> bool:
    return expired_by is None or (order.expires_at is not None and order.expires_at <= expired_by)


def _captured(order: Order) -> Iterator[Refusal]:
    for line_id, line in order.lines.items():
        if line.sums.captured != line.sums.refunded:
            yield OrderCaptured(line_id=line_id, captured=line.sums.captured, refunded=line.sums.refunded)
