"""The store fails under a running server: 503 says why and when to come back, and so does health.

When the store is well again, so is the server, by itself. What was acknowledged is there.
"""

import asyncio
import resource
import sqlite3
import time
from collections.abc import Callable, Iterator
from typing import Any

import asyncpg
import httpx
import pytest

from commands import run
from database import new_database
from service import Service, Shop, items, serving
from throwaway import Cluster, unbound

pytestmark = pytest.mark.slow

RECOVERY_SECONDS = 15.0
HASTY = {"ORDRE_REQUEST_SECONDS": "2"}


@pytest.fixture
def on_postgres(own_cluster: Cluster) -> Iterator[Service]:
    with serving(own_cluster.database(), **HASTY) as made:
        yield made


@pytest.fixture
def on_sqlite(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(new_database(request, "sqlite", tmp_path_factory), **HASTY) as made:
        yield made


def new_order(shop: Shop) -> httpx.Response:
    return shop.send("POST", "/orders", {"currency": "NOK", "items": items(5), "metadata": {"x": "y" * 10_000}})


def unavailable(answer: httpx.Response) -> str:
    """What is said of the trouble."""
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["retry-after"]) >= 1
    error = answer.json()["error"]
    assert (error["code"], error["errors"][0]["code"] in ("store_unavailable", "timeout")) == ("SERVICE UNAVAILABLE", True)
    message: str = error["message"]
    return message


def recovers(what: Callable[[], httpx.Response]) -> None:
    deadline = time.monotonic() + RECOVERY_SECONDS
    while (answer := what()).status_code != 200:
        assert answer.status_code == 503
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.2)


def all_is_well(service: Service, shop: Shop, made: list[str]) -> None:
    """It took care of itself; what was acknowledged is there, and nothing that was not."""
    recovers(lambda: shop.http.get("/health"))
    recovers(lambda: shop.send("GET", "/orders"))
    recovers(lambda: new_order(shop))
    found = {order["id"] for order in shop.get("/orders", params={"limit": 100})["orders"]}
    assert set(made) <= found
    assert "0 differences" in run("verify", "--account", shop.account_id, database=service.database)


def test_the_database_goes_away_and_comes_back(on_postgres: Service, own_cluster: Cluster) -> None:
    with on_postgres.shop() as shop:
        made = [new_order(shop).json()["id"] for _ in range(5)]
        own_cluster.kill()
        assert "cannot be reached" in unavailable(new_order(shop))
        assert "cannot be reached" in unavailable(shop.send("GET", f"/orders/{made[0]}"))
        assert "cannot be reached" in unavailable(shop.http.get("/health"))
        own_cluster.start()
        all_is_well(on_postgres, shop, made)


def test_the_database_is_read_only(on_postgres: Service) -> None:
    with on_postgres.shop() as shop:
        made = [new_order(shop).json()["id"] for _ in range(5)]
        sql(on_postgres, "alter system set default_transaction_read_only = on", "select pg_reload_conf()")
        deadline = time.monotonic() + RECOVERY_SECONDS
        while (answer := new_order(shop)).status_code == 200 and time.monotonic() < deadline:
            made.append(answer.json()["id"])
        assert "read-only" in unavailable(answer)
        assert shop.send("GET", f"/orders/{made[0]}").status_code == 200
        assert "read-only" in unavailable(shop.http.get("/health"))
        sql(on_postgres, "set default_transaction_read_only = off", "alter system reset default_transaction_read_only")
        sql(on_postgres, "select pg_reload_conf()")
        all_is_well(on_postgres, shop, made)


def test_every_connection_is_taken(on_postgres: Service) -> None:
    with on_postgres.shop() as shop:
        made = [new_order(shop).json()["id"] for _ in range(5)]
        held = locked(on_postgres)
        next(held)
        started = time.monotonic()
        unavailable(new_order(shop))
        unavailable(shop.send("GET", f"/orders/{made[0]}"))
        assert time.monotonic() - started < 10
        next(held, None)
        all_is_well(on_postgres, shop, made)


def test_another_process_holds_the_file(on_sqlite: Service) -> None:
    with on_sqlite.shop() as shop:
        made = [new_order(shop).json()["id"] for _ in range(5)]
        with sqlite3.connect(on_sqlite.database.removeprefix("sqlite:///"), isolation_level=None) as other:
            other.execute("begin immediate")
            unavailable(new_order(shop))
            assert shop.send("GET", f"/orders/{made[0]}").status_code == 200
            other.execute("rollback")
        other.close()
        all_is_well(on_sqlite, shop, made)


def test_the_disk_is_full(on_sqlite: Service) -> None:
    assert on_sqlite.process is not None
    with on_sqlite.shop() as shop:
        made = [new_order(shop).json()["id"] for _ in range(5)]
        _, hard = resource.prlimit(on_sqlite.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(on_sqlite.process.pid, resource.RLIMIT_FSIZE, (1024, hard))
        assert "full" in unavailable(new_order(shop))
        assert shop.send("GET", f"/orders/{made[0]}").status_code == 200
        assert "full" in unavailable(shop.http.get("/health"))
        resource.prlimit(on_sqlite.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, hard))
        all_is_well(on_sqlite, shop, made)


def sql(service: Service, *statements: str) -> None:
    async def running() -> None:
        connection: Any = await asyncpg.connect(unbound(service.database))
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(running())


def locked(service: Service) -> Iterator[None]:
    """Lock the orders until asked again."""
    loop = asyncio.new_event_loop()
    connection: Any = loop.run_until_complete(asyncpg.connect(unbound(service.database)))
    loop.run_until_complete(connection.execute("begin"))
    loop.run_until_complete(connection.execute("lock table orders in access exclusive mode"))
    yield
    loop.run_until_complete(connection.close())
    loop.close()
