"""The lists that are asked for on an account of many orders: each filter and search, the first page and deep ones."""

from collections.abc import Iterator
from urllib.parse import urlencode

from ordre.api.wire.common import instant
from ordre.bench.copies import instant_of, person
from ordre.bench.sites import Stock

_TURNS = 12
"""In each of them, other customers and words are looked for."""
_HOUR = 3_600_000


def queries(stock: Stock) -> Iterator[list[tuple[str, str]]]:
    """Yield turns: lists of (what is listed, the query for it), 20 orders a page."""
    for turn in range(_TURNS):
        asked = {**_pages(stock), **_filters(stock, turn), **_searches(turn)}
        yield [(name, urlencode({**query, "limit": "20"})) for name, query in asked.items()]


def _pages(stock: Stock) -> dict[str, dict[str, str]]:
    return {"newest": {}, "half way down": {"starting_after": stock.half}, "oldest": {"starting_after": stock.oldest}}


def _filters(stock: Stock, turn: int) -> dict[str, dict[str, str]]:
    middle = instant_of(stock.orders // 2, stock.orders, stock.now)
    return {
        "open": {"status": "open"},
        "closed, half way down": {"status": "closed", "starting_after": stock.half},
        "a rare store, cancelled": {"store_id": "SL06", "status": "cancelled"},
        "a customer": {"customer_id": person(turn * 3).customer},
        "an order number": {"order_number": f"{1_000_000 + turn * 37 % stock.orders}"},
        "an amount": {"net_amount.gte": f"{100_000 + turn * 1_000}", "net_amount.lte": f"{101_000 + turn * 1_000}"},
        "changed in an hour": {"updated_at.gte": instant(middle), "updated_at.lte": instant(middle + _HOUR)},
    }


def _searches(turn: int) -> dict[str, dict[str, str]]:
    one = person(turn * 5)
    return {
        "search: e-mail": {"q": f"{one.mail}@example.com"},
        "search: first and last name": {"q": f"{one.first} {one.last}"},
        "search: a common word": {"q": "example"},
    }
