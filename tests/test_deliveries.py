"""Deliveries while workers, servers and receivers are killed: a receiver ends with exactly what the feed says, in order.

What it is sent twice has the same id both times. The leases of workers that are killed are short, so that another one takes over
soon; on a busy machine they may be lost, and more is sent twice.
"""

import os
import random
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from commands import run
from database import sql
from forked import Forked
from lanes import Effort
from marks import Marks, everything_in, live
from receivers import QUICK, Program, receiving, wait_for
from service import Service, Shop, operation
from throwaway import Cluster

pytestmark = pytest.mark.slow

SOON = """
from ordre.webhooks import deliverer, lane
lane.LEASE_SECONDS = deliverer.LEASE_SECONDS = 1.5
lane.RENEW_SECONDS, lane.STOP_SECONDS = 0.3, 0.5
"""
"""Python that runs first in a process that delivers."""
PATIENT = {**QUICK, "ORDRE_HOOK_RETRY_SECONDS": "0.3"}
"""A receiver that is killed is back before its deliveries are given up."""


class Worker:
    """`ordre worker`, which can be killed."""

    def __init__(self, database: str, before: str = SOON) -> None:
        self._database, self._before = database, before
        self._process: Forked | None = None

    def start(self) -> None:
        environment = {**os.environ, **PATIENT}
        self._process = Forked(["worker", "--database", self._database], environment, subprocess.DEVNULL, self._before)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(30)


class Writer:
    """Changes orders of one account until it is told to stop, whatever becomes of the server."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self._shop, self._drawn, self._stopping = shop, random.Random(seed), threading.Event()
        self._orders = [shop.order(1_000_000)["id"] for _ in range(5)]
        self._thread = threading.Thread(target=self._write)
        self._thread.start()

    def _write(self) -> None:
        while not self._stopping.is_set():
            path = f"/orders/{self._drawn.choice(self._orders)}"
            try:
                if self._drawn.random() < 0.2:
                    self._orders.append(self._shop.order(5)["id"])
                elif self._drawn.random() < 0.3:
                    self._shop.send("POST", f"{path}/events", {"service": "kitchen", "service_status": "x"}, timeout=5)
                else:
                    self._shop.send("POST", f"{path}/comments", {"body": "changed"}, timeout=5)
            except Exception:  # noqa: BLE001 - the server was killed
                time.sleep(0.02)
            time.sleep(0.005)

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()


def feed_of(database: str, shop: Shop) -> list[tuple[int, str, int]]:
    """Position, order or draft, and version of every change."""
    found = sql(database, "select position, id, version from feed where account_id = $1 order by position", shop.account_id)
    return [tuple(row) for row in found]


def in_order(received: list[Any]) -> bool:
    """Whether each version of an order came for the first time after the ones before it."""
    seen: dict[str, int] = {}
    for told in received:
        if told["version"] > seen.get(told["id"], 0) + 1:
            return False
        seen[told["id"]] = max(seen.get(told["id"], 0), told["version"])
    return True


def patient(database: str) -> Service:
    return Service(database, environment={**os.environ, **PATIENT, "ORDRE_HOOK_POLL_SECONDS": "0"})


@pytest.fixture
def killable(own_database: str) -> Iterator[Service]:
    """A server that leaves delivering to workers."""
    made = patient(own_database)
    made.start()
    yield made
    made.stop()


@pytest.mark.deep(1)
def test_a_receiver_ends_with_exactly_the_feed(
    killable: Service, tmp_path: Path, effort: Effort, record_property: Callable[[str, object], None]
) -> None:
    counted = killed(killable, tmp_path, effort, ["worker", "worker", "receiver", "server"])
    for name, number in counted.items():
        record_property(name, number)


@pytest.mark.deep(1)
def test_so_it_does_where_postgresql_is_killed(
    own_cluster: Cluster, tmp_path: Path, effort: Effort, record_property: Callable[[str, object], None]
) -> None:
    service = patient(own_cluster.database())
    service.start()
    for name, number in killed(service, tmp_path, effort, ["database", "database", "worker", "receiver"], own_cluster).items():
        record_property(name, number)
    service.stop()


def killed(service: Service, folder: Path, effort: Effort, whom: list[str], cluster: Cluster | None = None) -> Counter[str]:
    """Change orders for some seconds while one after another is killed, and compare; return what was counted."""
    counted: Counter[str] = Counter()
    for number in effort.rounds():
        receiver = Program(folder / f"journal-{number}", milliseconds=5)
        workers = [Worker(service.database) for _ in range(2)]
        with service.shop() as shop, ExitStack() as ends:
            shop.http.event_hooks = {}
            receiver.start()
            ends.callback(receiver.kill)
            for one in workers:
                one.start()
                ends.callback(one.kill)
            shop.subscribe(receiver.url)
            wait_for(receiver.received)
            writer = Writer(shop, number)
            counted["kills"] += kill(random.Random(number), service, receiver, workers, whom, cluster)
            writer.stop()
            feed = feed_of(service.database, shop)
            positions = {position for position, _, _ in feed}
            wait_for(partial(was_told, receiver, positions))
            received = sent_to(receiver)
        assert {(one["position"], one["id"], one["version"]) for one in received} == set(feed)
        assert len({(one["position"], one["delivery"]) for one in received}) == len(feed)
        assert in_order(received)
        counted["deliveries"] += len(feed)
    return counted


def kill(
    drawn: random.Random, service: Service, receiver: Program, workers: list[Worker], whom: list[str], cluster: Cluster | None
) -> int:
    """Kill one after another for three seconds, and start it again; return how many."""
    until, kills = time.monotonic() + 3, 0
    while time.monotonic() < until:
        time.sleep(drawn.uniform(0.1, 0.5))
        kills += 1
        match drawn.choice(whom):
            case "worker":
                worker = drawn.choice(workers)
                worker.kill()
                worker.start()
            case "receiver":
                receiver.kill()
                time.sleep(drawn.uniform(0, 0.2))
                receiver.start()
            case "database":
                assert cluster is not None
                cluster.kill()
                cluster.start()
            case _:
                service.kill()
                service.start()
    return kills


def was_told(receiver: Program, positions: set[int]) -> bool:
    """Whether a receiver was told of all that stands at these positions."""
    return positions <= {told["position"] for told in sent_to(receiver)}


def sent_to(receiver: Program) -> list[dict[str, Any]]:
    """What a receiver was told, but for pings: the entry of the feed, and the id of the delivery."""
    return [{**one["feed"], "delivery": one["event_delivery"]} for one in receiver.received() if one["event"] != "ping"]


def test_several_workers_share_the_subscriptions(killable: Service) -> None:
    """No delivery is sent by two of them, and none is left."""
    workers = [Worker(killable.database, before="") for _ in range(3)]
    with killable.shop() as shop, receiving() as receiver, ExitStack() as ends:
        hooks = [shop.subscribe(receiver.url, "shopping_order_update")["id"] for _ in range(6)]
        for _ in range(20):
            shop.order(5)
        for worker in workers:
            worker.start()
            ends.callback(worker.kill)
        wait_for(lambda: len(receiver.but_for_pings()) >= 120)
        order = shop.order(100)["id"]
        shop.post(f"/orders/{order}/authorizations", operation((1, 100)))
        wait_for(lambda: len(receiver.but_for_pings()) >= 132)
        time.sleep(0.3)
        assert len(receiver.but_for_pings()) == len({one.id for one in receiver.all if one.event != "ping"}) == 132
        wait_for(lambda: all(shop.hooks("GET", f"/{hook}/deliveries")[0]["state"] == "delivered" for hook in hooks))


def test_nothing_of_an_erased_order_is_kept_of_its_deliveries(own_database: str, tmp_path: Path) -> None:
    """Not in what was sent, what waits, or its log: a receiver that repeats what it was sent is not quoted."""
    marks, log = Marks(), tmp_path / "log"
    service = Service(own_database, environment={**os.environ, **PATIENT, "ORDRE_LOG_LEVEL": "debug"})
    with log.open("wb") as file:
        service.start(log=file.fileno())

    def echoing(received: Any) -> bytes:
        return b"HTTP/1.1 500 Not now\r\ncontent-length: %d\r\n\r\n%b" % (len(received.body), received.body)

    with service.shop() as shop, receiving(echoing) as receiver, receiving() as taking:
        hook = shop.subscribe(receiver.url)["id"]
        shop.subscribe(taking.url)
        order, _ = live(shop, marks)
        wait_for(lambda: len(taking.but_for_pings()) >= 10)
        wait_for(receiver.but_for_pings)
        assert marks.found(b"".join(one.body for one in taking.all)) != set()
        wait_for(lambda: any(one["attempts"] for one in shop.hooks("GET", f"/{hook}/deliveries", params={"limit": 100})))
        shop.delete(f"/orders/{order}")
        wait_for(lambda: taking.of("shopping_order_delete"))
    service.stop()
    run("worker", "--once", database=own_database)
    assert marks.found(everything_in(own_database)) == set()
    assert marks.found(log.read_bytes()) == set()


def test_old_deliveries_are_forgotten(own_database: str) -> None:
    service = Service(
        own_database, environment={**os.environ, **QUICK, "ORDRE_HOOK_LOG_SECONDS": "1", "ORDRE_TIDY_SECONDS": "0.2"}
    )
    service.start()
    with service.shop() as shop, receiving() as receiver:
        hook = shop.subscribe(receiver.url)["id"]
        wait_for(lambda: receiver.all)
        wait_for(lambda: shop.hooks("GET", f"/{hook}/deliveries") == [])
        assert shop.hooks("GET", f"/{hook}")["state"] == "active"
    service.stop()
