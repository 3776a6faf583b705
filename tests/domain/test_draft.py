"""Given a draft, when it is edited or completed, then a draft, orders or a refusal."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from given import folded, named, placing

from ordre.domain.draft import (
    Draft,
    DraftItem,
    DraftStatus,
    Names,
    Options,
    OrderIdStyle,
    Sketch,
    addition_from,
    completed,
    created,
    deleted,
    edited,
    not_taken_over,
    orders_from,
    parts,
    with_item,
    with_item_changed,
    without_item,
)
from ordre.domain.lines import PricedItem
from ordre.domain.order.decide import decide
from ordre.domain.order.parts import About, Moment
from ordre.domain.order.placing import AddLines, Replace
from ordre.domain.refusals import Refused

NOW = Moment(at=1, by="someone")
NAMES = [Names(id=f"o{number}", order_id=f"o{number}", order_number=None) for number in range(3)]


def one(line_id: int, gross: int = 100, store: str | None = None, **more: Any) -> DraftItem:
    return DraftItem(priced=PricedItem(line_id=line_id, gross=gross, **more), store_id=store, fields={})


def sketch(*items: DraftItem, **more: Any) -> Sketch:
    return Sketch(**{"currency": "NOK", "items": items, "fields": {}, "about": About(), **more})


def draft(*items: DraftItem, options: Options | None = None, **more: Any) -> Draft:
    return created("d", sketch(*items, **more), options or Options(), {}, NOW, 3)


def refusal(act: Callable[[], object]) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as caught:
        act()
    return named(caught.value)


@pytest.mark.parametrize(
    ("made", "then"),
    [
        (lambda: draft(currency="XXX"), [("unknown_currency", "order.currency")]),
        (lambda: draft(one(1), one(1)), [("duplicate_line", "order.items[1].line_id")]),
        (lambda: draft(one(1), one(2), one(3), one(4)), [("too_many", "order.items")]),
        (lambda: draft(one(1, net=99)), [("amount_mismatch", "order.items[0].net_amount")]),
        (lambda: draft(one(1), gross=99), [("amount_mismatch", "order.gross_amount")]),
        (lambda: draft(one(1), options=Options(split=True), order_id="x"), [("split_needs_no_order_id", "options.split_draft")]),
        (lambda: draft(one(1), options=Options(split=True, target="x")), [("split_needs_no_order_id", "options.split_draft")]),
        (lambda: with_item(draft(one(1)), one(1), 2, 3), [("duplicate_line", "line_id")]),
        (lambda: with_item(draft(one(1), one(2), one(3)), one(4), 2, 3), [("too_many", "order.items")]),
        (lambda: with_item_changed(draft(one(1)), 2, one(2), 2, 3), [("unknown_draft_line", "")]),
        (lambda: without_item(draft(one(1)), 2, 2), [("unknown_draft_line", "")]),
        (lambda: orders_from(draft(), NAMES[:1]), [("no_items", "order.items")]),
    ],
)
def test_refused(made: Callable[[], object], then: list[tuple[str, str]]) -> None:
    assert refusal(made) == then


@pytest.mark.parametrize("status", [DraftStatus.COMPLETED, DraftStatus.DELETED])
@pytest.mark.parametrize(
    "act",
    [
        lambda draft: edited(draft, draft.sketch, draft.options, {}, 2, 3),
        lambda draft: with_item(draft, one(2), 2, 3),
        lambda draft: with_item_changed(draft, 1, one(1), 2, 3),
        lambda draft: without_item(draft, 1, 2),
        lambda draft: orders_from(draft, NAMES[:1]),
        lambda draft: addition_from(draft, NAMES[0]),
    ],
)
def test_a_draft_that_is_not_open_does_not_change(status: DraftStatus, act: Callable[[Draft], object]) -> None:
    assert refusal(lambda: act(replace(draft(one(1)), status=status))) == [("draft_not_open", "")]


def test_each_edit_is_a_version() -> None:
    first = draft(one(1))
    second = with_item(first, one(2), 2, 3)
    third = with_item_changed(second, 2, one(2, 50), 3, 3)
    fourth = without_item(third, 1, 4)
    assert [each.version for each in (first, second, third, fourth)] == [1, 2, 3, 4]
    assert (fourth.totals.gross, fourth.updated_at) == (50, 4)


def test_deleting_twice_is_deleting_once() -> None:
    gone = deleted(draft(one(1)), NOW)
    assert (gone.status, gone.deleted) == (DraftStatus.DELETED, NOW)
    assert deleted(gone, Moment(at=9, by="other")) is gone
    assert refusal(lambda: deleted(replace(draft(one(1)), status=DraftStatus.COMPLETED), NOW)) == [("draft_not_open", "")]


def test_one_order_unless_split() -> None:
    (order,) = orders_from(draft(one(1, store="a"), one(2, store="b")), NAMES[:1])
    assert [item.line_id for item in order.items] == [1, 2]
    assert order.draft_id == "d"


def test_split_by_the_items_own_store_and_those_without_one_together() -> None:
    split = draft(one(1, store="a"), one(2), one(3, store="a"), options=Options(split=True), about=About(store_id="shop"))
    assert len(parts(split)) == 2
    first, second = orders_from(split, NAMES[:2])
    assert ([item.line_id for item in first.items], first.about.store_ids) == ([1, 3], ("shop", "a"))
    assert ([item.line_id for item in second.items], second.about.store_ids) == ([2], ("shop",))


def test_added_to_an_order_or_put_in_its_place() -> None:
    addition = addition_from(draft(one(2), options=Options(target="o")), NAMES[0])
    assert isinstance(addition, AddLines)
    assert addition.draft_id == "d"
    replacement = addition_from(draft(one(2), options=Options(target="o", replaces=True)), NAMES[0])
    assert isinstance(replacement, Replace)


def test_completed() -> None:
    order = folded(decide(None, placing(100), {}))
    assert order is not None
    done = completed(draft(one(1)), [order], 5)
    assert (done.status, done.orders, done.order_ids) == (DraftStatus.COMPLETED, ((order.id, 1),), (order.order_id,))
    assert (done.version, done.updated_at) == (2, 5)


def test_what_an_order_that_is_there_does_not_take_over() -> None:
    told: dict[str, Any] = {
        "fields": {"customer": "{}"},
        "order_id": "mine",
        "order_number": "7",
        "multiple_authorizations": True,
    }
    options = Options(target="o", generate_order_id=OrderIdStyle.ALPHANUMERIC_9, serial_suffix="")
    names = ("customer", "order_id", "order_number", "multiple_authorizations")
    lost = (*(f"order.{name}" for name in names), "options.generate_order_id", "options.serial_order_number_suffix")
    added = draft(one(2), options=options)
    everything = replace(added, sketch=replace(added.sketch, **told))
    assert not_taken_over(everything) == lost
    assert not_taken_over(replace(everything, options=replace(options, replaces=True))) == (lost[1], lost[4])
    assert not_taken_over(replace(everything, options=replace(options, target=None))) == ()
    assert not_taken_over(replace(added, options=Options(target="o"))) == ()
    assert not_taken_over(replace(everything, options=replace(options, target="mine")))[:2] == (lost[0], lost[2])
