"""What the checks work with: a server at any address, and how they say that it is not as expected."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from itertools import count
from typing import Any
from uuid import uuid4

import httpx

from ordre.client.exchange import account_url
from ordre.conformance.table import Evidence, Verdict


class NotConformingError(Exception):
    """The server did something else than the table says."""


class _NotAskedError(Exception):
    """Skips the checks that follow: the level does not include their evidence."""


TROUBLES = (NotConformingError, httpx.HTTPError, KeyError, ValueError, TypeError, LookupError)
"""What a check may raise: something is otherwise, or the answer is of another shape than it reads."""


@dataclass(frozen=True, slots=True)
class Check:
    """One executable part of the table: ``covers`` names the rows that it is about.

    ``evidence`` is what is known of that part. Inside a check, what is known less well stands under ``api.derived()`` and
    ``api.inferred()``, so that a server can be judged by what is seen alone.
    """

    name: str
    covers: tuple[str, ...]
    run: Callable[["Api"], None]
    verdict: Verdict = Verdict.SAME
    evidence: Evidence = Evidence.SEEN


@dataclass(frozen=True, slots=True)
class Fault:
    """A deviation, and what is known of the expected behaviour."""

    evidence: Evidence
    text: str


_numbers = count(1)


class Api:
    """An account on a server, judged by what is known up to a ``level`` of evidence.

    ``faults`` collects what is otherwise; ``headers`` the names of all that was answered with. Orders are made by completing
    drafts and read as those of a store: of all the ways to do so, these are seen.
    """

    def __init__(
        self, http: httpx.Client, url: str, account: str, client_id: str, client_secret: str, level: Evidence = Evidence.INFERRED
    ) -> None:
        self._http, self._basic = http, (client_id, client_secret)
        self.account = account
        self.root = account_url(url, account)
        self.store = f"conformance-{uuid4().hex[:12]}"
        self.headers: set[str] = set()
        self.faults: list[Fault] = []
        self._level, self._evidence = level, Evidence.SEEN
        self._token = ""

    @contextmanager
    def known_as(self, evidence: Evidence) -> Iterator[None]:
        """Ask what follows only where the level has this evidence; what is otherwise is noted, and the check goes on after it."""
        before, self._evidence = self._evidence, evidence
        try:
            yield
        except _NotAskedError:
            pass
        except TROUBLES as error:
            self._note(error)
        finally:
            self._evidence = before

    def derived(self) -> AbstractContextManager[None]:
        """Return the same for what follows from what is seen."""
        return self.known_as(Evidence.DERIVED)

    def inferred(self) -> AbstractContextManager[None]:
        """Return the same for what nothing public says."""
        return self.known_as(Evidence.INFERRED)

    def _note(self, error: Exception) -> None:
        if self._evidence.counts_at(self._level):
            text = str(error) if isinstance(error, NotConformingError) else f"{type(error).__name__}: {error}"
            self.faults.append(Fault(self._evidence, text))

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
        return self._sent(method, f"/shopping{path}", body, query, headers or {})

    def _sent(
        self, method: str, path: str, body: object, query: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> httpx.Response:
        if not self._evidence.counts_at(self._level):
            raise _NotAskedError
        if not self._token:
            self._token = expect(self.token(), 200)["access_token"]
        sent = {"Authorization": f"Bearer {self._token}", **headers}
        return self._kept(self._http.request(method, f"{self.root}{path}", params=query, headers=sent, json=body))

    def hooks(self, method: str, path: str, body: object = None, query: Mapping[str, Any] | None = None) -> httpx.Response:
        """Send a request; ``path`` is below ``/hooks/subscriptions``."""
        return self._sent(method, f"/hooks/subscriptions{path}", body, query, {})

    def get(self, path: str, **query: Any) -> Any:
        """Send a GET; return the answer."""
        return self._done(self.raw("GET", path, query={name.replace("__", "."): value for name, value in query.items()}))

    def post(self, path: str, body: object = None) -> Any:
        """Send a POST; return the answer."""
        return self._done(self.raw("POST", path, body))

    def put(self, path: str, body: object = None) -> Any:
        """Send a PUT; return the answer."""
        return self._done(self.raw("PUT", path, body))

    def delete(self, path: str) -> Any:
        """Send a DELETE; return the answer."""
        return self._done(self.raw("DELETE", path))

    def refused(self, method: str, path: str, body: object = None, status: int = 400) -> Any:
        """Send a request that is to be refused; return the error. That the status is this one is derived."""
        answer = self.raw(method, path, body)
        if not answer.is_client_error:
            expect(answer, status)
        with self.derived():
            expect(answer, status)
        error = answer.json().get("error")
        same("the error's message", isinstance(error, dict) and type(error.get("message")), str)
        return error

    def draft(self, options: Mapping[str, Any] | None = None, /, *amounts: int, **fields: Any) -> Any:
        """Return a new draft."""
        order = {"currency": "NOK", "items": lines(*amounts), **fields}
        return self.post("/draft_orders", {"order": order, "options": dict(options or {})})

    def completed(self, draft: Mapping[str, Any]) -> list[Any]:
        """Return the orders that a draft becomes."""
        orders: list[Any] = self.put(f"/draft_orders/{draft['id']}/complete", {})["orders"]
        return orders

    def order(self, *amounts: int, **fields: Any) -> Any:
        """Return a new order with a line for each amount."""
        (order,) = self.completed(self.draft({"split_draft": False}, *amounts, **{"store": {"id": self.store}, **fields}))
        return order

    def paid(self, *amounts: int, **fields: Any) -> Any:
        """Return a new order of which everything is authorized and captured."""
        order = self.order(*amounts, **fields)
        for name in ("authorizations", "captures"):
            self.post(f"/orders/{order['order_id']}/{name}", operation(*enumerate(amounts, 1)))
        return order

    def read(self, order: Mapping[str, Any], **query: Any) -> Any:
        """Return an order as it is now."""
        return self.get(f"/stores/{order['store']['id']}/orders/{order['order_id']}", **query)

    def _done(self, answer: httpx.Response) -> Any:
        """Return the JSON of a successful answer. That its status is 200, whatever it was, is derived."""
        if not answer.is_success:
            expect(answer, HTTPStatus.OK)
        with self.derived():
            expect(answer, HTTPStatus.OK)
        return answer.json()

    def _kept(self, answer: httpx.Response) -> httpx.Response:
        self.headers |= set(answer.headers)
        return answer


def expect(answer: httpx.Response, status: int) -> Any:
    """Return the JSON of an answer with this status."""
    if answer.status_code != status:
        request = answer.request
        raise NotConformingError(
            f"{request.method} {request.url.path} answered {answer.status_code}, not {int(status)}: {answer.text[:300]}"
        )
    return answer.json() if answer.content else None


def same(what: str, found: object, expected: object) -> None:
    """Raise if a value is not as expected."""
    if found != expected:
        raise NotConformingError(f"{what}: {found!r}, not {expected!r}")


def part(what: str, found: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """Raise if an expected value is missing."""
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
