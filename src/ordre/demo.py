"""Demo data: one account with orders in every state, made by the same use cases and wire types as real ones."""

import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import count, cycle
from typing import Any

from ordre.api.wire.common import decoder
from ordre.api.wire.drafts import NewDraft, draft_text, sketch
from ordre.api.wire.events import NewEvent, comment, report, request_event
from ordre.api.wire.operations import NewOperation, record
from ordre.api.wire.orders import NewComment, NewOrder, place_order
from ordre.application import accounts, drafts
from ordre.application.change import Call
from ordre.application.ids import uuid7
from ordre.application.orders import execute
from ordre.application.store import Store
from ordre.auth.secrets import digest_of, new_secret
from ordre.domain import draft as domain
from ordre.domain.ledger import Kind
from ordre.domain.money import DIGITS, share_out, tax_in
from ordre.domain.order.conditions import LIMITS
from ordre.domain.order.lifecycle import Cancel, Close, Open
from ordre.domain.order.parts import Moment, Reason

SCOPES = ("admin:shopping", "admin:hooks")
"""Of the client of a demo: everything."""
_DAY = 86_400_000
_CUSTOMERS = (
    ("Ada", "Berg", "NO", "Oslo"),
    ("Nils", "Holm", "SE", "Malmö"),
    ("Maja", "Weiss", "DE", "Köln"),
    ("Kenji", "Mori", "JP", "Osaka"),
)
_GOODS = (("CHAIR", "Garden chair", 199), ("LAMP", "Reading lamp", 349), ("TABLE", "Oak table", 2490), ("RUG", "Wool rug", 799))
_STORES = (("SL01", "City"), ("SL02", "Harbour"), ("SL03", "Web"))
_TAX = {"NOK": 25, "SEK": 25, "EUR": 19, "JPY": 10, "KWD": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """The demo data, and how to look at them. The secret is known only here."""

    account_id: str
    client_id: str
    client_secret: str
    orders: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """An order of the demo, as later steps need it."""

    id: str
    lines: dict[int, int]


class _Shop:
    """Does what a shop's backend would do, at instants of the past that go forward."""

    def __init__(self, store: Store, account_id: str, client_id: str, start: int) -> None:
        self.store, self._account, self._by = store, account_id, client_id
        self._at = start
        self._numbers = count(1001)

    def next_day(self) -> None:
        self._at += _DAY // 2

    def _call(self, method: str, path: str, body: Any) -> Call:
        self._at += 61_000
        event = request_event(method, f"/v1/accounts/{self._account}/shopping{path}", json.dumps(body, ensure_ascii=False))
        return Call(account_id=self._account, by=self._by, at=self._at, event=event)

    async def place(self, order: dict[str, Any]) -> _Order:
        sent = {"order_number": f"{next(self._numbers)}", **order}
        call = self._call("POST", "/orders", sent)
        place = place_order(decoder(NewOrder).decode(json.dumps(sent)), uuid7(call.at))
        outcome = await execute(self.store, call, place.order_id, place)
        lines = outcome.orders[0].order.lines
        return _Order(id=place.id, lines={line_id: line.net for line_id, line in lines.items()})

    async def record(self, order: _Order, kind: Kind, amounts: dict[int, int], *, success: bool = True) -> None:
        body = {
            "items": [{"line_id": line_id, "amount": amount} for line_id, amount in amounts.items()],
            "payment_details": {
                "payment_id": f"PID-{order.id[-6:]}",
                "psp": "Example Pay",
                "card": {"brand": "Visa", "type": "Credit"},
            },
            "processed_by": "example-gateway",
            "success": success,
        }
        call = self._call("POST", f"/orders/{order.id}/{kind.value}s", body)
        operation = decoder(NewOperation).decode(json.dumps(body))
        await execute(self.store, call, order.id, record(kind, operation, uuid7(call.at)))

    async def pay(self, order: _Order) -> None:
        await self.record(order, Kind.AUTHORIZATION, order.lines)
        await self.record(order, Kind.CAPTURE, order.lines)

    async def close(self, order: _Order) -> None:
        await execute(self.store, self._call("POST", f"/orders/{order.id}/close", {}), order.id, Close())

    async def reopen(self, order: _Order) -> None:
        await execute(self.store, self._call("POST", f"/orders/{order.id}/open", {}), order.id, Open())

    async def cancel(self, order: _Order, reason: Reason) -> None:
        call = self._call("POST", f"/orders/{order.id}/cancel", {"cancelled_reason": reason.value})
        await execute(self.store, call, order.id, Cancel(reason=reason))

    async def comment(self, order: _Order, text: str) -> None:
        call = self._call("POST", f"/orders/{order.id}/comments", {"body": text})
        await execute(self.store, call, order.id, comment(NewComment(body=text), uuid7(call.at)))

    async def report(self, order: _Order, service: str, status: str, state: str) -> None:
        body = {"service": service, "service_status": status, "state": state}
        call = self._call("POST", f"/orders/{order.id}/events", body)
        event = decoder(NewEvent).decode(json.dumps(body))
        await execute(self.store, call, order.id, report(event, uuid7(call.at)))

    async def draft(self, order: dict[str, Any], *, complete: bool, **options: Any) -> None:
        body = {"options": options, "order": order}
        call = self._call("POST", "/draft_orders", body)
        described, read, shown = sketch(decoder(NewDraft).decode(json.dumps(body)))
        made = domain.created(uuid7(call.at), described, read, shown, Moment(at=call.at, by=call.by), LIMITS.lines)
        await drafts.create(self.store, call, made, partial(draft_text, self._account, {}))
        if complete:
            path = f"/draft_orders/{made.id}/complete"
            await drafts.complete(self.store, self._call("PUT", path, {}), made.id, lambda: uuid7(self._at))

    async def exchange(self, order: _Order, line_id: int, item: dict[str, Any]) -> None:
        """Reverse a line and put another in its place, as the reference's worked example does."""
        amount, new = order.lines[line_id], max(order.lines) + 1
        back = {
            "id": "RETURN",
            "line_id": new,
            "gross_amount": -amount,
            "tax_lines": [],
            "description": "Returned",
            "reversed_reason": "Replace item",
            "related_item": {"line_id": line_id, "type": "reversed"},
        }
        currency = item.pop("currency")
        await self.draft({"currency": currency, "items": [back, {**item, "line_id": new + 1}]}, complete=True, order_id=order.id)
        changed = _Order(id=order.id, lines={new: -amount, new + 1: item["gross_amount"]})
        await self.pay(changed)


async def make_demo(store: Store, now: int) -> Demo:
    """Make the next free account from T00000001 on, with a client and its orders, up to ``now`` (milliseconds)."""
    account_id = await _free_account(store)
    await accounts.create_account(store, account_id, "Demo shop", now)
    secret = new_secret()
    client = await accounts.create_client(store, account_id, "Demo client", SCOPES, digest_of(secret), now)
    await fill(store, account_id, client.client_id, now)
    return Demo(
        account_id=account_id, client_id=client.client_id, client_secret=secret, orders=await store.count_orders(account_id)
    )


async def fill(store: Store, account_id: str, client_id: str, now: int) -> None:
    """Fill an account with the orders of the demo, as made by its client in the weeks up to ``now`` (milliseconds)."""
    shop = _Shop(store, account_id, client_id, now - 25 * _DAY)
    for story, currency, place in zip(cycle(_STORIES), cycle(_TAX), range(4 * len(_STORIES)), strict=False):
        await story(shop, _basket(currency, place))
        shop.next_day()
    await _journeys(shop)


async def _free_account(store: Store) -> str:
    taken = {account.account_id for account in await store.accounts()}
    return next(id_ for id_ in (f"T{number:08d}" for number in count(1)) if id_ not in taken)


def _basket(currency: str, place: int) -> dict[str, Any]:
    """Return an order of two or three lines, with a discount shared out over them now and then."""
    first, last, country, town = _CUSTOMERS[place % len(_CUSTOMERS)]
    goods = [_GOODS[(place + step) % len(_GOODS)] for step in range(2 + place % 2)]
    gross = [_minor(price, currency) for _, _, price in goods]
    discounts = share_out(sum(gross) // 10, gross) if place % 3 == 0 else [0] * len(gross)
    store_id, store = _STORES[place % len(_STORES)]
    return {
        "currency": currency,
        "customer": {
            "id": f"C-{place % len(_CUSTOMERS) + 1}",
            "first_name": first,
            "last_name": last,
            "email": f"{first.lower()}@example.com",
        },
        "shipping_address": {
            "first_name": first,
            "last_name": last,
            "address_line": "Main street 1",
            "postal_place": town,
            "country": country,
        },
        "store": {"id": store_id, "name": store},
        "items": [
            _item(line_id, good, amount, discount, currency)
            for line_id, good, amount, discount in zip(count(1), goods, gross, discounts, strict=False)
        ],
    }


def _item(line_id: int, good: tuple[str, str, int], gross: int, discount: int, currency: str) -> dict[str, Any]:
    article, description, _ = good
    rate = _TAX[currency]
    item: dict[str, Any] = {
        "id": article,
        "line_id": line_id,
        "description": description,
        "gross_amount": gross,
        "tax_lines": [{"amount": tax_in(gross - discount, Decimal(rate)), "percentage": rate, "included_in_price": True}],
    }
    if discount:
        item["discount_lines"] = [{"amount": discount, "percentage": 10, "discount_type": "periodic", "description": "Autumn"}]
    return item


def _minor(price: int, currency: str) -> int:
    return price * int(10 ** DIGITS[currency]) * (15 if currency == "JPY" else 1)


async def _waiting(shop: _Shop, basket: dict[str, Any]) -> None:
    await shop.place(basket)


async def _authorized(shop: _Shop, basket: dict[str, Any]) -> None:
    order = await shop.place(basket)
    await shop.record(order, Kind.AUTHORIZATION, order.lines, success=False)
    await shop.record(order, Kind.AUTHORIZATION, order.lines)
    await shop.report(order, "warehouse", "picking", "pending")


async def _paid(shop: _Shop, basket: dict[str, Any]) -> None:
    order = await shop.place(basket)
    await shop.pay(order)
    await shop.report(order, "warehouse", "sent", "success")
    await shop.close(order)


async def _part_captured(shop: _Shop, basket: dict[str, Any]) -> None:
    order = await shop.place(basket)
    await shop.record(order, Kind.AUTHORIZATION, order.lines)
    await shop.record(order, Kind.CAPTURE, {1: order.lines[1]})
    await shop.record(order, Kind.CANCELLATION, {2: order.lines[2] // 2})


async def _part_refunded(shop: _Shop, basket: dict[str, Any]) -> None:
    order = await shop.place(basket)
    await shop.pay(order)
    await shop.close(order)
    await shop.record(order, Kind.REFUND, {1: order.lines[1] // 3})
    await shop.comment(order, "A scratch on the first item; the customer keeps it for a third off.")


async def _refunded(shop: _Shop, basket: dict[str, Any]) -> None:
    order = await shop.place(basket)
    await shop.pay(order)
    await shop.record(order, Kind.REFUND, order.lines)
    await shop.cancel(order, Reason.CUSTOMER)


async def _declined(shop: _Shop, basket: dict[str, Any]) -> None:
    order = await shop.place(basket)
    await shop.record(order, Kind.AUTHORIZATION, order.lines, success=False)
    await shop.report(order, "payment", "declined", "failure")
    await shop.cancel(order, Reason.DECLINED)


async def _exchanged(shop: _Shop, basket: dict[str, Any]) -> None:
    order = await shop.place(basket)
    await shop.pay(order)
    currency = basket["currency"]
    await shop.exchange(order, 1, {**_item(0, _GOODS[1], _minor(349, currency), 0, currency), "currency": currency})


async def _reopened(shop: _Shop, basket: dict[str, Any]) -> None:
    order = await shop.place(basket)
    await shop.pay(order)
    await shop.close(order)
    await shop.reopen(order)


async def _in_parts(shop: _Shop, basket: dict[str, Any]) -> None:
    """Two drafts: one that is split over two stores, and one that is still open."""
    items = [
        {**item, "store": {"id": store_id, "name": name}}
        for item, (store_id, name) in zip(basket["items"], cycle(_STORES), strict=False)
    ]
    await shop.draft({**basket, "items": items}, complete=True, split_draft=True, generate_order_id="ALPHANUMERIC_9")
    await shop.draft(basket, complete=False)


Story = Callable[[_Shop, dict[str, Any]], Awaitable[None]]
_STORIES: tuple[Story, ...] = (
    _paid,
    _authorized,
    _part_captured,
    _exchanged,
    _part_refunded,
    _waiting,
    _refunded,
    _reopened,
    _declined,
    _in_parts,
)


async def _journeys(shop: _Shop) -> None:
    for kind, operator, price in (("bus", "Coast Express", 349), ("train", "Fjord Rail", 899), ("ferry", "Island Line", 199)):
        order = await shop.place({"currency": "NOK", "items": list(_tickets(operator, price)), **_trip(kind, operator)})
        await shop.pay(order)


def _tickets(operator: str, price: int) -> Iterator[dict[str, Any]]:
    gross = _minor(price, "NOK")
    tax = {"amount": tax_in(gross, Decimal(12)), "percentage": 12, "included_in_price": True}
    for line_id in (1, 2):
        yield {"id": "TICKET", "line_id": line_id, "description": f"{operator}, adult", "gross_amount": gross, "tax_lines": [tax]}


def _trip(kind: str, operator: str) -> dict[str, Any]:
    places = {
        "departure_address": {"postal_place": "Bergen", "country": "NO"},
        "arrival_address": {"postal_place": "Stavanger", "country": "NO"},
    }
    times = {"departure_at": "2026-12-19T08:15:00+01:00", "arrival_at": "2026-12-19T13:05:00+01:00"}
    passengers = [{"id": "P1", "first_name": "Ada", "last_name": "Berg"}, {"id": "P2", "first_name": "Nils", "last_name": "Holm"}]
    leg = {**places, **times, "operator": operator, "class": "standard", "seat": "12A", "passenger_id": ["P1", "P2"]}
    booking = {"booking_id": f"{kind[:2].upper()} 138 47794", "line_ids": [1, 2], "passengers": passengers, "itinerary": [leg]}
    return {
        "type": "travel",
        "customer": {"id": "C-1", "first_name": "Ada", "last_name": "Berg", "email": "ada@example.com"},
        "itinerary": [{"id": "L1", "travel_mode": kind.upper(), "operator": operator, **places, **times, "line_ids": [1, 2]}],
        "attachments": [{"id": "A1", f"{kind}_reservation": booking}],
    }
