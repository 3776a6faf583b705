"""A database under measurement, with the server on it, and what scenarios need there: accounts, and orders that are paid."""

from dataclasses import dataclass, field
from functools import partial

from ordre.api.wire.common import instant
from ordre.bench.asking import first_id, new_shop
from ordre.bench.copies import instant_of
from ordre.bench.databases import Database, Facts, nonce
from ordre.bench.fill import Told, fill
from ordre.bench.filling import long_orders
from ordre.bench.loads import Generators, Served
from ordre.bench.options import Options
from ordre.bench.requests import Cycle, Script, Shop, new_name
from ordre.bench.servers import Server

_PREPARING = 16
"""Clients that make what a scenario needs."""
_PAID_EACH = 5
"""Orders that are authorized, for each of the most clients."""
_LISTED = 40
_CLIENTS_OF_AN_ACCOUNT = 64
"""That ask for lists at once: a server lets 100 of one account wait, and refuses more."""
_LONG = 4
"""Orders of a length, at least: one for each client."""
_SHORT_FACTS = 4_000
"""Of all orders of one length together, at least: short ones would get long while they are measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """An account that was filled with so many orders until ``now``, and the orders half way down its list and at its end."""

    shop: Shop
    orders: int
    now: int
    half: str
    oldest: str


@dataclass(slots=True)
class Site:
    """A database and its server. What scenarios share is made when it is first asked for."""

    database: Database
    facts: Facts
    server: Server
    generators: Generators
    options: Options
    told: Told
    prefix: str = field(default_factory=nonce)
    _made: dict[str, list[Shop]] = field(default_factory=dict)
    _paid: tuple[bytes, ...] = ()
    _long: dict[int, tuple[bytes, ...]] = field(default_factory=dict)
    _filled: dict[int, Stock] = field(default_factory=dict)
    _numbers: int = 0

    @property
    def served(self) -> Served:
        """Where loads are sent, and what is measured there."""
        return Served(port=self.server.port, server=self.server.pid, database=self.facts.lead)

    @property
    def shop(self) -> Shop:
        """The account of most scenarios."""
        return self.shops("all", 1)[0]

    def shops(self, purpose: str, number: int) -> list[Shop]:
        """Return so many accounts that are for one purpose alone."""
        if purpose not in self._made:
            self._made[purpose] = self.database.new_shops(number, self.server.port)
        return self._made[purpose]

    def new_prefix(self) -> str:
        """Return how the names of new orders begin that no other client makes."""
        self._numbers += 1
        return f"{self.prefix}{self._numbers:06x}"

    def scripts(self, cycles: tuple[Cycle, ...], clients: int, most: int | None = None) -> list[Script]:
        """Return a script for each of so many clients."""
        return [Script(cycles=cycles, prefix=self.new_prefix(), most=most) for _ in range(clients)]

    def paid(self) -> tuple[bytes, ...]:
        """Return the names of orders that are authorized."""
        if not self._paid:
            self._paid = self.authorized(self.shop, _PREPARING, -(-max(self.options.clients) * _PAID_EACH // _PREPARING))
        return self._paid

    def authorized(self, shop: Shop, clients: int, each: int) -> tuple[bytes, ...]:
        """Make orders of an account and authorize them; return their names."""
        lines = self.options.lines
        scripts = self.scripts((Cycle(requests=(shop.create(lines), shop.authorize(lines))),), clients, each)
        self.generators.finish(self.served, scripts)
        return tuple(new_name(one.prefix, number) for number in range(each) for one in scripts)

    def listed(self) -> list[Shop]:
        """Return accounts of few orders each, whose lists are always the same: one for so many clients as one is served."""
        is_new = "list" not in self._made
        shops = self.shops("list", -(-max(self.options.clients) // _CLIENTS_OF_AN_ACCOUNT))
        for shop in shops if is_new else ():
            self.authorized(shop, _PREPARING, -(-_LISTED // _PREPARING))
        return shops

    def long(self, facts: int) -> tuple[bytes, ...]:
        """Return the names of orders that have so many facts."""
        if facts not in self._long:
            make = partial(long_orders, self.database.settings, self.shop, self.new_prefix())
            self._long[facts] = make(facts, max(_LONG, _SHORT_FACTS // facts), self.options.lines)
        return self._long[facts]

    def stock(self, orders: int) -> Stock:
        """Return an account of so many orders."""
        if orders not in self._filled:
            made, port = fill(self.database, orders, self.told), self.server.port
            shop = new_shop(port, made.account_id, made.client_id, made.secret)
            half, oldest = (instant(instant_of(number, orders, made.now)) for number in (orders // 2, min(30, orders - 1)))
            self._filled[orders] = Stock(
                shop=shop,
                orders=orders,
                now=made.now,
                half=first_id(port, shop, **{"created_at.lte": half}),
                oldest=first_id(port, shop, **{"created_at.lte": oldest}),
            )
        return self._filled[orders]
