"""M1 to M5 on thousands of orders: the rules accept exactly what plain arithmetic allows, whatever the lines and the currency."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable

import pytest
from given import Given, placing, recording

from lanes import Effort
from ordre.domain.ledger import Kind, remains_on
from ordre.domain.lines import PricedItem, totals
from ordre.domain.money import DIGITS, MAX_AMOUNT, share_out
from ordre.domain.order.parts import Content
from ordre.domain.order.placing import Place
from ordre.domain.refusals import Refused

CURRENCIES = {0: "JPY", 2: "NOK", 3: "KWD"}
ORDERS = 1_000
OPERATIONS = 25


def drawn_order(drawn: random.Random, currency: str) -> Place:
    """An order of up to forty lines, some of them reversed, discounted away, or as large as amounts get."""
    items = []
    for line_id in drawn.sample(range(1, 1000), drawn.choice((1, 2, 3, 5, 40))):
        largest = drawn.choice((3, 1_000, 10**7, MAX_AMOUNT // 50))
        gross = drawn.choice((1, 1, 1, -1)) * drawn.randint(0, largest)
        discount = drawn.choice((0, 0, abs(gross) // 3, abs(gross)))
        items.append(PricedItem(line_id=line_id, gross=gross, discounts=((discount, drawn.random() < 0.5),)))
    content = Content(fields={}, items={item.line_id: {} for item in items})
    return placing(currency=currency, items=tuple(items), content=content, multiple=drawn.random() < 0.5)


class Books:
    """What was recorded, kept a second time: plain sums, by line, and by line and authorization."""

    def __init__(self, place: Place) -> None:
        self.multiple = place.multiple_authorizations
        self.net = {
            item.line_id: item.gross - (1 if item.gross > 0 else -1) * sum(size for size, _ in item.discounts)
            for item in place.items
        }
        self.sums: dict[tuple[int, str, Kind], int] = defaultdict(int)

    def takes(self, kind: Kind, items: dict[int, int], inside: str) -> bool:
        return all(amount != 0 and self._takes(kind, line, amount, inside) for line, amount in items.items())

    def _takes(self, kind: Kind, line: int, amount: int, inside: str) -> bool:
        if kind is Kind.AUTHORIZATION and not self.multiple and self.live(line):
            return False
        places = ["", inside] if self.multiple else [""]
        return all(self._holds(line, place, kind, amount) for place in places)

    def live(self, line: int) -> int:
        authorized, captured, _, cancelled = (self.sums[line, "", kind] for kind in Kind)
        return authorized - captured - cancelled

    def _holds(self, line: int, place: str, kind: Kind, amount: int) -> bool:
        side = 1 if self.net[line] > 0 else -1 if self.net[line] < 0 else 0
        a, c, r, x = (side * (self.sums[line, place, one] + (amount if one is kind else 0)) for one in Kind)
        return side != 0 and side * amount > 0 and 0 <= r <= c and x >= 0 and c + x <= a <= side * self.net[line] + x

    def put(self, kind: Kind, items: dict[int, int], inside: str) -> None:
        for line, amount in items.items():
            for place in {"", inside}:
                self.sums[line, place, kind] += amount


def drawn_amounts(drawn: random.Random, books: Books) -> dict[int, int]:
    """Amounts on some lines: all, what is live, about half, a share of a sum that they divide, one too many, the wrong side."""
    lines = drawn.sample(sorted(books.net), drawn.randint(1, min(4, len(books.net))))
    how = drawn.choice(("all", "half", "part", "part", "shared", "more", "wrong side", "tiny", "tiny", "live"))
    net = books.net
    if how == "shared" and (weights := [abs(net[line]) for line in lines]) and any(weights):
        shares = share_out(sum(weights) // 2, weights)
        return {line: share * (1 if net[line] >= 0 else -1) for line, share in zip(lines, shares, strict=True)}
    parts: dict[str, Callable[[int], int]] = {
        "all": lambda value: value,
        "half": lambda value: value // 2,
        "part": lambda value: value // drawn.randint(3, 9),
        "more": lambda value: value + (1 if value > 0 else -1),
        "wrong side": lambda value: -value,
        "tiny": lambda value: 1 if value >= 0 else -1,
        "shared": lambda value: value,
    }
    if how == "live":
        return {line: books.live(line) for line in lines}
    amount = parts[how]
    return {line: amount(net[line]) for line in lines}


@pytest.mark.slow
@pytest.mark.deep
@pytest.mark.parametrize("digits", CURRENCIES)
def test_exactly_what_fits_is_accepted(digits: int, effort: Effort, record_property: Callable[[str, object], None]) -> None:
    assert DIGITS[CURRENCIES[digits]] == digits
    counted = Counter[str]()
    for seed in effort.rounds():
        counted += recorded(CURRENCIES[digits], random.Random(f"{digits} {seed}"))
    for what in ("orders", "operations", "authorizations after a voided one"):
        record_property(what, counted[what])
    assert min(counted["accepted"], counted["refused"]) > 2 * counted["orders"]
    assert counted["authorizations after a voided one"] > counted["orders"] // 20


def recorded(currency: str, drawn: random.Random) -> Counter[str]:
    """Many orders with many operations each; what was counted."""
    accepted, refused, again = 0, 0, 0
    for _ in range(ORDERS):
        place = drawn_order(drawn, currency)
        given, books = Given(place), Books(place)
        authorizations: list[str] = []
        for number in range(OPERATIONS):
            kind = drawn.choice((*Kind, Kind.AUTHORIZATION)) if authorizations else Kind.AUTHORIZATION
            id_, items = f"op{number}", drawn_amounts(drawn, books)
            inside = id_ if kind is Kind.AUTHORIZATION else drawn.choice(authorizations)
            named = inside if books.multiple and kind is not Kind.AUTHORIZATION else None
            fits = books.takes(kind, items, inside)
            try:
                given.do(recording(kind, *items.items(), id_=id_, inside=named))
            except Refused:
                refused += 1
                assert not fits, (place, kind, items)
                continue
            accepted += 1
            again += kind is Kind.AUTHORIZATION and all(books.sums[line, "", Kind.CANCELLATION] for line in items)
            assert fits, (place, kind, items)
            books.put(kind, items, inside)
            authorizations += [id_] if kind is Kind.AUTHORIZATION else []
        check(given, books)
    return Counter(
        {
            "orders": ORDERS,
            "operations": accepted + refused,
            "accepted": accepted,
            "refused": refused,
            "authorizations after a voided one": again,
        }
    )


def check(given: Given, books: Books) -> None:
    order = given.order
    assert order is not None
    lines = order.lines
    assert {line_id: line.net for line_id, line in lines.items()} == books.net
    assert {line_id: tuple(line.sums) for line_id, line in lines.items()} == {
        line_id: tuple(books.sums[line_id, "", kind] for kind in Kind) for line_id in lines
    }
    for authorization, inside in order.within.items():
        for line_id, sums in inside.items():
            assert tuple(sums) == tuple(books.sums[line_id, authorization, kind] for kind in Kind)
    assert totals(lines.values()).net == sum(books.net.values())
    captured = sum(books.sums[line_id, "", Kind.CAPTURE] for line_id in lines)
    assert sum(remains_on(line).due for line in lines.values()) == sum(books.net.values()) - captured
    assert all(type(value) is int for line in lines.values() for value in (*line[:4], *line.sums))
