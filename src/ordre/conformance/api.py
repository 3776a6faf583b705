"""What the checks work with: a server at any address, and how they say that it is not as expected."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx

from ordre.client.exchange import account_url
from ordre.conformance.table import Verdict


class NotConformingError(Exception):
    """The server did something else than the table says."""


@dataclass(frozen=True, slots=True)
class Check:
    """One executable part of the table: ``covers`` names the rows that it is about."""

    name: str
    covers: tuple[str, ...]
    run: Callable[["Api"], None]
    verdict: Verdict = Verdict.SAME


_numbers = count(1)


class Api:
    """An account on a server. ``headers`` collects the names of all that was answered with."""

    def __init__(self, http: httpx.Client, url: str, account: str, client_id: str, client_secret: str) -> None:
        self._http, self._basic = http, (client_id, client_secret)
        self.account = account
        self.root = account_url(url, account)
        self.headers: set[str] = set()
        self._token = ""

    def token(self, body: object = None, secret: str | None = None) -> httpx.Response:
        """Ask for a token."""
        sent = body or {"grant_type": "client_credentials", "audience": self.root}
        auth = (self._basic[0], self._basic[1] if secret is None else secret)
        return self._kept(self._http.post(f"{self.root}/auth/token", json=sent, auth=auth))

    def raw(
        self,
        method: str,
        path: str,
        body: object = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send a request; ``path`` is below ``/shopping``."""
        if not self._token:
            self._token = expect(self.token(), 200)["access_token"]
        sent = {"Authorization": f"Bearer {self._token}", **(headers or {})}
        return self._kept(self._http.request(method, f"{self.root}/shopping{path}", params=query, headers=sent, json=body))

    def get(self, path: str, **query: Any) -> Any:
        """Return what is found."""
        return expect(self.raw("GET", path, query={name.replace("__", "."): value for name, value in query.items()}), 200)

    def post(self, path: str, body: object = None) -> Any:
        """Return what is answered to a POST."""
        return expect(self.raw("POST", path, body), 200)

    def put(self, path: str, body: object = None) -> Any:
        """Return what is answered to a PUT."""
        return expect(self.raw("PUT", path, body), 200)

    def delete(self, path: str) -> Any:
        """Return what is answered to a DELETE."""
        return expect(self.raw("DELETE", path), 200)

    def refused(self, method: str, path: str, body: object = None, status: int = 400) -> Any:
        """Return the error of what is to be refused."""
        error = expect(self.raw(method, path, body), status).get("error")
        same("the error's message", isinstance(error, dict) and type(error.get("message")), str)
        return error

    def order(self, *amounts: int, **fields: Any) -> Any:
        """Return a new order with a line for each amount."""
        return self.post("/orders", {"currency": "NOK", "items": lines(*amounts), **fields})

    def paid(self, *amounts: int, **fields: Any) -> Any:
        """Return a new order of which everything is authorized and captured."""
        order = self.order(*amounts, **fields)
        for name in ("authorizations", "captures"):
            self.post(f"/orders/{order['order_id']}/{name}", operation(*enumerate(amounts, 1)))
        return order

    def draft(self, options: Mapping[str, Any] | None = None, /, *amounts: int, **fields: Any) -> Any:
        """Return a new draft."""
        order = {"currency": "NOK", "items": lines(*amounts), **fields}
        return self.post("/draft_orders", {"order": order, "options": dict(options or {})})

    def completed(self, draft: Mapping[str, Any]) -> list[Any]:
        """Return the orders that a draft becomes."""
        orders: list[Any] = self.put(f"/draft_orders/{draft['id']}/complete", {})["orders"]
        return orders

    def _kept(self, answer: httpx.Response) -> httpx.Response:
        self.headers |= set(answer.headers)
        return answer


def expect(answer: httpx.Response, status: int) -> Any:
    """Return the JSON of an answer with this status."""
    if answer.status_code != status:
        request = answer.request
        raise NotConformingError(
            f"{request.method} {request.url.path} answered {answer.status_code}, not {status}: {answer.text[:300]}"
        )
    return answer.json()


def same(what: str, found: object, expected: object) -> None:
    """Say what is not as expected."""
    if found != expected:
        raise NotConformingError(f"{what}: {found!r}, not {expected!r}")


def part(what: str, found: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """Say which of the expected values is not there."""
    for name, value in expected.items():
        same(f"{what}: {name}", found.get(name), value)


def lines(*amounts: int) -> list[dict[str, Any]]:
    """Return items of these gross amounts."""
    return [
        {"id": f"A{line}", "line_id": line, "gross_amount": amount, "tax_lines": []} for line, amount in enumerate(amounts, 1)
    ]


def operation(*amounts: tuple[int, int], **fields: Any) -> dict[str, Any]:
    """Return the body of a payment operation: (line, amount)."""
    items = [{"line_id": line, "amount": amount} for line, amount in amounts]
    return {"items": items, "payment_details": {"payment_id": "PID_123"}, "success": True, **fields}


def fresh(prefix: str) -> str:
    """Return a name that this run did not use before."""
    return f"{prefix}{next(_numbers)}"
