"""The rules: ``decide(order, command) -> facts``.

Each function is one command; its conditions stand in their order of precedence, which is part of the API. A command that
changes nothing (opening an open order, repeating an operation) is answered with no facts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ordre.domain.commands import (
    AddLines,
    Cancel,
    Close,
    Command,
    Comment,
    DeleteComment,
    Erase,
    ItemChange,
    Open,
    Place,
    Record,
    Replace,
    Report,
    StartSession,
    Update,
)
from ordre.domain.ledger import Kind, live, remaining
from ordre.domain.lines import NOTHING, Line, PricedItem, faults, faults_of_all, line_of, size_faults, total_faults
from ordre.domain.money import DIGITS, MAX_AMOUNT, sign
from ordre.domain.order import (
    Cancelled,
    Closed,
    CommentDeleted,
    Commented,
    Content,
    Erased,
    Fact,
    Frozen,
    LinesAdded,
    Opened,
    Order,
    Placed,
    Recorded,
    Replaced,
    ServiceReported,
    SessionStarted,
    Status,
    Updated,
)
from ordre.domain.refusals import (
    AlreadyAuthorized,
    AlreadyUsed,
    AmountMismatch,
    AmountsTooLarge,
    AuthorizationRequired,
    CurrencyDiffers,
    DuplicateLine,
    ExceedsRemaining,
    InvalidValue,
    LimitReached,
    LineHasOperations,
    NoItems,
    OrderCancelled,
    OrderCaptured,
    OrderClosed,
    OrderErased,
    OrderHasOperations,
    OrderIdTaken,
    Refusal,
    Refused,
    TooMany,
    UnknownAuthorization,
    UnknownComment,
    UnknownCurrency,
    UnknownLine,
    UnknownOrder,
    WrongSign,
    ZeroAmount,
)
from ordre.domain.relations import changed_relation_faults, named, relation_faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one order may hold."""

    lines: int = 1_000
    operations: int = 2_000
    """Payment operations; sessions have the same limit of their own."""
    events: int = 10_000
    """Reports of services."""
    comments: int = 1_000


LIMITS = Limits()
Earlier = Mapping[str, Fact]
"""Those facts of the order that the command refers to, by the id that they gave to an operation, session, event or comment."""


def decide(  # noqa: C901, PLR0912 - one flat table, a row a command
    order: Order | None, command: Command, earlier: Earlier, limits: Limits = LIMITS, content: Content | None = None
) -> tuple[Fact, ...]:
    """Return what happens when the command meets the order, which may be nothing.

    ``content`` is what the order shows: commands that add or change lines need it.

    Raises:
        Refused: With every fault of the first rule that is broken; nothing happens.
    """
    if isinstance(command, Place):
        return _place(order, command, limits)
    if order is None:
        raise Refused(UnknownOrder())
    if order.status is Status.ERASED and not isinstance(command, Erase):
        raise Refused(OrderErased())
    match command:
        case Record():
            return _record(order, command, earlier.get(command.id), limits)
        case Replace():
            return _replace(order, command, limits)
        case AddLines():
            return _add_lines(order, command, limits, _items(content))
        case Update():
            return _update(order, command, _items(content))
        case StartSession():
            return _start_session(order, command, earlier, limits)
        case Report(id=id, service=service, state=state):
            _refuse(_used(id, earlier))
            _refuse(_full(order.events, limits.events))
            return (ServiceReported(id=id, service=service, state=state),)
        case Comment(id=id):
            _refuse(_full(order.comments, limits.comments))
            return (Commented(id=id),)
        case DeleteComment(id=id):
            return _delete_comment(id, earlier)
        case Open():
            _refuse([OrderCancelled()] if order.status is Status.CANCELLED else [])
            return (Opened(),) if order.status is Status.CLOSED else ()
        case Close():
            _refuse([OrderCancelled()] if order.status is Status.CANCELLED else [])
            return (Closed(),) if order.status is Status.OPEN else ()
        case Cancel(reason=reason):
            if order.status is Status.CANCELLED:
                return ()
            _refuse(_captured(order))
            return (Cancelled(reason=reason),)
        case Erase(external_ids=external_ids):
            return () if order.status is Status.ERASED else (_erased(order, external_ids),)


def place_faults(command: Place, limits: Limits = LIMITS) -> Iterator[Refusal]:
    """Yield what is wrong with an order to be made, whatever else the account holds."""
    if command.currency not in DIGITS:
        yield UnknownCurrency(path="currency", currency=command.currency)
    if not command.items:
        yield NoItems(path="items")
    if len(command.items) > limits.lines:
        yield TooMany(path="items", limit=limits.lines)
    wrong = list(faults_of_all(command.items, (), "items"))
    if wrong:
        yield from wrong
        return
    lines = _lines(command.items)
    if command.draft_id is None:  # a draft's items are checked together, before it is split
        yield from relation_faults(named(command.items, "items"), lines, command.content.items)
    yield from total_faults(lines, command.gross, command.net, "")


def _place(order: Order | None, command: Place, limits: Limits) -> tuple[Fact, ...]:
    _refuse(place_faults(command, limits))
    if order is not None:
        raise Refused(OrderIdTaken(path="order_id", order_id=command.order_id))
    placed = Placed(
        id=command.id,
        order_id=command.order_id,
        order_number=command.order_number,
        currency=command.currency,
        multiple_authorizations=command.multiple_authorizations,
        lines=_lines(command.items),
        content=command.content,
        about=command.about,
        draft_id=command.draft_id,
    )
    return (placed,)


def _replace(order: Order, command: Replace, limits: Limits) -> tuple[Fact, ...]:
    _refuse(_shut(order))
    if order.operations:
        raise Refused(OrderHasOperations())
    place = command.place
    _refuse(place_faults(place, limits))
    replaced = Replaced(
        order_number=place.order_number or order.order_number,
        currency=place.currency,
        multiple_authorizations=place.multiple_authorizations,
        lines=_lines(place.items),
        content=place.content,
        about=place.about,
        draft_id=command.draft_id,
    )
    return (replaced,)


def _add_lines(order: Order, command: AddLines, limits: Limits, shown: Mapping[int, Frozen]) -> tuple[Fact, ...]:
    _refuse(_shut(order))
    if command.currency != order.currency:
        raise Refused(CurrencyDiffers(path="currency", currency=order.currency))
    if not command.items:
        raise Refused(NoItems(path="items"))
    if len(order.lines) + len(command.items) > limits.lines:
        raise Refused(TooMany(path="items", limit=limits.lines))
    _refuse(faults_of_all(command.items, order.lines, "items"))
    lines = _lines(command.items)
    after = {**order.lines, **lines}
    _refuse(relation_faults(named(command.items, "items"), after, {**shown, **command.content}))
    _refuse(size_faults(after.values(), "items"))
    return (LinesAdded(lines=lines, items=command.content, item_store_ids=command.item_store_ids, draft_id=command.draft_id),)


def _erased(order: Order, external_ids: str | None) -> Erased:
    return Erased(
        id=order.id,
        order_id=order.order_id,
        order_number=order.order_number,
        external_ids=external_ids,
        created=order.created,
        updated_at=order.updated_at,
        version=order.version,
    )


def _record(order: Order, command: Record, earlier: Fact | None, limits: Limits) -> tuple[Fact, ...]:
    fact = _recorded(order, command)
    if earlier == fact and not _total_faults(fact, command):
        return ()
    if command.kind in (Kind.AUTHORIZATION, Kind.CAPTURE):
        _refuse(_shut(order))
    if earlier is not None:
        raise Refused(AlreadyUsed(path="id", id=command.id))
    _refuse(_authorization_faults(order, command))
    _refuse(_full(order.operations, limits.operations))
    _refuse(_item_faults(order, command))
    _refuse(_total_faults(fact, command))
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


def _start_session(order: Order, command: StartSession, earlier: Earlier, limits: Limits) -> tuple[Fact, ...]:
    _refuse(_shut(order))
    _refuse(_used(command.id, earlier))
    _refuse(_full(order.sessions, limits.operations))
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
    _refuse(wrong)
    fact = SessionStarted(id=command.id, amounts=amounts)
    _refuse(_total_faults(fact, command))
    return (fact,)


def _session_faults(line: Line, line_id: int, amount: int, path: str) -> Iterator[Refusal]:
    if amount == 0:
        yield ZeroAmount(path=path, line_id=line_id)
    elif sign(amount) != sign(line.net):
        yield WrongSign(path=path, line_id=line_id)
    elif abs(amount) > abs(line.net):
        yield ExceedsRemaining(path=path, line_id=line_id, amount=amount, remaining=line.net)


def _delete_comment(id: str, earlier: Earlier) -> tuple[Fact, ...]:  # noqa: A002 - the domain's word
    if not isinstance(earlier.get(id), Commented):
        raise Refused(UnknownComment())
    return () if deletion_of(id) in earlier else (CommentDeleted(id=id),)


def deletion_of(comment_id: str) -> str:
    """Return the name by which the deletion of a comment is found among earlier facts.

    A comment's id is a UUID, so that the name is longer than any id that a client may choose.
    """
    return f"{comment_id}/deleted"


def _update(order: Order, command: Update, shown: Mapping[int, Frozen]) -> tuple[Fact, ...]:
    if command.currency not in (None, order.currency):
        raise Refused(CurrencyDiffers(path="currency", currency=order.currency))
    if command.order_id not in (None, order.order_id):
        raise Refused(InvalidValue(path="order_id", reason="Cannot be changed once the order is made"))
    if command.multiple_authorizations not in (None, order.multiple_authorizations):
        reason = "Cannot be changed once the order is made"
        raise Refused(InvalidValue(path="multiple_authorizations", reason=reason))
    repriced = _repriced(order, command.items)
    if repriced:
        _refuse(_shut(order))
    lines = {**order.lines, **repriced}
    _refuse(changed_relation_faults(command.items, order.lines, lines, shown))
    _refuse(total_faults(lines, command.gross, command.net, ""))
    fact = Updated(
        fields=command.fields,
        items={item.line_id: _with_amounts(item.fields, repriced.get(item.line_id)) for item in command.items},
        lines=repriced,
        about=command.about(order.about),
        order_number=command.order_number or order.order_number,
    )
    return (fact,)


def _repriced(order: Order, items: tuple[ItemChange, ...]) -> dict[int, Line]:
    """Return the lines whose amounts differ after the changes; refuse those that have operations."""
    wrong: list[Refusal] = []
    repriced: dict[int, Line] = {}
    seen: set[int] = set()
    for index, item in enumerate(items):
        path = f"items[{index}]"
        line = order.lines.get(item.line_id)
        if line is None:
            wrong.append(UnknownLine(path=f"{path}.line_id", line_id=item.line_id))
            continue
        if item.line_id in seen:
            wrong.append(DuplicateLine(path=f"{path}.line_id", line_id=item.line_id))
        seen.add(item.line_id)
        priced = _priced_again(line, item)
        found = list(faults(priced, path))
        after = line_of(priced)
        if not found and after != line._replace(sums=NOTHING):
            if line.sums != NOTHING:
                found = [LineHasOperations(path=path, line_id=item.line_id)]
            repriced[item.line_id] = after
        wrong.extend(found)
    _refuse(wrong)
    return repriced


def _items(content: Content | None) -> Mapping[int, Frozen]:
    if content is None:
        raise AssertionError("lines are added and changed with what the order shows at hand")
    return content.items


def _priced_again(line: Line, item: ItemChange) -> PricedItem:
    kept = ((abs(line.manual_discount), True), (abs(line.discount - line.manual_discount), False))
    return PricedItem(
        line_id=item.line_id,
        gross=line.gross if item.gross is None else item.gross,
        discounts=kept if item.discounts is None else item.discounts,
        net=item.net,
        additions=item.additions,
        taxes=item.taxes,
    )


def _with_amounts(fields: Frozen, line: Line | None) -> Frozen:
    """Keep the amounts that an item shows in step with the line that the rules read."""
    if line is None:
        return fields
    return {**fields, "gross_amount": str(line.gross), "net_amount": str(line.net)}


def _lines(items: tuple[PricedItem, ...]) -> dict[int, Line]:
    return {item.line_id: line_of(item) for item in items}


def _shut(order: Order) -> list[Refusal]:
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


def _captured(order: Order) -> Iterator[Refusal]:
    for line_id, line in order.lines.items():
        if line.sums.captured != line.sums.refunded:
            yield OrderCaptured(line_id=line_id, captured=line.sums.captured, refunded=line.sums.refunded)


def _used(id: str, earlier: Earlier) -> list[Refusal]:  # noqa: A002 - the domain's word
    return [AlreadyUsed(path="id", id=id)] if id in earlier else []


def _full(held: int, limit: int) -> list[Refusal]:
    return [LimitReached(limit=limit)] if held >= limit else []


def _refuse(refusals: Iterator[Refusal] | list[Refusal]) -> None:
    found = tuple(refusals)
    if found:
        raise Refused(*found)
