"""The two clients: they send what the exchange asks for, and wait as long as it says."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack, overload

import httpx

from ordre.api.wire.feed import Entry
from ordre.client.calls import Call, Listing, Page
from ordre.client.errors import TooManyRequestsError, UnavailableError, UnreachableError
from ordre.client.exchange import Exchange, Flow, Lost, Policy, Received, Result, Sent
from ordre.client.feed import WAIT_SECONDS, Reading
from ordre.client.filters import FeedFilters

T = TypeVar("T")
P = TypeVar("P")
TIMEOUT_SECONDS = 30.0


class Client:
    """A client of one account. It may be used by several threads; ``close`` it, or use it in a ``with``.

    Args:
        url: Where Ordre is, such as ``https://orders.example.com``.
        account: The account, such as ``T12345678``.
        client_id: The client's id.
        client_secret: Its secret.
        policy: How often calls are tried.
        strict: Whether writes prefer ``handling=strict``: a field that Ordre does not take is refused.
        http: What sends, with its own timeouts, proxies and certificates; it is not closed with the client.
    """

    def __init__(
        self,
        url: str,
        account: str,
        client_id: str,
        client_secret: str,
        *,
        policy: Policy | None = None,
        strict: bool = False,
        http: httpx.Client | None = None,
    ) -> None:
        self._exchange = Exchange(url, account, client_id, client_secret, policy or Policy(), strict=strict)
        self._http, self._owned = http or httpx.Client(timeout=TIMEOUT_SECONDS), http is None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        if self._owned:
            self._http.close()

    @overload
    def send(self, call: Call[T]) -> T: ...
    @overload
    def send(self, call: Listing[P, T]) -> Page[P, T]: ...
    def send(self, call: Call[Any] | Listing[Any, Any]) -> Any:
        """Do a call and return what it is answered; of a list, one page.

        Raises:
            OrdreError: It is not done; its class says why.
        """
        now = time.monotonic()
        if isinstance(call, Listing):
            return self._drive(self._exchange.page(call, now))
        return self._drive(self._exchange.answer(call, now))

    def receive(self, call: Call[Any]) -> Received:
        """Do a call and return the answer as it came: status, headers, bytes."""
        return self._drive(self._exchange.received(call, time.monotonic()))

    def each(self, listing: Listing[P, T]) -> Iterator[T]:
        """Yield every entry of a list, asking for page after page as they are used."""
        following: Listing[P, T] | None = listing
        while following is not None:
            page = self._drive(self._exchange.page(following, time.monotonic()))
            yield from page
            following = page.next

    def feed(self, after: int = 0, *, wait: int = WAIT_SECONDS, **filters: Unpack[FeedFilters]) -> Iterator[Entry]:
        """Yield every change after a position, and go on as they are made; with ``wait=0`` until there is none left.

        Keep the ``position`` of the last entry that you are done with: from there you go on after a restart. Where no answer
        comes, it is asked for again, with growing pauses, for as long as it takes.

        Raises:
            OrdreError: The feed cannot be read; its class says why.
        """
        reading = Reading(after, wait, filters)
        while reading.goes_on:
            try:
                page = self.send(reading.call)
            except (UnreachableError, UnavailableError, TooManyRequestsError):
                if not wait:
                    raise
                time.sleep(reading.pause())
            else:
                yield from reading.took(page)

    def _drive(self, flow: Flow[T]) -> T:
        result: Result = None
        while True:
            try:
                step = flow.send(result)
            except StopIteration as stop:
                answer: T = stop.value
                return answer
            if isinstance(step, Sent):
                result = self._sent(step)
            else:
                result = None
                time.sleep(step.seconds)

    def _sent(self, sent: Sent) -> Result:
        try:
            answer = self._http.request(
                sent.method, sent.url, headers=dict(sent.headers), params=dict(sent.query), content=sent.content
            )
        except httpx.TransportError as error:
            return _lost(error)
        return _received(answer)


class AsyncClient:
    """The same for asyncio. Its arguments are those of ``Client``."""

    def __init__(
        self,
        url: str,
        account: str,
        client_id: str,
        client_secret: str,
        *,
        policy: Policy | None = None,
        strict: bool = False,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self._exchange = Exchange(url, account, client_id, client_secret, policy or Policy(), strict=strict)
        self._http, self._owned = http or httpx.AsyncClient(timeout=TIMEOUT_SECONDS), http is None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        if self._owned:
            await self._http.aclose()

    @overload
    async def send(self, call: Call[T]) -> T: ...
    @overload
    async def send(self, call: Listing[P, T]) -> Page[P, T]: ...
    async def send(self, call: Call[Any] | Listing[Any, Any]) -> Any:
        """Do a call and return what it is answered; of a list, one page.

        Raises:
            OrdreError: It is not done; its class says why.
        """
        now = time.monotonic()
        if isinstance(call, Listing):
            return await self._drive(self._exchange.page(call, now))
        return await self._drive(self._exchange.answer(call, now))

    async def receive(self, call: Call[Any]) -> Received:
        """Do a call and return the answer as it came: status, headers, bytes."""
        return await self._drive(self._exchange.received(call, time.monotonic()))

    async def each(self, listing: Listing[P, T]) -> AsyncIterator[T]:
        """Yield every entry of a list, asking for page after page as they are used."""
        following: Listing[P, T] | None = listing
        while following is not None:
            page = await self._drive(self._exchange.page(following, time.monotonic()))
            for entry in page:
                yield entry
            following = page.next

    async def feed(self, after: int = 0, *, wait: int = WAIT_SECONDS, **filters: Unpack[FeedFilters]) -> AsyncIterator[Entry]:
        """Yield every change after a position, and go on as they are made; with ``wait=0`` until there is none left.

        Keep the ``position`` of the last entry that you are done with: from there you go on after a restart. Where no answer
        comes, it is asked for again, with growing pauses, for as long as it takes.

        Raises:
            OrdreError: The feed cannot be read; its class says why.
        """
        reading = Reading(after, wait, filters)
        while reading.goes_on:
            try:
                page = await self.send(reading.call)
            except (UnreachableError, UnavailableError, TooManyRequestsError):
                if not wait:
                    raise
                await asyncio.sleep(reading.pause())
            else:
                for entry in reading.took(page):
                    yield entry

    async def _drive(self, flow: Flow[T]) -> T:
        result: Result = None
        while True:
            try:
                step = flow.send(result)
            except StopIteration as stop:
                answer: T = stop.value
                return answer
            if isinstance(step, Sent):
                result = await self._sent(step)
            else:
                result = None
                await asyncio.sleep(step.seconds)

    async def _sent(self, sent: Sent) -> Result:
        try:
            answer = await self._http.request(
                sent.method, sent.url, headers=dict(sent.headers), params=dict(sent.query), content=sent.content
            )
        except httpx.TransportError as error:
            return _lost(error)
        return _received(answer)


def _received(answer: httpx.Response) -> Received:
    return Received(status=answer.status_code, headers=answer.headers, content=answer.content)


def _lost(error: httpx.TransportError) -> Lost:
    return Lost(f"{type(error).__name__}: {error}".rstrip(": "))
