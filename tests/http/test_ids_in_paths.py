"""Ids of orders and operations hold any character but control characters; in a path they are quoted."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from service import Shop, faults_of, item, operation

pytestmark = pytest.mark.once

IDS = (
    "2026/17",
    "/",
    "a//b/",
    "a/../b",
    "../../../health",
    "a/captures",
    "a%2Fb",
    "100% ø+é?x=1#y&z;:@",
    "...",
    "x/" * 127 + "x",
)


def reads(shop: Shop, path: str, order: Any, name: str) -> Iterator[tuple[Any, Any]]:
    """What every path that reads an order answers, and what it is to answer."""
    yield shop.get(path), order
    yield shop.get(f"/stores/S%2F1/orders/{quote(name, safe='')}"), order
    yield shop.get(f"/customers/C%2F1/orders/{quote(name, safe='')}"), order
    yield shop.get(f"{path}/diff")["to"], order["version"]
    yield shop.get(path, params={"version": 1})["order_id"], name
    yield shop.get(f"{path}/events")["events"][-1]["version"], order["version"]
    for collection in ("authorizations", "captures", "refunds", "cancellations", "sessions"):
        yield shop.get(f"{path}/{collection}"), {collection: order[collection]}
        for one in order[collection]:
            yield shop.get(f"{path}/{collection}/{quote(one['id'], safe='')}"), one


@pytest.mark.parametrize("name", IDS)
def test_an_order_is_reached_by_every_path(shop: Shop, name: str) -> None:
    made = shop.order(100, order_id=name, customer={"id": "C/1"}, store={"id": "S/1"})
    path = f"/orders/{quote(name, safe='')}"
    for number, (kind, amount) in enumerate({"authorizations": 90, "captures": 50, "refunds": 20, "cancellations": 5}.items()):
        shop.post(f"{path}/{kind}", operation((1, amount), id=f"{name[:30]}/{number}"))
    shop.post(
        f"{path}/sessions", {"items": [{"line_id": "1", "amount": 5}], "profile_id": "p", "url": {}, "id": f"session/{name[:30]}"}
    )
    shop.post(f"{path}/events", {"service": "a", "service_status": "b", "id": f"event/{name[:30]}"})
    comment = shop.post(f"{path}/comments", {"body": "x"})
    shop.delete(f"{path}/comments/{comment['id']}")
    shop.put(path, {"comment": "x"})
    shop.put(f"{path}/items", {"items": [{"line_id": 1, "status": "packed"}]})
    assert [shop.post(f"{path}/{change}")["status"] for change in ("close", "open")] == ["closed", "open"]
    draft = shop.post("/draft_orders", {"order": {"currency": "NOK", "items": [item(2, 5)]}, "options": {"order_id": name}})
    (after,) = shop.put(f"/draft_orders/{draft['id']}/complete")["orders"]
    assert (after["id"], after["order_id"], after["version"]) == (made["id"], name, 14)
    for found, then in reads(shop, path, shop.get(f"/orders/{made['id']}"), name):
        assert found == then
    other = shop.order(1)
    assert [one["id"] for one in shop.get("/orders", params={"starting_after": other["id"]})["orders"]] == [made["id"]]
    assert shop.get("/orders", params={"starting_after": name}) == {"orders": []}
    refunded = shop.post(f"{path}/refunds", operation((1, 30)))
    assert refunded["amount"] == 30
    assert shop.post(f"{path}/cancel")["status"] == "cancelled"
    assert shop.delete(path)["order_id"] == name


def test_events_tell_paths_apart(shop: Shop) -> None:
    for name in ("a/items", "a"):
        shop.order(1, order_id=name)
    shop.put("/orders/a%2fitems", {"comment": "x"})
    shop.put("/orders/a/items", {"items": [{"line_id": 1, "status": "x"}]})
    shop.put("/orders/%61", {"comment": "\u00f8"})
    root = f"/v1/accounts/{shop.account_id}/shopping/orders"
    paths = [
        event["request"]["path"] for name in ("a%2Fitems", "a") for event in shop.get(f"/orders/{name}/events")["events"][1:]
    ]
    assert paths == [f"{root}/a%2fitems", f"{root}/a/items", f"{root}/a"]


def test_a_key_stands_for_one_path(shop: Shop) -> None:
    for name in ("a/items", "a"):
        shop.order(1, order_id=name)
    key = {"headers": {"Idempotency-Key": "k"}}
    body = {"items": [{"line_id": 1, "status": "packed"}]}
    shop.put("/orders/a/items", body, **key)
    assert faults_of(shop.refused("PUT", "/orders/a%2Fitems", body, status=422, **key)) == [("key_reused", "")]


@pytest.mark.parametrize("name", [".", "..", "", "a\nb", "\x7f", "x" * 256])
def test_an_order_id_that_no_path_takes_is_refused(shop: Shop, name: str) -> None:
    order = {"currency": "NOK", "items": [item(1, 5)], "order_id": name}
    assert faults_of(shop.refused("POST", "/orders", order)) == [("invalid_value", "order_id")]
    for draft, path in (
        ({"order": order}, "order.order_id"),
        ({"order": {"currency": "NOK"}, "options": {"order_id": name}}, "options.order_id"),
    ):
        assert faults_of(shop.refused("POST", "/draft_orders", draft)) == [("invalid_value", path)]


@pytest.mark.parametrize("name", [".", "..", "", "a\nb", "x" * 41])
def test_an_id_of_an_operation_that_no_path_takes_is_refused(shop: Shop, name: str) -> None:
    path = f"/orders/{shop.order(100)['id']}"
    assert faults_of(shop.refused("POST", f"{path}/authorizations", operation((1, 1), id=name))) == [("invalid_value", "id")]
