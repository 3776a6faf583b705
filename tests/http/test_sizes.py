"""How large an answer gets: histories, what is kept of a request, pages of lists and of what an order holds."""

import json
from typing import Any

import pytest

from ordre.application.history import DRAFT_EVENTS, DRAFT_EVENTS_BYTES, latest
from service import Shop, item, items

pytestmark = pytest.mark.once

LARGE = 900_000
KEPT = 16 * 1024


def large(**fields: Any) -> dict[str, Any]:
    """An order of nearly a megabyte, all of it in fields that are known."""
    text = "x" * 3_000
    return {"currency": "NOK", "items": [item(line, 100, comment=text) for line in range(1, LARGE // 3_000)], **fields}


def test_the_latest_of_a_history() -> None:
    assert latest([], len) == ()
    assert latest(["a"] * 30, len) == ("a",) * DRAFT_EVENTS
    assert latest(["a", "b" * DRAFT_EVENTS_BYTES * 2], len) == ("b" * DRAFT_EVENTS_BYTES * 2,)
    assert latest(["a", "b" * DRAFT_EVENTS_BYTES], len) == ("b" * DRAFT_EVENTS_BYTES,)
    assert latest(["a", "b" * (DRAFT_EVENTS_BYTES - 1), "c"], len) == ("b" * (DRAFT_EVENTS_BYTES - 1), "c")


@pytest.mark.slow
def test_a_small_edit_of_a_draft_is_answered_small(shop: Shop) -> None:
    made = shop.post("/draft_orders", {"order": {"currency": "NOK", "items": items(100)}})
    path = f"/draft_orders/{made['id']}"
    for _ in range(3):
        shop.put(path, {"order": large()})
    small = shop.send("PUT", path, {"order": {"items": items(100), "comment": "small"}})
    assert small.status_code == 200
    assert len(small.content) < 3_000
    for answer in (small.json(), shop.get(path), shop.get("/draft_orders")["draft_orders"][0]):
        assert [event["version"] for event in answer["events"]] == [5]
        assert answer["version"] == 5
    edited = [shop.put(path, {"order": {"comment": str(number)}}) for number in range(25)]
    assert [event["version"] for event in edited[-1]["events"]] == list(range(11, 31))
    assert shop.get(path) == edited[-1]


def test_an_event_keeps_little_of_what_is_not_taken(shop: Shop) -> None:
    junk = {"order_id": "kept", "unknown": "x" * KEPT, "items": [{**item(1, 100, metadata={"n": 1.10}), "more": [1]}]}
    path = f"/orders/{shop.post('/orders', {'currency': 'NOK', **junk})['id']}"
    shop.send("PUT", path, {"comment": "ø" * 10, "unknown": "x" * (KEPT - 100), "events": [], "id": "i"})
    shop.post(f"{path}/close", {"unknown": "x" * KEPT * 2})
    known = {"comment": "x" * 200, "metadata": {"text": "y" * 16_000}}
    shop.put(path, known)
    placed, updated, closed, again = (json.loads(event["request"]["body"] or "null") for event in events(shop, path))
    assert placed == {"currency": "NOK", "order_id": "kept", "items": [item(1, 100, metadata={"n": 1.10})]}
    assert (len(updated["unknown"]), updated["id"], closed, again) == (KEPT - 100, "i", None, known)


def test_an_event_keeps_numbers_to_the_digit(shop: Shop) -> None:
    number = "123456789012345678901234567890.10"
    text = f'{{"currency":"NOK","items":[{{"id":"A","line_id":1,"gross_amount":100,"metadata":{{"n":{number}}}}}]}}'
    sent = text + " " * KEPT * 2
    answer = shop.http.post(
        f"/v1/accounts/{shop.account_id}/shopping/orders",
        content=sent,
        headers={"Authorization": f"Bearer {shop.token}", "Content-Type": "application/json"},
    )
    assert answer.status_code == 200
    assert [event["request"]["body"] for event in events(shop, f"/orders/{answer.json()['id']}")] == [text]


def events(shop: Shop, path: str) -> Any:
    return shop.get(f"{path}/events")["events"]


PAGE = 1024 * 1024


def pages(shop: Shop, path: str, name: str, **asked: Any) -> list[list[Any]]:
    """Every page of a list, by `Link`."""
    answer = shop.send("GET", path, params=asked)
    found = []
    while True:
        assert answer.status_code == 200, answer.text
        assert len(answer.content) < PAGE * 1.2 or len(answer.json()[name]) == 1
        found.append(answer.json()[name])
        if "link" not in answer.headers:
            return found
        url = answer.headers["link"].removeprefix("<").partition(">")[0]
        answer = shop.http.get(url, headers={"Authorization": f"Bearer {shop.token}"})


@pytest.mark.slow
def test_a_page_ends_where_it_is_large(shop: Shop) -> None:
    made = [
        shop.post("/orders", large() if number in (1, 2, 5) else {"currency": "NOK", "items": items(1)}) for number in range(8)
    ]
    ids = [order["id"] for order in reversed(made)]
    for asked in ({"limit": 100}, {"limit": 100, "currency": "NOK"}, {"limit": 100, "include_events": "true"}):
        found = pages(shop, "/orders", "orders", **asked)
        assert [order["id"] for page in found for order in page] == ids
        assert 3 <= len(found) <= 6
        events = asked.get("include_events") is not None
        assert [len(order["events"]) for order in found[0]] == [int(events)] * len(found[0])
    assert shop.send("GET", "/orders", params={"limit": 100, "total": "true"}).headers["total-count"] == "8"
    assert [len(page) for page in pages(shop, "/orders", "orders", limit=1)] == [1] * 8
    assert len(shop.get(f"/orders/{ids[2]}")["items"]) == len(large()["items"])


@pytest.mark.slow
def test_a_page_of_drafts_ends_where_it_is_large(shop: Shop) -> None:
    made = [shop.post("/draft_orders", {"order": large()})["id"] for _ in range(3)]
    assert [[draft["id"] for draft in page] for page in pages(shop, "/draft_orders", "draft_orders", limit=100)] == [
        [id_] for id_ in reversed(made)
    ]


@pytest.mark.slow
def test_a_page_of_one_order_with_many_large_events(shop: Shop) -> None:
    order, small = shop.order(1)["id"], shop.order(2)["id"]
    edit = {"items": [item(1, 1, comment="x" * 200, metadata={"text": "y" * 16_000})], "metadata": {"text": "z" * 16_000}}
    for number in range(45):
        shop.put(f"/orders/{order}", {**edit, "comment": str(number)})
    listed = pages(shop, "/orders", "orders", include_events="true")
    assert [[one["id"] for one in page] for page in listed] == [[small], [order]]
    shown = [event["version"] for event in listed[1][0]["events"]]
    assert 10 < len(shown) < 46
    assert shown == list(range(47 - len(shown), 47))
    assert listed[1][0]["events_left_out"] == 46 - len(shown)
    assert shop.get(f"/orders/{order}", params={"include_events": "true"}) == listed[1][0]


@pytest.mark.slow
def test_events_in_pages(shop: Shop) -> None:
    path = f"/orders/{shop.order(1)['id']}"
    report = {"service": "kitchen", "service_status": "x", "metadata": {"text": "z" * 16_000}}
    first = shop.post(f"{path}/events", {**report, "state": "failure"})
    for number in range(40):
        shop.post(f"{path}/events", {**report, "id": f"own {number}", "description": "y" * 255})
    found = pages(shop, f"{path}/events", "events", total="true")
    assert [event["version"] for page in found for event in page] == list(range(1, 43))
    assert len(found) >= 2
    assert found[0][1] == first
    assert shop.send("GET", f"{path}/events", params={"total": "true"}).headers["total-count"] == "42"
    assert shop.get(f"{path}/events", params={"starting_after": "own 38"})["events"] == [found[-1][-1]]
    assert shop.get(f"{path}/events", params={"starting_after": "own 39"}) == {"events": [], "state": "failure"}
    assert shop.get(f"{path}/events", params={"starting_after": found[0][0]["id"], "limit": 1})["events"] == [first]
    only = shop.send("GET", f"{path}/events", params={"include_events": "api-event", "total": "true"})
    assert ([event["version"] for event in only.json()["events"]], only.headers["total-count"]) == ([1], "1")
    (fault,) = shop.refused("GET", f"{path}/events", params={"starting_after": "none"})
    assert (fault["code"], fault["path"]) == ("invalid_value", "starting_after")
    shop.refused("GET", "/orders/none/events", params={"starting_after": "none"}, status=404)


@pytest.mark.slow
def test_what_an_order_holds_in_pages(shop: Shop) -> None:
    path = f"/orders/{shop.order(1_000_000)['id']}"
    body = {"items": [{"line_id": 1, "amount": 100}], "metadata": {"text": "x" * 16_000}}
    for _ in range(80):
        shop.post(f"{path}/sessions", {**SESSION, "metadata": body["metadata"]})
    found = pages(shop, f"{path}/sessions", "sessions")
    assert [len(page) for page in found] == [64, 16]


SESSION = {
    "items": [{"line_id": "1"}],
    "profile_id": "p",
    "url": {
        "return_url": "https://example.com/a",
        "callback_url": "https://example.com/c",
        "merchant_terms_url": "https://example.com/t",
    },
}


def test_a_412_tells_the_last_events(shop: Shop) -> None:
    path = f"/orders/{shop.order(1)['id']}"
    for number in range(30):
        shop.put(path, {"comment": str(number)})
    (fault,) = shop.refused("PUT", path, {"comment": "late"}, headers={"If-Match": '"3"'}, status=412)
    assert [event["version"] for event in fault["events"]] == list(range(12, 32))
    assert (fault["current_version"], fault["left_out"]) == (31, 8)
    rest = shop.get(f"{path}/events", params={"limit": 100})["events"]
    assert rest[11:] == fault["events"]
    (fault,) = shop.refused("PUT", path, {"comment": "late"}, headers={"If-Match": '"30"'}, status=412)
    assert ([event["version"] for event in fault["events"]], "left_out" in fault) == ([31], False)
    draft = f"/draft_orders/{shop.post('/draft_orders', {'order': {'currency': 'NOK'}})['id']}"
    for _ in range(3):
        shop.put(draft, {"order": large()})
    answer = shop.send("PUT", draft, {"order": {}}, headers={"If-Match": '"1"'})
    (fault,) = answer.json()["error"]["errors"]
    assert ([event["version"] for event in fault["events"]], fault["left_out"]) == ([4], 2)
