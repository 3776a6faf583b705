"""What items say of one another: given an order, when lines are added or changed, then a reversal takes no more than there is."""

import json
from dataclasses import replace
from typing import Any

import pytest
from given import A, Given, placing, recording, updating

from ordre.domain.draft import DraftItem, Names, Options, Sketch, addition_from, created, orders_from
from ordre.domain.lines import PricedItem
from ordre.domain.order.decide import Command
from ordre.domain.order.parts import About, Content, JsonFields, Moment
from ordre.domain.order.placing import AddLines, ItemChange, Place
from ordre.domain.order.relations import Relation, relation_of
from ordre.domain.refusals import Refused

NOW = Moment(at=1, by="someone")


def says(line_id: int | None, type_: str | None = "reversed", reason: str | None = None) -> JsonFields:
    """What an item shows that says this of a line."""
    fields = {} if line_id is None else {"related_item": json.dumps({"line_id": line_id, "type": type_})}
    return {**fields, **({} if reason is None else {"reversed_reason": json.dumps(reason)})}


@pytest.mark.parametrize(
    ("fields", "relation"),
    [
        ({}, None),
        ({"related_item": "null"}, None),
        ({"related_item": "{}"}, None),
        ({"related_item": '{"type":"reversed"}'}, None),
        ({"related_item": '{"line_id":null,"type":"reversed"}'}, None),
        ({"reversed_reason": '"x"'}, None),
        ({"related_item": '{"line_id":1}'}, Relation(1, reverses=False)),
        ({"related_item": '{"line_id":1}', "reversed_reason": "null"}, Relation(1, reverses=False)),
        ({"related_item": '{"line_id":1}', "reversed_reason": '"x"'}, Relation(1, reverses=True)),
        ({"related_item": '{"line_id":1,"type":"reversed"}'}, Relation(1, reverses=True)),
        ({"related_item": '{"line_id":1,"type":"required"}', "reversed_reason": '"x"'}, Relation(1, reverses=False)),
    ],
)
def test_what_an_item_says(fields: JsonFields, relation: Relation | None) -> None:
    assert relation_of(fields) == relation


Line = tuple[int, int, JsonFields]
"""(line id, gross amount, what it shows)."""


def place(*lines: Line, **more: Any) -> Place:
    items = tuple(PricedItem(line_id=line_id, gross=gross, **more) for line_id, gross, _ in lines)
    return placing(items=items, content=Content(fields={}, items={line_id: shown for line_id, _, shown in lines}))


def add(*lines: Line, discount: int = 0) -> AddLines:
    items = tuple(PricedItem(line_id=line_id, gross=gross, discounts=((discount, False),)) for line_id, gross, _ in lines)
    shown = {line_id: fields for line_id, _, fields in lines}
    return AddLines(currency="NOK", items=items, content=shown, item_store_ids=())


ONE = place((1, 100, {}))
TAKEN = (ONE, add((2, -60, says(1))))


@pytest.mark.parametrize(
    ("given", "when"),
    [
        ((ONE,), add((2, -100, says(1)))),
        ((ONE,), add((2, -60, says(1)), (3, -40, says(1)))),
        ((ONE,), add((2, 0, says(1)))),
        (TAKEN, add((3, -40, says(1, None, "broken")))),
        (TAKEN, add((3, 60, says(2)))),
        ((place((1, -100, {})),), add((2, 100, says(1)))),
        ((place((1, 0, {})),), add((2, 0, says(1)))),
        # Its type is another, or it names no line: nothing is reversed.
        ((ONE,), add((2, 900, says(1, "required")))),
        ((ONE,), add((2, -900, says(1, "required", "why")))),
        ((ONE,), add((2, -900, says(None)))),
        ((ONE,), add((2, -900, says(None, reason="why")))),
        # A line of the same request, also a later one.
        ((ONE,), add((3, -5, says(2)), (2, 5, {}))),
        ((), place((1, 100, {}), (2, -100, says(1)))),
        ((), place((2, -100, says(1)), (1, 100, says(2, "required")))),
    ],
)
def test_taken(given: tuple[Command, ...], when: Command) -> None:
    assert Given(*given).do(when)


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        ((ONE,), add((2, 5, says(9, "required"))), [("unknown_line", "items[0].related_item.line_id")]),
        ((ONE,), add((2, 5, says(2, "required"))), [("invalid_value", "items[0].related_item.line_id")]),
        ((ONE,), add((2, -101, says(1))), [("exceeds_reversible", "items[0].gross_amount")]),
        ((ONE,), add((2, 1, says(1))), [("exceeds_reversible", "items[0].gross_amount")]),
        ((ONE,), add((2, -60, says(1)), (3, -41, says(1))), [("exceeds_reversible", "items[1].gross_amount")]),
        (
            (ONE,),
            add((2, -101, says(1)), (3, 5, says(9))),
            [("exceeds_reversible", "items[0].gross_amount"), ("unknown_line", "items[1].related_item.line_id")],
        ),
        (TAKEN, add((3, -41, says(1))), [("exceeds_reversible", "items[0].gross_amount")]),
        ((*TAKEN, add((3, -40, says(1)))), add((4, -1, says(1))), [("exceeds_reversible", "items[0].gross_amount")]),
        ((place((1, 0, {})),), add((2, -1, says(1))), [("exceeds_reversible", "items[0].gross_amount")]),
        ((place((1, -100, {})),), add((2, 101, says(1))), [("exceeds_reversible", "items[0].gross_amount")]),
        # What was discounted is not given back.
        (
            (place((1, 100, {}), discounts=((30, False),)),),
            add((2, -100, says(1))),
            [("exceeds_reversible", "items[0].net_amount")],
        ),
        (
            (place((1, 100, {}), discounts=((30, False),)),),
            add((2, -120, says(1)), discount=60),
            [("exceeds_reversible", "items[0].gross_amount")],
        ),
        ((), place((1, 100, {}), (2, -101, says(1))), [("exceeds_reversible", "items[1].gross_amount")]),
        ((), place((1, 100, says(7, "required"))), [("unknown_line", "items[0].related_item.line_id")]),
        # Precedence: amounts and line ids before relations.
        ((ONE,), add((1, 5, says(9))), [("duplicate_line", "items[0].line_id")]),
        # Two that are each within it, but not together with a third of before.
        (TAKEN, add((3, -30, says(1)), (4, -30, says(1))), [("exceeds_reversible", "items[1].gross_amount")]),
    ],
)
def test_refused(given: tuple[Command, ...], when: Command, then: list[tuple[str, str]]) -> None:
    assert Given(*given).refuses(when) == then


def test_what_is_left_is_said() -> None:
    with pytest.raises(Refused) as caught:
        Given(*TAKEN).do(add((3, -50, says(1))))
    (refusal,) = caught.value.refusals
    assert refusal.details() == {"line_id": 1, "amount": -50, "remaining": -40}
    assert refusal.message == "-50 is not between 0 and -40, which is what is left of line 1 to reverse"


def change(line_id: int, gross: int | None = None, **fields: str) -> ItemChange:
    return ItemChange(line_id=line_id, fields=fields, gross=gross)


@pytest.mark.parametrize(
    ("changes", "then"),
    [
        ([change(1, status='"packed"')], []),
        ([change(1, 60)], []),
        ([change(1, 59)], [("line_reversed", "items[0]")]),
        ([change(1, -100)], [("line_reversed", "items[0]")]),
        ([change(1, 50), change(2, -50)], []),
        ([change(2, -50), change(1, 49)], [("exceeds_reversible", "items[0].gross_amount"), ("line_reversed", "items[1]")]),
        ([change(2, -100)], []),
        ([change(2, -101)], [("exceeds_reversible", "items[0].gross_amount")]),
        ([change(2, related_item="null"), change(1, 5)], []),
        ([change(2, related_item='{"line_id":3}')], []),
        ([change(2, related_item='{"line_id":9}')], [("unknown_line", "items[0].related_item.line_id")]),
        ([change(2, related_item='{"line_id":3,"type":"reversed"}')], [("exceeds_reversible", "items[0].gross_amount")]),
        ([change(3, related_item='{"line_id":2,"type":"reversed"}')], []),
        ([change(3, related_item='{"line_id":1,"type":"reversed"}')], [("exceeds_reversible", "items[0].gross_amount")]),
    ],
)
def test_changed(changes: list[ItemChange], then: list[tuple[str, str]]) -> None:
    given = Given(*TAKEN, add((3, 10, {})))
    if then:
        assert given.refuses(updating(*changes)) == then
    else:
        given.do(updating(*changes))


def test_what_was_wrong_before_there_was_a_rule_stands_in_nobodys_way() -> None:
    given = Given(place((1, 100, {}), (2, -150, {}), (3, 10, {}), (4, 7, {})))
    assert given.content is not None
    wrong = {2: says(1), 3: says(99, "required"), 4: says(4)}
    given.content = replace(given.content, items={**given.content.items, **wrong})
    given.do(add((5, 1, {})))
    given.do(updating(*(ItemChange(line_id=line_id, fields={**fields, "status": '"x"'}) for line_id, fields in wrong.items())))
    given.do(updating(change(1, 120)))
    given.do(recording(A, (1, 120), (2, -150), (3, 10)))
    assert given.refuses(add((6, -1, says(1)))) == [("exceeds_reversible", "items[0].gross_amount")]
    given.do(updating(change(3, related_item="null")))


def drafted(*lines: Line, stores: tuple[str | None, ...] = (), **options: Any) -> Any:
    items = tuple(
        DraftItem(priced=PricedItem(line_id=line_id, gross=gross), store_id=store, fields=shown)
        for (line_id, gross, shown), store in zip(lines, stores or (None,) * len(lines), strict=True)
    )
    sketch = Sketch(currency="NOK", items=items, fields={}, about=About())
    return created("d", sketch, Options(**options), {}, NOW, 9)


NAMES = [Names(id=f"o{number}", order_id=f"o{number}", order_number=None) for number in range(2)]


def test_a_draft_is_checked_when_it_is_completed() -> None:
    wrong = drafted((1, 100, {}), (2, -101, says(1)), (3, 5, says(9)))
    with pytest.raises(Refused) as caught:
        orders_from(wrong, NAMES[:1])
    assert [(one.code, one.path) for one in caught.value.refusals] == [
        ("exceeds_reversible", "order.items[1].gross_amount"),
        ("unknown_line", "order.items[2].related_item.line_id"),
    ]
    with pytest.raises(Refused):
        addition_from(drafted((2, -1, says(1)), target="o", replaces=True), NAMES[0])
    assert isinstance(addition_from(drafted((2, -1, says(1)), target="o"), NAMES[0]), AddLines)


def test_lines_of_a_split_draft_may_name_each_other() -> None:
    both = drafted((1, 100, {}), (2, 5, says(1, "required")), stores=("a", "b"), split=True)
    assert [list(one.content.items) for one in orders_from(both, NAMES) if Given(one).order] == [[1], [2]]
