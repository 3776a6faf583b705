"""The reference's worked examples, 6.1 to 6.3c, with its own numbers."""

from typing import Any

import pytest

from service import Shop

pytestmark = pytest.mark.once

CHAIR = {
    "id": "175938",
    "line_id": 1,
    "quantity": 2,
    "gross_amount": 39800,
    "tax_lines": [{"amount": 7960, "percentage": 25}],
    "description": "Stablestol for utendørsbruk",
    "description_alias": "Stablestol",
}
REVERSED = {
    **CHAIR,
    "line_id": 2,
    "gross_amount": -39800,
    "tax_lines": [{"amount": -7960, "percentage": 25}],
    "reversed_reason": "Replace item",
    "related_item": {"line_id": 1, "type": "reversed"},
}
REPLACEMENT = {**CHAIR, "id": "003929", "line_id": 3, "quantity": 1, "description": "Stablestol for innendørsbruk"}


def paid(*amounts: tuple[int, int]) -> dict[str, Any]:
    lines = [{"amount": amount, "line_id": line_id} for line_id, amount in amounts]
    return {"items": lines, "payment_details": {"payment_id": "PID_123"}, "success": True}


def completed(shop: Shop, options: dict[str, Any], *lines: dict[str, Any], **order: Any) -> Any:
    draft = shop.post("/draft_orders", {"options": options, "order": {"currency": "NOK", "items": list(lines), **order}})
    (made,) = shop.put(f"/draft_orders/{draft['id']}/complete", {})["orders"]
    return made


def authorize_and_capture(shop: Shop, order_id: str, *amounts: tuple[int, int]) -> None:
    shop.post(f"/orders/{order_id}/authorizations", paid(*amounts))
    shop.post(f"/orders/{order_id}/captures", paid(*amounts))


def test_6_1_create_and_complete(shop: Shop) -> None:
    order = completed(shop, {"generate_order_id": "ALPHANUMERIC_9"}, CHAIR)
    assert len(order["order_id"]) == 9
    assert not set("0O1I") & set(order["order_id"])
    assert (order["gross_amount"], order["net_amount"], order["status"], order["version"]) == (39800, 39800, "open", 1)
    (line,) = order["items"]
    assert line == {**CHAIR, "net_amount": 39800, "version": 1, "payment_details": line["payment_details"]}
    assert order["events"] == []


def test_6_2_authorize_then_capture(shop: Shop) -> None:
    order = completed(shop, {"generate_order_id": "ALPHANUMERIC_9"}, CHAIR)
    authorize_and_capture(shop, order["order_id"], (1, 39800))
    after = shop.get(f"/orders/{order['order_id']}")
    assert after["payment_status"] == "paid"
    assert after["payment_details"] == {
        "remaining_authorization_amount": 0,
        "remaining_capture_amount": 0,
        "remaining_cancellation_amount": 0,
        "remaining_refund_amount": 39800,
        "amount_due": 0,
    }
    assert after["captures"][0]["payment_details"] == {"payment_id": "PID_123"}


def test_6_3_reverse_a_line_and_add_a_replacement(shop: Shop) -> None:
    order = completed(shop, {}, CHAIR)
    authorize_and_capture(shop, order["id"], (1, 39800))
    amended = completed(shop, {"order_id": order["id"]}, REVERSED, REPLACEMENT)
    assert amended["id"] == order["id"]
    assert (amended["net_amount"], amended["payment_status"]) == (39800, "paid")
    authorize_and_capture(shop, order["id"], (2, -39800))
    assert shop.get(f"/orders/{order['id']}")["payment_status"] == "partially_paid"
    authorize_and_capture(shop, order["id"], (3, 39800))
    after = shop.get(f"/orders/{order['id']}")
    assert (after["payment_status"], after["payment_details"]["amount_due"]) == ("paid", 0)
    assert [line["line_id"] for line in after["items"]] == [1, 2, 3]
    assert len(after["_links"]) == 2


def test_6_3b_the_original_authorization_exceeds_the_new_items(shop: Shop) -> None:
    order = completed(shop, {}, CHAIR)
    authorize_and_capture(shop, order["id"], (1, 39800))
    rest = {**REPLACEMENT, "line_id": 4, "id": "REST", "gross_amount": 1000, "tax_lines": []}
    cheaper = {**REPLACEMENT, "gross_amount": 38800, "tax_lines": []}
    completed(shop, {"order_id": order["id"]}, REVERSED, cheaper, rest)
    authorize_and_capture(shop, order["id"], (2, -39800))
    authorize_and_capture(shop, order["id"], (3, 38800), (4, 1000))
    refund = shop.post(f"/orders/{order['id']}/refunds", paid((4, 1000)))
    assert refund["amount"] == 1000
    after = shop.get(f"/orders/{order['id']}")
    assert (after["payment_status"], after["payment_details"]["remaining_refund_amount"]) == ("partially_refunded", 38800)


def test_6_3c_the_original_authorization_is_below_the_new_items(shop: Shop) -> None:
    order = completed(shop, {}, CHAIR, multiple_authorizations=True)
    first = shop.post(f"/orders/{order['id']}/authorizations", paid((1, 20000)))
    second = shop.post(f"/orders/{order['id']}/authorizations", paid((1, 19800)))
    assert first["authorization_id"] == first["id"]
    over = shop.refused("POST", f"/orders/{order['id']}/captures", {**paid((1, 20000)), "authorization_id": second["id"]})
    assert (over[0]["code"], over[0]["remaining"]) == ("exceeds_remaining", 19800)
    for authorization, amount in ((first, 20000), (second, 19800)):
        capture = shop.post(f"/orders/{order['id']}/captures", {**paid((1, amount)), "authorization_id": authorization["id"]})
        assert capture["authorization_id"] == authorization["id"]
    assert shop.get(f"/orders/{order['id']}")["payment_status"] == "paid"
