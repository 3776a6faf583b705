"""Payment operations and sessions: what happened to money elsewhere, line by line."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ordre.domain.ledger import Kind, live, remaining
from ordre.domain.lines import NOTHING, Line
from ordre.domain.money import MAX_AMOUNT, sign
from ordre.domain.order.conditions import Earlier, Limits, full, refuse, shut, used
from ordre.domain.order.facts import Fact, Recorded, SessionStarted
from ordre.domain.order.order import Order
from ordre.domain.order.parts import JsonFields
from ordre.domain.refusals import (
    AlreadyAuthorized,
    AlreadyUsed,
    AmountMismatch,
    AmountsTooLarge,
    AuthorizationRequired,
    DuplicateLine,
    ExceedsRemaining,
    NoItems,
    Refusal,
    Refused,
    UnknownAuthorization,
    UnknownLine,
    WrongSign,
    ZeroAmount,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Record an authorization, capture, refund or cancellation that happened elsewhere."""

    kind: Kind
    id: str
    items: tuple[tuple[int, int], ...]
    """(line id, amount) in the order of the request."""
    success: bool
    authorization_id: str | None
    fingerprint: str
    amount: int | None = None
    """What the caller says that the items add up to."""
    fields: JsonFields = field(default_factory=dict)
    """What it shows besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSession:
    """Record a payment session. An amount of None is what remains to be authorized on its line."""

    id: str
    items: tuple[tuple[int, int | None], ...]
    amount: int | None = None
    """What the caller says that the items add up to."""
    fields: JsonFields = field(default_factory=dict)
    """What it shows besides."""


def record(order: Order, command: Record, earlier: Earlier, limits: Limits) -> tuple[Fact, ...]:
    """Refuse more than what remains of a line, an id that names something else, and new money on an order that is not open."""
    fact, known = _recorded(order, command), earlier.get(command.id)
    if known == fact and not _total_faults(fact, command):
        return ()
    if command.kind in (Kind.AUTHORIZATION, Kind.CAPTURE):
        refuse(shut(order))
    if known is not None:
        raise Refused(AlreadyUsed(path="id", id=command.id))
    refuse(_authorization_faults(order, command))
    refuse(full(order.operations, limits.operations))
    refuse(_item_faults(order, command))
    refuse(_total_faults(fact, command))
    return (fact,)


def _recorded(order: Order, command: Record) -> Recorded:
    """Return the fact. Only an order with multiple authorizations keeps which of them an operation is inside."""
    inside = order.multiple_authorizations and command.kind is not Kind.AUTHORIZATION
    return Recorded(
        kind=command.kind,
        id=command.id,
        amounts=dict(command.items),
        success=command.success,
        authorization_id=command.authorization_id if inside else None,
        fingerprint=command.fingerprint,
    )


def _authorization_faults(order: Order, command: Record) -> Iterator[Refusal]:
    if command.kind is Kind.AUTHORIZATION or not order.multiple_authorizations:
        return
    if command.authorization_id is None:
        yield AuthorizationRequired(path="authorization_id")
    elif command.authorization_id not in order.within:
        yield UnknownAuthorization(path="authorization_id", authorization_id=command.authorization_id)


def _item_faults(order: Order, command: Record) -> Iterator[Refusal]:
    if not command.items:
        yield NoItems(path="items")
    seen: set[int] = set()
    for index, (line_id, amount) in enumerate(command.items):
        if line_id in seen:
            yield DuplicateLine(path=f"items[{index}].line_id", line_id=line_id)
        seen.add(line_id)
        yield from _amount_faults(order, command, line_id, amount, f"items[{index}]")


def _amount_faults(order: Order, command: Record, line_id: int, amount: int, path: str) -> Iterator[Refusal]:
    line = order.lines.get(line_id)
    if line is None:
        yield UnknownLine(path=f"{path}.line_id", line_id=line_id)
        return
    side = sign(line.net)
    if amount == 0:
        yield ZeroAmount(path=f"{path}.amount", line_id=line_id)
    elif sign(amount) == -side:
        yield WrongSign(path=f"{path}.amount", line_id=line_id)
    elif command.success:
        yield from _remaining_faults(order, command, line_id, amount, path)


def _remaining_faults(order: Order, command: Record, line_id: int, amount: int, path: str) -> Iterator[Refusal]:
    line = order.lines[line_id]
    authorizes = command.kind is Kind.AUTHORIZATION
    if authorizes and not order.multiple_authorizations and live(line.sums):
        yield AlreadyAuthorized(path=f"{path}.line_id", line_id=line_id, live=live(line.sums))
        return
    left = remaining(command.kind, line.net, line.sums)
    if order.multiple_authorizations and command.authorization_id is not None and not authorizes:
        inside = order.within[command.authorization_id].get(line_id, NOTHING)
        left = min(left, remaining(command.kind, line.net, inside), key=abs)
    if abs(amount) > abs(left):
        yield ExceedsRemaining(path=f"{path}.amount", line_id=line_id, amount=amount, remaining=left)
    elif authorizes and abs(line.sums.authorized + amount) > MAX_AMOUNT:  # voided and authorized again, many times over
        yield AmountsTooLarge(path=f"{path}.amount", limit=MAX_AMOUNT)


def _total_faults(fact: Recorded | SessionStarted, command: Record | StartSession) -> list[Refusal]:
    """Return where the amount that was sent is not the sum of the items (M2)."""
    expected = sum(fact.amounts.values())
    if command.amount in (None, expected):
        return []
    return [AmountMismatch(path="amount", sent=command.amount, expected=expected)]


def start_session(order: Order, command: StartSession, earlier: Earlier, limits: Limits) -> tuple[Fact, ...]:
    """Refuse a session of more than a line costs, and any on an order that is not open."""
    refuse(shut(order))
    refuse(used(command.id, earlier))
    refuse(full(order.sessions, limits.operations))
    amounts: dict[int, int] = {}
    wrong: list[Refusal] = []
    for index, (line_id, asked) in enumerate(command.items):
        path = f"items[{index}]"
        line = order.lines.get(line_id)
        if line is None:
            wrong.append(UnknownLine(path=f"{path}.line_id", line_id=line_id))
            continue
        if line_id in amounts:
            wrong.append(DuplicateLine(path=f"{path}.line_id", line_id=line_id))
        amount = remaining(Kind.AUTHORIZATION, line.net, line.sums) if asked is None else asked
        amounts[line_id] = amount
        wrong.extend(_session_faults(line, line_id, amount, f"{path}.amount"))
    refuse(wrong)
    fact = SessionStarted(id=command.id, amounts=amounts)
    refuse(_total_faults(fact, command))
    return (fact,)


def _session_faults(line: Line, line_id: int, amount: int, path: str) -> Iterator[Refusal]:
    if amount == 0:
        yield ZeroAmount(path=path, line_id=line_id)
    elif sign(amount) != sign(line.net):
        yield WrongSign(path=path, line_id=line_id)
    elif abs(amount) > abs(line.net):
        yield ExceedsRemaining(path=path, line_id=line_id, amount=amount, remaining=line.net)
