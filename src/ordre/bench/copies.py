"""Copies of model orders by the thousand, in processes of their own: as text, table by table."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from ordre.application.ids import uuid7
from ordre.bench.models import models
from ordre.bench.stamps import FEED, Copy, Person, Stamp
from ordre.bootstrap import end_at_ctrl_c

CHUNK = 1_000
"""Orders that are made at a time."""
_FIRST_NAMES = (
    "Nora Jakob Emma Noah Ella Emil Maja Lucas Olivia Oskar Sofie Oliver Ada Filip Ingrid Isak Sara Liam Anna Axel Leah Magnus"
    " Ida Elias Frida Henrik Astrid William Selma Mathias Åse Øyvind Bjørn Kåre Tuva Jonas Live Sander Hedda Kasper Amalie Theo"
)
_LAST_NAMES = (
    "Hansen Johansen Olsen Larsen Andersen Pedersen Nilsen Kristiansen Jensen Karlsen Johnsen Pettersen Eriksen Berg Haugen Hagen"
    " Johannessen Andreassen Jacobsen Dahl Jørgensen Halvorsen Henriksen Lund Sørensen Jakobsen Moen Gundersen Iversen Strand"
    " Solberg Svendsen Eide Knutsen Martinsen Paulsen Bakken Mathisen Lie Amundsen Nguyen Rasmussen Ali Lunde Solheim"
    " Kristensen Bøe Fredriksen Holm Næss Tangen Ødegård Vik"
)
_FIRST, _LAST = tuple(_FIRST_NAMES.split()), tuple(_LAST_NAMES.split())
_PLAIN = str.maketrans("åæøÅÆØ", "aaoAAO")
_CUSTOMERS_AN_ORDER = 0.3
_SPAN = 3 * 365 * 86_400_000
"""Over how many milliseconds the orders were made; more and more of them, as trade grows."""
_SETTLED = 4 * 86_400_000
"""Between the newest order and now: whatever happened to it has happened by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The orders of an account that are to be made: how many, until when, and of how many models they are copies."""

    account_id: str
    client_id: str
    orders: int
    now: int
    models: int

    def of_one_model(self) -> "Wanted":
        """Return the same, of one model alone."""
        return replace(self, models=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """The rows of some orders, as text by table, and how many facts are among them. ``entries`` are lines for the feed."""

    tables: dict[str, bytes]
    orders: int
    facts: int
    entries: list[str]


class Copier:
    """Makes copies. Which order is a copy of which model follows from its number."""

    def __init__(self, wanted: Wanted, seed: int) -> None:
        self._wanted = wanted
        made = asyncio.run(models(wanted.account_id, wanted.client_id, wanted.models, seed))
        self._stamps = [Stamp(one, wanted.account_id, uuid7) for one in made]
        self.columns = self._stamps[0].columns

    def chunk(self, start: int) -> Chunk:
        """Return the orders from this number on."""
        chance, wanted = random.Random(start), self._wanted  # noqa: S311 - it draws examples
        into: dict[str, list[str]] = {name: [] for name in (*self.columns, FEED)}
        facts = 0
        numbers = range(start, min(start + CHUNK, wanted.orders))
        for number in numbers:
            stamp = self._stamps[int(chance.random() * len(self._stamps))]
            stamp.copied(self._copy(number, chance), into)
            facts += stamp.facts
        entries = into.pop(FEED)
        texts = {name: "".join(rows).encode() for name, rows in into.items()}
        return Chunk(tables=texts, orders=len(numbers), facts=facts, entries=entries)

    def _copy(self, number: int, chance: random.Random) -> Copy:
        wanted = self._wanted
        at = instant_of(number, wanted.orders, wanted.now)
        customers = max(int(wanted.orders * _CUSTOMERS_AN_ORDER), 10)
        return Copy(
            id=uuid7(at, number % 1_000_000),
            order=f"shop-{number}",
            number=f"{1_000_000 + number}",
            payment=f"pid-{number * 7919 % 10**9:09d}",
            at=at,
            person=person(int(customers * chance.random() ** 2)),
        )


def instant_of(number: int, orders: int, now: int) -> int:
    """Return when an order was placed, by its number among all of them."""
    return now - _SETTLED - _SPAN + int(_SPAN * (number / orders) ** 0.7)


@lru_cache(maxsize=50_000)
def person(number: int) -> Person:
    """Return a customer by his number; some names are more common than others."""
    chance = random.Random(number)  # noqa: S311 - it draws examples
    first, last = _FIRST[int(len(_FIRST) * chance.random() ** 2)], _LAST[int(len(_LAST) * chance.random() ** 2)]
    mail = f"{first}{last}{number}".translate(_PLAIN).lower()
    return Person(customer=f"c-{number}", first=first, last=last, mail=mail, phone=f"4{number * 104_729 % 10**7:07d}")


_own: list[Copier] = []
"""Of a process that makes copies."""


def begin(wanted: Wanted) -> None:
    """Make the models in a process that then makes copies."""
    end_at_ctrl_c()
    _own[:] = [Copier(wanted, seed=0)]


def made_here(start: int) -> Chunk:
    """Return a chunk, in such a process."""
    return _own[0].chunk(start)


def starts(orders: int) -> Sequence[int]:
    """Return where each chunk begins."""
    return range(0, orders, CHUNK)
