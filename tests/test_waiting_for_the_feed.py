"""Who waits for the feed, in a request or in a stream: told how far it is, let go, and shown no more than it may see."""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from commands import run
from service import Service, Shop

pytestmark = [pytest.mark.slow, pytest.mark.once]
WAIT = 20


@contextmanager
def made(database: str, before: str) -> Iterator[tuple[Service, Shop]]:
    """A server whose process ran this first, and a shop."""
    service = Service(database)
    service.before = before
    service.start()
    with service.shop() as shop:
        yield service, shop
    service.stop()


@contextmanager
def followed(shop: Shop, **params: Any) -> Iterator[Iterator[str]]:
    """The lines of a stream."""
    headers = {"Authorization": f"Bearer {shop.token}", "Accept": "text/event-stream"}
    url = f"{shop.http.base_url}/v1/accounts/{shop.account_id}/shopping/feed"
    with httpx.stream("GET", url, headers=headers, params=params, timeout=WAIT / 2) as answer:
        assert answer.status_code == 200
        yield answer.iter_lines()


def test_who_is_far_behind_is_told_how_far_was_read(own_database: str) -> None:
    """What is left out is looked at for some entries a time, whether the rest is waited for or not."""
    with made(own_database, "from ordre.db import feed\nfeed.SCANNED = 2\n") as (_, shop):
        for _ in range(5):
            shop.order(1)
        position, pages = 0, list[tuple[int, int]]()
        while position < 4:
            page = shop.get("/feed", params={"after": position, "wait": WAIT, "kind": "refund"})
            assert page["entries"] == []
            pages.append((page["position"], page["end"]))
            position = page["position"]
        assert pages == [(2, 5), (4, 5)]
        with followed(shop, kind="refund") as lines:
            assert [line for line in (next(lines) for _ in range(6)) if line.startswith("id")] == ["id: 2", "id: 4"]


def test_a_stream_of_what_is_rare_says_how_far_it_is(own_database: str) -> None:
    with (
        made(own_database, "from ordre.api.handlers import feed\nfeed.ALIVE_SECONDS = 1\n") as (_, shop),
        ThreadPoolExecutor(1) as pool,
    ):
        order = shop.order(1)["id"]
        done = threading.Event()

        def write() -> None:
            while not done.is_set():
                shop.put(f"/orders/{order}", {"comment": secrets.token_hex(4)})

        with followed(shop, kind="refund") as lines:
            writing = pool.submit(write)
            try:
                told = [int(line.removeprefix("id: ")) for line in (next(lines) for _ in range(6)) if line.startswith("id")]
            finally:
                done.set()
            writing.result()
        assert told == sorted(told)
        assert told[-1] > 1


def test_a_disabled_client_is_shown_no_more(own_database: str) -> None:
    """Neither in a stream that it began before, nor in the answer that it waits for."""
    before = "from ordre.auth import tokens\ntokens.CLIENT_SECONDS = 0\n"
    with (
        made(own_database, before) as (service, shop),
        service.shop(account_id=shop.account_id) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        shop.order(1)
        with followed(shop) as lines:
            assert "id: 1" in [next(lines) for _ in range(4)]
            waiting = pool.submit(shop.send, "GET", "/feed", params={"after": 1, "wait": WAIT})
            time.sleep(0.5)
            run("client", "disable", shop.account_id, shop.client_id, database=own_database)
            other.order(2)
            assert not any(line.startswith("id: 2") for line in lines)
        assert waiting.result().status_code == 401


def test_nobody_waits_for_a_client_that_has_gone(logged: tuple[Service, Path]) -> None:
    service, log = logged
    with service.shop() as shop:
        shop.order(1)
        with pytest.raises(httpx.ReadTimeout), httpx.Client(timeout=0.5) as impatient:
            impatient.get(
                f"{service.url}/v1/accounts/{shop.account_id}/shopping/feed",
                params={"after": 1, "wait": WAIT},
                headers={"Authorization": f"Bearer {shop.token}"},
            )
        until(lambda: '"aid_feed_get"' in log.read_text())
        (line,) = [line for line in log.read_text().splitlines() if '"aid_feed_get"' in line]
        assert '"status":499' in line.replace(" ", "")


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT / 2
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_page_of_whole_orders_takes_no_longer_than_it_may(own_database: str) -> None:
    """An order with a long past is folded for each entry: the page ends, and does not run into the time of a request."""
    with made(own_database, "from ordre.api.handlers import feed\nfeed.MAKING_SECONDS = 0\n") as (_, shop):
        for _ in range(3):
            shop.order(1)
        page = shop.get("/feed", params={"include": "order"})
        assert (len(page["entries"]), page["position"], page["end"]) == (1, 1, 3)


def test_few_of_an_account_wait_at_once(own_database: str) -> None:
    """Each holds a connection, of which there are not enough for everybody's."""
    with (
        made(own_database, "from ordre.api.http import turns\nturns.FOLLOWERS = 1\n") as (service, shop),
        service.shop() as other,
    ):
        shop.order(1)
        stream = {"Accept": "text/event-stream"}
        with followed(shop) as lines:
            assert "id: 1" in [next(lines) for _ in range(4)]
            for refused in (shop.send("GET", "/feed", headers=stream), shop.send("GET", "/feed", params={"after": 1, "wait": 1})):
                assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
            assert len(shop.get("/feed", params={"wait": 1})["entries"]) == 1, "who need not wait is answered"
            with followed(other):
                pass
        until(lambda: shop.send("GET", "/feed", params={"after": 1, "wait": 1}).status_code == 200)
