"""The feed: every change of an account at its position, read in pages, filtered, with what it shows, and waited for."""

import json
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from database import ENGINES, new_database
from ordre.application.feed import KINDS
from service import Service, Shop, faults_of, item, operation, serving

WAIT = 20


def everything(shop: Shop, **params: Any) -> list[dict[str, Any]]:
    """The whole feed, two entries at a time."""
    found: list[dict[str, Any]] = []
    position = 0
    while True:
        page = shop.get("/feed", params={"after": position, "limit": 2, **params})
        found += page["entries"]
        position = page["position"]
        if position == page["end"]:
            return found


def kinds(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["kind"] for entry in entries]


def test_every_change_has_a_position(shop: Shop) -> None:
    order = shop.paid(100)
    path = f"/orders/{order['id']}"
    shop.put(path, {"comment": "by the door"})
    shop.post(f"{path}/close")
    entries = everything(shop)
    assert kinds(entries) == ["placed", "authorization", "capture", "updated", "closed"]
    assert [entry["position"] for entry in entries] == [1, 2, 3, 4, 5]
    assert {(entry["type"], entry["id"], entry["created_by"]) for entry in entries} == {("order", order["id"], shop.client_id)}
    assert [entry["version"] for entry in entries] == [1, 2, 3, 4, 5]
    assert [entry["created_at"] for entry in entries] == [one["created_at"] for one in shop.get(f"{path}/events")["events"]]
    assert {entry["created_by_name"] for entry in entries} == {"Client"}
    assert len({entry["hash"] for entry in entries}) == 5


def test_an_account_without_a_change_has_an_empty_feed(shop: Shop) -> None:
    assert shop.get("/feed") == {"entries": [], "position": 0, "end": 0}
    assert shop.get("/feed", params={"after": 7}) == {"entries": [], "position": 7, "end": 0}


def test_what_is_refused_or_repeated_has_no_position(shop: Shop) -> None:
    key = {"Idempotency-Key": "once"}
    path = f"/orders/{shop.order(100)['id']}"
    for _ in range(3):
        shop.post(f"{path}/authorizations", operation((1, 100)), headers=key)
    assert shop.send("POST", f"{path}/captures", operation((1, 101))).status_code == 400
    shop.post(f"{path}/close")
    shop.post(f"{path}/close")
    assert kinds(everything(shop)) == ["placed", "authorization", "closed"]


def test_drafts_are_in_it(shop: Shop) -> None:
    sketch = {"order": {"currency": "NOK", "items": [item(1, 20)]}}
    first, second = shop.post("/draft_orders", sketch), shop.post("/draft_orders", sketch)
    shop.put(f"/draft_orders/{first['id']}", {"order": {"comment": "soon"}})
    made = shop.put(f"/draft_orders/{first['id']}/complete")["orders"][0]
    shop.delete(f"/draft_orders/{second['id']}")
    entries = everything(shop)
    assert sorted(kinds(entries)[3:5]) == ["draft_completed", "placed"], "in the batch of one request"
    assert kinds(entries)[:3] + kinds(entries)[5:] == ["draft_added", "draft_added", "draft_updated", "draft_deleted"]
    of_drafts = [(entry["id"], entry["version"]) for entry in entries if entry["type"] == "draft_order"]
    assert of_drafts == [(first["id"], 1), (second["id"], 1), (first["id"], 2), (first["id"], 3), (second["id"], 2)]
    assert [entry["id"] for entry in entries if entry["type"] == "order"] == [made["id"]]


def test_what_is_erased_keeps_its_positions(shop: Shop) -> None:
    draft = shop.post("/draft_orders", {"order": {"currency": "NOK", "items": [item(1, 20)], "comment": "Kari is away"}})
    made = shop.put(f"/draft_orders/{draft['id']}/complete")["orders"][0]
    before = everything(shop)
    shop.delete(f"/orders/{made['id']}")
    entries = everything(shop, include="order")
    assert [{name: value for name, value in entry.items() if name != "order"} for entry in entries[:3]] == before
    assert sorted(kinds(entries)[3:]) == ["draft_erased", "erased"]
    assert "Kari" not in str(entries)
    assert not any("order" in entry for entry in entries)


def test_kinds_and_stores(shop: Shop) -> None:
    here = shop.order(10, store={"id": "S-1"})
    there = shop.order(10, store={"id": "S-2"})
    for order in (here, there):
        shop.post(f"/orders/{order['id']}/authorizations", operation((1, 10)))
        shop.post(f"/orders/{order['id']}/comments", {"body": "so"})
    shop.delete(f"/orders/{there['id']}")
    assert kinds(everything(shop, kind="comment,authorization")) == ["authorization", "comment"] * 2
    assert kinds(everything(shop, store_id="S-1")) == ["placed", "authorization", "comment", "erased"]
    assert kinds(everything(shop, store_id="S-1", kind="comment")) == ["comment"]
    assert kinds(everything(shop, store_id="nowhere")) == ["erased"]
    page = shop.get("/feed", params={"kind": "refund"})
    assert page == {"entries": [], "position": 7, "end": 7}, "a reader goes on behind what it did not ask for"


def test_what_an_entry_shows(shop: Shop) -> None:
    path = f"/orders/{shop.paid(100)['id']}"
    shop.post(f"{path}/captures", {**operation((1, 1)), "success": False})
    documents = [entry.get("document") for entry in everything(shop, include="document")]
    order = shop.get(path)
    assert documents == [None, order["authorizations"][0], *order["captures"]]
    orders = [entry["order"] for entry in everything(shop, include="order")]
    assert orders == [shop.get(path, params={"version": version}) for version in (1, 2, 3, 4)]


def test_every_kind_is_documented(shop: Shop) -> None:
    for kind in KINDS:
        assert shop.get("/feed", params={"kind": kind})["entries"] == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"after": -1}, "invalid_value"),
        ({"limit": 0}, "invalid_value"),
        ({"limit": 1001}, "invalid_value"),
        ({"wait": 31}, "invalid_value"),
        ({"kind": "paid"}, "invalid_value"),
        ({"include": "everything"}, "invalid_value"),
        ({"since": 1}, "unknown_parameter"),
    ],
)
def test_what_it_does_not_take(shop: Shop, query: dict[str, Any], code: str) -> None:
    refused = shop.send("GET", "/feed", params=query)
    assert (refused.status_code, [one for one, _ in faults_of(refused.json()["error"]["errors"])]) == (400, [code])


def test_a_page_of_whole_orders_is_bounded(shop: Shop) -> None:
    order = shop.order(*[10] * 400, metadata={"note": "x" * 4000})
    for number in range(12):
        shop.put(f"/orders/{order['id']}", {"comment": str(number)})
    page = shop.get("/feed", params={"include": "order"})
    assert 1 <= len(page["entries"]) < 13
    assert page["position"] == page["entries"][-1]["position"]
    assert [entry["version"] for entry in everything(shop, include="order")] == list(range(1, 14))


def test_a_page_of_documents_is_bounded(shop: Shop) -> None:
    order = shop.order(10)
    for number in range(101):
        shop.post(f"/orders/{order['id']}/comments", {"body": str(number)})
    page = shop.get("/feed", params={"include": "document", "limit": 1000})
    assert (len(page["entries"]), page["position"], page["end"]) == (100, 100, 102)
    assert len(shop.get("/feed", params={"limit": 1000})["entries"]) == 102


def test_who_waits_is_answered_at_once(service: Service, shop: Shop) -> None:
    order = shop.order(1000)["id"]
    shop.post(f"/orders/{order}/authorizations", operation((1, 1000)))
    with ThreadPoolExecutor(1) as pool:
        for position in (2, 3, 4):
            waiting = pool.submit(shop.get, "/feed", params={"after": position, "wait": WAIT})
            time.sleep(0.2)
            assert not waiting.done()
            began = time.monotonic()
            shop.post(f"/orders/{order}/captures", operation((1, 1)))
            page = waiting.result(timeout=WAIT)
            assert time.monotonic() - began < WAIT / 2
            assert [(entry["position"], entry["kind"]) for entry in page["entries"]] == [(position + 1, "capture")]


def test_who_waits_for_a_kind_is_not_woken_by_others(shop: Shop) -> None:
    order = shop.order(1000)["id"]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(shop.get, "/feed", params={"after": 1, "wait": WAIT, "kind": "capture"})
        shop.post(f"/orders/{order}/authorizations", operation((1, 1000)))
        time.sleep(0.2)
        assert not waiting.done()
        shop.post(f"/orders/{order}/captures", operation((1, 1)))
        assert [entry["position"] for entry in waiting.result(timeout=WAIT)["entries"]] == [3]


def test_who_waits_in_vain_is_told_so(shop: Shop) -> None:
    shop.order(10)
    began = time.monotonic()
    assert shop.get("/feed", params={"after": 1, "wait": 1}) == {"entries": [], "position": 1, "end": 1}
    assert time.monotonic() - began >= 1


def streamed(shop: Shop, number: int, last: int | None = None, **params: Any) -> list[tuple[str, str, Any]]:
    """So many events of the stream: the id, the name and what it says of each."""
    headers = {"Authorization": f"Bearer {shop.token}", "Accept": "text/event-stream"}
    if last is not None:
        headers["Last-Event-ID"] = str(last)
    found, event = list[tuple[str, str, Any]](), dict[str, str]()
    url = f"{shop.http.base_url}/v1/accounts/{shop.account_id}/shopping/feed"
    with httpx.stream("GET", url, headers=headers, params=params, timeout=WAIT) as answer:
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream")
        for line in answer.iter_lines():
            if not line and "data" in event:
                found.append((event["id"], event["event"], json.loads(event["data"])))
            if len(found) == number:
                break
            name, _, value = line.partition(": ")
            event = {**event, name: value} if line else {}
    return found


def test_a_stream_of_events(shop: Shop) -> None:
    order = shop.order(1000)["id"]
    shop.post(f"/orders/{order}/authorizations", operation((1, 1000)))
    entries = everything(shop)
    assert streamed(shop, 2) == [(str(entry["position"]), entry["kind"], entry) for entry in entries]
    assert [kind for _, kind, _ in streamed(shop, 1, last=1)] == ["authorization"]
    assert [kind for _, kind, _ in streamed(shop, 1, kind="authorization")] == ["authorization"]
    assert streamed(shop, 1, after=1, include="document")[0][2]["document"]["amount"] == 1000
    pretty = shop.order(1, metadata={"lines": "a\nb\r\nc"})
    assert streamed(shop, 1, last=2, include="order")[0][2]["order"]["metadata"] == pretty["metadata"]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(streamed, shop, 3, 3)
        for number in range(3):
            time.sleep(0.1)
            assert not waiting.done()
            shop.post(f"/orders/{order}/captures", operation((1, number + 1)))
        assert [id_ for id_, _, _ in waiting.result(timeout=WAIT)] == ["4", "5", "6"]


def test_a_stream_begins_at_a_position(shop: Shop) -> None:
    for last in ("x", "-1", "1.5", "9" * 16):
        headers = {"Accept": "text/event-stream", "Last-Event-ID": last}
        refused = shop.send("GET", "/feed", headers=headers)
        assert (refused.status_code, faults_of(refused.json()["error"]["errors"])) == (400, [("invalid_value", "Last-Event-ID")])


@pytest.fixture(params=ENGINES)
def own_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    return new_database(request, request.param, tmp_path_factory)


def test_waiting_takes_none_of_the_time_of_a_request(own_database: str) -> None:
    with serving(own_database, ORDRE_REQUEST_SECONDS="1") as service, service.shop() as shop:
        shop.order(10)
        assert shop.get("/feed", params={"after": 1, "wait": 2})["entries"] == []


def test_who_waits_hears_of_another_process(own_database: str) -> None:
    with (
        serving(own_database) as one,
        serving(own_database) as other,
        one.shop() as shop,
        other.shop(account_id=shop.account_id) as same,
        ThreadPoolExecutor(1) as pool,
    ):
        same.sign_in()
        shop.order(10)
        for position in (1, 2, 3):
            waiting = pool.submit(shop.get, "/feed", params={"after": position, "wait": WAIT})
            time.sleep(0.3)
            began = time.monotonic()
            same.order(10)
            assert [entry["position"] for entry in waiting.result(timeout=WAIT)["entries"]] == [position + 1]
            assert time.monotonic() - began < WAIT / 2


def test_a_server_that_stops_lets_those_go_who_wait(own_database: str) -> None:
    service = Service(own_database, environment={**os.environ, "ORDRE_DRAIN_SECONDS": "0"})
    service.start()
    with service.shop() as shop, ThreadPoolExecutor(2) as pool:
        shop.order(10)
        waiting = pool.submit(shop.send, "GET", "/feed", params={"after": 1, "wait": WAIT})
        time.sleep(0.3)
        following = pool.submit(streamed, shop, 2)
        time.sleep(0.3)
        began = time.monotonic()
        assert service.stop(signal.SIGTERM) == 0
        assert time.monotonic() - began < WAIT / 2
        assert waiting.result().json() == {"entries": [], "position": 1, "end": 1}
        assert [id_ for id_, _, _ in following.result()] == ["1"]


def test_many_writers_and_a_reader(service: Service) -> None:
    """Each page follows on the one before, whatever is written meanwhile; in the end the feed is exactly what was done."""
    with service.shop() as shop, service.shop(account_id=shop.account_id) as reading:
        shop.sign_in()
        reading.sign_in()
        done, seen = threading.Event(), list[dict[str, Any]]()

        def write(_: int) -> list[tuple[str, int]]:
            order = shop.order(100)["id"]
            shop.post(f"/orders/{order}/authorizations", operation((1, 100)))
            for _ in range(10):
                shop.post(f"/orders/{order}/captures", operation((1, 1)))
            return [(order, version) for version in range(1, 13)]

        def read() -> None:
            position = 0
            while not (done.is_set() and position == reading.get("/feed", params={"limit": 1})["end"]):
                page = reading.get("/feed", params={"after": position, "limit": 7, "wait": 1})
                seen.extend(page["entries"])
                position = page["position"]

        with ThreadPoolExecutor(9) as pool:
            reader = pool.submit(read)
            written = [one for found in pool.map(write, range(8)) for one in found]
            done.set()
            reader.result(timeout=60)
        assert [entry["position"] for entry in seen] == list(range(1, len(written) + 1))
        assert sorted((entry["id"], entry["version"]) for entry in seen) == sorted(written)
        for order in {id_ for id_, _ in written}:
            versions = [entry["version"] for entry in seen if entry["id"] == order]
            assert versions == sorted(versions)
