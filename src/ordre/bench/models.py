"""Model orders: of few articles or many, in every state, as skewed as those of real shops. Many others are copies of each.

A model is made by the code that serves requests. What each copy has of its own stands in it as a mark: names, people, instants.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from ordre.bench.maker import Maker
from ordre.db.batch import Rows
from ordre.domain.ledger import Kind
from ordre.domain.order.lifecycle import Cancel, Close
from ordre.domain.order.parts import Reason

MARK = "qzmark"
"""Begins every mark; no article or address holds it."""
START = 1_000_000_000_000
"""The instant at which every model is made, in milliseconds; what happens later is so much later in its copies, too."""
ID = "00e8d4a5-1000-7000-8000-000000000000"
PHONE = "99887766554"
ORDER, NUMBER, CUSTOMER, MAIL, PAYMENT = (f"{MARK}{name}" for name in ("order", "number", "customer", "mail", "payment"))
FIRST, LAST = "Qzmarkfirst", "Qzmarklast"
STORES = ("Web", "City", "Harbour", "Airport", "Station", "Market", "Outlet", "Fjord")
_STORE_WEIGHTS = (60, 15, 9, 6, 4, 3, 2, 1)
_CURRENCIES = ("NOK", "SEK", "EUR", "DKK")
_CURRENCY_WEIGHTS = (70, 15, 10, 5)
_TOWNS = ("Oslo", "Bergen", "Trondheim", "Stavanger", "Drammen", "Skien", "Moss", "Halden")
_THINGS = (
    "chair",
    "table",
    "lamp",
    "rug",
    "shelf",
    "sofa",
    "mirror",
    "vase",
    "plate",
    "cup",
    "knife",
    "towel",
    "curtain",
    "desk",
)
_KINDS = ("oak", "garden", "reading", "wool", "kitchen", "steel", "glass", "linen", "child's", "folding", "antique", "white")
_CHANNELS = ("web", "pos", "app", "phone")
_MINUTE, _HOUR = 60_000, 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """The rows of one order, the instants in them, and the ids that were made for what was recorded on it."""

    rows: Rows
    instants: tuple[int, ...]
    ids: tuple[str, ...]


class _Story:
    """One order from its placing on: what happens to it, at which instants."""

    def __init__(self, maker: Maker, chance: random.Random) -> None:
        self.maker, self.chance = maker, chance
        self.instants = [START]
        self._ids = (f"00e8d4a5-1001-7000-8000-{number:012x}" for number in count(1))
        self.ids: list[str] = []
        self.lines: dict[int, int] = {}

    def later(self, most: int) -> int:
        """Return an instant after the last one: soon as a rule, ``most`` milliseconds later at most."""
        self.instants.append(self.instants[-1] + 1 + int(most * self.chance.random() ** 3))
        return self.instants[-1]

    def new_id(self) -> str:
        """Return the id of something that is recorded."""
        self.ids.append(next(self._ids))
        return self.ids[-1]

    async def place(self) -> None:
        """Make the order: one article or two as a rule, now and then dozens."""
        chance = self.chance
        lines = min(1 + int(chance.paretovariate(1.5) - 0.5), 40)
        items = [_item(chance, line) for line in range(1, lines + 1)]
        self.lines = {item["line_id"]: item["gross_amount"] for item in items}
        body = _order(chance, items)
        await self.maker.place(body, START, ID)

    async def record(self, kind: Kind, lines: dict[int, int], most: int) -> None:
        """Record a payment operation."""
        body = {
            "items": [{"line_id": line, "amount": amount} for line, amount in lines.items()],
            "payment_details": {"payment_id": PAYMENT, "psp": "Example Pay", "card": {"brand": "Visa", "type": "Credit"}},
        }
        await self.maker.record(ORDER, kind, body, self.later(most), self.new_id())

    async def pay(self) -> None:
        """Authorize and capture all of it."""
        await self.record(Kind.AUTHORIZATION, self.lines, _MINUTE)
        await self.record(Kind.CAPTURE, self.lines, 30 * _HOUR)

    async def close(self) -> None:
        """Close it."""
        await self.maker.do(ORDER, "close", {}, Close(), self.later(_HOUR))

    async def cancel(self) -> None:
        """Cancel it."""
        body = {"cancelled_reason": "customer"}
        await self.maker.do(ORDER, "cancel", body, Cancel(reason=Reason.CUSTOMER), self.later(8 * _HOUR))

    async def report(self) -> None:
        """Let the warehouse say that it was sent."""
        body = {"service": "warehouse", "service_status": "sent", "state": "success"}
        await self.maker.report(ORDER, body, self.later(10 * _HOUR), self.new_id())


async def _sold(story: _Story) -> None:
    await story.pay()
    await story.close()


async def _sent(story: _Story) -> None:
    await story.record(Kind.AUTHORIZATION, story.lines, _MINUTE)
    await story.report()
    await story.record(Kind.CAPTURE, story.lines, 10 * _HOUR)
    await story.close()


async def _refunded(story: _Story) -> None:
    await story.pay()
    await story.record(Kind.REFUND, {1: story.lines[1]}, 40 * _HOUR)
    await story.close()


async def _in_part(story: _Story) -> None:
    await story.record(Kind.AUTHORIZATION, story.lines, _MINUTE)
    await story.record(Kind.CAPTURE, {1: story.lines[1]}, 20 * _HOUR)


async def _authorized(story: _Story) -> None:
    await story.record(Kind.AUTHORIZATION, story.lines, _MINUTE)


async def _called_off(story: _Story) -> None:
    await story.record(Kind.AUTHORIZATION, story.lines, _MINUTE)
    await story.record(Kind.CANCELLATION, story.lines, 5 * _HOUR)
    await story.cancel()


async def _waiting(story: _Story) -> None:
    """Nothing happens yet."""


_STORIES: tuple[tuple[Callable[[_Story], Any], int], ...] = (
    (_sold, 50),
    (_sent, 20),
    (_refunded, 8),
    (_authorized, 8),
    (_called_off, 6),
    (_in_part, 4),
    (_waiting, 4),
)


async def models(account_id: str, client_id: str, number: int, seed: int) -> list[Model]:
    """Make so many models of an account's orders; which they are follows from the seed."""
    chance = random.Random(seed)  # noqa: S311 - it draws examples
    maker = Maker(account_id, client_id)
    found = []
    for told in chance.choices([one for one, _ in _STORIES], [weight for _, weight in _STORIES], k=number):
        story = _Story(maker, chance)
        await story.place()
        await told(story)
        found.append(Model(rows=maker.rows(), instants=tuple(story.instants), ids=tuple(story.ids)))
    return found


def _order(chance: random.Random, items: list[dict[str, Any]]) -> dict[str, Any]:
    place = chance.choices(range(len(STORES)), _STORE_WEIGHTS)[0]
    address = {"address_line": f"Storgata {chance.randrange(1, 200)}", "postal_place": chance.choice(_TOWNS), "country": "NO"}
    return {
        "order_id": ORDER,
        "order_number": NUMBER,
        "currency": chance.choices(_CURRENCIES, _CURRENCY_WEIGHTS)[0],
        "customer": {
            "id": CUSTOMER,
            "first_name": FIRST,
            "last_name": LAST,
            "email": f"{MAIL}@example.com",
            "phone_number": PHONE,
        },
        "shipping_address": {"first_name": FIRST, "last_name": LAST, **address},
        "store": {"id": f"SL{place:02d}", "name": STORES[place]},
        "items": items,
        "metadata": {"channel": chance.choices(_CHANNELS, (70, 20, 8, 2))[0]},
    }


def _item(chance: random.Random, line: int) -> dict[str, Any]:
    article = int(chance.paretovariate(1.1)) % 3_000
    quantity = 1 if chance.random() < 0.8 else chance.randrange(2, 6)  # noqa: PLR2004 - four of five
    gross = (49 + article * 7919 % 1_950) * 100 * quantity
    return {
        "id": f"A-{article}",
        "line_id": line,
        "quantity": quantity,
        "gross_amount": gross,
        "tax_lines": [{"amount": gross // 5, "percentage": 25, "included_in_price": True}],
        "description": f"{_KINDS[article % len(_KINDS)]} {_THINGS[article % len(_THINGS)]}",
    }


def marks() -> Iterator[str]:
    """Yield every mark but for those of instants and ids, the longest first."""
    yield from sorted((ORDER, NUMBER, CUSTOMER, MAIL, PAYMENT, FIRST, LAST, FIRST.lower(), LAST.lower()), key=len, reverse=True)
