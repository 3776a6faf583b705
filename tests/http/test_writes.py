"""Idempotency-Key and If-Match, on every write."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ordre.api.operations.table import OPERATIONS
from service import Shop, faults_of, item, items, operation

Write = tuple[str, str, Any]


def order_path(shop: Shop) -> str:
    return f"/orders/{shop.paid(100, 50)['id']}"


def draft_path(shop: Shop) -> str:
    return f"/draft_orders/{shop.post('/draft_orders', {'order': {'currency': 'NOK', 'items': items(100)}})['id']}"


def commented(shop: Shop) -> Write:
    path = order_path(shop)
    comment = shop.post(f"{path}/comments", {"body": "x"})
    return "DELETE", f"{path}/comments/{comment['id']}", None


def closed(shop: Shop) -> Write:
    path = order_path(shop)
    shop.post(f"{path}/close")
    return "POST", f"{path}/open", None


def unpaid(shop: Shop) -> str:
    path = f"/orders/{shop.order(100)['id']}"
    shop.post(f"{path}/authorizations", operation((1, 50)))
    return path


SESSION = {"profile_id": "p", "url": {}, "items": [{"line_id": "1", "amount": 5}]}
ORDER_WRITES: dict[str, Callable[[Shop], Write]] = {
    "update": lambda shop: ("PUT", order_path(shop), {"comment": "x"}),
    "statuses": lambda shop: ("PUT", f"{order_path(shop)}/items", {"items": [{"line_id": 1, "status": "x"}]}),
    "open": closed,
    "close": lambda shop: ("POST", f"{order_path(shop)}/close", None),
    "cancel": lambda shop: ("POST", f"{unpaid(shop)}/cancel", {"cancelled_reason": "other"}),
    "authorize": lambda shop: ("POST", f"/orders/{shop.order(100)['id']}/authorizations", operation((1, 60))),
    "capture": lambda shop: ("POST", f"{unpaid(shop)}/captures", operation((1, 30))),
    "refund": lambda shop: ("POST", f"{order_path(shop)}/refunds", operation((1, 60))),
    "cancellation": lambda shop: ("POST", f"{unpaid(shop)}/cancellations", operation((1, 30))),
    "session": lambda shop: ("POST", f"{order_path(shop)}/sessions", SESSION),
    "event": lambda shop: ("POST", f"{order_path(shop)}/events", {"service": "a", "service_status": "b"}),
    "comment": lambda shop: ("POST", f"{order_path(shop)}/comments", {"body": "x"}),
    "delete comment": commented,
}
DRAFT_WRITES: dict[str, Callable[[Shop], Write]] = {
    "update draft": lambda shop: ("PUT", draft_path(shop), {"order": {"comment": "x"}}),
    "delete draft": lambda shop: ("DELETE", draft_path(shop), None),
    "complete": lambda shop: ("PUT", f"{draft_path(shop)}/complete", {}),
    "add item": lambda shop: ("POST", f"{draft_path(shop)}/items", item(2, 5)),
    "change item": lambda shop: ("PUT", f"{draft_path(shop)}/items/1", item(1, 5)),
    "remove item": lambda shop: ("DELETE", f"{draft_path(shop)}/items/1", None),
}
CREATES: dict[str, Callable[[Shop], Write]] = {
    "create draft": lambda _: ("POST", "/draft_orders", {"order": {"currency": "NOK", "items": items(5)}}),
    "create order": lambda _: ("POST", "/orders", {"currency": "NOK", "items": items(5)}),
}
ALL_WRITES = {**ORDER_WRITES, **DRAFT_WRITES, **CREATES}


def subject(path: str) -> str:
    """The order or draft that a path is about."""
    return "/".join(path.split("/")[:3])


def test_every_write_is_here(shop: Shop) -> None:
    found = set()
    for write in ALL_WRITES.values():
        method, path, _ = write(shop)
        found |= {route.id for route in OPERATIONS if route.method == method and is_of(route.path, path)}
    assert {route.id for route in OPERATIONS if route.access.writes} - found == {"aid_orders_id_delete"}, (
        "a write needs its row in ORDER_WRITES; erasing has test_erased_orders.py"
    )


def is_of(template: str, path: str) -> bool:
    """Whether a path below the account's is one of a template."""
    pattern = re.sub(r"\\{.*?\\}", "[^/]+", re.escape(template.partition("/shopping")[2]))
    return re.fullmatch(pattern, path) is not None


@pytest.mark.parametrize("name", ALL_WRITES)
def test_the_same_key_has_one_effect_and_one_answer(shop: Shop, name: str) -> None:
    method, path, body = ALL_WRITES[name](shop)
    headers = {"Idempotency-Key": "key-1"}
    first = shop.send(method, path, body, headers=headers)
    assert first.status_code == 200, first.text
    assert "idempotency-replayed" not in first.headers
    state = shop.get(subject(path))
    again = shop.send(method, path, body, headers=headers)
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers.get("etag") == first.headers.get("etag")
    assert shop.get(subject(path)) == state


@pytest.mark.parametrize("name", ALL_WRITES)
def test_a_key_that_stands_for_another_request_is_refused(shop: Shop, name: str) -> None:
    shop.post("/draft_orders", {"order": {"currency": "NOK"}}, headers={"Idempotency-Key": "taken"})
    method, path, body = ALL_WRITES[name](shop)
    faults = shop.refused(method, path, body, status=422, headers={"Idempotency-Key": "taken"})
    assert faults_of(faults) == [("key_reused", "")]


@pytest.mark.parametrize("name", [*ORDER_WRITES, *DRAFT_WRITES])
def test_a_write_on_another_version_is_refused(shop: Shop, name: str) -> None:
    method, path, body = ALL_WRITES[name](shop)
    before = shop.send("GET", subject(path))
    version = before.json()["version"]
    assert before.headers["etag"] == f'"{version}"'
    faults = shop.refused(method, path, body, status=412, headers={"If-Match": f'"{version + 1}"'})
    assert (faults_of(faults), faults[0]["current_version"]) == ([("version_differs", "")], version)
    assert shop.get(subject(path)) == before.json()
    stale = shop.refused(method, path, body, status=412, headers={"If-Match": '"0"'})
    assert [event["version"] for event in stale[0]["events"]] == list(range(1, version + 1))
    assert shop.send(method, path, body, headers={"If-Match": f'"{version}"'}).status_code == 200


def test_a_replay_is_the_first_answer_also_after_later_changes(shop: Shop) -> None:
    path = order_path(shop)
    first = shop.send("PUT", path, {"comment": "x"}, headers={"Idempotency-Key": "k"})
    shop.put(path, {"comment": "y"})
    shop.post(f"{path}/comments", {"body": "later"})
    again = shop.send("PUT", path, {"comment": "x"}, headers={"Idempotency-Key": "k"})
    assert again.content == first.content
    assert again.headers["etag"] == first.headers["etag"] == '"4"'
    assert shop.get(path)["comment"] == "y"


def test_a_key_of_a_write_that_changed_nothing_is_kept_too(shop: Shop) -> None:
    path = order_path(shop)
    shop.post(f"{path}/open", headers={"Idempotency-Key": "k"})
    shop.post(f"{path}/close")
    assert shop.post(f"{path}/open", headers={"Idempotency-Key": "k"})["status"] == "open"
    assert shop.get(path)["status"] == "closed"


def test_a_refused_write_leaves_its_key_free(shop: Shop) -> None:
    path = unpaid(shop)
    headers = {"Idempotency-Key": "k"}
    shop.refused("POST", f"{path}/captures", operation((1, 51)), headers=headers)
    assert shop.post(f"{path}/captures", operation((1, 50)), headers=headers)["amount"] == 50


def test_keys_are_an_accounts_own(shop: Shop, service: Any) -> None:
    body = {"currency": "NOK", "items": items(5)}
    first = shop.post("/orders", body, headers={"Idempotency-Key": "k"})
    with service.shop() as other:
        assert other.post("/orders", body, headers={"Idempotency-Key": "k"})["id"] != first["id"]


@pytest.mark.parametrize("name", ["create order", "create draft", "capture", "complete"])
def test_a_key_used_at_once_has_one_effect(shop: Shop, name: str) -> None:
    method, path, body = ALL_WRITES[name](shop)
    shop.sign_in()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: shop.send(method, path, body, headers={"Idempotency-Key": "k"}), range(16)))
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1


@pytest.mark.parametrize(
    ("headers", "path"),
    [
        ({"Idempotency-Key": ""}, "Idempotency-Key"),
        ({"Idempotency-Key": "x" * 256}, "Idempotency-Key"),
        ({"If-Match": "3"}, "If-Match"),
        ({"If-Match": '"three"'}, "If-Match"),
        ({"If-Match": '"1", "2"'}, "If-Match"),
    ],
)
def test_a_wrong_header_is_named(shop: Shop, headers: dict[str, str], path: str) -> None:
    faults = shop.refused("PUT", order_path(shop), {"comment": "x"}, headers=headers)
    assert faults_of(faults) == [("invalid_value", path)]


def test_if_match_takes_any_and_weak(shop: Shop) -> None:
    path = order_path(shop)
    shop.put(path, {"comment": "x"}, headers={"If-Match": "*"})
    shop.put(path, {"comment": "y"}, headers={"If-Match": 'W/"4"'})


def test_a_read_that_has_not_changed_is_not_sent_again(shop: Shop) -> None:
    path = order_path(shop)
    tag = shop.send("GET", path).headers["etag"]
    again = shop.send("GET", path, headers={"If-None-Match": tag})
    assert (again.status_code, again.headers["etag"]) == (304, tag)
    shop.post(f"{path}/close")
    assert shop.send("GET", path, headers={"If-None-Match": tag}).status_code == 200
