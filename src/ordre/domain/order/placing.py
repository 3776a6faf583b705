"""Making an order, and changing what it is of: its lines, and what it shows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ordre.domain.lines import NOTHING, Line, PricedItem, faults, faults_of_all, line_of, size_faults, total_faults
from ordre.domain.money import DIGITS
from ordre.domain.order.conditions import LIMITS, Limits, refuse, shut
from ordre.domain.order.facts import Fact, LinesAdded, Placed, Replaced, Updated
from ordre.domain.order.order import Order
from ordre.domain.order.parts import About, AboutChange, Content, JsonFields
from ordre.domain.order.relations import changed_relation_faults, named, relation_faults
from ordre.domain.refusals import (
    CurrencyDiffers,
    DuplicateLine,
    InvalidValue,
    LineHasOperations,
    NoItems,
    OrderHasOperations,
    OrderIdTaken,
    Refusal,
    Refused,
    TooMany,
    UnknownCurrency,
    UnknownLine,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Make an order. ``content`` is complete; its items stand in the order of ``items``."""

    id: str
    order_id: str
    order_number: str | None
    currency: str
    multiple_authorizations: bool
    items: tuple[PricedItem, ...]
    content: Content
    about: About
    gross: int | None = None
    net: int | None = None
    draft_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replace:
    """Put a completed draft in the place of everything the order holds."""

    place: Place
    draft_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddLines:
    """Append the items of a completed draft."""

    currency: str
    items: tuple[PricedItem, ...]
    content: Mapping[int, JsonFields]
    item_store_ids: tuple[str, ...]
    draft_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemChange:
    """New values for one line. ``None`` leaves an amount as it is."""

    line_id: int
    fields: JsonFields
    gross: int | None = None
    net: int | None = None
    discounts: tuple[tuple[int, bool], ...] | None = None
    additions: tuple[int, ...] = ()
    taxes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """New values for fields and lines. ``None`` leaves what is named as it is; the value ``null`` takes a field away."""

    fields: JsonFields
    items: tuple[ItemChange, ...]
    about: AboutChange
    order_id: str | None = None
    order_number: str | None = None
    currency: str | None = None
    multiple_authorizations: bool | None = None
    gross: int | None = None
    net: int | None = None


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


def place(order: Order | None, command: Place, limits: Limits) -> tuple[Fact, ...]:
    """Refuse an order that adds up to something else than it says, or whose ``order_id`` is taken."""
    refuse(place_faults(command, limits))
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


def replace_all(order: Order, command: Replace, limits: Limits) -> tuple[Fact, ...]:
    """Refuse to replace an order with operations, or one that is not open."""
    refuse(shut(order))
    if order.operations:
        raise Refused(OrderHasOperations())
    place = command.place
    refuse(place_faults(place, limits))
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


def add_lines(order: Order, command: AddLines, limits: Limits, content: Content | None) -> tuple[Fact, ...]:
    """Refuse lines of another currency, lines that are there already, and any on an order that is not open."""
    shown = _items(content)
    refuse(shut(order))
    if command.currency != order.currency:
        raise Refused(CurrencyDiffers(path="currency", currency=order.currency))
    if not command.items:
        raise Refused(NoItems(path="items"))
    if len(order.lines) + len(command.items) > limits.lines:
        raise Refused(TooMany(path="items", limit=limits.lines))
    refuse(faults_of_all(command.items, order.lines, "items"))
    lines = _lines(command.items)
    after = {**order.lines, **lines}
    refuse(relation_faults(named(command.items, "items"), after, {**shown, **command.content}))
    refuse(size_faults(after.values(), "items"))
    return (LinesAdded(lines=lines, items=command.content, item_store_ids=command.item_store_ids, draft_id=command.draft_id),)


def update(order: Order, command: Update, content: Content | None) -> tuple[Fact, ...]:
    """Refuse what would change the amounts of a line that has operations, or of any on an order that is not open."""
    shown = _items(content)
    if command.currency not in (None, order.currency):
        raise Refused(CurrencyDiffers(path="currency", currency=order.currency))
    if command.order_id not in (None, order.order_id):
        raise Refused(InvalidValue(path="order_id", reason="Cannot be changed once the order is made"))
    if command.multiple_authorizations not in (None, order.multiple_authorizations):
        reason = "Cannot be changed once the order is made"
        raise Refused(InvalidValue(path="multiple_authorizations", reason=reason))
    repriced = _repriced(order, command.items)
    if repriced:
        refuse(shut(order))
    lines = {**order.lines, **repriced}
    refuse(changed_relation_faults(command.items, order.lines, lines, shown))
    refuse(total_faults(lines, command.gross, command.net, ""))
    fact = Updated(
        fields=command.fields,
        items={item.line_id: _with_amounts(item.fields, repriced.get(item.line_id)) for item in command.items},
        lines=repriced,
        about=replace(order.about, **command.about),
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
    refuse(wrong)
    return repriced


def _items(content: Content | None) -> Mapping[int, JsonFields]:
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


def _with_amounts(fields: JsonFields, line: Line | None) -> JsonFields:
    """Keep the amounts that an item shows in step with the line that the rules read."""
    if line is None:
        return fields
    return {**fields, "gross_amount": str(line.gross), "net_amount": str(line.net)}


def _lines(items: tuple[PricedItem, ...]) -> dict[int, Line]:
    return {item.line_id: line_of(item) for item in items}
