"""H4: any version, and any point in time, can be read back; what changed between two versions."""

import time
from typing import Any

import pytest

from service import Shop, faults_of, item, operation

pytestmark = pytest.mark.once


def life(shop: Shop) -> tuple[str, list[Any]]:
    """An order after one of everything, and how it was answered at each version."""
    path = f"/orders/{shop.order(100, 50, comment='first', customer={'id': 'C1'}, order_id='web-1')['id']}"
    seen = [shop.get(path)]

    def then(method: str, below: str, body: Any = None) -> None:
        shop.send(method, f"{path}{below}", body).raise_for_status()
        seen.append(shop.get(path))

    then("POST", "/authorizations", operation((1, 100), (2, 50)))
    then("POST", "/captures", operation((1, 60)))
    then("POST", "/events", {"service": "a", "service_status": "b"})
    then("POST", "/comments", {"body": "x"})
    then("PUT", "", {"comment": "second", "customer": None})
    then("DELETE", f"/comments/{seen[-1]['comments'][0]['id']}")
    then("POST", "/close")
    then("POST", "/open")
    draft = shop.post("/draft_orders", {"options": {"order_id": "web-1"}, "order": {"currency": "NOK", "items": [item(3, -100)]}})
    shop.put(f"/draft_orders/{draft['id']}/complete")
    seen.append(shop.get(path))
    for order in seen:
        for comment in order["comments"]:
            comment.pop("body", None)  # it was deleted, and so its text is gone from the versions of before
    return path, seen


def test_every_version_is_answered_as_it_was(shop: Shop) -> None:
    path, seen = life(shop)
    assert [order["version"] for order in seen] == list(range(1, len(seen) + 1))
    for order in seen:
        again = shop.send("GET", path, params={"version": order["version"]})
        assert again.json() == order
        assert again.headers["etag"] == f'"{order["version"]}"'
    with_events = shop.get(path, params={"version": 5, "include_events": "true"})
    assert ([event["version"] for event in with_events["events"]], with_events["state"]) == ([1, 2, 3, 4, 5], "success")


def test_every_instant_is_answered_as_it_was(shop: Shop) -> None:
    path, seen = life(shop)
    time.sleep(0.002)
    last_of_instant = {order["updated_at"]: order for order in seen}
    for instant, order in last_of_instant.items():
        assert shop.get(path, params={"at": instant}) == order
    assert shop.get(path, params={"at": "2099-01-01T00:00:00+02:00"}) == seen[-1]
    assert faults_of(shop.refused("GET", path, status=404, params={"at": "2020-01-01T00:00:00Z"})) == [("unknown_version", "")]


@pytest.mark.parametrize(
    ("query", "status", "then"),
    [
        ({"version": "11"}, 404, ("unknown_version", "")),
        ({"version": "0"}, 400, ("invalid_value", "version")),
        ({"version": "null"}, 400, ("invalid_value", "version")),
        ({"version": "x"}, 400, ("invalid_value", "version")),
        ({"at": "yesterday"}, 400, ("invalid_value", "at")),
        ({"version": "1", "at": "2099-01-01T00:00:00Z"}, 400, ("invalid_value", "at")),
    ],
)
def test_a_past_that_is_none_is_refused(shop: Shop, query: dict[str, str], status: int, then: tuple[str, str]) -> None:
    path, _ = life(shop)
    assert faults_of(shop.refused("GET", path, status=status, params=query)) == [then]
    if then[0] == "unknown_version":
        assert faults_of(shop.refused("GET", "/orders/none", status=404, params=query)) == [("unknown_order", "")]


def test_what_changed_between_two_versions(shop: Shop) -> None:
    path, seen = life(shop)
    found = shop.get(f"{path}/diff", params={"from": 2, "to": 6})
    changes = {change["path"]: (change.get("before"), change.get("after")) for change in found["changes"]}
    capture = seen[5]["captures"][0]
    assert changes["comment"] == ("first", "second")
    assert changes["customer"] == ({"id": "C1"}, None)
    assert changes["payment_status"] == ("pending", "partially_paid")
    assert changes["payment_details.amount_due"] == (150, 90)
    assert changes[f"captures[id={capture['id']}]"] == (None, capture)
    assert changes["version"] == (2, 6)
    assert all(".payment_details." in name for name in changes if name.startswith("items"))
    assert [event["version"] for event in found["events"]] == [3, 4, 5, 6]
    added = shop.get(f"{path}/diff", params={"from": 9})
    assert added == shop.get(f"{path}/diff")
    assert added["to"] == 10
    assert next(change for change in added["changes"] if change["path"] == "items[line_id=3]")["after"]["gross_amount"] == -100


def test_a_field_inside_an_item_is_named(shop: Shop) -> None:
    path = f"/orders/{shop.order(100, 50)['id']}"
    shop.put(f"{path}/items", {"items": [{"line_id": 2, "status": "packed"}]})
    changes = shop.get(f"{path}/diff", params={"from": 1, "to": 2})["changes"]
    assert {"path": "items[line_id=2].status", "after": "packed"} in changes
    assert shop.get(f"{path}/diff", params={"from": 2, "to": 2})["changes"] == []


def test_a_comparison_is_refused(shop: Shop) -> None:
    path, _ = life(shop)
    for query, status, then in (
        ({"from": "3", "to": "2"}, 400, ("invalid_value", "from")),
        ({"from": "1", "to": "99"}, 404, ("unknown_version", "")),
        ({"from": "x"}, 400, ("invalid_value", "from")),
    ):
        assert faults_of(shop.refused("GET", f"{path}/diff", status=status, params=query)) == [then]
    assert faults_of(shop.refused("GET", "/orders/none/diff", status=404, params={"from": 1})) == [("unknown_order", "")]
