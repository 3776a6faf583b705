"""What an order holds, in lists: whole, in pages, counted."""

import pytest

from service import Shop, faults_of, item, operation

pytestmark = pytest.mark.once

OF_AN_ORDER = ("authorizations", "captures", "refunds", "cancellations", "sessions", "events")


def held(shop: Shop) -> str:
    """Make an order that holds three of everything; return its path."""
    made = shop.post("/orders", {"currency": "NOK", "multiple_authorizations": True, "items": [item(1, 100)]})
    path = f"/orders/{made['id']}"
    for number in range(3):
        named = shop.post(f"{path}/authorizations", operation((1, 30)))["id"]
        for name, amount in (("captures", 20), ("refunds", 5), ("cancellations", 1)):
            shop.post(f"{path}/{name}", operation((1, amount), authorization_id=named))
        shop.post(f"{path}/sessions", {"items": [{"line_id": "1", "amount": number + 1}], "profile_id": "p", "url": {}})
        shop.post(f"{path}/events", {"service": "kitchen", "service_status": str(number)})
    return path


@pytest.mark.parametrize("name", OF_AN_ORDER)
def test_what_an_order_holds_is_counted_and_paged(shop: Shop, name: str) -> None:
    path, query = f"{held(shop)}/{name}", {"include_events": "service-event"} if name == "events" else {}
    everything = shop.send("GET", path, params={**query, "total": "true"})
    whole = everything.json()[name]
    assert (len(whole), everything.headers["total-count"], "link" in everything.headers) == (3, "3", False)
    assert "total-count" not in shop.send("GET", path, params=query).headers
    first = shop.send("GET", path, params={**query, "limit": 2, "total": "true"})
    assert (first.json()[name], first.headers["total-count"]) == (whole[:2], "3")
    follow = first.headers["link"].removeprefix("<").partition(">")[0]
    second = shop.http.get(follow, headers={"Authorization": f"Bearer {shop.token}"})
    assert (second.json()[name], second.headers["total-count"], "link" in second.headers) == (whole[2:], "3", False)
    assert faults_of(shop.refused("GET", path, params={"starting_after": "none"})) == [("invalid_value", "starting_after")]


def test_events_of_every_type_are_counted(shop: Shop) -> None:
    path = f"{held(shop)}/events"
    found = shop.send("GET", path, params={"total": "true", "limit": 1})
    assert found.headers["total-count"] == "19"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/orders", "orders"),
        ("/stores/S%201%C3%B8%2FA/orders", "orders"),
        ("/customers/C%2F%25%2F1/orders", "orders"),
        ("/draft_orders", "draft_orders"),
    ],
)
def test_every_list_is_counted_and_leads_to_its_next_page(shop: Shop, path: str, name: str) -> None:
    fields = {"customer": {"id": "C/%/1"}, "store": {"id": "S 1ø/A"}}
    for _ in range(3):
        shop.order(100, **fields)
        shop.post("/draft_orders", {"order": {"currency": "NOK", **fields}})
    whole = shop.get(path)[name]
    first = shop.send("GET", path, params={"limit": 2, "total": "true"})
    assert (first.json()[name], first.headers["total-count"]) == (whole[:2], "3")
    follow = first.headers["link"].removeprefix("<").partition(">")[0]
    second = shop.http.get(follow, headers={"Authorization": f"Bearer {shop.token}"})
    assert (second.json()[name], "link" in second.headers) == (whole[2:], False)
