"""A draft: freely editable until it is completed or deleted, and how it becomes one order, several, or part of one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from ordre.domain.lines import PricedItem, Totals, faults_of_all, line_of, total_faults, totals
from ordre.domain.money import DIGITS
from ordre.domain.order.order import Order
from ordre.domain.order.parts import About, Content, JsonFields, Moment
from ordre.domain.order.placing import AddLines, Place, Replace
from ordre.domain.order.relations import named, relation_faults
from ordre.domain.refusals import (
    DraftNotOpen,
    DuplicateLine,
    NoItems,
    Refusal,
    Refused,
    SplitNeedsNoOrderId,
    TooMany,
    UnknownCurrency,
    UnknownDraftLine,
)


class DraftStatus(StrEnum):
    OPEN = "open"
    COMPLETED = "completed"
    DELETED = "deleted"


class OrderIdStyle(StrEnum):
    """The style of an order id that is made for the client."""

    ALPHANUMERIC_9 = "ALPHANUMERIC_9"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of completing a draft. ``target`` is the order that it is added to, or replaces."""

    generate_order_id: OrderIdStyle | None = None
    target: str | None = None
    split: bool = False
    replaces: bool = False
    serial_suffix: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftItem:
    """One item: its amounts, its own store, and what it shows."""

    priced: PricedItem
    store_id: str | None
    fields: JsonFields


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """The order that a draft describes, so far."""

    currency: str
    items: tuple[DraftItem, ...] = ()
    fields: JsonFields
    about: About
    order_id: str | None = None
    order_number: str | None = None
    multiple_authorizations: bool = False
    gross: int | None = None
    net: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    id: str
    version: int
    status: DraftStatus
    sketch: Sketch
    options: Options
    shown_options: JsonFields
    created: Moment
    updated_at: int
    deleted: Moment | None = None
    orders: tuple[tuple[str, int], ...] = ()
    """The orders that completing it made or changed: id, and the version that it made."""
    order_ids: tuple[str, ...] = ()
    """The ``order_id`` of each; earlier versions of Ordre did not keep it."""

    @property
    def totals(self) -> Totals:
        """The sums of its items."""
        return totals(line_of(item.priced) for item in self.sketch.items)

    @property
    def order_name(self) -> str | None:
        """The name of the order that it is to be added to, or is to become; None where that is still to be drawn."""
        return self.options.target or self.sketch.order_id

    @property
    def expires_at(self) -> int | None:
        """When its time to live ends, in milliseconds; a completed draft goes with its order."""
        ttl = self.sketch.about.time_to_live
        return None if ttl is None or self.status is DraftStatus.COMPLETED else self.updated_at + ttl * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The names of a new order, drawn outside the domain."""

    id: str
    order_id: str
    order_number: str | None


def created(id: str, sketch: Sketch, options: Options, shown_options: JsonFields, moment: Moment, max_lines: int) -> Draft:  # noqa: A002 - the domain's word
    """Return a new draft, version 1.

    Raises:
        Refused: Its currency, amounts, line ids or options are wrong.
    """
    draft = Draft(
        id=id,
        version=1,
        status=DraftStatus.OPEN,
        sketch=sketch,
        options=options,
        shown_options=shown_options,
        created=moment,
        updated_at=moment.at,
    )
    return _checked(draft, max_lines, given_totals=True)


def edited(draft: Draft, sketch: Sketch, options: Options, shown_options: JsonFields, at: int, max_lines: int) -> Draft:
    """Return the draft with a new sketch and new options, one version on."""
    check_open(draft)
    after = replace(draft, version=draft.version + 1, sketch=sketch, options=options, shown_options=shown_options, updated_at=at)
    return _checked(after, max_lines, given_totals=True)


def with_item(draft: Draft, item: DraftItem, at: int, max_lines: int) -> Draft:
    """Return the draft with one more item, which carries the draft's new version."""
    check_open(draft)
    if item.priced.line_id in _line_ids(draft):
        raise Refused(DuplicateLine(path="line_id", line_id=item.priced.line_id))
    return _checked(_with_items(draft, (*draft.sketch.items, item), at), max_lines, given_totals=False)


def with_item_changed(draft: Draft, line_id: int, item: DraftItem, at: int, max_lines: int) -> Draft:
    """Return the draft with another item in the place of the line's."""
    check_open(draft)
    check_line(draft, line_id)
    items = tuple(item if old.priced.line_id == line_id else old for old in draft.sketch.items)
    return _checked(_with_items(draft, items, at), max_lines, given_totals=False)


def without_item(draft: Draft, line_id: int, at: int) -> Draft:
    """Return the draft without the line."""
    check_open(draft)
    check_line(draft, line_id)
    return _with_items(draft, tuple(item for item in draft.sketch.items if item.priced.line_id != line_id), at)


def deleted(draft: Draft, moment: Moment) -> Draft:
    """Return the draft as deleted; a deleted draft stays as it is."""
    if draft.status is DraftStatus.DELETED:
        return draft
    check_open(draft)
    return replace(draft, version=draft.version + 1, status=DraftStatus.DELETED, deleted=moment, updated_at=moment.at)


def completed(draft: Draft, orders: Sequence[Order], at: int) -> Draft:
    """Return the draft as completed into these orders."""
    return replace(
        draft,
        version=draft.version + 1,
        status=DraftStatus.COMPLETED,
        orders=tuple((order.id, order.version) for order in orders),
        order_ids=tuple(order.order_id for order in orders),
        updated_at=at,
    )


def check_open(draft: Draft) -> None:
    """Refuse what only an open draft takes."""
    if draft.status is not DraftStatus.OPEN:
        raise Refused(DraftNotOpen(status=draft.status.value))


def check_line(draft: Draft, line_id: int) -> None:
    """Refuse a line that the draft does not have."""
    if line_id not in _line_ids(draft):
        raise Refused(UnknownDraftLine(line_id=line_id))


def parts(draft: Draft) -> list[tuple[DraftItem, ...]]:
    """Return the items of each order that completing makes: split by the items' own store where the draft says so."""
    if not draft.options.split:
        return [draft.sketch.items]
    by_store: dict[str | None, list[DraftItem]] = {}
    for item in draft.sketch.items:
        by_store.setdefault(item.store_id, []).append(item)
    return [tuple(items) for items in by_store.values()]


def orders_from(draft: Draft, names: Sequence[Names]) -> list[Place]:
    """Return the orders that completing the draft makes, one for each of ``names``, which are as many as ``parts``."""
    check_open(draft)
    if not draft.sketch.items:
        raise Refused(NoItems(path="order.items"))
    _check_relations(draft)
    return [_place(draft, items, called) for items, called in zip(parts(draft), names, strict=True)]


def addition_from(draft: Draft, called: Names) -> AddLines | Replace:
    """Return the command for the order that the draft is added to or replaces."""
    check_open(draft)
    if draft.options.replaces:
        _check_relations(draft)
        return Replace(place=_place(draft, draft.sketch.items, called), draft_id=draft.id)
    sketch = draft.sketch
    return AddLines(
        currency=sketch.currency,
        items=tuple(item.priced for item in sketch.items),
        content=_shown(sketch.items),
        item_store_ids=_stores(sketch.items),
        draft_id=draft.id,
    )


def not_taken_over(draft: Draft) -> tuple[str, ...]:
    """Return the paths of what completing the draft leaves behind: of one that is added to an order, all but its items.

    An order that a draft replaces takes everything but a new id.
    """
    options, sketch = draft.options, draft.sketch
    if options.target is None:
        return ()
    left = [] if options.replaces else [f"order.{name}" for name in sketch.fields]
    left += ["order.order_id"] if sketch.order_id not in (None, options.target) else []
    if not options.replaces:
        left += ["order.order_number"] if sketch.order_number is not None else []
        left += ["order.multiple_authorizations"] if sketch.multiple_authorizations else []
    left += ["options.generate_order_id"] if options.generate_order_id is not None else []
    if not options.replaces:
        left += ["options.serial_order_number_suffix"] if options.serial_suffix is not None else []
    return tuple(left)


def _place(draft: Draft, items: tuple[DraftItem, ...], called: Names) -> Place:
    sketch = draft.sketch
    return Place(
        id=called.id,
        order_id=called.order_id,
        order_number=called.order_number,
        currency=sketch.currency,
        multiple_authorizations=sketch.multiple_authorizations,
        items=tuple(item.priced for item in items),
        content=Content(fields=sketch.fields, items=_shown(items)),
        about=replace(sketch.about, item_store_ids=_stores(items)),
        draft_id=draft.id,
    )


def _check_relations(draft: Draft) -> None:
    """Refuse items that say what is wrong of others of the draft: asked once it is complete, as it may be made in any order."""
    items = [item.priced for item in draft.sketch.items]
    lines = {item.line_id: line_of(item) for item in items}
    found = tuple(relation_faults(named(items, "order.items"), lines, _shown(draft.sketch.items)))
    if found:
        raise Refused(*found)


def _checked(draft: Draft, max_lines: int, *, given_totals: bool) -> Draft:
    found = tuple(_faults(draft, max_lines, given_totals=given_totals))
    if found:
        raise Refused(*found)
    return draft


def _faults(draft: Draft, max_lines: int, *, given_totals: bool) -> Iterator[Refusal]:
    sketch, options = draft.sketch, draft.options
    if sketch.currency not in DIGITS:
        yield UnknownCurrency(path="order.currency", currency=sketch.currency)
    if len(sketch.items) > max_lines:
        yield TooMany(path="order.items", limit=max_lines)
    if options.split and (options.target or sketch.order_id):
        yield SplitNeedsNoOrderId(path="options.split_draft")
    wrong = list(faults_of_all((item.priced for item in sketch.items), (), "order.items"))
    yield from wrong
    if given_totals and not wrong:
        lines = {item.priced.line_id: line_of(item.priced) for item in sketch.items}
        yield from total_faults(lines, sketch.gross, sketch.net, "order.")


def _with_items(draft: Draft, items: tuple[DraftItem, ...], at: int) -> Draft:
    sketch = replace(draft.sketch, items=items, gross=None, net=None)
    return replace(draft, version=draft.version + 1, sketch=sketch, updated_at=at)


def _line_ids(draft: Draft) -> set[int]:
    return {item.priced.line_id for item in draft.sketch.items}


def _stores(items: Sequence[DraftItem]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item.store_id for item in items if item.store_id is not None))


def _shown(items: Sequence[DraftItem]) -> Mapping[int, JsonFields]:
    return {item.priced.line_id: item.fields for item in items}
