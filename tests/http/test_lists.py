"""Lists of orders, by store and customer too: the filters of the reference, cursors, totals."""

import time
from typing import Any

import pytest

from service import Shop, faults_of, item, operation


def ids(found: Any) -> list[str]:
    return [order["id"] for order in found["orders"]]


def test_newest_first_in_pages(shop: Shop) -> None:
    made = [shop.order(amount)["id"] for amount in range(1, 14)]
    newest = made[::-1]
    first = shop.send("GET", "/orders", params={"total": "true"})
    assert ids(first.json()) == newest[:10]
    assert first.headers["total-count"] == "13"
    follow = first.headers["link"].removeprefix("<").partition(">")[0]
    second = shop.http.get(follow, headers={"Authorization": f"Bearer {shop.token}"})
    assert ids(second.json()) == newest[10:]
    assert "link" not in second.headers
    seen: list[str] = []
    after: dict[str, str] = {}
    while page := ids(shop.get("/orders", params={"limit": 4, **after})):
        seen += page
        after = {"starting_after": page[-1]}
    assert seen == newest


def test_a_cursor_stays_right_while_orders_are_written(shop: Shop) -> None:
    made = [shop.order(amount)["id"] for amount in range(1, 5)]
    first = ids(shop.get("/orders", params={"limit": 2}))
    shop.order(99)
    shop.post(f"/orders/{made[0]}/authorizations", operation((1, 1)))
    assert first + ids(shop.get("/orders", params={"limit": 2, "starting_after": first[-1]})) == made[::-1]


def test_a_cursor_may_be_an_order_id(shop: Shop) -> None:
    one, two = shop.order(1, order_id="a"), shop.order(2, order_id="b")
    assert ids(shop.get("/orders", params={"starting_after": "b"})) == [one["id"]]
    assert ids(shop.get("/orders", params={"starting_after": two["id"]})) == [one["id"]]


def test_by_status(shop: Shop) -> None:
    opened, closed, cancelled = (shop.order(1)["id"] for _ in range(3))
    shop.post(f"/orders/{closed}/close")
    shop.post(f"/orders/{cancelled}/cancel")
    assert ids(shop.get("/orders", params={"status": "open"})) == [opened]
    assert ids(shop.get("/orders", params={"status": "closed"})) == [closed]
    assert ids(shop.get("/orders", params={"status": "closed,cancelled"})) == [cancelled, closed]
    assert ids(shop.get("/orders", params=[("status", "closed"), ("status", "open")])) == [closed, opened]


def test_by_payment_status(shop: Shop) -> None:
    pending = shop.order(100)["id"]
    partly, paid, back, refunded = (shop.order(100)["id"] for _ in range(4))
    for order in (partly, paid, back, refunded):
        shop.post(f"/orders/{order}/authorizations", operation((1, 100)))
        shop.post(f"/orders/{order}/captures", operation((1, 40 if order == partly else 100)))
    shop.post(f"/orders/{back}/refunds", operation((1, 40)))
    shop.post(f"/orders/{refunded}/refunds", operation((1, 100)))
    expected = {"pending": pending, "partially_paid": partly, "paid": paid, "partially_refunded": back, "refunded": refunded}
    for status, order in expected.items():
        assert ids(shop.get("/orders", params={"payment_status": status})) == [order]
    both = shop.get("/orders", params={"payment_status": "paid", "status": "closed"})
    assert ids(both) == []


def test_by_time(shop: Shop) -> None:
    one = shop.order(1)
    time.sleep(0.005)
    two = shop.order(2)
    assert ids(shop.get("/orders", params={"created_at.gte": two["created_at"]})) == [two["id"]]
    assert ids(shop.get("/orders", params={"created_at.lte": one["created_at"]})) == [one["id"]]
    assert ids(shop.get("/orders", params={"created_at.gte": one["created_at"], "created_at.lte": two["created_at"]})) == [
        two["id"],
        one["id"],
    ]
    assert ids(shop.get("/orders", params={"created_at.lte": one["created_at"].replace("Z", "+01:00")})) == []
    assert ids(shop.get("/orders", params={"created_at.gte": one["created_at"].replace("Z", "+01:00")})) == [two["id"], one["id"]]


def test_of_a_store_and_of_a_customer(shop: Shop) -> None:
    one = shop.order(1, store={"id": "S1"}, customer={"id": "C1"})["id"]
    two = shop.order(2, store={"id": "S1"}, customer={"id": "C2"})["id"]
    shop.order(3)
    shop.post(f"/orders/{one}/close")
    assert ids(shop.get("/stores/S1/orders")) == [two, one]
    assert ids(shop.get("/stores/S1/orders", params={"status": "open"})) == [two]
    assert ids(shop.get("/customers/C1/orders")) == [one]
    assert ids(shop.get("/customers/C1/orders", params={"payment_status": "paid"})) == []
    assert ids(shop.get("/stores/S9/orders")) == ids(shop.get("/customers/C9/orders")) == []
    page = shop.send("GET", "/stores/S1/orders", params={"limit": 1, "total": "true"})
    assert (page.headers["total-count"], ids(page.json())) == ("2", [two])


def test_by_number_customer_store_currency_and_amount(shop: Shop) -> None:
    one = shop.order(100, order_number="1001", customer={"id": "C1"}, store={"id": "S1"})["id"]
    two = shop.order(250, order_number="1002", customer={"id": "C1"}, store={"id": "S2"})["id"]
    three = shop.post("/orders", {"currency": "SEK", "items": [item(1, -40, store={"id": "S1"})], "order_number": "1001"})["id"]
    for query, found in (
        ({"order_number": "1001"}, [three, one]),
        ({"order_number": "1003"}, []),
        ({"customer_id": "C1"}, [two, one]),
        ({"store_id": "S1"}, [three, one]),
        ({"currency": "SEK"}, [three]),
        ({"currency": "SEK,NOK"}, [three, two, one]),
        ({"net_amount.gte": "100"}, [two, one]),
        ({"net_amount.lte": "100"}, [three, one]),
        ({"net_amount.gte": "0", "net_amount.lte": "100"}, [one]),
        ({"customer_id": "C1", "store_id": "S2", "currency": "NOK"}, [two]),
    ):
        assert ids(shop.get("/orders", params=query)) == found, query
    assert ids(shop.get("/stores/S1/orders", params={"store_id": "S1", "customer_id": "C1"})) == [one]
    for path, name in (("/stores/S1", "store_id"), ("/customers/C1", "customer_id")):
        assert faults_of(shop.refused("GET", f"{path}/orders", params={name: "other"})) == [("invalid_value", name)]
    counted = shop.send("GET", "/orders", params={"order_number": "1001", "limit": 1, "total": "true"})
    assert (counted.headers["total-count"], "order_number=1001" in counted.headers["link"]) == ("2", True)


@pytest.mark.parametrize(
    ("query", "code", "path"),
    [
        ({"limit": "0"}, "invalid_value", "limit"),
        ({"limit": "101"}, "invalid_value", "limit"),
        ({"limit": "ten"}, "invalid_value", "limit"),
        ({"starting_after": "nothing"}, "invalid_value", "starting_after"),
        ({"status": "lost"}, "invalid_value", "status"),
        ({"payment_status": "lost"}, "invalid_value", "payment_status"),
        ({"created_at.gte": "yesterday"}, "invalid_value", "created_at.gte"),
        ({"created_at.lte": "2026-01-31T12:00:00"}, "invalid_value", "created_at.lte"),
        ({"include_events": "some"}, "invalid_value", "include_events"),
        ({"total": "perhaps"}, "invalid_value", "total"),
        ({"net_amount.gte": "much"}, "invalid_value", "net_amount.gte"),
        ({"currency": "kroner"}, "invalid_value", "currency"),
        ({"sort": "up"}, "unknown_parameter", "sort"),
        ({"limit": ["1", "2"]}, "invalid_value", "limit"),
    ],
)
def test_a_wrong_parameter_is_named(shop: Shop, query: dict[str, Any], code: str, path: str) -> None:
    for collection in ("/orders", "/stores/S1/orders", "/customers/C1/orders"):
        assert faults_of(shop.refused("GET", collection, params=query)) == [(code, path)]


@pytest.mark.parametrize(
    ("path", "query", "name", "bound"),
    [
        ("/orders", [(f"metadata.k{number}", "v") for number in range(11)], "metadata.<key>", "at most 10 filters, are 11"),
        (
            "/draft_orders",
            [(f"metadata.k{number}", "v") for number in range(160)],
            "metadata.<key>",
            "at most 10 filters, are 160",
        ),
        ("/orders", [("status", "open")] * 21, "status", "at most 20 values, are 21"),
        ("/draft_orders", [("status", "open,deleted")] * 11, "status", "at most 20 values, are 22"),
        ("/orders", [("payment_status", "paid")] * 21, "payment_status", "at most 20 values, are 21"),
        ("/orders", [("currency", "NOK")] * 21, "currency", "at most 20 values, are 21"),
        ("/orders", [("include_events", "api-event")] * 21, "include_events", "at most 20 values, are 21"),
        ("/orders/x", [("include_events", "api-event")] * 21, "include_events", "at most 20 values, are 21"),
        ("/orders", {"q": "a b c d e f g h i"}, "q", "at most 8 words"),
        ("/orders", [("external_id", "a"), ("external_id", "b")], "external_id", "only once"),
    ],
)
def test_every_parameter_has_a_bound(shop: Shop, path: str, query: Any, name: str, bound: str) -> None:
    (fault,) = shop.refused("GET", path, params=query)
    assert (fault["code"], fault["path"]) == ("invalid_value", name)
    assert bound in fault["message"]


def test_as_many_filters_as_there_may_be(shop: Shop) -> None:
    metadata = {f"k{number}": "value" for number in range(10)}
    one = shop.order(1, metadata=metadata)["id"]
    shop.order(1, metadata={**metadata, "k9": "other"})
    asked = [(f"metadata.{key}", value) for key, value in metadata.items()]
    assert ids(shop.get("/orders", params=[*asked, ("q", "value"), *[("status", "open")] * 20])) == [one]
