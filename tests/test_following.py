"""F1: through kills of servers and PostgreSQL, readers of the feed end with exactly what was committed, each once, in order."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from commands import run_json
from following import Follower, compare_feed
from lanes import Effort
from service import Service, Shop, item, operation
from throwaway import Cluster

pytestmark = [pytest.mark.slow, pytest.mark.deep]

WRITERS, KILLS, DEEP_KILLS = 6, 3, 8
BETWEEN_SECONDS = (0.2, 0.8)


def write(shop: Shop, servers: list[Service], name: str, stopping: threading.Event) -> None:
    """Make orders and drafts, record, complete, erase, on one server after the other, whether or not they answer."""
    drawn, asked = random.Random(name), 0
    headers = {"Authorization": f"Bearer {shop.token}"}
    with httpx.Client(timeout=5) as http:

        def ask(method: str, path: str, body: object = None) -> dict[str, str]:
            nonlocal asked
            asked += 1
            url = f"{servers[asked % len(servers)].url}/v1/accounts/{shop.account_id}/shopping{path}"
            try:
                answer = http.request(method, url, json=body, headers=headers)
            except httpx.TransportError:
                stopping.wait(0.02)
                return {}
            assert answer.status_code in (200, 400, 404, 503), answer.text
            found: dict[str, str] = answer.json()
            return found

        while not stopping.is_set():
            sketch = {"currency": "NOK", "items": [item(1, 100)]}
            if drawn.random() < 0.3:
                draft = ask("POST", "/draft_orders", {"order": sketch}).get("id")
                ask("PUT", f"/draft_orders/{draft}", {"order": {"comment": name}})
                ask("PUT", f"/draft_orders/{draft}/complete")
                continue
            order = ask("POST", "/orders", sketch).get("id")
            ask("POST", f"/orders/{order}/authorizations", operation((1, 100)))
            for _ in range(drawn.randint(0, 4)):
                ask("POST", f"/orders/{order}/captures", operation((1, 1)))
            if drawn.random() < 0.2:
                ask("DELETE", f"/orders/{order}")


def attack(servers: list[Service], effort: Effort, seed: int, cluster: Cluster | None = None) -> Counter[str]:
    """Write and read while one after the other is killed and started again; compare; return what was counted."""
    drawn, stopping, kills = random.Random(seed), threading.Event(), DEEP_KILLS if effort.deep else KILLS
    with servers[0].shop() as shop, ThreadPoolExecutor(WRITERS) as pool:
        shop.sign_in()
        readers = [
            Follower(servers, shop, limit=7),
            Follower(servers, shop, wait=2),
            Follower(servers[::-1], shop, wait=1, limit=3),
            Follower(servers, shop, stream=True),
        ]
        writing = [pool.submit(write, shop, servers, f"{seed}-{number}", stopping) for number in range(WRITERS)]
        for _ in range(kills):
            stopping.wait(drawn.uniform(*BETWEEN_SECONDS))
            if cluster is not None and drawn.random() < 0.5:
                cluster.kill()
                cluster.start()
            else:
                killed = drawn.choice(servers)
                killed.kill()
                killed.start()
        stopping.wait(drawn.uniform(*BETWEEN_SECONDS))
        stopping.set()
        for one in writing:
            one.result(timeout=60)
        entries = compare_feed(servers[0].database, shop.account_id, readers)
    assert run_json("verify", database=servers[0].database)["differences"] == []
    return Counter(kills=kills, entries=entries, interrupted=sum(reader.failures for reader in readers))


def test_readers_end_with_what_was_committed(
    own_database: str, effort: Effort, record_property: Callable[[str, object], None]
) -> None:
    servers = [Service(own_database) for _ in range(2)]
    _attacked(servers, effort, record_property, None)


def test_so_it_is_when_postgresql_is_killed(
    own_cluster: Cluster, effort: Effort, record_property: Callable[[str, object], None]
) -> None:
    database = own_cluster.database()
    servers = [Service(database, "--workers", "2"), Service(database)]
    _attacked(servers, effort, record_property, own_cluster)


def _attacked(
    servers: list[Service], effort: Effort, record_property: Callable[[str, object], None], cluster: Cluster | None
) -> None:
    counted = Counter[str]()
    for server in servers:
        server.start()
    try:
        for seed in effort.rounds():
            counted += attack(servers, effort, seed, cluster)
    finally:
        for server in servers:
            server.stop()
    assert counted["entries"] > 20 * counted["kills"]
    assert counted["interrupted"]
    record_property("kills under readers of the feed", counted["kills"])
    record_property("entries of the feed", counted["entries"])
