"""Orders: made, read, updated, opened, closed, cancelled; those of a store and of a customer."""

from typing import Any

import pytest

from service import Shop, faults_of, item, items, operation


def test_create_and_read(shop: Shop) -> None:
    made = shop.order(100, -30, order_number="17", order_id="web-1", customer={"id": "C1", "email": "a@example.com"})
    assert (made["order_id"], made["order_number"], made["net_amount"], made["version"]) == ("web-1", "17", 70, 1)
    assert (made["status"], made["payment_status"], made["created_by"]) == ("open", "pending", shop.client_id)
    assert made["created_at"] == made["updated_at"]
    assert shop.get(f"/orders/{made['id']}") == made
    assert shop.get("/orders/web-1") == made


def test_what_is_sent_of_read_only_fields_is_ignored(shop: Shop) -> None:
    made = shop.order(100, id="mine", status="cancelled", version=9, created_by="me", payment_status="paid", captures=[{"x": 1}])
    assert (made["status"], made["version"], made["payment_status"], made["captures"]) == ("open", 1, "pending", [])
    assert made["id"] != "mine"


def test_totals_and_discounts(shop: Shop) -> None:
    lines = [
        item(1, 1000, discount_lines=[{"amount": 100, "discount_type": "manual"}, {"amount": 50, "percentage": 5}]),
        item(2, -500, discount_lines=[{"amount": 50, "discount_type": "manual"}]),
    ]
    made = shop.post("/orders", {"currency": "NOK", "items": lines, "gross_amount": 500, "net_amount": 400})
    assert (made["gross_amount"], made["net_amount"]) == (500, 400)
    assert (made["total_discount"], made["total_manual_discount_amount"]) == (100, 50)
    assert [line["net_amount"] for line in made["items"]] == [850, -450]


@pytest.mark.parametrize(
    ("change", "then"),
    [
        ({"currency": "NOX"}, [("unknown_currency", "currency")]),
        ({"items": []}, [("invalid_value", "items")]),
        ({"items": [item(1, 5), item(1, 6)]}, [("duplicate_line", "items[1].line_id")]),
        ({"items": [item(1, 5, net_amount=4)]}, [("amount_mismatch", "items[0].net_amount")]),
        ({"gross_amount": 99}, [("amount_mismatch", "gross_amount")]),
        ({"net_amount": 99}, [("amount_mismatch", "net_amount")]),
        ({"items": [item(1, 5, additions=[{"gross_amount": 6}])]}, [("additions_exceed_gross", "items[0].additions")]),
        ({"items": [{**item(1, 5), "tax_lines": [{"amount": -1}]}]}, [("tax_outside_line", "items[0].tax_lines[0].amount")]),
        ({"items": items(*[1] * 1001)}, [("too_many", "items")]),
    ],
)
def test_create_is_refused(shop: Shop, change: dict[str, Any], then: list[tuple[str, str]]) -> None:
    body = {"currency": "NOK", "items": items(100), **change}
    assert faults_of(shop.refused("POST", "/orders", body)) == then
    assert shop.get("/orders")["orders"] == []


def test_an_order_id_is_used_once(shop: Shop) -> None:
    shop.order(100, order_id="web-1")
    faults = shop.refused("POST", "/orders", {"currency": "NOK", "items": items(5), "order_id": "web-1"})
    assert faults_of(faults) == [("order_id_taken", "order_id")]


def test_an_order_of_a_thousand_lines(shop: Shop) -> None:
    made = shop.order(*[7] * 1000)
    shop.post(f"/orders/{made['id']}/authorizations", operation(*((line_id, 7) for line_id in range(1, 1001))))
    after = shop.get(f"/orders/{made['id']}")
    assert (len(after["items"]), after["payment_details"]["remaining_capture_amount"]) == (1000, 7000)


def test_update_keeps_what_is_left_out_and_null_takes_away(shop: Shop) -> None:
    made = shop.order(100, comment="first", customer={"id": "C1"}, store={"id": "S1"})
    path = f"/orders/{made['id']}"
    after = shop.put(path, {"comment": None, "courier_id": "K", "pickup_at": "2026-01-31T12:00:00+01:00", "delivery_id": "D"})
    assert "comment" not in after
    assert (after["courier_id"], after["pickup_at"], after["delivery_id"]) == ("K", "2026-01-31T12:00:00+01:00", "D")
    assert (after["customer"], after["version"]) == ({"id": "C1"}, 2)
    moved = shop.put(path, {"store": {"id": "S2"}, "customer": {"id": "C2"}})
    assert shop.get("/stores/S1/orders")["orders"] == []
    assert shop.get("/customers/C1/orders")["orders"] == []
    assert shop.get("/stores/S2/orders")["orders"] == shop.get("/customers/C2/orders")["orders"] == [moved]


def test_what_is_read_may_be_written_back(shop: Shop) -> None:
    made = shop.paid(100, order_id="web-1", comment="x", time_to_live=86400)
    read = shop.get("/orders/web-1")
    after = shop.put("/orders/web-1", {**read, "comment": "y"})
    assert after == {
        **read,
        "comment": "y",
        "version": 4,
        "updated_at": after["updated_at"],
        "time_to_live_expires_at": after["time_to_live_expires_at"],
    }
    assert made["id"] == after["id"]


def test_items_change_by_line_id(shop: Shop) -> None:
    made = shop.order(100, 50)
    path = f"/orders/{made['id']}"
    after = shop.put(
        path, {"items": [{"line_id": 2, "status": "packed", "discount_lines": [{"amount": 10}], "original_currency": "SEK"}]}
    )
    assert (after["items"][1]["status"], after["items"][1]["net_amount"], after["net_amount"]) == ("packed", 40, 140)
    assert after["items"][0] == made["items"][0]
    shop.post(f"{path}/authorizations", operation((1, 100)))
    frozen = shop.refused("PUT", path, {"items": [{"line_id": 1, "discount_lines": [{"amount": 1}]}]})
    assert faults_of(frozen) == [("line_has_operations", "items[0]")]
    for name in ("id", "gross_amount", "net_amount", "quantity"):
        nothing = shop.refused("PUT", path, {"items": [{"line_id": 2, name: None}]})
        assert faults_of(nothing) == [("invalid_value", f"items[0].{name}")]
    assert faults_of(shop.refused("PUT", path, {"items": [{"line_id": 9}]})) == [("unknown_line", "items[0].line_id")]
    assert faults_of(shop.refused("PUT", path, {"order_id": "other"})) == [("invalid_value", "order_id")]


def test_item_statuses(shop: Shop) -> None:
    made = shop.order(100, 50)
    after = shop.put(f"/orders/{made['id']}/items", {"items": [{"line_id": 2, "status": "shipped"}]})
    assert [line.get("status") for line in after["items"]] == [None, "shipped"]
    assert faults_of(shop.refused("PUT", f"/orders/{made['id']}/items", {"items": []})) == [("invalid_value", "items")]
    unknown = shop.refused("PUT", f"/orders/{made['id']}/items", {"items": [{"line_id": 7, "status": "x"}]})
    assert faults_of(unknown) == [("unknown_line", "items[0].line_id")]


def test_close_open_cancel(shop: Shop) -> None:
    path = f"/orders/{shop.order(100)['id']}"
    closed = shop.post(f"{path}/close")
    assert (closed["status"], closed["closed_by"], closed["version"]) == ("closed", shop.client_id, 2)
    assert shop.post(f"{path}/close") == closed
    opened = shop.post(f"{path}/open")
    assert (opened["status"], opened["version"], "closed_at" in opened) == ("open", 3, False)
    assert shop.post(f"{path}/open") == opened
    cancelled = shop.post(f"{path}/cancel", {"cancelled_reason": "customer"})
    assert (cancelled["status"], cancelled["cancelled_reason"], cancelled["cancelled_by"]) == (
        "cancelled",
        "customer",
        shop.client_id,
    )
    assert shop.post(f"{path}/cancel", {"cancelled_reason": "declined"}) == cancelled
    assert faults_of(shop.refused("POST", f"{path}/open")) == [("order_cancelled", "")]
    assert faults_of(shop.refused("POST", f"{path}/close")) == [("order_cancelled", "")]


def test_cancel_needs_no_body_and_nothing_captured(shop: Shop) -> None:
    assert shop.post(f"/orders/{shop.order(100)['id']}/cancel")["cancelled_reason"] == "other"
    paid = f"/orders/{shop.paid(100, 50)['id']}"
    faults = shop.refused("POST", f"{paid}/cancel")
    assert [(fault["code"], fault["line_id"]) for fault in faults] == [("order_captured", 1), ("order_captured", 2)]
    shop.post(f"{paid}/refunds", operation((1, 100), (2, 50)))
    assert shop.post(f"{paid}/cancel")["status"] == "cancelled"
    wrong = shop.refused("POST", f"{paid}/cancel", {"cancelled_reason": "bored"})
    assert faults_of(wrong) == [("invalid_value", "cancelled_reason")]


def test_status_changes_answer_events_when_asked(shop: Shop) -> None:
    path = f"/orders/{shop.order(100)['id']}"
    closed = shop.post(f"{path}/close", params={"include_events": "true"})
    assert [event["version"] for event in closed["events"]] == [1, 2]
    assert closed["state"] == "pending"


def test_time_to_live(shop: Shop) -> None:
    made = shop.order(100, time_to_live=86400)
    assert made["time_to_live_expires_at"][:19] > made["updated_at"][:19]
    after = shop.put(f"/orders/{made['id']}", {"time_to_live": None})
    assert "time_to_live_expires_at" not in after
    assert faults_of(shop.refused("PUT", f"/orders/{made['id']}", {"time_to_live": 86399})) == [("invalid_value", "time_to_live")]


def test_of_a_store_and_of_a_customer(shop: Shop) -> None:
    one = shop.order(100, store={"id": "S1"}, customer={"id": "C1"})
    other = shop.post("/orders", {"currency": "NOK", "items": [item(1, 5, store={"id": "S2"})], "customer": {"id": "C/2"}})
    assert shop.get(f"/stores/S1/orders/{one['id']}") == one
    assert shop.get(f"/stores/S2/orders/{other['id']}") == other
    assert shop.get(f"/customers/C1/orders/{one['id']}") == one
    for path in ("/stores/S2", "/customers/C2"):
        assert faults_of(shop.refused("GET", f"{path}/orders/{one['id']}", status=404)) == [("unknown_order", "")]
        assert faults_of(shop.refused("GET", f"{path}/orders/none", status=404)) == [("unknown_order", "")]


def test_unknown_order(shop: Shop) -> None:
    for method, path, body in (
        ("GET", "", None),
        ("PUT", "", {}),
        ("PUT", "/items", {"items": [{"line_id": 1, "status": "x"}]}),
        ("POST", "/open", None),
        ("POST", "/close", None),
        ("POST", "/cancel", None),
    ):
        assert faults_of(shop.refused(method, f"/orders/none{path}", body, status=404)) == [("unknown_order", "")]
