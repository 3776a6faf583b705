"""A3, and who waits for whom: somebody else locks a row, a table or the file, or ends the connection, under a running server.

Nobody waits for longer than he has to, and an answer says what happened: what was told to be recorded is there, what was told
not to be never is, and where nobody can tell, that is said.
"""

import asyncio
import random
import signal
import sqlite3
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

import asyncpg
import httpx
import pytest

from commands import run_json
from lanes import Effort
from ordre.db.locks import IDLE_SECONDS, WAIT_SECONDS
from ordre.db.pending import SETTLE_SECONDS
from service import Service, Shop, items, operation, serving
from throwaway import Cluster, unbound
from told import NOTHING, UNKNOWN, Writers

pytestmark = pytest.mark.slow

LONGEST_SECONDS = 20.0
"""For whoever meets one lock after another."""
AT_ONCE_SECONDS = 1.0
"""Long for one write, even on a busy machine, and far from how long somebody waits for a lock."""


class Other:
    """Somebody else with a connection of his own to a PostgreSQL database."""

    def __init__(self, database: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._connection: Any = self._loop.run_until_complete(asyncpg.connect(unbound(database)))

    def does(self, statement: str, *values: object) -> Any:
        return self._loop.run_until_complete(self._connection.fetch(statement, *values))

    def end(self) -> None:
        self._loop.run_until_complete(self._connection.close())
        self._loop.close()


@contextmanager
def somebody(database: str, *holding: str) -> Iterator[Other]:
    """Somebody who holds something until the end, in a transaction."""
    other = Other(database)
    for statement in ("begin", *holding):
        other.does(statement)
    try:
        yield other
    finally:
        other.end()


@pytest.fixture(scope="module")
def on_postgres(cluster: Cluster) -> Iterator[Service]:
    with serving(cluster.database()) as made:
        yield made


def said(answer: httpx.Response) -> str:
    message: str = answer.json()["error"]["message"]
    return message


def authorized(shop: Shop, number: int) -> list[str]:
    made = [f"/orders/{shop.order(1_000_000)['id']}" for _ in range(number)]
    for path in made:
        shop.post(f"{path}/authorizations", operation((1, 1_000_000)))
    return made


def seconds_of(shop: Shop, paths: list[str]) -> list[float]:
    """Capture on each; return how long each took."""
    took = []
    for path in paths:
        began = time.monotonic()
        shop.post(f"{path}/captures", operation((1, 1)))
        took.append(time.monotonic() - began)
    return took


def test_one_locked_order_holds_up_its_own_writes_alone(
    on_postgres: Service, record_property: Callable[[str, object], None]
) -> None:
    with on_postgres.shop() as shop:
        locked, *others = authorized(shop, 9)
        quiet = seconds_of(shop, others * 3)
        stopping, refused = threading.Event(), []

        def press() -> None:
            while not stopping.is_set():
                began = time.monotonic()
                answer = shop.send("POST", f"{locked}/captures", operation((1, 1)))
                refused.append((answer, time.monotonic() - began))

        with (
            ThreadPoolExecutor(24) as pool,
            somebody(on_postgres.database, f"select 1 from orders where id = '{locked.rpartition('/')[2]}' for update"),
        ):
            pressing = [pool.submit(press) for _ in range(24)]
            until, busy = time.monotonic() + 2 * WAIT_SECONDS, []
            while time.monotonic() < until:
                busy += seconds_of(shop, others)
                assert shop.send("GET", locked).status_code == 200
            stopping.set()
            for one in pressing:
                one.result()
        record_property("median of a neighbour beside a locked order, ms", round(statistics.median(busy) * 1000, 1))
        record_property("longest of a neighbour beside a locked order, ms", round(max(busy) * 1000))
        record_property("median of a neighbour before, ms", round(statistics.median(quiet) * 1000, 1))
        assert max(busy) < AT_ONCE_SECONDS
        assert len(refused) >= 24
        for answer, took in refused:
            assert answer.status_code == 503, answer.text
            assert "busy" in said(answer)
            assert NOTHING in said(answer)
            assert took < 2 * WAIT_SECONDS + AT_ONCE_SECONDS
        time.sleep(0.2)
        assert shop.get(locked)["captures"] == []
        shop.post(f"{locked}/captures", operation((1, 1)))
        assert len(shop.get(locked)["captures"]) == 1
    assert run_json("verify", database=on_postgres.database)["differences"] == []


def test_a_locked_account_holds_up_the_others_once(on_postgres: Service) -> None:
    """Its row is locked, so that no order of it can be made: after the first time, nobody else waits for that."""
    with on_postgres.shop() as shop, on_postgres.shop() as neighbour:
        (paid,) = authorized(shop, 1)
        others = authorized(neighbour, 8)
        with (
            ThreadPoolExecutor(8) as pool,
            somebody(on_postgres.database, f"select 1 from accounts where account_id = '{shop.account_id}' for update"),
        ):
            first = pool.submit(shop.send, "POST", "/orders", {"currency": "NOK", "items": items(5)})
            assert max(seconds_of(neighbour, others)) < WAIT_SECONDS + AT_ONCE_SECONDS
            assert NOTHING in said(first.result())
            work = [pool.submit(shop.send, "POST", "/orders", {"currency": "NOK", "items": items(5)}) for _ in range(20)]
            assert max(seconds_of(neighbour, others * 3)) < AT_ONCE_SECONDS
            assert {NOTHING in said(one.result()) for one in work} == {True}
            assert max(seconds_of(shop, [paid])) < AT_ONCE_SECONDS
        assert len(shop.get("/orders")["orders"]) == 1
        shop.order(5)


def test_who_was_told_no_is_not_recorded_later(own_database: str, record_property: Callable[[str, object], None]) -> None:
    """His time is over before the database would say anything."""
    with serving(own_database, ORDRE_REQUEST_SECONDS="0.7") as service, service.shop() as shop:
        (path,) = authorized(shop, 1)
        work: list[tuple[str, str, Any]] = [("POST", f"{path}/comments", {"body": f"n{number}"}) for number in range(20)]
        work += [("POST", "/orders", {"currency": "NOK", "items": items(5), "order_id": f"o{number}"}) for number in range(20)]
        work += [("POST", "/draft_orders", {"order": {"currency": "NOK"}})] * 5
        work.append(("DELETE", path, None))
        with ThreadPoolExecutor(len(work)) as pool, holding_all(own_database):
            answers = list(pool.map(lambda one: shop.send(*one), work))
        assert {answer.status_code for answer in answers} == {503}
        assert all(NOTHING in said(answer) for answer in answers), Counter(map(said, answers))
        record_property("changes told no and not recorded", len(answers))
        time.sleep(0.5)
        assert shop.get(path)["comments"] == []
        assert [order["id"] for order in shop.get("/orders")["orders"]] == [path.rpartition("/")[2]]
        assert shop.get("/draft_orders")["draft_orders"] == []
        assert {shop.send(*one).status_code for one in work} == {200}


@contextmanager
def holding_all(database: str) -> Iterator[None]:
    """Somebody who lets nobody else write."""
    if not database.startswith("sqlite"):
        with somebody(database, "lock table orders in access exclusive mode"):
            yield
        return
    with closing(sqlite3.connect(database.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("begin immediate")
        yield
        other.execute("rollback")


def test_connections_that_the_server_ends(on_postgres: Service, record_property: Callable[[str, object], None]) -> None:
    """Again and again, at any moment of a write: 503 or 200, never 500, and what is said of each is so."""
    ending = (
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'ordre' and datname = current_database()"
    )
    answers: dict[str, httpx.Response] = {}
    with on_postgres.shop() as shop, closing_of(Other(on_postgres.database)) as other:
        paths, stopping = authorized(shop, 4), threading.Event()

        def write(writer: int) -> None:
            number = 0
            while not stopping.is_set():
                number += 1
                body = f"{writer}-{number}"
                answers[body] = shop.send("POST", f"{paths[number % 4]}/comments", {"body": body})

        with ThreadPoolExecutor(8) as pool:
            writing = [pool.submit(write, writer) for writer in range(8)]
            for _ in range(40):
                time.sleep(0.04)
                other.does(ending)
            stopping.set()
            for one in writing:
                one.result()
        found = Counter(comment["body"] for path in paths for comment in wait_for(shop, path)["comments"])
    counted = Counter(answer.status_code for answer in answers.values())
    assert set(counted) == {200, 503}, [answer.text for answer in answers.values() if answer.status_code not in (200, 503)][:1]
    told = {body: "yes" if answer.status_code == 200 else said(answer) for body, answer in answers.items()}
    assert max(found.values()) == 1
    for body, word in told.items():
        assert word == "yes" or NOTHING in word or UNKNOWN in word
        assert UNKNOWN in word or (body in found) == (word == "yes"), (body, word)
    record_property("writes while connections were ended", len(answers))
    record_property("of which nobody can tell", sum(UNKNOWN in word for word in told.values()))
    assert run_json("verify", database=on_postgres.database)["differences"] == []


def wait_for(shop: Shop, path: str) -> Any:
    """Read an order, as soon as the database answers again."""
    while (answer := shop.send("GET", path)).status_code == 503:
        time.sleep(0.05)
    return answer.json()


@contextmanager
def closing_of(other: Other) -> Iterator[Other]:
    yield other
    other.end()


def test_a_write_whose_answer_cannot_be_read_is_said_to_be_recorded(on_postgres: Service) -> None:
    """What the answer shows of clients is locked; what the write needs is not."""
    with on_postgres.shop() as shop:
        path, headers = authorized(shop, 1)[0], {"Idempotency-Key": "close"}
        with somebody(on_postgres.database, "lock table clients in access exclusive mode"):
            answer = shop.send("POST", f"{path}/close", headers=headers, params={"include_events": "true"})
        assert answer.status_code == 503
        assert answer.json()["error"]["errors"][0]["code"] == "answer_lost"
        assert "this was recorded" in said(answer)
        assert shop.get(path)["status"] == "closed"
        again = shop.send("POST", f"{path}/close", headers=headers, params={"include_events": "true"})
        assert (again.status_code, again.headers["idempotency-replayed"]) == (200, "true")


def test_a_reader_that_hangs_is_given_up_and_told(on_postgres: Service) -> None:
    with on_postgres.shop() as shop:
        path = authorized(shop, 1)[0]
        with somebody(on_postgres.database, "lock table orders in access exclusive mode"):
            began = time.monotonic()
            answer = shop.send("GET", path)
            assert time.monotonic() - began < WAIT_SECONDS + AT_ONCE_SECONDS
        assert (answer.status_code, said(answer)) == (503, "The database is busy; try again")


def test_a_transaction_of_a_process_that_hangs_is_ended(own_cluster: Cluster) -> None:
    """It was stopped while it waited for an order's lock, which it then has: the order is free again by itself."""
    database = own_cluster.database()
    with (
        serving(database) as hanging,
        serving(database) as service,
        service.shop() as shop,
        hanging.shop(account_id=shop.account_id) as same,
        ThreadPoolExecutor(1) as pool,
    ):
        path = authorized(shop, 1)[0]
        assert hanging.process is not None
        assert same.token
        with somebody(database, f"select 1 from orders where id = '{path.rpartition('/')[2]}' for update") as other:
            erasing = pool.submit(same.send, "DELETE", path)
            while other.does("select count(*) from pg_locks where not granted")[0][0] == 0:
                time.sleep(0.01)
            hanging.process.send_signal(signal.SIGSTOP)
        try:
            until = time.monotonic() + IDLE_SECONDS + 10 * WAIT_SECONDS
            while (answer := shop.send("POST", f"{path}/captures", operation((1, 1)))).status_code == 503:
                assert time.monotonic() < until, answer.text
        finally:
            hanging.process.send_signal(signal.SIGCONT)
        assert answer.status_code == 200
        assert erasing.result().status_code in (200, 503)


LOCKERS = 3
ROUND_SECONDS, DEEP_ROUND_SECONDS = 2.0, 6.0
REQUEST_SECONDS = ("1", "30")
"""One is over before what is waited for is given up, one is not."""
LOCKED = (
    "select 1 from orders where account_id = $1 and id = any($2) for update",
    "select 1 from orders where account_id = $1 and id = any($2) for share",
    "select 1 from orders where account_id = $1 for no key update",
    "select 1 from order_bodies where account_id = $1 and id = any($2) for update",
    "select 1 from facts where account_id = $1 and id = any($2) for update",
    "select 1 from drafts where account_id = $1 for update",
    "select 1 from idempotency where account_id = $1 for update",
    "select 1 from tallies where account_id = $1 for update",
    "select 1 from feeds where account_id = $1 for update",
    "select 1 from accounts where account_id = $1 for update",
    "select 1 from clients where account_id = $1 for update",
    "lock table orders in exclusive mode",
    "lock table facts in share mode",
    "lock table idempotency in access exclusive mode",
)


def locks_by_chance(database: str, account_id: str, orders: list[str], seed: str, until: float) -> int:
    """Lock a few things one after another, in no order, hold them, and let them go, again and again; return how often."""
    drawn, times = random.Random(seed), 0
    with closing_of(Other(database)) as other:
        other.does("set lock_timeout = '1s'")
        while time.monotonic() < until:
            other.does("begin")
            try:
                for statement in drawn.sample(LOCKED, drawn.choice((1, 1, 2, 3))):
                    values = (account_id, drawn.sample(orders, drawn.randint(1, len(orders))))
                    other.does(statement, *values[: statement.count("$")])
                    time.sleep(drawn.choice((0, 0.05, 0.3)))
                time.sleep(min(drawn.choice((0.01, 0.1, 0.5, 2 * WAIT_SECONDS)), max(until - time.monotonic(), 0)))
                times += 1
            except (asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError):
                pass  # its own locks go: somebody else goes on
            other.does("rollback")
            time.sleep(drawn.uniform(0, 0.2))
    return times


@pytest.mark.deep
def test_rows_that_somebody_locks_by_chance(
    cluster: Cluster, effort: Effort, record_property: Callable[[str, object], None]
) -> None:
    """Whatever is locked, in whatever order and for how long: what the writers are told is so, and nobody waits for ever."""
    database, counted = cluster.database(), Counter[str]()
    for seed in effort.rounds():
        seconds = random.Random(seed).choice(REQUEST_SECONDS)
        with (
            serving(database, ORDRE_REQUEST_SECONDS=seconds) as service,
            service.shop() as shop,
            ThreadPoolExecutor(LOCKERS) as pool,
        ):
            writers = Writers(shop, str(seed))
            with writers.at_work():
                until = time.monotonic() + (DEEP_ROUND_SECONDS if effort.deep else ROUND_SECONDS)
                locking = [
                    pool.submit(locks_by_chance, database, shop.account_id, writers.orders, f"{seed}-{locker}", until)
                    for locker in range(LOCKERS)
                ]
                counted["held locks"] += sum(one.result() for one in locking)
            longest = max(writers.told, key=lambda one: one.seconds)
            counted += writers.check()
            assert longest.seconds < min(LONGEST_SECONDS, float(seconds) + SETTLE_SECONDS + AT_ONCE_SECONDS), longest
        assert run_json("verify", database=database)["differences"] == []
    for what, times in counted.items():
        record_property(f"{what} while rows were locked by chance" if "told" in what else what, times)
