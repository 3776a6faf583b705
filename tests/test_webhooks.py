"""Subscriptions to webhooks: made, read, listed, tried, deleted; their secrets; who is told what."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from commands import run, run_json
from database import ENGINES, new_database, sql
from marks import everything_in
from ordre.domain.hooks import EVENTS
from receivers import QUICK, Received, Receiver, receiving, wait_for
from service import Service, Shop, items, operation, serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=ENGINES)
def sending(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A server that sends at once, and to this machine, on a database of its own: no other server sends in its place."""
    with serving(new_database(request, str(request.param), tmp_path_factory), **QUICK) as made:
        yield made


@pytest.fixture
def shop(sending: Service) -> Iterator[Shop]:
    with sending.shop() as made:
        yield made


def told(receiver: Receiver, many: int) -> list[Received]:
    """So many deliveries, but for pings."""
    wait_for(lambda: len(receiver.but_for_pings()) >= many, f"{len(receiver.but_for_pings())} of {many} came")
    return receiver.but_for_pings()


def positions(received: list[Received]) -> set[int]:
    return {one.json["feed"]["position"] for one in received if one.event != "ping"}


def test_a_subscription_is_made_tried_read_and_deleted(shop: Shop) -> None:
    with receiving() as receiver:
        made = shop.subscribe(receiver.url, "shopping_order_update", "shopping_order_update", fields="id")
        assert made["events"] == ["shopping_order_update"]
        assert (made["active"], made["state"], made["fields"]) == (True, "active", "id")
        assert made["config"] == {"url": receiver.url, "content_type": "application/json", "insecure_ssl": 0}
        wait_for(lambda: receiver.of("ping"))
        ping = receiver.of("ping")[0].json
        assert {**made, "account_id": shop.account_id, "event": "ping"} == {
            k: v for k, v in ping.items() if k != "event_delivery"
        }
        path = f"/{made['id']}"
        assert shop.hooks("POST", f"{path}/ping", status=204) is None
        wait_for(lambda: len(receiver.of("ping")) == 2)
        wait_for(lambda: {one["state"] for one in shop.hooks("GET", f"{path}/deliveries")} == {"delivered"})
        (second, first) = shop.hooks("GET", f"{path}/deliveries")
        assert {second["id"], first["id"]} == {one.id for one in receiver.all}
        assert shop.hooks("GET", f"{path}/deliveries/{first['id']}") == first
        assert [attempt["status"] for attempt in first["attempts"]] == [200]
        assert shop.hooks("GET", path)["id"] == made["id"]
        deleted = shop.hooks("DELETE", path)
        assert (deleted["state"], deleted["active"], deleted["deleted_by"]) == ("deleted", False, shop.client_id)
        assert shop.hooks("DELETE", path) == deleted == shop.hooks("GET", path)
        shop.hooks("POST", f"{path}/ping", status=400)
        shop.hooks("POST", f"{path}/resume", status=400)
        shop.hooks("POST", f"{path}/redeliver", {"after": 0}, status=400)
        shop.order(5)
        with receiving() as other:
            shop.subscribe(other.url, "shopping_order_update")
            shop.order(5)
            told(other, 1)
        assert len(receiver.all) == 2


def test_lists_are_bare_and_paged(shop: Shop) -> None:
    ids = [shop.subscribe("https://shop.example/hook", active=False)["id"] for _ in range(3)]
    assert [one["id"] for one in shop.hooks("GET")] == ids[::-1]
    shop.hooks("DELETE", f"/{ids[1]}")
    assert [one["id"] for one in shop.hooks("GET", params={"limit": 1})] == [ids[2]]
    assert [one["id"] for one in shop.hooks("GET", params={"starting_after": ids[2]})] == [ids[0]]
    every = {"include_deleted": "true", "total": "true", "limit": "2"}
    answer = shop.http.get(
        f"/v1/accounts/{shop.account_id}/hooks/subscriptions", params=every, headers={"Authorization": f"Bearer {shop.token}"}
    )
    assert ([one["id"] for one in answer.json()], answer.headers["total-count"]) == ([ids[2], ids[1]], "3")
    assert f'starting_after={ids[1]}>; rel="next"' in answer.headers["link"]
    shop.hooks("GET", params={"starting_after": "none"}, status=400)
    shop.hooks("GET", f"/{ids[0]}/deliveries", params={"starting_after": "none"}, status=400)
    assert shop.hooks("GET", f"/{ids[0]}/deliveries") == []


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"events": ["shopping_order_update"]}, "config"),
        ({"config": {"url": "https://a.example"}, "events": []}, "events"),
        ({"config": {"url": "https://a.example"}, "events": ["no"]}, "events[0]"),
        ({"config": {"url": "ftp://a.example"}, "events": ["shopping_order_update"]}, "config.url"),
        ({"config": {"url": "https://me:pw@a.example"}, "events": ["shopping_order_update"]}, "config.url"),
        ({"config": {"url": "https://a.example/#x"}, "events": ["shopping_order_update"]}, "config.url"),
        ({"config": {"url": "https://a.example:x/"}, "events": ["shopping_order_update"]}, "config.url"),
        ({"config": {"url": "https:///x"}, "events": ["shopping_order_update"]}, "config.url"),
        ({"config": {"url": "https://a.example", "insecure_ssl": 2}, "events": ["shopping_order_update"]}, "config.insecure_ssl"),
        (
            {"config": {"url": "https://a.example", "secret": {"type": "HMAC-SHA1"}}, "events": ["shopping_order_update"]},
            "config.secret.value",
        ),
        (
            {
                "config": {"url": "https://a.example", "secret": {"type": "AWS4-HMAC-SHA256", "aws_access_key_id": "x"}},
                "events": ["shopping_order_update"],
            },
            "config.secret.aws_secret_access_key",
        ),
        ({"config": {"url": "https://a.example"}, "events": ["shopping_order_update"], "fields": "a("}, "fields"),
    ],
)
def test_what_is_no_subscription_is_refused(shop: Shop, body: Any, path: str) -> None:
    answer = shop.http.post(
        f"/v1/accounts/{shop.account_id}/hooks/subscriptions", json=body, headers={"Authorization": f"Bearer {shop.token}"}
    )
    assert answer.status_code == 400, answer.text
    assert [one["path"] for one in answer.json()["error"]["errors"]] == [path]


def test_an_account_has_twenty_at_most(shop: Shop) -> None:
    ids = [shop.subscribe("https://shop.example/hook", active=False)["id"] for _ in range(20)]
    more = {"config": {"url": "https://shop.example/hook"}, "events": ["shopping_order_update"]}
    refused = shop.hooks("POST", body=more, status=400)
    assert refused["error"]["errors"][0]["code"] == "subscription_limit"
    shop.hooks("DELETE", f"/{ids[0]}")
    shop.hooks("POST", body={**more, "active": False})


def test_every_event_says_what_happened(shop: Shop) -> None:
    """Each version of an order and a draft, in order, with the order as it was then."""
    with receiving() as receiver:
        shop.subscribe(receiver.url)
        draft = shop.post("/draft_orders", {"order": {"currency": "NOK", "items": items(100)}})["id"]
        shop.put(f"/draft_orders/{draft}", {"order": {"comment": "now"}})
        (made,) = shop.put(f"/draft_orders/{draft}/complete")["orders"]
        path = f"/orders/{made['id']}"
        shop.post(f"{path}/authorizations", operation((1, 100)))
        reported = shop.post(f"{path}/events", {"service": "kitchen", "service_status": "ready"})
        shop.post(f"{path}/close")
        then = shop.get(path)
        gone = shop.post("/draft_orders", {"order": {"currency": "NOK"}})["id"]
        shop.delete(f"/draft_orders/{gone}")
        found = told(receiver, 9)
    of_order = [one for one in found if one.json["feed"]["id"] == made["id"]]
    assert [(one.event, one.json["feed"]["version"], one.json["feed"]["kind"]) for one in of_order] == [
        ("shopping_order_update", 1, "placed"),
        ("shopping_order_update", 2, "authorization"),
        ("shopping_order_event_add", 3, "service_event"),
        ("shopping_order_update", 4, "closed"),
    ]
    assert [one.json["order"]["version"] for one in of_order if "order" in one.json] == [1, 2, 4]
    assert of_order[-1].json["order"] == then
    event = of_order[2].json["order_event"]
    assert {name: event[name] for name in ("id", "service", "service_status")} == {
        name: reported[name] for name in ("id", "service", "service_status")
    }
    of_draft = [one for one in found if one.json["feed"]["id"] == draft]
    assert [one.event for one in of_draft] == ["shopping_draft_add", "shopping_draft_update", "shopping_draft_complete"]
    assert of_draft[-1].json["draft_order"]["status"] == "completed"
    assert [one.json["draft_order"]["id"] for one in found if one.json["feed"]["id"] == gone] == [gone, gone]
    assert {one.event for one in found} == set(EVENTS) - {"shopping_order_delete"}
    assert all(one.json["account_id"] == shop.account_id for one in found)
    assert all((one.json["event"], one.json["event_delivery"]) == (one.event, one.id) for one in found)
    assert len({one.id for one in found}) == len(found) == 9
    assert sorted(one.json["feed"]["position"] for one in found) == list(range(1, 10))


def test_only_what_is_asked_for_is_sent_and_with_its_mask(shop: Shop) -> None:
    with receiving() as receiver, receiving() as other:
        shop.subscribe(receiver.url, "shopping_order_event_add", fields="service")
        shop.subscribe(other.url, "shopping_order_update", fields="version,items(line_id,payment_details/none)")
        order = shop.order(100, 200)["id"]
        shop.post(f"/orders/{order}/events", {"service": "kitchen", "service_status": "ready"})
        shop.post("/draft_orders", {"order": {"currency": "NOK"}})
        shop.post(f"/orders/{order}/comments", {"body": "last"})
        assert [one.json["order_event"] for one in told(receiver, 1)] == [{"service": "kitchen"}]
        sent = [one.json["order"] for one in told(other, 2)]
        line = {"line_id": 1, "payment_details": {}}
        assert sent == [{"version": version, "items": [line, {**line, "line_id": 2}]} for version in (1, 3)]


def test_what_is_erased_is_not_sent(shop: Shop) -> None:
    """The receiver was away meanwhile: it is told of every version, and of the order what is still kept."""
    with receiving(lambda _: 500) as receiver:
        shop.subscribe(receiver.url)
        order = shop.order(5, comment="private 4711")
        shop.post(f"/orders/{order['id']}/events", {"service": "private 4711", "service_status": "x"})
        wait_for(receiver.but_for_pings)
        shop.delete(f"/orders/{order['id']}")
        before = len(receiver.all)
        receiver.answering = lambda _: 200
        wait_for(lambda: receiver.of("shopping_order_delete"))
        later = [one for one in receiver.all[before:] if one.event != "ping"]
    assert [one.json["feed"]["version"] for one in later if one.event == "shopping_order_delete"] == [3]
    erased = next(one for one in later if one.event == "shopping_order_delete").json["order"]
    assert (erased["id"], "deleted_at" in erased) == (order["id"], True)
    assert b"4711" not in b"".join(one.body for one in later[1:])  # the first may have been on its way


def test_a_receiver_that_fails_is_tried_five_times_and_the_order_goes_on(shop: Shop) -> None:
    def answering(received: Received) -> int:
        return 500 if received.event != "ping" and received.json["feed"]["version"] == 2 else 200

    with receiving(answering) as receiver:
        hook = shop.subscribe(receiver.url, "shopping_order_update")["id"]
        order = shop.order(100)["id"]
        shop.post(f"/orders/{order}/comments", {"body": "two"})
        shop.post(f"/orders/{order}/comments", {"body": "three"})
        wait_for(lambda: any(one.json["feed"]["version"] == 3 for one in receiver.but_for_pings()))
        versions = [one.json["feed"]["version"] for one in receiver.but_for_pings()]
        assert versions == [1, 2, 2, 2, 2, 2, 3]
        twice = [one for one in receiver.but_for_pings() if one.json["feed"]["version"] == 2]
        assert len({one.id for one in twice}) == 1
        path = f"/{hook}/deliveries/{twice[0].id}"
        wait_for(lambda: shop.hooks("GET", path)["state"] == "failed")
        assert [attempt["status"] for attempt in shop.hooks("GET", path)["attempts"]] == [500] * 5
        receiver.answering = lambda _: 200
        assert shop.hooks("POST", f"{path}/redeliver")["state"] == "waiting"
        wait_for(lambda: shop.hooks("GET", path)["state"] == "delivered")
        assert receiver.all[-1].id == twice[0].id
        assert shop.hooks("GET", f"/{hook}")["failures"] == 0


@pytest.mark.parametrize(
    ("answer", "state", "times"),
    [
        (400, "ignored", 1),
        (204, "delivered", 1),
        (404, "failed", 5),
        (301, "failed", 5),
        (b"", "failed", 5),
        (b"nonsense\r\n\r\n", "failed", 5),
        (b"HTTP/1.1 307 Moved\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", "failed", 5),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9999999\r\n\r\n" + b"x" * 200_000, "delivered", 1),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\ncut", "delivered", 1),
    ],
)
def test_what_an_answer_means(shop: Shop, answer: int | bytes, state: str, times: int) -> None:
    with receiving(lambda _: answer) as receiver:
        hook = shop.subscribe(receiver.url)["id"]
        wait_for(lambda: shop.hooks("GET", f"/{hook}/deliveries")[0]["state"] == state)
        (ping,) = shop.hooks("GET", f"/{hook}/deliveries")
        assert (len(ping["attempts"]), len(receiver.all)) == (times, times)
        assert "next_attempt_at" not in ping


def test_a_receiver_that_fails_again_and_again_suspends_its_subscription(shop: Shop) -> None:
    with receiving(lambda _: 500) as receiver:
        hook = shop.subscribe(receiver.url, "shopping_order_update")["id"]
        for _ in range(12):
            shop.order(5)
        wait_for(lambda: shop.hooks("GET", f"/{hook}")["state"] == "suspended")
        suspended = shop.hooks("GET", f"/{hook}")
        assert suspended["suspended_reason"].endswith("deliveries in a row failed 5 times each; the last one: it answered 500")
        assert (suspended["active"], suspended["failures"] >= 10, "suspended_at" in suspended) == (False, True, True)
        shop.hooks("POST", f"/{hook}/ping", status=400)
        receiver.answering = lambda _: 200
        before = len(receiver.all)
        assert shop.hooks("POST", f"/{hook}/resume")["state"] == "active"
        shop.order(5)
        wait_for(lambda: 13 in positions(receiver.all[before:]))
        assert shop.hooks("POST", f"/{hook}/redeliver", {"after": 0})["position"] == 0

        def again() -> bool:
            return positions(receiver.all[before:]) == set(range(1, 14))

        wait_for(again)
        of = {one.json["feed"]["position"]: one.id for one in receiver.but_for_pings()}
        assert len({one.id for one in receiver.but_for_pings()}) == len(of) == 13


def test_a_broken_receiver_delays_nobody_else(shop: Shop) -> None:
    """One hangs, one is not there, one fails: the fourth is told at once."""
    with receiving(lambda _: 200) as receiver, receiving(lambda _: hang()) as hanging, receiving(lambda _: 500) as failing:
        for url in (hanging.url, "http://127.0.0.1:1/", failing.url, receiver.url):
            shop.subscribe(url, "shopping_order_update")
        for _ in range(40):
            shop.order(5)
        told(receiver, 40)
        assert len(hanging.all) > 0


def hang() -> int:
    time.sleep(20)
    return 200


SECRET = "whsec_kept-from-everybody-4711"


def test_no_secret_is_shown_and_each_is_encrypted(own_database: str, tmp_path: Path) -> None:
    key, log = "k" * 40, tmp_path / "log"
    service = Service(own_database, environment={**QUICK, "ORDRE_LOG_LEVEL": "debug"})
    with log.open("wb") as file:
        service.start(log=file.fileno())
    with service.shop() as shop, receiving() as receiver:
        made = shop.subscribe(receiver.url, secret={"type": "HMAC-SHA1", "value": SECRET})
        assert made["config"]["secret"] == {"type": "HMAC-SHA1"}
        wait_for(lambda: receiver.all)
        assert SECRET.encode() in everything_in(own_database)
        service.stop()
    service.environment = {**QUICK, "ORDRE_SECRET_KEY": key}
    with log.open("ab") as file:
        service.start(log=file.fileno())
    stored = sql(own_database, "select secret from subscriptions")[0][0]
    assert stored.startswith("sealed:1:")
    with service.shop(account_id=shop.account_id) as again, receiving() as receiver:
        again.hooks("GET", f"/{made['id']}")
        aws = {"type": "AWS4-HMAC-SHA256", "aws_access_key_id": "id", "aws_secret_access_key": SECRET}
        again.subscribe(receiver.url, secret={**aws, "region": "eu-north-1", "service": "execute-api"})
        wait_for(lambda: receiver.all)
        assert "Credential=id/" in receiver.all[0].headers["authorization"]
    assert SECRET.encode() not in json.dumps(sql(own_database, "select secret from subscriptions")).encode()
    service.stop()
    assert SECRET.encode() not in log.read_bytes()
    run("key", "decrypt", database=own_database, ORDRE_SECRET_KEY=key)
    assert SECRET in str(sql(own_database, "select secret from subscriptions"))


def test_where_each_subscription_stands(sending: Service, shop: Shop) -> None:
    with receiving(lambda received: 200 if received.event == "ping" else 500) as receiver:
        hook = shop.subscribe(receiver.url, "shopping_order_update")["id"]
        shop.order(5)
        wait_for(lambda: len(receiver.but_for_pings()) == 5)

        def status() -> Any:
            return run_json("webhooks", "status", shop.account_id, database=sending.database)[0]

        wait_for(lambda: status()["failed"] == 1)
        found = status()
        assert (found["subscription"], found["state"]) == (hook, "active")
        assert (found["unread"], found["waiting"], found["due"]) == (0, 0, 0)
        assert "subscription" in run("webhooks", "status", database=sending.database)
        assert "0 subscriptions" in run("webhooks", "resume", shop.account_id, database=sending.database)
        assert "1 subscription " in run("webhooks", "resume", shop.account_id, hook, database=sending.database)
