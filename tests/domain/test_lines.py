from typing import Any

import pytest

from ordre.domain.lines import Line, PricedItem, faults, faults_of_all, line_of, total_faults, totals


def priced(gross: int, **more: Any) -> PricedItem:
    return PricedItem(line_id=1, gross=gross, **more)


@pytest.mark.parametrize(
    ("item", "line"),
    [
        (priced(39800), Line(39800, 0, 0, 39800)),
        (priced(39800, discounts=((1000, False), (800, True))), Line(39800, 1800, 800, 38000)),
        (priced(-39800, discounts=((1000, True),)), Line(-39800, -1000, -1000, -38800)),
        (priced(100, discounts=((100, False),)), Line(100, 100, 0, 0)),
        (priced(0), Line(0, 0, 0, 0)),
    ],
)
def test_net_is_gross_less_discounts_on_the_lines_side_of_zero(item: PricedItem, line: Line) -> None:
    assert line_of(item) == line
    assert not list(faults(item, "items[0]"))


@pytest.mark.parametrize(
    ("item", "code", "path"),
    [
        (priced(100, discounts=((101, False),)), "discount_exceeds_gross", "i.discount_lines"),
        (priced(0, discounts=((1, False),)), "discount_exceeds_gross", "i.discount_lines"),
        (priced(100, net=99), "amount_mismatch", "i.net_amount"),
        (priced(-100, net=100), "amount_mismatch", "i.net_amount"),
        (priced(100, additions=(60, 41)), "additions_exceed_gross", "i.additions"),
        (priced(100, additions=(-1,)), "additions_exceed_gross", "i.additions"),
        (priced(-100, additions=(-60, -41)), "additions_exceed_gross", "i.additions"),
        (priced(100, taxes=(20, 101)), "tax_outside_line", "i.tax_lines[1].amount"),
        (priced(-100, taxes=(20,)), "tax_outside_line", "i.tax_lines[0].amount"),
        (priced(0, taxes=(1,)), "tax_outside_line", "i.tax_lines[0].amount"),
    ],
)
def test_amounts_are_checked_not_believed(item: PricedItem, code: str, path: str) -> None:
    assert [(fault.code, fault.path) for fault in faults(item, "i")] == [(code, path)]


def test_tax_lines_are_recorded_as_sent_within_the_line() -> None:
    assert not list(faults(priced(100, taxes=(0, 20, 100)), "i"))
    assert not list(faults(priced(-100, taxes=(0, -20, -100)), "i"))


def test_every_item_at_fault_is_named() -> None:
    items = [PricedItem(line_id=1, gross=10, net=9), PricedItem(line_id=1, gross=10), PricedItem(line_id=7, gross=1)]
    found = [(fault.code, fault.path) for fault in faults_of_all(items, {7}, "items")]
    assert found == [
        ("amount_mismatch", "items[0].net_amount"),
        ("duplicate_line", "items[1].line_id"),
        ("duplicate_line", "items[2].line_id"),
    ]


def test_totals_are_sums_and_discounts_are_sizes() -> None:
    assert totals([Line(100, 10, 5, 90), Line(-100, -10, -5, -90)]) == (0, 0, 0, 0)
    assert totals([Line(-100, -10, -5, -90)]) == (-100, -90, 10, 5)
    assert totals([]) == (0, 0, 0, 0)


def test_totals_that_differ_are_named_with_both_values() -> None:
    found = list(total_faults({1: Line(100, 10, 0, 90)}, 101, 89, "order."))
    assert [(fault.path, fault.details()) for fault in found] == [
        ("order.gross_amount", {"sent": 101, "expected": 100}),
        ("order.net_amount", {"sent": 89, "expected": 90}),
    ]
