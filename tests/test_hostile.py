"""Connections that mean no good: slow heads, slow bodies, floods of headers. Others are served, and memory is bounded."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from ordre.api.http.connection import HEAD_SECONDS
from service import Service, Shop, hasty, items, memory_of

pytestmark = [pytest.mark.slow, pytest.mark.once]


@pytest.fixture(scope="module")
def impatient(database: str) -> Iterator[Service]:
    """A server that waits two seconds for a head, and for a body."""
    made = hasty(database, ORDRE_BODY_SECONDS="2")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def shop(impatient: Service) -> Iterator[Shop]:
    with impatient.shop() as made:
        yield made


Connect = Callable[..., socket.socket]


@pytest.fixture
def connect(impatient: Service) -> Iterator[Connect]:
    """Opens connections to the server and sends them something; all are closed at the end."""
    with ExitStack() as opened:

        def connected(text: bytes = b"") -> socket.socket:
            made = opened.enter_context(socket.create_connection(("127.0.0.1", impatient.port), timeout=HEAD_SECONDS + 10))
            made.sendall(text)
            return made

        yield connected


def answer_of(connection: socket.socket) -> tuple[int, str]:
    """The status and the code of what is answered until the connection ends."""
    received = b""
    try:
        while chunk := connection.recv(65_536):
            received += chunk
    except ConnectionResetError:
        pass
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["error"]["errors"][0]["code"]


def head_of(shop: Shop, length: int) -> bytes:
    lines = [
        f"POST /v1/accounts/{shop.account_id}/shopping/orders HTTP/1.1",
        "Host: x",
        f"Authorization: Bearer {shop.token}",
        "Content-Type: application/json",
        f"Content-Length: {length}",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def test_a_slow_body_is_ended_and_others_are_served(impatient: Service, shop: Shop, connect: Connect) -> None:
    body = json.dumps({"currency": "NOK", "items": items(5)}).encode()
    slow = [connect(head_of(shop, len(body)) + body[:10]) for _ in range(50)]
    started = time.monotonic()
    assert shop.order(5)["version"] == 1
    assert time.monotonic() - started < 2
    with ThreadPoolExecutor(50) as pool:
        assert set(pool.map(answer_of, slow)) == {(408, "too_slow")}
    assert time.monotonic() - started < 10
    assert len(shop.get("/orders")["orders"]) == 1


def test_a_body_that_drips_is_ended(impatient: Service, shop: Shop, connect: Connect) -> None:
    body = json.dumps({"currency": "NOK", "items": items(5)}).encode()
    connection = connect(head_of(shop, len(body)))
    for byte in body[:8]:
        connection.sendall(bytes([byte]))
        time.sleep(0.1)
    assert answer_of(connection) == (408, "too_slow")


def test_heads_that_never_end_are_ended_and_others_are_served(impatient: Service, shop: Shop, connect: Connect) -> None:
    silent = [connect() for _ in range(30)]
    begun = [connect(b"GET /health HTTP/1.1\r\nX-A: ") for _ in range(30)]
    assert shop.http.get("/health").status_code == 200
    started = time.monotonic()
    with ThreadPoolExecutor(60) as pool:
        found = list(pool.map(answer_of, [*silent, *begun]))
    assert set(found) == {(408, "too_slow")}
    assert time.monotonic() - started < HEAD_SECONDS / 5 + 5


def test_a_flood_of_headers_is_refused_and_takes_no_memory(impatient: Service, shop: Shop, connect: Connect) -> None:
    before = memory_of(impatient)
    many = "".join(f"X-{number}: {'y' * 50}\r\n" for number in range(2_000)).encode()
    floods = [b"GET /health HTTP/1.1\r\n" + many, b"GET /health HTTP/1.1\r\nX-A: " + b"y" * 200_000]
    for flood in floods:
        assert answer_of(connect(flood)) == (431, "head_too_large")
    endless = connect(b"GET /health HTTP/1.1\r\nX-A: ")
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        endless.sendall(b"y" * 128 * 1024 * 1024)
    assert memory_of(impatient) - before < 64 * 1024 * 1024
    assert shop.http.get("/health").status_code == 200


def test_large_bodies_at_once_take_bounded_memory(impatient: Service, shop: Shop) -> None:
    before = memory_of(impatient)

    def send(_: int) -> int:
        headers = {"Authorization": f"Bearer {shop.token}", "Content-Type": "application/json"}
        url = f"/v1/accounts/{shop.account_id}/shopping/orders"
        return shop.http.post(url, content=iter([b"[" * 100_000] * 100), headers=headers).status_code

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(send, range(64))) <= {400, 408, 413}
    assert memory_of(impatient) - before < 128 * 1024 * 1024


def test_a_kept_connection_is_guarded_from_its_next_request_on(connect: Connect) -> None:
    connection = connect(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
    received = b""
    while b'"status":"ok"' not in received:
        received += connection.recv(65_536)
    connection.sendall(b"GET /health HTTP/1.1\r\nX-A: " + b"y" * 200_000)
    assert answer_of(connection) == (431, "head_too_large")


@pytest.mark.parametrize(
    "path", ["/../../etc/passwd", "/docs/assets/../../../pyproject.toml", "/docs/assets/%2e%2e/%2e%2e/x", "//health", "/%00"]
)
def test_path_tricks_lead_nowhere(connect: Connect, path: str) -> None:
    connection = connect(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    received = b""
    while chunk := connection.recv(65_536):
        received += chunk
    assert int(received.split()[1]) in (400, 404)


def test_a_compressed_body_is_not_opened(shop: Shop) -> None:
    headers = {"Authorization": f"Bearer {shop.token}", "Content-Type": "application/json", "Content-Encoding": "gzip"}
    url = f"/v1/accounts/{shop.account_id}/shopping/orders"
    assert shop.http.post(url, content=b"\x1f\x8b" + b"\x00" * 100, headers=headers).status_code == 400
