"""An order as its facts add up to it: ``fold(facts)``, one step of which is ``after``.

What the rules do not read travels as frozen JSON texts, by field name: stored, shown, never inspected here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from ordre.domain.ledger import Kind, add, holds
from ordre.domain.lines import NOTHING, Line, Sums
from ordre.domain.order.facts import (
    Cancelled,
    Closed,
    CommentDeleted,
    Commented,
    Erased,
    Fact,
    LinesAdded,
    Opened,
    Placed,
    Recorded,
    Replaced,
    ServiceReported,
    SessionStarted,
    Updated,
    shown_by,
)
from ordre.domain.order.parts import About, Content, EventState, JsonFields, Moment, Reason


class Status(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    ERASED = "erased"
    """Never shown: an erased order says when and by whom it was deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as the rules read it. Everything it shows about money is computed from ``lines`` (M3)."""

    id: str
    order_id: str
    order_number: str | None
    currency: str
    multiple_authorizations: bool
    version: int
    status: Status
    created: Moment
    updated_at: int
    lines: Mapping[int, Line]
    about: About
    within: Mapping[str, Mapping[int, Sums]]
    """authorization id -> line id -> sums inside it; only with ``multiple_authorizations`` (M5)."""
    closed: Moment | None = None
    cancelled: Moment | None = None
    cancelled_reason: Reason | None = None
    deleted: Moment | None = None
    drafts: tuple[str, ...] = ()
    operations: int = 0
    sessions: int = 0
    events: int = 0
    comments: int = 0

    @property
    def expires_at(self) -> int | None:
        """When its time to live ends, in milliseconds since 1970."""
        ttl = self.about.time_to_live
        return None if ttl is None else self.updated_at + ttl * 1000


def fold(facts: Iterable[tuple[Fact, Moment]]) -> tuple[Order, Content]:
    """Return an order, and its content, after all of its facts, oldest first.

    Raises:
        AssertionError: There are no facts, or one cannot follow the ones before it.
    """
    order: Order | None = None
    content: Content | None = None
    for fact, moment in facts:
        order, content = after(order, content, fact, moment)
    if order is None or content is None:
        raise AssertionError("an order has facts, of which the first is that it was placed")
    return order, content


def after(order: Order | None, content: Content | None, fact: Fact, moment: Moment) -> tuple[Order, Content | None]:
    """Return an order and what it shows after one more fact: a step of ``fold``. Content that is not at hand stays so."""
    return evolve(order, fact, moment), rewrite(content, fact)


def evolve(order: Order | None, fact: Fact, moment: Moment) -> Order:
    """Return the order after the fact. Deterministic, and never refuses: what happened, happened.

    Raises:
        AssertionError: A promise of M1, M2 or M5 is broken, or a fact cannot follow the ones before it: a bug of ours.
    """
    if isinstance(fact, Placed):
        _promise(order is None, "an order is placed once")
        return _placed(fact, moment)
    if isinstance(fact, Erased):
        _promise(order is None or order.version == fact.version, "an order is erased as it is")
        return _erased(fact, moment)
    if order is None:
        raise AssertionError("an order begins by being placed")
    return replace(_changed(order, fact, moment), version=order.version + 1, updated_at=moment.at)


def _placed(fact: Placed, moment: Moment) -> Order:
    return Order(
        id=fact.id,
        order_id=fact.order_id,
        order_number=fact.order_number,
        currency=fact.currency,
        multiple_authorizations=fact.multiple_authorizations,
        version=1,
        status=Status.OPEN,
        created=moment,
        updated_at=moment.at,
        lines=fact.lines,
        about=fact.about,
        within={},
        drafts=(fact.draft_id,) if fact.draft_id else (),
    )


def _erased(fact: Erased, moment: Moment) -> Order:
    return Order(
        id=fact.id,
        order_id=fact.order_id,
        order_number=fact.order_number,
        currency="",
        multiple_authorizations=False,
        version=fact.version + 1,
        status=Status.ERASED,
        created=fact.created,
        updated_at=fact.updated_at,
        lines={},
        about=About(),
        within={},
        deleted=moment,
    )


def _changed(order: Order, fact: Fact, moment: Moment) -> Order:  # noqa: C901 - one flat table, a row a fact
    match fact:
        case Recorded():
            return _recorded(order, fact)
        case SessionStarted():
            return replace(order, sessions=order.sessions + 1)
        case ServiceReported():
            return replace(order, events=order.events + 1)
        case Commented():
            return replace(order, comments=order.comments + 1)
        case CommentDeleted():
            return order
        case Opened():
            return replace(order, status=Status.OPEN, closed=None)
        case Closed():
            return replace(order, status=Status.CLOSED, closed=moment)
        case Cancelled(reason=reason):
            return replace(order, status=Status.CANCELLED, cancelled=moment, cancelled_reason=reason)
        case LinesAdded():
            return _with_lines(order, fact)
        case Updated():
            _check_unpaid(order, fact.lines)
            lines = {**order.lines, **fact.lines}
            return replace(order, lines=lines, about=fact.about, order_number=fact.order_number)
        case Replaced():
            _promise(order.operations == 0, "an order with operations is not replaced")
            return replace(
                order,
                order_number=fact.order_number,
                currency=fact.currency,
                multiple_authorizations=fact.multiple_authorizations,
                lines=fact.lines,
                about=fact.about,
                drafts=(*order.drafts, fact.draft_id),
            )
        case Placed() | Erased():
            raise AssertionError("evolve does these itself")


def _with_lines(order: Order, fact: LinesAdded) -> Order:
    _promise(order.lines.keys().isdisjoint(fact.lines), "a line id is used once")
    stores = tuple(dict.fromkeys(order.about.item_store_ids + fact.item_store_ids))
    return replace(
        order,
        lines={**order.lines, **fact.lines},
        about=replace(order.about, item_store_ids=stores),
        drafts=(*order.drafts, fact.draft_id) if fact.draft_id else order.drafts,
    )


def _check_unpaid(order: Order, lines: Mapping[int, Line]) -> None:
    for line_id, line in lines.items():
        _promise(order.lines[line_id].sums == NOTHING == line.sums, "the amounts of a line with operations stand")


def _recorded(order: Order, fact: Recorded) -> Order:
    operations = order.operations + 1
    if not fact.success:
        return replace(order, operations=operations)
    lines = dict(order.lines)
    for line_id, amount in fact.amounts.items():
        line = lines[line_id]
        sums = add(line.sums, fact.kind, amount)
        _promise(holds(line.net, sums), f"M1 on line {line_id} of order {order.id}")
        lines[line_id] = line._replace(sums=sums)
    within = _within(order, fact) if order.multiple_authorizations else order.within
    return replace(order, operations=operations, lines=lines, within=within)


def _within(order: Order, fact: Recorded) -> Mapping[str, Mapping[int, Sums]]:
    authorization = fact.id if fact.kind is Kind.AUTHORIZATION else fact.authorization_id
    if authorization is None:
        raise AssertionError("with multiple_authorizations an operation names its authorization")
    inside = dict(order.within.get(authorization, {}))
    for line_id, amount in fact.amounts.items():
        sums = add(inside.get(line_id, NOTHING), fact.kind, amount)
        _promise(holds(order.lines[line_id].net, sums), f"M5 on line {line_id} of order {order.id}")
        inside[line_id] = sums
    return {**order.within, authorization: inside}


def rewrite(content: Content | None, fact: Fact) -> Content | None:
    """Return the shown content after the fact: the other half of ``evolve``. Most facts leave it as it is."""
    if isinstance(fact, Placed | Replaced | Erased):
        return shown_by(fact)
    if content is None:
        return None
    if isinstance(fact, LinesAdded):
        return Content(fields=content.fields, items={**content.items, **fact.items})
    if isinstance(fact, Updated):
        items = {line_id: _merged(content.items[line_id], fields) for line_id, fields in fact.items.items()}
        return Content(fields=_merged(content.fields, fact.fields), items={**content.items, **items})
    return content


def _merged(before: JsonFields, changes: JsonFields) -> JsonFields:
    return {name: value for name, value in {**before, **changes}.items() if value != "null"}


def state_of(reports: list[tuple[str, EventState]]) -> EventState:
    """Combine what services reported, oldest first, as (service, state): the reference's rule for an order's ``state``."""
    if any(state in (EventState.ERROR, EventState.FAILURE) for _, state in reports):
        return EventState.FAILURE
    latest = dict(reports)
    if not latest or EventState.PENDING in latest.values():
        return EventState.PENDING
    return EventState.SUCCESS


def _promise(kept: bool, what: str) -> None:
    """Raise when one of our own promises is broken. Not an ``assert`` statement: ``python -O`` must not take it away."""
    if not kept:
        raise AssertionError(what)
