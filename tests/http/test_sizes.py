"""How large an answer gets: histories, what is kept of a request, pages of lists and of what an order holds."""

import json
from typing import Any

from ordre.application.history import DRAFT_EVENTS, DRAFT_EVENTS_BYTES, latest
from service import Shop, item, items

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
