"""Connections, byte by byte: every answer can be read, nothing is held for ever, and no request is read in two ways."""

import http.client
import inspect
import json
import re
import resource
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import pytest
import uvicorn
from uvicorn.server import Server, ServerState

from floods import HOST, flood
from lanes import Effort
from ordre.api.http import connection as bounds
from ordre.api.http.connection import Connection
from ordre.api.http.parser import HEAD_BYTES
from ordre.api.http.watch import most_connections
from service import Service, Shop, hasty, items, memory_of, serving

TOO_LARGE = 20_000_000
CLOSE = b"Connection: close\r\n"
Connect = Callable[..., socket.socket]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    database = f"sqlite:///{tmp_path_factory.mktemp('connections')}/o.sqlite"
    with serving(database, ORDRE_TOKEN_FAILURES_PER_MINUTE="100000") as made:
        yield made


@pytest.fixture
def shop(service: Service) -> Iterator[Shop]:
    with service.shop() as made:
        yield made


@contextmanager
def running(service: Service) -> Iterator[None]:
    service.start()
    try:
        yield
    finally:
        service.stop()


@contextmanager
def connecting(service: Service) -> Iterator[Connect]:
    """Opens connections to the server and sends them something; all are closed at the end."""
    with ExitStack() as opened:

        def connected(text: bytes = b"", buffer: int = 0) -> socket.socket:
            made = opened.enter_context(socket.socket())
            if buffer:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
            made.settimeout(30)
            made.connect(("127.0.0.1", service.port))
            made.sendall(text)
            return made

        yield connected


@pytest.fixture
def connect(service: Service) -> Iterator[Connect]:
    with connecting(service) as made:
        yield made


def read(connection: socket.socket) -> bytes:
    """What comes until the connection ends in order; a reset is an error."""
    received = b""
    while part := connection.recv(65_536):
        received += part
    return received


def statuses(received: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


def code_of(received: bytes) -> str:
    code: str = json.loads(received.partition(b"\r\n\r\n")[2])["error"]["errors"][0]["code"]
    return code


def large_posts(service: Service, shop: Shop) -> dict[str, tuple[int, dict[str, str], str]]:
    """By name: the status that a large body is answered with before it is read, headers, and a path."""
    account = f"/v1/accounts/{shop.account_id}"
    own = {"Authorization": f"Bearer {shop.token}", "Content-Type": "application/json"}
    return {
        "a token": (413, {"Content-Type": "application/json"}, f"{account}/auth/token"),
        "an order": (413, own, f"{account}/shopping/orders"),
        "no token": (401, {}, f"{account}/shopping/orders"),
        "another account": (403, own, "/v1/accounts/T99999999/shopping/orders"),
        "no such path": (404, own, "/nowhere"),
        "no such method": (405, own, "/health"),
    }


@pytest.mark.slow
def test_who_sends_20_mb_reads_the_answer_every_time(service: Service, shop: Shop) -> None:
    body = b"x" * TOO_LARGE
    for name, (status, headers, path) in large_posts(service, shop).items():
        for _ in range(30 if status == 413 else 5):
            request = urllib.request.Request(service.url + path, data=body, headers=headers)  # noqa: S310 - our own address
            with pytest.raises(urllib.error.HTTPError) as answer:
                urllib.request.urlopen(request, timeout=30)  # noqa: S310 - as above
            with answer.value as found:
                assert (found.status, bool(found.read())) == (status, True), name


@pytest.mark.slow
def test_a_connection_that_is_kept_goes_on_after_a_body_that_was_not_read(service: Service, shop: Shop) -> None:
    kept = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
    kept.connect()
    own = kept.sock
    for status, headers, path in large_posts(service, shop).values():
        kept.request("POST", path, body=b"x" * TOO_LARGE, headers=headers)
        answer = kept.getresponse()
        assert (answer.status, bool(answer.read())) == (status, True)
        kept.request("GET", "/health/live")
        answer = kept.getresponse()
        assert (answer.status, bool(answer.read())) == (200, True)
    assert kept.sock is own
    kept.close()


def test_a_body_that_is_larger_than_is_ever_dropped_ends_the_connection(connect: Connect) -> None:
    head = b"POST /nowhere HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n"
    answer = read(connect(head % (bounds.DROP_BYTES + 1)))
    assert statuses(answer) == [404]
    assert b"connection: close" in answer


def sockets_of(service: Service) -> int:
    assert service.process is not None
    found = 0
    for file in Path(f"/proc/{service.process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found += str(file.readlink()).startswith("socket:")
    return found


def read_for(connection: socket.socket, seconds: float) -> int:
    """How many bytes come where 16 KB are taken ten times a second."""
    taken, ends = 0, time.monotonic() + seconds
    while time.monotonic() < ends and (part := connection.recv(16_384)):
        taken += len(part)
        time.sleep(0.1)
    return taken


def dripped_for(connection: socket.socket) -> float:
    """How many seconds a byte is taken now and then."""
    begun = time.monotonic()
    with suppress(OSError):
        while True:
            connection.sendall(b"a")
            time.sleep(0.1)
    return time.monotonic() - begun


@pytest.mark.slow
def test_nobody_holds_a_connection_for_ever(tmp_path: Path) -> None:
    """All at once, as each takes its time; by a server with a fifth of the patience."""
    post = b"POST /v1/accounts/T12345678/shopping/orders HTTP/1.1\r\n" + HOST
    large = b"GET /docs/assets/swagger-ui-bundle.js HTTP/1.1\r\n" + HOST + b"\r\n"
    short = hasty(f"sqlite:///{tmp_path}/o.sqlite")
    with running(short), ThreadPoolExecutor(2) as pool, connecting(short) as connect:
        before = sockets_of(short)
        held = [connect(post + b"Content-Length: 10\r\n\r\na") for _ in range(300)]
        held += [connect(post + CLOSE + b"Content-Length: 10\r\n\r\na") for _ in range(20)]
        for _ in range(20):
            connect(large * 8, buffer=4096)
            connect(b"GET /health/live HTTP/1.1\r\n" + HOST + b"\r\n")
        dripping = pool.submit(dripped_for, connect(post + b"Content-Length: 1000000\r\n\r\na"))
        slow = connect(large * 8, buffer=4096)
        reading = pool.submit(read_for, slow, bounds.WRITE_SECONDS / 2)
        for one in held:
            assert statuses(read(one)) == [401]
        assert httpx.get(f"{short.url}/health").status_code == 200
        assert reading.result() > 100_000, "who takes it slowly gets it"
        assert dripping.result() < bounds.DROP_SECONDS / 5 + 5
        slow.close()
        deadline = time.monotonic() + 10
        while sockets_of(short) > before:
            assert time.monotonic() < deadline
            time.sleep(0.1)


POST = b"POST /v1/accounts/T12345678/auth/token HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
GET = b"GET /health/live HTTP/1.1\r\n"
MALFORMED = {
    "no HTTP": b"hello\r\n\r\n",
    "HTTP/0.9": b"GET /health/live\r\n\r\n",
    "HTTP/2.0": b"GET /health/live HTTP/2.0\r\n" + HOST + b"\r\n",
    "HTTP/1.2": b"GET /health/live HTTP/1.2\r\n" + HOST + b"\r\n",
    "no host": GET + b"\r\n",
    "two hosts": GET + HOST + HOST + b"\r\n",
    "two hosts in HTTP/1.0": b"GET /health/live HTTP/1.0\r\n" + HOST + HOST + b"\r\n",
    "a host that is none": GET + b"Host: a/b@c d\r\n\r\n",
    "a path in bytes": b"GET /\xc3\xa5 HTTP/1.1\r\n" + HOST + b"\r\n",
    "CONNECT": b"CONNECT x:80 HTTP/1.1\r\n" + HOST + b"\r\n",
    "length and chunks": POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    "chunks and no length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "the same length twice": POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "two lengths in one": POST + b"Content-Length: 3, 3\r\n\r\nabc",
    "a length with a sign": POST + b"Content-Length: +3\r\n\r\nabc",
    "a length below nothing": POST + b"Content-Length: -3\r\n\r\nabc",
    "a length in hexadecimal": POST + b"Content-Length: 0x3\r\n\r\nabc",
    "a length of words": POST + b"Content-Length: three\r\n\r\nabc",
    "a length beyond all": POST + b"Content-Length: 99999999999999999999\r\n\r\nabc",
    "another coding": POST + b"Transfer-Encoding: gzip\r\n\r\n",
    "two codings": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunks twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks of a kind": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks after a tab": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": b"POST /nowhere HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk in hexadecimal": CHUNKED + b"0x2\r\nab\r\n0\r\n\r\n",
    "a chunk below nothing": CHUNKED + b"-2\r\nab\r\n0\r\n\r\n",
    "a chunk with a sign": CHUNKED + b"+2\r\nab\r\n0\r\n\r\n",
    "a chunk after a space": CHUNKED + b" 2\r\nab\r\n0\r\n\r\n",
    "a chunk before a space": CHUNKED + b"2 \r\nab\r\n0\r\n\r\n",
    "a chunk beyond all": CHUNKED + b"fffffffffffffffff\r\nab\r\n0\r\n\r\n",
    "a chunk that ends wrong": CHUNKED + b"2\r\nabcd\r\n0\r\n\r\n",
    "a chunk ended by a line feed": CHUNKED + b"2\nab\n0\n\n",
    "a folded header": GET + HOST + b"X-A: b\r\n c\r\n\r\n",
    "a space before the colon": GET + b"Host : x\r\n\r\n",
    "a header without a name": GET + HOST + b": x\r\n\r\n",
    "a header without a colon": GET + HOST + b"X-A\r\n\r\n",
    "a NUL in a value": GET + HOST + b"X-A: b\x00c\r\n\r\n",
    "a NUL in a name": GET + HOST + b"X-\x00A: b\r\n\r\n",
    "a NUL in the path": b"GET /\x00 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a bare carriage return": GET + HOST + b"X-A: a\rb\r\n\r\n",
    "bare line feeds": b"GET /health/live HTTP/1.1\nHost: x\n\n",
    "a space before the first header": GET + b" Host: x\r\n\r\n",
}


@pytest.mark.parametrize("name", list(MALFORMED))
def test_what_may_be_read_in_two_ways_is_refused_and_the_connection_ends(connect: Connect, name: str) -> None:
    behind = b"GET /health/live HTTP/1.1\r\n" + HOST + b"\r\n"
    answer = read(connect(MALFORMED[name] + behind))
    assert statuses(answer) == [400], "what is behind it is no request"
    assert b"connection: close" in answer.lower()
    assert code_of(answer) == "malformed_request"


def test_every_byte_of_a_message_is_counted(service: Service, shop: Shop, connect: Connect) -> None:
    """Also where no application would see it: trailers, and what stands behind the size of a chunk."""
    before = memory_of(service)
    floods = {
        "one trailer": (CHUNKED + b"2\r\n{}\r\n0\r\nX-A: ", b"y" * 1000),
        "many trailers": (CHUNKED + b"2\r\n{}\r\n0\r\n", b"X-A: %b\r\n" % (b"y" * 1000)),
        "a chunk's extension": (CHUNKED + b"2;", b"y" * 1000),
        "many extensions": (CHUNKED, b"1;%b\r\na\r\n" % (b"y" * 1000)),
    }
    for name, (begin, more) in floods.items():
        connection = connect(begin)
        with suppress(OSError):
            for _ in range(30):
                connection.sendall(more * 1000)
        assert statuses(read(connection)) in ([431], [413]), name
    assert memory_of(service) - before < 32 * 1024 * 1024
    small = "".join(f"1\r\n{letter}\r\n" for letter in json.dumps({"currency": "NOK", "items": items(5)})).encode()
    head = f"POST /v1/accounts/{shop.account_id}/shopping/orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {shop.token}\r\n"
    head += "Content-Type: application/json\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert statuses(read(connect(head.encode() + small + b"0\r\nX-Sum: 1\r\n\r\n"))) == [200], "chunks of one byte, and a trailer"


def test_a_trailer_is_no_header(shop: Shop, connect: Connect) -> None:
    head = f"POST /v1/accounts/{shop.account_id}/shopping/orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    body = f"Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\nAuthorization: Bearer {shop.token}\r\n\r\n"
    connection = connect((head + body).encode() + GET + HOST + CLOSE + b"\r\n")
    assert statuses(read(connection)) == [401, 200]


def test_the_head_has_a_bound_also_where_it_comes_at_once(connect: Connect) -> None:
    room = HEAD_BYTES - 200
    assert statuses(read(connect(GET + HOST + CLOSE + b"X-A: " + b"y" * room + b"\r\n\r\n"))) == [200]
    for large in (b"X-A: " + b"y" * HEAD_BYTES + b"\r\n", b"X: y\r\n" * (HEAD_BYTES // 6)):
        assert statuses(read(connect(GET + HOST + large + b"\r\n"))) == [431]
    assert statuses(read(connect(b"GET /" + b"y" * HEAD_BYTES + b" HTTP/1.1\r\n" + HOST + b"\r\n"))) == [431]


def test_a_fault_behind_a_request_leaves_its_answer(connect: Connect) -> None:
    answer = read(connect(GET + HOST + b"\r\n" + b"GET / HTTP/1.1\r\n\r\n"))
    assert statuses(answer) in ([200], [200, 400])


def test_requests_that_are_sent_at_once_are_answered_in_their_order(connect: Connect) -> None:
    paths = ["/health", "/nowhere", "/health/live", "/openapi.json", "/nothing", "/health"]
    text = b"".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for path in paths) + GET + HOST + CLOSE + b"\r\n"
    assert statuses(read(connect(text))) == [200, 404, 200, 200, 404, 200, 200]


def test_of_very_many_that_are_sent_at_once_the_first_are_answered(connect: Connect) -> None:
    found = statuses(read(connect((GET + HOST + b"\r\n") * 5_000)))
    assert bounds.MOST_PIPELINED <= len(found) < 100
    assert set(found) == {200}


def test_another_protocol_is_not_taken_up_and_the_body_stays_a_body(shop: Shop, connect: Connect) -> None:
    """As Java's client asks for HTTP/2. A body that was taken for what comes after the request would be one more request."""
    body = json.dumps({"currency": "NOK", "items": items(5), "comment": "GET /health/live HTTP/1.1\r\nHost: evil\r\n\r\n"})
    head = [
        f"POST /v1/accounts/{shop.account_id}/shopping/orders HTTP/1.1",
        "Host: x",
        f"Authorization: Bearer {shop.token}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: Upgrade, HTTP2-Settings",
        "Upgrade: h2c",
        "HTTP2-Settings: AAMAAABk",
    ]
    text = "\r\n".join([*head, "", body]).encode()
    for place in (0, 10, 200, len(text) - len(body), len(text) - 10):
        connection = connect(text[:place])
        time.sleep(0.02)
        connection.sendall(text[place:] + GET + HOST + CLOSE + b"\r\n")
        assert statuses(read(connection)) == [200, 200]


def test_a_client_that_asks_first_whether_to_go_on(shop: Shop, connect: Connect) -> None:
    body = json.dumps({"currency": "NOK", "items": items(5)}).encode()
    head = f"POST /v1/accounts/{shop.account_id}/shopping/orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    head += f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n"
    asks = connect(f"{head}Authorization: Bearer {shop.token}\r\nConnection: close\r\n\r\n".encode())
    assert asks.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
    asks.sendall(body)
    assert statuses(read(asks)) == [200]
    refused = read(connect(f"{head}\r\n".encode()))
    assert statuses(refused) == [401]
    assert b"connection: close" in refused, "it may send its body, or the next request: nobody can tell"


def test_head_and_http_1_0(connect: Connect) -> None:
    answer = read(connect(b"HEAD /openapi.json HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n"))
    assert answer.endswith(b"\r\n\r\n")
    assert int(answer.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]) > 100_000
    old = read(connect(b"GET /health/live HTTP/1.0\r\n\r\n"))
    assert statuses(old) == [200]
    assert b"connection: close" in old


def test_a_refusal_before_the_application_is_one_as_any_other(connect: Connect) -> None:
    head, _, body = read(connect(GET + b"\r\n")).partition(b"\r\n\r\n")
    assert json.loads(body)["error"]["code"] == "BAD REQUEST"
    for line in (b"content-type: application/json; charset=utf-8", b"access-control-allow-origin: *", b"date: "):
        assert line in head


FEW_FILES = "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (300, 300))\n"


@pytest.mark.slow
def test_there_is_room_for_who_comes_where_others_hold_all_connections(tmp_path: Path) -> None:
    full = Service(f"sqlite:///{tmp_path}/o.sqlite")
    full.before = FEW_FILES
    with running(full), connecting(full) as connect, full.shop() as shop:
        assert full.process is not None
        held = []
        for _ in range(5):
            held += [connect(b"GET /health HTTP/1.1\r\nX-A: ") for _ in range(100)]
            assert httpx.get(f"{full.url}/health").status_code == 200
            assert shop.order(5)["status"] == "open"
        assert len(list(Path(f"/proc/{full.process.pid}/fd").iterdir())) < 300 - 50


FLOODS, FLOOD_CONNECTIONS = 5, 80
"""At once, and the most connections of each: together they may be more than the server takes."""
ROUND_SECONDS, DEEP_ROUND_SECONDS = 1.5, 5.0
AFTERWARDS_SECONDS = 10.0
ORDINARY_SECONDS = 5.0
"""For one write beside all floods: what waits for its turn here is mostly this process."""
MORE_MEMORY = 96 * 1024 * 1024
"""Kept of the largest floods for what comes next, however many there were: it was 56 MiB after ten, and no more after that."""


def descriptors_of(service: Service) -> int:
    assert service.process is not None
    return len(list(Path(f"/proc/{service.process.pid}/fd").iterdir()))


def write_until(shop: Shop, until: float) -> list[float]:
    """Write as an ordinary client does; return how many seconds each took."""
    took = []
    while time.monotonic() < until:
        began = time.monotonic()
        assert shop.paid(5)["status"] == "open"
        took.append(time.monotonic() - began)
        time.sleep(0.02)
    return took


@pytest.mark.slow
@pytest.mark.deep
def test_floods_by_chance(tmp_path: Path, effort: Effort, record_property: Callable[[str, object], None]) -> None:
    """While they last, an ordinary client is served on a connection that he keeps; afterwards all of them are gone."""
    service = hasty(f"sqlite:///{tmp_path}/o.sqlite")
    service.before += FEW_FILES
    floods = 0
    with running(service), service.shop() as shop, ThreadPoolExecutor(FLOODS + 1) as pool:
        write_until(shop, time.monotonic() + 0.5)
        before, memory = descriptors_of(service), memory_of(service)
        for seed in effort.rounds():
            until = time.monotonic() + (DEEP_ROUND_SECONDS if effort.deep else ROUND_SECONDS)
            with ExitStack() as left:
                writing = pool.submit(write_until, shop, until)
                flooding = [
                    pool.submit(flood, service, f"{seed}-{number}", FLOOD_CONNECTIONS, until - 0.2, left)
                    for number in range(FLOODS)
                ]
                kinds = [one.result() for one in flooding]
                took = writing.result()
                assert len(took) > 1, (seed, kinds)
                assert max(took) < ORDINARY_SECONDS, (seed, kinds)
                deadline = time.monotonic() + AFTERWARDS_SECONDS
                while descriptors_of(service) > before:
                    assert time.monotonic() < deadline, (seed, kinds)
                    time.sleep(0.05)
            assert memory_of(service) - memory < MORE_MEMORY, (seed, kinds)
            floods += FLOODS
    record_property("floods of connections", floods)


def test_a_process_takes_as_many_connections_as_its_descriptors_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    for soft, most in ((1024, 896), (100, 16), (65_536, 4_000), (resource.RLIM_INFINITY, 4_000)):
        monkeypatch.setattr(resource, "getrlimit", lambda _, soft=soft: (soft, resource.RLIM_INFINITY))
        assert most_connections() == most


def test_uvicorn_still_asks_of_a_protocol_what_ours_gives() -> None:
    """It documents no more than that a class may be given. This is what it calls, and what it looks at."""
    assert list(inspect.signature(Connection).parameters) == ["config", "server_state", "app_state", "_loop"]
    startup, stop = inspect.getsource(Server.startup), inspect.getsource(Server.shutdown)
    for name in ("config", "server_state", "app_state", "_loop"):
        assert (
            f"{name}=" in startup.partition("config.http_protocol_class(")[2].partition(")  ")[0].partition("\n        loop")[0]
        )
    assert re.findall(r"connection\.(\w+)", stop) == ["shutdown"]
    state = vars(ServerState())
    assert {name: type(value) for name, value in state.items()} == {
        "total_requests": int,
        "connections": set,
        "tasks": set,
        "default_headers": list,
    }
    assert "loaded_app" in inspect.getsource(uvicorn.Config.load)
