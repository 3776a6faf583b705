"""How a call becomes requests: tokens, idempotency keys, retries. Written once, without I/O: who drives it sends and waits."""

import base64
import random
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, TypeVar
from uuid import uuid4

import msgspec

from ordre.api.wire.common import encode
from ordre.api.wire.service import Token
from ordre.client.calls import Call, Listing, Page
from ordre.client.errors import UnauthorizedError, UnexpectedError, UnreachableError, error_of

T = TypeVar("T")
P = TypeVar("P")
_NEXT = 'rel="next"'
RETRIED = frozenset({429, 502, 503, 504})
_token = msgspec.json.Decoder(Token).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How often a call is tried, and the pauses between in seconds: each twice the one before, less up to half at random."""

    attempts: int = 5
    first_wait_seconds: float = 0.1
    longest_wait_seconds: float = 10.0
    renew_before_seconds: float = 300.0
    """A token is renewed this long before it ends, or at its half where that is later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request, to be sent as it is."""

    method: str
    url: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    content: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait this long, then go on."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer came."""

    reason: str


Step: TypeAlias = Sent | Wait
Result: TypeAlias = Received | Lost | None
Flow: TypeAlias = Generator[Step, Result, T]


def account_url(url: str, account: str) -> str:
    """Return where an account of a server is, whether or not the server's address ends in ``/v1``."""
    return f"{url.rstrip('/').removesuffix('/v1')}/v1/accounts/{account}"


class Exchange:
    """The state of a client between calls: server, credentials, token. ``now`` is the driver's clock, in seconds."""

    def __init__(
        self, url: str, account: str, client_id: str, client_secret: str, policy: Policy, *, strict: bool = False
    ) -> None:
        self._api = account_url(url, account)
        basic = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        self._basic, self._policy, self._strict = f"Basic {basic}", policy, strict
        self._token, self._renew_at = "", 0.0

    def answer(self, call: Call[T], now: float) -> Flow[T]:
        """Do a call.

        Raises:
            OrdreError: It is not done; its class says why.
        """
        return _decoded(call, (yield from self.received(call, now)))

    def page(self, listing: Listing[P, T], now: float) -> Flow[Page[P, T]]:
        """Ask for a page of a list."""
        received = yield from self.received(listing.call, now)
        answer = _decoded(listing.call, received)
        entries = listing.entries(answer)
        more = entries and _NEXT in received.headers.get("link", "")
        total = received.headers.get("total-count", "")
        return Page(
            entries=entries,
            total=int(total.removesuffix("+")) if total else None,
            total_is_exact=not total.endswith("+") if total else None,
            next=listing.after(listing.name(entries[-1])) if more else None,
            answer=answer,
        )

    def received(self, call: Call[Any], now: float) -> Flow[Received]:
        """Do a call; return its answer as it came."""
        headers = {"Accept": "application/json"}
        if call.writes:
            headers["Idempotency-Key"] = call.key or str(uuid4())
            if self._strict:
                headers["Prefer"] = "handling=strict"
        if call.version is not None:
            headers["If-Match"] = f'"{call.version}"'
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        content = None if call.body is None else encode(call.body)
        sent = Sent(
            method=call.method, url=f"{self._api}{call.room}{call.path}", headers=headers, query=call.query or {}, content=content
        )
        token = yield from self._valid_token(now)
        try:
            return (yield from self._sent(_with_token(sent, token)))
        except UnauthorizedError:
            token = yield from self._new_token(now)
            return (yield from self._sent(_with_token(sent, token)))

    def _valid_token(self, now: float) -> Flow[str]:
        return self._token if now < self._renew_at else (yield from self._new_token(now))

    def _new_token(self, now: float) -> Flow[str]:
        body = encode({"grant_type": "client_credentials", "audience": self._api})
        headers = {"Authorization": self._basic, "Content-Type": "application/json"}
        received = yield from self._sent(
            Sent(method="POST", url=f"{self._api}/auth/token", headers=headers, query={}, content=body)
        )
        token = _token(received.content)
        self._token = token.access_token
        self._renew_at = now + max(token.expires_in - self._policy.renew_before_seconds, token.expires_in / 2)
        return self._token

    def _sent(self, sent: Sent) -> Flow[Received]:
        """Send again and again, until there is an answer or no attempts are left."""
        attempt, wait = 1, self._policy.first_wait_seconds
        while True:
            result = yield sent
            if isinstance(result, Received) and result.status < 400:  # noqa: PLR2004 - where HTTP's errors begin
                return result
            asked = _retry_after(result)
            if not _passes(result) or attempt >= self._policy.attempts:
                raise _error(result)
            attempt += 1
            yield Wait(min(max(wait * random.uniform(0.5, 1.0), asked), self._policy.longest_wait_seconds))  # noqa: S311 - no secret
            wait *= 2


def _decoded(call: Call[T], received: Received) -> T:
    try:
        return call.decode(received.content)
    except msgspec.MsgspecError as error:
        raise UnexpectedError(f"The answer does not have the expected type: {error}", status=received.status) from error


def _with_token(sent: Sent, token: str) -> Sent:
    return replace(sent, headers={**sent.headers, "Authorization": f"Bearer {token}"})


def _passes(result: Result) -> bool:
    """Whether another attempt may succeed."""
    return isinstance(result, Lost) or (isinstance(result, Received) and result.status in RETRIED)


def _retry_after(result: Result) -> float:
    text = result.headers.get("retry-after", "") if isinstance(result, Received) else ""
    return float(text) if text.isdecimal() else 0.0


def _error(result: Result) -> Exception:
    if isinstance(result, Received):
        return error_of(result.status, result.content, result.headers.get("x-request-id", ""))
    return UnreachableError(result.reason if isinstance(result, Lost) else "nothing was received")
