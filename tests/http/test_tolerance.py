"""What is taken though it is not written as the reference has it, and that whatever is answered is taken again."""

from typing import Any

import pytest

from service import Shop, faults_of, item, items, operation

NEWLINES = {
    "currency": "NOK\n",
    "order_id": "A-17\n",
    "order_number": "A-17\n",
    "delivery_at": "2026-01-01T10:00:00Z\n",
    "pickup_at": "2026-02-30T10:00:00Z",
}
OF_CUSTOMERS = {
    "id": "C-1\n",
    "phone_number": "+4799999999\n",
    "email": "kari@example.com\n",
    "date_of_birth": "1990-09-20\n",
}


def test_a_newline_at_the_end_is_not_taken_for_the_end(shop: Shop) -> None:
    bodies: list[tuple[str, dict[str, Any]]] = [
        *((name, {name: value}) for name, value in NEWLINES.items()),
        *((f"customer.{name}", {"customer": {name: value}}) for name, value in OF_CUSTOMERS.items()),
    ]
    for path, fields in bodies:
        body = {"currency": "NOK", "items": items(5), **fields}
        assert faults_of(shop.refused("POST", "/orders", body)) == [("invalid_value", path)]
        assert faults_of(shop.refused("POST", "/draft_orders", {"order": body})) == [("invalid_value", f"order.{path}")]
    path = f"/orders/{shop.order(5)['id']}/authorizations"
    for name, value in (("id", "op-1\n"), ("processed_at", "2026-01-01T10:00:00Z\n"), ("authorization_id", "op-1\n")):
        assert faults_of(shop.refused("POST", path, operation((1, 5), **{name: value}))) == [("invalid_value", name)]
    for name in ("created_at.gte", "updated_at.lte", "order_number", "currency"):
        value = "2026-01-01T10:00:00Z\n" if "_at" in name else "NOK\n"
        assert shop.refused("GET", "/orders", params={name: value})[0]["path"].startswith(name)


@pytest.mark.parametrize("suffix", ["\n", "-A\n", "\x00", "\x1f", "\x7f"])
def test_a_suffix_makes_no_order_number_that_nothing_else_takes(shop: Shop, suffix: str) -> None:
    body = {"order": {"currency": "NOK", "items": items(5)}, "options": {"serial_order_number_suffix": suffix}}
    assert faults_of(shop.refused("POST", "/draft_orders", body)) == [("invalid_value", "options.serial_order_number_suffix")]


@pytest.mark.parametrize("suffix", ["", "-A", " Ø/%", "x" * 40])
def test_a_serial_number_is_found_and_taken_again(shop: Shop, suffix: str) -> None:
    body = {"order": {"currency": "NOK", "items": items(5)}, "options": {"serial_order_number_suffix": suffix}}
    draft = shop.post("/draft_orders", body)
    (order,) = shop.put(f"/draft_orders/{draft['id']}/complete")["orders"]
    assert order["order_number"].endswith(suffix)
    assert [one["id"] for one in shop.get("/orders", params={"order_number": order["order_number"]})["orders"]] == [order["id"]]
    assert shop.put(f"/orders/{order['id']}", order)["order_number"] == order["order_number"]
    assert shop.order(5, order_number=order["order_number"])["order_number"] == order["order_number"]


def test_words_whose_list_nobody_published_are_kept_as_they_are(shop: Shop) -> None:
    line = item(1, 100, net_amount=90, discount_lines=[{"amount": 10, "discount_type": "birthday"}])
    customer = {"type": "Stammkunde", "addresses": [{"type": "cabin"}]}
    draft = shop.post("/draft_orders", {"order": {"currency": "NOK", "items": [line], "customer": customer}})
    (order,) = shop.put(f"/draft_orders/{draft['id']}/complete")["orders"]
    assert order["customer"] == customer
    assert order["items"][0]["discount_lines"] == line["discount_lines"]
    assert order["total_manual_discount_amount"] == 0
    comment = shop.post(f"/orders/{order['id']}/comments", {"body": "x", "visibility": "staff"})
    assert shop.get(f"/orders/{order['id']}")["comments"] == [comment]
    assert comment["visibility"] == "staff"


def test_words_whose_list_is_published_are_refused_when_unknown(shop: Shop) -> None:
    path = f"/orders/{shop.order(5)['id']}"
    for where, body, fault in (
        ("/events", {"service": "s", "service_status": "x", "state": "fine"}, "state"),
        ("/cancel", {"cancelled_reason": "bored"}, "cancelled_reason"),
    ):
        assert faults_of(shop.refused("POST", f"{path}{where}", body)) == [("invalid_value", fault)]
