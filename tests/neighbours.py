"""Two accounts of one server: one reads large pages on many connections, the other reads one order at a time."""

import multiprocessing
import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager

from service import Shop, item

CONNECTIONS = 16


def request(shop: Shop, path: str) -> bytes:
    return (
        f"GET /v1/accounts/{shop.account_id}/shopping{path} HTTP/1.1\r\nHost: n\r\nAuthorization: Bearer {shop.token}\r\n\r\n"
    ).encode()


def fill(shop: Shop, orders: int = 70) -> None:
    """Make orders of about 15 KB: a page of them is a megabyte."""
    body = {"currency": "NOK", "items": [item(line, 100, comment="x" * 250, description="y" * 250) for line in range(1, 25)]}
    for _ in range(orders):
        shop.post("/orders", body)


def _read_for_ever(port: int, wanted: bytes) -> None:
    """Read answers whole, each into the same memory: this client takes little of the machine, as if it had its own."""
    place = memoryview(bytearray(2**23))
    with socket.create_connection(("127.0.0.1", port)) as line:
        while True:
            line.sendall(wanted)
            got = 0
            while (end := bytes(place[:got]).find(b"\r\n\r\n")) < 0:
                took = line.recv_into(place[got:], 4096)
                assert took, "the server ended the connection"
                got += took
            head = bytes(place[:end]).lower()
            left = int(head.partition(b"content-length: ")[2].split(b"\r\n")[0]) - (got - end - 4)
            line.recv_into(place, left, socket.MSG_WAITALL)
            if head[9:12] != b"200":
                time.sleep(1)


def _load(port: int, wanted: bytes) -> None:
    pool = ThreadPoolExecutor(CONNECTIONS)
    wait([pool.submit(_read_for_ever, port, wanted) for _ in range(CONNECTIONS)], return_when=FIRST_EXCEPTION)
    os._exit(1)  # one of them ended: who measures sees that there is no load


@contextmanager
def reading(port: int, shop: Shop, path: str) -> Iterator[None]:
    """Meanwhile a process reads on sixteen connections, without a pause."""
    process = multiprocessing.get_context("spawn").Process(target=_load, args=(port, request(shop, path)), daemon=True)
    process.start()
    time.sleep(1.0)
    try:
        yield
        assert process.is_alive(), "a client that was to read stopped"
    finally:
        process.kill()
        process.join()
        time.sleep(1.0)  # the server reads on for a moment for those who have gone


def p99(shop: Shop, path: str, seconds: float) -> float:
    """The milliseconds in which 99 of 100 reads are answered."""
    until, found = time.perf_counter() + seconds, list[float]()
    while time.perf_counter() < until:
        started = time.perf_counter()
        assert shop.send("GET", path).status_code == 200
        found.append((time.perf_counter() - started) * 1000)
        time.sleep(0.001)
    return sorted(found)[int(len(found) * 0.99)]
