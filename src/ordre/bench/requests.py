"""What the clients of a benchmark send: prepared bytes, with places for the name of an order."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NAME_CHARACTERS = 24
"""Of the ``order_id`` of an order that a benchmark makes: always as many, so that the length of a body is known before."""
PRICE = 39_800
"""Of a line, in minor units."""
_PLACE = "@" * NAME_CHARACTERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request, as the bytes around the name of its order. ``call`` is what it is counted under."""

    call: str
    parts: tuple[bytes, ...]

    def of(self, order: bytes) -> bytes:
        """Return the bytes to send for an order."""
        return order.join(self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """Requests that are sent one after another for one order: one of ``orders``, in turns, or a new one each time."""

    requests: tuple[Request, ...]
    orders: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What one client sends: its cycles in turns, without end, or ``most`` of them. ``prefix`` begins the names of new orders."""

    cycles: tuple[Cycle, ...]
    prefix: str = ""
    most: int | None = None

    def requests(self) -> Iterator[tuple[str, bytes]]:
        """Yield what each request is counted under, and its bytes."""
        done = 0
        while self.most is None or done < self.most:
            cycle = self.cycles[done % len(self.cycles)]
            place = done // len(self.cycles)
            order = cycle.orders[place % len(cycle.orders)] if cycle.orders else new_name(self.prefix, done)
            for request in cycle.requests:
                yield request.call, request.of(order)
            done += 1


def new_name(prefix: str, number: int) -> bytes:
    """Return the name of a new order."""
    return f"{prefix}{number:0{NAME_CHARACTERS - len(prefix)}d}".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """An account, with a token for all of its orders."""

    account_id: str
    client_id: str
    token: str

    def request(self, call: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> Request:
        """Return a request to the orders of the account. ``{order}`` in its path, and ``_PLACE`` in its body, is the order."""
        sent = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        head = f"{method} /v1/accounts/{self.account_id}/shopping{path.replace('{order}', _PLACE)} HTTP/1.1\r\n"
        head += f"Host: bench\r\nAuthorization: Bearer {self.token}\r\n"
        if body is not None:
            head += f"Content-Type: application/json\r\nContent-Length: {len(sent)}\r\n"
        whole = head.encode() + b"\r\n" + sent
        return Request(call=call, parts=tuple(whole.split(_PLACE.encode())))

    def create(self, lines: int) -> Request:
        """Return the request that makes an order of so many lines: four are about 2.8 kB."""
        return self.request("create", "POST", "/orders", order_body(lines))

    def authorize(self, lines: int) -> Request:
        """Return the request that authorizes all of an order."""
        return self.request("authorize", "POST", "/orders/{order}/authorizations", operation_body(range(1, lines + 1)))

    def capture(self, amount: int) -> Request:
        """Return the request that captures a part of an order's first line."""
        return self.request("capture", "POST", "/orders/{order}/captures", operation_body([1], amount))

    def refund(self, amount: int) -> Request:
        """Return the request that refunds a part of an order's first line."""
        return self.request("refund", "POST", "/orders/{order}/refunds", operation_body([1], amount))

    def close(self) -> Request:
        """Return the request that closes an order."""
        return self.request("close", "POST", "/orders/{order}/close", {})

    def report(self) -> Request:
        """Return the request by which a service reports on an order."""
        body = {"service": "warehouse", "service_status": "picking", "state": "pending"}
        return self.request("report", "POST", "/orders/{order}/events", body)

    def read(self) -> Request:
        """Return the request that reads an order."""
        return self.request("read", "GET", "/orders/{order}")

    def newest(self, query: str = "limit=20", call: str = "list") -> Request:
        """Return the request for a page of orders."""
        return self.request(call, "GET", f"/orders?{query}")


ANYBODY = Shop(account_id="P00000000", client_id="", token="x" * 400)
"""Nobody's account, for a server that asks for none."""


def operation_body(lines: Sequence[int], amount: int = PRICE) -> dict[str, Any]:
    """Return the body of a payment operation of so much on each of these lines."""
    return {
        "items": [{"line_id": line, "amount": amount} for line in lines],
        "payment_details": {"payment_id": "PID-177381", "psp": "Example Pay", "card": {"brand": "Visa", "type": "Credit"}},
    }


def order_body(lines: int, name: str = _PLACE) -> dict[str, Any]:
    """Return the body of a new order, as shops send them: a customer, an address, so many lines, metadata."""
    address = {"address_line": "Sommerkroveien 34", "postal_place": "Oslo", "country": "NO", "postal_code": "0349"}
    person = {"first_name": "Ada", "last_name": "Berg"}
    return {
        "order_id": name,
        "currency": "NOK",
        "customer": {**person, "id": "C-177", "email": "ada.berg@example.com", "phone_number": "+4799112233"},
        "shipping_address": {**person, **address},
        "store": {"id": "SL01", "name": "City"},
        "items": [_item(line) for line in range(1, lines + 1)],
        "metadata": {
            "channel": "web",
            "campaign": "autumn",
            "note": "leave it with the neighbour on the second floor, the bell is broken " * 4,
        },
    }


def _item(line: int) -> dict[str, Any]:
    return {
        "id": f"A{line}",
        "line_id": line,
        "quantity": 2,
        "gross_amount": PRICE,
        "tax_lines": [{"amount": PRICE // 5, "percentage": 25, "included_in_price": True}],
        "description": "Stablestol for utendørsbruk, stables i høyden og tåler all slags vær",
        "groups": [{"id": "B234", "name": "Stol"}, {"id": "B1", "name": "Møbel"}],
        "metadata": {
            "shelf": "17-B",
            "weight": 4200,
            "colour": "grå, lakkert, med puter i ull og armlener av eik",
            "care": "w" * 70,
        },
    }
