"""What a client sends is read in a time that grows with its size and no faster: each text four times as long, measured."""

import gc
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from ordre.api.http.errors import Failure, refusal_body
from ordre.api.http.requests import STRANGER_BYTES, Bodies, Queries, check_names, form_of, idempotency_key, path_of, version_named
from ordre.api.http.unseen import Told, ignored_header, prefers_strict
from ordre.api.wire.orders import NewOrder
from ordre.api.wire.queries import OrderListOf
from ordre.api.wire.search import fact_terms, searched
from ordre.auth.tokens import is_audience_of
from ordre.domain.order.facts import Commented
from ordre.domain.refusals import Refused
from service import Service, item, serving

pytestmark = pytest.mark.slow

TIMES = 4
MOST = 10.0
"""So many times as long may it take: ``TIMES`` where it grows with the size, 16 where it grows with its square."""
LEAST_SECONDS = 0.002
"""What takes less is so fast that its growth cannot be told; the square of it would take more."""

Read = Callable[[int], Callable[[], object]]
"""For a size in bytes: what reads a text of about that size."""
EXAMPLE = item(1, 5)
SECONDS = 3.0
"""Nobody waits longer while a body of 1 MB is read, on a machine that is busy with other tests."""


def order_with(**fields: Any) -> bytes:
    return json.dumps({"currency": "NOK", "items": [EXAMPLE], **fields}).encode()


def line_with(field: bytes, value: bytes) -> bytes:
    line = json.dumps(EXAMPLE).encode().removesuffix(b"}")
    return b'{"currency":"NOK","items":[%b,"%b":%b}]}' % (line, field, value)


BODIES: dict[str, Callable[[int], bytes]] = {
    "a string that is not closed": lambda size: b"[" * 40 + b'"' + b'\\"' * (size // 2),
    "quotes": lambda size: b"[" * 40 + b'"' * size,
    "brackets": lambda size: b"[" * size,
    "pairs of brackets": lambda size: b"[]" * (size // 2),
    "one backslash after another": lambda size: b"[" * 40 + b'"' + b"\\" * size,
    "white space": lambda size: b" " * size + b"[]",
    "a long number": lambda size: line_with(b"quantity", b"1" * size),
    "a long fraction": lambda size: line_with(b"gross_amount", b"5." + b"0" * size),
    "a long exponent": lambda size: line_with(b"gross_amount", b"1e" + b"9" * size),
    "a long id": lambda size: order_with(order_id="a" * size),
    "a long date": lambda size: order_with(delivery_at="2026-01-31T10:00:00." + "0" * size),
    "lines before a date": lambda size: order_with(delivery_at="\n" * size),
    "a phone number of spaces": lambda size: order_with(customer={"phone_number": " " * size + "x"}),
    "an address of @": lambda size: order_with(customer={"email": "@" * size}),
    "wrong countries": lambda size: order_with(
        customer={"addresses": [{"country": "XX", "comment": "x" * (size // 20)} for _ in range(20)]}
    ),
    "a long wrong country": lambda size: order_with(customer={"addresses": [{"country": "x" * size}]}),
    "wrong countries among right ones": lambda size: order_with(
        customer={"addresses": ([{"country": "NO"}] * (size // 400) + [{"country": "XX"}]) * 20}
    ),
    "empty lines": lambda size: order_with(items=[{}] * (size // 4)),
    "lines with a point": lambda size: order_with(items=[{**EXAMPLE, "gross_amount": 5.0}] * (size // 80)),
    "the same name again": lambda size: b'{"currency":5,' + b'"currency":5,' * (size // 13) + b'"items":[]}',
    "large metadata": lambda size: order_with(items=[{**EXAMPLE, "metadata": {"a": "x" * 17_000}}] * (size // 17_000 + 1)),
}


def asked(query: bytes = b"", path: str = "/", **headers: str) -> Request:
    lines = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Request({"type": "http", "method": "PUT", "path": path, "query_string": query, "headers": lines})


def whole(make: Callable[[int], Any], read: Callable[[Any], object]) -> Read:
    def sized(size: int) -> Callable[[], object]:
        text = make(size)
        return lambda: read(text)

    return sized


def part(make: Callable[[int], str], read: Callable[[str], object]) -> Read:
    """A text of a 32nd of the size: all headers have 32 KB together, a body 1 MB."""
    return whole(lambda size: make(size // 32), read)


def order(body: bytes) -> object:
    decoded = ORDERS.decode(body)
    Told(strict=True).refuse(NewOrder, body, ())
    return decoded


def prefers(value: str) -> object:
    return prefers_strict([(b"prefer", value.encode())])


def comment(text: str) -> object:
    return fact_terms(Commented(id="1"), json.dumps({"id": "1", "body": text}))


def queries(query: str) -> object:
    return Queries(OrderListOf).decode(asked(query.encode()))


ORDERS = Bodies(NewOrder, 32)
READS: dict[str, Read] = {
    **{name: whole(make, order) for name, make in BODIES.items()},
    "strange names": whole(lambda size: json.dumps({"\u00e5" * (size // 120) + str(n): 1 for n in range(20)}).encode(), order),
    "a form": whole(lambda size: b"a=b&" * (size // 4), form_of),
    "a form of percent signs": whole(lambda size: b"a=" + b"%ff" * (size // 3), form_of),
    "names for a header": whole(lambda size: ["\u00e5" * size] * 20, ignored_header),
    "an audience": whole(lambda size: "/" * size + "@", lambda text: is_audience_of(text, "T12345678")),
    "Prefer: quotes": part(lambda size: '"' + '\\"' * (size // 2), prefers),
    "Prefer: spaces": part(lambda size: "handling=" + " " * size + "!", prefers),
    "Prefer: backslashes": part(lambda size: '"' + "\\" * size, prefers),
    "Prefer: commas": part(lambda size: "," * size, prefers),
    "If-Match: digits": part(lambda size: '"' + "1" * size, lambda value: version_named(asked(if_match=value))),
    "If-Match: spaces": part(lambda size: " " * size + '"', lambda value: version_named(asked(if_match=value))),
    "Idempotency-Key": part(lambda size: "k" * size, lambda value: idempotency_key(asked(idempotency_key=value))),
    "the same parameter again": part(lambda size: "q=&" * (size // 3), queries),
    "strange parameters": part(lambda size: "&".join(f"x{n}=1" for n in range(size // 8)), queries),
    "a parameter of commas": part(lambda size: "currency=" + "," * size, queries),
    "a long instant": part(lambda size: "created_at.gte=" + "0" * size, queries),
    "a path": part(lambda size: "/%2F%25%C3" * (size // 10), lambda path: path_of(asked(path=path))),
    "a path without a NUL": part(lambda size: "/%0" * (size // 3), lambda path: check_names(asked(path=path))),
    "marks in a comment": part(lambda size: "a" + "!" * size + "a", comment),
    "words in a comment": part(lambda size: "a!" * (size // 2), comment),
    "a phone number that is none": part(lambda size: "(" * size + "x", searched),
    "spaces before a word": part(lambda size: " " * size + "x", searched),
}


def seconds_for(read: Callable[[], object]) -> float:
    """The least processor time of some readings."""
    best = float("inf")
    for _ in range(5):
        begun = time.process_time()
        try:
            read()
        except Refused as refused:
            refusal_body(refused)
        except (Failure, ValueError):  # refused at once
            pass
        best = min(best, time.process_time() - begun)
    return best


@contextmanager
def without_collections() -> Iterator[None]:
    """What the collector of garbage does grows with all that there is."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.parametrize("name", list(READS))
def test_four_times_the_text_takes_four_times_as_long(name: str) -> None:
    small, large = READS[name](64_000), READS[name](64_000 * TIMES)
    with without_collections():
        took = seconds_for(large)
        assert took < LEAST_SECONDS or took < MOST * seconds_for(small)


def test_what_takes_the_square_of_its_size_is_told() -> None:
    def square(size: int) -> Callable[[], object]:
        text = "a" * (size // 64)
        return lambda: [text.count(letter) for letter in text]

    with without_collections():
        took = seconds_for(square(64_000 * TIMES))
        assert took > LEAST_SECONDS
        assert took > MOST * seconds_for(square(64_000))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(f"sqlite:///{tmp_path_factory.mktemp('growth')}/o.sqlite") as made:
        yield made


@contextmanager
def watched(service: Service) -> Iterator[list[float]]:
    """How many seconds each question took whether the server is well, asked on another connection meanwhile."""
    found, ended = [], threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=service.url, timeout=SECONDS) as http:
            while not ended.wait(0.02):
                begun = time.monotonic()
                assert http.get("/health").status_code == 200
                found.append(time.monotonic() - begun)

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        try:
            yield found
        finally:
            ended.set()
            asking.result()


@pytest.mark.slow
def test_no_body_of_a_megabyte_keeps_others_waiting(service: Service) -> None:
    with service.shop() as shop, watched(service) as waits:
        for make in BODIES.values():
            answer = shop.send(
                "POST", "/orders", content=make(1_000_000)[: 1024 * 1024], headers={"content-type": "application/json"}
            )
            assert answer.status_code in (200, 400)
        for value in ('"' + '\\"' * 14_000, "handling=" + " " * 28_000 + "!"):
            assert shop.send("POST", "/orders", {"currency": "NOK"}, headers={"prefer": value}).status_code == 400
        assert shop.order(5)["status"] == "open"
    assert len(waits) > 1
    assert max(waits) < SECONDS


@pytest.mark.slow
def test_who_has_no_token_sends_no_large_body(service: Service) -> None:
    with service.shop() as shop:
        for media in ("application/json", "application/x-www-form-urlencoded"):
            path = f"/v1/accounts/{shop.account_id}/auth/token"
            answer = shop.http.post(path, content=b"a" * (STRANGER_BYTES + 1), headers={"content-type": media})
            assert (answer.status_code, answer.json()["error"]["errors"][0]["code"]) == (413, "too_large")
            assert shop.http.post(path, content=b"a" * STRANGER_BYTES, headers={"content-type": media}).status_code in (400, 401)
