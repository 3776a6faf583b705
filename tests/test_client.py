"""`ordre.client` against a running server, with and without asyncio: every operation, tokens, retries, pages, errors."""

import asyncio
import inspect
import re
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar, Unpack, overload

import httpx
import msgspec
import pytest

from ordre.api.operations.table import OPERATIONS
from ordre.api.wire.common import Number
from ordre.api.wire.feed import Entry
from ordre.api.wire.item_parts import TaxLine
from ordre.api.wire.items import NewItem
from ordre.api.wire.operations import NewOperation, OperationItem
from ordre.api.wire.orders import NewOrder
from ordre.client import UNSET, AsyncClient, Call, Client, Listing, Page, Policy, calls, errors, hooks
from ordre.client.filters import FeedFilters, OrderFilters
from service import Service, Shop, items, operation, serving

pytestmark = pytest.mark.once

T = TypeVar("T")
P = TypeVar("P")
FAST = Policy(attempts=4, first_wait_seconds=0.01, longest_wait_seconds=0.05)


class Sender(Protocol):
    @overload
    def send(self, call: Call[T]) -> T: ...
    @overload
    def send(self, call: Listing[P, T]) -> Page[P, T]: ...
    def each(self, listing: Listing[P, T]) -> Iterator[T]: ...
    def feed(self, after: int = 0, *, wait: int = ..., **filters: Unpack[FeedFilters]) -> Iterator[Entry]: ...


class Looped:
    """The client for asyncio, called without it."""

    def __init__(self, client: AsyncClient, loop: asyncio.AbstractEventLoop) -> None:
        self._client, self._loop = client, loop

    def send(self, call: Any) -> Any:
        return self._loop.run_until_complete(self._client.send(call))

    def each(self, listing: Listing[P, T]) -> Iterator[T]:
        entries = self._client.each(listing)
        while True:
            try:
                yield self._loop.run_until_complete(anext(entries))
            except StopAsyncIteration:
                return

    def feed(self, after: int = 0, *, wait: int = 1, **filters: Unpack[FeedFilters]) -> Iterator[Entry]:
        entries = self._client.feed(after, wait=wait, **filters)
        while True:
            try:
                yield self._loop.run_until_complete(anext(entries))
            except StopAsyncIteration:
                return


class Network:
    """What lies between the client and a real server: counts requests, and does what it is told to some of them."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        self.faults: list[str] = []

    def before(self, request: httpx.Request) -> httpx.Response | None:
        self.requests.append((request.method, request.url.raw_path.decode()))
        fault = self.faults[0] if self.faults and not request.url.path.endswith("/auth/token") else ""
        if fault == "unsent":
            self.faults.pop(0)
            raise httpx.ConnectError("no way there", request=request)
        if fault.isdecimal():
            self.faults.pop(0)
            return httpx.Response(int(fault), headers={"retry-after": "0"}, text="<html>a proxy speaks</html>")
        return None

    def after(self, request: httpx.Request) -> None:
        if self.faults and self.faults[0] == "unanswered" and not request.url.path.endswith("/auth/token"):
            self.faults.pop(0)
            raise httpx.ReadError("the answer is lost", request=request)

    @property
    def tokens(self) -> int:
        return sum(path.endswith("/auth/token") for _, path in self.requests)


class Line(httpx.HTTPTransport):
    def __init__(self, network: Network) -> None:
        super().__init__()
        self._network = network

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if (answer := self._network.before(request)) is not None:
            return answer
        answer = super().handle_request(request)
        answer.read()
        self._network.after(request)
        return answer


class AsyncLine(httpx.AsyncHTTPTransport):
    def __init__(self, network: Network) -> None:
        super().__init__()
        self._network = network

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if (answer := self._network.before(request)) is not None:
            return answer
        answer = await super().handle_async_request(request)
        await answer.aread()
        self._network.after(request)
        return answer


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture(params=["sync", "async"])
def client(request: pytest.FixtureRequest, shop: Shop, service: Service, network: Network) -> Iterator[Sender]:
    given = (service.url, shop.account_id, shop.client_id, shop.secret)
    if request.param == "sync":
        with httpx.Client(transport=Line(network)) as http, Client(*given, policy=FAST, http=http) as made:
            yield made
        return
    loop = asyncio.new_event_loop()
    sending = httpx.AsyncClient(transport=AsyncLine(network))
    yield Looped(AsyncClient(*given, policy=FAST, http=sending), loop)
    loop.run_until_complete(sending.aclose())
    loop.close()


def new(*amounts: int, **fields: Any) -> dict[str, Any]:
    return {"currency": "NOK", "items": items(*amounts), **fields}


def every_call(client: Sender) -> list[Call[Any]]:  # noqa: PLR0915 - a line an operation
    """Does every operation once; returns the calls."""
    made: list[Call[Any]] = []

    @overload
    def send(call: Call[T]) -> T: ...
    @overload
    def send(call: Listing[P, T]) -> Page[P, T]: ...
    def send(call: Any) -> Any:
        made.append(call.call if isinstance(call, Listing) else call)
        return client.send(call)

    draft = send(calls.create_draft({"order": {**new(100), "order_id": "2026/17 \u00f8%2F"}})).id
    send(calls.get_draft(draft))
    assert send(calls.update_draft(draft, {"order": {"comment": "x"}}, version=1)).order.comment == "x"
    assert len(send(calls.add_item(draft, items(1, 2)[1])).order.items) == 2
    assert send(calls.change_item(draft, 2, {**items(1, 2)[1], "gross_amount": 9})).order.gross_amount == 109
    assert len(send(calls.remove_item(draft, 2)).order.items) == 1
    (order,) = send(calls.complete_draft(draft)).orders
    send(calls.delete_draft(send(calls.create_draft({"order": new()})).id))
    path = order.order_id
    assert send(calls.get_order(path, include_events=True, version=1)).state == "pending"
    customer = {"customer": {"id": "C/1"}, "store": {"id": "S 1"}}
    assert send(calls.update_order(path, customer, version=1)).version == 2
    assert {change.path for change in send(calls.compare_versions(path, 1, 2)).changes} >= {"version", "customer", "store"}
    assert send(calls.set_item_statuses(path, {"items": [{"line_id": 1, "status": "packed"}]})).items[0].status == "packed"
    assert send(calls.close_order(path)).status == "closed"
    assert send(calls.open_order(path)).status == "open"
    session = {"items": [{"line_id": "1"}], "profile_id": "p", "url": {}}
    assert send(calls.get_session(path, send(calls.start_session(path, session)).id)).amount == 100
    assert len(send(calls.list_sessions(path))) == 1
    authorization = send(calls.authorize(path, operation((1, 100), id="a/1"))).id
    assert send(calls.get_authorization(path, authorization)).amount == 100
    capture = send(calls.capture(path, operation((1, 60)))).id
    assert send(calls.get_capture(path, capture)).amount == 60
    refund = send(calls.refund(path, operation((1, 60)))).id
    assert send(calls.get_refund(path, refund)).amount == 60
    cancellation = send(calls.cancel(path, operation((1, 40)))).id
    assert send(calls.get_cancellation(path, cancellation)).amount == 40
    for operations in (calls.list_authorizations, calls.list_captures, calls.list_refunds, calls.list_cancellations):
        assert len(send(operations(path, limit=1))) == 1
    assert send(calls.report_event(path, {"service": "kitchen", "service_status": "ready"})).state == "success"
    assert send(calls.list_events(path, include_events="service-event")).answer.state == "success"
    comment = send(calls.add_comment(path, {"body": "hello"})).id
    assert send(calls.delete_comment(path, comment)).deleted_by
    for listing in (calls.list_orders(), calls.list_store_orders("S 1"), calls.list_customer_orders("C/1")):
        assert [one.order_id for one in send(listing)] == [path]
    assert [one.order_id for one in send(calls.export_orders(status="open", include_events=True))] == [path]
    assert len(send(calls.list_drafts(status="completed"))) == 1
    assert [one.id for one in send(calls.read_feed(kind=["capture", "refund"], limit=1)).entries] == [order.id]
    receiver = {"config": {"url": "https://shop.example/webhooks"}, "events": ["shopping_order_update"]}
    hook = send(hooks.subscribe(receiver)).id
    assert [one.id for one in send(hooks.list_subscriptions(limit=1))] == [send(hooks.get_subscription(hook)).id] == [hook]
    assert send(hooks.ping(hook)) is None
    assert send(hooks.redeliver_after(hook, 0)).position == 0
    (ping, *_) = send(hooks.list_deliveries(hook, total=True))
    assert send(hooks.get_delivery(hook, ping.id)).id == send(hooks.redeliver(hook, ping.id)).id == ping.id
    assert send(hooks.resume(hook)).state == "active"
    assert send(hooks.unsubscribe(hook)).state == "deleted"
    assert send(calls.get_store_order("S 1", path)).id == send(calls.get_customer_order("C/1", path)).id
    assert send(calls.create_order(new(5))).status == "open"
    assert send(calls.cancel_order(path, {"cancelled_reason": "customer"})).status == "cancelled"
    erased = send(calls.erase_order(path, key="erase"))
    with pytest.raises(errors.ErasedError) as raised:
        send(calls.get_order(path))
    assert raised.value.order == erased
    return made


def test_every_operation(client: Sender, network: Network) -> None:
    made = every_call(client)
    operations = [route for route in OPERATIONS if route.scopes]
    reached = set()
    for method, path in network.requests:
        below = path.partition("?")[0].split("/")
        for route in operations:
            pattern = route.path.split("/")
            fits = len(pattern) == len(below) and all(a == b or a[:1] == "{" for a, b in zip(pattern, below, strict=True))
            if fits and method == route.method:
                reached.add(route.id)
    assert {route.id for route in operations} - reached == set(), "give each a function in client/calls.py, and call it here"
    both = {**vars(calls), **vars(hooks)}.items()
    functions = {name for name, one in both if inspect.isfunction(one) and one.__module__ in (calls.__name__, hooks.__name__)}
    assert len([name for name in functions if name[0] != "_" and name != "plain"]) == len(operations)
    assert len(made) >= len(operations)
    assert network.tokens == 1


def test_wire_types_are_sent_and_answered(client: Sender) -> None:
    line = NewItem(id="A", line_id=1, gross_amount=500, tax_lines=[TaxLine(amount=100, percentage=Number("25.0"))])
    metadata = {"n": msgspec.Raw(b"1.10")}
    order = client.send(calls.create_order(NewOrder(currency="NOK", items=[line], metadata=metadata)))
    assert (order.net_amount, order.payment_details.amount_due, order.items[0].tax_lines[0].amount) == (500, 500, 100)
    assert (str(order.items[0].tax_lines[0].percentage), calls.plain(order)["metadata"]) == ("25.0", {"n": 1.1})
    recorded = client.send(calls.authorize(order.id, NewOperation(items=[OperationItem(line_id=1, amount=500)])))
    assert calls.plain(recorded)["items"] == [{"line_id": 1, "amount": 500}]


def test_pages_go_on_while_orders_are_written(client: Sender) -> None:
    made = [client.send(calls.create_order(new(number))).id for number in range(1, 8)]
    seen = []
    for order in client.each(calls.list_orders(limit=2, created_at__gte="2020-01-01T00:00:00Z")):
        seen.append(order.id)
        client.send(calls.create_order(new(99)))
    assert seen == made[::-1]
    assert list(client.each(calls.list_orders(q="nothing"))) == []
    assert [draft.id for draft in client.each(calls.list_drafts())] == []


def test_a_page_knows_how_many_there_are_and_the_next_one(client: Sender) -> None:
    made = [client.send(calls.create_order(new(number))).id for number in range(1, 6)]
    first = client.send(calls.list_orders(limit=2, total=True))
    assert ([one.id for one in first], len(first), first.total, first.total_is_exact) == (made[:2:-1], 2, 5, True)
    without = client.send(calls.list_orders(limit=2))
    assert (without.total, without.total_is_exact) == (None, None)
    assert first.next is not None
    second = client.send(first.next)
    assert second.next is not None
    last = client.send(second.next)
    assert ([one.id for one in last], last.next) == ([made[0]], None)
    assert client.send(calls.list_orders()).total is None
    operations = client.send(calls.list_captures(made[0], total=True))
    assert (operations.entries, operations.total) == ([], 0)


def test_filters_take_several_values_instants_and_keys(client: Sender) -> None:
    pending = client.send(calls.create_order(new(100, metadata={"channel": "pos"})))
    paid = client.send(calls.create_order(new(0)))
    other = client.send(calls.create_order({**new(100), "currency": "SEK"}))
    client.send(calls.close_order(other.id))

    def found(**filters: Unpack[OrderFilters]) -> set[str]:
        return {one.id for one in client.send(calls.list_orders(**filters))}

    assert found(payment_status=["pending", "paid"], status="open") == {pending.id, paid.id}
    assert found(currency=("SEK", "DKK")) == {other.id}
    assert found(metadata={"channel": "pos"}) == {pending.id}
    assert found(created_at__gte=datetime.now(UTC) - timedelta(hours=1)) == {pending.id, paid.id, other.id}
    assert found(created_at__gte=datetime.now(UTC) + timedelta(hours=1)) == set()
    with pytest.raises(ValueError, match="created_at__gte has no time zone"):
        calls.list_orders(created_at__gte=datetime.now())  # noqa: DTZ005 - the mistake


def test_an_error_as_text_names_field_message_and_code(client: Sender) -> None:
    with pytest.raises(errors.BadRequestError) as raised:
        client.send(calls.create_order({"currency": "NOK", "items": [{"id": "A", "line_id": 1}, {"line_id": 2}]}))
    lines = str(raised.value).splitlines()
    assert len(lines) == len(raised.value.faults) >= 3
    assert all(re.fullmatch(r"items\[\d\]\.\w+: .+ \(missing_field\)", line) for line in lines)
    assert raised.value.message.startswith("items[0].gross_amount")


def test_what_is_absent_is_false_and_left_out_of_the_text(client: Sender) -> None:
    order = client.send(calls.create_order(new(100)))
    assert order.closed_at is UNSET
    assert not order.closed_at
    assert "UNSET" not in repr(order)
    assert "closed_at" not in repr(order)
    assert f"id='{order.id}'" in repr(order)


@pytest.mark.parametrize("faults", [["unanswered"], ["unsent", "unanswered", "503"], ["502", "504", "429"]])
def test_what_fails_on_the_way_is_done_once(client: Sender, network: Network, faults: list[str]) -> None:
    order = client.send(calls.create_order(new(100)))
    client.send(calls.authorize(order.id, operation((1, 100))))
    network.faults = list(faults)
    capture = client.send(calls.capture(order.id, operation((1, 60))))
    assert network.faults == []
    assert [one.id for one in client.send(calls.list_captures(order.id))] == [capture.id]


def test_it_gives_up(client: Sender, network: Network) -> None:
    client.send(calls.list_orders().call)
    for faults, error, sent in (
        (["unsent"] * 9, errors.UnreachableError, 4),
        (["503"] * 9, errors.UnavailableError, 4),
        (["429"] * 9, errors.TooManyRequestsError, 4),
        (["500"], errors.UnexpectedError, 1),
        (["413"], errors.UnexpectedError, 1),
    ):
        network.faults, before = list(faults), len(network.requests)
        with pytest.raises(error) as raised:
            client.send(calls.list_orders().call)
        assert (len(network.requests) - before, raised.value.faults) == (sent, ())
    network.faults = []


def test_a_key_of_ones_own(client: Sender) -> None:
    first = client.send(calls.create_order(new(100), key="order-17"))
    assert client.send(calls.create_order(new(100), key="order-17")).id == first.id
    with pytest.raises(errors.KeyReusedError) as raised:
        client.send(calls.create_order(new(101), key="order-17"))
    assert (raised.value.status, raised.value.codes, bool(raised.value.request_id)) == (422, ("key_reused",), True)


def test_errors_are_classes(client: Sender, service: Service, shop: Shop) -> None:
    order = client.send(calls.create_order(new(100)))
    client.send(calls.close_order(order.id))
    with pytest.raises(errors.VersionDiffersError) as stale:
        client.send(calls.update_order(order.id, {"comment": "x"}, version=1))
    assert stale.value.faults[0].current_version == 2
    assert isinstance(stale.value.faults[0].events, list)
    with pytest.raises(errors.NotFoundError, match="Order not found"):
        client.send(calls.get_order("none/../such"))
    client.send(calls.open_order(order.id))
    client.send(calls.authorize(order.id, operation((1, 10), id="a")))
    with pytest.raises(errors.AlreadyUsedError):
        client.send(calls.authorize(order.id, operation((1, 11), id="a")))
    with pytest.raises(errors.BadRequestError) as refused:
        client.send(calls.capture(order.id, operation((1, 11))))
    assert (refused.value.codes, refused.value.faults[0].remaining) == (("exceeds_remaining",), 10)
    with service.shop("read:shopping") as other:
        reader = Client(service.url, other.account_id, other.client_id, other.secret)
        with reader, pytest.raises(errors.ForbiddenError):
            reader.send(calls.create_order(new(1)))
        stranger = Client(service.url, shop.account_id, other.client_id, other.secret)
        with stranger, pytest.raises(errors.UnauthorizedError):
            stranger.send(calls.get_order(order.id))


@pytest.fixture(scope="module")
def hasty(database: str) -> Iterator[Service]:
    """A server whose tokens live for two seconds."""
    with serving(database, ORDRE_TOKEN_SECONDS="2") as made:
        yield made


def test_tokens_are_renewed_before_they_end(hasty: Service) -> None:
    network = Network()
    with hasty.shop() as shop, httpx.Client(transport=Line(network)) as http:
        client = Client(hasty.url, shop.account_id, shop.client_id, shop.secret, http=http)
        for _ in range(20):
            client.send(calls.list_orders().call)
            time.sleep(0.15)
    assert 3 <= network.tokens <= 4


def test_a_token_that_is_refused_is_renewed_once(shop: Shop, service: Service) -> None:
    network = Network()
    with httpx.Client(transport=Line(network)) as http:
        client = Client(service.url, shop.account_id, shop.client_id, shop.secret, http=http)
        client.send(calls.list_orders().call)
        network.faults = ["401"]
        client.send(calls.list_orders().call)
        assert network.tokens == 2
        network.faults = ["401", "401"]
        with pytest.raises(errors.UnauthorizedError):
            client.send(calls.list_orders().call)


def test_the_feed_is_waited_for_as_long_as_one_likes(client: Sender, shop: Shop) -> None:
    """A request waits for less than the client waits for its answer; there is another one after it."""
    shop.order(1)
    assert next(client.feed(wait=3600)).position == 1


def test_the_feed_is_read_to_its_end(client: Sender, shop: Shop) -> None:
    for number in range(5):
        shop.order(number + 1)
    assert [entry.position for entry in client.feed(wait=0, limit=2)] == [1, 2, 3, 4, 5]
    assert [entry.position for entry in client.feed(3, wait=0)] == [4, 5]
    assert list(client.feed(wait=0, kind="capture")) == []
    assert [entry.order.gross_amount for entry in client.feed(wait=0, include="order", limit=2) if entry.order] == [1, 2, 3, 4, 5]


def test_the_feed_goes_on_as_changes_are_made(client: Sender, shop: Shop, network: Network) -> None:
    shop.order(1)
    entries = client.feed(wait=5)
    assert next(entries).position == 1
    for position in (2, 3, 4):
        network.faults = ["503", "unsent", "unanswered"] * (position - 1)
        later = threading.Timer(0.2, shop.order, (1,))
        later.start()
        assert next(entries).position == position, "whatever fails on the way, it is asked for again, and nothing comes twice"
        later.join()
        assert network.faults == []


def test_a_feed_that_may_not_be_read_ends(service: Service, shop: Shop) -> None:
    with service.shop("write:shopping:/orders/ANY/events") as other:
        reader = Client(service.url, other.account_id, other.client_id, other.secret)
        with reader, pytest.raises(errors.ForbiddenError):
            next(reader.feed())
    gone = Client("http://127.0.0.1:1", shop.account_id, shop.client_id, shop.secret, policy=FAST)
    with gone, pytest.raises(errors.UnreachableError):
        next(gone.feed(wait=0))
