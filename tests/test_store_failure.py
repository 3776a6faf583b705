"""The store fails under a running server: 503 says why and when to come back, and so does health.

When the store is well again, so is the server, by itself. What was acknowledged is there.
"""

import asyncio
import contextlib
import random
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from commands import run, run_json
from database import ENGINES, new_database
from full_disk import Disk, postgres_disk, sqlite_disk
from lanes import Effort
from service import Service, Shop, items, serving
from throwaway import OWNER, Cluster, unbound
from told import Writers

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


@pytest.fixture(params=ENGINES)
def on_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Service, Disk]]:
    """A server whose database has a small disk of its own."""
    made = sqlite_disk(tmp_path) if request.param == "sqlite" else postgres_disk(request.getfixturevalue("own_cluster"))
    with made as (database, disk), serving(database, **HASTY) as service:
        yield service, disk


def test_the_disk_is_full(on_disk: tuple[Service, Disk]) -> None:
    service, disk = on_disk
    with service.shop() as shop:
        made = [new_order(shop).json()["id"] for _ in range(5)]
        disk.fill(service)
        if disk.measured and service.database.startswith("sqlite"):
            assert "full" in unavailable(shop.http.get("/health/ready")), "before anybody could not write"
        while (answer := new_order(shop)).status_code == 200:
            made.append(answer.json()["id"])
        assert "full" in unavailable(answer)
        assert "nothing was recorded" in unavailable(answer)
        assert shop.send("GET", f"/orders/{made[0]}").status_code == 200
        for path in ("/health", "/health/ready"):
            assert "full" in unavailable(shop.http.get(path))
        disk.make_room(service)
        all_is_well(service, shop, made)


FILLINGS, EPISODES = 3, 3
"""How often the disk fills under the same writers at most; how often that is compared with what is there, in the deep lane."""


@contextlib.contextmanager
def small_disk(engine: str, folder: Path) -> Iterator[tuple[Service, Disk]]:
    """A server whose database has a new small disk, and on PostgreSQL a new cluster."""
    with contextlib.ExitStack() as ends:
        if engine == "sqlite":
            folder.mkdir()
            database, disk = ends.enter_context(sqlite_disk(folder))
        else:
            cluster = Cluster()
            ends.callback(cluster.remove)
            database, disk = ends.enter_context(postgres_disk(cluster))
        yield ends.enter_context(serving(database, **HASTY)), disk


@pytest.mark.once
@pytest.mark.deep
@pytest.mark.parametrize("engine", ENGINES)
def test_a_disk_that_fills_and_gets_room_by_chance(
    engine: str, tmp_path: Path, effort: Effort, record_property: Callable[[str, object], None]
) -> None:
    """At any moment under writers: what each is told is so, and afterwards everything can be written."""
    counted: Counter[str] = Counter()
    for seed in effort.rounds():
        with small_disk(engine, tmp_path / str(seed)) as (service, disk), service.shop() as shop:
            for episode in range(EPISODES if effort.deep else 1):
                drawn = random.Random(f"{seed}-{episode}")
                writers = Writers(shop, f"{seed}-{episode}")
                with writers.at_work():
                    for _ in range(drawn.randint(1, FILLINGS) if effort.deep else 1):
                        time.sleep(drawn.uniform(0, 0.5))
                        disk.fill(service)
                        time.sleep(drawn.choice((0, 0.05, 0.5, 1)))
                        disk.make_room(service)
                        counted["fillings of a disk"] += 1
                recovers(lambda: new_order(shop))
                counted += writers.check()
            assert run_json("verify", database=service.database)["differences"] == []
    for what, times in counted.items():
        record_property(f"{what} while a disk was full by chance" if "told" in what else what, times)


MOVED: dict[str, Callable[[Path], object]] = {
    "the file is moved": lambda path: path.rename(f"{path}.moved"),
    "the file is removed": Path.unlink,
    "the file is replaced by a copy of itself": lambda path: Path(shutil.copy(path, f"{path}.copy")).rename(path),
    "the log is removed": lambda path: path.with_name(f"{path.name}-wal").unlink(),
    "the index of the log is removed": lambda path: path.with_name(f"{path.name}-shm").unlink(),
    "the folder is moved": lambda path: path.parent.rename(f"{path.parent}.moved"),
}


@pytest.mark.parametrize("how", MOVED)
def test_the_file_is_moved_or_replaced_under_the_server(how: str, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    path = folder / "ordre.sqlite"
    with serving(f"sqlite:///{path}", ORDRE_TIDY_SECONDS="0.2") as service, service.shop() as shop:
        made = [new_order(shop).json()["id"] for _ in range(5)]
        MOVED[how](path)
        for _ in range(3):
            answer = new_order(shop)
            assert "moved or replaced" in unavailable(answer)
            assert "nothing was recorded" in unavailable(answer)
            time.sleep(0.2)
        for asked in ("/health", "/health/ready"):
            assert "moved or replaced" in unavailable(shop.http.get(asked))
        assert shop.send("GET", f"/orders/{made[0]}").status_code == 200
        if how == "the file is moved":
            assert not path.exists(), "nobody makes another one meanwhile"
            Path(f"{path}.moved").rename(path)
            all_is_well(service, shop, made)


def test_while_orders_are_made_the_file_is_moved(tmp_path: Path) -> None:
    """Whatever is acknowledged is in the file that was moved; nothing that was told not to be recorded is."""
    path, told = tmp_path / "ordre.sqlite", dict[str, httpx.Response]()
    service = Service(f"sqlite:///{path}")
    service.start()
    with service.shop() as shop, ThreadPoolExecutor(8) as pool:
        shop.sign_in()
        work = [pool.submit(shop.send, "POST", "/orders", {"currency": "NOK", "items": items(5)}) for _ in range(60)]
        work[20].result()
        path.rename(tmp_path / "moved.sqlite")
        told = {str(number): one.result() for number, one in enumerate(work)}
    service.stop()
    done = [answer.json()["id"] for answer in told.values() if answer.status_code == 200]
    unsure = sum("not known" in answer.text for answer in told.values())
    for end in ("-wal", "-shm"):
        left = path.with_name(path.name + end)
        if left.exists():
            left.rename(tmp_path / f"moved.sqlite{end}")
    with contextlib.closing(sqlite3.connect(tmp_path / "moved.sqlite")) as found:
        there = {row[0] for row in found.execute("select id from orders")}
    assert set(done) <= there
    assert len(there) <= len(done) + unsure
    assert any(answer.status_code == 503 for answer in told.values())


def test_what_is_acknowledged_is_durable_whatever_the_database_says(own_cluster: Cluster) -> None:
    database = own_cluster.database()
    name = database.rpartition("/")[2]
    with serving(database, **HASTY) as service, service.shop() as shop:
        sql(service, f"alter database {name} set synchronous_commit = off", f"alter role {OWNER} set synchronous_commit = off")
    with serving(database, **HASTY) as service, service.shop(account_id=shop.account_id) as same:
        sql(service, "alter system set synchronous_commit = off", "alter system set wal_writer_delay = '10s'")
        sql(service, "select pg_reload_conf()")
        for _ in range(3):
            made = [new_order(same).json()["id"] for _ in range(3)]
            own_cluster.kill()
            own_cluster.start()
            all_is_well(service, same, made)


@pytest.mark.parametrize("parameter", ["fsync", "full_page_writes"])
def test_a_database_that_may_lose_all_is_served_only_where_that_is_said(parameter: str) -> None:
    cluster = Cluster("-c", f"{parameter}=off")
    try:
        database = cluster.database()
        run("migrate", database=database)
        refused = run("serve", "--port", "0", database=database, status=1)
        assert f"the database is set to {parameter}=off" in refused
        assert "ORDRE_UNSAFE_STORAGE=allow" in refused
        with serving(database, ORDRE_UNSAFE_STORAGE="allow") as service, service.shop() as shop:
            shop.order(5)
    finally:
        cluster.remove()


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
