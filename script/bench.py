"""Requests a second of the whole path over HTTP: create, capture, read, list. Same machine, ratios are what counts.

    .venv/bin/python script/bench.py --database sqlite:////tmp/bench.sqlite --database postgresql://... --rounds 3

Each round runs every operation on every database in alternation; the medians are printed. The load is made by this process,
with plain sockets, so it takes its share of the machine.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections import defaultdict
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service import Service, Shop

_numbers = count(1)


def order_body() -> bytes:
    """An order of about 3 KB, as the design's measurements had it."""
    address = {"address_line": "Sommerkroveien 34", "postal_place": "Oslo", "country": "NO", "postal_code": "0349"}
    person = {"first_name": "Ada", "last_name": "Berg"}
    items = [
        {
            "id": f"A{line_id}",
            "line_id": line_id,
            "quantity": 2,
            "gross_amount": 39800,
            "tax_lines": [{"amount": 7960, "percentage": 25, "included_in_price": True}],
            "description": "Stablestol for utendørsbruk, stables i høyden og tåler all slags vær",
            "groups": [{"id": "B234", "name": "Stol"}, {"id": "B1", "name": "Møbel"}],
            "metadata": {"shelf": "17-B", "weight": 4200, "note": "x" * 120},
        }
        for line_id in (1, 2, 3, 4)
    ]
    customer = {**person, "id": f"C{next(_numbers) % 1000}", "email": "ada@example.com", "addresses": [address]}
    order = {
        "currency": "NOK",
        "customer": customer,
        "shipping_address": {**person, **address},
        "items": items,
        "metadata": {"n": "y" * 600},
    }
    return json.dumps(order).encode()


class Load:
    """Connections that send requests one after another."""

    def __init__(self, service: "Service", shop: "Shop", connections: int) -> None:
        self.service, self.shop, self.connections = service, shop, connections
        self.prefix = f"/v1/accounts/{shop.account_id}/shopping"

    def request(self, method: str, path: str, body: bytes = b"") -> bytes:
        """Return the bytes of a request."""
        head = (
            f"{method} {self.prefix}{path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {self.shop.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    async def run(self, requests: list[bytes]) -> tuple[float, list[bytes]]:
        """Send them all over the connections; return the seconds it took, and the bodies."""
        waiting, bodies = iter(requests), []

        async def one() -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.service.port, limit=2**24)
            for request in waiting:
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                if not head.startswith(b"HTTP/1.1 200"):
                    raise RuntimeError(head.decode())
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                bodies.append(await reader.readexactly(length))
            writer.close()
            await writer.wait_closed()

        started = time.perf_counter()
        await asyncio.gather(*(one() for _ in range(self.connections)))
        return time.perf_counter() - started, bodies


def measure(load: Load, number: int) -> dict[str, float]:
    """Return requests a second by operation."""
    seconds, bodies = asyncio.run(load.run([load.request("POST", "/orders", order_body()) for _ in range(number)]))
    rates = {"create": number / seconds}
    ids = [json.loads(body)["id"] for body in bodies]
    everything = json.dumps({"items": [{"line_id": 1, "amount": 39800}]}).encode()
    asyncio.run(load.run([load.request("POST", f"/orders/{id_}/authorizations", everything) for id_ in ids]))
    part = json.dumps({"items": [{"line_id": 1, "amount": 100}], "payment_details": {"payment_id": "P"}}).encode()
    plans = {
        "capture": [load.request("POST", f"/orders/{id_}/captures", part) for id_ in ids],
        "hot order": [load.request("POST", f"/orders/{ids[0]}/captures", part) for _ in range(300)],
        "read": [load.request("GET", f"/orders/{id_}") for id_ in ids],
        "list of 20": [load.request("GET", "/orders?limit=20") for _ in range(number // 10)],
    }
    for name, requests in plans.items():
        seconds, _ = asyncio.run(load.run(requests))
        rates[name] = len(requests) / seconds
    return rates


def main() -> None:
    """Measure, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", action="append", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    try:
        from service import ORDRE, Service  # noqa: PLC0415 - it needs what the tests need
    except ModuleNotFoundError as error:
        sys.exit(f"the tests' server is needed, and {error.name} is not there: run script/setup dev first")
    services = [Service(database, "--workers", str(given.workers)) for database in given.database]
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    try:
        for service in services:
            service.program = [ORDRE]
            service.start()
        for _ in range(given.rounds):
            for service in services:
                with service.shop(account_id=f"P{time.time_ns() // 1000 % 10**8:08d}") as shop:
                    for name, rate in measure(Load(service, shop, given.connections), given.requests).items():
                        found[service.database, name].append(rate)
    finally:
        for service in services:
            service.stop()
    for (database, name), rates in found.items():
        print(f"{database[:40]:40} {name:12} {statistics.median(rates):8.0f}/s  {[round(rate) for rate in rates]}")


if __name__ == "__main__":
    main()
