"""The scenarios: what clients do, how many of them, and what is counted as one."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from ordre.bench.lists import queries
from ordre.bench.options import Options
from ordre.bench.requests import Cycle, Request, Script
from ordre.bench.sites import Site

_LIFE_CYCLE = 6
_CLIENTS_OF_LONG = 4
_LISTS_TIMES = 3.0
"""There are many kinds of lists, one after the other, and a client alone."""
_PART = 10_000
"""Of a line of ``PRICE``, in minor units: captured in a life cycle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing to be measured. So many ``calls`` count as one. ``makes``: it makes orders, whose bytes on disk are measured.

    ``facts`` is the length of its orders, and ``orders`` the size of the account, where that is what the case is about.
    """

    scenario: str
    clients: int
    scripts: Callable[[Site], Sequence[Script]]
    calls: int = 1
    makes: bool = False
    facts: int | None = None
    orders: int | None = None
    apart: bool = False
    """Whether each kind of call has a result of its own."""
    times: float = 1.0
    """How many times as long as others it is measured."""


def cases(options: Options) -> Iterator[Case]:
    """Yield what is to be measured in each round."""
    by_clients: dict[str, Callable[[int, Site], Sequence[Script]]] = {
        "life-cycle": _life_cycle,
        "create": _create,
        "read": _read,
        "capture": _capture,
        "list": _list,
    }
    for scenario, scripts in by_clients.items():
        if scenario in options.scenarios:
            calls, makes = (_LIFE_CYCLE if scenario == "life-cycle" else 1), scenario in ("life-cycle", "create")
            for clients in options.clients:
                yield Case(scenario=scenario, clients=clients, scripts=partial(scripts, clients), calls=calls, makes=makes)
    at_the_middle = {"mixed": _mixed, "hot-order": _hot_order, "accounts": _accounts}
    for scenario, scripts in at_the_middle.items():
        if scenario in options.scenarios:
            yield Case(scenario=scenario, clients=options.middle, scripts=partial(scripts, options.middle))
    if "long-orders" in options.scenarios:
        yield from _of_long_orders(options)
    if "lists" in options.scenarios:
        for orders in options.orders:
            yield Case(
                scenario="lists", clients=1, scripts=partial(_lists, orders), orders=orders, apart=True, times=_LISTS_TIMES
            )


def _of_long_orders(options: Options) -> Iterator[Case]:
    for facts in options.facts:
        for call, scripts in (("capture", _long_capture), ("events", _long_events)):
            yield Case(scenario=f"long-orders: {call}", clients=_CLIENTS_OF_LONG, scripts=partial(scripts, facts), facts=facts)


def _lists(orders: int, site: Site) -> Sequence[Script]:
    stock = site.stock(orders)
    return site.scripts(
        tuple(Cycle(requests=tuple(stock.shop.newest(query, call) for call, query in turn)) for turn in queries(stock)), 1
    )


def _life_cycle(clients: int, site: Site) -> Sequence[Script]:
    shop, lines = site.shop, site.options.lines
    requests = (
        shop.create(lines),
        shop.authorize(lines),
        shop.capture(_PART),
        shop.refund(_PART // 2),
        shop.read(),
        shop.close(),
    )
    return site.scripts((Cycle(requests=requests),), clients)


def _create(clients: int, site: Site) -> Sequence[Script]:
    return site.scripts((Cycle(requests=(site.shop.create(site.options.lines),)),), clients)


def _read(clients: int, site: Site) -> Sequence[Script]:
    return _each_its_own(site.shop.read(), site.paid(), clients)


def _capture(clients: int, site: Site) -> Sequence[Script]:
    return _each_its_own(site.shop.capture(1), site.paid(), clients)


def _list(clients: int, site: Site) -> Sequence[Script]:
    shops = site.listed()
    return [one for place in range(clients) for one in site.scripts((Cycle(requests=(shops[place % len(shops)].newest(),)),), 1)]


def _mixed(clients: int, site: Site) -> Sequence[Script]:
    """As the back end of a shop: an order is placed, paid, looked at, reported on, listed, closed; half of it is reading."""
    shop, lines = site.shop, site.options.lines
    requests = (
        shop.create(lines),
        shop.read(),
        shop.authorize(lines),
        shop.read(),
        shop.newest("limit=20&status=open"),
        shop.report(),
        shop.capture(_PART),
        shop.read(),
        shop.newest("limit=10&customer_id=C-177"),
        shop.close(),
        shop.read(),
        shop.read(),
    )
    return site.scripts((Cycle(requests=requests),), clients)


def _hot_order(clients: int, site: Site) -> Sequence[Script]:
    """All capture the same order, which is new in each round."""
    order = site.authorized(site.shop, 1, 1)
    return site.scripts((Cycle(requests=(site.shop.capture(1),), orders=order),), clients)


def _accounts(clients: int, site: Site) -> Sequence[Script]:
    """Each client works for all accounts in turns: half of it makes orders, half reads the account's list."""
    cycles = [
        Cycle(requests=(shop.create(site.options.lines), shop.newest("limit=5")))
        for shop in site.shops("many", site.options.accounts)
    ]
    turned = [(*cycles[place:], *cycles[:place]) for place in range(len(cycles))]
    return [script for place in range(clients) for script in site.scripts(turned[place * 7 % len(turned)], 1)]


def _long_capture(facts: int, site: Site) -> Sequence[Script]:
    return _each_its_own(site.shop.capture(1), site.long(facts), _CLIENTS_OF_LONG)


def _long_events(facts: int, site: Site) -> Sequence[Script]:
    request = site.shop.request("events", "GET", "/orders/{order}/events?limit=20")
    return _each_its_own(request, site.long(facts), _CLIENTS_OF_LONG)


def _each_its_own(request: Request, orders: Sequence[bytes], clients: int) -> list[Script]:
    """Return scripts of one request each, on orders that are divided among the clients."""
    return [
        Script(cycles=(Cycle(requests=(request,), orders=tuple(orders[place % len(orders) :: clients])),))
        for place in range(clients)
    ]
