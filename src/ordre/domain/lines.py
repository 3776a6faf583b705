"""Order lines: what a line costs, checked against what was sent, and what the lines of an order add up to."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ordre.domain.money import MAX_AMOUNT, sign
from ordre.domain.refusals import (
    AdditionsExceedGross,
    AmountMismatch,
    AmountsTooLarge,
    DiscountExceedsGross,
    DuplicateLine,
    Refusal,
    TaxOutsideLine,
)


class Sums(NamedTuple):
    """The sums of the successful operations on one line, each with the line's sign."""

    authorized: int = 0
    captured: int = 0
    refunded: int = 0
    cancelled: int = 0


NOTHING = Sums()


class Line(NamedTuple):
    """A line as the rules read it: its amounts, and the sums of its operations."""

    gross: int
    discount: int
    """All discounts, on the line's side of zero: gross - discount = net."""
    manual_discount: int
    net: int
    sums: Sums = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedItem:
    """The amounts of an item as a client sent them. ``discounts`` are sizes, with whether each was given by hand."""

    line_id: int
    gross: int
    discounts: tuple[tuple[int, bool], ...] = ()
    net: int | None = None
    additions: tuple[int, ...] = ()
    taxes: tuple[int, ...] = ()


class Totals(NamedTuple):
    """The sums of the lines of an order."""

    gross: int
    net: int
    discount: int
    manual_discount: int


def line_of(item: PricedItem) -> Line:
    """Return the line that the item describes, unchecked."""
    side = sign(item.gross)
    discount = side * sum(size for size, _ in item.discounts)
    manual = side * sum(size for size, by_hand in item.discounts if by_hand)
    return Line(item.gross, discount, manual, item.gross - discount)


def faults(item: PricedItem, path: str) -> Iterator[Refusal]:
    """Yield what is wrong with the item's amounts: they are checked, not believed."""
    line = line_of(item)
    side, size = sign(item.gross), abs(item.gross)
    if sum(discount for discount, _ in item.discounts) > size:
        yield DiscountExceedsGross(path=f"{path}.discount_lines")
    elif item.net is not None and item.net != line.net:
        yield AmountMismatch(path=f"{path}.net_amount", sent=item.net, expected=line.net)
    if not 0 <= side * sum(item.additions) <= size:
        yield AdditionsExceedGross(path=f"{path}.additions")
    for index, tax in enumerate(item.taxes):
        if not 0 <= side * tax <= size or (side == 0 and tax):
            yield TaxOutsideLine(path=f"{path}.tax_lines[{index}].amount")


def faults_of_all(items: Iterable[PricedItem], taken: Iterable[int], path: str) -> Iterator[Refusal]:
    """Yield what is wrong with items that join the lines ``taken``: their amounts, and line ids that stand twice."""
    seen = set(taken)
    for index, item in enumerate(items):
        if item.line_id in seen:
            yield DuplicateLine(path=f"{path}[{index}].line_id", line_id=item.line_id)
        seen.add(item.line_id)
        yield from faults(item, f"{path}[{index}]")


def totals(lines: Iterable[Line]) -> Totals:
    """Add the lines up. Discounts are sizes: the reference has them at 0 or more, on a reversed order too."""
    gross = net = discount = manual = 0
    for line in lines:
        gross += line.gross
        net += line.net
        discount += line.discount
        manual += line.manual_discount
    return Totals(gross, net, abs(discount), abs(manual))


def size_faults(lines: Iterable[Line], path: str) -> Iterator[Refusal]:
    """Yield lines whose amounts are so large that a sum of some of them might not fit a limit that every single one keeps."""
    if sum(abs(line.gross) for line in lines) > MAX_AMOUNT:
        yield AmountsTooLarge(path=path, limit=MAX_AMOUNT)


def total_faults(lines: Mapping[int, Line], gross: int | None, net: int | None, path: str) -> Iterator[Refusal]:
    """Yield where totals that a client sent differ from what the lines add up to (M2), and lines too large to add up."""
    yield from size_faults(lines.values(), f"{path}items")
    expected = totals(lines.values())
    if gross is not None and gross != expected.gross:
        yield AmountMismatch(path=f"{path}gross_amount", sent=gross, expected=expected.gross)
    if net is not None and net != expected.net:
        yield AmountMismatch(path=f"{path}net_amount", sent=net, expected=expected.net)
