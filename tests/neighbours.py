"""Two accounts of one server: one reads large pages on many connections, the other reads one order at a time."""

import asyncio
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager

from service import Shop, item

CONNECTIONS = 16


async def answered(reader: asyncio.StreamReader) -> tuple[int, int]:
    """Read an answer; return its status and the bytes of its body."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length: ")[2].split(b"\r\n")[0])
    await reader.readexactly(length)
    return int(head[9:12]), length


def request(shop: Shop, path: str) -> bytes:
    return (
        f"GET /v1/accounts/{shop.account_id}/shopping{path} HTTP/1.1\r\nHost: n\r\nAuthorization: Bearer {shop.token}\r\n\r\n"
    ).encode()


def fill(shop: Shop, orders: int = 70) -> None:
    """Make orders of about 15 KB: a page of them is a megabyte."""
    body = {"currency": "NOK", "items": [item(line, 100, comment="x" * 250, description="y" * 250) for line in range(1, 25)]}
    for _ in range(orders):
        shop.post("/orders", body)


async def _read_for_ever(port: int, wanted: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    while True:
        writer.write(wanted)
        status, _ = await answered(reader)
        if status != 200:
            await asyncio.sleep(1)


def _load(port: int, wanted: bytes) -> None:
    async def run() -> None:
        await asyncio.gather(*(_read_for_ever(port, wanted) for _ in range(CONNECTIONS)))

    asyncio.run(run())


@contextmanager
def reading(port: int, shop: Shop, path: str) -> Iterator[None]:
    """Meanwhile a process reads on sixteen connections, without a pause."""
    process = multiprocessing.get_context("spawn").Process(target=_load, args=(port, request(shop, path)), daemon=True)
    process.start()
    time.sleep(1.0)
    try:
        yield
    finally:
        process.kill()
        process.join()
        time.sleep(1.0)  # the server reads on for a moment for those who have gone


def p99(port: int, shop: Shop, path: str, seconds: float) -> float:
    """The milliseconds in which 99 of 100 reads are answered."""

    async def run() -> list[float]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        wanted, until = request(shop, path), time.perf_counter() + seconds
        found: list[float] = []
        while time.perf_counter() < until:
            started = time.perf_counter()
            writer.write(wanted)
            assert (await answered(reader))[0] == 200
            found.append((time.perf_counter() - started) * 1000)
            await asyncio.sleep(0.001)
        writer.close()
        return sorted(found)

    found = asyncio.run(run())
    return found[int(len(found) * 0.99)]
