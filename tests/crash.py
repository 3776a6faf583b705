"""Load with a journal on the client's side, a kill at a random moment, and the comparison afterwards: C2 and C3.

Every write carries an Idempotency-Key and is journalled before it is sent and when it is acknowledged. After the restart every
acknowledged write is there once; those without an answer are sent again under their keys and are there once too; nothing is half
there; the database verifies.
"""

import asyncio
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

from ordre import audit
from ordre.bootstrap import snapshot
from ordre.db.verify import Difference
from ordre.settings import Settings
from service import Service, Shop, items, operation
from throwaway import Cluster

WRITERS = 8
AMOUNT = 1_000_000
LEAST, MOST = 21, 80
"""As many writes are acknowledged before a kill."""
MOST_SECONDS = 60
"""For that, on the slowest machine."""


@dataclass(slots=True)
class Write:
    """One write: what was sent, and what was answered, if anything."""

    key: str
    path: str
    body: Any
    answer: Any = None


@dataclass(slots=True)
class Journal:
    """What the clients of one round know."""

    writes: list[Write] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def round_of(
    service: Service, orders: list[str], shop: Shop, number: int, drawn: random.Random, cluster: Cluster | None
) -> Journal:
    """Load the server, kill it (or, where there is a cluster, its database) at a random moment, start it again."""
    journal, stopping = Journal(), threading.Event()
    writers = [
        threading.Thread(target=_write, args=(shop, orders, journal, f"{number}-{one}", stopping)) for one in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    _wait(journal, drawn.randint(LEAST, MOST))
    time.sleep(drawn.uniform(0, 0.05))
    if cluster is None:
        service.kill()
    else:
        cluster.kill()
    time.sleep(0.05)
    stopping.set()
    for writer in writers:
        writer.join()
    if cluster is None:
        service.start()
    else:
        cluster.start()
    return journal


def _wait(journal: Journal, acknowledged: int) -> None:
    """Wait for so many answers of success: on a slow machine, they take longer."""
    deadline = time.monotonic() + MOST_SECONDS
    while sum(write.answer is not None for write in list(journal.writes)) < acknowledged:
        assert time.monotonic() < deadline, "too little was acknowledged in time"
        time.sleep(0.005)


def _write(shop: Shop, orders: list[str], journal: Journal, name: str, stopping: threading.Event) -> None:
    drawn, number = random.Random(name), 0
    while not stopping.is_set():
        number += 1
        write = _drawn(drawn, orders, f"{name}-{number}")
        journal.writes.append(write)
        try:
            answer = shop.send("POST", write.path, write.body, headers={"Idempotency-Key": write.key}, timeout=5)
        except httpx.TransportError:
            return
        if answer.status_code == 200:
            write.answer = answer.json()
        elif answer.status_code != 503:
            journal.failures.append(f"{write.path} {answer.status_code}: {answer.text}")


def _drawn(drawn: random.Random, orders: list[str], key: str) -> Write:
    if drawn.random() < 0.2:
        return Write(key, "/orders", {"currency": "NOK", "items": items(5), "order_id": key})
    path = f"/orders/{drawn.choice(orders)}"
    if drawn.random() < 0.3:
        return Write(key, f"{path}/comments", {"body": key})
    return Write(key, f"{path}/captures", operation((1, 1), metadata={"key": key}))


def compare(shop: Shop, orders: list[str], journals: list[Journal]) -> Counter[str]:
    """Raise where what is stored is not what was acknowledged; return what was counted."""
    writes = [write for journal in journals for write in journal.writes]
    counted = Counter(acknowledged=sum(write.answer is not None for write in writes), unanswered=0)
    assert [failure for journal in journals for failure in journal.failures] == []
    for write in writes:
        again = shop.send("POST", write.path, write.body, headers={"Idempotency-Key": write.key})
        assert again.status_code == 200, again.text
        if write.answer is None:
            counted["unanswered"] += 1
            counted["unanswered but there"] += again.headers.get("idempotency-replayed") == "true"
        else:
            assert again.headers["idempotency-replayed"] == "true", f"{write.key} was acknowledged and lost"
            assert again.json() == write.answer
    found: Counter[str] = Counter()
    for order in (shop.get(f"/orders/{id_}") for id_ in orders):
        found.update(capture["metadata"]["key"] for capture in order["captures"])
        found.update(comment["body"] for comment in order["comments"])
        assert order["payment_details"]["remaining_capture_amount"] == AMOUNT - len(order["captures"])
        assert order["version"] == 2 + len(order["captures"]) + len(order["comments"])
    expected = Counter(write.key for write in writes if write.path != "/orders")
    assert found == expected, (found - expected, expected - found)
    for write in writes:
        if write.path == "/orders":
            assert shop.get(f"/orders/{write.key}")["version"] == 1
    return counted


def crash(service: Service, rounds: int, seed: int, cluster: Cluster | None = None) -> Counter[str]:
    """Run the rounds on a started server; return what was counted."""
    drawn = random.Random(seed)
    with service.shop() as shop:
        orders = [shop.order(AMOUNT)["id"] for _ in range(12)]
        for order in orders:
            shop.post(f"/orders/{order}/authorizations", operation((1, AMOUNT)))
        journals = [round_of(service, orders, shop, number, drawn, cluster) for number in range(rounds)]
        counted = compare(shop, orders, journals)
    broken = asyncio.run(_verified(service.database))
    assert broken == []
    return counted


async def _verified(database: str) -> list[Difference]:
    async with snapshot(Settings(database=database)) as seen:
        return (await audit.verified(seen, None)).differences
